"""How kernels are compiled: machine code kept on disk, exact floating point.

numba does not notice when a callee in another module changed: whoever starts a process sets NUMBA_CACHE_DIR to a
folder named by the hash of the sources (``engine.kernel_cache``) before numba is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["inlined", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile at first call."""
    return cast(F, njit(cache=True)(function))


def inlined(function: F) -> F:
    """A small kernel that is copied into its callers."""
    return cast(F, njit(cache=True, inline="always")(function))

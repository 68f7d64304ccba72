"""How kernels are compiled: machine code kept on disk, exact floating point, no reference counts.

Without reference counts a kernel cannot allocate: numba refuses to compile it. They would also cost more than the
work: every tuple of arrays that is handed on counts each of its arrays up and down (14 times the time of the signal
machine). The caller holds every array for the time of the call.

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
    return cast(F, njit(cache=True, _nrt=False)(function))


def inlined(function: F) -> F:
    """A small kernel that is copied into its callers."""
    return cast(F, njit(cache=True, inline="always", _nrt=False)(function))

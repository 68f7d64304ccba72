"""How kernels of the analytics are compiled: kept on disk, without the interpreter's lock, without allocation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["scan"]

F = TypeVar("F", bound=Callable[..., Any])


def scan(function: F) -> F:
    """Compile at first call; other threads run meanwhile."""
    return cast(F, njit(cache=True, nogil=True, _nrt=False)(function))

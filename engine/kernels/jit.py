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

from numba import njit, typeof
from numba.extending import is_jitted

__all__ = ["inlined", "kernel", "settled"]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile at first call."""
    return cast(F, njit(cache=True, _nrt=False)(function))


def inlined(function: F) -> F:
    """A small kernel that is copied into its callers."""
    return cast(F, njit(cache=True, inline="always", _nrt=False)(function))


def settled(function: F) -> F:
    """A kernel for one caller: the types of its first arguments are taken to be those of all that follow.

    numba looks at the type of every array in every call; for one junction that is four fifths of the time.
    """
    code: list[Callable[..., Any]] = []

    def call(*arguments: Any) -> Any:
        if not code:
            code.append(_code_for(function, *arguments))
        return code[0](*arguments)

    return cast(F, call)


def _code_for(function: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    if not is_jitted(function):
        return function
    dispatcher: Any = function
    types = tuple(typeof(argument) for argument in arguments)
    dispatcher.compile(types)
    return cast(Callable[..., Any], dispatcher.get_overload(types))

"""Kernels that one caller keeps: the same results as through numba's own call, also where it compiles nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.jit import kernel, settled


class Pair(NamedTuple):
    """Two arrays of different types."""

    count: npt.NDArray[np.int32]
    share: npt.NDArray[np.float32]


@kernel
def add(pair: Pair, more: int) -> int:
    """Count ``more`` everywhere; the sum."""
    total = 0
    for i in range(len(pair.count)):
        pair.count[i] += more
        pair.share[i] *= 0.5
        total += pair.count[i]
    return total


def _pair(values: list[int]) -> Pair:
    return Pair(np.array(values, np.int32), np.ones(len(values), np.float32))


def test_a_settled_kernel_does_what_the_kernel_does() -> None:
    """Two calls each: 1 + 2 + 3 with 10 added to each, then 1 more; shares halved twice."""
    kept, other = settled(add), settled(add)
    pair, same = _pair([1, 2, 3]), _pair([1, 2, 3])
    assert [kept(pair, 10), kept(pair, 1)] == [36, 39]
    assert [add(same, 10), add(same, 1)] == [36, 39]
    assert pair.count.tolist() == same.count.tolist() == [12, 13, 14]
    assert pair.share.tolist() == same.share.tolist() == [0.25, 0.25, 0.25]
    assert other(_pair([]), 5) == 0


def test_a_plain_function_stays_what_it_is() -> None:
    """As under NUMBA_DISABLE_JIT."""

    def plain(value: int) -> int:
        return value + 1

    assert settled(plain)(4) == 5

"""Every state that a junction can reach, breadth first, many states to one kernel call.

A city is made of copies of one junction; each copy is put into one state and given one action, and one tick later
all successors are read back. A state is a row of bytes: times are ages in ticks, clipped where no rule looks further
back. Rows are kept in a hash table that compares them in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

from greensplit.engine.kernels.state import NEVER_MS
from greensplit.engine.model.site import Site

__all__ = ["NOW_MS", "Layout", "Reached", "copies", "steps_to"]

NOW_MS: Final = 10**7
NEVER: Final = 127

Rows = npt.NDArray[np.uint64]
Array = npt.NDArray[Any]


def copies(site: Site, count: int) -> Site:
    """A city of copies of the only junction of a site."""
    (junction,) = site.junctions
    return replace(
        site, junctions=tuple(replace(junction, id=f"J{i}", device_id=i + 1) for i in range(count))
    )


class Layout:
    """How the state of ``count`` copies, spread over named arrays, becomes rows of bytes and back."""

    def __init__(self, parts: Sequence[tuple[str, Array]], count: int, tick_ms: int, oldest: int) -> None:
        """``oldest`` is the age in ticks from which on no rule can tell the difference."""
        self._parts = [(name.endswith("_ms"), array.reshape(count, -1)) for name, array in parts]
        self._count, self._tick_ms, self._oldest = count, tick_ms, oldest
        self._width = sum(array.shape[1] for _, array in self._parts)
        self.words = -(-self._width // 8)

    def load(self, rows: Rows) -> None:
        """Put the first copies into these states, as they were one tick before ``NOW_MS``."""
        cells = rows.view(np.int8).reshape(len(rows), -1)
        at = 0
        for is_time, array in self._parts:
            cell = cells[:, at : at + array.shape[1]]
            at += array.shape[1]
            if is_time:
                age = cell.astype(np.int64)
                array[: len(rows)] = np.where(age == NEVER, NEVER_MS, NOW_MS - (age + 1) * self._tick_ms)
            else:
                array[: len(rows)] = cell.view(np.uint8)

    def save(self, count: int) -> Rows:
        """The states of the first copies at ``NOW_MS``."""
        cells = np.zeros((count, self.words * 8), np.int8)
        at = 0
        for is_time, array in self._parts:
            found = array[:count]
            if is_time:
                age = np.minimum((NOW_MS - found) // self._tick_ms, self._oldest)
                found = np.where(found == NEVER_MS, NEVER, age)
            cells[:, at : at + array.shape[1]] = found.astype(np.uint8).view(np.int8)
            at += array.shape[1]
        return cells.view(np.uint64)


class Reached:
    """States in the order in which they were found, each with a number."""

    def __init__(self, words: int) -> None:
        self.rows = np.zeros((1024, words), np.uint64)
        self.count = 0
        self._slots = np.full(4096, -1, np.int64)

    def add(self, rows: Rows) -> npt.NDArray[np.int64]:
        """The number of each state; new ones get the next numbers."""
        while self.count + len(rows) > len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
        if 2 * (self.count + len(rows)) > len(self._slots):
            self._slots = np.full(4 * len(self.rows), -1, np.int64)
            _insert(self._slots, self.rows, 0, self.rows[: self.count].copy(), np.zeros(self.count, np.int64))
        numbers = np.zeros(len(rows), np.int64)
        self.count = _insert(self._slots, self.rows, self.count, rows, numbers)
        return numbers

    def sweep(self, batch: int) -> Iterator[Rows]:
        """All states once, in order, also those that are added on the way; ``batch`` at most at a time."""
        at = 0
        while at < self.count:
            upto = min(at + batch, self.count)
            yield self.rows[at:upto].copy()
            at = upto


def steps_to(target: npt.NDArray[np.bool_], following: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many steps each state is from the target when each has one successor; -1 where none leads there."""
    steps = np.where(target, 0, -1)
    for step in range(1, len(target) + 1):
        arrives = (steps < 0) & (steps[following] == step - 1)
        if not arrives.any():
            break
        steps[arrives] = step
    return steps


@njit(cache=True)
def _insert(slots: Array, known: Rows, count: int, rows: Rows, numbers: Array) -> int:
    """Look rows up by open addressing, append those that are not known; the number of known rows."""
    for i in range(len(rows)):
        slot = _spread(rows[i]) % len(slots)
        while slots[slot] >= 0 and not _same(known[slots[slot]], rows[i]):
            slot = (slot + 1) % len(slots)
        if slots[slot] < 0:
            slots[slot] = count
            known[count] = rows[i]
            count += 1
        numbers[i] = slots[slot]
    return count


@njit(cache=True)
def _spread(row: Rows) -> int:
    mixed = np.uint64(1469598103934665603)
    for word in row:
        mixed = (mixed ^ word) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.int64(mixed >> np.uint64(1))


@njit(cache=True)
def _same(one: Rows, two: Rows) -> bool:
    same = True
    for i in range(len(one)):
        same = same and one[i] == two[i]
    return same

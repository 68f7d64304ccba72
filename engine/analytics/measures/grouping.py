"""Building blocks: numbers as columns, rows by group, the next event of the same number, overlap with windows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..log.events import DeviceLog

__all__ = ["Followed", "followed", "grouped", "overlaps", "slots"]

NONE = -1
Integers = npt.NDArray[np.integer[Any]]


class Followed(NamedTuple):
    """Events with the one after them that has the same number; -1 as ``next_event`` where there is none.

    By number and time, (n,) each.
    """

    t_ms: npt.NDArray[np.int64]
    event: npt.NDArray[np.int64]
    number: npt.NDArray[np.int64]
    next_ms: npt.NDArray[np.int64]
    next_event: npt.NDArray[np.int64]


def slots(values: Integers) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The distinct values (none negative, small), and the position of each value among them."""
    present = np.bincount(values)
    distinct = np.flatnonzero(present)
    position = np.zeros(len(present), np.int64)
    position[distinct] = np.arange(len(distinct))
    return distinct, position[values] if len(values) else np.zeros(0, np.int64)


def grouped(*keys: Integers) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.int64]]:
    """The distinct combinations of keys as columns, and the group of each row."""
    if not len(keys[0]):
        return [np.zeros(0, np.int64) for _ in keys], np.zeros(0, np.int64)
    order = np.lexsort(keys[::-1])
    changes = np.zeros(len(order), np.bool_)
    for key in keys:
        ordered = key[order]
        changes[1:] |= ordered[1:] != ordered[:-1]
    number = np.cumsum(changes)
    group = np.empty(len(order), np.int64)
    group[order] = number
    first = order[np.concatenate([[True], changes[1:]])]
    return [key[first].astype(np.int64) for key in keys], group


def followed(events: DeviceLog, by: npt.NDArray[np.int32] | None = None) -> Followed:
    """Each event with the next of its parameter (or of its ``by``), in the order of the log."""
    number = (events.parameter if by is None else by).astype(np.int64)
    order = np.argsort(number, kind="stable")
    number, t_ms, event = number[order], events.t_ms[order], events.event[order].astype(np.int64)
    next_ms, next_event = np.zeros_like(t_ms), np.full(len(t_ms), NONE, np.int64)
    same = np.flatnonzero(number[1:] == number[:-1])
    next_ms[same] = t_ms[same + 1]
    next_event[same] = event[same + 1]
    return Followed(t_ms, event, number, next_ms, next_event)


def overlaps(
    begin_ms: npt.NDArray[np.int64],
    end_ms: npt.NDArray[np.int64],
    window_begin_ms: npt.NDArray[np.int64],
    window_end_ms: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """Which intervals share time with any window: one begins before the other ends, both ways."""
    if not len(window_begin_ms):
        return np.zeros(len(begin_ms), np.bool_)
    order = np.argsort(window_begin_ms, kind="stable")
    latest = np.maximum.accumulate(window_end_ms[order])
    before = np.searchsorted(window_begin_ms[order], end_ms, side="left")
    found: npt.NDArray[np.bool_] = (before > 0) & (latest[np.maximum(before - 1, 0)] > begin_ms)
    return found

"""Events for the tests of the store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.store.eventstore import EventStore, StoreSettings, read_events

NOON_MS = 1_700_000_000_000 - 1_700_000_000_000 % 86_400_000 + 43_200_000
"""2023-11-14 12:00 UTC."""
DAY_MS = 86_400_000
SETTINGS = StoreSettings(min_free_bytes=0)

Row = tuple[int, int, int, int]


class Clock:
    """A clock that stands where it was set."""

    def __init__(self, now_ms: int = NOON_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


def opened(folder: Path, clock: Clock | None = None, **settings: float) -> EventStore:
    """A store that leaves the disk no room to spare."""
    return EventStore.open(folder, SETTINGS._replace(**settings), clock or Clock())


def array(*rows: Row) -> npt.NDArray[np.void]:
    """Rows of time, device, event and parameter."""
    return np.array(list(rows), EVENT_DTYPE)


def some(first: int, count: int, t_ms: int = NOON_MS) -> npt.NDArray[np.void]:
    """``count`` events of device 7 whose parameters count on from ``first``."""
    return array(*((t_ms, 7, 82, number) for number in range(first, first + count)))


def appended(store: EventStore, rows: npt.NDArray[np.void]) -> None:
    """Append and sync."""
    store.append(rows)
    store.sync()


def found(folder: Path) -> list[Row]:
    """What the store gives back, in the order in which it does."""
    return told(read_events(folder).collect())


def told(frame: pl.DataFrame) -> list[Row]:
    """Rows of a log."""
    return frame.select(pl.col("timestamp").dt.epoch("ms"), "device_id", "event_id", "parameter").rows()


def numbers(folder: Path) -> list[int]:
    """The parameters in the store, sorted."""
    return sorted(row[3] for row in found(folder))

"""The event store of a daemon: append for weeks, lose at most what was not synced, whatever dies.

``append`` keeps rows in memory, ``sync`` writes them to the segment as one checksummed Arrow message and flushes file
and folder: what was appended before a ``sync`` that returned survives ``kill -9`` and power loss. Call it every 0.8 s
and a crash costs less than a second: what was appended since, and the time a flush takes. A segment ends by age or
rows and becomes Parquet in a process of its own (``rolling``), in the layout of ``logfile.write_log`` with one file
per segment. Opening cuts the torn tail that a crash left.

Order and doubles: every row is kept as often as it was appended, in order of arrival within a segment, sorted by
device and time (equal times in order of arrival) in Parquet. A late row goes to the partition of its own date. The
measures sort by time and count a row that is there twice once.

Full disk and other trouble: neither ``append`` nor ``sync`` raises. The oldest data is taken away to make room (see
``retention``); where that does not help, rows wait in memory, two million at most, and then the oldest of these
go. ``dropped`` counts all of it, ``trouble`` says what is wrong now, ``lag`` how much waits.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from ..errors import InputError, OutputError
from ..files import write_failure
from .journal import mend
from .logfile import LOG_SCHEMA
from .places import LOCK, check_version, is_store, stamp
from .reading import read_events
from .retention import Shed
from .roller import Bounds, Roller
from .stream import batch_message
from .waiting import Waiting
from .writer import Writer

__all__ = ["Dropped", "EventStore", "Lag", "StoreSettings", "read_events"]

LATEST_MS = 4_102_444_800_000
"""2100-01-01. Times outside 1970 to 2100 are a broken clock's."""
PAUSE_SYNCS = 60
CLOSE_S = 10.0


class StoreSettings(NamedTuple):
    """``segment_s``: age at which a segment becomes Parquet, or earlier at ``segment_rows`` (16 bytes each).

    ``retention_days``: dates older than that go, one each roll. ``max_bytes``: of all events on the disk, checked each
    roll. ``min_free_bytes``: room on the disk that is left to others, checked each sync.
    """

    segment_s: float = 900.0
    retention_days: float = 90.0
    max_bytes: int = 200 * 10**9
    min_free_bytes: int = 512 * 2**20
    segment_rows: int = 4_000_000


class Lag(NamedTuple):
    """Rows that a crash would lose now, and milliseconds since the last sync that wrote all there was."""

    rows: int
    ms: int


class Dropped(NamedTuple):
    """What the store lost since it was opened, and what opening found.

    ``waiting``: rows that had waited longest when memory was full; ``stored`` and ``stored_bytes``: the oldest events
    on the disk, for age or room; ``implausible``: rows with a time before 1970 or from 2100 on; ``torn_bytes``: cut at
    the end of segments, the mark of a crash.
    """

    waiting: int
    stored: int
    stored_bytes: int
    implausible: int
    torn_bytes: int


class EventStore:
    """The one writer of a store. ``append`` and ``sync`` may be called from two threads."""

    def __init__(self, folder: Path, settings: StoreSettings, clock: Callable[[], int], lock: int) -> None:
        """Use ``open``. Raises OSError."""
        self._settings, self._clock, self._lock = settings, clock, lock
        self._torn_bytes = mend(folder)
        self._waiting = Waiting()
        self._writer = Writer(folder, settings.min_free_bytes)
        self._roller = Roller(
            folder, Bounds(settings.retention_days, settings.max_bytes, settings.min_free_bytes)
        )
        self._roll_trouble: str | None = None
        self._roll_shed = Shed()
        self._pause = 0
        self._implausible = 0
        self._synced_ms = clock()

    @classmethod
    def open(cls, folder: Path, settings: StoreSettings, clock: Callable[[], int]) -> EventStore:
        """Open or create the store for writing and mend what a crash left; ``clock`` tells UTC milliseconds.

        Raises OutputError where another process writes or the folder cannot be used, InputError for a store of a
        newer version, StorageError for a full disk.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = _locked(folder)
        except OSError as err:
            raise write_failure(folder, err) from err
        try:
            (check_version if is_store(folder) else stamp)(folder)
            return cls(folder, settings, clock, lock)
        except OSError as err:
            os.close(lock)
            raise write_failure(folder, err) from err
        except InputError:
            os.close(lock)
            raise

    @property
    def dropped(self) -> Dropped:
        """What was lost so far."""
        stored = self._writer.shed.plus(self._roll_shed)
        return Dropped(self._waiting.dropped, stored.rows, stored.size, self._implausible, self._torn_bytes)

    @property
    def trouble(self) -> str | None:
        """What keeps the store from its work now, in one line."""
        return self._writer.trouble or self._roll_trouble

    def lag(self) -> Lag:
        """How much waits."""
        return Lag(len(self._waiting), max(0, self._clock() - self._synced_ms))

    def append(self, rows: npt.NDArray[np.void]) -> None:
        """Take rows of ``EVENT_DTYPE``, (n,), ``t_ms`` in UTC milliseconds; copied. Never raises for a full disk."""
        plausible = (rows["t_ms"] >= 0) & (rows["t_ms"] < LATEST_MS)
        kept = rows[plausible]
        self._implausible += len(rows) - len(kept)
        if len(kept):
            self._waiting.put(kept)

    def sync(self) -> None:
        """Write what waits and flush it; end the segment and have it made Parquet when its time is there.

        Call it about once a second, from one thread. Never raises for a full or failing disk: see ``trouble``.
        """
        self._write()
        if self._writer.due(self._clock(), self._settings.segment_s, self._settings.segment_rows):
            self._writer.end_segment()
        self._listen()
        self._start_roll()

    def roll(self, wait_s: float = 60.0) -> None:
        """Write what waits, end the segment and wait until all is Parquet, or trouble, or the time is over."""
        self._write()
        self._writer.end_segment()
        self._listen(wait_s)
        self._pause = 0
        self._start_roll()
        self._listen(wait_s)

    def close(self) -> None:
        """Write what waits and let others write. What is not Parquet yet becomes it when the store is next opened."""
        self._write()
        self._writer.end_segment()
        self._listen(CLOSE_S)
        self._roller.stop()
        os.close(self._lock)

    def _write(self) -> None:
        now_ms = self._clock()
        rows = self._waiting.take()
        if self._writer.written(batch_message(_frame(rows)) if len(rows) else b"", len(rows), now_ms):
            self._synced_ms = now_ms
        else:
            self._waiting.give_back(rows)

    def _start_roll(self) -> None:
        self._pause = max(0, self._pause - 1)
        if self._writer.ended and not self._roller.busy and not self._pause:
            self._note(self._roller.start(self._writer.ended, self._clock()))

    def _listen(self, wait_s: float = 0.0) -> None:
        rolled = self._roller.heard(wait_s)
        if rolled is not None:
            self._roll_shed = self._roll_shed.plus(rolled.shed)
            self._note(rolled.error)
            self._writer.forget_ended(rolled.last)

    def _note(self, error: str | None) -> None:
        self._roll_trouble = error
        if error is not None:
            self._pause = PAUSE_SYNCS


def _frame(rows: npt.NDArray[np.void]) -> pl.DataFrame:
    columns = {
        "timestamp": pl.Series(rows["t_ms"]).cast(pl.Datetime("ms", "UTC")),
        "device_id": np.ascontiguousarray(rows["device"]),
        "event_id": np.ascontiguousarray(rows["event"]),
        "parameter": np.ascontiguousarray(rows["parameter"]),
    }
    return pl.DataFrame(columns, schema=LOG_SCHEMA)


def _locked(folder: Path) -> int:
    """The lock file, held. Raises OutputError where another process holds it, OSError."""
    fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as err:
        holder = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
        os.close(fd)
        raise OutputError(
            f"{folder}: expected to be the only writer, found process {holder} writing"
        ) from err
    os.ftruncate(fd, 0)
    os.pwrite(fd, str(os.getpid()).encode(), 0)
    return fd

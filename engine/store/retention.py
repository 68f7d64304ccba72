"""Takes the oldest data away: what is past its days, beyond the bytes allowed, or in the way on a full disk.

What goes at once is one segment's part of one date: the oldest date first, in it the oldest segment. Parquet goes
before segments that are not Parquet yet; the segment that is being written never goes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import polars as pl

from .places import JOURNAL, delete, number_of, rolled_files, segments
from .stream import scanned

__all__ = ["Shed", "free_bytes", "kept_within", "shed_until", "used_bytes"]

DAY_S = 86400


class Shed(NamedTuple):
    """What was taken away: rows, and their bytes on the disk."""

    rows: int = 0
    size: int = 0

    def plus(self, other: Shed) -> Shed:
        """Both together."""
        return Shed(self.rows + other.rows, self.size + other.size)


def kept_within(folder: Path, now_ms: int, retention_days: float, max_bytes: int) -> Shed:
    """Take away the dates that are past ``retention_days``, then the oldest until ``max_bytes`` are kept.

    One date at most goes for its age at a time, and never the newest: a clock that jumps years ahead costs a date a
    roll until somebody looks, not the archive. Raises OSError.
    """
    aged = _aged(folder, now_ms, retention_days)
    excess = used_bytes(folder) - max_bytes
    return aged.plus(shed_until(folder, lambda shed: shed.size >= excess))


def _aged(folder: Path, now_ms: int, retention_days: float) -> Shed:
    """The oldest date, if all of it is past the days to keep."""
    dates = sorted(folder.glob("date=*"))
    kept_from = datetime.fromtimestamp(now_ms / 1000 - retention_days * DAY_S, UTC).date()
    if len(dates) < 2 or dates[0].name >= f"date={kept_from}":
        return Shed()
    return _removed([file for file in rolled_files(folder) if file.parent.parent == dates[0]])


def shed_until(
    folder: Path, enough: Callable[[Shed], bool], ended: Sequence[Path] = (), units: int | None = None
) -> Shed:
    """Take away the oldest until ``enough`` of what went says so, ``units`` are gone or nothing is left.

    ``ended`` are segments that may go once there is no Parquet. Raises OSError.
    """
    shed, gone = Shed(), 0
    if enough(shed):
        return shed
    for files in _oldest_first(folder, ended):
        shed, gone = shed.plus(_removed(files)), gone + 1
        if enough(shed) or gone == units:
            break
    return shed


def _oldest_first(folder: Path, ended: Sequence[Path]) -> Iterator[list[Path]]:
    for _, files in groupby(rolled_files(folder), key=lambda file: (file.parent.parent, number_of(file))):
        yield list(files)
    yield from ([path] for path in ended)


def _removed(files: list[Path]) -> Shed:
    shed = Shed()
    for file in files:
        with suppress(FileNotFoundError):  # the other process took it
            gone = Shed(_rows(file), file.stat().st_size)
            delete(file)
            shed = shed.plus(gone)
            _remove_empty(file.parent)
    return shed


def _rows(file: Path) -> int:
    """Events of a file; 0 where it cannot be read."""
    try:
        if file.suffix == ".parquet":
            return int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())
        return scanned(file.read_bytes()).rows
    except (OSError, pl.exceptions.PolarsError):
        return 0


def _remove_empty(block: Path) -> None:
    """Delete the folders of a block and its date, where nothing is in them."""
    if block.name != JOURNAL:
        with suppress(OSError):
            block.rmdir()
            block.parent.rmdir()


def used_bytes(folder: Path) -> int:
    """Bytes of all events, Parquet and segments."""
    return sum(map(_size, [*rolled_files(folder), *segments(folder)]))


def _size(file: Path) -> int:
    with suppress(FileNotFoundError):
        return file.stat().st_size
    return 0


def free_bytes(folder: Path) -> int:
    """Bytes free on the disk of a folder. Raises OSError."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize

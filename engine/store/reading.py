"""Reads an event store while it is written, from any process: Parquet and the segments that are not Parquet yet."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ..errors import StorageError
from .logfile import LOG_SCHEMA
from .places import check_version, number_of, rolled_files, segments
from .stream import decoded, scanned

__all__ = ["event_parts", "read_events"]

_TRIES = 5


def read_events(folder: Path) -> pl.LazyFrame:
    """All events of a store in the four columns of ``LOG_SCHEMA``, each as often as it was appended.

    Sorted within each part only (by device and time in Parquet, by arrival in what was written last): sort what needs
    an order over all. Events that were not synced when this is called are not in it. What retention deletes between
    this call and ``collect`` makes ``collect`` fail; read again then. Raises InputError for a folder that is no store
    or one of a newer version, StorageError.
    """
    return pl.concat([pl.LazyFrame(schema=LOG_SCHEMA), *(frame for _, frame in event_parts(folder))])


def event_parts(folder: Path) -> list[tuple[str, pl.LazyFrame]]:
    """The store file by file: its path, its events. Segments are read at once, Parquet when collected."""
    check_version(folder)
    for _ in range(_TRIES):
        try:
            return _snapshot(folder)
        except FileNotFoundError:
            continue  # a segment became Parquet between its listing and its reading
        except OSError as err:
            raise StorageError(f"{folder}: expected events to read, found: {err}") from err
    raise StorageError(f"{folder}: expected segments that stay for a moment, found them gone {_TRIES} times")


def _snapshot(folder: Path) -> list[tuple[str, pl.LazyFrame]]:
    """Segments first: Parquet of a segment that was read, or that was begun since, does not count."""
    listed = segments(folder)
    held = [(str(path), _events(path).lazy()) for path in listed]
    numbers = {number_of(path) for path in listed}
    last = max(numbers, default=None)
    rolled = [
        (str(path), pl.scan_parquet(path, schema=LOG_SCHEMA, hive_partitioning=False, glob=False))
        for path in rolled_files(folder)
        if number_of(path) not in numbers and (last is None or number_of(path) < last)
    ]
    return rolled + held


def _events(path: Path) -> pl.DataFrame:
    data = path.read_bytes()
    return decoded(data, scanned(data))

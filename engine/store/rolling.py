"""Makes Parquet of ended segments, and keeps the store within its bounds.

The writer starts it (``python -m greensplit.engine.store.rolling``) as a process of its own at low priority, so that
neither its sorting nor its memory is the daemon's: what the daemon pays is the start of a process once a segment. A
segment becomes Parquet in steps, each flushed to the disk: every file under a temporary name, renamed; then the
segment is deleted, and only with that the files count (see ``places``). A crash in between leaves the segment, and the
next roll writes the same files again.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import io
import json
import mmap
import os
import sys
from datetime import date
from pathlib import Path

import polars as pl

from .logfile import DEVICES_PER_BLOCK
from .places import delete, number_of, segments, write_durably
from .retention import Shed, free_bytes, kept_within, shed_until
from .stream import Buffer, Scan, batches, scanned

__all__ = ["FULL", "main", "roll", "roll_all"]

FULL = (errno.ENOSPC, errno.EDQUOT)
_LOCK = "rolling.lock"
_KEYS = {"date": pl.col("timestamp").dt.date(), "block": pl.col("device_id") // DEVICES_PER_BLOCK}


def roll(folder: Path, segment: Path) -> None:
    """Make Parquet of an ended segment. Raises OSError: then the segment is as it was.

    The segment is gone through once for each partition: a pass takes less time than sorting one, and memory holds one
    partition instead of the segment.
    """
    with (
        segment.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        memoryview(mapped) as data,
    ):
        scan = scanned(data)
        for day, block in _partitions(data, scan):
            part = _partition(data, scan, day, block)
            place = folder / f"date={day}" / f"block={block}"
            write_durably(place / f"{number_of(segment):08d}.parquet", _parquet(part))
    delete(segment)


def _partitions(data: Buffer, scan: Scan) -> list[tuple[date, int]]:
    """The dates and blocks of a segment's events."""
    keys = [batch.select(**_KEYS).unique() for batch in batches(data, scan)]
    return pl.concat(keys).unique().sort("date", "block").rows()


def _partition(data: Buffer, scan: Scan, day: date, block: int) -> pl.DataFrame:
    """Events of a date and block by device and time; those of a device at one time in the order in which they came."""
    mine = (_KEYS["date"] == day) & (_KEYS["block"] == block)
    part = pl.concat([batch.filter(mine) for batch in batches(data, scan)])
    return part.sort("device_id", "timestamp", maintain_order=True)


def _parquet(frame: pl.DataFrame) -> memoryview:
    sink = io.BytesIO()
    frame.write_parquet(sink, statistics=True)
    return sink.getbuffer()


def roll_all(folder: Path, last: int, min_free_bytes: int) -> Shed:
    """Roll the segments up to number ``last``, oldest first; the oldest data makes room where the disk is full.

    Returns what was taken away. Raises OSError.
    """
    shed = Shed()
    for segment in segments(folder):
        if number_of(segment) <= last:
            shed = shed.plus(_rolled_with_room(folder, segment, min_free_bytes))
    return shed


def _rolled_with_room(folder: Path, segment: Path, min_free_bytes: int) -> Shed:
    needed = min_free_bytes + segment.stat().st_size
    shed = shed_until(folder, lambda _: free_bytes(folder) >= needed)
    while True:
        try:
            roll(folder, segment)
            return shed
        except OSError as err:
            more = shed_until(folder, lambda gone: gone.size > 0) if err.errno in FULL else Shed()
            shed = shed.plus(more)
            if not more.size:
                raise


def main() -> None:
    """Roll, keep within the bounds, and print what was done as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--last", type=int, required=True, help="number of the last ended segment")
    parser.add_argument("--now-ms", type=int, required=True, help="the writer's time, UTC")
    parser.add_argument("--retention-days", type=float, required=True)
    parser.add_argument("--max-bytes", type=int, required=True)
    parser.add_argument("--min-free-bytes", type=int, required=True)
    given = parser.parse_args()
    with (given.folder / _LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one that a killed daemon left behind may be at work
        sys.stdout.write(json.dumps(_done(given)) + "\n")


def _done(given: argparse.Namespace) -> dict[str, int | str | None]:
    try:
        shed = roll_all(given.folder, given.last, given.min_free_bytes)
        shed = shed.plus(kept_within(given.folder, given.now_ms, given.retention_days, given.max_bytes))
    except (OSError, pl.exceptions.PolarsError) as err:
        return {"shed_rows": 0, "shed_bytes": 0, "error": " ".join(str(err).split())}
    return {"shed_rows": shed.rows, "shed_bytes": shed.size, "error": None}


if __name__ == "__main__":
    os.nice(10)
    main()

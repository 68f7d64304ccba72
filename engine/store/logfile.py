"""Writes and reads the event log: Parquet, partitioned by date and device block, sorted by device and time."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from ..errors import StorageError
from .tables import write_table

__all__ = ["DEVICES_PER_BLOCK", "LOG_SCHEMA", "event_frame", "read_log", "write_log"]

DEVICES_PER_BLOCK = 100
LOG_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "timestamp": pl.Datetime("ms", "UTC"),
    "device_id": pl.UInt32,
    "event_id": pl.UInt16,
    "parameter": pl.UInt16,
}


def event_frame(rows: npt.NDArray[np.void], epoch: datetime) -> pl.DataFrame:
    """Events of a run (``EVENT_DTYPE``) in the standard four columns; ``epoch`` is the UTC time of millisecond 0.

    Sorted by device and time; events of one device at one time keep the order in which they happened.
    """
    start_ms = round(epoch.timestamp() * 1000)
    frame = pl.DataFrame(
        {
            "timestamp": pl.Series(rows["t_ms"] + start_ms).cast(pl.Datetime("ms", "UTC")),
            "device_id": np.ascontiguousarray(rows["device"]),
            "event_id": np.ascontiguousarray(rows["event"]),
            "parameter": np.ascontiguousarray(rows["parameter"]),
        },
        schema=LOG_SCHEMA,
    )
    return frame.sort("device_id", "timestamp", maintain_order=True)


def write_log(frame: pl.DataFrame, folder: Path) -> None:
    """Write ``folder/date=YYYY-MM-DD/block=N/events.parquet``. Raises StorageError when it cannot be written."""
    keyed = frame.with_columns(
        date=pl.col("timestamp").dt.date().cast(pl.String), block=pl.col("device_id") // DEVICES_PER_BLOCK
    )
    try:
        for (date, block), part in keyed.group_by("date", "block", maintain_order=True):
            place = folder / f"date={date}" / f"block={block}"
            place.mkdir(parents=True, exist_ok=True)
            write_table(part.drop("date", "block"), place / "events.parquet")
    except OSError as err:
        raise StorageError(f"{folder}: could not write the event log: {err}") from err


def read_log(folder: Path) -> pl.LazyFrame:
    """The log of a run directory or a folder of Parquet files, in the standard four columns."""
    events = folder / "events" if (folder / "events").is_dir() else folder
    return pl.scan_parquet(events / "**/*.parquet", schema=LOG_SCHEMA, hive_partitioning=False)

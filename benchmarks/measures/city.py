"""A log of any size: the package's sample of one real signal, repeated over the day and over devices."""

from __future__ import annotations

from pathlib import Path

import polars as pl

__all__ = ["write_city"]

SAMPLE_HOURS = 2
HOURS_PER_DEVICE = 24
DEVICES_PER_FILE = 10


def write_city(events: int, folder: Path) -> tuple[Path, Path]:
    """Write device-days of about ``events`` events; the log's folder and the detectors.

    Every device has the same day: twelve times the sample, 446 thousand events. Ten devices share a file, sorted by
    device as a collector would write them.
    """
    from atspm import sample_data

    sample, detectors = sample_data.data.pl(), sample_data.config.pl()
    log = folder / "log"
    log.mkdir(parents=True)
    day = pl.concat(
        sample.with_columns(pl.col("TimeStamp") - pl.duration(hours=12) + pl.duration(hours=hour))
        for hour in range(0, HOURS_PER_DEVICE, SAMPLE_HOURS)
    ).sort("TimeStamp", maintain_order=True)
    devices = max(1, round(events / day.height))
    for first in range(0, devices, DEVICES_PER_FILE):
        block = range(first, min(first + DEVICES_PER_FILE, devices))
        pl.concat(_of_device(day, device) for device in block).write_parquet(log / f"{first:06d}.parquet")
    config = folder / "detectors.parquet"
    pl.concat(_of_device(detectors, device) for device in range(devices)).write_parquet(config)
    return log, config


def _of_device(table: pl.DataFrame, device: int) -> pl.DataFrame:
    return table.with_columns(pl.lit(1 + device, pl.Int64).alias("DeviceId"))

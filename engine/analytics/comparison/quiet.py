"""Bins of tables in which nothing was recorded: a quiet quarter of an hour, or an outage.

An hour of the day is *usual* where nine of ten days of both sides hold records in it. A day that lacks a usual hour
keeps the gap and is left out by the matching; every other empty bin counts as no vehicle.
"""

from __future__ import annotations

import polars as pl

from .cells import BIN, CELLS

__all__ = ["with_quiet_bins"]

USUAL_SHARE = 0.9
KEYS = ["corridor", "measure", "timestamp"]


def with_quiet_bins(
    before: pl.DataFrame, after: pl.DataFrame, timezone: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The cells of both sides with empty bins as zeros, but for those of hours that are missing."""
    sides = [_local(side, timezone) for side in (before, after)]
    seen = pl.concat(side.select("corridor", "measure", "day", "hour").unique() for side in sides)
    days = pl.concat(side.select("day").unique() for side in sides).height
    usual = (
        seen.group_by("corridor", "measure", "hour")
        .agg(days=pl.len())
        .filter(pl.col("days") >= USUAL_SHARE * days)
        .drop("days")
    )
    found = [_filled(side, usual, timezone) for side in sides]
    return found[0], found[1]


def _local(cells: pl.DataFrame, timezone: str) -> pl.DataFrame:
    local = pl.col("timestamp").dt.convert_time_zone(timezone)
    return cells.with_columns(day=local.dt.date(), hour=local.dt.hour())


def _filled(side: pl.DataFrame, usual: pl.DataFrame, timezone: str) -> pl.DataFrame:
    grid = _local(_bins(side, timezone), timezone).filter(pl.col("day").is_in(side["day"].unique().implode()))
    every = side.select("corridor", "measure").unique().join(grid, how="cross")
    keys = ["corridor", "measure", "day", "hour"]
    present = side.select(keys).unique().with_columns(present=pl.lit(value=True))
    lost = (
        every.join(present, on=keys, how="left")
        .join(usual, on=["corridor", "measure", "hour"], how="semi")
        .filter(pl.col("present").is_null())
    )
    zeros = every.join(side, on=KEYS, how="anti").join(lost, on=KEYS, how="anti")
    has_volumes = side["volume_veh"].is_not_null().any()
    added = zeros.select(
        "corridor",
        "measure",
        pl.lit("").alias("seed"),
        "timestamp",
        pl.lit(0.0).alias("numerator"),
        pl.lit(0.0).alias("denominator"),
        pl.lit(0.0 if has_volumes else None, pl.Float64).alias("volume_veh"),
    )
    return pl.concat([side.select(*CELLS), added]).sort(KEYS)


def _bins(side: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """Every bin of the local days from the first to the last."""
    first, last = side["day"].min(), side["day"].max()
    edges = pl.select(
        begin=pl.lit(first).cast(pl.Datetime("ms")).dt.replace_time_zone(timezone, ambiguous="earliest"),
        end=(pl.lit(last) + pl.duration(days=1))
        .cast(pl.Datetime("ms"))
        .dt.replace_time_zone(timezone, ambiguous="earliest"),
    ).select(pl.all().dt.convert_time_zone("UTC"))
    begin, end = edges.row(0)
    return pl.select(timestamp=pl.datetime_range(begin, end, BIN, closed="left", time_unit="ms"))

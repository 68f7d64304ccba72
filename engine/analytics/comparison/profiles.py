"""How a measure runs over the day on both sides, with the interval of each time of day; and speed by place and time."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from scipy import stats

from ..statistics import Matched, Period
from .matching import Cut, matched_bins

__all__ = ["PROFILE", "heat_map", "profile"]

PROFILE = {
    "side": pl.String,
    "minute": pl.Int32,
    "units": pl.UInt32,
    "mean": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
MOST_STEPS = 100


def profile(
    cut: Cut, matched: Matched, period: Period, timezone: str, scale: float, confidence: float
) -> pl.DataFrame:
    """side, minute of the local day, units, mean of days or seeds, low, high (Student's t over units).

    Steps of 5 to 30 minutes, so that there are at most a hundred; steps that fewer than three units have are left out.
    """
    sides = matched_bins(cut, matched, period, timezone)
    span = max((int(side["minute"].n_unique()) for side in sides), default=1)
    finest = 5 if matched.paired else 15
    step = next((s for s in (5, 15, 30) if s >= finest and span * finest / s <= MOST_STEPS), 30)
    found = [
        _banded(side, name, step, confidence) for name, side in zip(("before", "after"), sides, strict=True)
    ]
    scaled = pl.concat(found).with_columns(pl.col("mean", "low", "high") * scale)
    return scaled.select(*PROFILE).cast(PROFILE).sort("side", "minute")  # type: ignore[arg-type]


def _banded(side: pl.DataFrame, name: str, step: int, confidence: float) -> pl.DataFrame:
    per_unit = side.group_by("unit", pl.col("minute") // step * step).agg(pl.col("value").mean())
    summed = (
        per_unit.group_by("minute")
        .agg(units=pl.len(), mean=pl.col("value").mean(), deviation=pl.col("value").std())
        .filter(pl.col("units") >= 3)
    )
    factor = pl.Series(
        [float(stats.t.ppf(0.5 + confidence / 2.0, units - 1)) for units in summed["units"].to_list()],
        dtype=pl.Float64,
    )
    half = pl.col("deviation") * factor / pl.col("units").sqrt()
    return summed.with_columns(side=pl.lit(name), low=pl.col("mean") - half, high=pl.col("mean") + half)


def heat_map(
    parts: Sequence[tuple[str, Cut, Matched]], period: Period, timezone: str, scale: float
) -> pl.DataFrame:
    """corridor, minute, before, after: sums over the matched units, in steps of 5 (seeds) or 30 minutes (days)."""
    found = []
    for corridor, cut, matched in parts:
        step = 5 if matched.paired else 30
        sides = [
            _sums(side, units, period, timezone, step, paired=matched.paired).rename({"value": name})
            for name, side, units in (
                ("before", cut.before, matched.before),
                ("after", cut.after, matched.after),
            )
        ]
        joined = sides[0].join(sides[1], on="minute")
        found.append(joined.with_columns(pl.col("before", "after") * scale, corridor=pl.lit(corridor)))
    schema = {"corridor": pl.String, "minute": pl.Int32, "before": pl.Float64, "after": pl.Float64}
    if not found:
        return pl.DataFrame(schema=schema)
    return pl.concat(found).select(*schema).cast(schema).sort("corridor", "minute")  # type: ignore[arg-type]


def _sums(
    side: pl.DataFrame, units: pl.DataFrame, period: Period, timezone: str, step: int, *, paired: bool
) -> pl.DataFrame:
    local = pl.col("timestamp").dt.convert_time_zone(timezone)
    clock = local.dt.time()
    minute = (local.dt.hour().cast(pl.Int32) * 60 + local.dt.minute()) // step * step
    unit = pl.col("seed") if paired else local.dt.date()
    return (
        side.filter((clock >= period.begin) & (clock < period.end) & unit.is_in(units["unit"].implode()))
        .group_by(minute=minute)
        .agg(pl.col("numerator", "denominator").sum())
        .filter(pl.col("denominator") > 0.0)
        .select("minute", value=pl.col("numerator") / pl.col("denominator"))
        .sort("minute")
    )

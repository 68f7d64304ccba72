"""Travel time reliability: TTI, PTI, buffer index (FHWA 2006, Travel Time Reliability), LOTTR and TTTR (23 CFR 490).

Percentiles are those of the inverse of the empirical distribution, the smallest value with at least that share at
or below it (type 1 of Hyndman and Fan 1996): the rule names no method, and one without interpolation returns times
that occurred. 23 CFR 490.511 and 490.611: travel times of 15 minutes, percentiles to the whole second, ratios to
two decimals, halves away from zero. LOTTR is the 80th over the 50th percentile in three weekday periods and one of
weekends; a segment is reliable if all are below 1.50. TTTR is the 95th over the 50th in five periods; the largest
counts.
"""

from __future__ import annotations

import polars as pl

from ...errors import InputError
from .bins import local

__all__ = ["LOTTR_PERIODS", "TTTR_PERIODS", "lottr", "percentile", "reliability", "tttr"]

SATURDAY = 6
RELIABLE_BELOW = 1.5
LOTTR_PERIODS = ("weekday 6-10", "weekday 10-16", "weekday 16-20", "weekend 6-20")
TTTR_PERIODS = (*LOTTR_PERIODS, "all days 20-6")


def percentile(column: str, share: float) -> pl.Expr:
    """The smallest value with at least ``share`` of all values at or below it; null of none. Nulls do not count."""
    values = pl.col(column).drop_nulls().sort()
    # The billionth keeps 0.55 * 100, which is 55 but for the last bit of its float, at 55.
    place = (values.len() * share - 1e-9).ceil().cast(pl.Int64) - 1
    return values.get(place.clip(0, None), null_on_oob=True)


def reliability(times: pl.LazyFrame, free_flow: pl.LazyFrame) -> pl.LazyFrame:
    """Per segment: tti = mean / free flow, pti = 95th percentile / free flow, buffer_index = (95th - mean) / mean.

    ``times``: segment_id, travel_s; ``free_flow``: segment_id, free_flow_s.
    """
    return (
        times.group_by("segment_id")
        .agg(mean_s=pl.col("travel_s").mean(), p95_s=percentile("travel_s", 0.95), values=pl.len())
        .join(free_flow, on="segment_id")
        .select(
            "segment_id",
            "values",
            tti=pl.col("mean_s") / pl.col("free_flow_s"),
            pti=pl.col("p95_s") / pl.col("free_flow_s"),
            buffer_index=(pl.col("p95_s") - pl.col("mean_s")) / pl.col("mean_s"),
        )
        .sort("segment_id")
    )


def lottr(times: pl.LazyFrame, timezone: str) -> pl.LazyFrame:
    """segment_id, period, p50_s, p80_s, lottr, reliable, the last for the segment as a whole.

    ``times``: segment_id, timestamp (UTC, start of 15 minutes), travel_s. A period without data has no row, and
    does not make a segment unreliable.
    """
    found = _ratios(times, timezone, 0.8, LOTTR_PERIODS).rename({"upper_s": "p80_s", "ratio": "lottr"})
    return found.with_columns(reliable=(pl.col("lottr") < RELIABLE_BELOW).all().over("segment_id"))


def tttr(times: pl.LazyFrame, timezone: str) -> pl.LazyFrame:
    """segment_id, period, p50_s, p95_s, tttr, largest, the last for the segment; ``times`` as for ``lottr``, of
    trucks."""
    found = _ratios(times, timezone, 0.95, TTTR_PERIODS).rename({"upper_s": "p95_s", "ratio": "tttr"})
    return found.with_columns(largest=pl.col("tttr").max().over("segment_id"))


def _ratios(times: pl.LazyFrame, timezone: str, share: float, periods: tuple[str, ...]) -> pl.LazyFrame:
    if not 0.5 < share < 1.0:
        raise InputError(f"percentile: expected a share over 0.5 and below 1, found {share:g}")
    order = pl.Enum(TTTR_PERIODS)
    return (
        times.with_columns(period=_period(timezone))
        .filter(pl.col("period").is_in(periods))
        .group_by("segment_id", "period")
        .agg(
            p50_s=_half_up(percentile("travel_s", 0.5), 0),
            upper_s=_half_up(percentile("travel_s", share), 0),
        )
        .with_columns(ratio=_half_up(pl.col("upper_s") / pl.col("p50_s"), 2))
        .sort("segment_id", pl.col("period").cast(order))
    )


def _half_up(value: pl.Expr, decimals: int) -> pl.Expr:
    scale = 10.0**decimals
    return (value * scale + 0.5 + 1e-9).floor() / scale


def _period(timezone: str) -> pl.Expr:
    shown = local("timestamp", timezone)
    hour, weekend = shown.dt.hour(), shown.dt.weekday() >= SATURDAY
    return (
        pl.when((hour < 6) | (hour >= 20))
        .then(pl.lit("all days 20-6"))
        .when(weekend)
        .then(pl.lit("weekend 6-20"))
        .when(hour < 10)
        .then(pl.lit("weekday 6-10"))
        .when(hour < 16)
        .then(pl.lit("weekday 10-16"))
        .otherwise(pl.lit("weekday 16-20"))
    )

"""Travel time of segments and corridors, from trips or probe records.

A *passage* is one vehicle over one segment: segment_id, vehicle_id, enter (UTC), travel_s, length_m. The speed of
several passages is space-mean: all distance over all time (Wardrop 1952; HCM). A corridor's travel time is told in
two ways that differ where congestion grows or clears: *instantaneous*, the sum over segments at one time, and
*experienced*, each segment at the time at which a vehicle would reach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from ...errors import InputError
from .bins import local_bin

__all__ = [
    "corridor_experienced",
    "corridor_instantaneous",
    "probe_passages",
    "segment_travel_time",
    "space_mean_speed",
    "trip_passages",
]


def space_mean_speed(distance_m: pl.Expr, time_s: pl.Expr) -> pl.Expr:
    """All distance over all time, m/s; over equal distances the harmonic mean of the speeds."""
    return distance_m.sum() / time_s.sum()


def trip_passages(trips: pl.LazyFrame, epoch: datetime) -> pl.LazyFrame:
    """Whole trips as passages of one segment ``trip``: trips.parquet of a run whose first second is ``epoch`` (UTC).

    Vehicles that did not arrive have no travel time and are left out.
    """
    return trips.filter(pl.col("arrival_s").is_not_null()).select(
        segment_id=pl.lit("trip"),
        vehicle_id="vehicle_id",
        enter=pl.lit(epoch).cast(pl.Datetime("ms", "UTC"))
        + pl.duration(milliseconds=(pl.col("depart_s") * 1000.0).round().cast(pl.Int64)),
        travel_s="duration_s",
        length_m="route_length_m",
    )


def probe_passages(records: pl.LazyFrame, segments: Sequence[tuple[str, float, float]]) -> pl.LazyFrame:
    """Passages of vehicles seen along a road.

    ``records``: vehicle_id, timestamp (UTC), position_m along the road. ``segments``: id, begin_m, end_m. The times
    at both ends are interpolated between the records about them; a vehicle not seen on either side of an end has no
    passage. Raises InputError for a segment that ends before it begins.
    """
    for name, begin_m, end_m in segments:
        if not begin_m < end_m:
            raise InputError(
                f"segment {name}: expected its begin before its end, found {begin_m:g}, {end_m:g} m"
            )
    moves = (
        records.sort("vehicle_id", "timestamp")
        .with_columns(
            next_m=pl.col("position_m").shift(-1).over("vehicle_id"),
            next_at=pl.col("timestamp").shift(-1).over("vehicle_id"),
        )
        .filter(pl.col("next_m") > pl.col("position_m"))
    )
    names = {"segment_id": pl.String, "begin_m": pl.Float64, "end_m": pl.Float64}
    table = pl.LazyFrame([tuple(segment) for segment in segments], schema=names, orient="row")
    enter = _crossing(moves, table, "begin_m").rename({"at": "enter"})
    leave = _crossing(moves, table, "end_m").rename({"at": "leave"})
    return (
        enter.join(leave, on=["segment_id", "vehicle_id"])
        .join(table, on="segment_id")
        .filter(pl.col("leave") > pl.col("enter"))
        .select(
            "segment_id",
            "vehicle_id",
            "enter",
            travel_s=(pl.col("leave") - pl.col("enter")).dt.total_milliseconds() / 1000.0,
            length_m=pl.col("end_m") - pl.col("begin_m"),
        )
        .sort("segment_id", "enter", "vehicle_id")
    )


def _crossing(moves: pl.LazyFrame, segments: pl.LazyFrame, end: str) -> pl.LazyFrame:
    """First time at which each vehicle came to that end of each segment."""
    share = (pl.col(end) - pl.col("position_m")) / (pl.col("next_m") - pl.col("position_m"))
    span_ms = (pl.col("next_at") - pl.col("timestamp")).dt.total_milliseconds()
    at = pl.col("timestamp") + pl.duration(milliseconds=(share * span_ms).round().cast(pl.Int64))
    here = (pl.col("position_m") <= pl.col(end)) & (pl.col(end) < pl.col("next_m"))
    last = (pl.col(end) == pl.col("next_m")) & (share == 1.0)
    return (
        moves.join(segments, how="cross")
        .filter(here | last)
        .select("segment_id", "vehicle_id", at=at)
        .group_by("segment_id", "vehicle_id")
        .agg(pl.col("at").min())
    )


def segment_travel_time(passages: pl.LazyFrame, width: timedelta, timezone: str) -> pl.LazyFrame:
    """Per segment and bin of entry (local time): segment_id, bin, vehicles, travel_s, speed_mps.

    ``travel_s`` is the mean; ``speed_mps`` space-mean.
    """
    return (
        passages.group_by("segment_id", local_bin("enter", width, timezone).alias("bin"))
        .agg(
            vehicles=pl.len(),
            travel_s=pl.col("travel_s").mean(),
            speed_mps=space_mean_speed(pl.col("length_m"), pl.col("travel_s")),
        )
        .sort("segment_id", "bin")
    )


def corridor_instantaneous(segments: pl.LazyFrame, order: Sequence[str]) -> pl.LazyFrame:
    """bin, travel_s: the sum over the segments of ``order`` in one bin; bins in which one is missing have no row."""
    return (
        segments.filter(pl.col("segment_id").is_in(list(order)))
        .group_by("bin")
        .agg(found=pl.col("segment_id").n_unique(), travel_s=pl.col("travel_s").sum())
        .filter(pl.col("found") == len(set(order)))
        .select("bin", "travel_s")
        .sort("bin")
    )


def corridor_experienced(segments: pl.LazyFrame, order: Sequence[str], width: timedelta) -> pl.LazyFrame:
    """bin, travel_s: for a vehicle that starts with a bin, each segment's mean in the bin in which it gets there.

    ``width`` is that of the bins; where a segment has no value then, there is no row.
    """
    table = segments.select("segment_id", "bin", "travel_s")
    first, *rest = order
    walked = table.filter(pl.col("segment_id") == first).select("bin", "travel_s")
    for name in rest:
        reached = (
            pl.col("bin") + pl.duration(milliseconds=(pl.col("travel_s") * 1000.0).cast(pl.Int64))
        ).dt.truncate(width)
        here = table.filter(pl.col("segment_id") == name).select(reached="bin", here_s="travel_s")
        walked = (
            walked.with_columns(reached=reached)
            .join(here, on="reached")
            .select("bin", travel_s=pl.col("travel_s") + pl.col("here_s"))
        )
    return walked.sort("bin")

"""Speed from loops: traps of two, and single loops with a learned effective length.

A trap's speed is the distance of the leading edges over the time between the two switching on. A single loop of
length d is occupied by a vehicle of length l for (l + d) / v; the sum over n vehicles of equal length gives v = n
(l + d) / (time occupied), the harmonic, hence space-mean, speed (Athol 1965, HRR 72; Hall and Persaud 1989, TRR
1232). The effective length l + d is learned, by detector, where the speed is known: in light traffic at the
free-flow speed, from the median time occupied (Coifman 2001, Transportation Research A 35, on medians and long
vehicles).
"""

from __future__ import annotations

import polars as pl

from ...errors import InputError
from ...events import DETECTOR_OFF, DETECTOR_ON

__all__ = [
    "LOOP_SPEED_COLUMNS",
    "learn_effective_length_m",
    "presences",
    "single_loop_speed",
    "trap_passages",
]

LOOP_SPEED_COLUMNS = ("timestamp", "device_id", "channel", "vehicles", "occupied_s", "speed_mps")
SLOWEST_MPS = 0.5
FASTEST_MPS = 70.0


def presences(log: pl.LazyFrame) -> pl.LazyFrame:
    """Times that vehicles spent on loops: device_id, channel, on, off (UTC), on_s; from a log in the four columns.

    An on without an off, or with another on before it, is left out.
    """
    keys = ("device_id", "parameter")
    return (
        log.filter(pl.col("event_id").is_in([DETECTOR_ON, DETECTOR_OFF]))
        .sort(*keys, "timestamp", maintain_order=True)
        .with_columns(
            off=pl.col("timestamp").shift(-1).over(keys),
            next_id=pl.col("event_id").shift(-1).over(keys),
        )
        .filter(pl.col("event_id") == DETECTOR_ON, pl.col("next_id") == DETECTOR_OFF)
        .select(
            "device_id",
            pl.col("parameter").alias("channel"),
            pl.col("timestamp").alias("on"),
            "off",
            on_s=(pl.col("off") - pl.col("timestamp")).dt.total_milliseconds() / 1000.0,
        )
    )


def trap_passages(
    passed: pl.LazyFrame, upstream: int, downstream: int, *, device_id: int, distance_m: float
) -> pl.LazyFrame:
    """Vehicles over a trap: timestamp (on of the loop downstream), speed_mps, length_m.

    ``passed`` is that of ``presences``; ``distance_m`` lies between the leading edges of the two loops, channels
    ``upstream`` and ``downstream``. Each vehicle downstream belongs to the last one upstream before it; what would be
    slower than 0.5 or faster than 70 m/s, and an upstream passage that two would share, is left out. ``length_m`` is
    effective: vehicle and loop. Raises InputError for a distance that is not positive.
    """
    if not distance_m > 0.0:
        raise InputError(f"speed trap: expected a distance above 0 m, found {distance_m:g}")

    def loop(channel: int) -> pl.LazyFrame:
        return passed.filter(pl.col("device_id") == device_id, pl.col("channel") == channel).sort("on")

    before = loop(upstream).select("on", on_up=pl.col("on"), up_s=pl.col("on_s"))
    speed_mps = distance_m * 1000.0 / (pl.col("on") - pl.col("on_up")).dt.total_milliseconds()
    return (
        loop(downstream)
        .join_asof(before, on="on", strategy="backward")
        .filter(pl.col("on_up").is_not_null(), pl.col("on_up").is_first_distinct())
        .select(
            timestamp="on", speed_mps=speed_mps, length_m=speed_mps * (pl.col("on_s") + pl.col("up_s")) / 2.0
        )
        .filter(pl.col("speed_mps").is_between(SLOWEST_MPS, FASTEST_MPS))
    )


def learn_effective_length_m(
    passed: pl.LazyFrame, *, free_flow_mps: float, most_occupancy: float = 0.1, bin_s: int = 300
) -> pl.LazyFrame:
    """device_id, channel, effective_length_m, vehicles: median time on the loop in light traffic, times the speed
    there.

    Light is a bin of ``bin_s`` seconds with an occupancy of at most ``most_occupancy``. Where free flow is not a good
    word for a place, such as a stop bar, neither is this length. Raises InputError for a speed that is not positive.
    """
    if not free_flow_mps > 0.0:
        raise InputError(f"effective length: expected a free-flow speed above 0 m/s, found {free_flow_mps:g}")
    keys = ("device_id", "channel")
    occupancy = pl.col("on_s").sum().over(*keys, "bin") / bin_s
    return (
        passed.with_columns(bin=pl.col("on").dt.truncate(f"{bin_s}s"))
        .filter(occupancy <= most_occupancy)
        .group_by(keys)
        .agg(effective_length_m=pl.col("on_s").median() * free_flow_mps, vehicles=pl.len())
        .sort(keys)
    )


def single_loop_speed(passed: pl.LazyFrame, lengths: pl.LazyFrame, *, bin_s: int = 300) -> pl.LazyFrame:
    """Space-mean speed per loop and bin of ``bin_s`` seconds, columns ``LOOP_SPEED_COLUMNS``; bins without vehicles
    have no row.

    ``lengths`` has device_id, channel, effective_length_m. A vehicle counts in the bin in which it came, with all its
    time on the loop.
    """
    return (
        passed.with_columns(timestamp=pl.col("on").dt.truncate(f"{bin_s}s"))
        .group_by("device_id", "channel", "timestamp")
        .agg(vehicles=pl.len(), occupied_s=pl.col("on_s").sum())
        .join(lengths.select("device_id", "channel", "effective_length_m"), on=["device_id", "channel"])
        .with_columns(speed_mps=pl.col("vehicles") * pl.col("effective_length_m") / pl.col("occupied_s"))
        .filter(pl.col("occupied_s") > 0.0)
        .select(LOOP_SPEED_COLUMNS)
        .sort("device_id", "channel", "timestamp")
    )

"""What the lamps showed and how vehicles moved along the corridor, in one window of one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from .runs import Run

__all__ = ["STATES", "Window", "corridor_bands", "signal_segments", "trajectories"]

Window = tuple[float, float]
STATES = ("green", "yellow", "red")
GREEN, YELLOW, RED = range(len(STATES))

# Indiana/Purdue enumeration (2020). 7 (green termination) counts as red: where a yellow follows, event 8 at
# the same moment overrides it, because at one moment the higher rank wins.
VEHICLE_STATE = {1: GREEN, 7: RED, 8: YELLOW, 9: RED, 10: RED, 11: RED, 12: RED}
PEDESTRIAN_STATE = {21: GREEN, 22: YELLOW, 23: RED}
RANK = {7: 0, 9: 1, 11: 1, 12: 1, 10: 2, 23: 2, 22: 3, 21: 4, 8: 3, 1: 4}
LEAD_S = 900.0
MAX_VEHICLES = 250
MAX_TRAJECTORY_POINTS = 8000
BREAK_S = 20.0
MAX_DEVIATION_M = 2.0


def signal_segments(run: Run, window: Window, pedestrian: Iterable[tuple[int, int]]) -> pl.DataFrame | None:
    """Times of one colour per signal group: device_id, group, state (index in STATES), begin_s, end_s.

    ``pedestrian`` lists the (device_id, group) that are served by walk signals; a group number may have both
    kinds of event in the log of a field controller. None where the run has no event log.
    """
    log = run.events()
    if log is None:
        return None
    events = _lamp_events(log, run, window)
    kinds = pl.DataFrame(
        list(pedestrian), schema={"device_id": pl.UInt32, "group": pl.UInt16}, orient="row"
    ).with_columns(for_walkers=pl.lit(True))
    matching = (
        events.join(kinds, on=["device_id", "group"], how="left")
        .with_columns(
            pl.col("for_walkers").fill_null(False), walk=pl.col("event_id").is_in([*PEDESTRIAN_STATE])
        )
        .with_columns(wanted=pl.col("for_walkers") & pl.col("walk").any().over("device_id", "group"))
        .filter(pl.col("walk") == pl.col("wanted"))
    )
    return _segments(matching, window)


def _lamp_events(log: pl.LazyFrame, run: Run, window: Window) -> pl.DataFrame:
    states = VEHICLE_STATE | PEDESTRIAN_STATE
    code, moment_ms = pl.col("event_id"), pl.col("timestamp").dt.epoch("ms")
    return (
        log.filter(code.is_in([*states]), _in_window(log, run, (window[0] - LEAD_S, window[1])))
        .select(
            pl.col("device_id").cast(pl.UInt32),
            pl.col("parameter").cast(pl.UInt16).alias("group"),
            ((moment_ms - run.epoch_ms) / 1000 + run.begin_s).alias("begin_s"),
            code,
            state=code.replace_strict(states, return_dtype=pl.UInt8),
            rank=code.replace_strict(RANK, return_dtype=pl.UInt8),
        )
        .collect()
        .sort("device_id", "group", "begin_s", "rank")
    )


def _in_window(log: pl.LazyFrame, run: Run, window: Window) -> pl.Expr:
    # Compared as a timestamp, not as a number: Parquet then skips what lies outside without decoding it.
    zone = getattr(log.collect_schema()["timestamp"], "time_zone", None)
    first, last = (
        pl.lit(run.epoch_ms + round((at_s - run.begin_s) * 1000), dtype=pl.Datetime("ms", zone))
        for at_s in window
    )
    return pl.col("timestamp").is_between(first, last, closed="left")


def _segments(events: pl.DataFrame, window: Window) -> pl.DataFrame:
    by = ("device_id", "group")
    last_of_moment = events.unique([*by, "begin_s"], keep="last", maintain_order=True)
    changes = last_of_moment.filter((pl.col("state") != pl.col("state").shift(1).over(by)).fill_null(True))
    return (
        changes.with_columns(end_s=pl.col("begin_s").shift(-1).over(by).fill_null(window[1]))
        .with_columns(pl.col("begin_s", "end_s").clip(*window))
        .filter(pl.col("end_s") > pl.col("begin_s"))
        .select(*by, "state", "begin_s", "end_s")
    )


def corridor_bands(
    corridor: Mapping[str, Any], segments: pl.DataFrame
) -> list[tuple[float, int, float, float]]:
    """What traffic along the corridor saw at each junction: distance_m, state, begin_s, end_s.

    Where several groups serve the corridor the best lamp counts: green before yellow before red.
    """
    bands = []
    for junction in corridor.get("junctions") or ():
        own = segments.filter(
            pl.col("device_id") == junction["device_id"], pl.col("group").is_in(junction.get("groups") or [])
        )
        distance_m = float(junction.get("distance_m") or 0.0)
        bands += [(distance_m, *band) for band in _best_lamp(own)]
    return bands


def _best_lamp(segments: pl.DataFrame) -> list[tuple[int, float, float]]:
    cuts = sorted({*segments["begin_s"], *segments["end_s"]})
    rows = list(segments.select("state", "begin_s", "end_s").iter_rows())
    merged: list[tuple[int, float, float]] = []
    for begin_s, end_s in pairwise(cuts):
        state = min(
            (state for state, start, stop in rows if start <= begin_s and end_s <= stop), default=None
        )
        if state is None:
            continue
        if merged and merged[-1][0] == state and merged[-1][2] == begin_s:
            merged[-1] = (state, merged[-1][1], end_s)
        else:
            merged.append((state, begin_s, end_s))
    return merged


def trajectories(run: Run, window: Window) -> tuple[list[tuple[int, float, float]], int] | None:
    """Corridor trajectories as (line, time_s, distance_m), and how many vehicles were in the window.

    At most 250 vehicles, evenly chosen, and about 8000 points, between which straight lines are at most 2 m
    off. A vehicle that leaves the corridor and comes back starts a new line. None without corridor.parquet.
    """
    corridor = run.table("corridor.parquet")
    if corridor is None:
        return None
    frame = (
        corridor.filter(pl.col("time_s").is_between(*window))
        .select(pl.col("vehicle_id").cast(pl.String), pl.col("time_s", "distance_m").cast(pl.Float64))
        .collect()
        .sort("vehicle_id", "time_s")
    )
    names = (
        frame.group_by("vehicle_id").agg(pl.col("time_s").min()).sort("time_s", "vehicle_id")["vehicle_id"]
    )
    step = -(-len(names) // MAX_VEHICLES) or 1
    kept = frame.filter(pl.col("vehicle_id").is_in(names.gather_every(step).implode()))
    return _thinned(kept), len(names)


def _thinned(frame: pl.DataFrame) -> list[tuple[int, float, float]]:
    time_s, distance_m = frame["time_s"].to_numpy(), frame["distance_m"].to_numpy()
    new_line = (frame["vehicle_id"] != frame["vehicle_id"].shift(1)).fill_null(True).to_numpy().copy()
    new_line[1:] |= (np.diff(time_s) > BREAK_S) | (np.diff(distance_m) < -MAX_DEVIATION_M)
    starts = np.append(np.flatnonzero(new_line), len(time_s))
    tolerance_m = MAX_DEVIATION_M
    lines = list(pairwise(starts))
    while True:
        kept = [
            (line, index)
            for line, (first, end) in enumerate(lines)
            for index in _corners(time_s, distance_m, int(first), int(end), tolerance_m)
        ]
        if len(kept) <= MAX_TRAJECTORY_POINTS or tolerance_m > 100:
            return [(line, float(time_s[i]), float(distance_m[i])) for line, i in kept]
        tolerance_m *= 2


def _corners(
    time_s: np.ndarray[Any, Any], distance_m: np.ndarray[Any, Any], first: int, end: int, tolerance_m: float
) -> list[int]:
    """Indices to keep of one line (Ramer 1972, Douglas and Peucker 1973, distance measured vertically)."""
    keep, parts = {first, end - 1}, [(first, end - 1)]
    while parts:
        a, b = parts.pop()
        if b - a < 2:
            continue
        slope = (distance_m[b] - distance_m[a]) / (time_s[b] - time_s[a])
        off_m = np.abs(distance_m[a : b + 1] - distance_m[a] - slope * (time_s[a : b + 1] - time_s[a]))
        worst = int(off_m.argmax())
        if off_m[worst] > tolerance_m:
            keep.add(a + worst)
            parts += [(a, a + worst), (a + worst, b)]
    return sorted(keep)

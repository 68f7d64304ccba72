"""Delay and queues over time, per approach and per edge: run directories in, small frames out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from .runs import Arm, Run

__all__ = ["approach_delay", "busiest_window", "delay_over_time", "edge_delay", "queue_over_time"]

MAX_POINTS = 120
PERSON_KINDS = ("pedestrian", "person")
BIN_STEPS_S = (60, 300, 600, 900, 1800, 3600, 7200)


def bin_width_s(begin_s: float, end_s: float, finest_s: int) -> int:
    """The finest usual bin width, in seconds, that gives at most 120 points between two times."""
    for step_s in BIN_STEPS_S:
        if step_s >= finest_s and (end_s - begin_s) / step_s <= MAX_POINTS:
            return step_s
    return BIN_STEPS_S[-1]


def _binned(column: str, width_s: int) -> pl.Expr:
    return ((pl.col(column) / width_s).floor() * width_s).alias("begin_s")


def _mean_over_runs(frames: Sequence[pl.DataFrame], by: str) -> pl.DataFrame | None:
    if not frames:
        return None
    return pl.concat(frames).group_by(by).agg(pl.col("value").mean()).sort(by)


def delay_over_time(arm: Arm) -> pl.DataFrame | None:
    """Corrected delay of the vehicles scheduled to depart in each bin: begin_s, value (s per vehicle).

    Mean over the runs; None where no run has trips.parquet. Persons on foot are left out.
    """
    return _mean_over_runs([frame for run in arm.runs if (frame := _trip_delay(run)) is not None], "begin_s")


def _trip_delay(run: Run) -> pl.DataFrame | None:
    trips = run.table("trips.parquet")
    if trips is None:
        return None
    width_s = bin_width_s(run.begin_s, run.end_s, 60 if run.end_s - run.begin_s <= 900 else 300)
    return (
        trips.filter(
            ~pl.col("kind").cast(pl.String).is_in(PERSON_KINDS), pl.col("corrected_delay_s").is_finite()
        )
        .group_by(_binned("scheduled_depart_s", width_s))
        .agg(pl.col("corrected_delay_s").mean().cast(pl.Float64).alias("value"))
        .collect()
    )


def queue_over_time(arm: Arm) -> pl.DataFrame | None:
    """Standing vehicles in the whole network: begin_s, value (vehicles); mean over runs, or None."""
    return _mean_over_runs([frame for run in arm.runs if (frame := _queue(run)) is not None], "begin_s")


def _queue(run: Run) -> pl.DataFrame | None:
    links = run.table("links.parquet")
    if links is None:
        return None
    width_s = bin_width_s(run.begin_s, run.end_s, 60)
    per_interval = links.group_by("begin_s").agg(pl.col("halted_veh").sum().cast(pl.Float64).alias("value"))
    return per_interval.group_by(_binned("begin_s", width_s)).agg(pl.col("value").mean()).collect()


def edge_delay(arm: Arm, lengths_m: Mapping[str, float]) -> pl.DataFrame | None:
    """Per edge over the whole run, mean over runs: edge_id, lost_veh_s, passed_veh; None without links.

    Vehicles that start on an edge never enter it, so the distance travelled on the edge divided by its length
    counts the passages where that is more than the vehicles that entered.
    """
    frames = [frame for run in arm.runs if (frame := _edge_totals(run)) is not None]
    if not frames:
        return None
    lengths = pl.DataFrame(
        list(lengths_m.items()), schema={"edge_id": pl.String, "length_m": pl.Float64}, orient="row"
    )
    passages = (pl.col("travelled_veh_m") / pl.col("length_m")).fill_nan(None)
    return (
        pl.concat(frames)
        .group_by("edge_id")
        .agg(pl.exclude("edge_id").sum() / len(frames))
        .join(lengths, on="edge_id", how="left")
        .select("edge_id", "lost_veh_s", passed_veh=pl.max_horizontal("entered_veh", passages))
        .sort("edge_id")
    )


def _edge_totals(run: Run) -> pl.DataFrame | None:
    links = run.table("links.parquet")
    if links is None:
        return None
    sums = (
        pl.col("time_loss_veh_s").sum().alias("lost_veh_s"),
        pl.col("entered_veh").sum(),
        (pl.col("sampled_veh_s") * pl.col("speed_mps")).sum().alias("travelled_veh_m"),
    )
    return (
        links.group_by(pl.col("edge_id").cast(pl.String))
        .agg(expression.cast(pl.Float64) for expression in sums)
        .collect()
    )


def approach_delay(
    junctions: Iterable[Mapping[str, Any]], edges: pl.DataFrame
) -> dict[tuple[int, str], tuple[float, float]]:
    """Per approach (junction index, name): vehicle-seconds lost, and vehicles that came through.

    The edges of an approach follow each other, so the busiest of them counts the vehicles.
    """
    totals = {edge_id: (lost, passed) for edge_id, lost, passed in edges.iter_rows()}
    result = {}
    for index, junction in enumerate(junctions):
        for approach in junction.get("approaches") or ():
            found = [totals[edge] for edge in approach.get("edges") or () if edge in totals]
            if found:
                lost_veh_s = sum(lost for lost, _ in found)
                result[index, str(approach.get("name"))] = (lost_veh_s, max(passed for _, passed in found))
    return result


def busiest_window(arms: Iterable[Arm], length_s: float) -> tuple[float, float]:
    """The window of ``length_s`` with most standing vehicles, summed over the arms: begin and end in seconds.

    It lies where every run has trajectories of the corridor, if there is such a time. All of that time where it
    is shorter than ``length_s``, its middle where no run has links.parquet.
    """
    runs = [arm.first for arm in arms]
    begin_s, end_s = (
        _common(*(span for run in runs if (span := _recorded(run))))
        or _common(*((run.begin_s, run.end_s) for run in runs))
        or (runs[0].begin_s, runs[0].end_s)
    )
    if end_s - begin_s <= length_s:
        return begin_s, end_s
    queues = [frame for run in runs if (frame := _queue(run)) is not None]
    if not queues:
        middle_s = (begin_s + end_s - length_s) / 2
        return middle_s, middle_s + length_s
    return _heaviest(pl.concat(queues), begin_s, end_s, length_s)


def _common(*spans: tuple[float, float]) -> tuple[float, float] | None:
    begin_s = max((begin for begin, _ in spans), default=0.0)
    end_s = min((end for _, end in spans), default=0.0)
    return (begin_s, end_s) if end_s > begin_s else None


def _recorded(run: Run) -> tuple[float, float] | None:
    corridor = run.table("corridor.parquet")
    if corridor is None:
        return None
    time_s = pl.col("time_s").cast(pl.Float64)
    first, last = (
        corridor.select(time_s.min().floor().alias("first"), time_s.max().ceil().alias("last"))
        .collect()
        .row(0)
    )
    # Records come every few seconds: the minute that the last one is in counts as recorded.
    return None if first is None else (first, min(-(-last // 60) * 60, run.end_s))


def _heaviest(queues: pl.DataFrame, begin_s: float, end_s: float, length_s: float) -> tuple[float, float]:
    points = list(queues.group_by("begin_s").agg(pl.col("value").sum()).sort("begin_s").iter_rows())
    starts = [start for start, _ in points if begin_s <= start <= end_s - length_s] or [begin_s]
    loads = [sum(value for at, value in points if start <= at < start + length_s) for start in starts]
    start_s = starts[loads.index(max(loads))]
    return start_s, start_s + length_s

"""Run directories as cells: the seed is the unit, the clock is that of the simulation.

Delay is charged to all scheduled vehicles and speed counts the time since the planned departure, as in the summary of
a run; what the signals did comes from the run's own event log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import InputError
from ...model.toml import read_site
from ..log import site_detectors
from ..report.measures import PERSON_KINDS
from ..report.runs import Run, load_run, network_of
from .cells import CELLS, NETWORK, cells_of, empty_cells, record_cells
from .signals import read_signals

__all__ = [
    "approach_edges",
    "is_run_folder",
    "run_cells",
    "run_folders",
    "run_problems",
    "run_warnings",
    "seed_of",
]

MS_PER_S = 1000
MS_PER_MIN = 60_000
BIN_MS = 300_000
SAME = ("scenario", "scenario_hash", "scale", "begin_s", "end_s")
ALIKE = ("profile", "vision")


def is_run_folder(path: Path) -> bool:
    """Whether there is a run directory in or below the folder."""
    return path.is_dir() and next(path.rglob("run.json"), None) is not None


def run_folders(paths: Sequence[Path]) -> list[Run]:
    """The runs in and below the folders, by seed."""
    folders = sorted({file.parent for path in paths for file in path.rglob("run.json")})
    return sorted((load_run(folder) for folder in folders), key=seed_of)


def seed_of(run: Run) -> str:
    """Seed, and the demand seed where there is one."""
    demand = run.meta.get("demand_seed")
    return f"{run.seed:06d}" + (f"/{demand}" if demand is not None else "")


def run_problems(before: Sequence[Run], after: Sequence[Run]) -> None:
    """Raises InputError where the runs of both sides cannot be compared."""
    for name, side in (("before", before), ("after", after)):
        found = sorted({str(run.meta.get("controller")) for run in side})
        if len(found) > 1:
            raise InputError(f"{name}: expected runs of one controller, found {', '.join(found)}")
    for key in SAME:
        values = [sorted({str(run.meta.get(key)) for run in side}) for side in (before, after)]
        if values[0] != values[1] or len(values[0]) > 1:
            raise InputError(
                f"runs: expected one {key} before and after, found {', '.join(values[0])} and {', '.join(values[1])}"
            )
    shared = {run.folder.resolve() for run in before} & {run.folder.resolve() for run in after}
    if shared:
        raise InputError(f"runs: expected each before or after, found {min(shared)} in both")


def run_warnings(before: Sequence[Run], after: Sequence[Run]) -> list[tuple[str, dict[str, Any]]]:
    """What a reader should know of the runs: key and values of each sentence."""
    found: list[tuple[str, dict[str, Any]]] = []
    for key in ALIKE:
        values = [sorted({str(run.meta.get(key)) for run in side}) for side in (before, after)]
        if values[0] != values[1]:
            found.append(("warning.setting", {"name": key, "a": values[0][0], "b": values[1][0]}))
    if {_loops(run) for run in before} != {_loops(run) for run in after}:
        found.append(("warning.loops", {}))
    for name, side in (("before", before), ("after", after)):
        locked = [run.seed for run in side if run.summary.get("gridlock")]
        if locked:
            found.append(("warning.gridlock", {"side": name, "runs": len(locked), "all": len(side)}))
    return found


def _loops(run: Run) -> str:
    path = run.folder / "detectors.csv"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def run_cells(run: Run) -> pl.DataFrame:
    """Cells of one run: trips of the whole network, approaches from links, signals from its own log."""
    seed = seed_of(run)
    return pl.concat([_trips(run, seed), _approaches(run, seed), _signals(run, seed)])


def _clock(seconds: pl.Expr) -> pl.Expr:
    """The bin of a second of the simulation's clock, as if it were a time of the first of January 1970."""
    bins = (seconds * MS_PER_S / BIN_MS).floor().cast(pl.Int64) * BIN_MS
    return bins.cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")


def _trips(run: Run, seed: str) -> pl.DataFrame:
    """A vehicle that never entered has a delay and the time it waited, and no travel; ``arrived`` counts volumes."""
    trips = run.table("trips.parquet")
    if trips is None:
        raise InputError(f"{run.folder}: expected trips.parquet, found none")
    waited = pl.col("corrected_delay_s")
    entered = pl.col("depart_s").is_not_null()
    records = trips.filter(~pl.col("kind").cast(pl.String).is_in(PERSON_KINDS)).select(
        corridor=pl.lit(NETWORK),
        timestamp=_clock(pl.col("scheduled_depart_s")),
        vehicles=pl.lit(1.0),
        volume_veh=pl.col("arrival_s").is_not_null().cast(pl.Float64),
        delay_s=waited,
        length_m=pl.when(entered).then("route_length_m").otherwise(0.0),
        speed_s=pl.when(entered).then(pl.col("duration_s") + pl.col("depart_delay_s")).otherwise(waited),
        travel_s="duration_s",
        free_flow_s=pl.col("duration_s") - pl.col("time_loss_s"),
        stops=pl.col("stops").cast(pl.Float64),
        fuel_l="fuel_l",
        co2_kg="co2_kg",
    )
    return record_cells(records.collect(), seed)


def _approaches(run: Run, seed: str) -> pl.DataFrame:
    """Delay and speed of each approach: what its edges lost, per vehicle that came through the busiest of them.

    Vehicles that start on an edge never enter it: the distance travelled over its length counts them too.
    """
    network = network_of([run])
    links, names = run.table("links.parquet"), approach_edges(network)
    if links is None or not names:
        return empty_cells()
    lengths = {str(edge["id"]): float(edge.get("length_m") or 0.0) for edge in network.get("edges") or ()}
    table = pl.DataFrame(
        [(name, edge, lengths.get(edge)) for name, edges in names.items() for edge in edges],
        schema={"corridor": pl.String, "edge_id": pl.String, "length_m": pl.Float64},
        orient="row",
    )
    passed = (pl.col("travelled_m") / pl.col("length_m")).fill_nan(None)
    edges = (
        links.with_columns(pl.col("edge_id").cast(pl.String), timestamp=_clock(pl.col("begin_s")))
        .group_by("edge_id", "timestamp")
        .agg(
            lost_s=pl.col("time_loss_veh_s").sum(),
            entered=pl.col("entered_veh").sum().cast(pl.Float64),
            time_s=pl.col("sampled_veh_s").sum(),
            travelled_m=(pl.col("sampled_veh_s") * pl.col("speed_mps")).sum(),
        )
        .collect()
    )
    found = (
        edges.join(table, on="edge_id")
        .with_columns(entered=pl.max_horizontal("entered", passed))
        .group_by("corridor", "timestamp")
        .agg(pl.col("lost_s", "time_s", "travelled_m").sum(), volume_veh=pl.col("entered").max())
        .with_columns(seed=pl.lit(seed))
    )
    delay = found.with_columns(numerator="lost_s", denominator="volume_veh")
    speed = found.with_columns(numerator="travelled_m", denominator="time_s")
    return pl.concat([cells_of(delay, "delay"), cells_of(speed, "speed")])


def approach_edges(network: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Edges of each approach by its name: junction and where it comes from."""
    return {
        f"{junction.get('name') or junction.get('id')} · {approach.get('name')}": tuple(
            approach.get("edges") or ()
        )
        for junction in network.get("junctions") or ()
        for approach in junction.get("approaches") or ()
    }


def _signals(run: Run, seed: str) -> pl.DataFrame:
    model = run.folder / "model.toml"
    if run.events() is None or not model.is_file():
        return empty_cells()
    log = read_signals([run.folder], site_detectors(read_site(model)), bin_minutes=BIN_MS // MS_PER_MIN)
    shift = pl.duration(milliseconds=round(run.begin_s * MS_PER_S) - run.epoch_ms)
    cells = log.cells.with_columns(pl.col("timestamp") + shift, corridor=pl.lit(NETWORK), seed=pl.lit(seed))
    sums = pl.col("numerator", "denominator", "volume_veh").sum()
    return cells.group_by("corridor", "measure", "seed", "timestamp").agg(sums).select(*CELLS)

"""From the files of a closed loop to its summary and run directory. Data frames, but no simulator and no kernels."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from greensplit.engine.analytics.incidents.scoring import truth_frame
from greensplit.engine.analytics.report import render_report
from greensplit.engine.kernel_cache import cache_home
from greensplit.engine.store.decisions import decision_frame
from greensplit.engine.store.logfile import event_frame, write_log
from greensplit.engine.store.tables import write_table

from .decision_file import load_decisions
from .links import is_gridlocked, read_links
from .outputs import scan_output
from .record import Record, write_json
from .trajectories import read_trajectories
from .trips import read_tripinfo, summarise, trip_table

__all__ = ["measured_trips", "read_scheduled", "read_tables", "summarise_run", "write_run"]

KEPT_FILES = ("network.json", "model.toml", "detectors.csv")


class Tables(NamedTuple):
    """What SUMO measured, read once: trips of the vehicles that count, and links minute by minute."""

    trips: pl.DataFrame
    links: pl.DataFrame


def read_tables(folder: Path, record: Record) -> Tables:
    """The tables of a run whose files lie in ``folder``."""
    return Tables(measured_trips(folder, record), read_links(folder / "links.xml"))


def summarise_run(folder: Path, record: Record, tables: Tables) -> dict[str, Any]:
    """The summary of a run whose files lie in ``folder``; times of the whole run are added by the caller."""
    manifest = record.manifest
    keys = ("scenario", "controller", "vision", "profile", "seed", "demand_seed", "scale", "begin_s", "end_s")
    measured_s = max(record.end_s - record.measured_from_s, 1)
    figures = summarise(tables.trips, record.end_s)
    return {
        **{key: manifest[key] for key in (*keys, "partial")},
        **figures,
        "throughput_veh_per_h": round(3600.0 * figures["arrived"] / measured_s, 2),
        "collisions": _count_collisions(folder / "collisions.xml"),
        "gridlock": is_gridlocked(tables.links),
        **record.figures,
        "versions": manifest["versions"],
    }


def measured_trips(folder: Path, record: Record) -> pl.DataFrame:
    """Trips of the vehicles that count: due after the warm-up and before the run ended."""
    window = pl.col("depart_s").is_between(record.measured_from_s, record.end_s, closed="left")
    trips = read_tripinfo(folder / "tripinfo.xml")
    return trip_table(read_scheduled(folder).filter(window), trips, record.end_s, record.emission_classes)


def read_scheduled(folder: Path) -> pl.DataFrame:
    """Every scheduled vehicle: vehicle_id, kind, depart_s, public_transport."""
    schema = {
        "vehicle_id": pl.String,
        "kind": pl.String,
        "depart_s": pl.Float64,
        "public_transport": pl.Boolean,
    }
    return pl.read_csv(folder / "scheduled.csv", schema=schema, empty_string_is_null=False)


def _count_collisions(path: Path) -> int:
    count = [0]

    def on_start(tag: str, _: object) -> None:
        count[0] += tag == "collision"

    scan_output(path, on_start)
    return count[0]


def write_run(folder: Path, record: Record, tables: Tables, summary: dict[str, Any], out: Path) -> None:
    """Fill the run directory ``out`` from the files in ``folder``."""
    write_json(out / "run.json", record.manifest)
    write_json(out / "summary.json", summary)
    for name in KEPT_FILES:
        shutil.copyfile(folder / name, out / name)
    epoch = datetime.fromisoformat(record.manifest["epoch"])
    events = np.load(folder / "events.npy", allow_pickle=False)
    write_log(event_frame(events, epoch), out / "events")
    write_table(read_scheduled(folder), out / "scheduled.parquet")
    write_table(tables.trips, out / "trips.parquet")
    write_table(tables.links, out / "links.parquet")
    write_table(decision_frame(*load_decisions(folder / "decisions.npz"), epoch), out / "decisions.parquet")
    if record.truth is not None:
        write_table(truth_frame(record.truth, epoch), out / "incidents.parquet")
    if record.corridor is not None:
        write_table(read_trajectories(record.corridor, folder / "fcd.xml"), out / "corridor.parquet")
    render_report([out], out / "report.html", bundle_cache=cache_home(os.environ) / "charts")

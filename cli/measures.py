"""``greensplit measures``: signal performance measures of an event log as tables."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import AsJson
from .progress import progress_bar, say_when_compiling

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from greensplit.engine.analytics.log import EventLog
    from greensplit.engine.analytics.measures import Calculation, Corridor
    from greensplit.engine.analytics.measures_page import Heading

__all__ = ["measures"]


def measures(
    log: Annotated[
        list[Path], typer.Argument(help="Parquet or CSV files, folders of them, or a run directory.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tables.")],
    config: Annotated[
        Path | None,
        typer.Option(help="Detectors: device_id, channel, phase, function. Of a run directory: its model."),
    ] = None,
    names: Annotated[
        str | None, typer.Option("--measures", help="Names, comma between. All otherwise.")
    ] = None,
    bin_minutes: Annotated[int, typer.Option("--bin", help="Minutes per bin.")] = 15,
    dialect: Annotated[
        str, typer.Option(help="Whose definitions where they differ: atspm or udot.")
    ] = "atspm",
    timezone: Annotated[str, typer.Option(help="Local time of the bins; logs are UTC.")] = "UTC",
    complete: Annotated[
        bool, typer.Option("--complete", help="Only bins in which the device logged throughout.")
    ] = False,
    corridor: Annotated[
        Path | None,
        typer.Option(
            help="Junctions in driving order as TOML: adds link_pivot and time_space_bands (dialect udot)."
        ),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="A Dask scheduler's address; its workers read the log's own place.")
    ] = None,
    charts: Annotated[
        bool, typer.Option("--charts", help="Also charts.html: a page of charts by device and phase.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compute measures of LOG and write each as Parquet and CSV."""
    from greensplit.engine.analytics import measures as room
    from greensplit.engine.analytics.measures_page import Heading

    say_when_compiling(os.environ)
    opened = room.open_log(log)
    detectors = _detectors(config, log)
    route = None if corridor is None else _corridor(corridor, dialect)
    asked = None if names is None else names.split(",")
    what = room.calculation(
        asked if asked is None or route is None else [*asked, *room.NEEDED_BY_CORRIDORS],
        bin_minutes=bin_minutes,
        timezone=timezone,
        dialect=dialect,
        remove_incomplete=complete,
        parameters=None if route is None else {"arrivals_by_shift": {"cycle_s": route.cycle_s}},
    )
    with progress_bar("measures") as told:
        if cluster is None:
            tables = room.calculate(opened, detectors, what, told)
        else:
            tables = _on_cluster(cluster, opened, log, detectors, what, told)
    if route is not None:
        found = room.corridor_tables(route, tables)
        tables = {name: table for name, table in tables.items() if asked is None or name in asked} | found
    for name, table in tables.items():
        _write(table, out / f"{name}.parquet")
        _write(table, out / f"{name}.csv")
    summary = _summary(opened, detectors, tables, out)
    if charts:
        summary["charts"] = _draw(tables, out, Heading(opened.where, bin_minutes, timezone, dialect))
    for line in summary["notes"]:
        sys.stderr.write(f"{line}\n")
    if as_json:
        sys.stdout.write(json.dumps(summary) + "\n")
    else:
        for name, table in tables.items():
            sys.stdout.write(f"{out / name}.parquet: {table.height} rows\n")
        if charts:
            sys.stdout.write(f"{summary['charts']}\n")


def _on_cluster(
    address: str,
    opened: EventLog,
    log: list[Path],
    detectors: pl.DataFrame | None,
    what: Calculation,
    told: Callable[[float], None],
) -> dict[str, pl.DataFrame]:
    """The tables from a cluster's workers; what they counted goes to ``opened``."""
    from functools import partial

    from greensplit.engine.analytics.measures.shares import do_share, gathered, shares
    from greensplit.sim.experiments.executor import execute, on_cluster

    jobs = shares(log, detectors, what)
    results = execute(
        jobs, partial(on_cluster, address), lambda _share, done: told(done / len(jobs)), work=do_share
    )
    if results.interrupted:
        raise KeyboardInterrupt
    for error in results.errors.values():
        raise error
    for row in results.rows:
        opened.census |= row["census"]
        opened.dropped += row["dropped"]
    opened.begin_ms, opened.end_ms = jobs[0].begin_ms, jobs[0].end_ms
    return gathered(results.rows)


def _detectors(config: Path | None, log: list[Path]) -> pl.DataFrame | None:
    """The configuration that was given, else that of the run directory's model."""
    from greensplit.engine.analytics.measures import read_detectors, site_detectors
    from greensplit.engine.model.toml import read_site

    if config is not None:
        return read_detectors(config)
    models = [folder / "model.toml" for folder in log if (folder / "model.toml").is_file()]
    return site_detectors(read_site(models[0])) if models else None


def _corridor(path: Path, dialect: str) -> Corridor:
    """The corridor that was given. Raises InputError where the dialect lacks the measures it needs."""
    from greensplit.engine.analytics.measures import read_corridor
    from greensplit.engine.errors import InputError

    if dialect != "udot":
        raise InputError(f"--corridor: expected --dialect udot, found {dialect}")
    return read_corridor(path)


def _write(table: pl.DataFrame, path: Path) -> None:
    from greensplit.engine.files import atomic_path
    from greensplit.engine.store.tables import write_table

    with atomic_path(path) as partial:
        if path.suffix == ".csv":
            table.write_csv(partial, datetime_format="%Y-%m-%dT%H:%M:%S%.3f%:z")
        else:
            write_table(table, partial)


def _draw(tables: dict[str, pl.DataFrame], out: Path, heading: Heading) -> str:
    from greensplit.engine.analytics.measures_page import charts_page
    from greensplit.engine.files import write_atomically

    path = out / "charts.html"
    write_atomically(path, charts_page(tables, heading))
    return str(path)


def _summary(
    log: EventLog, detectors: pl.DataFrame | None, tables: dict[str, pl.DataFrame], out: Path
) -> dict[str, Any]:
    return {
        "log": log.where,
        "out": str(out),
        "rows": log.rows,
        "devices": len(log.census),
        "begin_ms": log.begin_ms,
        "end_ms": log.end_ms,
        "measures": {name: table.height for name, table in tables.items()},
        "notes": log.notes(detectors),
    }

"""Timing plans for a scenario or from a detector log: where the demand comes from, the files that hold the plans."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from greensplit.controllers.profile import apply_profile, profile_for
from greensplit.engine.errors import InputError
from greensplit.engine.model.site import Site
from greensplit.engine.model.toml import read_site, write_site
from greensplit.engine.model.validate import check
from greensplit.engine.plans.counting import count_log
from greensplit.engine.plans.demand import Demand
from greensplit.engine.plans.ntcip import junction_tables, table_rows
from greensplit.engine.plans.retime import Retiming
from greensplit.engine.store.logfile import LOG_SCHEMA, read_log

from .network import read_network
from .plan_files import write_plan_programs
from .prepare import load_scenario, load_site
from .record import write_csv, write_json
from .scheduled_demand import count_scheduled
from .spec import RunSpec

__all__ = ["is_log", "logged_demand", "scheduled_demand", "write_plans"]


def is_log(source: str) -> bool:
    """Is this a run directory, a folder of Parquet files, or one of them?"""
    path = Path(source)
    return path.is_dir() or path.suffix == ".parquet"


def scheduled_demand(spec: RunSpec) -> tuple[Site, Demand]:
    """The model of a scenario, and what it schedules."""
    spec.check()
    scenario = load_scenario(spec)
    network = read_network(scenario.net_file, scenario.additional_files)
    site = apply_profile(load_site(spec, scenario, network), profile_for(spec.profile, scenario.name))
    return site, count_scheduled(scenario, network, site, seed=spec.seed)


def logged_demand(source: Path, model: Path | None) -> tuple[Site, Demand]:
    """The model, the run directory's own where none is given, and what its detectors counted.

    Raises InputError where there is no model or the log cannot be read.
    """
    where = model or source / "model.toml"
    if model is None and not source.exists():
        raise InputError(f"{source}: expected a run directory or a Parquet file, found nothing of that name")
    if model is None and not where.is_file():
        raise InputError(f"{source}: expected --model or a run directory with its model.toml, found neither")
    site = read_site(where)
    check(site)
    try:
        return site, count_log(site, _events(source), _begin_s(source))
    except (OSError, pl.exceptions.PolarsError) as err:
        words = " ".join(str(err).split())[:200]
        raise InputError(
            f"{source}: expected an event log in the standard four columns, found: {words}"
        ) from err


def _events(source: Path) -> pl.DataFrame:
    """A Parquet file, a folder of them, or those of a run directory."""
    if not source.is_dir():
        return pl.scan_parquet(source, schema=LOG_SCHEMA).collect()
    return read_log(source).collect()


def _begin_s(source: Path) -> int:
    """Time of day at which the log of a run begins; a run's clock starts at its epoch whatever the time of day is."""
    manifest = source / "run.json"
    if not manifest.is_file():
        return 0
    return int(json.loads(manifest.read_text(encoding="utf-8"))["begin_s"])


def write_plans(retiming: Retiming, out: Path) -> list[Path]:
    """Write model, SUMO programs and NTCIP tables into ``out``, each whole; their paths."""
    paths = [out / name for name in ("plans.toml", "plans.add.xml", "ntcip.json", "ntcip.csv")]
    names = [part.name for part in retiming.parts]
    tables = [junction_tables(retiming.site, junction, names) for junction in retiming.site.junctions]
    heading, *rows = table_rows(tables)
    write_site(retiming.site, paths[0])
    write_plan_programs(retiming.site, retiming.day_plan, paths[1])
    write_json(
        paths[2], {"patterns": dict(zip(names, range(1, len(names) + 1), strict=True)), "junctions": tables}
    )
    write_csv(paths[3], tuple(str(name) for name in heading), rows)
    return paths

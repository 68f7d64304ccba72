"""``greensplit plan``: timing plans from a scenario's demand or from a detector log."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Additional, AsJson, Net, Params, Profile, Routes, parse_params
from .progress import progress_bar, say_when_compiling

if TYPE_CHECKING:
    from greensplit.engine.model.site import Site
    from greensplit.engine.plans.demand import Demand

__all__ = ["plan"]

LEAST_WIDTH = 110


def plan(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|DETECTOR-LOG", help="As for run; or a run directory or Parquet file."
        ),
    ] = "",
    model: Annotated[
        Path | None, typer.Option(help="The model (TOML): needed with a log that brings none.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of generated scenarios.")] = 0,
    profile: Profile = "R2",
    begin: Annotated[int | None, typer.Option(help="First second of the window.")] = None,
    end: Annotated[int | None, typer.Option(help="End of the window, seconds.")] = None,
    net: Net = None,
    routes: Routes = None,
    additional: Additional = None,
    param: Params = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for plans.toml, plans.add.xml, ntcip.json, ntcip.csv."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make timing plans: splits, cycles, offsets and times of day for the demand."""
    from greensplit.engine.errors import InputError, OutputError
    from greensplit.engine.plans.retime import retime
    from greensplit.engine.plans.summary import summarise_plans
    from greensplit.sim.planning import is_log, logged_demand, scheduled_demand, write_plans
    from greensplit.sim.spec import RunSpec

    if not source and net is None:
        raise InputError(
            "plan: expected a scenario, a .sumocfg, a log, or --net with --routes; found none of them"
        )
    if out is not None and out.exists() and not out.is_dir():
        raise OutputError(f"{out}: expected a folder, found a file")
    say_when_compiling(os.environ)
    site: Site
    demand: Demand
    with progress_bar(f"plans for {source or 'own'}") as progress:
        if source and is_log(source):
            site, demand = logged_demand(Path(source), model)
        else:
            spec = RunSpec(
                scenario=source or "own",
                seed=seed,
                profile=profile,
                begin_s=begin,
                end_s=end,
                net=net,
                routes=tuple(routes or ()),
                additional=tuple(additional or ()),
                model=model,
                params=parse_params(param),
            )
            site, demand = scheduled_demand(spec)
        retiming = retime(site, demand, progress)
    written = [] if out is None else write_plans(retiming, out)
    summary = summarise_plans(retiming)
    if as_json:
        sys.stdout.write(json.dumps(summary | {"files": [str(path) for path in written]}, indent=1) + "\n")
    else:
        _show(summary, written)


def _show(summary: dict[str, Any], written: list[Path]) -> None:
    from rich.console import Console

    console = Console(width=max(Console().width, LEAST_WIDTH))
    for part in summary["parts"]:
        console.print(_table(part))
        for arterial in part["arterials"]:
            console.print(_arterial(arterial), highlight=False)
        console.print(
            f"expected delay at signals {part['delay_before_s']:.1f} s per vehicle before, "
            f"{part['delay_after_s']:.1f} s after\n",
            highlight=False,
        )
    for path in written:
        sys.stderr.write(f"wrote {path}\n")


def _table(part: dict[str, Any]) -> Any:
    from rich.table import Table

    title = f"{part['plan']}, from {_clock(part['start_s'])} to {_clock(part['end_s'])}"
    table = Table(title=title, title_justify="left")
    table.add_column("junction", overflow="ellipsis", max_width=28, no_wrap=True)
    table.add_column("splits (s)")
    for name in ("veh/h", "cycle", "offset", "saturation", "delay before", "after"):
        table.add_column(name, justify="right")
    for row in part["junctions"]:
        table.add_row(
            row["junction"],
            "  ".join(f"{split['stage']} {split['green_s']:g}" for split in row["splits"]),
            f"{row['veh_per_h']:.0f}",
            f"{row['cycle_s']:g}",
            f"{row['offset_s']:g}",
            f"{row['saturation_after']:.2f}",
            "" if row["delay_before_s"] is None else f"{row['delay_before_s']:.1f}",
            f"{row['delay_after_s']:.1f}",
        )
    return table


def _arterial(arterial: dict[str, Any]) -> str:
    def told(bands: list[float]) -> str:
        return " ".join(f"{band:g}" for band in bands)

    ends = arterial["junctions"][0], arterial["junctions"][-1]
    return (
        f"green to green from {ends[0]} to {ends[1]} ({len(arterial['junctions'])} junctions), "
        f"s of each link: out {told(arterial['band_out_s'])}, back {told(arterial['band_back_s'])}"
    )


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}"

"""``greensplit run``: one closed-loop run, with its directory, figures and report."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .explain import parse_part
from .options import Additional, AsJson, Net, Params, Profile, Routes, Scale, parse_loops, parse_params
from .progress import progress_bar, say_when_compiling

if TYPE_CHECKING:
    from greensplit.engine.analytics.account import Part
    from greensplit.sim.spec import RunSpec

__all__ = ["run"]

EXPLAIN_OPTIONS = ("--explain-from", "--explain-to", "--explain-last")


def run(
    scenario: Annotated[str, typer.Argument(help="A name of `greensplit scenarios`, or a .sumocfg.")] = "",
    controller: Annotated[str, typer.Option("--controller", "-c", help="Default: our best.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the simulator, and of generated scenarios.")] = 0,
    demand_seed: Annotated[int | None, typer.Option(help="Resample departures with this seed.")] = None,
    scale: Scale = 1.0,
    profile: Profile = "R2",
    vision: Annotated[str, typer.Option(help="detectors or perfect (rivals and upper bounds only).")] = "",
    begin: Annotated[int | None, typer.Option(help="First second of the window.")] = None,
    end: Annotated[int | None, typer.Option(help="End of the window, seconds.")] = None,
    warmup: Annotated[int, typer.Option(help="Seconds at the start whose vehicles are not measured.")] = 0,
    epoch: Annotated[str, typer.Option(help="UTC time of the first second, ISO 8601.")] = "",
    net: Net = None,
    routes: Routes = None,
    additional: Additional = None,
    detectors: Annotated[
        Path | None, typer.Option(help="Your own induction loops (SUMO additional file).")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="An edited copy of the derived model (TOML).")] = None,
    param: Params = None,
    traci: Annotated[bool, typer.Option("--traci", help="Talk to SUMO over a socket.")] = False,
    gui: Annotated[bool, typer.Option("--gui", help="Show SUMO's window (implies --traci).")] = False,
    loop: Annotated[
        list[str] | None,
        typer.Option(help="NAME=METRES of a loop's place, such as advance_m=60 (repeatable)."),
    ] = None,
    dead: Annotated[float, typer.Option(help="Share of the loops that are cut, drawn by the seed.")] = 0.0,
    dead_loops: Annotated[str, typer.Option(help="Ids of loops that are cut, with commas.")] = "",
    bridge: Annotated[
        str, typer.Option(help="Talk to stand-ins over this field protocol: virtual, ntcip, ...")
    ] = "",
    bridge_set: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="An option of the protocol (repeatable).")
    ] = None,
    spoken: Annotated[
        str, typer.Option(help="How stages are said: masks or stage, by default what the protocol says best.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run directory; must be new or empty.")
    ] = None,
    explain: Annotated[
        str, typer.Option(metavar="JUNCTION", help="Tell afterwards why this junction did what it did.")
    ] = "",
    explain_from: Annotated[str, typer.Option(help="First time told, seconds or HH:MM:SS.")] = "",
    explain_to: Annotated[str, typer.Option(help="Last time told.")] = "",
    explain_last: Annotated[
        int, typer.Option(help="So many of the last entries; 0: all. Without a time, 40.")
    ] = -1,
    as_json: AsJson = False,
) -> None:
    """Run a scenario under a controller in closed loop against SUMO."""
    from greensplit.engine.errors import InputError
    from greensplit.sim.spec import EPOCH, RunSpec

    if not scenario and net is None:
        raise InputError("run: expected a scenario, a .sumocfg, or --net with --routes; found none of them")
    spec = RunSpec(
        scenario=scenario or "own",
        controller=controller,
        seed=seed,
        demand_seed=demand_seed,
        scale=scale,
        profile=profile,
        vision=vision,
        begin_s=begin,
        end_s=end,
        warmup_s=warmup,
        epoch=epoch or EPOCH,
        traci=traci or gui,
        gui=gui,
        net=net,
        routes=tuple(routes or ()),
        additional=tuple(additional or ()),
        detectors=detectors,
        model=model,
        params=parse_params(param),
        loops=parse_loops(loop),
        dead_share=dead,
        dead_loops=tuple(name for name in dead_loops.split(",") if name),
        bridge=bridge,
        bridge_options=parse_params(bridge_set, "--bridge-set"),
        spoken=spoken,
    )
    if not explain and (explain_from or explain_to or explain_last >= 0):
        raise InputError(f"{', '.join(EXPLAIN_OPTIONS)}: expected with --explain JUNCTION, found without")
    part = parse_part(explain_from, explain_to, explain_last, EXPLAIN_OPTIONS) if explain else None
    say_when_compiling(os.environ)
    with _run_directory(out, bool(explain)) as folder:
        summary = _run(spec, folder, explain)
        account = _account(folder, explain, part) if folder and part else ""
    if as_json:
        told = summary | ({"explanation": account.splitlines()} if explain else {})
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
    else:
        sys.stdout.write(_told(summary, out, bridge) + (f"\n{account}" if account else ""))
    if summary["partial"]:
        raise typer.Exit(1)


@contextmanager
def _run_directory(out: Path | None, is_needed: bool) -> Iterator[Path | None]:
    """Where the run directory goes: as asked, else nowhere, or where it is needed to a folder that goes afterwards."""
    if out is not None or not is_needed:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="greensplit-") as folder:
        yield Path(folder) / "run"


def _run(spec: RunSpec, folder: Path | None, junction: str) -> dict[str, Any]:
    from greensplit.sim.apart import simulate_apart
    from greensplit.sim.run import run as run_spec

    simulate = partial(simulate_apart, junction=junction)
    with progress_bar(f"{spec.scenario} {spec.controller}") as progress:
        return run_spec(spec, folder, progress=progress, simulate=simulate)


def _account(folder: Path, junction: str, part: Part) -> str:
    """What ``greensplit explain`` would tell of the run."""
    from greensplit.engine.analytics.account import explain

    return explain(folder, junction, part)


def _told(summary: dict[str, Any], out: Path | None, bridge: str) -> str:
    """The summary for a person."""
    lines = [
        f"{summary['scenario']}, {summary['controller']}, seed {summary['seed']}"
        + (" (perfect vision)" if summary["vision"] == "perfect" else ""),
        f"  corrected delay  {summary['corrected_delay_s']:8.1f} s per scheduled vehicle",
        f"  mean speed       {summary['speed_kmh']:8.1f} km/h",
        f"  stops            {summary['stops']:8.2f} per vehicle",
        f"  vehicles         {summary['scheduled']} scheduled, {summary['arrived']} arrived, "
        f"{summary['never_departed']} never entered",
        f"  fuel, CO2        {summary['fuel_l']:.0f} l, {summary['co2_kg']:.0f} kg",
        f"  safety           {summary['interlock_refusals']} interlock refusals, "
        f"{summary['would_refuse']} it would have refused, {summary['collisions']} collisions in SUMO",
        f"  time             {summary['wall_s']:.1f} s, of which SUMO {summary['simulator_s']:.1f} s",
    ]
    if bridge:
        lines.append(
            f"  bridge           {bridge}; the run approved its models itself, as only simulations may"
        )
    if summary["gridlock"]:
        lines.append("  GRIDLOCK: a link stood still for over 300 s")
    if summary["partial"]:
        lines.append(f"  PARTIAL: interrupted at second {summary['end_s']}")
    if out is not None:
        lines.append(f"  report           {out / 'report.html'}")
    return "\n".join(lines) + "\n"

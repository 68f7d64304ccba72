"""``greensplit scenarios``: what can be run, and what greensplit finds in a network."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Additional, AsJson, Net, Params, parse_params

if TYPE_CHECKING:
    from greensplit.scenarios.base import CatalogueRow

__all__ = ["scenarios_app"]

scenarios_app = typer.Typer(
    help="List the scenarios, or show what is found in one.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@scenarios_app.callback()
def list_scenarios(context: typer.Context, as_json: AsJson = False) -> None:
    """List the scenarios with size, source and licence."""
    if context.invoked_subcommand is not None:
        return
    from greensplit.scenarios.catalogue import catalogue

    rows = catalogue()
    if as_json:
        sys.stdout.write(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
        return
    heading = ("scenario", "junctions", "vehicles", "window (s)", "licence", "source")
    lines = [heading, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _cells(row: CatalogueRow) -> tuple[str, ...]:
    window = f"{row.window_s[0]}-{row.window_s[1]}"
    source = f"{row.source} ({row.available})" if row.available else row.source
    return (row.name, _number(row.junctions), _number(row.scheduled_veh), window, row.licence, source)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


@scenarios_app.command("show")
def show(
    scenario: Annotated[str, typer.Argument(help="A name of the list, or a .sumocfg.")] = "",
    junction: Annotated[str, typer.Option("--junction", "-j", help="Only this junction.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for drawings and model.toml.")
    ] = None,
    net: Net = None,
    additional: Additional = None,
    param: Params = None,
    as_json: AsJson = False,
) -> None:
    """Show the junctions, groups, stages and loops found in a network, and what had to be assumed."""
    from greensplit.engine.errors import InputError
    from greensplit.sim.describe import describe_site, draw_site, find_site

    if not scenario and net is None:
        raise InputError("scenarios show: expected a scenario, a .sumocfg, or --net; found none of them")
    network, site = find_site(scenario, net, tuple(additional or ()), parse_params(param))
    known = {each.id for each in site.junctions}
    if junction and junction not in known:
        raise InputError(f"junction: expected one of {', '.join(sorted(known))}, found {junction}")
    if as_json:
        found: dict[str, Any] = asdict(site)
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    else:
        sys.stdout.write(describe_site(site, junction))
    if out is not None:
        for path in draw_site(network, site, out, junction):
            sys.stderr.write(f"wrote {path}\n")

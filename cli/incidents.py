"""``greensplit incidents``: alarms of the arterial incident detector in a run or a log."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AsJson

if TYPE_CHECKING:
    from greensplit.engine.analytics.incidents.watch import Watch

__all__ = ["incidents"]

COLUMNS = ("start", "junction", "approach", "lane", "statistic", "score")
LEAST_WIDTH = 130


def incidents(
    log: Annotated[Path, typer.Argument(metavar="RUN|LOG", help="A run directory, or a log in Parquet.")],
    config: Annotated[
        Path | None, typer.Option("--config", help="The model (TOML): needed with a log that brings none.")
    ] = None,
    normal: Annotated[
        list[Path] | None,
        typer.Option("--normal", help="A run or log without incidents, to learn from (repeatable)."),
    ] = None,
    per_day: Annotated[float, typer.Option(help="False alarms allowed a day, in the whole log.")] = 1.0,
    bin_s: Annotated[float, typer.Option("--bin", help="Bin, seconds.", min=5.0, max=120.0)] = 20.0,
    timezone: Annotated[str, typer.Option(help="Time zone of the table; the model's if not given.")] = "",
    as_json: AsJson = False,
) -> None:
    """Find incidents: lanes that starve or stand though they are green, arrivals that do not come."""
    from greensplit.engine.analytics.incidents.watch import site_of, watch

    found = watch(log, site_of(log, config), normal or (), per_day=per_day, bin_s=bin_s, timezone=timezone)
    if as_json:
        told = found._asdict() | {"threshold": found.threshold._asdict()}
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
    else:
        _show(found)


def _show(found: Watch) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=max(Console().width, LEAST_WIDTH))
    table = Table(title=f"{len(found.alarms)} alarms in {found.hours:.1f} h", title_justify="left")
    for name in COLUMNS:
        table.add_column(name, justify="right" if name == "score" else "left")
    for row in found.alarms:
        table.add_row(*(str(row[name]) for name in COLUMNS))
    console.print(table)
    if found.score is not None:
        console.print(
            ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.score.items()),
            highlight=False,
        )
    for note in found.notes:
        console.print(note, highlight=False)

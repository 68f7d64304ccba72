"""``greensplit report``: the HTML report of run directories, or of what changed between two sides."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AsJson

if TYPE_CHECKING:
    from datetime import date

    from greensplit.engine.analytics.comparison import Findings, Question

__all__ = ["report"]


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="AFTER...", help="Run directories; with --before also event logs, trip or probe tables."),
    ],
    before: Annotated[
        list[Path] | None, typer.Option("--before", "-b", help="What AFTER is compared with (repeatable).")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file to write.")] = Path("report.html"),
    title: Annotated[str | None, typer.Option(help="Heading of the report.")] = None,
    language: Annotated[str, typer.Option("--lang", help="Of a before/after report: en or zh.")] = "en",
    timezone: Annotated[str, typer.Option(help="Local time of days and periods; data are UTC.")] = "UTC",
    periods: Annotated[
        str, typer.Option(help="NAME=HH:MM-HH:MM, comma between.")
    ] = "am=07:00-09:00,md=11:00-13:00,pm=16:00-18:00",
    weekdays: Annotated[str, typer.Option(help="ISO days, 1 is Monday.")] = "1-5",
    exclude: Annotated[
        list[str] | None, typer.Option(help="YYYY-MM-DD=reason: a day to leave out (repeatable).")
    ] = None,
    detectors: Annotated[
        Path | None, typer.Option(help="Of event logs: device_id, channel, phase, function.")
    ] = None,
    detectors_before: Annotated[Path | None, typer.Option(help="Where they were others before.")] = None,
    corridors: Annotated[
        Path | None, typer.Option(help="CSV: segment or device, corridor.")
    ] = None,
    control: Annotated[str, typer.Option(help="A corridor that was not changed.")] = "",
    alternating: Annotated[bool, typer.Option("--alternating", help="Days on and off by turns.")] = False,
    least: Annotated[int, typer.Option(help="Fewest days or seeds on a side.")] = 5,
    no_volumes: Annotated[
        bool, typer.Option("--no-volumes", help="Accept data without traffic volumes; claims no gain.")
    ] = False,
    table_format: Annotated[
        str, typer.Option("--format", help="Also write the tables: csv, parquet or xlsx.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Render run directories as one self-contained HTML file; with --before, what changed and how sure that is."""
    from greensplit.engine.analytics.report import render_report
    from greensplit.engine.kernel_cache import cache_home

    cache = cache_home(os.environ) / "charts"
    if before is None:
        render_report(runs, out, title=title, bundle_cache=cache)
        sys.stdout.write(f"{json.dumps({'report': str(out)}) if as_json else out}\n")
        return
    from greensplit.engine.analytics.comparison import Question, compare_sides, open_sides, parse_periods
    from greensplit.engine.analytics.comparison.periods import parse_days
    from greensplit.engine.analytics.comparison.sides import Options, read_corridors
    from greensplit.engine.analytics.comparison.tables import FORMATS, as_json as as_values
    from greensplit.engine.analytics.comparison.words import words_in
    from greensplit.engine.errors import InputError

    words_in(language)
    if table_format and table_format not in FORMATS:
        raise InputError(f"--format: expected {', '.join(FORMATS)}, found {table_format}")
    question = Question(
        timezone=timezone,
        periods=parse_periods(periods, parse_days(weekdays)),
        excluded=_excluded(exclude or []),
        control=control,
        alternating=alternating,
        least=least,
        volumes=not no_volumes,
    )
    names = {} if corridors is None else read_corridors(corridors)
    sides = open_sides(before, runs, Options(detectors, detectors_before, names, timezone))
    found = compare_sides(sides, question)
    sys.stdout.write(json.dumps(as_values(found), ensure_ascii=False) + "\n")

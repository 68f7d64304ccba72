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

    from greensplit.engine.analytics.comparison import Findings

__all__ = ["report"]

LEAST_WIDTH = 120


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="AFTER...", help="Run directories; with --before also event logs, trip or probe tables."
        ),
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
    corridors: Annotated[Path | None, typer.Option(help="CSV: segment or device, corridor.")] = None,
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
    from greensplit.engine.analytics.comparison.tables import FORMATS, export
    from greensplit.engine.analytics.comparison.tables import as_json as as_values
    from greensplit.engine.analytics.comparison.words import words_in
    from greensplit.engine.analytics.report.change_page import render_change
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
    render_change(found, out, bundle_cache=cache, language=language, title=title, command=_command())
    written = [out, *(export(found, table_format, out) if table_format else [])]
    if as_json:
        values = as_values(found) | {"written": [str(path) for path in written]}
        sys.stdout.write(json.dumps(values, ensure_ascii=False) + "\n")
        return
    _show(found, language)
    sys.stdout.write("".join(f"{path}\n" for path in written))


def _command() -> list[str]:
    """The command line as it was typed."""
    return ["greensplit", *sys.argv[1:]]


def _excluded(values: list[str]) -> dict[date, str]:
    """DATE=reason; raises InputError for anything else."""
    from datetime import date

    from greensplit.engine.errors import InputError

    found = {}
    for value in values:
        day, _, reason = value.partition("=")
        try:
            found[date.fromisoformat(day.strip())] = reason.strip() or "left out by the user"
        except ValueError as err:
            raise InputError(f"--exclude: expected YYYY-MM-DD=reason, found {value}") from err
    return found


def _show(found: Findings, language: str) -> None:
    """What was found as a table, every effect with its interval."""
    from rich.console import Console
    from rich.table import Table

    from greensplit.engine.analytics.comparison.words import words_in
    from greensplit.engine.analytics.report.change_words import Teller
    from greensplit.engine.analytics.report.words import figure

    teller = Teller(found, words_in(language))
    say = teller.say
    heads = [say(f"column.{name}") for name in ("measure", "period")]
    heads += [say("side.before"), say("side.after"), say("column.change"), say("column.verdict")]
    shown = Table(*heads, title=teller.lead(), caption=teller.subtitle())
    for one in found.network:
        digits = one.measure.digits
        shown.add_row(
            f"{teller.measure(one.measure.key)}, {teller.unit(one.measure.key)}",
            teller.period(one.period),
            figure(one.before, digits),
            figure(one.after, digits),
            teller.change(one),
            say(f"verdict.{one.verdict}"),
        )
    console = Console(width=max(Console().width, LEAST_WIDTH))
    console.print(shown)
    for key, values in found.notes:
        sys.stderr.write(f"{teller.note(key, values)}\n")

"""``greensplit explain``: why a junction did what it did, from a run directory."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from greensplit.engine.analytics.account import Part

__all__ = ["ENTRIES_SHOWN", "explain", "parse_part"]

ENTRIES_SHOWN = 40


def explain(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    junction: Annotated[str, typer.Argument(help="Its id or number, as `greensplit scenarios show` prints.")],
    begin: Annotated[str, typer.Option("--from", help="First time told, seconds or HH:MM:SS.")] = "",
    end: Annotated[str, typer.Option("--to", help="Last time told.")] = "",
    last: Annotated[int, typer.Option(help="So many of the last entries; 0: all. Without a time, 40.")] = -1,
) -> None:
    """Tell a junction's decisions: what was held or changed, why, and what the alternatives were worth."""
    from greensplit.engine.analytics.account import explain as account

    sys.stdout.write(account(folder, junction, parse_part(begin, end, last)))


def parse_part(
    begin: str, end: str, last: int, options: tuple[str, str, str] = ("--from", "--to", "--last")
) -> Part:
    """The part of an account that was asked for; InputError naming the one of ``options`` that is wrong."""
    from greensplit.engine.analytics.account import Part
    from greensplit.engine.errors import InputError
    from greensplit.scenarios.times import parse_time_s

    if last < -1:
        raise InputError(f"{options[2]}: expected 0 or more, found {last}")
    from_s = parse_time_s(begin, options[0]) if begin else None
    to_s = parse_time_s(end, options[1]) if end else None
    if from_s is not None and to_s is not None and from_s > to_s:
        raise InputError(f"{options[0]}: expected a time before {options[1]}, found {begin} after {end}")
    default = ENTRIES_SHOWN if from_s is None and to_s is None else 0
    return Part(from_s, to_s, default if last < 0 else last)

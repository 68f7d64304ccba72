"""A junction's decisions in words: how long each stage was held and why, and what every change was weighed against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from ..model.naming import find_junction, served_approaches, shown_groups
from ..model.site import Junction
from ..model.toml import read_site
from .report.decisions import decisions_of, is_lower_better, measure_of
from .report.runs import Run, load_run
from .report.words import clock, weighed

__all__ = ["Part", "explain"]

INDENT = " " * 10
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """Which entries of an account are told: from and to, seconds of the simulation's clock; the ``last`` of them,
    0 all. An entry is a change of stage, or a stretch for which a stage was held for one reason."""

    from_s: float | None = None
    to_s: float | None = None
    last: int = 0


def explain(folder: Path, junction: str, part: Part) -> str:
    """The account of a junction in a run directory. Raises InputError for an unknown junction or no run directory."""
    run = load_run(folder)
    found = find_junction(read_site(folder / "model.toml"), junction)
    frame = _read(run, found, part)
    lines = [_title(run, found)]
    if frame.is_empty():
        return "\n".join([*lines, f"no decisions: {_why_none(run, part)}"]) + "\n"
    entries = list(_entries(frame.rows(named=True), found))
    shown = entries[-part.last :] if part.last else entries
    lines += [*_head(run, found, frame), ""]
    if len(shown) < len(entries):
        lines += [f"({len(entries) - len(shown):,} earlier entries are left out)", ""]
    return "\n".join([*lines, *(line for entry in shown for line in entry)]) + "\n"


def _read(run: Run, junction: Junction, part: Part) -> pl.DataFrame:
    decisions = decisions_of(run)
    if decisions is None:
        return pl.DataFrame()
    own = decisions.filter(pl.col("device_id") == junction.device_id).sort("timestamp")
    if part.from_s is not None:
        own = own.filter(pl.col("at_s") >= part.from_s)
    if part.to_s is not None:
        own = own.filter(pl.col("at_s") <= part.to_s)
    return own.collect()


def _title(run: Run, junction: Junction) -> str:
    meta = run.meta
    return (
        f"{meta.get('scenario')}, {meta.get('controller')}, seed {run.seed}: "
        f"junction {junction.device_id}, {junction.id}"
    )


def _why_none(run: Run, part: Part) -> str:
    begin_s = run.begin_s if part.from_s is None else part.from_s
    end_s = run.end_s if part.to_s is None else part.to_s
    return (
        f"{run.meta.get('controller')} weighed no stages here from {clock(begin_s)} to {clock(end_s)}; "
        "only controllers that choose stages do"
    )


def _head(run: Run, junction: Junction, frame: pl.DataFrame) -> list[str]:
    way = "less" if is_lower_better(run) else "more"
    first_s, last_s = frame["at_s"][0], frame["at_s"][-1]
    return [
        f"{frame.height:,} decisions from {clock(first_s)} to {clock(last_s)}; "
        f"stages are weighed by {measure_of(run)}, {way} is better",
        "  groups",
        *(f"    {group.number:3d}  {group.name}" for group in junction.groups),
        "  stages (a group in brackets yields)",
        *_stages(junction),
        "  how often",
        *_counts(frame, "reason"),
        *(["  modes", *_counts(frame, "mode")] if frame["mode"].null_count() < frame.height else []),
    ]


def _stages(junction: Junction) -> Iterator[str]:
    """Name, groups and approaches of every stage."""
    width = max((len(shown_groups(stage)) for stage in junction.stages), default=0)
    for stage in junction.stages:
        yield f"    {stage.name:4s} {shown_groups(stage):{width}s}  {served_approaches(junction, stage)}"


def _counts(frame: pl.DataFrame, column: str) -> Iterator[str]:
    """Holds and changes per reason or mode, the most frequent first."""
    is_hold = pl.col("kind") == "hold"
    counted = frame.group_by(column).agg(pl.len(), is_hold.sum().alias("holds"))
    for name, count, holds in counted.sort("len", column, descending=[True, False]).iter_rows():
        changes = count - holds
        yield f"    {holds:6,} {_many(holds, 'hold'):5s} {changes:5,} {_many(changes, 'change'):7s}  {name or '-'}"


def _many(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _entries(rows: Sequence[Row], junction: Junction) -> Iterator[list[str]]:
    """Lines of every entry."""
    groups = {stage.name: shown_groups(stage) for stage in junction.stages}
    parts = [list(part) for _, part in groupby(enumerate(rows), key=_stretch)]
    for position, part in enumerate(parts):
        own = [row for _, row in part]
        after = parts[position + 1][0][1] if position + 1 < len(parts) else None
        yield _hold(own, after) if own[0]["kind"] == "hold" else _change(own[0], groups)


def _stretch(numbered: tuple[int, Row]) -> tuple[object, ...]:
    """Holds of a stage for the same reason, in the same mode, are one entry; every change is one of its own."""
    number, row = numbered
    if row["kind"] == "hold":
        return ("hold", row["to_stage"], row["reason"], row["mode"])
    return (number,)


def _hold(rows: list[Row], after: Row | None) -> list[str]:
    """From the first decision to the next entry about the same stage; the values at the closest decision."""
    first, last = rows[0], rows[-1]
    ends_s = after["at_s"] if after is not None and after["from_stage"] == first["to_stage"] else last["at_s"]
    lines = [
        f"{clock(first['at_s'])}  {first['to_stage']} held for {ends_s - first['at_s']:.0f} s: {_why(first)}"
    ]
    compared = [row for row in rows if row["margin"] is not None]
    if not compared:
        return [*lines, f"{INDENT}no other stage was weighed"]
    closest = min(compared, key=lambda row: row["margin"])
    at = f" (closest at {clock(closest['at_s'])})" if len(rows) > 1 else ""
    return [
        *lines,
        f"{INDENT}{closest['to_stage']} {weighed(closest['value'])}; next best {closest['runner_up']} "
        f"{weighed(closest['runner_up_value'])}, {_against(closest)}{at}",
    ]


def _why(row: Row) -> str:
    return f"{row['reason']} [{row['mode']}]" if row["mode"] else str(row["reason"])


def _against(row: Row) -> str:
    """How the runner-up compares."""
    difference = row["runner_up_value"] - row["value"]
    if difference == 0.0:
        return "the same"
    return f"{weighed(abs(difference))} {'more' if difference > 0 else 'less'}"


def _change(row: Row, groups: dict[str, str]) -> list[str]:
    """The change and its reason, then everything that was weighed, the wanted stage first."""
    values = dict(zip(row["stages"], row["values"], strict=True))
    order = [row["to_stage"], *(stage for stage in values if stage != row["to_stage"])]
    notes = {row["from_stage"]: "left", row["to_stage"]: "chosen"}
    return [
        f"{clock(row['at_s'])}  {row['from_stage']} -> {row['to_stage']}: {_why(row)}",
        *(
            f"{INDENT}{stage:4s} {weighed(values.get(stage)):>9s}  {notes.get(stage, ''):6s}  {groups.get(stage, '')}"
            for stage in order
        ),
    ]

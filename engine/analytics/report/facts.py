"""Sections in words and tables: the scoreboard, summary, assumptions, versions, how to repeat."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Sequence

from .markup import Html, details, join, table, tag
from .runs import Arm, Run, mean_of, number
from .section import Material, Section
from .words import MEASURES, Measure, change_of, figure

__all__ = ["footer", "repeat_command", "scoreboard", "tables_section"]

SUMMARY_ROWS = (
    ("scheduled", "scheduled (vehicles)", 0),
    ("departed", "departed (vehicles)", 0),
    ("arrived", "arrived (vehicles)", 0),
    ("never_departed", "never departed (vehicles)", 0),
    ("corrected_delay_s", "corrected delay (s per vehicle)", 1),
    ("trip_time_s", "trip time (s)", 1),
    ("waiting_s", "waiting (s)", 1),
    ("stops", "stops per vehicle", 2),
    ("speed_kmh", "speed (km/h)", 1),
    ("collisions", "collisions", 0),
    ("interlock_refusals", "interlock refusals", 0),
    ("would_refuse", "would have been refused", 0),
    ("fuel_l", "fuel (l)", 1),
    ("co2_kg", "CO₂ (kg)", 1),
    ("wall_s", "wall time (s)", 1),
    ("simulator_s", "of which simulator (s)", 1),
    ("peak_mb", "peak memory (MB)", 0),
)


def scoreboard(material: Material) -> Html:
    """Big numbers per controller, each with its change against the baseline."""
    base = next((arm for arm in material.arms if arm.is_baseline), None)
    differing = [name for name, values in material.settings.items() if len(values) > 1]
    cards = (
        _card(arm, colour, base if arm is not base else None, differing)
        for arm, colour in zip(material.arms, material.colours, strict=True)
    )
    return tag("div", *cards, cls="board")


def _card(arm: Arm, colour: str, base: Arm | None, differing: Sequence[str]) -> Html:
    runs = f" mean of {len(arm.runs)} runs" if len(arm.runs) > 1 else f" seed {arm.first.seed}"
    runs += "".join(f", {name} {arm.first.meta.get(name)}" for name in differing)
    tiles = (_tile(measure, arm, base) for measure in MEASURES)
    heading = tag("h3", arm.label, tag("span", runs, cls="note"))
    return tag(
        "div", heading, tag("dl", *tiles, cls="tiles"), cls="arm", attributes={"style": f"--arm:{colour}"}
    )


def _tile(measure: Measure, arm: Arm, base: Arm | None) -> Html:
    value = mean_of(arm.runs, measure.key)
    change = change_of(measure, value, mean_of(base.runs, measure.key)) if base else None
    number_line = tag("span", figure(value, measure.digits), cls="big")
    parts = [number_line, " ", tag("span", measure.unit, cls="unit")]
    if base and change:
        verdict = "" if change.verdict == "same" else f" ({change.verdict})"
        parts.append(tag("span", f"{change.text}{verdict} vs {base.label}", cls=f"change {change.verdict}"))
    return tag("div", tag("dt", measure.name), tag("dd", *parts))


def tables_section(material: Material) -> Section:
    """Summary rows per controller, every run on its own, assumptions and versions."""
    runs = [run for arm in material.arms for run in arm.runs]
    parts = [
        _summary_table(material.arms),
        details("Every run on its own", _run_table(material.arms)) if len(runs) > 1 else Html(""),
        tag("h3", "Assumptions"),
        _assumptions(material.arms),
        _versions(runs),
    ]
    return Section("numbers", "All numbers", join(parts))


def _summary_table(arms: Sequence[Arm]) -> Html:
    rows = [
        [text, *(_mean_and_spread(arm, key, digits) for arm in arms)] for key, text, digits in SUMMARY_ROWS
    ]
    rows.append(["gridlock", *(_gridlock(arm) for arm in arms)])
    several = any(len(arm.runs) > 1 for arm in arms)
    caption = "Mean over the runs ± standard deviation" if several else "Summary"
    return table(caption, ["", *(arm.label for arm in arms)], rows)


def _mean_and_spread(arm: Arm, key: str, digits: int) -> str:
    values = [value for run in arm.runs if (value := number(run.summary.get(key))) is not None]
    if len(values) < 2:
        return figure(values[0] if values else None, digits)
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return f"{figure(mean, digits)} ±\u00a0{figure(spread, digits or 1)}" if spread else figure(mean, digits)


def _gridlock(arm: Arm) -> str:
    hits = sum(bool(run.summary.get("gridlock")) for run in arm.runs)
    return "no" if not hits else f"yes, {hits} of {len(arm.runs)}"


def _run_table(arms: Sequence[Arm]) -> Html:
    rows = (
        [
            arm.label,
            run.seed,
            *(figure(number(run.summary.get(m.key)), m.digits) for m in MEASURES),
            run.folder.name,
        ]
        for arm in arms
        for run in arm.runs
    )
    return table("Runs", ["controller", "seed", *(measure.name for measure in MEASURES), "folder"], rows)


def _assumptions(arms: Sequence[Arm]) -> Html:
    holders: dict[str, list[str]] = {}
    for arm in arms:
        for text in _unique(str(text) for run in arm.runs for text in run.meta.get("assumptions") or ()):
            holders.setdefault(text, []).append(arm.label)
    if not holders:
        return tag("p", "The runs name none.", cls="note")
    items = (
        tag("li", text, "" if len(labels) == len(arms) else f" (only {', '.join(labels)})")
        for text, labels in holders.items()
    )
    return tag("ul", *items)


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _versions(runs: Sequence[Run]) -> Html:
    found: dict[str, list[str]] = {}
    for run in runs:
        for name, version in (run.meta.get("versions") or run.summary.get("versions") or {}).items():
            found.setdefault(str(name), []).append(str(version))
    rows = [[name, ", ".join(_unique(versions))] for name, versions in sorted(found.items())]
    return details(
        "Versions", table("Versions of the software that made the runs", ["part", "version"], rows)
    )


def footer(material: Material) -> Html:
    """How to make the same runs again."""
    intro = "Same command, same versions, same numbers. To repeat the runs:"
    return tag("footer", tag("p", intro), tag("ul", *(_repeat(arm) for arm in material.arms)))


def _repeat(arm: Arm) -> Html:
    others = ", ".join(str(run.seed) for run in arm.runs[1:])
    seeds = f"; then with seed {others}" if others else ""
    demand = ", ".join(_unique(str(run.meta.get("demand_seed") or "none") for run in arm.runs))
    return tag("li", tag("code", repeat_command(arm.first)), f" (demand seed {demand}{seeds})")


def repeat_command(run: Run) -> str:
    """The command line that repeats a run."""
    words = ["greensplit", "run", str(run.meta.get("scenario"))]
    for name in ("controller", "seed", "vision", "scale"):
        if (value := run.meta.get(name)) is not None:
            words += [f"--{name}", str(value)]
    return shlex.join([*words, "--begin", f"{run.begin_s:g}", "--end", f"{run.end_s:g}"])

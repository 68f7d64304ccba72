"""The figures as Markdown, for people who read the repository."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["comparison_table", "footer", "robustness_table", "stress_table"]


def comparison_table(figures: Mapping[str, Any]) -> str:
    """One row per scenario, one column per controller, ours last: mean delay, best in bold, G for gridlock."""
    ours = figures["ours"]
    cells = {(line["scenario"], line["controller"]): line for line in figures["lines"]}
    names = [name for name in dict.fromkeys(name for _, name in cells) if name != ours]
    starred = {line["controller"] for line in figures["lines"] if line["vision"] == "perfect"}
    heading = ["scenario", *(name + "*" * (name in starred) for name in names), ours, "bound"]
    heading += ["/ published", "/ best of all", "gap removed"]
    rows = [
        [
            scenario,
            *_delays([cells.get((scenario, name)) for name in (*names, ours)]),
            _number(found["bound_s"]),
            _number(found["ratio"], "{:.3f}"),
            _number(found["ratio_all"], "{:.3f}"),
            _number(found["gap_removed_all"], "{:.0%}"),
        ]
        for scenario, found in figures["scenarios"].items()
    ]
    notes = (
        "Corrected delay, s per scheduled vehicle, mean over seeds. * sees every vehicle, the others loops only. G: a "
        "link stood still for over 300 s in at least one seed. Bound: every link green, nobody heeds crossing traffic. "
        "Ratios of ours to the best rival: of the published ones, and of all. Gap removed: the share of the delay that "
        "the best of all rivals has above the bound and ours has not."
    )
    return f"{_table(heading, rows)}\n\n{notes}\n"


def robustness_table(figures: Mapping[str, Any]) -> str:
    """One row per scenario: what dead loops cost, and how ours fares against the re-timed plan off its demand."""
    heading = ["scenario", "whole, s", "20 % dead, s", "growth", "worst single loop", "growth"]
    scales = list(
        dict.fromkeys(key for found in figures["scenarios"].values() for key in found["off_demand"])
    )
    heading += [f"demand × {scale}: / {figures['planned']}" for scale in scales]
    rows = [
        [
            scenario,
            _number(found["whole_s"]),
            _number(found["dead_s"]),
            _number(found["dead_growth"], "{:+.1%}"),
            found["worst_loop"],
            _number(found["worst_growth"], "{:+.1%}"),
            *(_number(found["off_demand"].get(scale), "{:.3f}") for scale in scales),
        ]
        for scenario, found in figures["scenarios"].items()
    ]
    return _table(heading, rows) + "\n"


def stress_table(figures: Mapping[str, Any]) -> str:
    """One row per scenario and level of demand."""
    heading = [
        "scenario",
        "demand",
        "median, s",
        "p90, s",
        "p90 / median",
        "longest wait, s",
        "gridlocks",
        "kept",
    ]
    rows = [
        [
            cell["scenario"],
            f"× {cell['scale']:g}",
            _number(cell["median_s"]),
            _number(cell["p90_s"]),
            _number(cell["spread"], "{:.2f}"),
            _number(cell["longest_wait_s"], "{:.0f}"),
            str(cell["gridlocks"]),
            ("yes" if cell["kept"] else "NO") if cell["counted"] else "over capacity",
        ]
        for cell in figures["cells"]
    ]
    return _table(heading, rows) + "\n"


def footer(figures: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Seeds and versions that made a table."""
    seeds = figures["seeds"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"\nSeeds {seeds[0]}-{seeds[-1]} ({len(seeds)}); {told}.\n"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(heading), "|---" * len(heading) + "|", *(_line(row) for row in rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _delays(lines: Sequence[Mapping[str, Any] | None]) -> list[str]:
    best_s = min(line["delay_mean_s"] for line in lines if line is not None)
    return ["-" if line is None else _delay(line, best_s) for line in lines]


def _delay(line: Mapping[str, Any], best_s: float) -> str:
    text = _number(line["delay_mean_s"])
    return (f"**{text}**" if line["delay_mean_s"] == best_s else text) + " G" * bool(line["gridlock_share"])


def _number(value: float | None, form: str = "") -> str:
    if value is None:
        return "-"
    return form.format(value) if form else (f"{value:.1f}" if value < 100 else f"{value:.0f}")

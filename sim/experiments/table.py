"""What several runs say together: one line per scenario and controller, over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .student import half_width_factor

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["DEPLOYED", "aggregate", "interval", "quantile", "rich_table"]

DEPLOYED = "fixed"
CONFIDENCE = 0.95

Row = dict[str, Any]


def aggregate(rows: Sequence[Row]) -> list[Row]:
    """One line per scenario and controller from the summaries of runs, in the order in which these first appear.

    Delays are corrected delays in seconds per scheduled vehicle, each run being one sample. ``baseline`` is the
    deployed plan, or the first controller where that was not run; differences and the ratio of means are against
    its runs of the same seeds. ``low`` and ``high`` bound the 95 % interval by Student's t; null where fewer than two
    runs can be paired.
    """
    lines = []
    for scenario in dict.fromkeys(row["scenario"] for row in rows):
        here = [row for row in rows if row["scenario"] == scenario]
        controllers = list(dict.fromkeys(row["controller"] for row in here))
        baseline = DEPLOYED if DEPLOYED in controllers else controllers[0]
        lines += [_line(here, scenario, controller, baseline) for controller in controllers]
    return lines


def _line(rows: Sequence[Row], scenario: str, controller: str, baseline: str) -> Row:
    own = [row for row in rows if row["controller"] == controller]
    delays_s = [row["corrected_delay_s"] for row in own]
    return {
        "scenario": scenario,
        "controller": controller,
        "vision": own[0]["vision"],
        "n": len(own),
        "delay_mean_s": statistics.fmean(delays_s),
        "delay_median_s": statistics.median(delays_s),
        "delay_p90_s": quantile(delays_s, 0.9),
        **_against(own, [row for row in rows if row["controller"] == baseline], baseline),
        "speed_kmh": _mean(own, "speed_kmh"),
        "stops": _mean(own, "stops"),
        "never_departed": _mean(own, "never_departed"),
        "gridlock_share": _mean(own, "gridlock"),
    }


def _against(own: Sequence[Row], others: Sequence[Row], baseline: str) -> Row:
    """How the runs differ from those of the baseline with equal seeds."""
    by_seed = {_seeds(row): row["corrected_delay_s"] for row in others}
    pairs = [(row["corrected_delay_s"], by_seed[_seeds(row)]) for row in own if _seeds(row) in by_seed]
    differences_s = [delay_s - other_s for delay_s, other_s in pairs]
    bounds = None if own[0]["controller"] == baseline else interval(differences_s)
    other_mean_s = statistics.fmean(other_s for _, other_s in pairs) if pairs else 0.0
    return {
        "baseline": baseline,
        "pairs": len(pairs),
        "difference_s": statistics.fmean(differences_s) if pairs else None,
        "difference_low_s": bounds[0] if bounds else None,
        "difference_high_s": bounds[1] if bounds else None,
        "ratio": statistics.fmean(delay_s for delay_s, _ in pairs) / other_mean_s if other_mean_s else None,
    }


def _seeds(row: Row) -> tuple[int, int | None]:
    return row["seed"], row["demand_seed"]


def _mean(rows: Sequence[Row], key: str) -> float:
    return statistics.fmean(row[key] for row in rows)


def interval(samples: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of the mean by Student's t with n - 1 degrees of freedom; None below two samples."""
    if len(samples) < 2:
        return None
    mean = statistics.fmean(samples)
    half = (
        half_width_factor(CONFIDENCE, len(samples) - 1) * statistics.stdev(samples) / math.sqrt(len(samples))
    )
    return mean - half, mean + half


def quantile(samples: Sequence[float], share: float) -> float:
    """The value below which a ``share`` of the samples lies, between neighbours in proportion (numpy's default)."""
    ordered = sorted(samples)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def rich_table(lines: Sequence[Row]) -> Table:
    """The lines of ``aggregate`` of one scenario for a person; what never happened has no column."""
    from rich import box
    from rich.table import Table

    starred = any(line["vision"] == "perfect" for line in lines)
    table = Table(
        title=f"{lines[0]['scenario']}: corrected delay, s per scheduled vehicle",
        caption="* sees every vehicle, not only detectors" if starred else None,
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    columns = [column for column in _columns(lines) if column is not None]
    for heading, _ in columns:
        table.add_column(heading, justify="left" if heading == "controller" else "right", no_wrap=True)
    for number in range(len(lines)):
        table.add_row(*(cells[number] for _, cells in columns))
    return table


def _columns(lines: Sequence[Row]) -> list[tuple[str, list[str]] | None]:
    """Headings and cells; None for a column that has nothing to say."""
    return [
        ("controller", [line["controller"] + "*" * (line["vision"] == "perfect") for line in lines]),
        ("runs", [str(line["n"]) for line in lines]),
        ("mean", [f"{line['delay_mean_s']:.1f}" for line in lines]),
        ("median", [f"{line['delay_median_s']:.1f}" for line in lines]),
        ("p90", [f"{line['delay_p90_s']:.1f}" for line in lines]),
        (f"vs {lines[0]['baseline']}, 95 %", [_difference(line) for line in lines]),
        ("ratio", ["-" if line["ratio"] is None else f"{line['ratio']:.3f}" for line in lines]),
        ("km/h", [f"{line['speed_kmh']:.1f}" for line in lines]),
        ("stops", [f"{line['stops']:.2f}" for line in lines]),
        _unless_zero("left out", lines, "never_departed", "{:.1f}"),
        _unless_zero("gridlock", lines, "gridlock_share", "{:.0%}"),
    ]


def _unless_zero(heading: str, lines: Sequence[Row], key: str, form: str) -> tuple[str, list[str]] | None:
    return (heading, [form.format(line[key]) for line in lines]) if any(line[key] for line in lines) else None


def _difference(line: Row) -> str:
    if line["controller"] == line["baseline"] or line["difference_s"] is None:
        return "-"
    if line["difference_high_s"] is None:
        return f"{line['difference_s']:+.1f}"
    return f"{line['difference_s']:+.1f} ± {line['difference_high_s'] - line['difference_s']:.1f}"

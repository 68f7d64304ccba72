"""Tables of measures as charts: which table each chart draws, in which dialect, and how.

Sources: Day, Bullock and others 2014: Performance Measures for Traffic Signal Systems (Purdue); UDOT ATSPM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ...events import BEGIN_GREEN, BEGIN_YELLOW, END_YELLOW
from ..report.palette import COLOURS, LAMP_COLOURS
from .plot import Dots, Marker, Plot, Series, Steps

__all__ = ["KINDS", "MAX_POINTS", "MAX_ROWS", "Diagram", "Kind", "coordination"]

MAX_POINTS = 5000
MAX_ROWS = 32
Tables = Mapping[str, pl.DataFrame]
Values = npt.NDArray[Any]
GREEN, RED = LAMP_COLOURS[0], LAMP_COLOURS[2]
# The lamp yellow is too light for a thin line on white.
YELLOW = "#b88600"
BLUE, PURPLE, GREY = COLOURS[0], COLOURS[3], "#5b6470"
TICK_ABOVE = Marker("m0-6v-5", "butt", 2.0)
MARKERS = {
    "GapOut": (GREEN, "gap-out", Marker()),
    "MaxOut": (RED, "max-out", Marker(cap="square", pen_px=4.2)),
    "ForceOff": (BLUE, "force-off", Marker("m0-3l3 5h-6z", pen_px=1.0)),
    "Unknown": (GREY, "unknown", Marker("m-2-2l4 4m0-4l-4 4", pen_px=1.2)),
    "Walk": (PURPLE, "walk", TICK_ABOVE),
}
ARRIVALS = {
    BEGIN_GREEN: (GREEN, "arrivals on green"),
    BEGIN_YELLOW: (YELLOW, "on yellow"),
    END_YELLOW: (RED, "on red"),
}
ARRIVAL = Marker(pen_px=3.0)
USUAL_CYCLE_PERCENT, HEADROOM = 90, 1.5


@dataclass(frozen=True, slots=True)
class Diagram:
    """How a chart is drawn from ``tables``: those rows of one device, and of one phase unless ``of_device``."""

    tables: tuple[str, ...]
    draw: Callable[[Tables, int], Plot]
    of_device: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A chart of the page, drawn by the first of ``diagrams`` whose tables there are."""

    name: str
    diagrams: tuple[Diagram, ...]


def coordination(tables: Tables, _bin_ms: int) -> Plot:
    points, cycles = tables["pcd_points"], tables["pcd_cycles"]
    total = points.height + 3 * cycles.height
    top = _usual_top(cycles["cycle_s"].to_numpy())
    above = int((points["seconds_in_cycle"] > top).sum())
    shown, drawn = _sampled(points, total, "signal_state"), _sampled(cycles, total, "phase")
    return Plot(
        "Coordination diagram: s since red began",
        [*_arrivals(shown), *_cycle_lines(drawn)],
        _note(_sampling(total), f"{above} arrivals later than {top:.0f} s are above the axis" * bool(above)),
        top=top,
        wide=True,
    )


def _usual_top(cycle_s: Values) -> float:
    """Where the axis ends: one phase that rests in green for an hour would press all other cycles flat."""
    if not len(cycle_s):
        return 1.0
    usual = float(np.percentile(cycle_s, USUAL_CYCLE_PERCENT))
    return max(min(float(cycle_s.max()) * 1.05, HEADROOM * usual), 1.0)


def _arrivals(points: pl.DataFrame) -> list[Series]:
    return [
        Dots(label, colour, _ms(own["timestamp"]), own["seconds_in_cycle"].to_numpy(), ARRIVAL)
        for state, (colour, label) in ARRIVALS.items()
        for own in (points.filter(pl.col("signal_state") == state),)
    ]


def _cycle_lines(cycles: pl.DataFrame) -> list[Series]:
    begin_ms, end_ms = _ms(cycles["timestamp"]), _ms(cycles["end_time"])
    lines = (
        ("green_s", GREEN, "green begins"),
        ("yellow_s", YELLOW, "yellow begins"),
        ("cycle_s", RED, "red begins"),
    )
    return [
        Steps(label, colour, begin_ms, end_ms, cycles[column].to_numpy()) for column, colour, label in lines
    ]


def _splits(tables: Tables, _bin_ms: int) -> Plot:
    services = tables["split_monitor"]
    shown = _sampled(services, 2 * services.height, "termination")
    programmed = shown.filter(pl.col("programmed_s").is_not_null())
    series = _by_reason(shown, shown["duration_s"].to_numpy())
    if programmed.height:
        times = _ms(programmed["timestamp"]), _ms(programmed["end_time"])
        series.append(Steps("programmed", COLOURS[6], *times, programmed["programmed_s"].to_numpy()))
    return Plot("Split monitor: s from phase on to inactive", series, _note(_sampling(2 * services.height)))


def _by_reason(table: pl.DataFrame, value: Values) -> list[Series]:
    at_ms, reasons = _ms(table["timestamp"]), table["termination"].to_numpy()
    return [
        Dots(label, colour, at_ms[own], value[own], marker)
        for reason, (colour, label, marker) in MARKERS.items()
        if (own := reasons == reason).any()
    ]


def _terminations(tables: Tables, _bin_ms: int) -> Plot:
    ends = tables["phase_terminations"]
    phases = ends["phase"].unique().sort()
    rows = phases.head(MAX_ROWS)
    kept = ends.filter(pl.col("phase").is_in(rows.implode()))
    shown = _sampled(kept, kept.height, "phase", "termination")
    missing = len(phases) - len(rows)
    row = rows.search_sorted(shown["phase"]).to_numpy() + 1
    return Plot(
        "Phase terminations: how each green ended, by phase",
        _by_reason(shown, row),
        _note(_sampling(kept.height), f"{missing} further phases are left out" * bool(missing)),
        rows=[str(phase) for phase in rows],
        wide=True,
    )


def _termination_counts(tables: Tables, bin_ms: int) -> Plot:
    table = tables["terminations"]
    rest = [table.filter(pl.col("performance_measure") == reason) for reason in MARKERS]
    step = _step(table.height)
    series = [
        _bins(own, "total", 1.0, bin_ms, step, colour, label)
        for own, (colour, label, _) in zip(rest, MARKERS.values(), strict=True)
        if own.height
    ]
    return Plot("Ends of green per bin, by reason", series, _note(_merging(step)))


def binned(table: str, column: str, title: str, colour: str, scale: float = 1.0) -> Diagram:
    """A level per bin of one column, times ``scale``; an axis of percent ends at 100."""

    def draw(tables: Tables, bin_ms: int) -> Plot:
        rows = tables[table].filter(pl.col(column).is_not_null())
        step = _step(rows.height)
        series = _bins(rows, column, scale, bin_ms, step, colour, title)
        return Plot(title, [series], _note(_merging(step)), top=100.0 if title.endswith("%") else None)

    return Diagram((table,), draw)


def _bins(
    rows: pl.DataFrame, column: str, scale: float, bin_ms: int, step: int, colour: str, label: str
) -> Steps:
    """Steps of the bins, each the mean of ``step`` neighbours that have a row."""
    rows = rows.sort("timestamp")
    begin_ms = _ms(rows["timestamp"])
    first = np.arange(0, len(begin_ms), step)
    last = np.minimum(first + step, len(begin_ms)) - 1
    value = rows[column].cast(pl.Float64).to_numpy() * scale
    mean = np.add.reduceat(value, first) / (last - first + 1) if len(first) else value
    return Steps(label, colour, begin_ms[first], begin_ms[last] + bin_ms, mean)


def _ms(times: pl.Series) -> Values:
    return times.dt.epoch("ms").to_numpy()


def _step(points: int) -> int:
    """Which share of the points is drawn: one of so many. Leaves room for one more of every kind."""
    return max(-(-points // (MAX_POINTS - MAX_ROWS * len(MARKERS))), 1)


def _sampled(table: pl.DataFrame, points: int, *kinds: str) -> pl.DataFrame:
    """One row of each ``_step`` rows in a row that are alike in ``kinds``, and at least one of every kind.

    Which one is drawn by lot, the same each time: every second row would show only the first of two arrivals per
    cycle. A rare kind of end is not lost among the common ones.
    """
    step, lot = _step(points), np.random.default_rng(0)
    parts = table.sort("timestamp").partition_by(*kinds) if step > 1 else [table]
    return pl.concat([part[_one_of_each(step, part.height, lot)] for part in parts])


def _one_of_each(step: int, rows: int, lot: np.random.Generator) -> Values:
    first = np.arange(0, rows, step)
    return first + lot.integers(0, np.minimum(step, rows - first))


def _sampling(points: int) -> str:
    return f"One of {step} points is drawn" if (step := _step(points)) > 1 else ""


def _merging(step: int) -> str:
    return f"Each step is the mean of {step} neighbouring bins" if step > 1 else ""


def _note(*sentences: str) -> str:
    return "".join(f"{sentence}. " for sentence in sentences if sentence).strip()


KINDS: Sequence[Kind] = (
    Kind(
        "phase terminations",
        (
            Diagram(("phase_terminations",), _terminations, of_device=True),
            Diagram(("terminations",), _termination_counts),
        ),
    ),
    Kind("coordination diagram", (Diagram(("pcd_cycles", "pcd_points"), coordination),)),
    Kind("split monitor", (Diagram(("split_monitor",), _splits),)),
    Kind(
        "approach volume",
        (
            binned("approach_volume", "flow_veh_h", "Approach volume, veh/h", BLUE),
            binned("arrival_on_green", "total_actuations", "Arrivals per bin, veh", BLUE),
        ),
    ),
    Kind(
        "arrivals on red",
        (
            binned("arrivals_by_colour", "percent_on_red", "Arrivals on red, %", RED),
            binned("arrival_on_green", "percent_aog", "Arrivals on green, %", GREEN, 100.0),
        ),
    ),
    Kind("split failures", (binned("split_failures", "split_failure", "Split failures per bin", PURPLE),)),
    Kind(
        "approach delay",
        (binned("approach_delay", "delay_s_per_vehicle", "Approach delay, s/veh", COLOURS[1]),),
    ),
    Kind("pedestrian delay", (binned("ped_delay", "avg_ped_delay", "Pedestrian delay, s", COLOURS[4]),)),
)

"""Charts of measures from small tables written by hand."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest

from greensplit.engine.analytics.measures_page import Heading, charts_page
from greensplit.engine.analytics.measures_page.diagrams import KINDS, MAX_POINTS, MAX_ROWS
from greensplit.engine.analytics.measures_page.page import MAX_CHARTS

BEGIN = datetime(2026, 3, 2, 7, tzinfo=UTC)
TIME = pl.Datetime("ms", "UTC")
WIDE_INSIDE_PX, INSIDE_HEIGHT_PX = 1048.0, 176.0


class Page(HTMLParser):
    """Paths by figure, the figures' names, and every tag and piece of text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.paths: dict[str, list[str]] = {}
        self._figure, self._depth = "", 0
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.links += [str(found[name]) for name in ("href", "src") if name in found]
        if tag == "svg":
            self._depth += 1
            if "aria-label" in found:
                self._figure = str(found["aria-label"])
                self.paths[self._figure] = []
        if tag == "path" and self._depth == 2:
            self.paths[self._figure].append(str(found["d"]))

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "svg"

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)


def table(rows: list[dict[str, Any]], device: int = 1, phase: int | None = 2) -> pl.DataFrame:
    """Rows of one device and phase; whole numbers in time columns are seconds after ``BEGIN``."""
    own: dict[str, Any] = {"device_id": device} | ({} if phase is None else {"phase": phase})
    times = ("timestamp", "start_time", "end_time")
    moved = [
        own | {name: _moment(value) if name in times else value for name, value in row.items()}
        for row in rows
    ]
    frame = pl.DataFrame(moved, infer_schema_length=None)
    return frame.with_columns(pl.col(name).cast(TIME) for name in times if name in frame.columns)


def _moment(after_s: int) -> datetime:
    return BEGIN + timedelta(seconds=after_s)


def page(tables: dict[str, pl.DataFrame], timezone: str = "UTC", log: str = "a.parquet") -> Page:
    return Page(charts_page(tables, Heading(log, 15, timezone, "udot")))


def coordination(hits: int = 2) -> dict[str, pl.DataFrame]:
    """Two cycles of 60 s and a gap of 60 s before the third; hits 10 s apart, first on red, then on green."""
    cycle = {"green_s": 20.0, "yellow_s": 50.0, "cycle_s": 60.0}
    cycles = [{"timestamp": at, "end_time": at + 60, **cycle} for at in (0, 60, 180)]
    points = [
        {
            "timestamp": 15 + 10 * (hit % 2),
            "seconds_in_cycle": 15.0 + 10 * (hit % 2),
            "signal_state": (9, 1)[hit % 2],
        }
        for hit in range(hits)
    ]
    return {"pcd_cycles": table(cycles), "pcd_points": table(points)}


def test_coordination_diagram_by_hand() -> None:
    """240 s over 1048 px; the axis ends at 63 s (the longest cycle and 5 %), 176 px high."""
    green, yellow, red, green_line, yellow_line, red_line = page(coordination()).paths[
        "Coordination diagram: s since red began, device 1, phase 2"
    ]
    assert green == f"M{25 / 240 * WIDE_INSIDE_PX:.1f} {(1 - 25 / 63) * INSIDE_HEIGHT_PX:.1f}h0"
    assert red == f"M{15 / 240 * WIDE_INSIDE_PX:.1f} {(1 - 15 / 63) * INSIDE_HEIGHT_PX:.1f}h0"
    assert yellow == ""
    down = f"{(1 - 20 / 63) * INSIDE_HEIGHT_PX:.1f}"
    assert green_line == f"M0 {down}H262V{down}H524M786 {down}H1048"  # the gap stays open
    for line, value in ((yellow_line, 50), (red_line, 60)):
        assert line.startswith(f"M0 {(1 - value / 63) * INSIDE_HEIGHT_PX:.1f}H262")


def test_one_long_cycle_does_not_press_the_others_flat() -> None:
    cycles = [
        {"timestamp": 60 * row, "end_time": 60 * row + 60, "green_s": 20.0, "yellow_s": 50.0, "cycle_s": 60.0}
        for row in range(20)
    ]
    cycles[5]["cycle_s"] = 3600.0
    points = [
        {"timestamp": at, "seconds_in_cycle": float(at), "signal_state": 1} for at in (10, 89, 91, 1000)
    ]
    found = page({"pcd_cycles": table(cycles), "pcd_points": table(points)})
    assert "2 arrivals later than 90 s are above the axis." in found.text


@pytest.mark.parametrize(
    ("name", "column", "title", "highest"),
    [
        ("approach_volume", "flow_veh_h", "Approach volume, veh/h", 40.0),
        ("arrivals_by_colour", "percent_on_red", "Arrivals on red, %", 100.0),
        ("split_failures", "split_failure", "Split failures per bin", 40.0),
        ("approach_delay", "delay_s_per_vehicle", "Approach delay, s/veh", 40.0),
        ("ped_delay", "avg_ped_delay", "Pedestrian delay, s", 40.0),
    ],
)
def test_bins_by_hand(name: str, column: str, title: str, highest: float) -> None:
    """Bins at 0, 15 and 45 min with 10, 40 and 20, a null at 30: 60 min over 468 px, so 117 px each."""
    rows = [{"timestamp": 900 * at, column: value} for at, value in enumerate((10, 40, None, 20))]
    (line,) = page({name: table(rows[::-1])}).paths[f"{title}, device 1, phase 2"]
    down = [f"{(1 - value / highest) * INSIDE_HEIGHT_PX:.1f}".removesuffix(".0") for value in (10, 40, 20)]
    assert line == f"M0 {down[0]}H117V{down[1]}H234M351 {down[2]}H468"


def test_reasons_have_their_own_series_and_phases_their_own_rows() -> None:
    ends = [
        {"timestamp": 10 * row, "phase": phase, "termination": reason}
        for row, (phase, reason) in enumerate(
            [(2, "GapOut"), (2, "MaxOut"), (7, "ForceOff"), (7, "Unknown"), (7, "Walk"), (2, "GapOut")]
        )
    ]
    found = page({"phase_terminations": table(ends, phase=None)})
    gap, most, force, unknown, walk = found.paths[
        "Phase terminations: how each green ended, by phase, device 1"
    ]
    assert gap == "M0 117.3h0M1048 117.3h0"
    assert most == "M209.6 117.3h0"
    assert [path.split()[1][:4] for path in (force, unknown, walk)] == ["58.7"] * 3
    for label in ("gap-out", "max-out", "force-off", "unknown", "walk"):
        assert label in found.words


def test_split_monitor_draws_what_was_programmed_only_where_it_is_known() -> None:
    rows = [
        {"timestamp": 60 * row, "end_time": 60 * row + 30, "duration_s": 30.0, "termination": "GapOut"}
        for row in range(2)
    ]
    name = "Split monitor: s from phase on to inactive, device 1, phase 2"
    known = [row | {"programmed_s": split} for row, split in zip(rows, (None, 15.0), strict=True)]
    gap, programmed = page({"split_monitor": table(known)}).paths[name]
    assert gap.count("M") == 2
    assert programmed == "M312 88H468"
    unknown = table(rows).with_columns(programmed_s=pl.lit(None, pl.Float64))
    assert len(page({"split_monitor": unknown}).paths[name]) == 1


def test_the_other_dialect_gets_its_own_charts() -> None:
    ends = [
        {"timestamp": 900 * at, "performance_measure": reason, "total": 4}
        for at in range(2)
        for reason in ("GapOut", "MaxOut")
    ]
    arrivals = [{"timestamp": 0, "total_actuations": 8, "percent_aog": 0.25}]
    found = page({"terminations": table(ends), "arrival_on_green": table(arrivals)})
    assert len(found.paths["Ends of green per bin, by reason, device 1, phase 2"]) == 2
    (green,) = found.paths["Arrivals on green, %, device 1, phase 2"]
    assert green == "M0 132H234"
    assert "Arrivals per bin, veh, device 1, phase 2" in found.paths


def test_what_is_absent_is_named_in_one_line() -> None:
    empty = table([{"timestamp": 0, "avg_ped_delay": 1.0}]).clear()
    found = page(coordination() | {"ped_delay": empty})
    (line,) = [words for words in found.words if words.startswith("Not drawn")]
    assert all((kind.name in line) == (kind.name != "coordination diagram") for kind in KINDS)


def test_a_page_of_nothing_says_so() -> None:
    found = page({})
    assert all(kind.name in found.text for kind in KINDS)
    assert not found.paths


def test_points_are_bounded_and_the_page_says_so() -> None:
    found = page(coordination(hits=3 * MAX_POINTS))
    (paths,) = found.paths.values()
    drawn = sum(path.count("h0") + path.count("H") for path in paths)
    assert MAX_POINTS / 2 < drawn <= MAX_POINTS
    assert "One of 4 points is drawn." in found.text


def test_many_bins_become_means_of_neighbours() -> None:
    count = MAX_POINTS + 1
    rows = [{"timestamp": 900 * at, "flow_veh_h": 0.0 if at % 2 else 100.0} for at in range(count)]
    found = page({"approach_volume": table(rows)})
    ((line,),) = found.paths.values()
    assert line.count("H") == -(-count // 2)
    assert line.startswith("M0 88")  # half of 100
    assert "Each step is the mean of 2 neighbouring bins." in found.text


def test_charts_are_bounded_and_the_page_says_so() -> None:
    tables = [table([{"timestamp": 0, "flow_veh_h": 1.0}], device) for device in range(MAX_CHARTS + 7)]
    found = page({"approach_volume": pl.concat(tables)})
    assert len(found.paths) == MAX_CHARTS
    assert "Left out: 7 further charts, of 7 devices." in found.text


def test_devices_and_phases_come_in_order() -> None:
    row = [{"timestamp": 0, "flow_veh_h": 1.0}]
    tables = [table(row, device, phase) for device, phase in ((10, 4), (9, 12), (10, 2), (9, 2))]
    places = [name.split(", ", 2)[2] for name in page({"approach_volume": pl.concat(tables)}).paths]
    assert places == [
        f"device {device}, phase {phase}" for device, phase in ((9, 2), (9, 12), (10, 2), (10, 4))
    ]


def test_axes_tell_local_time_across_a_change_of_the_clock() -> None:
    """Berlin leaves summer time on 25 October 2026, 01:00 UTC: 02:00 comes twice."""
    begin = datetime(2026, 10, 24, 23, tzinfo=UTC)
    rows = pl.DataFrame(
        {
            "timestamp": [begin + timedelta(minutes=15 * at) for at in range(16)],
            "device_id": 1,
            "phase": 2,
            "flow_veh_h": 1.0,
        }
    ).with_columns(pl.col("timestamp").cast(TIME))
    clocks = [words for words in page({"approach_volume": rows}, "Europe/Berlin").words if ":" in words]
    assert [words for words in clocks if re.fullmatch(r"\d\d:\d\d", words)] == [
        "01:00",
        "02:00",
        "02:00",
        "03:00",
        "04:00",
    ]


def test_the_page_needs_nothing_else_and_text_is_escaped() -> None:
    hostile = "<script>alert(1)</script>&\"'"
    found = page(coordination(), log=hostile)
    assert "script" not in found.tags
    assert "noscript" not in found.tags
    assert not found.links
    assert hostile in found.text


def test_counts_have_whole_steps_and_other_values_have_not() -> None:
    found = page({"split_failures": table([{"timestamp": 0, "split_failure": 2}])})
    assert [words for words in found.words if re.fullmatch(r"[\d.]+", words)] == ["0", "1", "2"]
    found = page({"approach_delay": table([{"timestamp": 0, "delay_s_per_vehicle": 0.9}])})
    assert {"0.2", "0.4", "0.6", "0.8", "1"} <= set(found.words)


def test_a_single_reason_is_explained_too() -> None:
    ends = table([{"timestamp": 0, "phase": 2, "termination": "ForceOff"}], phase=None)
    assert "force-off" in page({"phase_terminations": ends}).words


def test_more_phases_than_rows_are_left_out_and_counted() -> None:
    ends = [{"timestamp": 0, "phase": phase, "termination": "GapOut"} for phase in range(1, MAX_ROWS + 4)]
    found = page({"phase_terminations": table(ends, phase=None)})
    ((line,),) = found.paths.values()
    assert line.count("M") == MAX_ROWS
    assert "3 further phases are left out." in found.text


def test_rows_without_a_phase_are_not_drawn() -> None:
    row = [{"timestamp": 0, "flow_veh_h": 1.0}]
    nameless = table(row).with_columns(phase=pl.lit(None, pl.Int64))
    found = page({"approach_volume": pl.concat([nameless, table(row)])})
    assert list(found.paths) == ["Approach volume, veh/h, device 1, phase 2"]


def test_sampling_loses_no_phase_and_no_rare_reason() -> None:
    """Eight phases end at once, so that every second row would be an even phase each time."""
    ends = pl.DataFrame(
        {
            "timestamp": [_moment(60 * (row // 8)) for row in range(3 * MAX_POINTS // 2)],
            "device_id": 1,
            "phase": [row % 8 + 1 for row in range(3 * MAX_POINTS // 2)],
            "termination": ["MaxOut" if 800 <= row < 808 else "GapOut" for row in range(3 * MAX_POINTS // 2)],
        }
    ).with_columns(pl.col("timestamp").cast(TIME))
    ((gap, most),) = page({"phase_terminations": ends}).paths.values()
    rows = re.findall(r"M\S+ (\S+)h0", gap)
    assert len(set(rows)) == 8
    assert len(set(re.findall(r"M\S+ (\S+)h0", most))) == 8
    assert len(rows) + 8 <= MAX_POINTS


def test_sampling_shows_both_of_two_arrivals_per_cycle() -> None:
    points = [
        {"timestamp": 60 * (hit // 2), "seconds_in_cycle": (5.0, 15.0)[hit % 2], "signal_state": 9}
        for hit in range(3 * MAX_POINTS // 2)
    ]
    found = page(coordination() | {"pcd_points": table(points)})
    heights = re.findall(r"M\S+ (\S+)h0", next(iter(found.paths.values()))[2])
    shares = [heights.count(height) / len(heights) for height in sorted(set(heights))]
    assert shares == pytest.approx([0.5, 0.5], abs=0.05)

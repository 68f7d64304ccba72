"""Arrivals, delay, coordination diagram and volumes of three cycles worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from greensplit.engine.analytics import measures
from greensplit.engine.analytics.measures.counts import against_counts, geh
from greensplit.engine.errors import InputError

from .hand import BEGIN, at, log_of, one_row

CYCLES = [
    (begin + t, code, 2)
    for begin in (0.0, 60.0, 120.0)
    for t, code in ((0.0, 9), (30.0, 1), (55.0, 8), (60.0, 9))
    if code != 9 or begin == 120.0 or t == 0.0
]
"""Phase 2: red 0-30, green 30-55, yellow 55-60 s, three times; the last red begins at 180 s."""
HITS = [
    (-5.0, 82, 21),  # before the first whole cycle
    (10.0, 82, 21),  # red, waits 20 s
    (30.0, 82, 21),  # the instant of green: green
    (55.0, 82, 21),  # the instant of yellow: yellow
    (60.0, 82, 21),  # the instant of red: red, waits 30 s
    (100.0, 82, 21),
    (150.5, 82, 21),
    (179.9, 82, 21),
    (180.0, 82, 21),  # after the last whole cycle
]
ADVANCE = pl.DataFrame({"device_id": [1], "channel": [21], "phase": [2], "function": ["advance"]})
LOG = log_of((-10.0, 131, 3), *CYCLES, *HITS)


def udot(
    name: str, detectors: pl.DataFrame = ADVANCE, log: pl.DataFrame = LOG, **parameters: float
) -> pl.DataFrame:
    """The measure in the dialect."""
    return measures.compute(log, detectors, [name], dialect="udot", parameters={name: parameters})[name]


def test_arrivals_by_what_the_signal_showed() -> None:
    """Two on red, three on green, two on yellow: seven in whole cycles. Edges belong to what begins."""
    row = one_row(udot("arrivals_by_colour"))
    assert (row["hits"], row["on_green"], row["on_yellow"], row["on_red"]) == (7, 3, 2, 2)
    assert row["percent_on_red"] == pytest.approx(200 / 7)
    share = one_row(udot("arrival_on_green"))
    assert (share["total_actuations"], share["percent_aog"]) == (7, pytest.approx(3 / 7))


def test_a_bin_without_green_arrivals_has_a_row_in_this_dialect() -> None:
    """The atspm dialect leaves it out."""
    log = log_of(*CYCLES, (10.0, 82, 21))
    assert udot("arrival_on_green", log=log)["percent_aog"].to_list() == [0.0]


def test_delay_runs_from_arrival_on_red_to_green() -> None:
    """20 s + 30 s over seven vehicles; four quarters to the hour."""
    row = one_row(udot("approach_delay"))
    assert row["delay_s"] == 50
    assert row["delay_s_per_vehicle"] == pytest.approx(50 / 7)
    assert row["delay_veh_h_per_h"] == pytest.approx(50 * 4 / 3600)


def test_a_hit_counts_when_the_vehicle_is_at_the_stop_line() -> None:
    """100 m at 36 km/h are 10 s; less 2 s of decision point and 1 s of latency: 7 s later."""
    far = ADVANCE.with_columns(distance_m=pl.lit(100.0), speed_kmh=pl.lit(36.0))
    points = udot("pcd_points", far, decision_point_s=2.0, latency_s=1.0)
    assert points["timestamp"].to_list() == [at(t + 7) for t in (-5.0, 10.0, 30.0, 55.0, 60.0, 100.0, 150.5)]
    assert udot("arrivals_by_colour", far, decision_point_s=2.0, latency_s=1.0)["hits"].to_list() == [7]
    assert udot("pcd_points", latency_s=1.0)["timestamp"][0] == at(9.0)


def test_points_and_lines_of_the_diagram() -> None:
    """Seconds since red began, for dots and lines alike."""
    points = udot("pcd_points")
    assert points["seconds_in_cycle"].to_list() == [10.0, 30.0, 55.0, 0.0, 40.0, 30.5, 59.9]
    assert points["signal_state"].to_list() == [9, 1, 8, 9, 1, 1, 8]
    assert points["start_time"].to_list() == [at(t) for t in (0, 0, 0, 60, 60, 120, 120)]
    lines = udot("pcd_cycles")
    assert lines["timestamp"].to_list() == [at(0), at(60), at(120)]
    assert lines["end_time"].to_list() == [at(60), at(120), at(180)]
    assert lines.select("green_s", "yellow_s", "cycle_s").unique().rows() == [(30.0, 55.0, 60.0)]
    assert lines["hits"].to_list() == [3, 2, 2]


def test_figures_by_plan_are_of_whole_percent() -> None:
    """3 of 7 on green are 43 %, 75 of 180 s of green are 42 %: the ratio is 43/42."""
    row = one_row(udot("pcd_plans"))
    assert (row["plan"], row["cycles"], row["hits"]) == (3, 3, 7)
    assert (row["percent_aog"], row["percent_green"]) == (43, 42)
    assert row["platoon_ratio"] == pytest.approx(43 / 42)
    assert (row["start_time"], row["end_time"]) == (at(-10), at(180))


def test_a_cycle_belongs_to_the_plan_in_which_it_began() -> None:
    """The plan changes at 90 s, in the second cycle; being told of it once more changes nothing."""
    log = log_of((0.0, 131, 3), (90.0, 131, 4), (100.0, 131, 4), *CYCLES, *HITS[1:])
    rows = udot("pcd_plans", log=log)
    assert rows.select("plan", "cycles", "hits").rows() == [(3, 2, 5), (4, 1, 2)]
    assert rows["end_time"].to_list() == [at(90), at(180)]


def test_a_cycle_that_lost_an_event_is_none() -> None:
    """Without the second green nothing is known of what arrived then."""
    log = log_of(*[event for event in CYCLES if event != (90.0, 1, 2)], *HITS)
    assert udot("arrivals_by_colour", log=log)["hits"].to_list() == [5]


def test_volume_and_direction() -> None:
    """Phases 2 and 6 are opposite: 3 of 4; phase 1 has no opposite."""
    hits = [(1.0, 82, 21), (2.0, 82, 21), (3.0, 82, 21), (4.0, 82, 61), (5.0, 82, 11)]
    loops = pl.DataFrame(
        {"device_id": [1] * 3, "channel": [11, 21, 61], "phase": [1, 2, 6], "function": ["advance"] * 3}
    )
    rows = udot("approach_volume", loops, log_of(*hits))
    assert rows["volume"].to_list() == [1, 3, 1]
    assert rows["flow_veh_h"].to_list() == [4.0, 12.0, 4.0]
    assert rows["d_factor"].to_list() == [None, 0.75, 0.25]


def test_peak_hour() -> None:
    """Quarters of 1, 4, 2, 3, 2 and 1: the peak hour is 4 + 2 + 3 + 2 = 11 of 13."""
    quarters = (1, 4, 2, 3, 2, 1)
    hits = [(900.0 * q + 10.0 * i, 82, 21) for q, count in enumerate(quarters) for i in range(count)]
    row = one_row(udot("approach_peaks", log=log_of(*hits)))
    assert (row["start_time"], row["end_time"]) == (at(900), at(4500))
    assert (row["volume"], row["peak_hour_volume"]) == (13, 11)
    assert row["peak_hour_factor"] == pytest.approx(11 / 16)
    assert row["k_factor"] == pytest.approx(11 / 13)
    assert row["d_factor"] == 1.0


def test_days_of_peaks_are_local() -> None:
    """23:30 UTC on 14 January is 00:30 on the 15th in Berlin."""
    late = datetime(2024, 1, 14, 23, 30, tzinfo=UTC) - BEGIN
    rows = measures.approach_peaks(
        log_of((late.total_seconds(), 82, 21)), ADVANCE, dialect="udot", timezone="Europe/Berlin"
    )
    assert [str(day) for day in rows["timestamp"]] == ["2024-01-15 00:00:00+01:00"]


def test_turning_counts_and_lanes() -> None:
    """Through lanes with 3 and 1 hits: 4 / (2 x 3); a left lane alone is used evenly."""
    loops = pl.DataFrame(
        {
            "device_id": [1] * 3,
            "channel": [1, 2, 3],
            "phase": [2, 2, 5],
            "function": ["count"] * 3,
            "movement": ["through", "through", "left"],
            "lane": ["a", "b", None],
        }
    )
    log = log_of((1.0, 82, 1), (2.0, 82, 1), (3.0, 82, 1), (4.0, 82, 2), (5.0, 82, 3), (6.0, 82, 4))
    rows = udot("turning_counts", loops, log)
    assert rows.select("phase", "movement", "total", "lanes").rows() == [
        (2, "through", 4, 2),
        (5, "left", 1, 1),
    ]
    assert rows["lane_utilisation"].to_list() == [pytest.approx(4 / 6), 1.0]
    counted = rows.select("timestamp", "device_id", "phase", "movement", counted=pl.Series([9, 1]))
    assert against_counts(rows, counted)["geh"].to_list() == [pytest.approx((2 * 20**2 / 52) ** 0.5), 0.0]
    with pytest.raises(InputError, match="found no counted"):
        against_counts(rows, rows)


def test_geh_of_a_textbook_pair() -> None:
    """Model 600, count 500 vehicles an hour: the root of 2 x 10000 / 1100."""
    assert geh([600, 0], [500, 0]).tolist() == [pytest.approx(4.264014), 0.0]

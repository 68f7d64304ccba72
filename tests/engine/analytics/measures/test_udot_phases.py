"""Split failures, yellow and red hits, ends of phases and splits of three cycles worked out by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from greensplit.engine.analytics import measures
from greensplit.engine.analytics.measures.red_cycles import Occupied

from .hand import at, log_of, one_row

PRESENCE = pl.DataFrame(
    {"device_id": [1, 1], "channel": [21, 22], "phase": [2, 2], "function": ["presence", "presence"]}
)
STOP_LINE = pl.DataFrame({"device_id": [1], "channel": [24], "phase": [2], "function": ["yellow_red"]})
SIGNALS = [
    (begin + t, code, 2)
    for begin in (0.0, 60.0, 120.0)
    for t, code in ((0.0, 1), (20.0, 8), (24.0, 9), (24.0, 10), (26.0, 11))
] + [(180.0, 1, 2)]
"""Phase 2: green 20 s, yellow 4 s, red 36 s with 2 s of clearance, three times."""


def udot(
    name: str, log: pl.DataFrame, detectors: pl.DataFrame = PRESENCE, **parameters: float | bool
) -> pl.DataFrame:
    """The measure in the dialect."""
    return measures.compute(log, detectors, [name], dialect="udot", parameters={name: parameters})[name]


OCCUPIED = [
    # first cycle: lanes together 0-16 of 20 s of green and 24-28 of 5 s of red: 0.8 and 0.8, fails
    *((0.0, 82, 21), (10.0, 81, 21), (8.0, 82, 22), (16.0, 81, 22), (24.0, 82, 21), (28.0, 81, 21)),
    # second: 15.8 of 20 s are 79 %, not above
    *((60.0, 82, 21), (75.8, 81, 21), (84.0, 82, 21), (89.0, 81, 21)),
    # third: lane 22 all the time
    *((119.0, 82, 22), (170.0, 81, 22)),
]


def test_split_failures_of_an_approach() -> None:
    """Above 79 % in green and in five seconds of red, the lanes as one: the first and the third cycle."""
    rows = udot("split_failures", log_of(*SIGNALS, *OCCUPIED), by_cycle=True)
    assert rows["timestamp"].to_list() == [at(0), at(60), at(120)]
    assert rows["green_time"].to_list() == [20.0] * 3
    assert rows["green_occupancy"].to_list() == [pytest.approx(one, rel=1e-6) for one in (0.8, 0.79, 1.0)]
    assert rows["red_occupancy"].to_list() == [pytest.approx(one, rel=1e-6) for one in (0.8, 1.0, 1.0)]
    assert rows["split_failure"].to_list() == [1, 0, 1]
    row = one_row(udot("split_failures", log_of(*SIGNALS, *OCCUPIED)))
    assert (row["split_failure"], row["detector"]) == (2, 0)
    assert row["green_occupancy"] == pytest.approx((0.8 + 0.79 + 1) / 3, rel=1e-6)


def test_split_failures_of_single_lanes() -> None:
    """No lane fails in the first cycle alone; lane 22 does in the third."""
    rows = udot("split_failures", log_of(*SIGNALS, *OCCUPIED), by_approach=False)
    assert rows.sort("detector").select("detector", "split_failure").rows() == [(21, 0), (22, 1)]
    assert rows.sort("detector")["green_occupancy"][1] == pytest.approx((0.4 + 0 + 1) / 3, rel=1e-6)


def test_a_failure_belongs_to_the_bin_in_which_its_cycle_begins() -> None:
    """Not to that of its red, as in the atspm dialect."""
    log = log_of(*[(t + 890.0, code, number) for t, code, number in (*SIGNALS, *OCCUPIED)])
    ours = udot("split_failures", log)
    assert ours["timestamp"].to_list() == [at(0), at(900)]
    assert measures.split_failures(log, PRESENCE)["timestamp"].to_list() == [at(900)]


def test_occupied_time_is_that_of_counted_milliseconds() -> None:
    """Against a list of every millisecond."""
    rng = np.random.default_rng(4)
    begin = rng.integers(0, 300, 40)
    end = begin + rng.integers(0, 20, 40)
    held = np.zeros(400, np.int64)
    for first, last in zip(begin, end, strict=True):
        held[first:last] = 1
    low = rng.integers(0, 200, 60)
    high = low + rng.integers(0, 150, 60)
    expected = [held[a:b].sum() for a, b in zip(low, high, strict=True)]
    assert Occupied(begin, end).between(low, high).tolist() == expected


def test_hits_on_yellow_and_red() -> None:
    """Yellow from 20 s to 24 s, red until green: severe from 5 s after the end of yellow; green hits are none."""
    hits = [(t, 82, 24) for t in (10.0, 20.0, 24.0, 24.1, 29.0, 29.1, 59.9, 60.0, 83.0, 175.0)]
    row = one_row(udot("yellow_red_actuations", log_of(*SIGNALS, *hits), STOP_LINE))
    assert (row["cycles"], row["yellow"], row["violations"], row["severe_violations"]) == (3, 3, 5, 3)
    assert row["mean_yellow_s"] == pytest.approx((0 + 4 + 3) / 3)
    row = one_row(udot("yellow_red_actuations", log_of(*SIGNALS, *hits), STOP_LINE, severe_after_s=0.0))
    assert row["severe_violations"] == 5


def test_quiet_cycles_count_and_cycles_without_red_clearance_do_not() -> None:
    """Of the phase's stop line only."""
    row = one_row(udot("yellow_red_actuations", log_of(*SIGNALS, (1.0, 82, 9)), STOP_LINE))
    assert (row["cycles"], row["yellow"], row["mean_yellow_s"]) == (3, 0, None)
    unclear = [event for event in SIGNALS if event[1] not in (10, 11)]
    assert udot("yellow_red_actuations", log_of(*unclear), STOP_LINE).is_empty()


ENDS = [(10.0, 4, 2), (10.0, 7, 2), (70.0, 5, 2), (70.0, 7, 2), (130.0, 5, 2), (130.0, 7, 2), (190.0, 7, 2)]


def test_ends_of_phases_in_a_row() -> None:
    """Gap-out, two max-outs, one of unknown kind; other phases do not break a row."""
    rows = udot("phase_terminations", log_of(*ENDS, (100.0, 6, 4), (100.0, 7, 4), (5.0, 21, 2)))
    assert rows.select("phase", "termination", "in_a_row").rows() == [
        (2, "Walk", 0),
        (2, "GapOut", 1),
        (2, "MaxOut", 1),
        (4, "ForceOff", 1),
        (2, "MaxOut", 2),
        (2, "Unknown", 1),
    ]
    rows = udot("phase_terminations", log_of(*ENDS), consecutive=2)
    assert rows["timestamp"].to_list() == [at(130)]


SERVICES = [
    *((0.0, 0, 2), (30.0, 12, 2), (60.0, 0, 2), (80.0, 12, 2), (120.0, 0, 2), (160.0, 12, 2)),
    *((31.0, 0, 4), (59.0, 12, 4)),
]


def test_split_monitor() -> None:
    """Phase 2 for 30, 20 and 40 s; phase 4 once, so it skipped two of three."""
    log = log_of(*SERVICES, *ENDS[:6], (5.0, 21, 2), (0.0, 131, 7), (0.0, 135, 33), (100.0, 135, 44))
    rows = udot("split_monitor", log).filter(pl.col("phase") == 2)
    assert rows["duration_s"].to_list() == [30.0, 20.0, 40.0]
    assert rows["termination"].to_list() == ["GapOut", "MaxOut", "MaxOut"]
    assert rows["has_walk"].to_list() == [True, False, False]
    assert rows["programmed_s"].to_list() == [33.0, 33.0, 44.0]
    assert rows["plan"].to_list() == [7, 7, 7]
    first, other = udot("split_monitor_plans", log).to_dicts()
    assert (first["phase"], first["services"], first["mean_s"], first["median_s"]) == (2, 3, 30.0, 30.0)
    assert first["percentile_s"] == pytest.approx(30 + 0.7 * 10)
    assert first["percent_gap_outs"] == pytest.approx(100 / 3)
    assert first["percent_max_outs"] == pytest.approx(200 / 3)
    assert (first["percent_skips"], first["percent_force_offs"]) == (0, 0)
    assert other["percent_skips"] == pytest.approx(200 / 3)


def test_splits_of_phases_above_sixteen() -> None:
    """Code 203 sets that of phase 17."""
    row = one_row(udot("split_monitor", log_of((0.0, 203, 25), (1.0, 0, 17), (9.0, 12, 17))))
    assert row["programmed_s"] == 25

"""Use of green, gaps, spillback, offsets, time-space bands and the watchdog, worked out by hand."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from greensplit.engine.analytics import measures
from greensplit.engine.analytics.measures.corridor import link_pivot, time_space_bands
from greensplit.engine.errors import InputError

from .hand import at, log_of, one_row

COUNT = pl.DataFrame({"device_id": [1], "channel": [21], "phase": [2], "function": ["count"]})
ADVANCE = pl.DataFrame(
    {"device_id": [1, 2], "channel": [21, 61], "phase": [2, 6], "function": ["advance", "advance"]}
)


def cycles(phase: int, first: float = 0.0, count: int = 3) -> list[tuple[float, int, int]]:
    """Red 30 s, green 25 s, yellow 5 s, so many times, and the begin of another red."""
    times = ((30.0, 1), (55.0, 8), (60.0, 9), (60.0, 10))
    rows = [(first + 60.0 * i + t, code, phase) for i in range(count) for t, code in times]
    return [(first, 9, phase), *rows]


def udot(name: str, log: pl.DataFrame, detectors: pl.DataFrame | None, **parameters: float) -> pl.DataFrame:
    """The measure in the dialect."""
    return measures.compute(log, detectors, [name], dialect="udot", parameters={name: parameters})[name]


def test_slices_of_green() -> None:
    """Hits 0, 3.9 and 4 s into the first green, 4.5 s into the second, in yellow; the third green has none."""
    hits = [(t, 82, 21) for t in (30.0, 33.9, 34.0, 94.5, 56.0)]
    rows = udot("green_time_utilisation", log_of(*cycles(2), *hits), COUNT)
    assert rows.select("slice_begin_s", "hits", "cycles").rows() == [(0.0, 2, 3), (4.0, 2, 3)]
    assert rows["hits_per_cycle"].to_list() == [pytest.approx(2 / 3)] * 2


def test_gaps_for_left_turns() -> None:
    """Three greens of 30 s to red clearance.

    First: gaps 0.5, 2, 3.3, 3.7, 7.4, 13.1 s. Second: none came, 30 s. Third: one at once, one at 29.5: 29.5, 0.5.
    """
    first = [(30.0 + t, 82, 21) for t in (0.5, 2.5, 5.8, 9.5, 16.9)]
    third = [(150.0, 82, 21), (179.5, 82, 21)]
    row = one_row(udot("left_turn_gap", log_of(*cycles(2), *first, *third), COUNT))
    assert (row["cycles"], row["green_s"]) == (3, 90)
    assert (row["gaps_small"], row["gaps_short"], row["gaps_medium"], row["gaps_turnable"]) == (1, 1, 1, 4)
    assert row["percent_turnable"] == pytest.approx(100 * (7.4 + 13.1 + 30 + 29.5) / 90)


def test_queue_spillback() -> None:
    """On-times 1 and 3.2 s: the 95th percentile is 3.09; only 3 s; none in the third cycle."""
    on = ((10.0, 1.0), (40.0, 3.2), (70.0, 3.0))
    hits = [(t + d, code, 21) for t, length in on for d, code in ((0.0, 82), (length, 81))]
    log = log_of(*cycles(2), *hits)
    row = one_row(udot("queue_spillback", log, ADVANCE))
    assert (row["cycles"], row["spillback_cycles"], row["spillback_share"]) == (2, 1, 0.5)
    assert one_row(udot("queue_spillback", log, ADVANCE, longest_s=3.1))["spillback_cycles"] == 0


def corridor() -> pl.DataFrame:
    """Device 1 has arrivals 10 s after green ended, device 2 15 s before it begins: three of each."""
    upstream = [(60.0 * i + 5.0, 82, 21) for i in range(3)]
    downstream = [(60.0 * i + 15.0, 82, 61) for i in range(3)]
    return pl.concat(
        [
            log_of(*cycles(2), *upstream),
            log_of(*cycles(6), *downstream, device=2),
        ]
    )


def test_arrivals_under_shifts() -> None:
    """At 5 s: 25 to 49 s later all meet green, 50 s later yellow; 10 s earlier two meet the yellow before."""
    rows = udot("arrivals_by_shift", corridor(), ADVANCE, cycle_s=60)
    curve = dict(rows.filter(pl.col("device_id") == 1).select("shift_s", "on_green").rows())
    assert [curve[s] for s in (0, 24, 25, 49, 50)] == [0, 0, 3, 3, 0]
    assert [curve[s] for s in (-10, -11, -35, -36)] == [0, 2, 2, 0]
    assert rows["hits"].unique().to_list() == [3]
    late = udot("arrivals_by_shift", corridor(), ADVANCE, cycle_s=60, from_minute=481)
    assert late["hits"].unique().to_list() == [2]


def test_link_pivot() -> None:
    """Upstream green later by 11 to 35 s catches upstream arrivals; arrivals downstream need 15 to 39 s: 15 s."""
    shifted = udot("arrivals_by_shift", corridor(), ADVANCE, cycle_s=60)
    links = pl.DataFrame(
        {"upstream": [1, 1], "upstream_phase": [2, 2], "downstream": [2, 2], "downstream_phase": [6, 6]}
    )
    rows = link_pivot(shifted, links, 60)
    assert rows["delta_s"].to_list() == [15, 15]
    assert rows["on_green_now"].to_list() == [0, 0]
    assert rows["on_green_then"].to_list() == [5, 5]
    assert rows["offset_change_s"].to_list() == [30, 15]
    with pytest.raises(InputError, match="found 0 rows"):
        link_pivot(shifted, links.with_columns(upstream_phase=4), 60)
    with pytest.raises(InputError, match="found 121 rows"):
        link_pivot(shifted, links, 90)
    with pytest.raises(InputError, match="no downstream_phase"):
        link_pivot(shifted, links.drop("downstream_phase"), 60)


def test_a_bias_prefers_a_direction() -> None:
    """Upstream has most within 11 to 35 s, downstream within 36 to 60: weight decides."""
    steps = range(-59, 60)
    curves = [(1, 2, s, 5 if -35 <= s <= -11 else 0) for s in steps]
    curves += [(2, 6, s, 6 if s >= 36 else 0) for s in steps]
    shifted = pl.DataFrame(curves, schema=["device_id", "phase", "shift_s", "on_green"], orient="row")
    links = pl.DataFrame({"upstream": 1, "upstream_phase": 2, "downstream": 2, "downstream_phase": 6})
    assert link_pivot(shifted, links, 60)["delta_s"].to_list() == [36]
    assert link_pivot(shifted, links, 60, upstream_bias_percent=50)["delta_s"].to_list() == [11]


def test_time_space_bands() -> None:
    """500 m at 60 km/h are 30 s: greens at 30-55 s arrive at 60-85 s, where green is at 70-95 s: 15 s each."""
    log = pl.concat([log_of(*cycles(2)), log_of(*cycles(6, first=40.0), device=2)])
    intervals = udot("phase_intervals", log, None)
    assert intervals.filter(pl.col("device_id") == 1)["signal_state"].to_list() == [9, 1, 8] * 3
    span = intervals.group_by("device_id").agg((pl.col("end_time") - pl.col("start_time")).sum())
    assert span["end_time"].to_list() == [timedelta(seconds=180)] * 2
    route = pl.DataFrame({"device_id": [1, 2], "phase": [2, 6], "distance_m": [0.0, 500.0]})
    rows = time_space_bands(intervals, route, 60.0)
    assert rows["start_time"].to_list() == [at(40), at(100), at(160)]
    assert rows["end_time"].to_list() == [at(55), at(115), at(175)]
    assert rows["travel_s"].to_list() == [30.0] * 3
    for wrong, speed in (
        (route.reverse(), 60.0),
        (route, 0.0),
        (route.head(1), 60.0),
        (route.drop("phase"), 60.0),
    ):
        with pytest.raises(InputError):
            time_space_bands(intervals, wrong, speed)


def night() -> pl.DataFrame:
    """From 02:00, 60 ends of phase 2, all but one by max-out; of phase 4 half; 201 walks of phase 8."""
    night_s = -6 * 3600.0
    ends = [(night_s + 60 * i, 5 if i != 30 else 4, 2) for i in range(60)]
    ends += [(night_s + 60 * i, 5 if i < 30 else 4, 4) for i in range(60)]
    walks = [(night_s + 50 * i, 21, 8) for i in range(201)]
    return log_of(*ends, *walks, (10 * 3600.0, 82, 21), (10 * 3600.0, 82, 99))


def test_watchdog() -> None:
    """Max-outs come 30 and 29 in a row, of which the first two do not count: 28 + 27 of 60.

    One hit between 17 and 18 (the one at 18:00 is after it, so none), 323 records; channel 99 is not configured.
    """
    rows = udot("watchdog", night(), ADVANCE.filter(pl.col("device_id") == 1))
    found = {
        (check, number): value for check, number, value in rows.select("check", "number", "value").rows()
    }
    assert found == {
        ("max_out", 2): pytest.approx(100 * 55 / 60),
        ("stuck_ped", 8): 201,
        ("low_hits", 2): 0,
        ("few_records", 0): 323,
        ("unconfigured_detector", 99): 1,
    }
    calm = udot(
        "watchdog", night(), None, most_percent=92.0, most_ped_events=201, least_records=322, least_hits=0
    )
    assert calm.is_empty()


def test_nights_of_the_watchdog_are_local() -> None:
    """02:00 UTC is 11:00 in Tokyo, and the day another."""
    rows = measures.watchdog(night(), None, dialect="udot", timezone="Asia/Tokyo")
    assert rows["check"].unique().to_list() == ["few_records"]

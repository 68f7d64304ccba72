"""Health of detectors worked out by hand."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from greensplit.engine.analytics import measures

from .hand import at, log_of, one_row

MIN, H = 60.0, 3600.0
CONFIG = pl.DataFrame(
    {"device_id": [1, 1], "channel": [5, 9], "phase": [2, 2], "function": ["presence", "pedestrian"]}
)


def health(*events: tuple[float, int, int], **parameters: float) -> pl.DataFrame:
    """From eight to ten, as two events of no detector say."""
    log = log_of((0.0, 131, 1), *events, (2 * H, 131, 2))
    rows = measures.compute(
        log, CONFIG, ["detector_health"], dialect="udot", parameters={"detector_health": parameters}
    )
    return rows["detector_health"]


def of(rows: pl.DataFrame, detector: int) -> dict[str, object]:
    """The row of a detector."""
    return one_row(rows.filter(pl.col("detector") == detector))


def test_a_detector_that_works() -> None:
    """On at 8:10 for 6 min and at 9:30 for 12 min: 15 % of two hours; longest off 9:30 - 8:16 = 74 min."""
    rows = health((10 * MIN, 82, 7), (16 * MIN, 81, 7), (90 * MIN, 82, 7), (102 * MIN, 81, 7))
    row = of(rows, 7)
    assert (row["actuations"], row["most_per_min"]) == (2, 1)
    assert row["occupancy_percent"] == pytest.approx(15)
    assert (row["longest_presence_min"], row["longest_absence_min"]) == (12, 74)
    assert not any(row[name] for name in ("stuck_on", "stuck_off", "chatter", "no_data"))


def test_limits_are_exceeded_not_reached() -> None:
    events = [(10 * MIN, 82, 7), (16 * MIN, 81, 7), (90 * MIN, 82, 7), (102 * MIN, 81, 7)]
    at_limit = of(health(*events, max_presence_min=12, no_activity_min=74, erratic_per_min=1), 7)
    assert not any(at_limit[name] for name in ("stuck_on", "stuck_off", "chatter"))
    above = of(health(*events, max_presence_min=11.9, no_activity_min=73.9, erratic_per_min=0), 7)
    assert all(above[name] for name in ("stuck_on", "stuck_off", "chatter"))


def test_on_to_the_end_and_on_from_the_begin() -> None:
    """Without an off it is on until the log ends; with an off first it was on since the log began."""
    rows = health((80 * MIN, 82, 7), (40 * MIN, 81, 8))
    last, first = of(rows, 7), of(rows, 8)
    assert (last["longest_presence_min"], last["longest_absence_min"]) == (40, 80)
    assert (first["longest_presence_min"], first["longest_absence_min"]) == (40, 80)
    assert (last["stuck_on"], first["stuck_on"]) == (True, True)


def test_what_was_lost_is_neither_on_nor_off() -> None:
    """On, on 50 min later, off 10 min later; off, off 40 min later: only 10 min are known as on, 20 and 0 as off."""
    rows = health((20 * MIN, 82, 7), (70 * MIN, 82, 7), (80 * MIN, 81, 7), (120 * MIN, 81, 7))
    row = of(rows, 7)
    assert (row["longest_presence_min"], row["longest_absence_min"]) == (10, 20)


def test_chatter_counts_minutes_of_the_clock() -> None:
    """61 actuations within a minute are chatter, 40 and 40 on either side of a full minute are not."""
    one = [(MIN + 0.9 * i + d, code, 7) for i in range(61) for d, code in ((0.0, 82), (0.4, 81))]
    two = [(MIN + 0.7 * (i - 40) + d, code, 8) for i in range(80) for d, code in ((0.0, 82), (0.3, 81))]
    rows = health(*one, *two)
    assert (of(rows, 7)["most_per_min"], of(rows, 7)["chatter"]) == (61, True)
    assert (of(rows, 8)["most_per_min"], of(rows, 8)["chatter"]) == (40, False)


def test_a_configured_detector_without_events_has_no_data() -> None:
    """Channel 5 is configured; channel 9 is a push button and none of these."""
    rows = health(no_activity_min=119)
    assert rows["detector"].to_list() == [5]
    row = one_row(rows)
    assert (row["no_data"], row["stuck_off"], row["longest_absence_min"]) == (True, True, 120)
    assert (row["actuations"], row["occupancy_percent"]) == (0, 0)


def test_over_midnight() -> None:
    """On from 23:00 to 01:00: 60 min by the first midnight, 120 the day after; 2 h of 16, 1 h of 2 within the log."""
    log = log_of((0.0, 131, 1), (15 * H, 82, 7), (17 * H, 81, 7), (18 * H, 131, 2))
    rows = measures.detector_health(log, dialect="udot", max_presence_min=90)
    assert rows["timestamp"].to_list() == [at(-8 * H), at(16 * H)]
    assert rows["longest_presence_min"].to_list() == [60, 120]
    assert rows["stuck_on"].to_list() == [False, True]
    assert rows["occupancy_percent"].to_list() == [pytest.approx(100 / 16), pytest.approx(50)]
    assert rows["no_data"].to_list() == [False, False]
    assert rows["timestamp"].diff()[1] == timedelta(days=1)

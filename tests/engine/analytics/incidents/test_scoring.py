"""Alarms against truth, and intervals against published values."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from greensplit.engine.analytics.incidents.scoring import (
    Alarm,
    Truth,
    alarms_of,
    poisson_interval,
    score_alarms,
    truth_frame,
    wilson_interval,
)

INCIDENT = Truth(1000.0, 1600.0, frozenset({1, 2}))


def alarm(start_s: float, device: int = 1) -> Alarm:
    """An alarm that ends when it starts."""
    return Alarm(start_s, start_s, device, 0)


def test_bins_over_the_threshold_become_one_alarm_until_ten_minutes_are_quiet() -> None:
    """Minutes 1, 2 and 12 are one alarm, from 60 s to 720 s; minute 23 is the next."""
    over = np.zeros((30, 2), np.bool_)
    over[[0, 1, 11], 1] = True
    over[22, 0] = True
    found = alarms_of(over, 60.0 * np.arange(1, 31), [7, 7])
    assert found == [Alarm(60.0, 720.0, 7, 1), Alarm(1380.0, 1380.0, 7, 0)]


def test_junctions_have_alarms_of_their_own() -> None:
    """The same minute at two junctions: two alarms."""
    assert [a.device for a in alarms_of(np.ones((1, 2), np.bool_), np.array([60.0]), [3, 4])] == [3, 4]


def test_the_first_alarm_during_the_incident_at_either_end_finds_it() -> None:
    """200 s after its start, at the junction upstream; the later one is no second find and not false."""
    score = score_alarms([alarm(1300.0), alarm(1200.0, 2)], [INCIDENT], 24.0)
    assert score.delays_s == (200.0,)
    assert (score.found, score.false_alarms) == (1, ())


@pytest.mark.parametrize(
    ("start_s", "device", "false"),
    [
        (999.0, 1, True),
        (1000.0, 1, True),
        (1601.0, 1, False),
        (2500.0, 1, False),
        (2501.0, 1, True),
        (1200.0, 3, True),
    ],
)
def test_before_elsewhere_and_long_after_are_false_and_the_aftermath_is_neither(
    start_s: float, device: int, false: bool
) -> None:
    """What clears for a quarter of an hour after the incident is neither found nor false."""
    score = score_alarms([alarm(start_s, device)], [INCIDENT], 24.0)
    assert score.found == 0
    assert len(score.false_alarms) == false


def test_nine_of_twelve_is_between_47_and_91_percent() -> None:
    """Wilson (1927)."""
    low, high = wilson_interval(9, 12)
    assert (round(low, 2), round(high, 2)) == (0.47, 0.91)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert wilson_interval(0, 10)[0] == 0.0


def test_no_event_in_three_days_is_at_most_1_23_a_day() -> None:
    """-ln 0.025 = 3.689 over 3; of 5 events, 1.623 to 11.668 (Garwood 1936, table)."""
    assert poisson_interval(0, 3.0) == (0.0, pytest.approx(3.689 / 3.0, abs=1e-3))
    assert poisson_interval(5, 1.0) == (pytest.approx(1.623, abs=1e-3), pytest.approx(11.668, abs=1e-3))


def test_truth_is_told_in_utc_and_in_seconds() -> None:
    """A surge has no place."""
    row = {"incident_id": "0", "kind": "surge", "lane": "", "start_s": 90.0, "end_s": 150.0}
    found = truth_frame([row], datetime(2024, 1, 1, tzinfo=UTC)).row(0, named=True)
    assert found["start"] == datetime(2024, 1, 1, 0, 1, 30, tzinfo=UTC)
    assert found["device_id"] is None
    assert truth_frame([], datetime(2024, 1, 1, tzinfo=UTC)).is_empty()

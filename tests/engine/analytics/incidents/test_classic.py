"""The classic algorithms on series small enough to follow by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from greensplit.engine.analytics.incidents import apid, california, double_exponential, profile, snd
from greensplit.engine.analytics.incidents.series import NO_LOOP, LanePlace, LaneSeries
from greensplit.engine.analytics.incidents.stations import (
    StationPair,
    StationSeries,
    pairs_of,
    station_series,
)


def column(*values: float) -> npt.NDArray[np.float64]:
    """(steps, 1)."""
    return np.array(values, np.float64)[:, None]


def stations(up: list[float], down: list[float], count: list[float] | None = None) -> StationSeries:
    """One pair, steps of a minute."""
    return StationSeries(60.0, column(*up), column(*down), column(*(count or [10.0] * len(up))))


def flat(values: npt.NDArray[np.float64]) -> list[float]:
    """Of the one pair."""
    return [round(float(value), 6) for value in values[:, 0]]


def test_california_7_confirms_in_the_second_step_and_goes_on_while_the_relative_difference_does() -> None:
    """O_up 30, O_down 10: OCCDF 20 >= 8.1, OCCRDF 0.67, O_down < 16.8. Entry at 1, alarm at 2 to 4: 20 / 8.1 = 2.469.

    At 4, O_down is 18: no new entry, but OCCRDF 0.4 >= 0.313 goes on. At 5, OCCRDF 0.2: over.
    """
    series = stations([10, 30, 30, 30, 30, 25], [10, 10, 10, 10, 18, 20])
    expected = round(20 / 8.1, 6)
    assert flat(california.score7(series)) == [0, 0, expected, expected, expected, 0]


def test_california_7_wants_the_road_downstream_to_be_free() -> None:
    """O_down 17 is congestion further on, not an incident between."""
    assert flat(california.score7(stations([40] * 4, [17] * 4))) == [0, 0, 0, 0]


def test_california_8_is_silent_for_five_steps_after_a_compression_wave() -> None:
    """O_down rises from 10 to 30 in two steps, a fall of -2: a wave at step 2. Silent to step 7; entry 8, alarm 9."""
    up, down = [10, 10, 50, *[30] * 8], [10, 10, 30, *[10] * 8]
    assert flat(california.score7(stations(up, down)))[4] > 0
    found = flat(california.score8(stations(up, down)))
    assert found[:9] == [0] * 9
    assert found[9] == round(20 / 8.1, 6)


def test_apid_waits_for_persistence_in_heavy_traffic() -> None:
    """O_up 70, O_down 10: OCCDF 60 / 10.2. Entry at step 1; five minutes later, at step 6, it is told."""
    found = flat(apid.score(stations([10, *[70] * 7], [10] * 8)))
    assert found == [0, 0, 0, 0, 0, 0, round(60 / 10.2, 6), round(60 / 10.2, 6)]


def test_apid_wants_a_fall_of_speed_in_medium_traffic() -> None:
    """O_up 20, O_down 10, OCCRDF 0.5 / 0.4 = 1.25. 10 vehicles at 10 %, then at 20 %: speed halves, 0.5 / 0.1 = 5."""
    config = apid.Config(persistence_s=60.0)
    slower = apid.score(stations([10, 10, 20, 20, 20], [10] * 5), config)
    assert flat(slower)[3:] == [1.25, 1.25]
    as_fast = apid.score(stations([10, 10, 20, 20, 20], [10] * 5, [10, 10, 20, 20, 20]), config)
    assert flat(as_fast) == [0] * 5


def test_apid_does_not_look_in_light_traffic() -> None:
    """4 % upstream."""
    assert flat(apid.score(stations([4] * 9, [0] * 9))) == [0] * 9


def test_snd_needs_two_steps_in_a_row() -> None:
    """Mean 10, sd of 9, 10, 11, 10, 10 is 0.707, held to 1: 16 is 6 deviates, told at the second.

    For the second step the five before are 10, 11, 10, 10, 16: mean 11.4, sd 2.608; (22 - 11.4) / 2.608 = 4.064.
    """
    found = flat(snd.score(column(9, 10, 11, 10, 10, 16, 22, 10)))
    assert found[:6] == [0] * 6
    assert found[6] == pytest.approx(4.064 / 3, abs=1e-3)
    assert found[7] == 0


def test_double_exponential_signal_of_a_step() -> None:
    """alpha 0.5, gamma 0.5; values 10, 10, 20: the third error is 10, its mean deviation 5: 2. The next forecast is
    2 * 15 - 12.5 = 17.5, error 2.5: sum 5 + 2.5 = 7.5, deviation 2.5 + 1.25 = 3.75: 2."""
    config = double_exponential.Config(alpha=0.5, gamma=0.5, threshold=1.0)
    assert flat(double_exponential.score(column(10, 10, 20, 20), config)) == [0, 0, 2.0, 2.0]


def test_a_fall_is_not_an_incident_for_a_detector_of_rises() -> None:
    """The tracking signal is negative: 0."""
    config = double_exponential.Config(alpha=0.5, gamma=0.5, threshold=1.0)
    assert flat(double_exponential.score(column(10, 10, 0), config)) == [0, 0, 0]


def test_the_profile_of_the_day_knows_the_rush_hour() -> None:
    """Usual: 10, 50, 10, 10 with days at -2, 0, +2: MAD 2, 2.965 as a standard deviation. 50 is usual at step 1, and
    40 / 2.965 / 3.5 at step 2."""
    config = profile.Config(period=4, spread=0, smooth=1)
    day = column(10, 50, 10, 10)
    usual = profile.learn([day - 2, day, day + 2], config)
    found = flat(profile.score(column(10, 50, 50, 10), usual, config))
    assert found == pytest.approx([0, 0, 40 / (1.4826 * 2) / 3.5, 0], abs=1e-5)


def lanes() -> list[LanePlace]:
    """Two approaches in a row: lane 0 feeds lanes 1 and 2 at the next junction; 3 has no advance loop."""
    return [
        LanePlace(1, "a", "west", "a1", (1,), 1, 2),
        LanePlace(2, "b", "west", "b1", (1,), 1, 2, (2,), ((0, 20.0),)),
        LanePlace(2, "b", "west", "b2", (1,), 3, 4, (1,), ((0, 20.0),)),
        LanePlace(2, "b", "north", "n1", (2,), 5, NO_LOOP, (), ((0, 20.0),)),
    ]


def test_stations_are_pairs_of_approaches_with_advance_loops() -> None:
    """One pair; the mean of lanes, in steps of three bins; an odd bin is left out."""
    assert pairs_of(lanes()) == [StationPair(2, (0,), (1, 2))]
    shape = (7, 4)
    occupancy = np.zeros(shape)
    occupancy[:, 0], occupancy[:, 1], occupancy[:, 2] = 0.3, 0.1, 0.2
    blank = np.zeros(shape)
    series = LaneSeries(0.0, 20.0, blank, np.ones(shape), blank, occupancy, blank, blank, blank)
    found = station_series(series, pairs_of(lanes()), 60.0)
    assert (found.step_s, found.up_pct.shape) == (60.0, (2, 1))
    assert (flat(found.up_pct), flat(found.down_pct), flat(found.up_count)) == ([30, 30], [15, 15], [3, 3])

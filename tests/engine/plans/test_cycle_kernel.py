"""The second-by-second model of a cycle against closed forms and a naive simulation."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.plans.cycle_kernel import (
    GO,
    STOP,
    YIELD,
    Lanes,
    disperse_profile,
    equalise_saturation,
    run_lanes,
    set_cycle,
)
from greensplit.engine.plans.platoon import dispersion

from .streets import F64, one_lane, scratch

NO_PROFILE = np.zeros((1, 1))


def green(seconds: int, cycle_s: int, start_s: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Lamps (C, 1) of one group."""
    lamps = np.full((cycle_s, 1), STOP, np.uint8)
    lamps[[(start_s + k) % cycle_s for k in range(seconds)]] = GO
    return lamps


def test_even_arrivals_give_the_uniform_delay() -> None:
    """C 60 s, g 30 s, v 0.2, s 0.5 veh/s.

    The red of 30 s leaves 6 vehicles, which take 6 / 0.3 = 20 s: the triangle is 6 * 50 / 2 = 150 veh s in 12 vehicles,
    12.5 s each, as 0.5 C (1 - g/C)^2 / (1 - x g/C) with x = 12 / 15 has it. Ten of them stop.
    """
    lanes, found = one_lane(0.2, 0.5)
    run_lanes(lanes, green(30, 60), 60, NO_PROFILE, True, found)
    assert found.capacity[0] == pytest.approx(15.0)
    assert found.delay[0] == pytest.approx(150.0)
    assert found.delay[0] / 12.0 == pytest.approx(0.5 * 60 * 0.5**2 / (1 - 0.8 * 0.5))
    assert found.stops[0] == pytest.approx(10.0, abs=0.25)
    assert found.departed[0, :60].sum() == pytest.approx(12.0)


def test_the_queue_is_gone_when_arithmetic_says_so() -> None:
    """20 s after the start of green vehicles leave as they come, 0.2 a second; before that at 0.5."""
    lanes, found = one_lane(0.2, 0.5)
    run_lanes(lanes, green(30, 60), 60, NO_PROFILE, True, found)
    assert found.departed[0, :20] == pytest.approx(np.full(20, 0.5))
    assert found.departed[0, 21:30] == pytest.approx(np.full(9, 0.2))


def test_a_lane_over_capacity_is_taken_as_just_full() -> None:
    """v 0.4 brings 24 where 15 can go: the model's cycle takes 0.999 of 15."""
    lanes, found = one_lane(0.4, 0.5)
    run_lanes(lanes, green(30, 60), 60, NO_PROFILE, True, found)
    assert found.departed[0, :60].sum() == pytest.approx(0.999 * 15.0)
    assert found.scale[0] == pytest.approx(0.999 * 15.0 / 24.0)


def naive_delay(arrival: list[float], lamps: list[int], rate: float) -> float:
    """Vehicle seconds in the last of ten cycles of a queue that empties whenever it may."""
    queue, delay = 0.0, 0.0
    for _ in range(10):
        delay = 0.0
        for come, shown in zip(arrival, lamps, strict=True):
            queue += come
            queue -= min(queue, rate if shown == GO else 0.0)
            delay += queue
    return delay


@pytest.mark.parametrize("seed", range(12))
def test_profiles_give_the_delay_of_a_naive_simulation(seed: int) -> None:
    """Any greens, any arrivals that fit."""
    draw = np.random.default_rng(seed)
    cycle_s = int(draw.integers(30, 100))
    lamps = green(int(draw.integers(10, cycle_s)), cycle_s, int(draw.integers(0, cycle_s)))
    rate = 0.5
    arrival = draw.random((1, cycle_s))
    arrival *= 0.9 * draw.random() * rate * (lamps == GO).sum() / arrival.sum()
    lanes, found = one_lane(float(arrival.sum()) / cycle_s, rate)
    run_lanes(lanes, lamps, cycle_s, arrival, False, found)
    expected = naive_delay(arrival[0].tolist(), lamps[:, 0].tolist(), rate)
    assert found.delay[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def two_lanes(flow: tuple[float, float], gap_rate: float, foe: bool) -> Lanes:
    """Lane 0 with group 0, lane 1 with group 1; group 0 yields to group 1 where ``foe``."""
    return Lanes(
        ptr=np.array([0, 1, 2], np.int64),
        group=np.array([0, 1], np.int64),
        share=np.ones(2),
        rate=np.full(2, 0.5),
        gap_rate=np.array([gap_rate, 0.5]),
        flow=np.array(flow),
        foe=np.array([[0, int(foe)], [0, 0]], np.uint8),
    )


def test_a_turn_waits_for_the_opposing_queue_and_then_uses_gaps() -> None:
    """The queue that the turn yields to takes 20 of 30 s: about 10 s at 0.25 are left, and two turn at the end."""
    lamps = np.full((60, 2), STOP, np.uint8)
    lamps[:30] = [YIELD, GO]
    found = scratch(2, 2)
    run_lanes(two_lanes((0.05, 0.2), 0.25, foe=True), lamps, 60, NO_PROFILE, True, found)
    assert found.capacity[0] == pytest.approx(10 * 0.25 + 2.0, abs=1.0)
    run_lanes(two_lanes((0.05, 0.2), 0.25, foe=False), lamps, 60, NO_PROFILE, True, found)
    assert found.capacity[0] == pytest.approx(30 * 0.25 + 2.0, abs=1e-6)


def test_a_vehicle_that_may_not_go_holds_up_its_lane() -> None:
    """Three of four go straight and are green, one turns and is red: three pass until a turner stands in front."""
    lanes = Lanes(
        ptr=np.array([0, 2], np.int64),
        group=np.array([0, 1], np.int64),
        share=np.array([0.75, 0.25]),
        rate=np.full(2, 0.5),
        gap_rate=np.full(2, 0.5),
        flow=np.array([0.01]),
        foe=np.zeros((2, 2), np.uint8),
    )
    lamps = np.full((60, 2), STOP, np.uint8)
    lamps[:30, 0] = GO
    found = scratch(1, 2)
    run_lanes(lanes, lamps, 60, NO_PROFILE, True, found)
    assert found.capacity[0] == pytest.approx(3.0)


def test_a_cycle_shows_stages_and_changes_two_seconds_later() -> None:
    """Stages of 3 and 2 s, changes of 1 and 2 s: 8 s, and the first second of the first stage is shown in second 2."""
    stage = np.array([[GO, STOP], [STOP, GO]], np.uint8)
    change = np.array([[STOP, STOP], [STOP, YIELD], [STOP, STOP]], np.uint8)
    out = np.full((20, 2), 9, np.uint8)
    ptr, hold = np.array([0, 1, 3], np.int64), np.array([3, 2], np.int64)
    assert set_cycle(stage, change, ptr, hold, out) == 8
    expected = [(GO, STOP)] * 3 + [(STOP, STOP)] + [(STOP, GO)] * 2 + [(STOP, YIELD), (STOP, STOP)]
    assert [tuple(row) for row in np.roll(out[:8], -2, axis=0).tolist()] == expected


def test_green_goes_to_stages_in_proportion_to_their_flow() -> None:
    """Flows of 2 to 1, 45 s of green: 30 and 15, from wherever it starts."""
    stage = np.array([[GO, STOP], [STOP, GO]], np.uint8)
    change, ptr = np.zeros((10, 2), np.uint8), np.array([0, 5, 10], np.int64)
    least, room = np.array([5, 5], np.int64), np.zeros((400, 2), np.uint8)
    for start in ((5, 40), (40, 5), (22, 23)):
        hold = np.array(start, np.int64)
        lanes = two_lanes((0.2, 0.1), 0.5, foe=False)
        worst = equalise_saturation(lanes, stage, change, ptr, least, hold, room, scratch(2, 2))
        assert hold.tolist() == [30, 15]
        assert worst == pytest.approx(0.2 * 55 / (0.5 * 30))


def test_minimum_greens_are_kept() -> None:
    """Nobody comes to the second stage; it keeps its 12 s."""
    stage = np.array([[GO, STOP], [STOP, GO]], np.uint8)
    change, ptr = np.zeros((10, 2), np.uint8), np.array([0, 5, 10], np.int64)
    hold = np.array([25, 25], np.int64)
    lanes = two_lanes((0.2, 0.0), 0.5, foe=False)
    least = np.array([5, 12], np.int64)
    equalise_saturation(lanes, stage, change, ptr, least, hold, np.zeros((400, 2), np.uint8), scratch(2, 2))
    assert hold.tolist() == [38, 12]


def disperse(departed: F64, travel_s: float) -> F64:
    """Arrivals (C,) at the next stop line."""
    arriving = np.zeros_like(departed)
    disperse_profile(departed, *dispersion(travel_s), arriving)
    return arriving


def test_dispersion_keeps_every_vehicle_and_begins_at_its_time() -> None:
    """T = 25 s: F = 1 / (1 + 0.35 * 0.8 * 25) = 1/8; a pulse arrives from second 20 on, an eighth first, then 7/64."""
    assert dispersion(25.0) == pytest.approx((20, 0.125))
    pulse = np.zeros(120)
    pulse[10] = 3.0
    arriving = disperse(pulse, 25.0)
    assert arriving.sum() == pytest.approx(3.0)
    assert arriving[30:33] == pytest.approx([3 / 8, 3 * 7 / 64, 3 * 49 / 512], rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_dispersion_is_the_recurrence_run_for_ever(seed: int) -> None:
    """q'(t + T) = F q(t) + (1 - F) q'(t + T - 1), from nothing, through thirty cycles."""
    draw = np.random.default_rng(seed)
    cycle_s, travel_s = int(draw.integers(20, 90)), float(draw.integers(5, 60))
    departed: F64 = draw.random(cycle_s)
    smoothing, lag_s = 1.0 / (1.0 + 0.35 * 0.8 * travel_s), round(0.8 * travel_s)
    seen = [0.0] * (30 * cycle_s + lag_s + 1)
    for t in range(30 * cycle_s):
        seen[t + lag_s] = smoothing * departed[t % cycle_s] + (1 - smoothing) * seen[t + lag_s - 1]
    last = [seen[28 * cycle_s + t] for t in range(cycle_s)]
    assert disperse(departed, travel_s) == pytest.approx(last, rel=1e-6)

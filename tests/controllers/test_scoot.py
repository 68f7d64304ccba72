"""SCOOT's optimisers on numbers worked out by hand, and in a small world."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from greensplit.controllers.catalogue import find
from greensplit.controllers.profile import R2
from greensplit.controllers.scoot import (
    best_move_ms,
    best_shift_s,
    capacity_per_s,
    cycle_step_ms,
    lane_delay_s,
    leave_profile,
)
from greensplit.controllers.scoot_profiles import profile_cost
from greensplit.controllers.turns import Turns, compile_turns
from greensplit.engine.model.compiled import compile_detection, compile_signals

from ..engine.kernels.sites import crossroads
from .street import Street, drive

LENGTH_MS = np.array([27_000, 33_000])
"""Greens of 20 s and 28 s: the changes into the turns take 7 s and 5 s."""
RATE = np.array([[0.5, 0.0], [0.0, 0.5]])


def turns_of_crossroads() -> Turns:
    where = crossroads()
    return compile_turns(where, compile_signals(where), compile_detection(where), 5000)[0][0]


def test_capacity_is_green_share_times_rate() -> None:
    """20 s and 28 s of 60 s at 1800 veh/h: 600 and 840 veh/h."""
    assert capacity_per_s(turns_of_crossroads(), LENGTH_MS, RATE) * 3600 == pytest.approx([600.0, 840.0])


@pytest.mark.parametrize(
    ("demand_per_h", "move_ms"),
    [((540.0, 420.0), 4000), ((300.0, 756.0), -4000), ((480.0, 672.0), 0), ((0.0, 0.0), 0)],
)
def test_the_end_of_a_turn_moves_to_where_the_worst_saturation_is_least(
    demand_per_h: tuple[float, float], move_ms: int
) -> None:
    """0.9 and 0.5 become 0.75 and 0.58; 0.5 and 0.9 become 0.63 and 0.79; 0.8 twice is as good as it gets."""
    demand = np.array(demand_per_h) / 3600.0
    assert best_move_ms(turns_of_crossroads(), LENGTH_MS, 0, demand, RATE) == move_ms


def test_no_turn_falls_below_its_least() -> None:
    """The second turn needs 10 s: of 13 s it cannot give 4 s, however full the first is."""
    length_ms = np.array([47_000, 13_000])
    assert best_move_ms(turns_of_crossroads(), length_ms, 0, np.array([0.5, 0.0]), RATE) == 0


def test_a_queue_that_waits_for_green_costs_delay_and_stops() -> None:
    """Two vehicles at second 2 of a cycle of 10 s; from second 6 on one may leave each second: 4 x 2 + 1, two stops."""
    come, leave = np.zeros(10), np.zeros(10)
    come[2], leave[6:] = 2.0, 1.0
    assert profile_cost(come, 0, leave, 10, 0.0) == pytest.approx(9.0)
    assert profile_cost(come, 0, leave, 10, 4.0) == pytest.approx(17.0)
    assert profile_cost(come, 4, leave, 10, 0.0) == pytest.approx(1.0)
    assert profile_cost(come, -4, leave, 10, 4.0) == pytest.approx(1.0 + 8.0)


@pytest.mark.parametrize(("own", "shift_s"), [(True, -4), (False, 4)])
def test_the_offset_moves_towards_the_platoon(own: bool, shift_s: int) -> None:
    """A platoon 4 s before the green: the junction goes 4 s earlier on its own lane, later where it fed the lane."""
    come, leave = np.zeros(60), np.zeros(60)
    come[16:26], leave[20:40] = 0.5, 0.5
    streams = [(come, leave)]
    assert best_shift_s(streams if own else [], [] if own else streams, 60) == shift_s
    assert best_shift_s([(np.roll(come, 4), leave)], [], 60) == 0


def test_lanes_may_leave_in_their_green_and_not_in_the_change_before_it() -> None:
    """Cycle of 60 s from second 10: change to 17, green to 37; all 2 s later, when drivers have started."""
    found = leave_profile(turns_of_crossroads(), 0, LENGTH_MS, RATE[0], 10_000, 60)
    assert np.flatnonzero(found).tolist() == list(range(19, 39))
    twice = leave_profile(turns_of_crossroads(), 0, LENGTH_MS, RATE[0], 10_000, 120)
    assert np.flatnonzero(twice).tolist() == [*range(19, 39), *range(79, 99)]


def test_steps_of_the_cycle_grow_with_it() -> None:
    """4 s below 64 s, 8 s below 128 s, then 16 s."""
    assert [cycle_step_ms(1000 * s) // 1000 for s in (60, 64, 120, 128)] == [4, 8, 8, 16]


def test_delay_is_websters_and_what_chance_adds() -> None:
    """Half green of 60 s at x = 0.5: 30 x 0.25 / 0.75 = 10 s, and 900 T (x - 1 + sqrt(...)) = 2.0 s at 900 veh/h."""
    late = 225.0 * (-0.5 + np.sqrt(0.25 + 8 * 0.5 * 0.5 / (900 * 0.25)))
    assert lane_delay_s(60.0, 0.5, 0.5, 0.25) == pytest.approx(10.0 + late)
    assert lane_delay_s(60.0, 0.5, 0.5, 0.25) == pytest.approx(12.0, abs=0.1)


def test_green_goes_where_the_traffic_is_and_the_cycle_falls_when_it_is_light() -> None:
    """From equal shares of 72 s (greens of 30 s): 900 veh/h beside 200 get at least half as much again."""
    entry = find("scoot")
    assert entry.make is not None
    where = crossroads()
    loop = drive(where, Street(where, [900.0, 200.0], 3), entry.make(R2, where), 3600, perfect=False)
    events = loop.events.rows()
    late = events[events["t_ms"] > 1_800_000]
    greens = [shown_s(late, number) for number in (1, 2)]
    assert greens[0] > 1.5 * greens[1]
    starts = late["t_ms"][(late["event"] == 1) & (late["parameter"] == 2)]
    assert np.diff(starts).mean() < 65_000


def shown_s(events: npt.NDArray[np.void], number: int) -> float:
    """Total green of a group, s: from begin of green (1) to begin of yellow (8)."""
    own = events[(events["parameter"] == number) & np.isin(events["event"], [1, 8])]
    begins = own["t_ms"][own["event"] == 1]
    ends = own["t_ms"][own["event"] == 8]
    ends = ends[ends > begins[0]]
    n = min(len(begins), len(ends))
    return float((ends[:n] - begins[:n]).sum()) / 1000.0

"""Who wants to pass, worked out by hand: from loops, and from perfect vision."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from greensplit.controllers.lookahead.demand import (
    NEAR_M,
    QUEUE_M,
    SIGHT_S,
    SLOW_MPS,
    SLOWNESS,
    Demand,
    demand_from_loops,
    demand_from_truth,
    new_demand,
)
from greensplit.engine.kernels.estimation.traffic import Traffic, new_traffic
from greensplit.engine.kernels.estimation.travel import RING, approach_lanes, compile_travel
from greensplit.engine.loop import Truth
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.upstream import compile_links

from ...engine.kernels.sites import crossroads

LIMIT_MPS = 13.89
RANGE_M = 150.0
SEEN_S = 12  # 150 m at 85 % of the limit
NOBODY = np.zeros((RING, 2), np.float32)


def seen(*vehicles: tuple[int, float, float], expected: npt.NDArray[np.float32] = NOBODY) -> Demand:
    """Vehicles on the crossroads as (lane, distance, speed), at 0."""
    rows = np.array(vehicles, np.float64).reshape(-1, 3)
    truth = Truth(
        rows[:, 0].astype(np.int32),
        rows[:, 0].astype(np.int32),
        rows[:, 1],
        rows[:, 2],
        np.zeros(len(rows), np.uint8),
        np.zeros(len(rows), np.float32),
        np.zeros(2),
    )
    demand = new_demand(2)
    demand.queue_veh[:], demand.coming_veh[:] = 77.0, 77.0
    demand_from_truth(compile_detection(crossroads()), truth, expected, RANGE_M, 0, demand)
    return demand


def arrivals(demand: Demand, lane: int) -> dict[int, float]:
    """Vehicles that come in the second that begins so long after now."""
    found = np.diff(demand.coming_veh[lane])
    return {int(t): round(float(found[t]), 4) for t in np.flatnonzero(found)}


def told(traffic: Traffic, now_ms: int) -> Demand:
    """What loops tell, over whatever stood there before."""
    demand = new_demand(2)
    demand.queue_veh[:], demand.coming_veh[:, 1:] = 77.0, 77.0
    demand_from_loops(traffic, now_ms, demand)
    return demand


def nothing_told() -> Traffic:
    """The estimation of the crossroads when nobody is about or expected."""
    site = crossroads()
    signals, detection, links = compile_signals(site), compile_detection(site), compile_links(site)
    travel = compile_travel(detection, links, approach_lanes(site))
    traffic = new_traffic(signals, detection, links, travel)
    traffic.arrivals.arrival_veh[:] = 0.0
    return traffic


def test_loops_give_the_queue_and_what_comes_second_by_second() -> None:
    """At 10.4 s: what is told for second 10 comes in the first second from now, that for 13 in the fourth."""
    traffic = nothing_told()
    traffic.queue_veh[:] = 3.5, 0.0
    ring = traffic.arrivals.arrival_veh
    ring[10, 0], ring[13, 0], ring[13, 1], ring[9, 1] = 0.5, 0.25, 1.0, 9.0
    demand = told(traffic, 10_400)
    assert demand.queue_veh.tolist() == [3.5, 0.0]
    assert demand.coming_veh[0, :6].tolist() == [0.0, 0.5, 0.5, 0.5, 0.75, 0.75]
    assert demand.coming_veh[0, SIGHT_S] == 0.75
    assert arrivals(demand, 1)[3] == 1.0


def test_who_is_in_the_queue_or_gone_already_does_not_come_again() -> None:
    """One a second is due; the first one and a half stand in the queue, another half has left before its time."""
    traffic = nothing_told()
    traffic.arrivals.arrival_veh[:4, 0] = 1.0
    traffic.queue_veh[0], traffic.early_veh[0], traffic.ahead_veh[0] = 1.5, 1.5, 0.5
    demand = told(traffic, 0)
    assert demand.queue_veh[0] == 1.5
    assert demand.coming_veh[0, :6].tolist() == [0.0, 0.0, 0.0, 1.0, 2.0, 2.0]


def test_what_is_expected_goes_round_its_ring() -> None:
    """At 1 s before the ring is full, the third second from now is kept near its start."""
    traffic = nothing_told()
    traffic.arrivals.arrival_veh[RING - 1, 0], traffic.arrivals.arrival_veh[1, 0] = 1.0, 2.0
    assert arrivals(told(traffic, (RING - 1) * 1000), 0) == {0: 1.0, 2: 2.0}


def test_nobody_is_seen() -> None:
    assert not seen().queue_veh.any()
    assert not seen().coming_veh.any()


def test_who_drives_comes_at_its_speed() -> None:
    """100 m at 13.89 m/s take 7.2 s, at 20 m/s 5 s."""
    demand = seen((0, 100.0, LIMIT_MPS), (1, 100.1, 20.0))
    assert demand.queue_veh.tolist() == [0.0, 0.0]
    assert arrivals(demand, 0) == {7: 1.0}
    assert arrivals(demand, 1) == {5: 1.0}


def test_who_is_slow_far_from_everybody_is_taken_to_go_on() -> None:
    """At no less than a part of the limit, since it will not stay slow."""
    demand = seen((0, 100.0, 0.0))
    assert demand.queue_veh[0] == 0.0
    assert arrivals(demand, 0) == {int(100.0 / (SLOWNESS * LIMIT_MPS)): 1.0}


def test_who_is_slow_near_the_stop_line_stands() -> None:
    just_in, just_out, slow = NEAR_M - 0.1, NEAR_M + 0.1, SLOW_MPS - 0.1
    assert seen((0, just_in, slow)).queue_veh[0] == 1.0
    assert seen((0, just_out, slow)).queue_veh[0] == 0.0
    assert seen((0, just_in, SLOW_MPS + 0.1)).queue_veh[0] == 0.0


def test_a_queue_reaches_as_far_as_those_ahead() -> None:
    """Told in no order: the fifth is in the queue while four are ahead of it, and not with three."""
    ahead = [(0, 7.5 * i, 0.0) for i in (2, 0, 3, 1)]
    fifth = (0, NEAR_M + 4 * QUEUE_M - 0.1, 0.0)
    assert seen(fifth, *ahead).queue_veh.tolist() == [5.0, 0.0]
    assert seen(fifth, *ahead[1:]).queue_veh.tolist() == [3.0, 0.0]


def test_those_ahead_on_another_lane_do_not_count() -> None:
    last = (1, NEAR_M + 2 * QUEUE_M, 0.0)
    assert seen((0, 0.0, 0.0), (0, 7.5, 0.0), (0, 15.0, 0.0), last).queue_veh.tolist() == [3.0, 0.0]


def test_who_is_beyond_the_range_is_not_seen() -> None:
    assert arrivals(seen((0, RANGE_M + 0.1, 20.0)), 0) == {}
    assert arrivals(seen((0, RANGE_M - 0.1, 20.0)), 0) == {7: 1.0}


def test_beyond_the_range_what_is_expected_counts_instead() -> None:
    """A tenth a second is expected for ever; the first twelve seconds are seen, with one vehicle after 7 s."""
    demand = seen((0, 100.0, LIMIT_MPS), expected=NOBODY + np.float32(0.1))
    assert arrivals(demand, 0) == {7: 1.0} | dict.fromkeys(
        range(SEEN_S, SIGHT_S), pytest.approx(0.1, abs=1e-3)
    )


def test_several_come_in_the_same_second() -> None:
    assert arrivals(seen((0, 100.0, LIMIT_MPS), (0, 108.0, LIMIT_MPS)), 0) == {7: 2.0}

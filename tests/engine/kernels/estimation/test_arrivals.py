"""Arrival forecasts on a street of two junctions: numbers by hand, and what always holds."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.kernels.estimation.arrivals import adopt_plans
from greensplit.engine.kernels.estimation.forecast import forecast_window
from greensplit.engine.kernels.estimation.outflow import plan_outflow
from greensplit.engine.kernels.estimation.travel import HORIZON_S, OWN_SLOWNESS, RING, SLOWNESS

from .street import B_ADVANCE, EXIT, FED, OTHER_ADVANCE, TRAVEL_MS, Run

OWN_S = OWN_SLOWNESS * 68.0 / 13.89
"""From the advance loop, 68 m before the stop line."""
LINK_S = SLOWNESS * TRAVEL_MS / 1000.0


def _run() -> Run:
    run = Run()
    run.step()
    run.know_nothing()
    return run


def test_a_vehicle_at_the_own_loop_comes_after_its_travel_time() -> None:
    """68 m at 13.89 m/s and 4 % slower: 5.09 s, so in the sixth second from now, whole."""
    run = _run()
    run.step((B_ADVANCE,))
    ahead = run.ahead(FED)
    assert int(OWN_S) == 5
    assert ahead[5] == pytest.approx(1.0)
    assert ahead.sum() == pytest.approx(1.0)


def test_a_platoon_of_ten_comes_after_the_travel_time_of_the_link() -> None:
    """Ten leave by A's exit, one a second: ten are expected, at their mean departure plus 26 s."""
    run = _run()
    for _ in range(10):
        run.step((EXIT,))
    ahead = run.ahead(FED)
    mean_s = (ahead * np.arange(HORIZON_S)).sum() / ahead.sum()
    assert ahead.sum() == pytest.approx(10.0, abs=0.01)
    assert mean_s == pytest.approx(LINK_S - 4.5, abs=1.0)


def test_the_own_loop_replaces_what_upstream_had_announced() -> None:
    """Ten announced, seven seen: when all should have come, nothing is expected but the flow that nobody sees."""
    run = _run()
    for _ in range(10):
        run.step((EXIT,))
    for second in range(60):
        run.step((B_ADVANCE,) if 15 <= second < 22 else ())
    assert run.ahead(FED, 20).sum() == pytest.approx(20 * float(run.arrivals.unseen_per_s[FED]), abs=0.1)


def test_what_passes_the_stop_line_is_what_the_own_loop_saw() -> None:
    """Summed over its seconds as they become present, the ring holds each vehicle once, whoever announced it."""
    run = _run()
    passed = 0.0
    for second in range(25):
        run.step((EXIT,) if second < 3 else ((B_ADVANCE,) if 10 <= second < 16 else ()))
        passed += float(run.ahead(FED, 1)[0])
    assert passed == pytest.approx(6.0, abs=0.01)


def test_a_dead_own_loop_leaves_the_announced_vehicles_in_the_ring() -> None:
    """No loop to see them: all four pass on the word of the exit alone."""
    run = _run()
    run.level[B_ADVANCE] = 4
    passed = 0.0
    for second in range(22):
        run.step((EXIT,) if second < 4 else ())
        passed += float(run.ahead(FED, 1)[0])
    assert passed + run.ahead(FED, 60)[1:].sum() == pytest.approx(4.0, abs=0.01)


def test_a_group_without_an_exit_loop_is_seen_by_what_leaves_its_lane() -> None:
    """A's second lane has one way, without a loop: half a vehicle that left it is half a vehicle on its way."""
    run = _run()
    run.step((), {1: 0.5})
    assert run.ahead(FED).sum() == pytest.approx(0.5, abs=1e-3)


def test_a_dead_exit_loop_is_replaced_by_what_leaves_the_lane() -> None:
    """Lane 1 of A has one way, over the exit: its two departures are announced though the loop is dead."""
    run = _run()
    run.level[EXIT] = 4
    run.step((), {0: 2.0})
    assert run.ahead(FED).sum() == pytest.approx(2.0, abs=1e-3)


def test_vehicles_behind_a_covered_loop_are_expected_once() -> None:
    """Four announced, the loop covered from before they come: they stay in the ring, and pay for those seen later."""
    run = _run()
    for _ in range(4):
        run.step((EXIT,))
    run.detectors.on[B_ADVANCE], run.detectors.on_ms[B_ADVANCE] = 1, 1000 * run.now_s
    passed = 0.0
    for _ in range(27):
        run.step()
        passed += float(run.ahead(FED, 1)[0])
    owed = float(run.arrivals.owed_veh[FED])
    assert owed > 3.0
    before = run.ahead(FED, 8).sum()
    run.step((B_ADVANCE,))
    passed += float(run.ahead(FED, 1)[0])
    assert run.arrivals.owed_veh[FED] == pytest.approx(owed - 1.0, abs=0.1)
    assert run.ahead(FED, 8).sum() <= before + 0.1


def test_shares_of_a_feed_are_learned() -> None:
    """One of two of the exit's vehicles comes, 21 s later at the loop: the share goes from 1 to a half."""
    run = Run()
    rng = np.random.default_rng(1)
    due: set[int] = set()
    for second in range(6000):
        hits = (EXIT,) if second % 12 == 0 else ()
        if hits and rng.random() < 0.5:
            due.add(second + round(LINK_S - OWN_S + float(rng.normal(0.0, 2.0))))
        run.step(hits + ((B_ADVANCE,) if second in due else ()))
    feed = int(run.links.feed_ptr[FED])
    assert run.arrivals.feed_share[feed] == pytest.approx(0.5, abs=0.12)
    assert run.arrivals.unseen_per_s[FED] < 0.01


def test_without_feeds_the_flow_is_the_lanes_own() -> None:
    """A vehicle every 10 s for half an hour: 0.1 a second beyond the loop, 3 in a window of 30 s."""
    run = Run()
    for second in range(1800):
        run.step((OTHER_ADVANCE,) if second % 10 == 0 else ())
    lane = FED + 1
    assert run.arrivals.base_per_s[lane] == pytest.approx(0.1, rel=0.08)
    window = forecast_window(run.arrivals, 1000 * run.now_s, 60, 30)
    assert window.mean_veh[lane] == pytest.approx(3.0, rel=0.08)


def test_a_flow_that_rises_is_followed_within_minutes() -> None:
    """0.1 a second for half an hour, then 0.4: after 150 s a minute's memory says 0.3, ten minutes' 0.17."""
    run, lane = Run(), FED + 1
    for second in range(1950):
        run.step((OTHER_ADVANCE,) if second % (10 if second < 1800 else 2.5) < 1 else ())
    assert run.arrivals.flow_odds[lane] > 3.0
    assert run.arrivals.base_per_s[lane] > 0.25


def test_a_steady_flow_is_averaged_for_long() -> None:
    """At random, 0.1 a second: a minute's memory alone errs by sqrt(0.1 / 120) = 0.029, ten minutes' by a third."""
    run, rng, lane = Run(), np.random.default_rng(11), FED + 1
    error = []
    for second in range(9000):
        run.step((OTHER_ADVANCE,) if rng.random() < 0.1 else ())
        if second > 1800:
            error.append(float(run.arrivals.base_per_s[lane]) - 0.1)
    assert np.sqrt(np.square(error).mean()) < 0.022


def test_the_noise_of_a_poisson_flow_is_its_mean() -> None:
    """Arrivals at random, 0.1 a second: variance over mean near 1, and 90 % intervals that hold about 90 %."""
    run, rng = Run(), np.random.default_rng(3)
    hits = rng.random(4000) < 0.1
    inside = []
    for second in range(3900):
        run.step((OTHER_ADVANCE,) if hits[second] else ())
        if second > 1000 and second % 15 == 0:
            low, high = forecast_window(run.arrivals, 1000 * run.now_s, 30, 30).interval(0.9)
            came = hits[second + 30 - int(OWN_S) : second + 60 - int(OWN_S)].sum()
            inside.append(low[FED + 1] <= came <= high[FED + 1])
    assert 0.5 < run.arrivals.noise[2, FED + 1] < 1.6
    assert 0.85 <= np.mean(inside) <= 0.97


def test_a_substitute_rate_stands_for_a_lost_loop() -> None:
    """Both loops of the lane dead, rate 0.2 a second from elsewhere: that is the forecast."""
    run = Run()
    run.level[[OTHER_ADVANCE]] = 2
    run.rate_per_s[OTHER_ADVANCE] = 0.2
    lane = FED + 1
    run.level[run.detection.stop_bar[lane]] = 4
    for _ in range(1200):
        run.step()
    assert run.arrivals.base_per_s[lane] == pytest.approx(0.2, rel=0.08)


def test_a_plan_is_exchanged_for_the_usual_flow_and_counts_once() -> None:
    """Three planned in 40 s from now come 26 s later, in place of the usual flow; a second plan replaces the first."""
    run = _run()
    feed = int(run.links.feed_ptr[FED])
    run.arrivals.feed_per_s[feed] = 0.05
    run.arrivals.arrival_veh[:, FED] = 0.05
    planned = np.zeros_like(run.outflow.plan_veh)
    planned[0, (run.now_s + 40) % RING] = 3.0
    for _ in range(2):
        adopt_plans(
            run.links,
            run.travel,
            run.outflow,
            run.arrivals,
            planned,
            np.array([True, False]),
            1000 * run.now_s,
        )
    ahead = run.ahead(FED)
    assert ahead[40 + int(LINK_S)] == pytest.approx(3.0, abs=1e-4)
    assert ahead[int(LINK_S) + 1 :].sum() == pytest.approx(3.0, abs=1e-4)


def test_planned_departures_that_happen_are_not_counted_again() -> None:
    """One planned for the third second from now, one leaves then: one is expected in the end."""
    run = _run()
    planned = np.zeros_like(run.outflow.plan_veh)
    planned[0, (run.now_s + 3) % RING] = 1.0
    adopt_plans(
        run.links, run.travel, run.outflow, run.arrivals, planned, np.array([True, False]), 1000 * run.now_s
    )
    assert run.ahead(FED).sum() == pytest.approx(1.0, abs=1e-4)
    for second in range(1, 6):
        run.step((EXIT,) if second == 3 else ())
    assert run.ahead(FED).sum() == pytest.approx(1.0, abs=1e-3)


def test_a_planned_green_lets_the_queue_go_at_the_discharge_rate() -> None:
    """Four wait, green from second 10 for 30 s at 0.5 a second: they leave in seconds 10 to 17, one every two."""
    run = _run()
    lanes = len(run.detection.stop_bar)
    opened = np.zeros((lanes, RING), np.float32)
    opened[0, (run.now_s + np.arange(10, 40)) % RING] = 1.0
    queue = np.zeros(lanes, np.float32)
    queue[0] = 4.0
    planned = np.zeros_like(run.outflow.plan_veh)
    plan_outflow(
        run.links,
        run.detection.lane_ptr,
        run.turning,
        opened,
        queue,
        np.full(lanes, 0.5, np.float32),
        np.zeros((RING, lanes), np.float32),
        np.array([0], np.int32),
        1000 * run.now_s,
        planned,
    )
    ahead = planned[0, (run.now_s + np.arange(RING)) % RING]
    assert ahead[10:18].tolist() == pytest.approx([0.5] * 8)
    assert ahead.sum() == pytest.approx(4.0)


@pytest.mark.parametrize("seed", range(4))
def test_forecasts_are_finite_and_never_negative_whatever_the_loops_say(seed: int) -> None:
    """Random actuations, departures, failures and covered loops for a thousand seconds."""
    run, rng = Run(), np.random.default_rng(seed)
    loops, lanes = len(run.detection.kind), len(run.detection.stop_bar)
    for second in range(1000):
        if second % 97 == 0:
            run.level[:] = rng.choice([0, 0, 0, 1, 4], loops)
            run.rate_per_s[:] = rng.random(loops)
            run.detectors.on[:] = rng.random(loops) < 0.2
        hits = tuple(np.flatnonzero(rng.random(loops) < 0.15).tolist())
        run.step(hits, {int(lane): float(rng.random() * 2) for lane in rng.integers(lanes, size=2)})
        assert run.arrivals.arrival_veh.min() >= 0.0
    for array in run.arrivals:
        assert np.isfinite(array).all()
    assert run.arrivals.feed_share.max() <= 1.0
    assert run.ahead(FED).sum() < 120.0

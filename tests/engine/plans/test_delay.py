"""Closed forms of delay, with numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from greensplit.engine.plans.delay import incremental_delay_s, initial_queue_delay_s, webster_cycle_s


def test_incremental_delay_at_capacity() -> None:
    """x = 1, 500 veh/h, a quarter of an hour: 225 sqrt(4 / 125) = 40.2 s."""
    assert incremental_delay_s(1.0, 500.0) == pytest.approx(225.0 * math.sqrt(0.032))


def test_incremental_delay_below_capacity() -> None:
    """x = 0.9, 800 veh/h: 225 (-0.1 + sqrt(0.01 + 3.6 / 200)) = 15.15 s."""
    assert incremental_delay_s(0.9, 800.0) == pytest.approx(15.15, abs=0.005)


def test_a_lane_that_nobody_may_leave_costs_the_whole_period() -> None:
    """No capacity: whoever comes waits for good; nobody comes, nobody waits."""
    assert incremental_delay_s(5.0, 0.0) == 900.0
    assert incremental_delay_s(0.0, 0.0) == 0.0


def test_an_initial_queue_that_just_clears_within_the_period() -> None:
    """20 vehicles, 400 veh/h of which 80 are spare: gone after 15 min; 10 on average for 900 s, over 100 that leave."""
    assert initial_queue_delay_s(20.0, 0.8, 400.0) == pytest.approx(90.0)


def test_an_initial_queue_that_never_clears_delays_everybody_alike() -> None:
    """At capacity all 20 stay in front: each waits for 20 departures at 400 an hour, 180 s."""
    assert initial_queue_delay_s(20.0, 1.0, 400.0) == pytest.approx(180.0)
    assert initial_queue_delay_s(0.0, 1.0, 400.0) == 0.0


def test_webster_cycle() -> None:
    """L = 10 s and Y = 0.6: (15 + 5) / 0.4 = 50 s; without room it is bounded."""
    assert webster_cycle_s(10.0, 0.6) == pytest.approx(50.0)
    assert webster_cycle_s(10.0, 1.0) == 300.0
    assert webster_cycle_s(10.0, 0.99) == 300.0

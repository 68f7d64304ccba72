"""Closed-form cases: queues that theory knows, with the numbers worked out in the docstrings."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.kernels.estimation.discharge import headway_s, learn_headway
from greensplit.engine.kernels.estimation.shockwave import longest_queue_m, time_of_longest_s, wave_mps

from ..sites import crossroads
from .world import ADVANCE, STOP, World


def deterministic(rate_per_s: float, red_s: int, green_s: int) -> tuple[World, np.ndarray]:
    """A blind lane with constant arrivals, red then green: the queue of every second after each."""
    world = World(crossroads(), blind=True)
    world.detection = world.detection._replace(storage_m=np.full(len(world.detection.stop_bar), 900.0))
    queue = []
    for t in range(red_s + green_s):
        if t == red_s:
            world.show(green=True)
        world.expect(t + 1, rate_per_s)
        world.run(1)
        queue.append(world.queue_veh)
    return world, np.array(queue)


def test_a_deterministic_queue_dissolves_when_theory_says() -> None:
    """D/D/1: 0.25/s in, 0.5/s out. 30 s of red and 2 s of start-up leave 8; it shrinks by 0.25/s: 32 s more, 64."""
    _, queue = deterministic(0.25, 30, 60)
    assert queue[29] == pytest.approx(7.5)
    assert queue.max() == pytest.approx(8.0, abs=0.3)
    empty_s = 30 + int(np.flatnonzero(queue[30:] < 0.3)[0])
    assert empty_s == pytest.approx(64, abs=2)


def test_the_area_under_the_queue_is_websters_uniform_delay() -> None:
    """Effective red R = 32 s: area = rate R^2 / (2 (1 - rate / saturation)) = 0.25 * 1024 / (2 * 0.5) = 256 veh s."""
    _, queue = deterministic(0.25, 30, 60)
    assert queue.sum() == pytest.approx(256, rel=0.06)


def test_waiting_times_grow_with_the_queue_and_leave_at_its_head() -> None:
    """One a second for 10 s: they have waited 9, 8, ... 0 s, together 45. When four have left, 15 (5 + ... + 0)."""
    world = World(crossroads(), blind=True)
    for t in range(10):
        world.expect(t + 1, 1.0)
        world.run(1)
    assert world.traffic.waited_veh_s[0] == pytest.approx(45.0)
    assert world.traffic.oldest_s[0] == pytest.approx(9.0)
    world.traffic.discharge.served_s[:] = 2.0
    world.traffic.discharge.served_veh[:] = 2.0 / 1.25
    world.traffic.discharge.start_up_s[:] = 0.0
    world.show(green=True)
    world.run(5)
    assert world.queue_veh == pytest.approx(6.0, abs=0.01)
    assert world.traffic.waited_veh_s[0] == pytest.approx(15.0 + 6 * 5, abs=3.0)


def test_waves_run_as_fast_as_flow_over_density_says() -> None:
    """0.25/s at 13.89 m/s meet a queue at 7.5 m: -0.25 / (0.13333 - 0.018) = -2.168 m/s; a start to 0.5/s at 10: -6."""
    assert wave_mps(0.25, 0.25 / 13.89, 0.0, 1 / 7.5) == pytest.approx(-2.168, abs=0.001)
    assert wave_mps(0.0, 1 / 7.5, 0.5, 0.05) == pytest.approx(-6.0)
    assert wave_mps(0.5, 0.05, 0.25, 0.25 / 13.89) == pytest.approx(7.81, abs=0.02)


def test_break_points_give_the_longest_queue() -> None:
    """Loop at 80 m, B 10 s, C 30 s, waves 6 and 8 m/s: 80 + 20 / (1/6 + 1/8) = 148.57 m at 10 + 68.57 / 6 = 21.43 s."""
    longest_m = longest_queue_m(80.0, 10.0, 30.0, 6.0, 8.0)
    assert longest_m == pytest.approx(148.571, abs=0.001)
    assert time_of_longest_s(80.0, 10.0, longest_m, 6.0) == pytest.approx(21.43, abs=0.01)


def test_a_queue_over_the_advance_loop_is_read_from_its_break_points() -> None:
    """A: it stands at 80 m, so 80 / 7.5 + 1 = 11.67 wait. B at 40 s, 12 more pass two seconds apart, C at 64 s.

    Its longest was 80 + 24 / (1/5 + 1/8) = 153.8 m. Those who passed are counted once.
    """
    world = World(crossroads())
    world.detection = world.detection._replace(storage_m=np.full(len(world.detection.stop_bar), 300.0))
    world.switch(STOP, True)
    world.run(10)
    world.switch(ADVANCE, True)
    world.run(4)
    assert world.queue_veh == pytest.approx(80 / 7.5 + 1)
    assert world.traffic.covered[0]
    for t in range(15, 31):
        world.expect(t, 0.5)
    world.run(16)
    assert world.queue_veh == pytest.approx(80 / 7.5 + 1 + 8)
    world.show(green=True)
    world.run(10)
    world.switch(ADVANCE, False)
    for _ in range(12):
        world.run(1)
        world.switch(ADVANCE, True)
        world.expect(world.now_s + 6, 1.0)
        world.run(1)
        world.switch(ADVANCE, False)
    before = world.queue_veh
    assert world.traffic.start_ms[0] == 40_000
    world.run(4)
    assert not world.traffic.covered[0]
    assert world.traffic.longest_m[0] == pytest.approx(80 + 24 / (1 / 5 + 1 / 8), abs=0.1)
    assert world.queue_veh <= before + 4.0


def test_headways_are_learned_with_a_memory_of_fifty_vehicles() -> None:
    """From 5 vehicles in 10 s, 18 more 4 s apart, each discounting the past by 0.98: 0.98^18 = 0.695.

    5 * 0.695 + (1 - 0.695) / 0.02 = 18.72 vehicles in 10 * 0.695 + 4 * 15.24 = 67.9 s: 3.63 s.
    """
    discharge = World(crossroads()).traffic.discharge
    for _ in range(18):
        learn_headway(discharge, 0, 1.0, 4.0)
    assert headway_s(discharge.served_veh[0], discharge.served_s[0]) == pytest.approx(3.63, abs=0.01)


def test_a_head_that_stands_at_green_makes_the_headway_longer_up_to_a_bound() -> None:
    """10 s without a vehicle on top of 5 in 10 s: 4 s; after 90 s more it would be 22, but 12 is the most."""
    discharge = World(crossroads()).traffic.discharge
    learn_headway(discharge, 0, 0.0, 10.0)
    assert headway_s(discharge.served_veh[0], discharge.served_s[0]) == pytest.approx(4.0)
    learn_headway(discharge, 0, 0.0, 90.0)
    assert headway_s(discharge.served_veh[0], discharge.served_s[0]) == 12.0


def test_a_lane_has_a_cell_for_each_stage_that_serves_it_and_one_for_all_others() -> None:
    """Two stages, each for one street: lane 0 learns stage 0 apart from stage 1; a lane of the other, the reverse."""
    discharge = World(crossroads()).traffic.discharge
    for lane in range(len(discharge.start_up_s)):
        first, last = discharge.stage_ptr[lane], discharge.stage_ptr[lane + 1]
        cells = discharge.stage_cell[first:last].tolist()
        assert len(cells) == 2
        assert sorted(cells) == [0, 1]
        assert cells[lane] == 0
        assert discharge.cell_ptr[lane + 1] - discharge.cell_ptr[lane] == 2
    assert len(discharge.served_veh) == discharge.cell_ptr[-1]

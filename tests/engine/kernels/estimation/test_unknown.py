"""What was not counted teaches nothing: before the start, where nobody counts, and while a loop fails."""

from __future__ import annotations

import numpy as np
import pytest

from ..sites import crossroads
from .layout import noise_of
from .street import EXIT, FED, Run
from .world import ADVANCE, STOP, World


@pytest.mark.parametrize("start_s", [0, 5000])
def test_before_the_start_there_was_no_time_without_vehicles(start_s: int) -> None:
    """One tick: sources keep their 0.03 a second, lanes their 0.02 but for a prior of 10 s against 32 s of a turn."""
    run = Run(now_s=start_s - 1)
    run.step()
    assert run.outflow.rate_per_s.min() >= 0.03 * 10 / (32 + 10) - 1e-6
    assert run.arrivals.base_per_s.min() >= 0.02 * 10 / (32 + 10) - 1e-6
    assert np.count_nonzero(run.arrivals.flow_s[:, 1]) <= 1
    assert np.count_nonzero(run.outflow.counted_s) <= 1


def test_a_forecast_that_nobody_counts_is_not_judged() -> None:
    """A vehicle in 10 s is announced to a lane without a sound loop: the noise stays that of a Poisson stream."""
    run = Run()
    run.level[[run.detection.advance[FED], run.detection.stop_bar[FED]]] = 4
    for second in range(1200):
        run.step((EXIT,) if second % 10 == 0 else ())
    assert run.arrivals.told_veh[FED] + run.arrivals.base_per_s[FED] > 0.02
    assert noise_of(run.arrivals)[FED, 1:].tolist() == [1.0, 1.0]


def test_a_loop_that_is_back_does_not_count_its_failure() -> None:
    """Eight false actuations while the stop bar is not believed: when it is again, nobody has left and three wait."""
    world = World(crossroads())
    world.expect(1, 3.0)
    world.run(1)
    world.level[world.index[STOP]] = 4
    for _ in range(8):
        world.switch(STOP, True)
        world.switch(STOP, False)
        world.run(1)
    world.level[world.index[STOP]] = 0
    world.switch(STOP, True)
    world.run(1)
    assert world.traffic.left_veh[0] == 0.0
    assert world.queue_veh == pytest.approx(3.0)


def test_an_advance_loop_that_is_back_does_not_tell_of_its_failure() -> None:
    """Ten wait, 40 m past it is a loop; what crossed it fast while it was not believed does not shorten the queue."""
    world = World(crossroads(), advance_m=40.0)
    world.switch(STOP, True)
    world.expect(1, 10.0)
    world.level[world.index[ADVANCE]] = 4
    world.run(1)
    world.switch(ADVANCE, True, world.now_s + 0.2)
    world.switch(ADVANCE, False, world.now_s + 0.7)
    world.run(1)
    world.level[world.index[ADVANCE]] = 0
    world.run(1)
    assert world.queue_veh == pytest.approx(10.0)


def test_a_rounding_error_does_not_wait() -> None:
    """One and a ten-millionth have waited for 30 s, one leaves: nobody is there, and nobody has waited."""
    world = World(crossroads())
    world.switch(STOP, True)
    world.run(1)
    world.show(green=True)
    world.traffic.queue_veh[0] = np.float32(1.0000001)
    world.traffic.oldest_s[0] = 30.0
    world.switch(STOP, False)
    world.run(1)
    assert world.queue_veh == 0.0
    assert world.traffic.oldest_s[0] == 0.0

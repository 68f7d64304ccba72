"""The kernel does what the words of its rules say: a lane under random loops and lamps, beside the plain oracle."""

from __future__ import annotations

import numpy as np
import pytest

from ..sites import crossroads
from .naive import NaiveLane
from .world import ADVANCE, STOP, World

HABITS = {STOP: (0.25, 0.35), ADVANCE: (0.12, 0.45)}
"""Chance per second that a free loop is entered, and that a covered one is left."""


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize(("stop_sound", "advance_sound"), [(True, True), (True, False), (False, True)])
def test_the_queue_moves_as_its_rules_say(seed: int, stop_sound: bool, advance_sound: bool) -> None:
    """400 s of random greens, arrivals and loops that now and then stay as they are: the same queue each second."""
    rng = np.random.default_rng(seed)
    world = World(crossroads(), advance_m=45.0)
    storage_m, speed_mps = float(world.detection.storage_m[0]), float(world.detection.speed_mps[0])
    lane = NaiveLane(45.0, storage_m, speed_mps, 4 if advance_sound else 0)
    world.traffic.arrivals.sight_s[0, 0] = lane.sight_s
    sound = {STOP: stop_sound, ADVANCE: advance_sound}
    for which, loop in ((STOP, lane.stop), (ADVANCE, lane.advance)):
        world.level[world.index[which]] = 0 if sound[which] else 4
        loop.sound = sound[which]
    world.traffic.discharge.start_up_s[:] = 2.0
    calm = False
    for t in range(1, 400):
        if rng.random() < 0.04:
            world.show(green=lane.green_ms is None)
            lane.green_ms = 1000 * world.now_s if lane.green_ms is None else None
        if rng.random() < 0.1:
            calm = not calm
        for which, loop in ((STOP, lane.stop), (ADVANCE, lane.advance)):
            chance = HABITS[which][int(loop.on)] * (0.2 if calm else 1.0)
            if rng.random() < chance:
                at_s = t - round(float(rng.uniform(0.1, 0.9)), 3)
                world.switch(which, not loop.on, at_s)
                loop.switch(not loop.on, round(1000 * at_s))
        due = t + int(rng.integers(1, 9))
        vehicles = float(np.float32(rng.uniform(0.0, 0.7)))
        world.expect(due, vehicles)
        lane.expected[due] = lane.expected.get(due, 0.0) + vehicles
        if lane.covered and lane.advance.on:
            owed = float(np.float32(rng.uniform(0.0, 0.5)))
            world.traffic.arrivals.owed_veh[0] += owed
            lane.owed += owed
        world.run(1)
        lane.tick(1000 * t)
        assert world.queue_veh == pytest.approx(lane.queue, abs=2e-3), t
        assert world.traffic.arrivals.owed_veh[0] == pytest.approx(lane.owed, abs=2e-3), t
        assert world.traffic.waited_veh_s[0] == pytest.approx(lane.waited, abs=0.1, rel=1e-3), t

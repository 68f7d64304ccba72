"""The kernel does what the words of its rules say: a lane under random loops and lamps, beside the plain oracle."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.model.aspects import GREEN, PERMISSIVE

from ..sites import crossroads
from .layout import cells_of, set_noise
from .naive import NaiveLane
from .world import ADVANCE, STOP, World

HABITS = {STOP: (0.25, 0.35), ADVANCE: (0.12, 0.45)}
"""Chance per second that a free loop is entered, and that a covered one is left."""

OWN_STAGE, OTHER_STAGE = 0, 1


class Pair:
    """A lane in the kernel's world and in plain Python."""

    def __init__(self, rng: np.random.Generator, sound: dict[int, bool], share: float) -> None:
        self.rng, self.world = rng, World(crossroads(), advance_m=45.0)
        found = self.world.detection
        self.world.detection = found._replace(advance_share=np.full(len(found.stop_bar), share))
        self.lane = NaiveLane(
            45.0,
            float(found.storage_m[0]),
            float(found.speed_mps[0]),
            0,
            noise=(0.2, 0.5, 1.5),
            loop_share=share,
        )
        self.loops = {STOP: self.lane.stop, ADVANCE: self.lane.advance}
        set_noise(self.world.traffic.arrivals, 0, self.lane.noise)
        self.world.traffic.arrivals.sight_s[0, 1] = self.lane.feed_sight_s = int(rng.choice([0, 6]))
        self.lane.yields = (bool(rng.random() < 0.5), bool(rng.random() < 0.5))
        self.world.traffic.discharge.gives_way[cells_of(self.world.traffic, stage=0)[0] + np.arange(2)] = (
            self.lane.yields
        )
        self.calm, self.most = False, 1.0
        for which in (STOP, ADVANCE):
            self.trust(which, sound[which])

    def trust(self, which: int, sound: bool) -> None:
        """The loop fails or comes back."""
        self.loops[which].sound = sound
        self.world.level[self.world.index[which]] = 0 if sound else 4
        if which == ADVANCE:
            self.lane.sight_s = 4 if sound else 0
            self.world.traffic.arrivals.sight_s[0, 0] = self.lane.sight_s

    def live(self, t: int, failures: float) -> None:
        """Whatever happens in second ``t``; a loop fails or comes back with a chance of ``failures``."""
        rng, world, lane = self.rng, self.world, self.lane
        if rng.random() < 0.04:
            world.show(green=lane.green_ms is None)
            lane.green_ms = 1000 * world.now_s if lane.green_ms is None else None
        if rng.random() < 0.05:
            lane.cell = int(rng.integers(2))
            world.stage[:] = OWN_STAGE if lane.cell == 0 else OTHER_STAGE
        lane.gives_way = bool(lane.yields[lane.cell]) if rng.random() < 0.9 else not lane.gives_way
        if lane.green_ms is not None:
            world.lamps.aspect[0] = PERMISSIVE if lane.gives_way else GREEN
        if rng.random() < 0.1:
            self.calm = not self.calm
        for which, loop in self.loops.items():
            chance = HABITS[which][int(loop.on)] * (0.2 if self.calm else 1.0)
            if rng.random() < chance:
                at_s = t - round(float(rng.uniform(0.1, 0.9)), 3)
                world.switch(which, not loop.on, at_s)
                loop.switch(not loop.on, round(1000 * at_s))
            if rng.random() < failures:
                self.trust(which, not loop.sound)
        due = t + int(rng.integers(1, 9))
        vehicles = float(np.float32(rng.uniform(0.0, 0.7)))
        world.expect(due, vehicles)
        lane.expected[due] = lane.expected.get(due, 0.0) + vehicles
        if lane.covered and lane.advance.on:
            owed = float(np.float32(rng.uniform(0.0, 0.5)))
            world.traffic.arrivals.owed_veh[0] += owed
            lane.owed += owed
        lane.blocked = lane.green_ms is not None and (t // 50) % 4 == 3
        world.traffic.exit_full[0] = lane.blocked
        world.run(1)
        lane.tick(1000 * t)

    def compare(self) -> None:
        """The queue, its variance and waits, who is early, ahead, owed and gone, and what was learned."""
        traffic, lane = self.world.traffic, self.lane
        self.most = max(self.most, lane.waited)
        cell = cells_of(traffic, stage=0)[0]
        found = {
            "queue": (traffic.queue_veh[0], lane.queue),
            "variance": (traffic.queue_var[0], lane.var),
            "early": (traffic.early_veh[0], lane.told),
            "ahead": (traffic.ahead_veh[0], lane.ahead),
            "owed": (traffic.arrivals.owed_veh[0], lane.owed),
            "left": (traffic.left_veh[0], lane.left),
            "waited": (traffic.waited_veh_s[0], lane.waited),
            "oldest": (traffic.oldest_s[0], lane.age_s),
            "served": (traffic.discharge.served_veh[cell], lane.served[0][0]),
            "served in": (traffic.discharge.served_s[cell], lane.served[0][1]),
            "other served": (traffic.discharge.served_veh[cell + 1], lane.served[1][0]),
            "other served in": (traffic.discharge.served_s[cell + 1], lane.served[1][1]),
            "start-up": (traffic.discharge.start_up_s[0], lane.start_up_s),
        }
        for name, (kernel, plain) in found.items():
            # the sum of waits has come down from its most, whose rounding it keeps
            rounding = 1e-6 * self.most if name == "waited" else 1e-4
            assert kernel == pytest.approx(plain, abs=rounding, rel=1e-3), f"{name} at {self.world.now_s} s"


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("stop_sound", "advance_sound", "failures"),
    [(True, True, 0.0), (True, False, 0.0), (False, True, 0.0), (True, True, 0.02)],
)
def test_the_queue_moves_as_its_rules_say(
    seed: int, stop_sound: bool, advance_sound: bool, failures: float
) -> None:
    """400 s of random greens, arrivals and loops that now and then stay as they are: the same queue each second."""
    sound = {STOP: stop_sound, ADVANCE: advance_sound}
    pair = Pair(np.random.default_rng(seed), sound, share=0.5 if seed % 5 == 4 else 1.0)
    for t in range(1, 400):
        pair.live(t, failures)
        pair.compare()

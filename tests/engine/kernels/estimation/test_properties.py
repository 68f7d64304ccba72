"""Whatever loops and lamps do: queues stay possible, nobody is made or lost, junctions do not touch each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.kernels.detectors import new_detectors, take_detections
from greensplit.engine.kernels.estimation.traffic import JAM_M, Traffic, new_traffic
from greensplit.engine.kernels.estimation.travel import RING, approach_lanes, compile_travel
from greensplit.engine.kernels.estimation.update import update_traffic
from greensplit.engine.kernels.state import new_lamps
from greensplit.engine.model.aspects import GREEN, PERMISSIVE
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.site import Site
from greensplit.engine.model.upstream import compile_links

from ..sites import crossroads, random_site
from .world import World

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=25, deadline=None)


class City:
    """A site whose loops and lamps change at random, at each junction by a seed of its own."""

    def __init__(self, site: Site, seeds: list[int]) -> None:
        self.signals, self.detection = compile_signals(site), compile_detection(site)
        self.detectors, self.lamps = (
            new_detectors(self.signals, self.detection),
            new_lamps(len(self.signals.min_green_ms)),
        )
        self.links = compile_links(site)
        self.travel = compile_travel(self.detection, self.links, approach_lanes(site))
        self.traffic = new_traffic(self.signals, self.detection, self.links, self.travel)
        self._rngs = [np.random.default_rng(seed) for seed in seeds]
        self.level = np.concatenate(
            [
                rng.choice([0, 0, 0, 2, 4], len(junction.detectors)).astype(np.uint8)
                for rng, junction in zip(self._rngs, site.junctions, strict=True)
            ]
        )
        self.rate_per_s = np.where(self.level == 2, 0.1, 0.0).astype(np.float32)

    def tick(self, now_ms: int, step_ms: int) -> None:
        """Some loops and lamps change, then all is brought to ``now_ms``."""
        for j, rng in enumerate(self._rngs):
            first, last = self.detection.detector_ptr[j : j + 2]
            chosen = np.flatnonzero(rng.random(last - first) < 0.3).astype(np.int32) + first
            t_ms = np.full(len(chosen), now_ms - int(rng.integers(0, step_ms)), np.int64)
            on = rng.integers(0, 2, len(chosen)).astype(np.uint8)
            out = np.zeros(len(chosen), EVENT_DTYPE)
            take_detections(self.detectors, chosen, t_ms, on, len(chosen), now_ms, out)
            self._switch(rng, self.signals.group_ptr[j], self.signals.group_ptr[j + 1], now_ms)
        stage = np.zeros(len(self._rngs), np.int32)
        update_traffic(
            self.signals.group_ptr,
            self.detection,
            self.links,
            self.travel,
            self.detectors,
            self.lamps,
            stage,
            self.level,
            self.rate_per_s,
            self.traffic,
            now_ms,
        )

    def _switch(self, rng: np.random.Generator, first: int, last: int, now_ms: int) -> None:
        for group in range(first, last):
            if rng.random() < 0.05:
                before = self.lamps.aspect[group]
                self.lamps.aspect[group] = rng.integers(0, 8)
                if self.lamps.aspect[group] in (GREEN, PERMISSIVE) and before not in (GREEN, PERMISSIVE):
                    self.lamps.green_ms[group] = now_ms


def finite(traffic: Traffic) -> bool:
    arrays = [value for value in traffic if isinstance(value, np.ndarray)]
    for part in (traffic.discharge, traffic.arrivals, traffic.outflow, traffic.turning):
        arrays += part
    return all(np.isfinite(array).all() for array in arrays)


@quick
@given(seeds, st.sampled_from([100, 1000, 2500]))
def test_queues_stay_possible(seed: int, step_ms: int) -> None:
    """Never negative, never longer than the way has room, variances and waits too; all numbers finite."""
    rng = np.random.default_rng(seed)
    city = City(random_site(rng, 2), [seed, seed + 1])
    room = np.maximum(city.detection.storage_m / JAM_M, 1.0)
    for k in range(1, 200):
        city.tick(k * step_ms, step_ms)
        traffic = city.traffic
        assert finite(traffic)
        assert (traffic.queue_veh >= 0.0).all()
        assert (traffic.queue_veh <= room + 1e-3).all()
        for least_zero in (
            traffic.queue_var,
            traffic.waited_veh_s,
            traffic.oldest_s,
            traffic.left_veh,
            traffic.ahead_veh,
            traffic.early_veh,
            traffic.arrivals.arrival_veh,
            traffic.arrivals.owed_veh,
        ):
            assert (least_zero >= 0.0).all()


@quick
@given(st.lists(st.floats(0.0, 0.4), min_size=30, max_size=110), st.integers(5, 60))
def test_without_loops_arrivals_are_either_waiting_or_gone(arrivals: list[float], green_at: int) -> None:
    """Mass balance: who was told is in the queue or has left, or is in the ring and not early; to a rounding error."""
    world = World(crossroads(), blind=True)
    world.detection = world.detection._replace(storage_m=np.full(len(world.detection.stop_bar), 9000.0))
    left = 0.0
    for t, vehicles in enumerate(arrivals):
        if t == green_at:
            world.show(green=True)
        world.expect(t + 1, vehicles)
        world.run(1)
        left += float(world.traffic.left_veh[0])
        still = float(world.traffic.arrivals.arrival_veh[:, 0].sum() - world.traffic.early_veh[0])
        assert abs(sum(arrivals[: t + 1]) - left - world.queue_veh - still) < 1e-3


def test_the_ring_is_empty_behind_now() -> None:
    """Each second is taken once; ticks of a tenth and of ten seconds leave nothing in the one before the present.

    Those before it are the end of the horizon already.
    """
    for step_ms in (100, 1000, 10_000):
        city = City(crossroads(), [3])
        city.traffic.arrivals.arrival_veh.fill(1.0)
        for now_ms in range(0, 60_001, step_ms):
            city.tick(now_ms, step_ms)
            if now_ms and now_ms % 1000 == 0:
                assert (city.traffic.arrivals.arrival_veh[(now_ms // 1000 - 1) % RING] == 0.0).all()


@quick
@given(seeds)
def test_junctions_without_links_do_not_touch_each_other(seed: int) -> None:
    """Of three junctions, only the first and the last see other traffic: the one between them keeps its bits."""
    site = random_site(np.random.default_rng(seed), 3)
    one, other = City(site, [1, seed, 2]), City(site, [3, seed, 4])
    for k in range(1, 120):
        one.tick(1000 * k, 1000)
        other.tick(1000 * k, 1000)
    first, last = one.detection.lane_ptr[1:3]
    for name in ("queue_veh", "queue_var", "left_veh", "waited_veh_s", "lane_full"):
        same = [getattr(city.traffic, name)[first:last].tobytes() for city in (one, other)]
        assert same[0] == same[1], name
    rings = [city.traffic.arrivals.arrival_veh[:, first:last].tobytes() for city in (one, other)]
    assert rings[0] == rings[1]

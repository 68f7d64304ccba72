"""Whatever loops and lamps do: queues stay possible, nobody is made or lost, junctions do not touch each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.kernels.detectors import take_detections
from greensplit.engine.kernels.estimation.traffic import JAM_M, RING_S, Traffic, new_traffic
from greensplit.engine.kernels.estimation.update import update_traffic
from greensplit.engine.kernels.state import new_detectors, new_lamps
from greensplit.engine.model.aspects import GREEN, PERMISSIVE
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.site import Site

from ..sites import crossroads, random_site
from .world import World

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=25, deadline=None)


class City:
    """A site whose loops and lamps change at random, the same for every junction of the same number."""

    def __init__(self, site: Site, first: int, seed: int) -> None:
        self.signals, self.detection = compile_signals(site), compile_detection(site)
        self.detectors, self.lamps = new_detectors(self.detection), new_lamps(len(self.signals.min_green_ms))
        self.traffic = new_traffic(self.signals, self.detection)
        junctions = len(site.junctions)
        self._rngs = [np.random.default_rng([seed, first + j]) for j in range(junctions)]
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
            take_detections(self.signals, self.detection, self.detectors, chosen, t_ms, on, len(chosen), out)
            self._switch(rng, self.signals.group_ptr[j], self.signals.group_ptr[j + 1], now_ms)
        stage = np.zeros(len(self._rngs), np.int32)
        update_traffic(
            self.signals,
            self.detection,
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
    return all(np.isfinite(array).all() for array in (*arrays, *traffic.discharge))


@quick
@given(seeds, st.sampled_from([100, 1000, 2500]))
def test_queues_stay_possible(seed: int, step_ms: int) -> None:
    """Never negative, never longer than the way has room, variances and waits too; all numbers finite."""
    rng = np.random.default_rng(seed)
    city = City(random_site(rng, 2), 0, seed)
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
            traffic.arrival_veh,
            traffic.beyond_veh,
            traffic.counted_veh,
        ):
            assert (least_zero >= 0.0).all()


@quick
@given(st.lists(st.floats(0.0, 0.4), min_size=30, max_size=110), st.integers(5, 60))
def test_without_loops_arrivals_are_either_waiting_or_gone(arrivals: list[float], green_at: int) -> None:
    """Mass balance: what was taken out of the ring is in the queue or was told to have left, to a rounding error."""
    world = World(crossroads(), blind=True)
    world.detection = world.detection._replace(storage_m=np.full(len(world.detection.stop_bar), 9000.0))
    left = 0.0
    for t, vehicles in enumerate(arrivals):
        if t == green_at:
            world.show(green=True)
        world.expect(t + 1, vehicles)
        world.run(1)
        left += float(world.traffic.left_veh[0])
        still = float(world.traffic.arrival_veh[0].sum())
        assert abs(sum(arrivals[: t + 1]) - left - world.queue_veh - still) < 1e-3


def test_the_ring_is_empty_behind_now() -> None:
    """Each second is taken once; ticks of a tenth and of ten seconds leave nothing behind."""
    for step_ms in (100, 1000, 10_000):
        city = City(crossroads(), 0, 3)
        city.traffic.arrival_veh[:, :RING_S] = 1.0
        for now_ms in range(0, 60_001, step_ms):
            city.tick(now_ms, step_ms)
        now_s = 60
        behind = [(now_s - back) % RING_S for back in range(1, 7)]
        assert (city.traffic.arrival_veh[:, behind] == 0.0).all()


@quick
@given(seeds)
def test_one_city_is_its_junctions_one_by_one(seed: int) -> None:
    """Five junctions in one call and each alone: the same bits."""
    rng = np.random.default_rng(seed)
    site = random_site(rng, 5)
    together = City(site, 0, seed)
    alone = [City(Site("one", (junction,)), j, seed) for j, junction in enumerate(site.junctions)]
    for k in range(1, 120):
        for city in (together, *alone):
            city.tick(1000 * k, 1000)
    for name in ("queue_veh", "queue_var", "left_veh", "waited_veh_s", "arrival_veh", "lane_full"):
        parts = [getattr(city.traffic, name) for city in alone]
        assert (getattr(together.traffic, name) == np.concatenate(parts)).all(), name

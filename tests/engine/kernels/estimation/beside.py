"""Forecasts by the kernels and by the plain oracle, side by side on one network under the same random traffic."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.detectors import new_detectors
from greensplit.engine.kernels.estimation.arrivals import adopt_plans, update_arrivals
from greensplit.engine.kernels.estimation.outflow import plan_outflow, take_departures
from greensplit.engine.kernels.estimation.travel import HORIZON_S, RING, approach_lanes, compile_travel
from greensplit.engine.kernels.estimation.turning import learn_turns, new_turning
from greensplit.engine.kernels.state import new_lamps
from greensplit.engine.model.aspects import GREEN, PERMISSIVE, RED
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.site import Site
from greensplit.engine.model.upstream import compile_links

from .layout import by_second, new_forecasts, noise_of, ring_of
from .naive import Loop
from .naive_arrivals import NaiveArrivals
from .naive_learning import ADVANCE, NOTHING, STOP_BAR
from .naive_outflow import NaiveOutflow

CLEARED_MS = 6000
OPEN = (GREEN, PERMISSIVE)
TOLERANCE = 1e-4


def compare(found: npt.NDArray[Any], told: list[Any], what: str, within: float = TOLERANCE) -> None:
    """Within 1e-4, of one and of the value, unless told otherwise.

    The long way is for the words of a failure: it takes most of the time.
    """
    want = np.array(told, np.float64).reshape(found.shape)
    if (np.abs(found - want) > within * (1.0 + np.abs(want))).any() or not np.isfinite(found).all():
        np.testing.assert_allclose(found, want, within, within, err_msg=what)


class Beside:
    """Both, and the random traffic: loops, lamps, departures and failures."""

    def __init__(self, site: Site, rng: np.random.Generator, start_ms: int = 0) -> None:
        self.rng, self.now_ms = rng, start_ms
        self.detection, self.links = compile_detection(site), compile_links(site)
        approaches = approach_lanes(site)
        self.travel = compile_travel(self.detection, self.links, approaches)
        self.detectors = new_detectors(compile_signals(site), self.detection)
        self.lamps = new_lamps(sum(len(j.groups) for j in site.junctions))
        self.turning = new_turning(self.links)
        self.outflow, self.arrivals = new_forecasts(self.detection, self.links, self.travel)
        self.loops = [Loop() for _ in self.detection.kind]
        self.level = np.zeros(len(self.loops), np.uint8)
        self.rate_per_s = np.zeros(len(self.loops), np.float32)
        self.lanes = len(self.detection.stop_bar)
        self.busy = rng.uniform(0.02, 0.4, len(self.loops))
        self.plain_outflow = NaiveOutflow(self.links)
        self.plain = NaiveArrivals(self.detection, self.links, approaches, self.plain_outflow)

    def step(self, step_ms: int) -> None:
        """``step_ms`` of traffic, then one tick of both."""
        self.now_ms += step_ms
        self._fail()
        self._switch_lamps()
        self._drive(step_ms)
        self._tick()

    def _tick(self) -> None:
        """Departures at random."""
        chosen = self.rng.random(self.lanes) < 0.2
        left_veh = np.where(chosen, self.rng.choice([0.25, 1.0, 2.0], self.lanes), 0.0).astype(np.float32)
        self._tick_kernels(left_veh)
        self._tick_plain({lane: float(veh) for lane, veh in enumerate(left_veh) if veh > 0.0})

    def _fail(self) -> None:
        """Now and then loops fail in every way that there is, and come back."""
        for d in np.flatnonzero(self.rng.random(len(self.loops)) < 0.004):
            self.level[d] = self.rng.choice([0, 1, 2, 3, 4], p=[0.6, 0.1, 0.1, 0.1, 0.1])
            self.rate_per_s[d] = np.nan if self.level[d] == 4 else self.rng.uniform(0.0, 0.3)

    def _switch_lamps(self) -> None:
        for group in np.flatnonzero(self.rng.random(len(self.lamps.aspect)) < 0.05):
            if self.lamps.aspect[group] in OPEN:
                self.lamps.end_ms[group] = self.now_ms
                self.lamps.aspect[group] = RED
            else:
                self.lamps.green_ms[group] = self.now_ms
                self.lamps.aspect[group] = self.rng.choice(OPEN)

    def _drive(self, step_ms: int) -> None:
        """Most vehicles pass a loop within the step, some stand on it for a while."""
        for d, loop in enumerate(self.loops):
            if loop.on and self.rng.random() < 0.12:
                loop.switch(False, self.now_ms)
            elif not loop.on and self.rng.random() < self.busy[d]:
                at_ms = self.now_ms - int(self.rng.integers(0, step_ms))
                loop.switch(True, at_ms)
                if self.rng.random() < 0.93:
                    loop.switch(False, self.now_ms)
            self.detectors.on[d], self.detectors.on_ms[d] = loop.on, loop.on_ms
            self.detectors.off_ms[d], self.detectors.actuations[d] = loop.off_ms, loop.entered

    def _tick_kernels(self, left_veh: npt.NDArray[np.float32]) -> None:
        now_ms = self.now_ms
        take_departures(
            self.links, self.detectors, self.lamps, self.turning, self.level, left_veh, self.outflow, now_ms
        )
        learn_turns(self.links, self.lamps, left_veh, self.outflow.seen_veh, self.turning, now_ms)
        update_arrivals(
            self.detection,
            self.links,
            self.travel,
            self.detectors,
            self.level,
            self.rate_per_s,
            left_veh,
            self.outflow,
            self.arrivals,
            now_ms,
        )

    def _tick_plain(self, left: dict[int, float]) -> None:
        level = self.level.tolist()
        open_groups = {
            g
            for g, aspect in enumerate(self.lamps.aspect)
            if aspect in OPEN or self.now_ms - self.lamps.end_ms[g] <= CLEARED_MS
        }
        actuations = [loop.entered for loop in self.loops]
        self.plain_outflow.tick(self.now_ms, actuations, level, left, open_groups)
        self.plain.tick(self.now_ms, self.loops, level, self.rate_per_s.tolist(), left)

    def publish(self) -> None:
        """Some junctions publish their plans, from queues and greens at random; both adopt what they promise."""
        second = self.now_ms // 1000
        junctions = np.flatnonzero(self.rng.random(len(self.detection.lane_ptr) - 1) < 0.6)
        queue = self.rng.uniform(0.0, 12.0, self.lanes).astype(np.float32)
        per_s = self.rng.uniform(0.2, 0.6, self.lanes).astype(np.float32)
        opened = [self._greens(second) for _ in range(self.lanes)]
        coming = [
            dict(zip(range(second, second + HORIZON_S), row, strict=True))
            for row in ring_of(self.arrivals, second)
        ]
        planned = np.full((len(self.plain.sources), RING), np.nan, np.float32)
        plan_outflow(
            self.links,
            self.detection.lane_ptr,
            self.turning,
            by_second(opened, second),
            queue,
            per_s,
            self.arrivals.arrival_veh,
            junctions.astype(np.int32),
            self.now_ms,
            planned,
        )
        promised = self._promised(junctions, queue, per_s, opened, coming)
        self._compare_plans(planned, promised, second)
        chosen = np.zeros(len(self.detection.lane_ptr) - 1, np.bool_)
        chosen[junctions] = True
        adopt_plans(self.links, self.travel, self.outflow, self.arrivals, planned, chosen, self.now_ms)
        self.plain.adopt(set(junctions.tolist()), promised)

    def _greens(self, second: int) -> dict[int, float]:
        """Two greens within the horizon, the first of which begins with a part of a second."""
        start, length = (int(n) for n in self.rng.integers(0, 40, 2))
        green = dict.fromkeys(range(second + start, second + start + length), 1.0)
        green |= dict.fromkeys(range(second + 90, second + 110), 1.0)
        green[second + start] = float(np.float32(self.rng.random()))
        return green

    def _promised(
        self,
        junctions: npt.NDArray[np.int64],
        queue: npt.NDArray[np.float32],
        per_s: npt.NDArray[np.float32],
        opened: list[dict[int, float]],
        coming: list[dict[int, float]],
    ) -> dict[int, dict[int, float]]:
        found: dict[int, dict[int, float]] = {}
        for j in junctions:
            lanes = range(self.detection.lane_ptr[j], self.detection.lane_ptr[j + 1])
            found |= self.plain_outflow.promised(
                lanes, self.now_ms // 1000, queue.tolist(), per_s.tolist(), opened, coming
            )
        return found

    def _compare_plans(
        self, planned: npt.NDArray[np.float32], promised: dict[int, dict[int, float]], second: int
    ) -> None:
        for source, row in promised.items():
            ahead = planned[source, np.arange(second, second + HORIZON_S) % RING]
            told = [row.get(s, 0.0) for s in range(second, second + HORIZON_S)]
            compare(ahead, told, f"plan of source {source} at {self.now_ms} ms")

    def compare_rings(self) -> None:
        """Every lane, every second from now to the horizon."""
        second = self.now_ms // 1000
        told = [[lane.expected[second + k] for k in range(HORIZON_S)] for lane in self.plain.lanes]
        compare(ring_of(self.arrivals, second), told, f"rings at {self.now_ms} ms")

    def compare_state(self) -> None:
        """All that was learned, per lane, feed, source and way."""
        kernels, lanes = self.arrivals, self.plain.lanes
        feeds = [feed for lane in lanes for feed in lane.feeds]
        sources, ways = self.plain_outflow.sources, self.plain_outflow.ways
        counters = (ADVANCE, STOP_BAR, NOTHING)
        pairs = {
            "noise": (noise_of(kernels), [lane.noise for lane in lanes]),
            "sight": (kernels.sight_s[:, 0], [lane.sight_s for lane in lanes]),
            "feed sight": (kernels.sight_s[:, 1], [lane.feed_sight_s for lane in lanes]),
            "covered": (kernels.is_covered, [lane.is_covered for lane in lanes]),
            "owed": (kernels.owed_veh, [lane.owed for lane in lanes]),
            "base": (kernels.base_per_s, [lane.base for lane in lanes]),
            "unseen": (kernels.unseen_per_s, [lane.unseen for lane in lanes]),
            "lane share": (kernels.lane_share, [lane.share for lane in lanes]),
            "came": (kernels.came_veh, [lane.came for lane in lanes]),
            "told": (kernels.told_veh, [lane.told for lane in lanes]),
            "odds": (kernels.flow_odds, [lane.odds for lane in lanes]),
            "counter": (kernels.counter, [counters.index(lane.counter) for lane in lanes]),
            "feed share": (kernels.feed_share, [feed.share for feed in feeds]),
            "feed flow": (kernels.feed_per_s, [feed.per_s for feed in feeds]),
            "near": (kernels.near_veh, [feed.near for feed in feeds]),
            "credited": (kernels.feed_veh, [feed.credited for feed in feeds]),
            "possible": (kernels.source_veh, [feed.possible for feed in feeds]),
            "new": (self.outflow.new_veh, [source.new for source in sources]),
            "rate": (self.outflow.rate_per_s, [source.per_s for source in sources]),
            "way share": (self.turning.way_share, [way.share for way in ways]),
        }
        for name, (found, told) in pairs.items():
            compare(found, told, f"{name} at {self.now_ms} ms")
        for lane, (plain, advance) in enumerate(zip(lanes, self.detection.advance, strict=True)):
            assert advance < 0 or kernels.taken[lane] == plain.taken

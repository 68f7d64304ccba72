"""One tick of the estimation, all its parts together, does what the words say: beside the plain oracle."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.kernels.estimation.discharge import NOWHERE
from greensplit.engine.kernels.estimation.expected_flow import expect_at_loops
from greensplit.engine.kernels.estimation.forecast import forecast_window
from greensplit.engine.kernels.estimation.traffic import new_traffic
from greensplit.engine.kernels.estimation.update import update_traffic
from greensplit.engine.model.aspects import PERMISSIVE
from greensplit.engine.model.compiled import compile_signals
from greensplit.engine.model.site import Site

from .beside import OPEN, Beside, compare
from .layout import cells_of
from .naive_traffic import NaiveTraffic
from .networks import random_network


class City(Beside):
    """Queues too: what leaves the lanes is what they say."""

    def __init__(self, site: Site, rng: np.random.Generator) -> None:
        super().__init__(site, rng)
        signals = compile_signals(site)
        self.group_ptr = signals.group_ptr
        self.traffic = new_traffic(signals, self.detection, self.links, self.travel)
        self.arrivals, self.outflow = self.traffic.arrivals, self.traffic.outflow
        self.turning = self.traffic.turning
        self.busy = rng.uniform(0.02, 0.2, len(self.loops))
        owner = np.repeat(np.arange(len(site.junctions)), np.diff(self.detection.lane_ptr))
        ptr = self.detection.lane_group_ptr
        groups = [
            (signals.group_ptr[j] + self.detection.lane_group[ptr[lane] : ptr[lane + 1]]).tolist()
            for lane, j in enumerate(owner)
        ]
        self.plain_traffic = NaiveTraffic(self.detection, groups, self.loops, self.plain)
        for lane, cell in zip(self.plain_traffic.lanes, cells_of(self.traffic, stage=0), strict=True):
            told = int(self.traffic.discharge.gives_way[cell])
            lane.yields = (None if told == NOWHERE else bool(told), None)

    def _tick(self) -> None:
        stage = np.zeros(len(self.group_ptr) - 1, np.int32)
        update_traffic(
            self.group_ptr,
            self.detection,
            self.links,
            self.travel,
            self.detectors,
            self.lamps,
            stage,
            self.level,
            self.rate_per_s,
            self.traffic,
            self.now_ms,
        )
        shown = [g for g, aspect in enumerate(self.lamps.aspect) if aspect in OPEN]
        yielding = {g for g in shown if self.lamps.aspect[g] == PERMISSIVE}
        green_ms = {g: int(self.lamps.green_ms[g]) for g in shown}
        self._tick_plain(self.plain_traffic.tick(self.now_ms, self.level.tolist(), green_ms, yielding))

    def compare_queues(self) -> None:
        """Per lane and group what controllers read, and what was learned of the discharge."""
        traffic, plain, lanes = self.traffic, self.plain_traffic, self.plain_traffic.lanes
        cells = cells_of(traffic, stage=0)
        pairs = {
            "queue": (traffic.queue_veh, [lane.queue for lane in lanes]),
            "variance": (traffic.queue_var, [lane.var for lane in lanes]),
            "left": (traffic.left_veh, [lane.left for lane in lanes]),
            "early": (traffic.early_veh, [lane.told for lane in lanes]),
            "ahead": (traffic.ahead_veh, [lane.ahead for lane in lanes]),
            "oldest": (traffic.oldest_s, [lane.age_s for lane in lanes]),
            "longest": (traffic.longest_m, [lane.longest_m for lane in lanes]),
            "served": (traffic.discharge.served_veh[cells], [lane.served[0][0] for lane in lanes]),
            "served in": (traffic.discharge.served_s[cells], [lane.served[0][1] for lane in lanes]),
            "start-up": (traffic.discharge.start_up_s, [lane.start_up_s for lane in lanes]),
            "blocked": (traffic.lane_blocked, [lane.blocked for lane in lanes]),
            "lane full": (traffic.lane_full, [room.is_full for room in plain.ahead]),
            "exit full": (traffic.exit_full, [room.is_full for room in plain.exits]),
        }
        for name, (found, told) in pairs.items():
            compare(found, told, f"{name} at {self.now_ms} ms")
        waited = [lane.waited for lane in lanes]
        compare(traffic.waited_veh_s, waited, f"waited at {self.now_ms} ms", within=2e-3)

    def compare_windows(self, start_s: int, length_s: int) -> None:
        """What is forecast, and what is expected at the advance loops."""
        window = forecast_window(self.arrivals, self.now_ms, start_s, length_s)
        told = [self.plain.window(lane, start_s, length_s) for lane in self.plain.lanes]
        compare(window.mean_veh, [mean for mean, _ in told], f"mean at {self.now_ms} ms")
        compare(window.variance_veh2, [variance for _, variance in told], f"variance at {self.now_ms} ms")
        rate_per_s = np.zeros(len(self.loops), np.float32)
        expect_at_loops(self.detection, self.links, self.travel, self.outflow, self.arrivals, rate_per_s)
        at_loops = np.array([self.plain.at_loop(d) for d in range(len(self.loops))])
        assert (np.isnan(rate_per_s) == np.isnan(at_loops)).all()
        compare(np.nan_to_num(rate_per_s), np.nan_to_num(at_loops).tolist(), f"loops at {self.now_ms} ms")


@pytest.mark.parametrize("seed", range(5))
def test_a_city_is_estimated_as_its_rules_say(seed: int) -> None:
    """300 s of a random network: queues, discharge, full exits, outflow and forecasts feed each other."""
    rng = np.random.default_rng(seed)
    city = City(random_network(rng), rng)
    for _ in range(300):
        city.step(1000)
        city.compare_queues()
        city.compare_state()
        if rng.random() < 0.15:
            city.compare_rings()
            city.compare_windows(*(int(n) for n in rng.integers(0, 90, 2)))

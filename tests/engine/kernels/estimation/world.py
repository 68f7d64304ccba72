"""One lane in front of a lamp, loops switched and arrivals told by hand, its queue moved on second by second."""

from __future__ import annotations

import numpy as np

from greensplit.engine.kernels.detectors import new_detectors
from greensplit.engine.kernels.estimation.queues import update_queues
from greensplit.engine.kernels.estimation.spillback import update_spillback
from greensplit.engine.kernels.estimation.traffic import new_traffic
from greensplit.engine.kernels.estimation.travel import RING, approach_lanes, compile_travel
from greensplit.engine.kernels.health.state import RECALL
from greensplit.engine.kernels.state import new_lamps
from greensplit.engine.model.aspects import GREEN, RED
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.site import Site
from greensplit.engine.model.upstream import compile_links

STOP, ADVANCE = 0, 1


class World:
    """Lane 0 of a site, its stop-bar and its advance loop; both unsound where ``blind``."""

    def __init__(self, site: Site, *, blind: bool = False, advance_m: float = 80.0) -> None:
        self.signals, found = compile_signals(site), compile_detection(site)
        self.detection = found._replace(advance_m=np.full(len(found.stop_bar), advance_m))
        self.detectors = new_detectors(self.signals, self.detection)
        self.lamps = new_lamps(len(self.signals.min_green_ms))
        links = compile_links(site)
        self.travel = compile_travel(self.detection, links, approach_lanes(site))
        self.traffic = new_traffic(self.signals, self.detection, links, self.travel)
        self.traffic.arrivals.arrival_veh.fill(0.0)
        self.traffic.arrivals.sight_s[:, 0] = 0 if blind else self.travel.own_s
        self.level = np.full(len(self.detection.channel), RECALL if blind else 0, np.uint8)
        self.stage = np.zeros(len(self.signals.device_id), np.int32)
        self.index = {STOP: int(self.detection.stop_bar[0]), ADVANCE: int(self.detection.advance[0])}
        self.now_s = 0

    @property
    def queue_veh(self) -> float:
        return float(self.traffic.queue_veh[0])

    def expect(self, second: int, vehicles: float) -> None:
        """Vehicles that reach the stop line in a second."""
        self.traffic.arrivals.arrival_veh[second % RING, 0] += vehicles

    def show(self, *, green: bool) -> None:
        """Switch the lamp now."""
        self.lamps.aspect[0] = GREEN if green else RED
        if green:
            self.lamps.green_ms[0] = 1000 * self.now_s

    def switch(self, which: int, on: bool, at_s: float | None = None) -> None:
        """Switch a loop, now or at a time within the last second."""
        d, t_ms = self.index[which], round(1000 * (self.now_s if at_s is None else at_s))
        if self.detectors.on[d] == on:
            return
        self.detectors.on[d] = on
        if on:
            self.detectors.on_ms[d] = t_ms
            self.detectors.actuations[d] += 1
        else:
            self.detectors.off_ms[d] = t_ms

    def run(self, seconds: int) -> None:
        """Let time pass."""
        for _ in range(seconds):
            self.now_s += 1
            self.update()

    def update(self, step_ms: int = 1000) -> None:
        """One tick at the present time."""
        now_ms = 1000 * self.now_s
        update_queues(
            self.signals.group_ptr,
            self.detection,
            self.detectors,
            self.lamps,
            self.stage,
            self.level,
            self.traffic,
            step_ms,
            now_ms,
        )
        seen = self.detectors.actuations[self.detection.advance]
        self.traffic.arrivals.taken[:] = np.where(self.detection.advance >= 0, seen, 0)
        update_spillback(self.detection, self.detectors, self.level, self.traffic, step_ms)

"""Two junctions in a row, and a way to run the arrival forecasts on them second by second."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.detectors import new_detectors
from greensplit.engine.kernels.estimation.arrivals import new_arrivals, update_arrivals
from greensplit.engine.kernels.estimation.outflow import new_outflow, take_departures
from greensplit.engine.kernels.estimation.travel import RING, approach_lanes, compile_travel
from greensplit.engine.kernels.estimation.turning import learn_turns, new_turning
from greensplit.engine.kernels.state import new_lamps
from greensplit.engine.model.aspects import GREEN
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.site import Detector, DetectorKind, Link, Site, Stage
from greensplit.engine.model.upstream import compile_links

from ..sites import group, junction

TRAVEL_MS = 25_000
EXIT = 4
"""Position of A's exit loop behind group 1, after two stop-bar and two advance loops."""
B_ADVANCE = 6
"""Position of the advance loop of B's first lane."""
OTHER_ADVANCE = 8
"""That of its second."""
FED = 2
"""B's first lane, to which both groups of A lead."""


def street() -> Site:
    """A's groups 1 and 2 lead to B's first lane; behind group 1 lies an exit loop, behind group 2 none."""
    both, stages = (group(1), group(2)), (Stage("S", (1, 2)),)
    a = junction(both, (), stages, name="A", device_id=1)
    b = junction(both, (), stages, name="B", device_id=2)
    loop = Detector("out1", 201, DetectorKind.EXIT, "out_0", 8.0, 2.0, 8.0, (1,), ())
    a = replace(a, detectors=(*a.detectors, loop))
    links = tuple(Link("A", number, "B", "in1_0", 347.0, TRAVEL_MS, 46.0) for number in (1, 2))
    return Site("street", (a, b), links)


@dataclass
class Run:
    """The street's forecasts, moved on one second at a time."""

    site: Site = field(default_factory=street)
    now_s: int = -1

    def __post_init__(self) -> None:
        self.detection, self.links = compile_detection(self.site), compile_links(self.site)
        self.travel = compile_travel(self.detection, self.links, approach_lanes(self.site))
        self.detectors = new_detectors(compile_signals(self.site), self.detection)
        self.lamps = new_lamps(sum(len(j.groups) for j in self.site.junctions))
        self.lamps.aspect[:] = GREEN
        self.turning, self.outflow = new_turning(self.links), new_outflow(self.links, self.travel, plans=True)
        self.arrivals = new_arrivals(self.detection, self.links, self.travel, plans=True)
        self.level = np.zeros(len(self.detection.kind), np.uint8)
        self.rate_per_s = np.zeros(len(self.detection.kind), np.float32)

    def step(self, hits: tuple[int, ...] = (), left: dict[int, float] | None = None) -> None:
        """One second, at whose end the detectors in ``hits`` have seen a vehicle and ``left`` went from lanes."""
        self.now_s += 1
        now_ms = 1000 * self.now_s
        for loop in hits:
            self.detectors.actuations[loop] += 1
            self.detectors.on_ms[loop] = now_ms
            self.detectors.off_ms[loop] = now_ms
        left_veh = np.zeros(len(self.detection.stop_bar), np.float32)
        for lane, veh in (left or {}).items():
            left_veh[lane] = veh
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

    def ahead(self, lane: int, length_s: int = 120) -> npt.NDArray[np.float64]:
        """Vehicles expected on a lane in each second from now."""
        seconds = (self.now_s + np.arange(length_s)) % RING
        found: npt.NDArray[np.float64] = self.arrivals.arrival_veh[seconds, lane].astype(np.float64)
        return found

    def know_nothing(self) -> None:
        """No flow but what is seen from now on: empty rings, and shares of one for every feed."""
        for rows in (self.arrivals.arrival_veh, self.arrivals.base_per_s, self.arrivals.unseen_per_s):
            rows.fill(0.0)
        self.arrivals.feed_per_s.fill(0.0)
        self.arrivals.feed_share.fill(1.0)

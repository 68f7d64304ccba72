"""The platoon model: junctions with one cycle, whose departures are the arrivals of the next (TRANSYT, RRL LR 253).

Offsets are moved one junction at a time, as long as the performance index of the junction and of those that it feeds
gets less. Times within a cycle are whole seconds of one clock for all junctions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..model.site import Link
from .cycle_kernel import disperse_profile
from .demand import Turn
from .platoon import Dispersion, dispersion
from .timing import Cost, JunctionTimer, Timing

__all__ = ["Region"]

F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
ROUNDS = 2
COARSE = 12
GAIN = 1e-3


@dataclass(frozen=True, slots=True)
class Feed:
    """Part of what leaves a group comes to a lane: ``share`` of its vehicles."""

    origin: str
    group: int
    share: float
    spread: Dispersion


class Region:
    """Junctions that run one common cycle (or half of it), at one time of day."""

    def __init__(
        self,
        timers: Mapping[str, JunctionTimer],
        links: Iterable[Link],
        turns: Mapping[Turn, float],
        flows: Mapping[str, F64],
    ) -> None:
        """``turns`` and ``flows`` (G,) are in veh/h."""
        self.names = tuple(timers)
        self._timers = timers
        self._feeds = _feeds(timers, links, turns, flows)
        self._fed_by: dict[str, set[str]] = defaultdict(set)
        for name, lanes in self._feeds.items():
            for feed in (feed for feeds in lanes for feed in feeds):
                self._fed_by[feed.origin].add(name)
        self._flows = flows
        self._departed: dict[str, F64] = {}
        self._costs: dict[str, Cost] = {}
        self.timings: dict[str, Timing] = {}
        self.offsets: dict[str, int] = {}
        self.cycle_s = 0

    def set_up(self, timings: Mapping[str, Timing], offsets: Mapping[str, int], cycle_s: int) -> float:
        """Take timings whose cycles divide ``cycle_s``; the performance index, veh s per hour."""
        self.cycle_s = cycle_s
        self.timings = dict(timings)
        self.offsets = {name: offsets[name] % cycle_s for name in self.names}
        for name in self.names:
            self._departed[name] = self._timers[name].run(self._lamps(name, self.offsets[name])).copy()
        for _ in range(ROUNDS):
            for name in self.names:
                self._renew(name, self.offsets[name])
        return self.index()

    def index(self) -> float:
        """Sum of the junctions' performance indices."""
        return sum(cost.index for cost in self._costs.values())

    def costs(self) -> dict[str, Cost]:
        """What every junction costs."""
        return dict(self._costs)

    def climb(self, sweeps: int) -> float:
        """Move the offsets until none gains any more, at most ``sweeps`` times each; the performance index."""
        for sweep in range(sweeps):
            moved = [self._improve([name], self._steps(sweep)) for name in self.names]
            if not any(moved):
                break
        return self.set_up(self.timings, self.offsets, self.cycle_s)

    def move_together(self, blocks: Sequence[Sequence[str]]) -> float:
        """Move whole blocks of junctions, offsets within each kept; the performance index."""
        for block in blocks:
            self._improve(block, [k * self.cycle_s // COARSE for k in range(1, COARSE)])
        return self.set_up(self.timings, self.offsets, self.cycle_s)

    def _steps(self, sweep: int) -> list[int]:
        if sweep == 0:
            return [k * self.cycle_s // COARSE for k in range(1, COARSE)]
        return [-5, -3, -2, -1, 1, 2, 3, 5]

    def _improve(self, block: Sequence[str], steps: Sequence[int]) -> bool:
        """Try to move the junctions of a block by each step; keep the best."""
        affected = list(dict.fromkeys([*block, *(name for b in block for name in sorted(self._fed_by[b]))]))
        before = {name: (self.offsets[name], self._departed[name], self._costs[name]) for name in affected}
        best, best_step = sum(self._costs[name].index for name in affected), 0
        for step in steps:
            if self._try(block, affected, before, step) < best - GAIN:
                best, best_step = sum(self._costs[name].index for name in affected), step
        self._restore(before)
        if best_step:
            self._try(block, affected, before, best_step)
        return best_step != 0

    def _try(
        self,
        block: Sequence[str],
        affected: Sequence[str],
        before: Mapping[str, tuple[int, F64, Cost]],
        step: int,
    ) -> float:
        self._restore(before)
        for name in block:
            self.offsets[name] = (before[name][0] + step) % self.cycle_s
            self._departed[name] = np.roll(before[name][1], step, axis=1)
        for name in affected:
            self._renew(name, self.offsets[name])
        return sum(self._costs[name].index for name in affected)

    def _restore(self, before: Mapping[str, tuple[int, F64, Cost]]) -> None:
        for name, (offset, departed, cost) in before.items():
            self.offsets[name], self._departed[name], self._costs[name] = offset, departed, cost

    def _renew(self, name: str, offset_s: int) -> None:
        """Departures and cost of a junction from what comes to it now."""
        timer = self._timers[name]
        lamps = self._lamps(name, offset_s)
        self._departed[name] = timer.run(lamps, self.arrivals(name)).copy()
        self._costs[name] = timer.last_cost(self.cycle_s)

    def _lamps(self, name: str, offset_s: int) -> U8:
        """Lamps (C, G) of the common cycle on the common clock."""
        lamps = self.timings[name].lamps
        whole: U8 = np.roll(np.tile(lamps, (self.cycle_s // len(lamps), 1)), offset_s, axis=0)
        return np.ascontiguousarray(whole)

    def arrivals(self, name: str) -> F64:
        """Vehicles (L, C) that come to each lane in each second: platoons, and the rest evenly."""
        lanes = self._timers[name].lanes
        arrival = np.zeros((len(lanes.flow), self.cycle_s))
        for lane, feeds in enumerate(self._feeds[name]):
            for feed in feeds:
                departed = self._departed[feed.origin][feed.group - 1] * feed.share
                disperse_profile(departed, feed.spread.lag_s, feed.spread.smoothing, arrival[lane])
            rest = lanes.flow[lane] * self.cycle_s - float(arrival[lane].sum())
            if rest >= 0.0:
                arrival[lane] += rest / self.cycle_s
            else:
                arrival[lane] *= lanes.flow[lane] * self.cycle_s / float(arrival[lane].sum())
        return arrival


def _feeds(
    timers: Mapping[str, JunctionTimer],
    links: Iterable[Link],
    turns: Mapping[Turn, float],
    flows: Mapping[str, F64],
) -> dict[str, list[list[Feed]]]:
    """What feeds each lane of each junction from within the region."""
    found: dict[str, list[list[Feed]]] = {
        name: [[] for _ in timer.junction.lanes] for name, timer in timers.items()
    }
    rows = {
        name: {lane.id: row for row, lane in enumerate(timer.junction.lanes)}
        for name, timer in timers.items()
    }
    for link in links:
        if link.from_junction in timers and link.to_junction in timers:
            row = rows[link.to_junction].get(link.to_lane)
            out = float(flows[link.from_junction][link.from_group - 1])
            if row is not None and out > 0.0:
                share = _lane_flow(timers[link.to_junction], row, link, turns) / out
                if share > 0.0:
                    spread = dispersion(link.travel_ms / 1000.0)
                    feed = Feed(link.from_junction, link.from_group, min(share, 1.0), spread)
                    found[link.to_junction][row].append(feed)
    return found


def _lane_flow(timer: JunctionTimer, row: int, link: Link, turns: Mapping[Turn, float]) -> float:
    """Vehicles an hour that a link brings to the lane in row ``row``."""
    whole = timer.volume.sum(axis=0)
    return sum(
        turns.get((link.from_junction, link.from_group, link.to_junction, number), 0.0)
        * float(timer.volume[row, number - 1] / whole[number - 1])
        for number in timer.junction.lanes[row].groups
        if whole[number - 1] > 0.0
    )

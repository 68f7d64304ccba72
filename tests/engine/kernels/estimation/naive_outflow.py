"""What leaves the junctions in plain Python: departures by source, rates, where vehicles turn, what plans promise.

Written from the words of ``outflow`` and ``turning``: sources, ways and lanes are objects, seconds keys of dicts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

from greensplit.engine.model.upstream import Links

PERIOD_S = 32
HORIZON_S = 120


@dataclass
class Way:
    """From a lane, under a group, to a source."""

    lane: int
    group: int
    source: int
    counted: float = 0.0
    share: float = 0.0


@dataclass
class Source:
    """Where vehicles leave: an exit loop, or a group without one."""

    loop: int | None
    junction: int
    departed: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    taken: int = 0
    is_seen: bool = False
    new: float = 0.0
    seen: float = 0.0
    fresh: float = 0.0
    counted: float = 0.0
    counted_s: float = 0.0
    per_s: float = 0.03
    plan: dict[int, float] = field(default_factory=dict)
    plan_end_s: int = -(10**9)


class NaiveOutflow:
    """All sources of a site and the ways that lead to them."""

    def __init__(self, links: Links) -> None:
        self.sources = [
            Source(None if loop < 0 else loop, junction)
            for loop, junction in zip(
                links.source_detector.tolist(), links.source_junction.tolist(), strict=True
            )
        ]
        self.ways = [
            Way(lane, group, source)
            for lane, group, source in zip(
                links.way_lane.tolist(), links.way_group.tolist(), links.way_source.tolist(), strict=True
            )
        ]
        self.recent: defaultdict[int, float] = defaultdict(float)
        self.now_ms: int | None = None
        for way in self.ways:
            self._renew_share(way.lane)

    def _renew_share(self, lane: int) -> None:
        """One vehicle for each way on top of what was counted."""
        ways = [way for way in self.ways if way.lane == lane]
        total = sum(way.counted + 1.0 for way in ways)
        for way in ways:
            way.share = (way.counted + 1.0) / total

    def tick(
        self,
        now_ms: int,
        actuations: list[int],
        level: list[int],
        left: dict[int, float],
        open_groups: set[int],
    ) -> None:
        """Departures up to now; those of ``open_groups`` can be passing an exit."""
        self._count(actuations, level, left, open_groups)
        self._remember(now_ms)
        self._learn_turns(now_ms, left, open_groups)
        self.now_ms = now_ms

    def _count(
        self, actuations: list[int], level: list[int], left: dict[int, float], open_groups: set[int]
    ) -> None:
        """Healthy exits count themselves; what left a lane takes its open ways, the rest of them by their shares."""
        for source in self.sources:
            is_seen = source.loop is not None and level[source.loop] == 0
            if is_seen != source.is_seen:
                source.is_seen = is_seen
                source.fresh = source.counted = source.counted_s = 0.0
            came = 0
            if source.loop is not None:
                came, source.taken = actuations[source.loop] - source.taken, actuations[source.loop]
            source.seen = source.new = float(came) if is_seen else 0.0
        for lane, vehicles in left.items():
            ways = [way for way in self.ways if way.lane == lane and way.group in open_groups]
            for way in ways:
                if not self.sources[way.source].is_seen:
                    self.sources[way.source].new += vehicles * way.share / sum(w.share for w in ways)

    def _remember(self, now_ms: int) -> None:
        """Rates over 400 s, renewed in turns; before it starts there was no time in which nothing left."""
        second = now_ms // 1000
        first = second if self.now_ms is None else self.now_ms // 1000 + 1
        for passed in range(first, second + 1):
            for i, source in enumerate(self.sources):
                if turn_of(i, len(self.sources)) == passed % PERIOD_S:
                    fade = math.exp(-PERIOD_S / 400)
                    source.counted = fade * source.counted + source.fresh
                    source.counted_s = fade * source.counted_s + PERIOD_S
                    source.fresh = 0.0
                    source.per_s = (source.counted + 0.03 * 10) / (source.counted_s + 10)
        for source in self.sources:
            source.departed[second] += source.new
            source.fresh += source.new

    def _learn_turns(self, now_ms: int, left: dict[int, float], open_groups: set[int]) -> None:
        """Who is seen at an exit came over one of its open ways, in proportion to who left lately and turns here."""
        fade = 0.0 if self.now_ms is None else math.exp(-(now_ms - self.now_ms) / 4000)
        for lane in {way.lane for way in self.ways}:
            self.recent[lane] = fade * self.recent[lane] + left.get(lane, 0.0)
        for i, source in enumerate(self.sources):
            if source.seen:
                into = [way for way in self.ways if way.source == i]
                likely = {
                    n: self.recent[way.lane] * way.share
                    for n, way in enumerate(into)
                    if way.group in open_groups
                }
                total = sum(likely.values())
                for n, weight in likely.items():
                    if weight > 0.0:
                        self._credit(into[n], source.seen * weight / total)
                for way in into:
                    self._renew_share(way.lane)

    def _credit(self, way: Way, vehicles: float) -> None:
        """The lane remembers 150 vehicles: older ones fade as new ones come."""
        for other in self.ways:
            if other.lane == way.lane:
                other.counted *= max(1.0 - vehicles / 150.0, 0.0)
        way.counted += vehicles

    def promised(
        self,
        lanes: range,
        second: int,
        queue: list[float],
        per_s: list[float],
        opened: dict[int, dict[int, float]],
        arrivals: dict[int, dict[int, float]],
    ) -> dict[int, dict[int, float]]:
        """By source and second: in each second of the horizon the queue leaves as far as the lane is open."""
        found: dict[int, dict[int, float]] = {
            way.source: defaultdict(float) for way in self.ways if way.lane in lanes
        }
        for lane in lanes:
            waiting = queue[lane]
            for s in range(second, second + HORIZON_S):
                waiting += arrivals[lane].get(s, 0.0)
                leaving = min(waiting, per_s[lane] * opened[lane].get(s, 0.0))
                waiting -= leaving
                for way in self.ways:
                    if way.lane == lane:
                        found[way.source][s] += leaving * way.share
        return found


def turn_of(i: int, count: int) -> int:
    """Which of the 32 turns member ``i`` of ``count`` has: all turns in order, as evenly as whole numbers allow."""
    return next(
        turn for turn in range(PERIOD_S) if count * turn // PERIOD_S <= i < count * (turn + 1) // PERIOD_S
    )

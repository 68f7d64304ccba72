"""Arrival forecasts in plain Python, from the words of ``arrivals``, ``travel`` and ``dispersion``.

Robertson (1969): of those of a platoon who could have come, a share F comes each second. F and the least travel time
follow from mean and spread (Yu and Van Aerde 1995). Every second is a key of a dict, from now to the horizon.
"""

from __future__ import annotations

import math

from greensplit.engine.model.compiled import Detection
from greensplit.engine.model.upstream import Links

from .naive import Loop
from .naive_learning import NOTHING, Feed, Lane, learn
from .naive_outflow import HORIZON_S, PERIOD_S, NaiveOutflow, turn_of


def platoon(veh: float, factor: float, first: int, last: int) -> dict[int, float]:
    """By second: at most 48 s long, its last 2 % at once, and who is due behind ``last`` comes then."""
    due: dict[int, float] = {}
    rest, second = veh, min(first, last)
    while second < min(first + 48, last) and rest > 0.02 * veh:
        due[second] = factor * rest
        rest, second = rest - due[second], second + 1
    due[second] = rest
    return due


class NaiveArrivals:
    """The forecasts of all lanes of a site, beside the outflow that they hear of."""

    def __init__(
        self, detection: Detection, links: Links, approaches: list[list[int]], outflow: NaiveOutflow
    ) -> None:
        self.sources = outflow.sources
        self.now_s: int | None = None
        self.lanes = []
        for i, peers in enumerate(approaches):
            loop, stop = (None if d < 0 else int(d) for d in (detection.advance[i], detection.stop_bar[i]))
            own_s = 0.0 if loop is None else 1.04 * detection.advance_m[i] / detection.speed_mps[i]
            share = float(detection.advance_share[i])
            feeds = [self._feed(links, k) for k in range(links.feed_ptr[i], links.feed_ptr[i + 1])]
            self.lanes.append(Lane(loop, stop, share, own_s, feeds, peers, share=share))

    @staticmethod
    def _feed(links: Links, k: int) -> Feed:
        """Speeds 10 % below the limit over a link; times spread by 12 % of their mean, 2 s at least."""
        mean_s = 1.1 * int(links.feed_travel_ms[k]) / 1000
        variance = max(0.12 * mean_s, 2.0) ** 2
        factor = (math.sqrt(1 + 4 * variance) - 1) / (2 * variance)
        source = int(links.feed_source[k])
        rivals = links.feed_source.tolist().count(source)
        feed = Feed(
            source, mean_s, factor, round(1000 * max(mean_s - 1 / factor + 1, 0.0)), rivals, 1 / rivals
        )
        feed.share = 0.0 if feed.is_far else feed.share
        return feed

    def start(self, now_s: int) -> None:
        """Nothing is known: 0.02 a second everywhere."""
        for lane in self.lanes:
            lane.expected.update(dict.fromkeys(range(now_s, now_s + HORIZON_S), 0.02))

    def tick(
        self, now_ms: int, loops: list[Loop], level: list[int], rate: list[float], left: dict[int, float]
    ) -> None:
        """The outflow has been told already; then who passed the own loops, and who left."""
        now_s = now_ms // 1000
        if self.now_s is None:
            self.start(now_s)
        new_seconds = range(now_s if self.now_s is None else self.now_s + 1, now_s + 1)
        self.now_s = now_s
        for lane in self.lanes:
            self._look(lane, loops, level, now_ms)
        for second in new_seconds:
            for lane in self.lanes:
                self._pass_second(lane, second)
        for lane in self.lanes:
            self._announce(lane, now_ms)
        for lane in self.lanes:
            self._see(lane, loops, now_s)
        for i, lane in enumerate(self.lanes):
            self._leave(lane, level, left.get(i, 0.0))
        for second in new_seconds:
            for i, lane in enumerate(self.lanes):
                if turn_of(i, len(self.lanes)) == second % PERIOD_S:
                    learn(lane, self.lanes, self.sources, level, rate, now_s)

    def _look(self, lane: Lane, loops: list[Loop], level: list[int], now_ms: int) -> None:
        """A sound loop sees as far as its vehicles need, unless one has stood on it for over 3 s."""
        sees = lane.loop is not None and level[lane.loop] == 0
        lane.sight_s = math.ceil(lane.own_s) if sees else 0
        lane.is_covered = sees and loops[lane.loop].on and now_ms - loops[lane.loop].on_ms > 3000

    def _pass_second(self, lane: Lane, second: int) -> None:
        """The horizon moves on; what was expected at the sources and at the own loop in this second is taken out."""
        lane.expected.pop(second - 1, None)
        lane.expected[second + HORIZON_S - 1] = lane.base
        lane.told += lane.unseen
        for feed in lane.feeds:
            if not feed.is_far:
                if feed.whole_s > lane.sight_s:
                    lane.due(second + feed.whole_s, -self._expected_of(feed, second))
                self._come_near(lane, feed, second)
        if lane.sight_s > 0:
            at = second + lane.sight_s
            if lane.is_covered:
                lane.owed += lane.expected[at]
            else:
                lane.expected[at] = 0.0

    def _expected_of(self, feed: Feed, leaving: int) -> float:
        """What the forecast holds of those who leave then: by plan as far as it covers their arrival."""
        source = self.sources[feed.source]
        if leaving + feed.whole_s < source.plan_end_s:
            return feed.plan_share * source.plan.get(leaving, 0.0)
        return feed.per_s

    def _come_near(self, lane: Lane, feed: Feed, second: int) -> None:
        """Platoons reach the own loop; without one they count as they leave, spread over a cycle of 45 s at least."""
        ago_s, factor = feed.least_ms / 1000, min(feed.factor, 1 / 45)
        if lane.sight_s > 0:
            ago_s, factor = ago_s - round(1000 * lane.own_s) / 1000, feed.factor
        left = self.sources[feed.source].departed[second - max(math.floor(ago_s + 0.5), 0)]
        feed.near = factor * left + (1 - factor) * feed.near
        if not lane.is_covered:
            lane.told += feed.share * feed.near
            if lane.counter != NOTHING:
                feed.possible += feed.near

    def _announce(self, lane: Lane, now_ms: int) -> None:
        """Those who left a source are expected beyond what the own loop sees."""
        for feed in lane.feeds:
            veh = feed.share * self.sources[feed.source].new
            if veh == 0.0:
                continue
            first, last = (now_ms + feed.least_ms) // 1000, now_ms // 1000 + HORIZON_S - 1
            for second, part in platoon(veh, feed.factor, first, last).items():
                if second > now_ms // 1000 + lane.sight_s:
                    lane.due(second, part)

    def _see(self, lane: Lane, loops: list[Loop], now_s: int) -> None:
        """Who passed the own loop comes after the way from there, unless expected behind a covered loop already."""
        if lane.loop is None:
            return
        loop = loops[lane.loop]
        seen, lane.taken = loop.entered - lane.taken, loop.entered
        if seen and lane.sight_s > 0:
            came = seen * lane.share
            paid = min(came, lane.owed)
            lane.owed -= paid
            lane.seen_lately += seen
            lane.came += came
            due = (loop.on_ms + round(1000 * lane.own_s)) // 1000
            lane.due(min(max(due, now_s), now_s + lane.sight_s), came - paid)
            self._attribute(lane, came - paid)

    def _leave(self, lane: Lane, level: list[int], veh: float) -> None:
        """Without an own loop, who leaves a sound stop bar stands for who comes, unless supposed before."""
        lane.left_lately += veh
        if lane.sight_s == 0 and lane.stop is not None and level[lane.stop] == 0:
            paid = min(veh, lane.owed)
            lane.owed -= paid
            lane.came += veh - paid
            self._attribute(lane, veh)

    def _attribute(self, lane: Lane, veh: float) -> None:
        """In proportion to what the feeds and the unseen flow, 1e-6 a second at least, let expect at this moment."""
        weights = [feed.share * feed.near for feed in lane.feeds]
        unseen = lane.unseen + 1e-6
        total = unseen + sum(weights)
        for feed, weight in zip(lane.feeds, weights, strict=True):
            feed.credited += veh * weight / total
        lane.unseen_memory.veh += veh * unseen / total

    def adopt(self, junctions: set[int], plans: dict[int, dict[int, float]]) -> None:
        """For the sources of ``junctions``: what was expected of them gives way to what they plan."""
        assert self.now_s is not None
        for lane in self.lanes:
            for feed in lane.feeds:
                if self.sources[feed.source].junction in junctions and not feed.is_far:
                    for leaving in range(self.now_s + 1, self.now_s + HORIZON_S - feed.whole_s):
                        if feed.whole_s > lane.sight_s:
                            after = feed.share * plans[feed.source].get(leaving, 0.0)
                            lane.due(leaving + feed.whole_s, after - self._expected_of(feed, leaving))
                    feed.plan_share = feed.share
        for i, source in enumerate(self.sources):
            if source.junction in junctions:
                source.plan = dict(plans[i])
                source.plan_end_s = self.now_s + HORIZON_S

    def at_loop(self, loop: int) -> float:
        """Vehicles per second at an advance loop: unseen ones, and those of the feeds that were counted at all."""
        total = math.nan if all(lane.loop != loop for lane in self.lanes) else 0.0
        for lane in self.lanes:
            if lane.loop == loop:
                counted = [
                    feed for feed in lane.feeds if not feed.is_far and self.sources[feed.source].counted_s
                ]
                total += lane.unseen if counted else math.nan
                total += sum(feed.share * self.sources[feed.source].per_s for feed in counted)
        return total

    def window(self, lane: Lane, start_s: int, length_s: int) -> tuple[float, float]:
        """Mean and variance of who comes within a window, by what sees as far ahead."""
        assert self.now_s is not None
        mean = variance = 0.0
        for ahead_s in range(start_s, min(start_s + length_s, HORIZON_S)):
            kind = 0 if ahead_s < lane.sight_s else (1 if ahead_s < lane.feed_sight_s else 2)
            mean += lane.expected[self.now_s + ahead_s]
            variance += lane.expected[self.now_s + ahead_s] * lane.noise[kind]
        return mean, variance

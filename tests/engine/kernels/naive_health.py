"""Plain detector health: what the docstrings of ``engine.kernels.health`` say, one detector object at a time.

Every bin is kept; whoever asks for a smoothed count goes through the whole history again. Slow, for tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from greensplit.engine.model.site import Detector, DetectorKind, Junction

NAN = float("nan")


@dataclass
class Bin:
    count: int
    brief: int
    on_ms: int
    span_ms: int


@dataclass
class NaiveLoop:
    """A loop and all that is remembered of it."""

    detector: Detector
    bins: list[Bin] = field(default_factory=list)
    is_on: bool = False
    peers: dict[int, float] = field(default_factory=dict)
    doubt: dict[int, float] = field(default_factory=dict)
    fault: str = "none"
    level: str = "own"
    rate_per_s: float = 0.0
    few: float = 0.0
    many: float = 0.0
    missed: float = 0.0
    expected: list[tuple[int, float]] = field(default_factory=list)
    dispersion: float = 2.0
    surprises: int = 0
    sound_bins: int = 0
    waiting: float = 0.0
    profile: dict[int, float] = field(default_factory=dict)

    @property
    def seen(self) -> int:
        return sum(b.count for b in self.bins)

    def can_be_trusted(self) -> bool:
        """Nothing speaks against it, and it has spoken itself."""
        return self.fault == "none" and self.seen > 0

    def smooth(self, bins: float) -> float:
        value = 0.0
        for n, b in enumerate(self.bins, start=1):
            value += (b.count - value) / min(bins, n)
        return value

    def growth(self) -> float:
        return math.log((self.smooth(15) + 0.1) / (self.smooth(90) + 0.1))

    def chatter(self) -> float:
        score = 0.0
        for b in self.bins:
            bad = (b.brief >= 3 and b.brief >= 0.3 * b.count) or b.count * 900.0 > b.span_ms
            score = min(score + 1.0, 6.0) if bad else max(score - 0.34, 0.0)
        return score

    def bins_lately(self, is_such: Callable[[Bin], bool]) -> int:
        """How many bins up to now were such, one after another."""
        n = 0
        while n < len(self.bins) and is_such(self.bins[-1 - n]):
            n += 1
        return n

    def covered_bins(self) -> int:
        return self.bins_lately(lambda b: b.span_ms - b.on_ms <= 2500)

    def queue_bins(self) -> int:
        return self.bins_lately(lambda b: b.span_ms - b.on_ms <= 2500 * (b.count + 1))


class NaiveHealth:
    """The loops of one junction."""

    def __init__(self, junction: Junction) -> None:
        self.junction = junction
        self.loops = [NaiveLoop(d) for d in junction.detectors]
        self.silent_ms = 0
        self.quarter: int | None = None
        self.quarter_bins: list[tuple[int, list[int]]] = []
        for loop in self.loops:
            loop.peers = self._peers(loop.detector)
            loop.doubt = dict.fromkeys(loop.peers, 0.25)

    def _peers(self, mine: Detector) -> dict[int, float]:
        def of(kind: DetectorKind) -> list[tuple[int, Detector]]:
            return [(i, d) for i, d in enumerate(self.junction.detectors) if d.kind is kind]

        stops, advances = of(DetectorKind.STOP_BAR), of(DetectorKind.ADVANCE)
        if mine.kind is DetectorKind.ADVANCE:
            return {i: 1.0 for i, d in stops if set(d.lanes) & set(mine.lanes)}
        if mine.kind is DetectorKind.STOP_BAR:
            ahead = {i: 1.0 / len(d.lanes) for i, d in advances if set(d.lanes) & set(mine.lanes)}
            exits = {i: 0.5 for i, d in of(DetectorKind.EXIT) if set(d.groups) & set(mine.groups)}
            return ahead or exits
        if mine.kind is DetectorKind.EXIT:
            return {i: 0.5 for i, d in stops if set(d.groups) & set(mine.groups)}
        return {}

    def close(self, bins: list[Bin], on: list[bool], day_ms: int, upstream: list[float]) -> None:
        """One bin of all loops."""
        quarter = day_ms // 900_000 % 96
        if quarter != self.quarter:
            self._keep_profile()
            self.quarter, self.quarter_bins = quarter, []
        self.quarter_bins.append((bins[0].span_ms, [b.count for b in bins]))
        for loop, b, is_on in zip(self.loops, bins, on, strict=True):
            loop.bins.append(b)
            loop.is_on = is_on
        self.silent_ms = 0 if any(b.count for b in bins) else self.silent_ms + bins[0].span_ms
        for loop in self.loops:
            self._compare(loop)
        self._judge()
        is_early = sum(loop.seen for loop in self.loops) < 15 * len(self.loops)
        for d, loop in enumerate(self.loops):
            self._substitute(loop, upstream[d], is_early)

    def _keep_profile(self) -> None:
        span_s = sum(ms for ms, _ in self.quarter_bins) / 1000.0
        if self.quarter is None or span_s < 600:
            return
        for d, loop in enumerate(self.loops):
            if loop.sound_bins:
                found = sum(counts[d] for _, counts in self.quarter_bins) * 900.0 / span_s
                before = loop.profile.get(self.quarter)
                found = found if before is None else before + 0.3 * (found - before)
                code = math.floor(min(8 * math.sqrt(found) + 0.5, 254.0))
                loop.profile[self.quarter] = (code / 8) ** 2

    def _compare(self, loop: NaiveLoop) -> None:
        sound = {
            p: w
            for p, w in loop.peers.items()
            if self.loops[p].fault == "none"
            and self.loops[p].chatter() < 1.0
            and not 0 < self.loops[p].covered_bins() <= loop.queue_bins()
        }
        total, trusted = sum(loop.peers.values()), sum(sound.values())
        if not trusted or trusted < 0.7 * total:
            loop.few *= 1 - 1 / 120
            loop.many *= 1 - 1 / 120
            return
        covered = loop.covered_bins()
        telling = {p: w for p, w in sound.items() if not covered or self.loops[p].queue_bins() < covered}
        expected = sum(w * self.loops[p].bins[-1].count for p, w in telling.items()) * total / trusted
        loop.missed = 0.0 if loop.bins[-1].count else loop.missed + expected / loop.dispersion
        if covered:
            loop.few *= 1 - 1 / 120
            loop.many *= 1 - 1 / 120
            loop.waiting = loop.waiting + expected - loop.bins[-1].count if covered <= 4 else 0.0
        else:
            self._weigh(loop, expected + loop.waiting)
            loop.waiting = 0.0
        trusting = loop.seen < 30 or loop.missed < 2.0
        if loop.seen and len(sound) == len(loop.peers) and trusting and covered <= 4:
            self._learn(loop)

    def _weigh(self, loop: NaiveLoop, expected: float) -> None:
        count = loop.bins[-1].count
        warm = sum(e for _, e in loop.expected) >= 50.0
        if warm:
            for name, factor in (("few", 0.65), ("many", 1.6)):
                gain = (count * math.log(factor) - (factor - 1) * expected) / loop.dispersion
                setattr(loop, name, min(max(getattr(loop, name) * (1 - 1 / 120) + gain, 0.0), 4.2))
        loop.expected.append((count, expected))
        if len(loop.expected) % 15 == 0 and sum(e for _, e in loop.expected) >= 50.0:
            own, told = (sum(x) for x in zip(*loop.expected[-15:], strict=True))
            loop.surprises = min(loop.surprises + 1, 6)
            surprise = min((own - told) ** 2 / max(told, 3.0), 5.0)
            loop.dispersion += (surprise - loop.dispersion) / (loop.surprises + 2)
            loop.dispersion = max(loop.dispersion, 1.0)

    def _learn(self, loop: NaiveLoop) -> None:
        blurred = {p: self.loops[p].smooth(4.5) for p in loop.peers}
        told = sum(loop.peers[p] * blurred[p] for p in blurred)
        spread = sum(loop.doubt[p] * blurred[p] ** 2 for p in blurred)
        error = loop.smooth(4.5) - told
        for p, seen in blurred.items():
            gain = loop.doubt[p] * seen / (spread + max(told, 0.2))
            loop.peers[p] = min(max(loop.peers[p] + gain * error, 0.0), 1.5)
            loop.doubt[p] = min(loop.doubt[p] * (1 - gain * seen) + 2e-5, 0.25)

    def _judge(self) -> None:
        usual = sum(loop.smooth(90) for loop in self.loops)
        recent, before = 0.0, 0.0
        for loop in self.loops:
            if loop.fault == "none":
                mine = loop.smooth(90)
                before += mine
                recent += min(max(loop.smooth(15), mine / 2), mine * 2)
        trend = math.log((recent + 0.1) / (before + 0.1))
        lost_veh = usual * self.silent_ms / 20_000 / 3
        silent = self.silent_ms >= 900_000 or (lost_veh >= 30 and self.silent_ms >= 180_000)
        for loop in self.loops:
            found = "whole junction silent" if silent else self._find(loop, trend)
            if found != "none":
                loop.sound_bins = 0
                if loop.fault == "none" or silent:
                    loop.fault = found
            elif loop.chatter() <= 1 and max(loop.few, loop.many, loop.missed) <= 2:
                loop.sound_bins += 1
                if loop.sound_bins >= 3:
                    loop.fault = "none"

    def _find(self, loop: NaiveLoop, trend: float) -> str:
        if loop.chatter() >= 3:
            return "chatter"
        same = set(self._peers(loop.detector).values()) == {1.0}
        if self._stands_for_ten_minutes(loop):
            return "stuck on"
        compared = sum(e for _, e in loop.expected) >= 50 or loop.covered_bins() >= 18
        known = (same or loop.seen >= 30) and compared
        if known and loop.missed >= 10 and not 0 < loop.covered_bins() < 18:
            return "stuck on" if loop.is_on else "stuck off"
        if any(w >= 0.3 and self.loops[p].fault != "none" for p, w in loop.peers.items()):
            return "none"
        moved = loop.growth() - trend
        if loop.few >= (3.0 if same else 3.8) and moved <= -0.25:
            return "counts too few"
        return "counts too many" if loop.many >= 4.0 and moved >= 0.25 else "none"

    def _stands_for_ten_minutes(self, loop: NaiveLoop) -> bool:
        """On, and nothing came or went for ten minutes, nor did a queue move over one that sees the same vehicles."""

        def was_actuated(one: NaiveLoop) -> bool:
            return any(b.count for b in one.bins[-30:])

        moving = [self.loops[p] for p in loop.peers if was_actuated(self.loops[p])]
        if len(loop.bins) < 30 or not loop.is_on or was_actuated(loop):
            return False
        return all(one.queue_bins() < loop.covered_bins() for one in moving)

    def _substitute(self, loop: NaiveLoop, upstream: float, is_early: bool) -> None:
        if loop.can_be_trusted() or (is_early and loop.fault == "none"):
            loop.level, loop.rate_per_s = "own", loop.smooth(15) / 20
            return
        ladder = {
            "neighbours": self._from_neighbours(loop),
            "upstream outflow": upstream,
            "same time of day": loop.profile.get(self.quarter or 0, NAN) / 900,
            "recall": NAN,
        }
        loop.level = next(name for name, rate in ladder.items() if name == "recall" or not math.isnan(rate))
        loop.rate_per_s = ladder[loop.level]

    def _from_neighbours(self, loop: NaiveLoop) -> float:
        sound = {p: w for p, w in loop.peers.items() if self.loops[p].can_be_trusted()}
        total, trusted = sum(loop.peers.values()), sum(sound.values())
        if trusted > 0 and trusted >= 0.5 * total:
            return sum(w * self.loops[p].smooth(15) for p, w in sound.items()) * total / trusted / 20
        approach = {lane.id: lane.approach for lane in self.junction.lanes}
        mine = {approach.get(lane) for lane in loop.detector.lanes}
        beside = [
            other
            for other in self.loops
            if other is not loop
            and other.detector.kind is loop.detector.kind
            and other.can_be_trusted()
            and mine & {approach.get(lane) for lane in other.detector.lanes}
        ]
        usual = sum(other.smooth(90) for other in beside)
        if usual < 0.1 or not loop.seen:
            return NAN
        return loop.smooth(90) * sum(other.smooth(15) for other in beside) / usual / 20

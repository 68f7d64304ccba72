"""What the forecasts of one lane learn, in plain Python, from the words of ``calibration``."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

from .naive_outflow import HORIZON_S, PERIOD_S, Source

ADVANCE, STOP_BAR, NOTHING = "advance", "stop bar", "nothing"


@dataclass
class Feed:
    """From a source to a lane. ``near`` of its vehicles may come now; ``credited`` did, of ``possible`` ones."""

    source: int
    mean_s: float
    factor: float
    least_ms: int
    rivals: int
    share: float
    per_s: float = 0.0
    near: float = 0.0
    credited: float = 0.0
    possible: float = 0.0
    plan_share: float = 0.0

    @property
    def is_far(self) -> bool:
        return self.mean_s > 100.0

    @property
    def whole_s(self) -> int:
        return int(self.mean_s)


@dataclass
class Memory:
    """A count that fades with time; before anything was counted it is 0.02 a second for 10 s."""

    fades_s: float
    veh: float = 0.0
    since_s: float = 0.0

    @property
    def per_s(self) -> float:
        return (self.veh + 0.02 * 10.0) / (self.since_s + 10.0)

    def add(self, veh: float) -> None:
        keep = math.exp(-PERIOD_S / self.fades_s)
        self.veh = keep * self.veh + veh
        self.since_s = keep * self.since_s + PERIOD_S


@dataclass
class Lane:
    """A lane's forecast, ``expected`` by second, and what it learned. ``loop`` and ``stop`` are detectors or None."""

    loop: int | None
    stop: int | None
    static_share: float
    own_s: float
    feeds: list[Feed]
    peers: list[int]
    expected: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    sight_s: int = 0
    feed_sight_s: int = 0
    is_covered: bool = False
    base: float = 0.02
    unseen: float = 0.02
    share: float = 0.0
    owed: float = 0.0
    taken: int = 0
    counter: str = NOTHING
    came: float = 0.0
    told: float = 0.0
    unseen_memory: Memory = field(default_factory=lambda: Memory(600.0))
    short: Memory = field(default_factory=lambda: Memory(60.0))
    long: Memory = field(default_factory=lambda: Memory(600.0))
    odds: float = 0.0
    left_lately: float = 0.0
    seen_lately: float = 0.0
    errors: list[float] = field(default_factory=lambda: [0.0, 0.0])
    judged: float = 0.0
    noise: list[float] = field(default_factory=lambda: [1.0, 1.0, 1.0])

    def due(self, second: int, veh: float) -> None:
        """``veh`` more, or fewer but not below none."""
        self.expected[second] = max(self.expected[second] + veh, 0.0)


def learn(
    lane: Lane, lanes: list[Lane], sources: list[Source], level: list[int], rate: list[float], now_s: int
) -> None:
    """A lane's turn: judge the forecasts of the period, smooth what came, exchange the flow in the forecast."""
    counter = _counter(lane, level)
    if counter != lane.counter:
        _forget(lane, counter)
    elif counter != NOTHING:
        _judge(lane)
    _smooth(lane, level, rate)
    _divide(lane, lanes, level)
    for feed in lane.feeds:
        if not feed.is_far:
            _learn_share(feed)
    lane.feed_sight_s = min((feed.whole_s for feed in lane.feeds if not feed.is_far), default=0)
    _exchange_flow(lane, sources, now_s)


def _sound(detector: int | None, level: list[int]) -> bool:
    return detector is not None and level[detector] == 0


def _counter(lane: Lane, level: list[int]) -> str:
    if _sound(lane.loop, level):
        return ADVANCE
    return STOP_BAR if _sound(lane.stop, level) else NOTHING


def _forget(lane: Lane, counter: str) -> None:
    """Whatever was counted by another counter; the shares and the noise stay until there is a better word."""
    lane.counter = counter
    lane.came = lane.told = lane.odds = 0.0
    lane.short, lane.long, lane.unseen_memory = Memory(60.0), Memory(600.0), Memory(600.0)
    for feed in lane.feeds:
        feed.credited = feed.possible = 0.0


def _judge(lane: Lane) -> None:
    """Variance per vehicle of the forecasts by feeds and by flow, over 20 periods; 1 for the first 10 vehicles."""
    wrong = (lane.came - lane.told, lane.came - PERIOD_S * lane.base)
    lane.judged = 0.95 * lane.judged + lane.came
    lane.errors = [0.95 * error + by**2 for error, by in zip(lane.errors, wrong, strict=True)]
    lane.noise[1:] = [(error + 10.0) / (lane.judged + 10.0) for error in lane.errors]


def _smooth(lane: Lane, level: list[int], rate: list[float]) -> None:
    """Own counts; without a counter the substitute rate of the loop, or else what the feeds told."""
    veh = lane.came
    if lane.counter == NOTHING:
        veh = lane.told
        if lane.loop is not None and level[lane.loop] < 4:
            veh = PERIOD_S * rate[lane.loop] * lane.share
        elif lane.stop is not None and level[lane.stop] < 4:
            veh = PERIOD_S * rate[lane.stop]
    else:
        short, long = PERIOD_S * lane.short.per_s, PERIOD_S * lane.long.per_s
        lane.odds *= math.exp(-PERIOD_S / 600.0)
        lane.odds += _log_poisson(veh, short) - _log_poisson(veh, long)
        lane.unseen_memory.add(0.0)
    lane.short.add(veh)
    lane.long.add(veh)
    lane.unseen = lane.unseen_memory.per_s
    lane.came = lane.told = 0.0


def _log_poisson(veh: float, mean: float) -> float:
    """Logarithm of the probability of ``veh`` vehicles, but for the factorial."""
    return veh * math.log(mean) - mean


def _divide(lane: Lane, lanes: list[Lane], level: list[int]) -> None:
    """Those that the loops of an approach saw come to its lanes as these were left; uncounted lanes divide the rest.

    The prior are 10 vehicles divided as the loops saw them.
    """
    fade = math.exp(-PERIOD_S / 900.0)
    lane.left_lately *= fade
    lane.seen_lately *= fade
    peers = [lanes[i] for i in lane.peers if _sound(lanes[i].loop, level)]
    seen = {id(peer): peer.static_share * peer.seen_lately for peer in peers}
    mine, everybody = seen.get(id(lane), 0.0), sum(seen.values())
    share = lane.static_share
    if mine > 0.0:
        counted = [peer for peer in peers if _sound(peer.stop, level)]
        blind = sum(seen[id(peer)] for peer in peers if not _sound(peer.stop, level))
        left = sum(peer.left_lately for peer in counted)
        whole = max(everybody, left) if blind > 0.0 else left
        if _sound(lane.stop, level):
            veh = lane.left_lately + 10.0 * mine / everybody
        else:
            prior = 10.0 * sum(seen[id(peer)] for peer in counted) / everybody
            veh = (whole + 10.0 - left - prior) * mine / blind
        share = everybody * veh / (whole + 10.0) / lane.seen_lately
    lane.share = min(share, 2.0)
    lane.noise[0] = max(1.0 - share, 0.1)


def _learn_share(feed: Feed) -> None:
    """Of the last 200 possible ones those that came; before, 3 vehicles that every rival gets its part of."""
    if feed.possible > 200.0:
        feed.credited *= 200.0 / feed.possible
        feed.possible = 200.0
    feed.share = min((feed.credited + 3.0 / feed.rivals) / (feed.possible + 3.0), 1.0)


def _exchange_flow(lane: Lane, sources: list[Source], now_s: int) -> None:
    """The sum of all parts becomes the lane's own flow, within a factor of 2, beyond what its loop sees.

    A feed's part begins behind its travel time and behind what the source's plan covers.
    """
    short_weight = 1.0 / (1.0 + math.exp(min(-lane.odds, 50.0)))
    flow = short_weight * lane.short.per_s + (1.0 - short_weight) * lane.long.per_s
    announced = sum(feed.share * sources[feed.source].per_s for feed in lane.feeds)
    bias = min(max(flow / (lane.unseen + announced), 0.5), 2.0)
    rest = max(flow - bias * announced, 0.0)
    rest_before = lane.base - sum(feed.per_s for feed in lane.feeds)
    seen_until = now_s + lane.sight_s + 1
    _add(lane, range(seen_until, now_s + HORIZON_S), rest - rest_before)
    lane.base = rest
    for feed in lane.feeds:
        if not feed.is_far:
            source = sources[feed.source]
            per_s = bias * feed.share * source.per_s
            first = max(seen_until, now_s + feed.whole_s + 1, source.plan_end_s)
            _add(lane, range(first, now_s + HORIZON_S), per_s - feed.per_s)
            feed.per_s = per_s
            lane.base += per_s


def _add(lane: Lane, seconds: range, veh: float) -> None:
    for s in seconds:
        lane.due(s, veh)

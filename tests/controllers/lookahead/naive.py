"""The game and the choice in plain words: dictionaries, no limit on what a game may cost, slow."""

from __future__ import annotations

from dataclasses import dataclass

from greensplit.controllers.lookahead import playout, search
from greensplit.controllers.lookahead.playout import Rules
from greensplit.controllers.lookahead.rates import STUCK_PER_S
from greensplit.engine.model.site import Junction, MeetingKind

Cells = dict[tuple[int, int], float]


@dataclass
class Words:
    """A junction. Cells are (stage, lane); ``change_s`` is by (stage, next stage)."""

    junction: Junction
    rate: Cells
    change_s: dict[tuple[int, int], int]
    queue_veh: list[float]
    come_veh: list[list[float]]  # per lane and second

    def share(self, stage: int, lane: int) -> float:
        """Of the lane's groups, those that are green."""
        groups = self.junction.lanes[lane].groups
        return sum(g in self.junction.stages[stage].green for g in groups) / len(groups)

    def foes(self, stage: int, lane: int) -> set[int]:
        """Lanes that are green too and go first."""
        shown = self.junction.stages[stage]
        yielding = set(self.junction.lanes[lane].groups) & set(shown.green) & set(shown.permissive)
        before = {
            m.second
            for m in self.junction.meetings
            if m.kind is MeetingKind.PERMISSIVE and m.first in yielding and m.second in shown.green
        }
        return {i for i, other in enumerate(self.junction.lanes) if before & set(other.groups)}

    def opening_s(self, a: int, b: int, lane: int) -> int:
        """Whole seconds from the end of stage a until the last of the lane's new groups is green in b."""
        before, after = set(self.junction.stages[a].green), set(self.junction.stages[b].green)
        gaps = {(m.first, m.second): m.intergreen_ms for m in self.junction.meetings}
        gaps |= {(m.second, m.first): m.reverse_ms for m in self.junction.meetings}
        starting = (after - before) & set(self.junction.lanes[lane].groups)
        waits = [gaps.get((ends, starts), 0) for ends in before - after for starts in starting]
        return -(-max(waits, default=0) // 1000)

    @property
    def lanes(self) -> range:
        """All lanes."""
        return range(len(self.junction.lanes))


@dataclass
class _Lane:
    queue: float
    opens_s: int | None
    shuts_s: int | None = None
    start_up_s: float = 0.0
    passed: float = 0.0


def told_cost(
    words: Words, rules: Rules, options: list[int], start: int, hold_s: int, target: int | None
) -> float:
    """Vehicle seconds of a game; after its first move the rule goes on, from the start with ``target`` None."""
    lanes = [_Lane(words.queue_veh[i], 0 if words.rate[start, i] > 0 else None) for i in words.lanes]
    stage, free_s, cost = start, hold_s, 0.0
    for now in range(rules.horizon_s):
        if now >= free_s:
            if now == hold_s and target is not None:
                wanted = target
            else:
                wanted = _most_served(words, rules, options, lanes, stage, now)
            if wanted != stage:
                _switch(words, rules, lanes, stage, wanted, now)
                free_s = now + words.change_s[stage, wanted] + rules.min_green_s
                stage = wanted
        cost += sum(_second(words, rules, lanes, i, stage, now) for i in words.lanes)
    return cost + rules.tail_s * sum(lane.queue for lane in lanes)


def _switch(words: Words, rules: Rules, lanes: list[_Lane], a: int, b: int, now: int) -> None:
    """Those that go on stay as they are; those that end have one second of yellow; others wait, then start up."""
    for i, lane in enumerate(lanes):
        goes_on = lane.opens_s is not None and lane.shuts_s is None
        if words.rate[b, i] > 0 and not goes_on:
            lane.opens_s, lane.shuts_s = now + words.opening_s(a, b, i), None
            lane.start_up_s = rules.start_up_s
        if words.rate[b, i] <= 0 and goes_on:
            lane.shuts_s = now + 1


def _second(words: Words, rules: Rules, lanes: list[_Lane], i: int, stage: int, now: int) -> float:
    """One lane, one second: those who come stop unless they pass; all who stand lose it."""
    lane = lanes[i]
    stood, comes = lane.queue, words.come_veh[i][now]
    if stood + comes <= 0:
        lane.passed = 0.0
        return 0.0
    room = _room(words, lanes, i, stage, now)
    if stood <= playout.FREE_VEH < room:
        room = max(room, playout.HEADWAY_VEH - lane.passed)
    lane.passed = min(room, stood + comes)
    lane.queue = stood + comes - lane.passed
    pass_at_once = max(lane.passed - stood, 0.0)
    stop_s = rules.lone_stop_s if stood < playout.LONE_VEH else rules.stop_s
    return (comes - pass_at_once) * stop_s + lane.queue


def _room(words: Words, lanes: list[_Lane], i: int, stage: int, now: int) -> float:
    """How many a lane can let pass in this second."""
    lane = lanes[i]
    if lane.opens_s is None or now < lane.opens_s:
        return 0.0
    if lane.shuts_s is not None:
        return playout.SATURATION_PER_S if now < lane.shuts_s else 0.0
    part = max(0.0, 1.0 - lane.start_up_s)
    lane.start_up_s = max(0.0, lane.start_up_s - 1.0)
    rate, foes = words.rate[stage, i], words.foes(stage, i)
    if foes and rate > STUCK_PER_S and not any(_flows(lanes[foe], now) for foe in foes):
        rate = max(rate, playout.GAP_PER_S * words.share(stage, i))
    return part * rate


def _flows(foe: _Lane, now: int) -> bool:
    """Somebody has just passed, or stands before an open stop line."""
    is_open = foe.opens_s is not None and foe.opens_s <= now and (foe.shuts_s is None or now < foe.shuts_s)
    return foe.passed > playout.FLOWING_VEH or (is_open and foe.queue > playout.LONE_VEH)


def _most_served(
    words: Words, rules: Rules, options: list[int], lanes: list[_Lane], stage: int, now: int
) -> int:
    """The option with most who stand or come soon, lanes that have yet to open at a discount.

    Of equals the stage shown, else the first.
    """
    best, most = stage, -1.0
    for option in [stage, *options]:
        total = 0.0
        for i, lane in enumerate(lanes):
            if words.rate[option, i] <= STUCK_PER_S:
                continue
            near = lane.queue + sum(words.come_veh[i][now : now + rules.look_s])
            discount = 1.0
            if words.rate[stage, i] <= 0:
                lost_s = words.opening_s(stage, option, i) + rules.start_up_s
                discount = rules.use_s / (rules.use_s + lost_s)
            total += words.share(option, i) * near * discount
        if total > most + 1e-6:
            best, most = option, total
    return best


def told_options(words: Words, rules: Rules, now: int) -> list[int]:
    """The running stage, then those that could serve most within ``RATE_PER_S`` of green, to so many."""

    def worth(stage: int) -> float:
        total = 0.0
        for i in words.lanes:
            if words.rate[stage, i] > 0:
                soon = words.queue_veh[i] + sum(words.come_veh[i][: search.SOON_S])
                total += min(words.rate[stage, i] * search.RATE_PER_S, soon)
                total += search.LATER_WEIGHT * sum(words.come_veh[i][: search.LATER_S])
        return total

    others = [s for s in range(len(words.junction.stages)) if s != now]
    return [now, *sorted(others, key=lambda s: -worth(s))][: rules.candidates]


def told_costs(words: Words, rules: Rules, options: list[int]) -> dict[int, float]:
    """Cost of each option as the next stage; of the first, the running one, the best game that stays for a while."""
    now, *others = options
    holds = [1 + k * (k + 3) // 2 for k in range(rules.holds)]
    stay = [told_cost(words, rules, options, now, 1, None)]
    stay += [told_cost(words, rules, options, now, hold, other) for other in others for hold in holds]
    return {now: min(stay)} | {other: told_cost(words, rules, options, now, 0, other) for other in others}

"""A plain oracle of local control, one junction at a time: what the words say, with sets, names and fractions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, product

from greensplit.engine.model.site import (
    DetectorKind,
    GroupKind,
    Junction,
    Plan,
    Preempt,
    Recall,
    RingStep,
)

from .naive import GREENS, NEVER, NaiveGroup

GAP_OUT, MAX_OUT, FORCE_OFF = 4, 5, 6
KEEP, ALL_RED, FLASH = -1, -2, -3
Place = tuple[int, int]
"""A ring and a step of it."""


@dataclass
class Wishes:
    """Orders to one junction, groups by number."""

    mode: str = "adaptive"
    plan: int = -1
    call: set[int] = field(default_factory=set)
    hold: set[int] = field(default_factory=set)
    omit: set[int] = field(default_factory=set)
    force_off: set[int] = field(default_factory=set)
    preempt: set[int] = field(default_factory=set)
    red_rest: bool = False


@dataclass
class Sight:
    """What the signal machine is at, and detectors: occupied, last off, trusted."""

    stage: int
    rest: int
    settled: bool
    since_ms: int
    detectors: list[tuple[bool, int, bool]]


@dataclass
class Answer:
    """What goes to the signal machine."""

    request: int
    withheld: set[int]
    urgent: bool


class Timetable:
    """A plan in local cycle time."""

    def __init__(self, own: NaiveLocal, plan: Plan) -> None:
        self.offset_ms = plan.offset_ms
        self.green: dict[Place, int] = {}
        for named in plan.steps:
            place = own.place_of(named.stage)
            self.green[place] = self.green.get(place, 0) + named.green_ms
        home = own.place_of(plan.coordinated or plan.steps[0].stage)
        sides = [(own.side(home) + i) % own.side_count for i in range(own.side_count)]
        row = {
            (r, side): [(r, k) for k in range(len(ring)) if (r, k) in self.green and own.side((r, k)) == side]
            for r, ring in enumerate(own.rings)
            for side in sides
        }
        needs = {
            key: sum(self.green[p] for p in places)
            + sum(own.change_ms([a], [b]) for a, b in pairwise(places))
            for key, places in row.items()
        }
        rings = range(len(own.rings))
        length = {side: max(needs[r, side] for r in rings) for side in sides}
        crossing = {
            side: own.change_ms(
                [p for r in rings for p in row[r, side][-1:]], [p for r in rings for p in row[r, after][:1]]
            )
            for side, after in zip(sides, [*sides[1:], sides[0]], strict=True)
        }
        needed = sum(length.values()) + sum(crossing.values())
        self.cycle_ms = max(plan.cycle_ms, needed)
        length[sides[0]] += self.cycle_ms - needed
        start: dict[Place, int] = {}
        end: dict[Place, int] = {}
        self.coordinated: set[Place] = set()
        self.yield_ms: dict[int, int] = {}
        begin_ms = 0
        for side in sides:
            for r in rings:
                places = row[r, side]
                patient = own.companion(r, side)
                if side == sides[0] and r == home[0]:
                    patient = home
                elif patient not in places:
                    patient = places[-1] if places else None
                at_ms = begin_ms
                for i, p in enumerate(places):
                    start[p] = at_ms
                    end[p] = at_ms + self.green[p]
                    if p == patient:
                        end[p] += length[side] - needs[r, side]
                    at_ms = end[p] + (own.change_ms([p], [places[i + 1]]) if i + 1 < len(places) else 0)
                if side == sides[0]:
                    self.yield_ms[r] = end[patient] if patient else length[side]
                    self.coordinated |= {patient} if patient else set()
            begin_ms += length[side] + crossing[side]
        zero = start[home]
        self.start = {p: (t - zero) % self.cycle_ms for p, t in start.items()}
        self.end = {p: (t - zero) % self.cycle_ms for p, t in end.items()}
        self.window = {p: (t - self.yield_ms[p[0]]) % self.cycle_ms or self.cycle_ms for p, t in end.items()}


class NaiveLocal:
    """Local control of one junction."""

    def __init__(self, junction: Junction) -> None:
        self.junction = junction
        self.groups = {g.number: g for g in junction.groups}
        self.people = {n for n, g in self.groups.items() if g.kind is GroupKind.PEDESTRIAN}
        self.rings = self._rings()
        barriers = sorted({s.barrier for ring in self.rings for s in ring})
        self.side_count = len(barriers)
        self._side = {
            (r, k): barriers.index(s.barrier) for r, ring in enumerate(self.rings) for k, s in enumerate(ring)
        }
        self.combinations = self._combinations()
        self.timetables = [Timetable(self, plan) for plan in junction.plans]
        self.shown = {n: NaiveGroup() for n in self.groups}
        self.mode = "none"
        self.plan: Timetable | None = None
        self.now_ms = self.last_ms = NEVER
        self.called: dict[int, int] = {}
        self.seen: dict[int, int] = dict.fromkeys(self.groups, NEVER)
        self.standing: set[int] = set()
        self.at: list[int | None] = [0] * len(self.rings)
        self.rival: list[int | None] = [None] * len(self.rings)
        self.taken_ms = [NEVER] * len(self.rings)
        self.forced = [False] * len(self.rings)
        self.withheld: set[int] = set()
        self.resting = False
        self.clock = Fraction(0)
        self.running: tuple[Preempt, str] | None = None
        self.input_ms: dict[int, int] = {}
        self.cause = 0

    # the junction

    def _rings(self) -> list[list[RingStep]]:
        if self.junction.rings:
            return [list(ring.steps) for ring in self.junction.rings]
        stages = [s for s in self.junction.stages if s.deployed] or list(self.junction.stages)
        return [[RingStep(s.name, s.green) for s in stages]]

    def side(self, place: Place) -> int:
        return self._side[place]

    def serves(self, place: Place) -> set[int]:
        """The groups of the step and the overlaps of which one is a parent."""
        own = set(self.rings[place[0]][place[1]].groups)
        return own | {n for n, g in self.groups.items() if own & set(g.parents)}

    def place_of(self, name: str) -> Place:
        """The last step of that name."""
        return [(r, k) for r, ring in enumerate(self.rings) for k, s in enumerate(ring) if s.name == name][-1]

    def places(self, r: int, side: int) -> list[Place]:
        return [(r, k) for k in range(len(self.rings[r])) if self._side[r, k] == side]

    def companion(self, r: int, side: int) -> Place | None:
        """Who goes along uncalled: even phases first, then the longest maximum, then the last."""

        def rank(place: Place) -> tuple[bool, int, int]:
            own = [self.groups[n] for n in self.rings[place[0]][place[1]].groups]
            return (
                any(g.phase > 0 and g.phase % 2 == 0 for g in own),
                max([g.max_green_ms for g in own], default=0),
                place[1],
            )

        return max(self.places(r, side), key=rank, default=None)

    def change_ms(self, before: Iterable[Place], after: Iterable[Place]) -> int:
        """Longest intergreen from what ends to what starts."""
        old = {n for p in before for n in self.serves(p)}
        new = {n for p in after for n in self.serves(p)}
        return max(
            [
                ms
                for m in self.junction.meetings
                for a, b, ms in (
                    (m.first, m.second, m.intergreen_ms),
                    (m.second, m.first, m.reverse_ms),
                )
                if a in old - new and b in new - old
            ],
            default=0,
        )

    def _combinations(self) -> dict[tuple[int | None, ...], int]:
        """Where rings can be at once, and the stage with all of it and the fewest others."""
        found: dict[tuple[int | None, ...], int] = {}
        for side in range(self.side_count):
            choices: list[list[int | None]] = [
                [k for _, k in self.places(r, side)] or [None] for r in range(len(self.rings))
            ]
            for at in product(*choices):
                wanted = {n for r, k in enumerate(at) if k is not None for n in self.serves((r, k))}
                others = {
                    i: len(set(s.green) - wanted)
                    for i, s in enumerate(self.junction.stages)
                    if wanted <= set(s.green)
                }
                found[at] = min(others, key=lambda i: others[i])
        return found

    def nearest(self, stage: int) -> tuple[int | None, ...]:
        """The combination that shows most of a stage and least else."""
        green = set(self.junction.stages[stage].green)

        def worth(at: tuple[int | None, ...]) -> int:
            own = {n for r, k in enumerate(at) if k is not None for n in self.serves((r, k))}
            return len(own & green) - len(own - green)

        return max(self.combinations, key=worth)

    # one tick

    def see(self, aspects: list[str], now_ms: int) -> None:
        """What the machine shows after its tick."""
        for shown, aspect in zip(self.shown.values(), aspects, strict=True):
            shown.show(now_ms, aspect)

    def advance(self, wishes: Wishes, sight: Sight, request: int, now_ms: int) -> Answer:
        """What the machine is asked for at ``now_ms``; ``request`` comes from a controller."""
        self.now_ms = max(now_ms, self.now_ms)
        mode = wishes.mode
        plan = None
        if mode in ("coordinated", "pretimed"):
            plan = self.timetables[wishes.plan] if 0 <= wishes.plan < len(self.timetables) else None
            mode = mode if plan else "actuated"
        if mode == "off":
            self.running, self.plan, answer = None, None, Answer(FLASH, wishes.omit, False)
        else:
            self._preempt(wishes.preempt, sight)
            if mode == "adaptive":
                answer = self._follow(wishes, sight, request)
            else:
                answer = self._serve_itself(wishes, sight, mode, plan)
        self.mode, self.last_ms = mode, self.now_ms
        return answer

    def _has_stood(self, sight: Sight, name: str, ms: int) -> bool:
        shows = sight.rest == 0 and sight.settled and self.junction.stages[sight.stage].name == name
        return shows and self.now_ms - sight.since_ms >= ms

    def _preempt(self, active: set[int], sight: Sight) -> None:
        for p in self.junction.preempts:
            if p.number in active:
                self.input_ms.setdefault(p.number, self.now_ms)
            else:
                self.input_ms.pop(p.number, None)
        lasting = [
            p
            for p in sorted(self.junction.preempts, key=lambda p: p.number)
            if p.number in active and self.now_ms - self.input_ms[p.number] >= p.delay_ms
        ]
        if self.running:
            now, part = self.running
            if part == "track" and self._has_stood(sight, now.track, now.track_ms):
                part = "dwell"
            if (
                part == "dwell"
                and now.number not in active
                and self._has_stood(sight, now.dwell, now.dwell_ms)
            ):
                part = "exit"
            self.running = now, part
        if lasting:
            first = lasting[0]
            if not self.running or first.number < self.running[0].number or self.running[1] == "exit":
                self.running = first, "track" if first.track else "dwell"

    def _preempt_stage(self) -> int | None:
        if not self.running:
            return None
        p, part = self.running
        name = {"track": p.track, "dwell": p.dwell, "exit": p.exit}[part]
        return next((i for i, s in enumerate(self.junction.stages) if s.name == name), None)

    def _greens(self) -> set[int]:
        return {n for n, shown in self.shown.items() if shown.is_green}

    def _follow(self, wishes: Wishes, sight: Sight, request: int) -> Answer:
        self.plan = None
        stage = self._preempt_stage()
        answer = Answer(request, wishes.omit, False)
        if stage is not None and self.running:
            part = self.running[1]
            answer = Answer(stage, wishes.omit, False)
            if part != "exit":
                answer = Answer(stage, self.people if part == "track" else set(), True)
        elif request != FLASH:
            known = 0 <= request < len(self.junction.stages)
            green = set(self.junction.stages[request].green) if known else set()
            if wishes.hold & self._greens() - green:
                answer.request = KEEP
        if self.running and self.running[1] == "exit":
            if stage is None or (sight.settled and sight.rest == 0 and sight.stage == stage):
                self.running = None
        return answer

    def _serve_itself(self, wishes: Wishes, sight: Sight, mode: str, plan: Timetable | None) -> Answer:
        first_tick = self.mode == "none"
        newly_on = self.mode in ("none", "off")
        restart = newly_on or self.mode == "adaptive" or plan is not self.plan
        if newly_on:
            self.at = [0 if self._side[r, 0] == 0 else None for r in range(len(self.rings))]
        elif self.mode == "adaptive":
            self.at = list(self.nearest(sight.stage))
        elif self.running and self.running[1] == "exit":
            restart = True
            stage = self._preempt_stage()
            self.at = self._neediest(wishes.omit) if stage is None else list(self.nearest(stage))
        if self.running and self.running[1] == "exit":
            self.running = None
        self._note_calls(wishes, sight, newly_on or self.mode == "adaptive")
        self._keep_time(plan, newly_on, sight)
        if restart:
            self.resting = False
            self.withheld = set(self.people)
            for r in range(len(self.rings)):
                self._begin(r)
        if self.running:
            track = self.running[1] == "track"
            self._compete(wishes)
            stage = self._preempt_stage()
            assert stage is not None
            self.withheld = set(self.people) if track else self.people - set(self.called)
            return Answer(stage, self.withheld, True)
        self._move(wishes, mode)
        walking = self._may_walk(wishes)
        self.withheld = (self.people - walking) | wishes.omit
        stage = self.combinations[tuple(self.at)]
        request = ALL_RED if self.resting else self._without_finished_people(stage, walking)
        return Answer(request, self.withheld, first_tick)

    def _note_calls(self, wishes: Wishes, sight: Sight, everybody: bool) -> None:
        self.standing = set()
        for n, g in self.groups.items():
            kinds = (
                {DetectorKind.PEDESTRIAN}
                if n in self.people
                else {DetectorKind.STOP_BAR, DetectorKind.ADVANCE}
            )
            mine = [
                s
                for d, s in zip(self.junction.detectors, sight.detectors, strict=True)
                if d.kind in kinds and n in d.groups
            ]
            always = not mine or any(not trusted for _, _, trusted in mine)
            seen = [self.now_ms if on else off_ms for on, off_ms, _ in mine]
            if always or g.recall is Recall.MAXIMUM:
                seen.append(self.now_ms)
            latest = max(seen)
            if always or g.recall is not Recall.NONE or n in wishes.call:
                self.standing.add(n)
            self.seen[n] = max(self.seen[n], latest)
            waits = n in self.standing or latest == self.now_ms or latest > self.last_ms or everybody
            if self.shown[n].is_green:
                self.called.pop(n, None)
            elif waits:
                self.called.setdefault(n, self.now_ms)

    def _keep_time(self, plan: Timetable | None, newly_on: bool, sight: Sight) -> None:
        if plan and plan is self.plan and not newly_on:
            self._let_the_clock_run(plan, self.now_ms - self.last_ms)
        elif plan:
            self.clock = Fraction((self.now_ms - plan.offset_ms) % plan.cycle_ms)
            k = self.at[0]
            if not newly_on and k is not None and (0, k) in plan.start and plan.green[0, k]:
                length = (plan.end[0, k] - plan.start[0, k]) % plan.cycle_ms
                shown_ms = self.now_ms - sight.since_ms if sight.settled else 0
                self.clock = Fraction((plan.start[0, k] + min(shown_ms, length)) % plan.cycle_ms)
        self.plan = plan

    def _let_the_clock_run(self, plan: Timetable, elapsed_ms: int) -> None:
        """At its own pace, or at 15/12 or 10/12 of it until it is where the master clock is."""
        wanted = (self.now_ms - plan.offset_ms) % plan.cycle_ms
        behind = (wanted - self.clock - elapsed_ms) % plan.cycle_ms
        if behind > Fraction(plan.cycle_ms, 2):
            behind -= plan.cycle_ms
        gain = max(min(behind, Fraction(elapsed_ms, 4)), -Fraction(elapsed_ms, 6))
        gone = elapsed_ms + gain
        for r, k in enumerate(self.at):
            if k is not None:
                ahead = (plan.end.get((r, k), 0) - self.clock) % plan.cycle_ms or plan.cycle_ms
                if (r, k) in plan.end and ahead <= gone:
                    self.forced[r] = True
        self.clock = (self.clock + gone) % plan.cycle_ms

    def _left(self, place: Place) -> Fraction:
        """Local time to the next force-off of a step; a whole cycle when it is now."""
        assert self.plan
        return (self.plan.end[place] - self.clock) % self.plan.cycle_ms or Fraction(self.plan.cycle_ms)

    def _begin(self, r: int) -> None:
        """A step in a plan that begins out of its window is forced off at once."""
        k = self.at[r]
        self.rival[r] = None
        self.taken_ms[r] = self.now_ms
        self.forced[r] = False
        if self.plan and k is not None:
            place = (r, k)
            self.forced[r] = place not in self.plan.end or self._left(place) > self.plan.window[place]

    def _neediest(self, omit: set[int]) -> list[int | None]:
        waiting = {n: t for n, t in self.called.items() if n not in omit}

        def oldest(place: Place) -> int | None:
            return min([t for n, t in waiting.items() if n in self.serves(place)], default=None)

        rated = [(oldest(p), p) for p in self._side if oldest(p) is not None]
        if not rated:
            return self.at
        side = self._side[min(rated)[1]]
        at: list[int | None] = []
        for r in range(len(self.rings)):
            mine = [(t, p) for t, p in rated if p[0] == r and self._side[p] == side]
            best = min(mine)[1] if mine else self.companion(r, side)
            at.append(best[1] if best else None)
        return at

    def _served(self) -> set[int]:
        return {n for r, k in enumerate(self.at) if k is not None for n in self.serves((r, k))}

    def _compete(self, wishes: Wishes) -> None:
        """Competing calls: of groups that nobody serves, of other steps of the ring and of other sides."""
        waiting = set(self.called) - wishes.omit - self._served()
        for r, k in enumerate(self.at):
            if k is None or self.rival[r] is not None:
                continue
            others = [
                p for p in self._side if p != (r, k) and (p[0] == r or self._side[p] != self._side[r, k])
            ]
            if any(waiting & self.serves(p) for p in others):
                self.rival[r] = self.now_ms

    def _is_called(self, place: Place, wishes: Wishes, mode: str) -> bool:
        demand = (set(self.called) - wishes.omit) & self.serves(place)
        if not self.plan:
            return bool(demand)
        planned = self.plan.green.get(place, 0) > 0
        if mode == "pretimed":
            return planned
        if place in self.plan.coordinated:
            return True
        return bool(demand) and planned and self._has_window(place, demand)

    def _has_window(self, place: Place, demand: set[int]) -> bool:
        assert self.plan
        r, k = place
        others = [p for p in self._side if p[0] == r and p[1] != k]
        others += [p for p in self._side if self._side[p] != self._side[place]]
        change = max([self.change_ms([p], [place]) for p in others], default=0)
        least = [0]
        for n in self.serves(place):
            if n not in self.people:
                least.append(self.groups[n].min_green_ms)
            elif n in demand:
                least.append(self.groups[n].min_green_ms + self.groups[n].sequence.stop_ms)
        return change + max(least) <= self._left(place) <= self.plan.window[place]

    def _move(self, wishes: Wishes, mode: str) -> None:
        called = {p for p in self._side if self._is_called(p, wishes, mode)}
        self._compete(wishes)
        verdicts = [self._verdict(r, called, wishes, mode) for r in range(len(self.rings))]
        side = next(self._side[r, k] for r, k in enumerate(self.at) if k is not None)
        goal = list(self.at)
        ahead = []
        for r, k in enumerate(self.at):
            later = [p for p in self.places(r, side) if p in called and k is not None and p[1] > k]
            ahead += later
            if later and verdicts[r] is not None and not self.resting:
                goal[r] = later[0][1]
        if self.resting or (not ahead and all(v is not None for v in verdicts)):
            goal = self._cross(side, called) or goal
        if goal != self.at or (self.resting and called):
            moved = [v or 0 for v, old, new in zip(verdicts, self.at, goal, strict=True) if old != new]
            self.cause = self.cause if self.resting else max(moved)
            for r in range(len(self.rings)):
                if self.resting or goal[r] != self.at[r]:
                    self.at[r] = goal[r]
                    self._begin(r)
            self.resting = False
        elif wishes.red_rest and not self.plan and not self.resting and all(v is not None for v in verdicts):
            nobody = not set(self.called) - wishes.omit
            if nobody and not (self._served() & self.standing) - wishes.omit:
                self.resting = True
                self.cause = max(v or 0 for v in verdicts)

    def _cross(self, side: int, called: set[Place]) -> list[int | None] | None:
        """All rings to the next side with a call for what is not served; the same side comes last."""
        order = [(side + i) % self.side_count for i in range(self.side_count)]
        for target in order if self.resting else [*order[1:], side]:
            fresh = [p for p in called if self._side[p] == target and (self.resting or self.at[p[0]] != p[1])]
            if not fresh:
                continue
            goal: list[int | None] = []
            for r in range(len(self.rings)):
                mine = sorted(p for p in fresh if p[0] == r)
                companion = self.companion(r, target)
                if mine:
                    goal.append(mine[0][1])
                elif target == side and not self.resting:
                    goal.append(self.at[r])
                else:
                    goal.append(companion[1] if companion else None)
            return goal
        return None

    def _verdict(self, r: int, called: set[Place], wishes: Wishes, mode: str) -> int | None:
        """None while the ring's step must go on, else why it may end."""
        k = self.at[r]
        if k is None:
            return 0
        own = self.serves((r, k))
        if own & wishes.hold & self._greens() or any(self._is_busy(n) for n in own):
            return None
        if self.forced[r] or own & wishes.force_off:
            return FORCE_OFF
        if mode == "pretimed" or (self.plan and (r, k) in self.plan.coordinated):
            return None
        order = [*range(k + 1, len(self.rings[r])), *range(k)]
        following = next((p for i in order if (p := (r, i)) in called), None)
        judged = own - self.people - (self.serves(following) if following else set())
        driving = {n for n in judged if self.shown[n].is_green and self._is_seen(n)}
        over = {n for n in driving if self._is_over(n, r)}
        if driving - over:
            return None
        return MAX_OUT if over else GAP_OUT

    def _is_seen(self, n: int) -> bool:
        latest = max(self.seen[n], self.shown[n].green_from_ms())
        return self.seen[n] == self.now_ms or self.now_ms - latest < self.groups[n].passage_ms

    def _is_over(self, n: int, r: int) -> bool:
        rival = self.rival[r]
        if self.plan or rival is None:
            return False
        return self.now_ms - max(rival, self.shown[n].green_from_ms()) >= self.groups[n].max_green_ms

    def _is_busy(self, n: int) -> bool:
        """On its way to green or from it, in its minimum green; people walking and clearing inside the green."""
        shown, g = self.shown[n], self.groups[n]
        if shown.aspect == "red":
            return n not in self.withheld
        if shown.is_green:
            short = self.now_ms - shown.green_from_ms() < g.min_green_ms
            return short or (n in self.people and self._end_early())
        if n in self.people and shown.aspect != "red_amber":
            return self._end_early() and self.now_ms - shown.green_until_ms() < g.sequence.stop_ms
        return True

    def _end_early(self) -> bool:
        """Rings, and a stage for every combination with any of its people left out."""
        if not self.junction.rings or not self.people:
            return False
        sets = {frozenset(s.green) for s in self.junction.stages}
        for at in self.combinations:
            full = {n for r, k in enumerate(at) if k is not None for n in self.serves((r, k))}
            walkers = sorted(full & self.people)
            for kept in product((True, False), repeat=len(walkers)):
                gone = {n for n, keep in zip(walkers, kept, strict=True) if not keep}
                if frozenset(full - gone) not in sets:
                    return False
        return True

    def _may_walk(self, wishes: Wishes) -> set[int]:
        allowed = set()
        for r, k in enumerate(self.at):
            if k is None:
                continue
            own = self.serves((r, k))
            open_ = [n for n in own - self.people if self.shown[n].is_green]
            for n in own & self.people & (set(self.called) - wishes.omit):
                walk_ms = self.groups[n].min_green_ms + self.groups[n].sequence.stop_ms
                again = bool(open_) and self.shown[n].green_until_ms() >= min(
                    self.shown[v].green_from_ms() for v in open_
                )
                fits = not (again and self.rival[r] is not None) and self._fits(r, k, open_, walk_ms)
                granted = n not in self.withheld and self.shown[n].aspect == "red"
                if fits or granted or self.taken_ms[r] == self.now_ms:
                    allowed.add(n)
        return allowed

    def _fits(self, r: int, k: int, open_: list[int], walk_ms: int) -> bool:
        rival = self.rival[r]
        if not open_:
            return True
        if self.plan and not self.forced[r]:
            return walk_ms <= self._left((r, k))
        if rival is None:
            return True
        if self.plan:
            return False
        last_ms = max(max(rival, self.shown[n].green_from_ms()) + self.groups[n].max_green_ms for n in open_)
        return walk_ms <= last_ms - self.now_ms

    def _without_finished_people(self, stage: int, walking: set[int]) -> int:
        if not self._end_early():
            return stage
        still = {
            n
            for n, shown in self.shown.items()
            if shown.aspect == "red_amber"
            or (shown.aspect in GREENS and self.now_ms - shown.green_from_ms() < self.groups[n].min_green_ms)
        }
        green = set(self.junction.stages[stage].green)
        wanted = green - (self.people - walking - still)
        same = [i for i, s in enumerate(self.junction.stages) if set(s.green) == wanted]
        return stage if wanted == green or not same else same[0]

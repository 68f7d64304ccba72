"""Plain oracles: what the docstrings of the kernels say, in the plainest Python, one junction at a time.

Written from the words and apart from the kernels: dictionaries and sets instead of tables, the whole history of a
group instead of timers. Slow on purpose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from greensplit.engine.model.site import GroupKind, Junction, MeetingKind

NEVER = -(10**9)
GREENS = ("green", "permissive")


class Rules:
    """A junction's meetings, looked up by pair."""

    def __init__(self, junction: Junction) -> None:
        self.groups = {g.number: g for g in junction.groups}
        self.conflicts: set[frozenset[int]] = set()
        self.shared: set[frozenset[int]] = set()
        self.yields: set[tuple[int, int]] = set()
        self.trapped: set[tuple[int, int]] = set()
        self.intergreen: dict[tuple[int, int], int] = {}
        self.meet = {frozenset((m.first, m.second)) for m in junction.meetings}
        for m in junction.meetings:
            if m.kind is MeetingKind.SHARED and not m.intergreen_ms:
                continue
            self.intergreen[m.first, m.second] = m.intergreen_ms
            self.intergreen[m.second, m.first] = m.reverse_ms
            if m.kind is MeetingKind.SHARED:
                self.shared.add(frozenset((m.first, m.second)))
            elif m.kind is MeetingKind.CONFLICT:
                self.conflicts.add(frozenset((m.first, m.second)))
            else:
                self.yields.add((m.first, m.second))
                if m.left_turn:
                    self.trapped.add((m.first, m.second))

    def start_ms(self, g: int) -> int:
        return sum(step.ms for step in self.groups[g].sequence.start)

    def opposing(self, g: int) -> set[int]:
        """What the left turn g yields to."""
        return {b for a, b in self.trapped if a == g}


@dataclass
class NaiveGroup:
    """What a group has shown: (time, aspect), newest last."""

    history: list[tuple[int, str]] = field(default_factory=lambda: [(NEVER, "red")])

    @property
    def aspect(self) -> str:
        return self.history[-1][1]

    @property
    def since_ms(self) -> int:
        return self.history[-1][0]

    def show(self, t_ms: int, aspect: str) -> None:
        if aspect != self.aspect:
            self.history.append((t_ms, aspect))

    @property
    def is_green(self) -> bool:
        return self.aspect in GREENS

    @property
    def goes(self) -> bool:
        """Green, or bound to become green."""
        return self.is_green or self.aspect == "red_amber"

    def green_from_ms(self) -> int:
        """Start of the last green, permissive or not."""
        start = NEVER
        for (_, before), (t_ms, aspect) in zip(self.history, self.history[1:], strict=False):
            if aspect in GREENS and before not in GREENS:
                start = t_ms
        return start

    def green_until_ms(self) -> int:
        """End of the last green that has ended."""
        end = NEVER
        for (_, before), (t_ms, aspect) in zip(self.history, self.history[1:], strict=False):
            if before in GREENS and aspect not in GREENS:
                end = t_ms
        return end

    def red_from_ms(self) -> int:
        return max((t_ms for t_ms, aspect in self.history if aspect == "red"), default=NEVER)


class NaiveMachine:
    """The signal machine of one junction. ``goal`` is a stage number, "red" or "flash"."""

    def __init__(self, junction: Junction, revert_ms: int) -> None:
        self.rules = Rules(junction)
        self.stages = junction.stages
        self.revert_ms = revert_ms
        self.start_red_ms = junction.start_red_ms
        self.shown = {g: NaiveGroup() for g in self.rules.groups}
        self.dragged: set[int] = set()
        self.end_ms: dict[int, int] = {}
        self.withheld: set[int] = set()
        self.goal: int | str = 0
        self.hurried = False
        self.settled = False
        self.closed_until_ms: int | None = None

    def advance(
        self, request: int, now_ms: int, withheld: Iterable[int] = (), urgent: bool = False
    ) -> list[str]:
        """One tick; the aspects of all groups."""
        goal = {-2: "red", -3: "flash"}.get(request, request)
        if goal != self.goal and (goal in ("red", "flash") or goal in range(len(self.stages))):
            starts = any(shown.aspect == "red_amber" for shown in self.shown.values())
            if not starts and (urgent or self.settled or self._keeps_what_began(goal)):
                self._aim_at(goal, urgent)
        self.withheld = set(withheld)
        for g in self.shown:
            self._follow_sequence(g, now_ms)
        self._open_up(now_ms)
        self._drag()
        self._announce(now_ms)
        for g in self._leaving(now_ms):
            self.shown[g].show(now_ms, self.rules.groups[g].sequence.stop[0].aspect)
            del self.end_ms[g]
        self._demote(now_ms)
        self._start(now_ms)
        self._promote(now_ms)
        if self.goal == "flash" and all(self._is_cleared(g, now_ms) for g in self.shown):
            for shown in self.shown.values():
                shown.show(now_ms, "dark")
        self.settled = self.settled or all(self._is_reached(g) for g in self.shown)
        return [group.aspect for group in self.shown.values()]

    def _aim_at(self, goal: int | str, urgent: bool) -> None:
        self.goal, self.hurried, self.settled = goal, urgent, False
        if urgent:
            self.dragged.clear()
        for g in list(self.end_ms):
            if urgent or self.wanted(g) != "red":
                del self.end_ms[g]

    def _keeps_what_began(self, goal: int | str) -> bool:
        """Between two stages that differ in nothing that is starting or ending, and nothing that meets such."""
        if isinstance(goal, str) or isinstance(self.goal, str):
            return False
        changed = {g for g in self.shown if self._letter(self.goal, g) != self._letter(goal, g)}
        under_way = {
            g
            for g, shown in self.shown.items()
            if shown.is_green != (self.wanted(g) != "red" and g not in self.dragged)
        }
        met = {b for a in under_way for b in self.shown if b == a or frozenset((a, b)) in self.rules.meet}
        return not changed & met

    def _letter(self, stage: int, g: int) -> str:
        known = self.stages[stage]
        return "permissive" if g in known.permissive else "green" if g in known.green else "red"

    def _open_up(self, now_ms: int) -> None:
        """Red after power-up and after flash."""
        if self.closed_until_ms is None:
            self.closed_until_ms = now_ms + self.start_red_ms
        if self.goal != "flash" and any(shown.aspect == "dark" for shown in self.shown.values()):
            for shown in self.shown.values():
                shown.show(now_ms, "red")
            self.closed_until_ms = now_ms + self.start_red_ms

    def _is_cleared(self, g: int, now_ms: int) -> bool:
        stop_ms = self.rules.groups[g].sequence.stop_ms
        longest = max((ms for (a, _), ms in self.rules.intergreen.items() if a == g), default=0)
        red_ms = self.shown[g].red_from_ms()
        return self.shown[g].aspect == "red" and now_ms - red_ms >= max(1, longest - stop_ms)

    def wanted(self, g: int) -> str:
        if isinstance(self.goal, str):
            return "red"
        return "red" if g in self.withheld and not self.shown[g].goes else self._letter(self.goal, g)

    def _is_reached(self, g: int) -> bool:
        """Groups that are red in the stage may still be on their way from green to red."""
        if self.goal == "flash":
            return self.shown[g].aspect == "dark"
        if self.wanted(g) == "red":
            return not self.shown[g].goes
        return self.shown[g].aspect == self.wanted(g)

    def _follow_sequence(self, g: int, now_ms: int) -> None:
        shown, sequence = self.shown[g], self.rules.groups[g].sequence
        shown_for_ms = now_ms - shown.since_ms
        if shown.aspect == "red_amber" and shown_for_ms >= self.rules.start_ms(g):
            shown.show(now_ms, "permissive" if self.wanted(g) == "permissive" else "green")
            return
        for i, step in enumerate(sequence.stop):
            if shown.aspect == step.aspect and shown_for_ms >= step.ms:
                last = i + 1 == len(sequence.stop)
                shown.show(now_ms, "red" if last else sequence.stop[i + 1].aspect)
                if last:
                    self.dragged.discard(g)
                return

    def _must_end(self, g: int) -> bool:
        return self.shown[g].goes and (self.wanted(g) == "red" or g in self.dragged)

    def _drag(self) -> None:
        """Whatever a left turn yields to ends with it, and so on."""
        ending = {g for g in self.shown if self._must_end(g)}
        while True:
            with_them = {b for a in ending for b in self.rules.opposing(a) if self.shown[b].goes} - ending
            if not with_them:
                return
            self.dragged |= with_them
            ending |= with_them

    def _announce(self, now_ms: int) -> None:
        """When what must end from now on will: together where one of them counts down, unless there is a hurry."""
        new = [g for g in self.shown if self._must_end(g) and self.shown[g].is_green and g not in self.end_ms]
        groups = self.rules.groups
        over_ms = {g: self.shown[g].green_from_ms() + groups[g].min_green_ms for g in new}
        if not self.hurried and any(groups[g].commit_ms for g in new):
            last_ms = max(max(over_ms[g], now_ms + groups[g].commit_ms) for g in new)
            over_ms = dict.fromkeys(new, last_ms)
        self.end_ms |= over_ms

    def _leaving(self, now_ms: int) -> set[int]:
        """The most groups that may end now without a left turn ending before what it yields to."""
        leaving = {g for g, end_ms in self.end_ms.items() if now_ms >= end_ms}
        while True:
            trapped = {
                a for a in leaving for b in self.rules.opposing(a) if self.shown[b].goes and b not in leaving
            }
            if not trapped:
                return leaving
            leaving -= trapped

    def _demote(self, now_ms: int) -> None:
        for g, shown in self.shown.items():
            if shown.aspect == "green" and self.wanted(g) == "permissive":
                shown.show(now_ms, "permissive")

    def _start(self, now_ms: int) -> None:
        assert self.closed_until_ms is not None
        for g, shown in self.shown.items():
            if shown.aspect != "red" or self.wanted(g) == "red" or now_ms < self.closed_until_ms:
                continue
            if now_ms - shown.red_from_ms() < self.revert_ms or not self._may_start(g, now_ms):
                continue
            shown.show(now_ms, "red_amber" if self.rules.start_ms(g) else self.wanted(g))

    def _may_start(self, g: int, now_ms: int) -> bool:
        return all(
            self._is_clear_of(g, other, now_ms) for other in self.shown if (other, g) in self.rules.intergreen
        )

    def _is_clear_of(self, g: int, other: int, now_ms: int) -> bool:
        green_ms = now_ms + self.rules.start_ms(g)
        shown = self.shown[other]
        since_end_ms = green_ms - shown.green_until_ms()
        if not shown.is_green and since_end_ms < self.rules.intergreen[other, g]:
            return False
        if not shown.goes:
            return True
        if frozenset((g, other)) in self.rules.conflicts or self._must_end(other):
            return False
        if frozenset((g, other)) in self.rules.shared:
            return True
        if (g, other) in self.rules.yields:
            return self.wanted(g) == "permissive"
        return shown.aspect == "permissive"

    def _promote(self, now_ms: int) -> None:
        """A yielding group becomes protected when all that it yields to has been cleared."""
        for g, shown in self.shown.items():
            if shown.aspect != "permissive" or self.wanted(g) != "green":
                continue
            over = [b for a, b in self.rules.yields if a == g]
            if all(
                not self.shown[b].goes
                and now_ms - self.shown[b].green_until_ms() >= self.rules.intergreen[b, g]
                for b in over
            ):
                shown.show(now_ms, "green")


class NaiveInterlock:
    """The rules of the interlock for one junction, as a set of findings (fault, first, second or None)."""

    def __init__(self, junction: Junction, revert_ms: int) -> None:
        self.rules = Rules(junction)
        self.revert_ms = revert_ms
        self.shown = {g: NaiveGroup() for g in self.rules.groups}

    def judge(self, proposed: list[str], now_ms: int) -> set[tuple[str, int, int | None]]:
        """What is wrong with the step from what is shown to ``proposed``; let it pass when nothing is."""
        step = dict(zip(self.shown, proposed, strict=True))
        found: set[tuple[str, int, int | None]] = set()
        for g, aspect in step.items():
            fault = ""
            if "dark" in (aspect, self.shown[g].aspect):
                fault = self._darkness_fault(g, step, now_ms)
            elif aspect != self.shown[g].aspect:
                fault = self._sequence_fault(g, aspect, now_ms)
            if fault:
                found.add((fault, g, None))
        if any(aspect != self.shown[g].aspect for g, aspect in step.items()):
            found |= set(self._pair_faults(step, now_ms))
        if not found:
            for g, aspect in step.items():
                self.shown[g].show(now_ms, aspect)
        return found

    def _darkness_fault(self, g: int, step: dict[int, str], now_ms: int) -> str:
        """All are dark or none; before it a red that clears, after it red."""
        before = self.shown[g]
        if step[g] != "dark":
            return "" if step[g] == "red" else "aspect out of sequence"
        if set(step.values()) != {"dark"} or before.aspect not in ("red", "dark"):
            return "aspect out of sequence"
        longest = max((ms for (a, _), ms in self.rules.intergreen.items() if a == g), default=0)
        clearance_ms = max(0, longest - self.rules.groups[g].sequence.stop_ms)
        short = before.aspect == "red" and now_ms - before.red_from_ms() < clearance_ms
        return "short intergreen" if short else ""

    def _sequence_fault(self, g: int, aspect: str, now_ms: int) -> str:
        shown, stop = self.shown[g], self.rules.groups[g].sequence.stop
        before, shown_for_ms = shown.aspect, now_ms - shown.since_ms
        if before in GREENS:
            if aspect in GREENS:
                return ""
            if now_ms - shown.green_from_ms() < self.rules.groups[g].min_green_ms:
                return "short minimum green"
            return "" if aspect == stop[0].aspect else "skipped yellow or pedestrian clearance"
        if before == "red_amber":
            if aspect not in GREENS:
                return "aspect out of sequence"
            short = shown_for_ms < self.rules.start_ms(g)
            return "short red-amber" if short else ""
        if before == "red":
            first = ("red_amber",) if self.rules.start_ms(g) else GREENS
            if aspect not in first:
                return "aspect out of sequence"
            short = now_ms - shown.red_from_ms() < self.revert_ms
            return "re-green before the red-revert time" if short else ""
        return self._stop_fault(g, before, aspect, shown_for_ms)

    def _stop_fault(self, g: int, before: str, aspect: str, shown_for_ms: int) -> str:
        stop = self.rules.groups[g].sequence.stop
        i = [step.aspect for step in stop].index(before)
        following = stop[i + 1].aspect if i + 1 < len(stop) else "red"
        if aspect != following:
            skipped = before == "green_flash" and aspect == "red"
            return "skipped yellow or pedestrian clearance" if skipped else "aspect out of sequence"
        return "short yellow or pedestrian clearance" if shown_for_ms < stop[i].ms else ""

    def _pair_faults(self, step: dict[int, str], now_ms: int) -> Iterable[tuple[str, int, int | None]]:
        for (a, b), intergreen_ms in self.rules.intergreen.items():
            goes_a, goes_b = step[a] in GREENS, step[b] in GREENS
            clash = frozenset((a, b)) in self.rules.conflicts
            if goes_a and goes_b and (clash or ((a, b) in self.rules.yields and step[a] == "green")):
                yield "conflicting greens", a, b
            elif not goes_a and self._opens(a, b, step) and self._since_end_ms(a, now_ms) < intergreen_ms:
                yield "short intergreen", a, b
            ends = self.shown[a].is_green and not goes_a
            if (a, b) in self.rules.trapped and ends and goes_b and self.shown[b].is_green:
                yield "yellow trap", a, b

    def _opens(self, a: int, b: int, step: dict[int, str]) -> bool:
        """Does b start, or become protected against a that it yields to?"""
        starts = step[b] in GREENS and not self.shown[b].is_green
        promoted = (b, a) in self.rules.yields and step[b] == "green" and self.shown[b].aspect == "permissive"
        return starts or promoted

    def _since_end_ms(self, a: int, now_ms: int) -> int:
        return 0 if self.shown[a].is_green else now_ms - self.shown[a].green_until_ms()


class NaiveCoder:
    """Lamp changes in Purdue codes, one junction: (time, device, code, group)."""

    def __init__(self, junction: Junction) -> None:
        self.junction = junction
        self.before = ["red"] * len(junction.groups)
        self.clear_ms: dict[int, int] = {}
        longest: dict[int, int] = {}
        for (a, _), ms in Rules(junction).intergreen.items():
            longest[a] = max(longest.get(a, 0), ms)
        self.clearance_ms = {
            g.number: max(0, longest.get(g.number, 0) - g.sequence.stop_ms) for g in junction.groups
        }

    def code(self, aspects: list[str], cause: int, now_ms: int) -> list[tuple[int, int, int, int]]:
        rows: list[tuple[int, int, int, int]] = []
        for g, before, aspect in zip(self.junction.groups, self.before, aspects, strict=True):
            is_person = g.kind is GroupKind.PEDESTRIAN
            due_ms = self.clear_ms.get(g.number)
            if due_ms is not None and (due_ms <= now_ms or before != aspect):
                rows += self._clear(g.number, min(due_ms, now_ms))
            if "dark" in (before, aspect) and before != aspect:
                status = 3 if aspect == "dark" else 2
                rows += [(now_ms, self.junction.device_id, 173, status)] if g.number == 1 else []
            elif before != aspect:
                codes = _walk(before, aspect) if is_person else _drive(before, aspect, cause)
                rows += [(now_ms, self.junction.device_id, code, g.number) for code in codes]
                if aspect == "red" and not is_person:
                    rows.append((now_ms, self.junction.device_id, 10, g.number))
                    self.clear_ms[g.number] = now_ms + self.clearance_ms[g.number]
                    if not self.clearance_ms[g.number]:
                        rows += self._clear(g.number, now_ms)
        self.before = aspects
        return rows

    def _clear(self, number: int, t_ms: int) -> list[tuple[int, int, int, int]]:
        """End of red clearance, phase inactive."""
        del self.clear_ms[number]
        return [(t_ms, self.junction.device_id, code, number) for code in (11, 12)]


def _walk(before: str, aspect: str) -> list[int]:
    """21 walk, 22 clearance, 23 don't walk."""
    if aspect in GREENS:
        return [] if before in GREENS else [21]
    if aspect in ("green_flash", "clearance"):
        return [] if before == "green_flash" else [22]
    return [23] if aspect == "red" else []


def _drive(before: str, aspect: str, cause: int) -> list[int]:
    """0, 1 green begins; 4 to 6 why it ends, 7 it ends; 8 and 9 yellow begins and ends."""
    if aspect in GREENS:
        return [] if before in GREENS else [0, 1]
    codes = ([cause] if cause else []) + [7] if before in GREENS else []
    if aspect == "yellow":
        codes.append(8)
    elif before == "yellow":
        codes.append(9)
    return codes

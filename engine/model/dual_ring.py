"""A NEMA junction, described by phases, overlaps and the order of its rings, as groups, meetings, stages and rings.

The words are those of NEMA TS 2 and NTCIP 1202: phases of one ring follow each other, phases of different rings on
the same side of a barrier run together. Even phases are through movements, odd ones the left turns that oppose the
phase of the next number: 1 opposes 2, and comes from the approach of 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

from ..errors import ModelError
from .site import (
    GroupKind,
    Junction,
    Meeting,
    MeetingKind,
    Plan,
    Preempt,
    Recall,
    Ring,
    RingStep,
    Sequence,
    SignalGroup,
    Site,
    Stage,
    Step,
)
from .validate import check

__all__ = ["Order", "Overlap", "Phase", "dual_ring", "ring_order"]

Order = tuple[tuple[tuple[int, ...], ...], ...]
"""Phases of each ring, on each side of the barriers, in the order of service: ``order[ring][side]``."""

RINGS = (((1, 2), (3, 4)), ((5, 6), (7, 8)))
SEQUENCES = 16
MAX_PHASE = 16
MAX_OVERLAP = 16


@dataclass(frozen=True, slots=True)
class Phase:
    """One NEMA phase. Times in ms; a phase with ``walk_ms`` has a pedestrian group.

    A ``permissive`` left turn (odd number) is also green, yielding, as long as the phase that it opposes is: what a
    flashing yellow arrow shows. Its opposing traffic never outlasts it, so there is no yellow trap.
    """

    number: int
    name: str = ""
    min_green_ms: int = 5000
    max_green_ms: int = 60_000
    passage_ms: int = 3000
    yellow_ms: int = 3000
    red_ms: int = 1000
    walk_ms: int = 0
    ped_clearance_ms: int = 0
    recall: Recall = Recall.NONE
    ped_recall: Recall = Recall.NONE
    permissive: bool = False


@dataclass(frozen=True, slots=True)
class Overlap:
    """Overlap ``number`` (1 is A): green with any of the phases ``parents``; yellow and red of -1: their longest."""

    number: int
    parents: tuple[int, ...]
    name: str = ""
    yellow_ms: int = -1
    red_ms: int = -1


def ring_order(phases: Iterable[int] = range(1, 9), sequence: int = 1) -> Order:
    """The order of the rings of an eight-phase junction or of a part of its phases.

    ``sequence`` is 1 to 16. In 1 every left turn leads; bits 0 to 3 of ``sequence - 1`` let phases 1, 3, 5 and 7 lag,
    so that in 16 all lag. NTCIP 1202 numbers the sequences and leaves to the controller what they hold.

    >>> ring_order((2, 4, 5, 6, 8), sequence=5)
    (((2,), (4,)), ((6, 5), (8,)))
    """
    wanted = set(phases)
    if not wanted <= set(range(1, 9)):
        raise ModelError(
            f"ring order: expected phases of 1 to 8, found {sorted(wanted)}; give the order itself"
        )
    if not 1 <= sequence <= SEQUENCES:
        raise ModelError(f"ring order: expected a sequence from 1 to {SEQUENCES}, found {sequence}")
    lags = {left for bit, left in enumerate((1, 3, 5, 7)) if (sequence - 1) >> bit & 1}
    return tuple(
        tuple(tuple(p for p in (side[::-1] if side[0] in lags else side) if p in wanted) for side in ring)
        for ring in RINGS
    )


def dual_ring(
    name: str,
    phases: Iterable[Phase],
    *,
    order: Order = (),
    overlaps: Iterable[Overlap] = (),
    plans: tuple[Plan, ...] = (),
    preempts: tuple[Preempt, ...] = (),
    device_id: int = 1,
    x_m: float = 0.0,
    y_m: float = 0.0,
    start_red_ms: int = 6000,
) -> Junction:
    """The junction ``name``, without lanes and detectors.

    Groups are numbered from 1: phases by their numbers, then overlaps, then the pedestrians of each phase; lamp i is
    group i + 1. Ring steps are named by phase ("2"), stages by the phases that are on ("2+6"): one stage for every
    combination of steps on one side of the barriers. Split phasing, more than two rings and more than two barriers
    are a matter of ``order``; without it the order is ``ring_order`` of the phases.

    Phases that cannot be on together conflict. Pedestrians meet whom their phase meets, in the same way, and turning
    vehicles of their own phase yield to them. An overlap conflicts with what can be on with none of its parents,
    and yields to the pedestrians of its parents.

    Raises ModelError naming junction, phase, expected and found.

    >>> crossing = dual_ring("main", [Phase(2), Phase(4, walk_ms=7000, ped_clearance_ms=12_000)])
    >>> [(group.name, group.phase, group.min_green_ms) for group in crossing.groups]
    [('phase 2', 2, 5000), ('phase 4', 4, 5000), ('phase 4 walk', 4, 7000)]
    >>> [(stage.name, stage.green) for stage in crossing.stages]
    [('2', (1,)), ('4', (2, 3))]
    """
    listed = sorted(phases, key=lambda phase: phase.number)
    numbers = [phase.number for phase in listed]
    taken = order or ring_order([n for n in numbers if n <= 8])
    laps = sorted(overlaps, key=lambda overlap: overlap.number)
    for finding in _findings(listed, taken, laps):
        raise ModelError(f"junction {name}: {finding}")
    plan = _Layout(tuple(listed), taken, tuple(laps))
    groups = tuple(plan.groups())
    meetings = tuple(plan.meetings())
    junction = Junction(
        id=name,
        device_id=device_id,
        x_m=x_m,
        y_m=y_m,
        idle_lamps="." * len(groups),
        groups=groups,
        meetings=meetings,
        stages=tuple(plan.stages(meetings)),
        plans=plans,
        lanes=(),
        detectors=(),
        rings=tuple(plan.rings()),
        preempts=preempts,
        start_red_ms=start_red_ms,
    )
    check(Site(name, (junction,)))
    return junction


def _findings(phases: list[Phase], order: Order, overlaps: list[Overlap]) -> Iterator[str]:
    yield from _phase_findings(phases)
    yield from _order_findings(phases, order)
    yield from _overlap_findings({phase.number for phase in phases}, overlaps)


def _phase_findings(phases: list[Phase]) -> Iterator[str]:
    numbers = [phase.number for phase in phases]
    if not phases:
        yield "expected at least one phase, found none"
    for phase in phases:
        if not 1 <= phase.number <= MAX_PHASE:
            yield f"phase {phase.number}: expected a number from 1 to {MAX_PHASE}"
        if numbers.count(phase.number) > 1:
            yield f"phase {phase.number}: expected once, found {numbers.count(phase.number)} times"
        if phase.red_ms < 0:
            yield f"phase {phase.number}: expected red_ms of 0 or more, found {phase.red_ms}"
        if (phase.walk_ms > 0) != (phase.ped_clearance_ms > 0):
            yield (
                f"phase {phase.number}: expected both walk_ms and ped_clearance_ms, or none; "
                f"found {phase.walk_ms} and {phase.ped_clearance_ms}"
            )
        if phase.permissive and phase.number % 2 == 0:
            yield f"phase {phase.number}: expected permissive left turns only, which have odd numbers"


def _order_findings(phases: list[Phase], order: Order) -> Iterator[str]:
    places = _places(order)
    listed = sorted(number for ring in order for side in ring for number in side)
    if listed != [phase.number for phase in phases]:
        yield f"rings: expected each of phases {[phase.number for phase in phases]} once, found {listed}"
    elif len({len(ring) for ring in order}) > 1:
        yield f"rings: expected as many sides of barriers in each, found {[len(ring) for ring in order]}"
    else:
        for number in (phase.number for phase in phases if phase.permissive):
            if places.get(number + 1) != places[number]:
                yield (
                    f"phase {number}: expected phase {number + 1}, which it opposes and yields to, in its ring and "
                    "on its side of the barrier"
                )


def _overlap_findings(phases: set[int], overlaps: list[Overlap]) -> Iterator[str]:
    numbers = [overlap.number for overlap in overlaps]
    for overlap in overlaps:
        if not 1 <= overlap.number <= MAX_OVERLAP:
            yield f"overlap {overlap.number}: expected a number from 1 to {MAX_OVERLAP}"
        if numbers.count(overlap.number) > 1:
            yield f"overlap {overlap.number}: expected once, found {numbers.count(overlap.number)} times"
        if not overlap.parents or not set(overlap.parents) <= phases:
            yield f"overlap {overlap.number}: expected parents of {sorted(phases)}, found {overlap.parents}"


def _places(order: Order) -> dict[int, tuple[int, int]]:
    """Ring and side of each phase."""
    return {p: (r, s) for r, ring in enumerate(order) for s, side in enumerate(ring) for p in side}


@dataclass(frozen=True)
class _Layout:
    """Valid phases (by number), order and overlaps (by number), and what follows from them."""

    phases: tuple[Phase, ...]
    order: Order
    overlaps: tuple[Overlap, ...]

    def groups(self) -> Iterator[SignalGroup]:
        for phase in self.phases:
            yield _vehicles(self.group_of(phase), phase)
        for overlap in self.overlaps:
            yield self._overlap_group(overlap)
        for phase in self._walking():
            yield _walkers(self.walk_of(phase), phase)

    def group_of(self, phase: Phase) -> int:
        return self.phases.index(phase) + 1

    def overlap_of(self, overlap: Overlap) -> int:
        return len(self.phases) + self.overlaps.index(overlap) + 1

    def walk_of(self, phase: Phase) -> int:
        return len(self.phases) + len(self.overlaps) + self._walking().index(phase) + 1

    def _walking(self) -> list[Phase]:
        return [phase for phase in self.phases if phase.walk_ms]

    def _parents(self, overlap: Overlap) -> list[Phase]:
        return [phase for phase in self.phases if phase.number in overlap.parents]

    def _overlap_group(self, overlap: Overlap) -> SignalGroup:
        parents = self._parents(overlap)
        number = self.overlap_of(overlap)
        return SignalGroup(
            number,
            overlap.name or f"overlap {chr(ord('A') + overlap.number - 1)}",
            GroupKind.VEHICLE,
            (number - 1,),
            Sequence(stop=(Step("yellow", self._overlap_yellow_ms(overlap)),)),
            min(phase.min_green_ms for phase in parents),
            max_green_ms=max(phase.max_green_ms for phase in parents),
            passage_ms=max(phase.passage_ms for phase in parents),
            overlap=overlap.number,
            parents=tuple(self.group_of(phase) for phase in parents),
        )

    def _overlap_yellow_ms(self, overlap: Overlap) -> int:
        if overlap.yellow_ms >= 0:
            return overlap.yellow_ms
        return max(phase.yellow_ms for phase in self._parents(overlap))

    def _overlap_clearance_ms(self, overlap: Overlap) -> int:
        red_ms = max(phase.red_ms for phase in self._parents(overlap))
        return self._overlap_yellow_ms(overlap) + (overlap.red_ms if overlap.red_ms >= 0 else red_ms)

    def clearances_ms(self) -> dict[int, int]:
        """Time from the end of green of each group until others may start."""
        return {
            **{self.group_of(p): p.yellow_ms + p.red_ms for p in self.phases},
            **{self.overlap_of(o): self._overlap_clearance_ms(o) for o in self.overlaps},
            **{self.walk_of(p): p.ped_clearance_ms for p in self._walking()},
        }

    def meetings(self) -> Iterator[Meeting]:
        clear_ms = self.clearances_ms()
        for first, second, kind, left_turn in (
            *self._phase_pairs(),
            *self._walk_pairs(),
            *self._overlap_pairs(),
        ):
            yield Meeting(first, second, kind, clear_ms[first], clear_ms[second], left_turn)

    def _are_together(self, one: Phase, other: Phase) -> bool:
        """Can both be on: on one side of the barriers, in different rings?"""
        places = _places(self.order)
        (ring, side), (other_ring, other_side) = places[one.number], places[other.number]
        return side == other_side and ring != other_ring

    def _phase_pairs(self) -> Iterator[tuple[int, int, MeetingKind, bool]]:
        for one, other in combinations(self.phases, 2):
            if not self._are_together(one, other):
                yields = _yields(one, other)
                kind = MeetingKind.PERMISSIVE if yields else MeetingKind.CONFLICT
                yield self.group_of(one), self.group_of(other), kind, yields

    def _walk_pairs(self) -> Iterator[tuple[int, int, MeetingKind, bool]]:
        for walked in self._walking():
            for phase in self.phases:
                if phase is walked or _yields(phase, walked):
                    yield self.group_of(phase), self.walk_of(walked), MeetingKind.PERMISSIVE, False
                elif not self._are_together(phase, walked):
                    yield self.group_of(phase), self.walk_of(walked), MeetingKind.CONFLICT, False

    def _overlap_pairs(self) -> Iterator[tuple[int, int, MeetingKind, bool]]:
        for overlap in self.overlaps:
            yield from self._overlap_and_phases(overlap)
            yield from self._overlap_and_walkers(overlap)
        for one, other in combinations(self.overlaps, 2):
            if not any(self._can_show(one, parent) for parent in self._parents(other)):
                yield self.overlap_of(one), self.overlap_of(other), MeetingKind.CONFLICT, False

    def _can_show(self, overlap: Overlap, phase: Phase) -> bool:
        """Is the overlap green with the phase: is that one of its parents, or can it be on with one?"""
        return any(parent is phase or self._are_together(parent, phase) for parent in self._parents(overlap))

    def _overlap_and_phases(self, overlap: Overlap) -> Iterator[tuple[int, int, MeetingKind, bool]]:
        for phase in self.phases:
            if not self._can_show(overlap, phase):
                yields = any(_yields(phase, parent) for parent in self._parents(overlap))
                kind = MeetingKind.PERMISSIVE if yields else MeetingKind.CONFLICT
                yield self.group_of(phase), self.overlap_of(overlap), kind, yields

    def _overlap_and_walkers(self, overlap: Overlap) -> Iterator[tuple[int, int, MeetingKind, bool]]:
        for walked in self._walking():
            if walked.number in overlap.parents:
                yield self.overlap_of(overlap), self.walk_of(walked), MeetingKind.PERMISSIVE, False
            elif not self._can_show(overlap, walked):
                yield self.overlap_of(overlap), self.walk_of(walked), MeetingKind.CONFLICT, False

    def stages(self, meetings: tuple[Meeting, ...]) -> list[Stage]:
        """One for each combination."""
        by_number = {phase.number: phase for phase in self.phases}
        return [self._stage([by_number[n] for n in on], meetings) for on in self._combinations()]

    def _combinations(self) -> Iterator[tuple[int, ...]]:
        """Phases that are on together, of each side those with more odd phases first.

        A stage in which a left turn is only permissive then never comes before the one in which it is on.
        """
        for side in range(len(self.order[0])):
            on_side = [ring[side] for ring in self.order if ring[side]]
            if on_side:
                yield from sorted(product(*on_side), key=lambda on: -sum(number % 2 for number in on))

    def _stage(self, on: list[Phase], meetings: tuple[Meeting, ...]) -> Stage:
        green = {
            *(self.group_of(phase) for phase in on),
            *(self.walk_of(phase) for phase in on if phase.walk_ms),
            *(self.group_of(phase) for phase in self.phases if any(_yields(phase, other) for other in on)),
            *(self.overlap_of(o) for o in self.overlaps if any(p.number in o.parents for p in on)),
        }
        yielding = {
            m.first
            for m in meetings
            if m.kind is MeetingKind.PERMISSIVE and m.first in green and m.second in green
        }
        return Stage("+".join(str(p.number) for p in on), tuple(sorted(green)), tuple(sorted(yielding)))

    def rings(self) -> Iterator[Ring]:
        sides = [s for s in range(len(self.order[0])) if any(ring[s] for ring in self.order)]
        by_number = {phase.number: phase for phase in self.phases}
        for ring in self.order:
            steps = tuple(
                RingStep(str(n), self._step_groups(by_number[n]), barrier)
                for barrier, side in enumerate(sides, start=1)
                for n in ring[side]
            )
            if steps:
                yield Ring(steps)

    def _step_groups(self, phase: Phase) -> tuple[int, ...]:
        walk = (self.walk_of(phase),) if phase.walk_ms else ()
        return (self.group_of(phase), *walk)


def _yields(left: Phase, other: Phase) -> bool:
    """Is ``left`` a permissive left turn against ``other``?"""
    return left.permissive and other.number == left.number + 1


def _vehicles(number: int, phase: Phase) -> SignalGroup:
    return SignalGroup(
        number,
        phase.name or f"phase {phase.number}",
        GroupKind.VEHICLE,
        (number - 1,),
        Sequence(stop=(Step("yellow", phase.yellow_ms),)),
        phase.min_green_ms,
        max_green_ms=phase.max_green_ms,
        passage_ms=phase.passage_ms,
        recall=phase.recall,
        phase=phase.number,
    )


def _walkers(number: int, phase: Phase) -> SignalGroup:
    return SignalGroup(
        number,
        f"{phase.name or f'phase {phase.number}'} walk",
        GroupKind.PEDESTRIAN,
        (number - 1,),
        Sequence(stop=(Step("clearance", phase.ped_clearance_ms),)),
        phase.walk_ms,
        max_green_ms=max(phase.max_green_ms, phase.walk_ms),
        recall=phase.ped_recall,
        phase=phase.number,
    )

"""What follows from NEMA phases, overlaps and the order of the rings: groups, meetings, stages, ring steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

from .nema_phases import Order, Overlap, Phase, places, yields_to
from .site import (
    GroupKind,
    Meeting,
    MeetingKind,
    Ring,
    RingStep,
    Sequence,
    SignalGroup,
    Stage,
    Step,
)

__all__ = ["Layout"]


@dataclass(frozen=True)
class Layout:
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
        place = places(self.order)
        (ring, side), (other_ring, other_side) = place[one.number], place[other.number]
        return side == other_side and ring != other_ring

    def _phase_pairs(self) -> Iterator[tuple[int, int, MeetingKind, bool]]:
        for one, other in combinations(self.phases, 2):
            if not self._are_together(one, other):
                yields = yields_to(one, other)
                kind = MeetingKind.PERMISSIVE if yields else MeetingKind.CONFLICT
                yield self.group_of(one), self.group_of(other), kind, yields

    def _walk_pairs(self) -> Iterator[tuple[int, int, MeetingKind, bool]]:
        for walked in self._walking():
            for phase in self.phases:
                if phase is walked or yields_to(phase, walked):
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
                yields = any(yields_to(phase, parent) for parent in self._parents(overlap))
                kind = MeetingKind.PERMISSIVE if yields else MeetingKind.CONFLICT
                yield self.group_of(phase), self.overlap_of(overlap), kind, yields

    def _overlap_and_walkers(self, overlap: Overlap) -> Iterator[tuple[int, int, MeetingKind, bool]]:
        for walked in self._walking():
            if walked.number in overlap.parents:
                yield self.overlap_of(overlap), self.walk_of(walked), MeetingKind.PERMISSIVE, False
            elif not self._can_show(overlap, walked):
                yield self.overlap_of(overlap), self.walk_of(walked), MeetingKind.CONFLICT, False

    def stages(self, meetings: tuple[Meeting, ...]) -> Iterator[Stage]:
        """One for each combination, and those in which people no longer walk beside green vehicles."""
        by_number = {phase.number: phase for phase in self.phases}
        for numbers in self._combinations():
            on = [by_number[number] for number in numbers]
            walking = [phase for phase in on if phase.walk_ms]
            for standing in (some for n in range(len(walking) + 1) for some in combinations(walking, n)):
                yield self._stage(on, standing, meetings)

    def _combinations(self) -> Iterator[tuple[int, ...]]:
        """Phases that are on together, of each side those with more odd phases first.

        A stage in which a left turn is only permissive then never comes before the one in which it is on.
        """
        for side in range(len(self.order[0])):
            on_side = [ring[side] for ring in self.order if ring[side]]
            if on_side:
                yield from sorted(product(*on_side), key=lambda on: -sum(number % 2 for number in on))

    def _stage(self, on: list[Phase], standing: tuple[Phase, ...], meetings: tuple[Meeting, ...]) -> Stage:
        green = {
            *(self.group_of(phase) for phase in on),
            *(self.walk_of(phase) for phase in on if phase.walk_ms and phase not in standing),
            *(self.group_of(phase) for phase in self.phases if any(yields_to(phase, other) for other in on)),
            *(self.overlap_of(o) for o in self.overlaps if any(p.number in o.parents for p in on)),
        }
        yielding = {
            m.first
            for m in meetings
            if m.kind is MeetingKind.PERMISSIVE and m.first in green and m.second in green
        }
        name = "+".join(str(phase.number) for phase in on)
        if standing:
            name += " without walk " + "+".join(str(phase.number) for phase in standing)
        return Stage(name, tuple(sorted(green)), tuple(sorted(yielding)), deployed=not standing)

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

"""The rings of one junction with all that follows from them: sides, masks, changes, the stage of every combination."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from .site import GroupKind, Junction, Ring, RingStep

__all__ = ["Rings", "do_people_end_early", "group_mask", "people_mask", "stage_tables", "step_rows"]

I32 = npt.NDArray[np.int32]


class Rings:
    """The rings of one junction with what follows from them, local to it."""

    def __init__(self, junction: Junction) -> None:
        self.junction = junction
        self.rings = junction.rings or (_stages_as_ring(junction),)
        self.barriers = sorted({step.barrier for ring in self.rings for step in ring.steps})
        self.groups = [[_step_mask(junction, step) for step in ring.steps] for ring in self.rings]
        self.sides = [[self.barriers.index(step.barrier) for step in ring.steps] for ring in self.rings]
        sizes = [len(ring.steps) + 1 for ring in self.rings]
        self.strides = [int(np.prod(sizes[r + 1 :], dtype=np.int64)) for r in range(len(sizes))]
        self.combinations = int(np.prod(sizes, dtype=np.int64))
        self.entry = _entries(self)
        self.intergreen_ms = {
            pair: ms
            for m in junction.meetings
            for pair, ms in (
                ((m.first - 1, m.second - 1), m.intergreen_ms),
                ((m.second - 1, m.first - 1), m.reverse_ms),
            )
        }

    def positions_on(self, side: int) -> list[list[int]]:
        """Per ring its steps on a side; where it has none, the position after its last step."""
        return [[k for k, s in enumerate(sides) if s == side] or [len(sides)] for sides in self.sides]

    def green(self, combination: tuple[int, ...]) -> int:
        """Mask of what the positions serve."""
        mask = 0
        for groups, k in zip(self.groups, combination, strict=True):
            mask |= groups[k] if k < len(groups) else 0
        return mask

    def valid(self) -> list[tuple[int, ...]]:
        """All combinations on one side of the barriers."""
        return [c for side in range(len(self.barriers)) for c in product(*self.positions_on(side))]

    def index(self, combination: tuple[int, ...]) -> int:
        return sum(k * stride for k, stride in zip(combination, self.strides, strict=True))

    def change(self, before: int, after: int) -> int:
        """Longest intergreen from groups that end to groups that start, ms."""
        ends, starts = before & ~after, after & ~before
        return max(
            (ms for (a, b), ms in self.intergreen_ms.items() if ends >> a & 1 and starts >> b & 1), default=0
        )


def group_mask(numbers: tuple[int, ...]) -> int:
    """A bit for each group."""
    return sum(1 << (number - 1) for number in set(numbers))


def people_mask(junction: Junction) -> int:
    """The pedestrian groups."""
    return group_mask(tuple(g.number for g in junction.groups if g.kind is GroupKind.PEDESTRIAN))


def _stages_as_ring(junction: Junction) -> Ring:
    """The deployed stages in order; all where none is."""
    deployed = tuple(s for s in junction.stages if s.deployed) or junction.stages
    return Ring(tuple(RingStep(s.name, s.green) for s in deployed))


def _step_mask(junction: Junction, step: RingStep) -> int:
    overlaps = tuple(g.number for g in junction.groups if set(g.parents) & set(step.groups))
    return group_mask(step.groups + overlaps)


def step_rows(own: Rings) -> list[list[tuple[int, int, int, int, int]]]:
    """Groups, side, rivals, change time and minimum green of every step of every ring."""
    everywhere = [
        (side, mask)
        for sides, groups in zip(own.sides, own.groups, strict=True)
        for side, mask in zip(sides, groups, strict=True)
    ]
    rows = []
    for sides, groups in zip(own.sides, own.groups, strict=True):
        row = []
        for k, (side, mask) in enumerate(zip(sides, groups, strict=True)):
            others = [g for i, g in enumerate(groups) if i != k] + [g for s, g in everywhere if s != side]
            rivals = 0
            for other in others:
                rivals |= other
            change_ms = max((own.change(g, mask) for g in others), default=0)
            row.append((mask, side, rivals, change_ms, _minimum_green(own.junction, mask)))
        rows.append(row)
    return rows


def _minimum_green(junction: Junction, mask: int) -> int:
    vehicles = mask & ~people_mask(junction)
    return max((g.min_green_ms for g in junction.groups if vehicles >> (g.number - 1) & 1), default=0)


def _entries(own: Rings) -> list[list[int]]:
    """Per ring and side: the step that goes along uncalled; even phases first, then the longest, then the last."""
    by_number = {g.number: g for g in own.junction.groups}

    def rank(step: RingStep, position: int) -> tuple[bool, int, int]:
        members = [by_number[number] for number in step.groups]
        even = any(g.phase and g.phase % 2 == 0 for g in members)
        return even, max((g.max_green_ms for g in members), default=0), position

    return [
        [
            max(
                own.positions_on(side)[r], key=lambda k: rank(ring.steps[k], k) if k < len(ring.steps) else ()
            )
            for side in range(len(own.barriers))
        ]
        for r, ring in enumerate(own.rings)
    ]


def stage_tables(own: Rings) -> tuple[I32, list[int]]:
    """Stage of each combination, and for each stage the combination that shows most of it."""
    greens = [group_mask(stage.green) for stage in own.junction.stages]
    stage_of = np.full(own.combinations, -1, np.int32)
    valid = own.valid()
    for combination in valid:
        stage_of[own.index(combination)] = _stage_for(own, combination, greens)
    nearest = []
    for green in greens:
        best = max(
            valid, key=lambda c: (own.green(c) & green).bit_count() - (own.green(c) & ~green).bit_count()
        )
        nearest.append(own.index(best))
    return stage_of, nearest


def _stage_for(own: Rings, combination: tuple[int, ...], greens: list[int]) -> int:
    """The stage with all groups of the combination and the fewest others."""
    wanted = own.green(combination)
    fitting = [i for i, green in enumerate(greens) if wanted & ~green == 0]
    if not fitting:
        names = [
            ring.steps[k].name for ring, k in zip(own.rings, combination, strict=True) if k < len(ring.steps)
        ]
        raise ModelError(
            f"junction {own.junction.id}: expected a stage for ring steps {' and '.join(names)}, found none"
        )
    return min(fitting, key=lambda i: (greens[i] & ~wanted).bit_count())


def do_people_end_early(own: Rings) -> bool:
    """Are there rings, and for every stage of theirs the same with any of its pedestrian groups left out?"""
    people = people_mask(own.junction)
    greens = {group_mask(stage.green) for stage in own.junction.stages}
    if not own.junction.rings or not people:
        return False
    return all(
        own.green(c) & ~left_out in greens
        for c in own.valid()
        for left_out in _subsets(own.green(c) & people)
    )


def _subsets(mask: int) -> list[int]:
    found, part = [0], mask
    while part:
        found.append(part)
        part = (part - 1) & mask
    return found

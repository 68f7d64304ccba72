"""What a junction needs to run by itself, as arrays: calls, rings between barriers, plans, preemption.

The steps of ring ``r`` are ``step_ptr[r]:step_ptr[r + 1]``; a ring may also be in no step (local position n), where
it has none on this side of a barrier. A *combination* is one position per ring: its stage is at
``stage_of[combination_ptr[j] + sum(position * stride)]``. Bit masks hold one bit per local group.

In a plan the coordinated step starts at 0 of the local cycle. The steps follow in the order of the ring, whatever
that of the plan, each for its green time and the longest intergreen to the next; rings wait for each other at
barriers; what is left of the cycle belongs to the side of the coordinated step. A plan that needs more than its cycle
gets the cycle that it needs. A step that is named twice gets the sum of its times at once.
"""

from __future__ import annotations

from itertools import accumulate, pairwise, product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from .site import DetectorKind, GroupKind, Junction, Plan, Recall, Ring, RingStep, Site

__all__ = ["MOST_GROUPS", "MOST_PREEMPTS", "MOST_RINGS", "Local", "compile_local"]

MOST_GROUPS = 62
MOST_PREEMPTS = 62
MOST_RINGS = 4

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]


class Local(NamedTuple):
    """Tables for local control. Times in ms, masks of local groups."""

    max_green_ms: I32  # (G,)
    passage_ms: I32  # (G,)
    recall: U8  # (G,) position in Recall
    caller_ptr: I32  # (G + 1,)
    caller: I32  # detectors that call each group; a group without any is always called
    change_ms: I32  # (G,) time from the end of green to red
    people: I64  # (J,) pedestrian groups
    people_end_early: U8  # (J,) 1 where stages without the pedestrian groups let them clear inside the green
    ring_ptr: I32  # (J + 1,) rings
    step_ptr: I32  # (R + 1,) steps
    stride: I32  # (R,) weight of the ring's position in a combination
    step_groups: I64  # (N,) groups, with the overlaps of their parents
    step_side: I32  # (N,) side of the barrier, from 0
    step_rivals: I64  # (N,) groups of other steps of the ring and of other sides
    step_change_ms: I32  # (N,) longest intergreen into the step
    step_least_ms: I32  # (N,) that and the longest minimum green of its vehicles
    sides: I32  # (J,)
    entry: I32  # position of each ring's step on each side if nobody calls there; n where it has none
    entry_ptr: I32  # (R + 1,)
    stage_green: I64  # (S,) mask of the green groups
    stage_combination: I32  # (S,) combination that shows most of the stage
    combination_ptr: I64  # (J + 1,)
    stage_of: I32  # local stage of a combination, -1 where the steps are not on one side
    plan_ptr: I32  # (J + 1,)
    cycle_ms: I64  # (M,)
    offset_ms: I64  # (M,)
    time_ptr: I64  # (M + 1,) one row per step of the junction
    start_ms: I64  # start of green in the local cycle
    end_ms: I64  # force-off in the local cycle
    window_ms: (
        I64  # from the yield point of the ring to the step's force-off; the cycle for a coordinated step
    )
    is_planned: U8  # 1 where the plan gives the step time
    is_coordinated: U8  # 1 where the step is held until its force-off
    preempt_ptr: I32  # (J + 1,) in order of their numbers
    preempt_number: I32  # (Q,)
    delay_ms: I64  # (Q,)
    track_stage: I32  # (Q,) local, -1 none
    track_ms: I64  # (Q,)
    dwell_stage: I32  # (Q,) local
    dwell_ms: I64  # (Q,)
    exit_stage: I32  # (Q,) local, -1 the neediest


class _Rings:
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


def compile_local(site: Site) -> Local:
    """Tables for local control; ModelError where rings, plans or preempts name what is not there."""
    rings = [_Rings(_checked(junction)) for junction in site.junctions]
    groups = [group for junction in site.junctions for group in junction.groups]
    callers = _callers(site)
    steps = [step for own in rings for row in _step_rows(own) for step in row]
    entries = [row for own in rings for row in own.entry]
    plans = [_times(own, plan) for own in rings for plan in own.junction.plans]
    preempts = [row for junction in site.junctions for row in _preempts(junction)]
    tables = [_stage_tables(own) for own in rings]
    return Local(
        max_green_ms=np.array([g.max_green_ms for g in groups], np.int32),
        passage_ms=np.array([g.passage_ms for g in groups], np.int32),
        recall=np.array([list(Recall).index(g.recall) for g in groups], np.uint8),
        caller_ptr=_ptr([len(row) for row in callers]),
        caller=np.array([d for row in callers for d in row], np.int32),
        change_ms=np.array([g.sequence.stop_ms for g in groups], np.int32),
        people=np.array([_people(junction) for junction in site.junctions], np.int64),
        people_end_early=np.array([_do_people_end_early(own) for own in rings], np.uint8),
        ring_ptr=_ptr([len(own.rings) for own in rings]),
        step_ptr=_ptr([len(ring.steps) for own in rings for ring in own.rings]),
        stride=np.array([stride for own in rings for stride in own.strides], np.int32),
        step_groups=np.array([row[0] for row in steps], np.int64),
        step_side=np.array([row[1] for row in steps], np.int32),
        step_rivals=np.array([row[2] for row in steps], np.int64),
        step_change_ms=np.array([row[3] for row in steps], np.int32),
        step_least_ms=np.array([row[3] + row[4] for row in steps], np.int32),
        sides=np.array([len(own.barriers) for own in rings], np.int32),
        entry=np.array([k for row in entries for k in row], np.int32),
        entry_ptr=_ptr([len(row) for row in entries]),
        stage_green=np.array([_mask(s.green) for j in site.junctions for s in j.stages], np.int64),
        stage_combination=np.array([c for table in tables for c in table[1]], np.int32),
        combination_ptr=_ptr([own.combinations for own in rings]).astype(np.int64),
        stage_of=np.concatenate([table[0] for table in tables] or [np.zeros(0, np.int32)]),
        plan_ptr=_ptr([len(junction.plans) for junction in site.junctions]),
        cycle_ms=np.array([plan.cycle_ms for plan in plans], np.int64),
        offset_ms=np.array([plan.offset_ms for plan in plans], np.int64),
        time_ptr=_ptr([len(plan.start_ms) for plan in plans]).astype(np.int64),
        start_ms=np.array([t for plan in plans for t in plan.start_ms], np.int64),
        end_ms=np.array([t for plan in plans for t in plan.end_ms], np.int64),
        window_ms=np.array([t for plan in plans for t in plan.window_ms], np.int64),
        is_planned=np.array([f for plan in plans for f in plan.planned], np.uint8),
        is_coordinated=np.array([f for plan in plans for f in plan.coordinated], np.uint8),
        preempt_ptr=_ptr([len(junction.preempts) for junction in site.junctions]),
        preempt_number=np.array([row[0] for row in preempts], np.int32),
        delay_ms=np.array([row[1] for row in preempts], np.int64),
        track_stage=np.array([row[2] for row in preempts], np.int32),
        track_ms=np.array([row[3] for row in preempts], np.int64),
        dwell_stage=np.array([row[4] for row in preempts], np.int32),
        dwell_ms=np.array([row[5] for row in preempts], np.int64),
        exit_stage=np.array([row[6] for row in preempts], np.int32),
    )


def _ptr(sizes: list[int]) -> I32:
    return np.array([0, *accumulate(sizes)], np.int32)


def _mask(numbers: tuple[int, ...]) -> int:
    return sum(1 << (number - 1) for number in set(numbers))


def _checked(junction: Junction) -> Junction:
    """The junction, if its sizes fit the kernels."""
    for what, found, most in (
        ("signal groups", len(junction.groups), MOST_GROUPS),
        ("rings", len(junction.rings), MOST_RINGS),
        ("preempt number", max((p.number for p in junction.preempts), default=0), MOST_PREEMPTS),
    ):
        if found > most:
            raise ModelError(f"junction {junction.id}: {what}: expected at most {most}, found {found}")
    return junction


def _stages_as_ring(junction: Junction) -> Ring:
    """The deployed stages in order; all where none is."""
    deployed = tuple(s for s in junction.stages if s.deployed) or junction.stages
    return Ring(tuple(RingStep(s.name, s.green) for s in deployed))


def _step_mask(junction: Junction, step: RingStep) -> int:
    overlaps = tuple(g.number for g in junction.groups if set(g.parents) & set(step.groups))
    return _mask(step.groups + overlaps)


def _people(junction: Junction) -> int:
    return _mask(tuple(g.number for g in junction.groups if g.kind is GroupKind.PEDESTRIAN))


def _callers(site: Site) -> list[list[int]]:
    """Positions of the detectors that call each group: buttons for people, loops before the stop line for others."""
    found: list[list[int]] = []
    first = 0
    for junction in site.junctions:
        for group in junction.groups:
            people = group.kind is GroupKind.PEDESTRIAN
            kinds = (DetectorKind.PEDESTRIAN,) if people else (DetectorKind.STOP_BAR, DetectorKind.ADVANCE)
            found.append(
                [
                    first + i
                    for i, d in enumerate(junction.detectors)
                    if d.kind in kinds and group.number in d.groups
                ]
            )
        first += len(junction.detectors)
    return found


def _step_rows(own: _Rings) -> list[list[tuple[int, int, int, int, int]]]:
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
    vehicles = mask & ~_people(junction)
    return max((g.min_green_ms for g in junction.groups if vehicles >> (g.number - 1) & 1), default=0)


def _entries(own: _Rings) -> list[list[int]]:
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


def _stage_tables(own: _Rings) -> tuple[I32, list[int]]:
    """Stage of each combination, and for each stage the combination that shows most of it."""
    greens = [_mask(stage.green) for stage in own.junction.stages]
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


def _stage_for(own: _Rings, combination: tuple[int, ...], greens: list[int]) -> int:
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


def _do_people_end_early(own: _Rings) -> bool:
    """Are there rings, and for every stage of theirs the same with any of its pedestrian groups left out?"""
    people = _people(own.junction)
    greens = {_mask(stage.green) for stage in own.junction.stages}
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


class _Times(NamedTuple):
    """A plan in local cycle time, one entry per step of the junction."""

    cycle_ms: int
    offset_ms: int
    start_ms: list[int]
    end_ms: list[int]
    window_ms: list[int]
    planned: list[bool]
    coordinated: list[bool]


def _times(own: _Rings, plan: Plan) -> _Times:
    green_ms = _greens(own, plan)
    ring, step = _coordinated(own, plan, green_ms)
    home = own.sides[ring][step]
    order = [(home + i) % len(own.barriers) for i in range(len(own.barriers))]
    lengths = {side: max(_length(own, green_ms, r, side) for r in range(len(own.rings))) for side in order}
    crossings = {a: _crossing(own, green_ms, a, b) for a, b in zip(order, order[1:] + order[:1], strict=True)}
    needed = sum(lengths.values()) + sum(crossings.values())
    cycle_ms = max(plan.cycle_ms, needed, 1)
    lengths[home] += cycle_ms - needed
    start: list[list[int]] = [[0] * len(row) for row in green_ms]
    end: list[list[int]] = [[0] * len(row) for row in green_ms]
    at_ms = 0
    for side in order:
        for r in range(len(own.rings)):
            held = _held_step(own, green_ms, r, side, (ring, step))
            _lay_out(own, green_ms, r, side, held, at_ms, lengths[side], start, end)
        at_ms += lengths[side] + crossings[side]
    zero = start[ring][step]
    held_home = {r: _held_step(own, green_ms, r, home, (ring, step)) for r in range(len(own.rings))}
    yield_ms = {r: end[r][k] if k >= 0 else lengths[home] for r, k in held_home.items()}
    places = [(r, k) for r, row in enumerate(green_ms) for k in range(len(row))]
    return _Times(
        cycle_ms,
        plan.offset_ms,
        [(start[r][k] - zero) % cycle_ms for r, k in places],
        [(end[r][k] - zero) % cycle_ms for r, k in places],
        [(end[r][k] - yield_ms[r]) % cycle_ms or cycle_ms for r, k in places],
        [green_ms[r][k] > 0 for r, k in places],
        [held_home[r] == k for r, k in places],
    )


def _greens(own: _Rings, plan: Plan) -> list[list[int]]:
    """Green time of every step, 0 where the plan does not name it."""
    green_ms = [[0] * len(ring.steps) for ring in own.rings]
    names = {step.name: (r, k) for r, ring in enumerate(own.rings) for k, step in enumerate(ring.steps)}
    for step in plan.steps:
        if step.stage not in names:
            raise ModelError(
                f"junction {own.junction.id}: plan {plan.name}: expected ring steps of {sorted(names)}, "
                f"found {step.stage}"
            )
        r, k = names[step.stage]
        green_ms[r][k] += step.green_ms
    if not any(map(any, green_ms)):
        raise ModelError(
            f"junction {own.junction.id}: plan {plan.name}: expected a step with green, found none"
        )
    return green_ms


def _coordinated(own: _Rings, plan: Plan, green_ms: list[list[int]]) -> tuple[int, int]:
    """Ring and position of the coordinated step."""
    name = plan.coordinated or plan.steps[0].stage
    for r, ring in enumerate(own.rings):
        for k, step in enumerate(ring.steps):
            if step.name == name and green_ms[r][k] > 0:
                return r, k
    raise ModelError(
        f"junction {own.junction.id}: plan {plan.name}: expected a step with green as coordinated, found {name}"
    )


def _served(own: _Rings, green_ms: list[list[int]], r: int, side: int) -> list[int]:
    return [k for k, s in enumerate(own.sides[r]) if s == side and green_ms[r][k] > 0]


def _length(own: _Rings, green_ms: list[list[int]], r: int, side: int) -> int:
    """Time of one ring on one side, ms."""
    steps = _served(own, green_ms, r, side)
    changes = [own.change(own.groups[r][a], own.groups[r][b]) for a, b in pairwise(steps)]
    return sum(green_ms[r][k] for k in steps) + sum(changes)


def _crossing(own: _Rings, green_ms: list[list[int]], before: int, after: int) -> int:
    """Longest change from the last steps of a side to the first ones of the next, ms. With one side: to itself."""
    ends = starts = 0
    for r in range(len(own.rings)):
        last, first = _served(own, green_ms, r, before)[-1:], _served(own, green_ms, r, after)[:1]
        ends |= own.groups[r][last[0]] if last else 0
        starts |= own.groups[r][first[0]] if first else 0
    return own.change(ends, starts)


def _held_step(
    own: _Rings, green_ms: list[list[int]], r: int, side: int, coordinated: tuple[int, int]
) -> int:
    """The step that gets what is left of its side: the coordinated one, else the one that goes along; -1 none."""
    steps = _served(own, green_ms, r, side)
    if r == coordinated[0] and side == own.sides[r][coordinated[1]]:
        return coordinated[1]
    entry = own.entry[r][side]
    return entry if entry in steps else (steps[-1] if steps else -1)


def _lay_out(
    own: _Rings,
    green_ms: list[list[int]],
    r: int,
    side: int,
    held: int,
    at_ms: int,
    length_ms: int,
    start: list[list[int]],
    end: list[list[int]],
) -> None:
    """Start and end of a ring's steps on a side that begins at ``at_ms``, into ``start`` and ``end``."""
    left_ms = length_ms - _length(own, green_ms, r, side)
    steps = _served(own, green_ms, r, side)
    for i, k in enumerate(steps):
        start[r][k] = at_ms
        at_ms += green_ms[r][k] + (left_ms if k == held else 0)
        end[r][k] = at_ms
        if i + 1 < len(steps):
            at_ms += own.change(own.groups[r][k], own.groups[r][steps[i + 1]])


def _preempts(junction: Junction) -> list[tuple[int, int, int, int, int, int, int]]:
    names = {stage.name: i for i, stage in enumerate(junction.stages)}

    def stage(name: str, number: int) -> int:
        if name and name not in names:
            raise ModelError(
                f"junction {junction.id}: preempt {number}: expected stages of {sorted(names)}, found {name}"
            )
        return names.get(name, -1)

    rows = []
    for p in sorted(junction.preempts, key=lambda p: p.number):
        if not p.dwell or p.number < 1:
            raise ModelError(
                f"junction {junction.id}: preempt {p.number}: expected a number from 1 and a dwell stage, "
                f"found '{p.dwell}'"
            )
        rows.append(
            (
                p.number,
                p.delay_ms,
                stage(p.track, p.number),
                p.track_ms,
                stage(p.dwell, p.number),
                p.dwell_ms,
                stage(p.exit, p.number),
            )
        )
    return rows

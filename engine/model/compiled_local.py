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

from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from .questions.local import MAX_RINGS
from .questions.signals import MAX_GROUPS
from .rings import Rings, do_people_end_early, group_mask, people_mask, stage_tables, step_rows
from .site import DetectorKind, GroupKind, Junction, Recall, Site
from .timetable import lay_out_plan

__all__ = ["MOST_PREEMPTS", "Local", "compile_local"]

MOST_PREEMPTS = 62

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


def compile_local(site: Site) -> Local:
    """Tables for local control; ModelError where rings, plans or preempts name what is not there."""
    rings = [Rings(_checked(junction)) for junction in site.junctions]
    groups = [group for junction in site.junctions for group in junction.groups]
    callers = _callers(site)
    steps = [step for own in rings for row in step_rows(own) for step in row]
    entries = [row for own in rings for row in own.entry]
    plans = [lay_out_plan(own, plan) for own in rings for plan in own.junction.plans]
    preempts = [row for junction in site.junctions for row in _preempts(junction)]
    tables = [stage_tables(own) for own in rings]
    return Local(
        max_green_ms=np.array([g.max_green_ms for g in groups], np.int32),
        passage_ms=np.array([g.passage_ms for g in groups], np.int32),
        recall=np.array([list(Recall).index(g.recall) for g in groups], np.uint8),
        caller_ptr=_ptr([len(row) for row in callers]),
        caller=np.array([d for row in callers for d in row], np.int32),
        change_ms=np.array([g.sequence.stop_ms for g in groups], np.int32),
        people=np.array([people_mask(junction) for junction in site.junctions], np.int64),
        people_end_early=np.array([do_people_end_early(own) for own in rings], np.uint8),
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
        stage_green=np.array([group_mask(s.green) for j in site.junctions for s in j.stages], np.int64),
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


def _checked(junction: Junction) -> Junction:
    """The junction, if its sizes fit the kernels."""
    for what, found, most in (
        ("signal groups", len(junction.groups), MAX_GROUPS),
        ("rings", len(junction.rings), MAX_RINGS),
        ("preempt number", max((p.number for p in junction.preempts), default=0), MOST_PREEMPTS),
    ):
        if found > most:
            raise ModelError(f"junction {junction.id}: {what}: expected at most {most}, found {found}")
    return junction


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

"""Questions about what a junction does by itself: rings, timing plans, preemption."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from math import prod

from ..cycle import least_cycle_ms, plan_rings, shortest_runs_ms
from ..site import Junction, MeetingKind, Plan, Preempt, Ring, RingStep
from .words import MAX_MS, repeated

__all__ = ["MAX_RINGS", "local_questions"]

MAX_RINGS = 4
MAX_COMBINATIONS = 4096
MAX_PREEMPT = 32
MAX_CYCLE_MS = 3_600_000


def local_questions(junction: Junction) -> Iterator[str]:
    """Everything that is wrong with rings, plans and preempts."""
    yield from _are_steps_named_once(junction)
    yield from _do_rings_name_groups(junction)
    yield from _does_a_ring_serve_each_group(junction)
    yield from _do_rings_cross_the_barriers_in_order(junction)
    yield from _are_combinations_few(junction)
    yield from _do_rings_run_together(junction)
    for plan in junction.plans:
        yield from _does_the_plan_fit(junction, plan)
    yield from _are_preempts_numbered_once(junction)
    for preempt in junction.preempts:
        yield from _does_the_preempt_make_sense(junction, preempt)


def _are_steps_named_once(junction: Junction) -> Iterator[str]:
    if len(junction.rings) > MAX_RINGS:
        yield f"expected at most {MAX_RINGS} rings, found {len(junction.rings)}"
    for number, ring in enumerate(junction.rings, start=1):
        if not ring.steps:
            yield f"ring {number}: expected at least one step, found none"
    for name, n in repeated(step.name for ring in junction.rings for step in ring.steps).items():
        yield f"ring step {name}: expected one of that name, found {n}"


def _do_rings_name_groups(junction: Junction) -> Iterator[str]:
    count = len(junction.groups)
    for number, step in _numbered_steps(junction):
        if not step.groups or not all(1 <= group <= count for group in step.groups):
            yield f"ring {number}, step {step.name}: expected groups of 1 to {count}, found {step.groups}"
    for (number, ring), (other, behind) in combinations(enumerate(junction.rings, start=1), 2):
        for group in sorted(_groups(ring) & _groups(behind)):
            yield f"group {group}: expected in steps of one ring, found in rings {number} and {other}"


def _numbered_steps(junction: Junction) -> Iterator[tuple[int, RingStep]]:
    for number, ring in enumerate(junction.rings, start=1):
        for step in ring.steps:
            yield number, step


def _groups(ring: Ring) -> set[int]:
    return {group for step in ring.steps for group in step.groups}


def _does_a_ring_serve_each_group(junction: Junction) -> Iterator[str]:
    if not junction.rings:
        return
    served = {group for ring in junction.rings for group in _groups(ring)}
    for group in junction.groups:
        if group.number not in served and not served & set(group.parents):
            yield (
                f"group {group.number} ({group.name}): expected in a step of a ring, or as an overlap of one, "
                "found in none"
            )


def _do_rings_cross_the_barriers_in_order(junction: Junction) -> Iterator[str]:
    sides = {step.barrier for _, step in _numbered_steps(junction)}
    if sides and sides != set(range(1, len(sides) + 1)):
        yield f"rings: expected sides of barriers numbered from 1, found {sorted(sides)}"
    for number, ring in enumerate(junction.rings, start=1):
        found = [step.barrier for step in ring.steps]
        if found != sorted(found):
            yield f"ring {number}: expected its steps in the order of the barriers, found sides {found}"


def _are_combinations_few(junction: Junction) -> Iterator[str]:
    found = _count_combinations(junction)
    if found > MAX_COMBINATIONS:
        yield f"rings: expected at most {MAX_COMBINATIONS} combinations of steps, found {found}"


def _count_combinations(junction: Junction) -> int:
    return sum(prod(map(len, on_side)) for on_side in _steps_by_side(junction))


def _do_rings_run_together(junction: Junction) -> Iterator[str]:
    """Every combination of steps on one side needs a stage; where its groups conflict, there can be none."""
    conflicts = {frozenset((m.first, m.second)) for m in junction.meetings if m.kind is MeetingKind.CONFLICT}
    stages = [set(stage.green) for stage in junction.stages]
    if _count_combinations(junction) > MAX_COMBINATIONS:
        return
    apart: set[tuple[str, str]] = set()
    for steps in _combinations(junction):
        clashing = [pair for pair in combinations(steps, 2) if _conflict(*pair, conflicts)]
        groups = {g for step in steps for g in step.groups if 1 <= g <= len(junction.groups)}
        groups |= {group.number for group in junction.groups if groups & set(group.parents)}
        if not clashing and not any(groups <= green for green in stages):
            named = " and ".join(step.name for step in steps)
            yield f"ring steps {named}: expected a stage that holds groups {sorted(groups)}, found none"
        for one, other in clashing:
            if (one.name, other.name) not in apart:
                apart.add((one.name, other.name))
                yield from _clash(one, other, conflicts)


def _combinations(junction: Junction) -> Iterator[tuple[RingStep, ...]]:
    for on_side in _steps_by_side(junction):
        yield from product(*on_side)


def _steps_by_side(junction: Junction) -> Iterator[list[list[RingStep]]]:
    """For each side of the barriers the steps of each ring that has some there."""
    for side in sorted({step.barrier for _, step in _numbered_steps(junction)}):
        rings = [[step for step in ring.steps if step.barrier == side] for ring in junction.rings]
        yield [steps for steps in rings if steps]


def _conflict(one: RingStep, other: RingStep, conflicts: set[frozenset[int]]) -> bool:
    return any(frozenset(pair) in conflicts for pair in product(one.groups, other.groups))


def _clash(one: RingStep, other: RingStep, conflicts: set[frozenset[int]]) -> Iterator[str]:
    for first, second in product(one.groups, other.groups):
        if frozenset((first, second)) in conflicts:
            yield (
                f"ring steps {one.name} and {other.name}: expected no conflict on one side of the barriers, "
                f"found groups {first} and {second}"
            )


def _does_the_plan_fit(junction: Junction, plan: Plan) -> Iterator[str]:
    findings = [*_does_the_plan_name_steps(junction, plan), *_are_plan_times_in_range(plan)]
    yield from findings
    if not findings:
        yield from _are_steps_in_ring_order(junction, plan)
        yield from _do_splits_fill_the_cycle(junction, plan)
        yield from _do_splits_hold_the_minimum(junction, plan)


def _does_the_plan_name_steps(junction: Junction, plan: Plan) -> Iterator[str]:
    kind, allowed = "stages", {stage.name for stage in junction.stages}
    if junction.rings:
        kind, allowed = "ring steps", {step.name for _, step in _numbered_steps(junction)}
    names = [step.stage for step in plan.steps]
    for name in names:
        if name not in allowed:
            yield f"plan {plan.name}: expected {kind} of {sorted(allowed)}, found {name}"
    if plan.coordinated and plan.coordinated not in names:
        yield f"plan {plan.name}: expected its coordinated step of {names}, found {plan.coordinated}"


def _are_plan_times_in_range(plan: Plan) -> Iterator[str]:
    for step in plan.steps:
        if not 0 <= step.green_ms <= MAX_MS:
            where = f"plan {plan.name}, step {step.stage}"
            yield f"{where}: expected green_ms from 0 to {MAX_MS} ms, found {step.green_ms}"
    if not 0 < plan.cycle_ms <= MAX_CYCLE_MS:
        yield f"plan {plan.name}: expected cycle_ms from 1 to {MAX_CYCLE_MS} ms, found {plan.cycle_ms}"


def _are_steps_in_ring_order(junction: Junction, plan: Plan) -> Iterator[str]:
    ring_of = {step.name: number for number, step in _numbered_steps(junction)}
    found = [ring_of.get(step.stage, 1) for step in plan.steps]
    if found != sorted(found):
        yield f"plan {plan.name}: expected all steps of ring 1 first, then those of ring 2; found rings {found}"


def _do_splits_fill_the_cycle(junction: Junction, plan: Plan) -> Iterator[str]:
    for number, steps in plan_rings(junction, plan):
        need_ms = least_cycle_ms(junction, steps)
        if need_ms > plan.cycle_ms:
            green_ms = sum(step.green_ms for step in steps)
            yield (
                f"plan {plan.name}, ring {number}: expected greens and changes within the cycle of "
                f"{plan.cycle_ms} ms, found {green_ms} + {need_ms - green_ms}"
            )


def _do_splits_hold_the_minimum(junction: Junction, plan: Plan) -> Iterator[str]:
    for _, steps in plan_rings(junction, plan):
        for number, run_ms in shortest_runs_ms(junction, steps).items():
            least_ms = junction.groups[number - 1].min_green_ms
            if run_ms < least_ms:
                yield (
                    f"plan {plan.name}: expected at least the minimum green of group {number}, {least_ms} ms; "
                    f"found {run_ms}"
                )


def _are_preempts_numbered_once(junction: Junction) -> Iterator[str]:
    for number, n in repeated(preempt.number for preempt in junction.preempts).items():
        yield f"preempt {number}: expected once, found {n} times"


def _does_the_preempt_make_sense(junction: Junction, preempt: Preempt) -> Iterator[str]:
    names = sorted(stage.name for stage in junction.stages)
    where = f"preempt {preempt.number}"
    if not 1 <= preempt.number <= MAX_PREEMPT:
        yield f"{where}: expected a number from 1 to {MAX_PREEMPT}"
    for role, stage in (("dwell", preempt.dwell), ("track", preempt.track), ("exit", preempt.exit)):
        if stage not in names and (role == "dwell" or stage):
            yield f"{where}: expected {role} to be one of the stages {names}, found {stage!r}"
    for name, ms in (
        ("dwell_ms", preempt.dwell_ms),
        ("delay_ms", preempt.delay_ms),
        ("track_ms", preempt.track_ms),
    ):
        if not 0 <= ms <= MAX_MS:
            yield f"{where}: expected {name} from 0 to {MAX_MS} ms, found {ms}"
    if bool(preempt.track) != (preempt.track_ms > 0):
        found = f"{preempt.track!r} and {preempt.track_ms}"
        yield f"{where}: expected both a track stage and track_ms, or none; found {found}"

"""Makes derived plans fit what was derived beside them: minimum greens, and changes as long as the intergreens need.

A program may lack a yellow, or clear a crossing faster than people walk; then its greens and the changes of the model
do not fill the same cycle.
"""

from __future__ import annotations

from dataclasses import replace

from greensplit.engine.model.cycle import least_cycle_ms, shortest_runs_ms
from greensplit.engine.model.site import Junction, Plan, PlanStep

__all__ = ["fit_plans"]


def fit_plans(junction: Junction) -> tuple[Junction, list[str]]:
    """The junction (of one ring) with plans that fit, and what was changed in them, in words."""
    notes: list[str] = []
    plans = tuple(_fitted(junction, plan, notes) for plan in junction.plans)
    return replace(junction, plans=plans), notes


def _fitted(junction: Junction, plan: Plan, notes: list[str]) -> Plan:
    steps = _with_minimum(junction, plan, notes)
    over_ms = least_cycle_ms(junction, steps) - plan.cycle_ms
    if over_ms <= 0:
        return replace(plan, steps=steps)
    longest = max(range(len(steps)), key=lambda i: steps[i].green_ms)
    rest_ms = steps[longest].green_ms - over_ms
    if rest_ms >= _minimum_ms(junction, steps[longest]):
        notes.append(
            f"plan {plan.name}: {over_ms / 1000:g} s of the green of {steps[longest].stage} taken for changes that "
            "the program makes too short"
        )
        shorter = replace(steps[longest], green_ms=rest_ms)
        return replace(plan, steps=(*steps[:longest], shorter, *steps[longest + 1 :]))
    notes.append(
        f"plan {plan.name}: cycle of {(plan.cycle_ms + over_ms) / 1000:g} s instead of {plan.cycle_ms / 1000:g} s, "
        "for changes that the program makes too short"
    )
    return replace(plan, steps=steps, cycle_ms=plan.cycle_ms + over_ms)


def _with_minimum(junction: Junction, plan: Plan, notes: list[str]) -> tuple[PlanStep, ...]:
    steps = plan.steps
    least_ms = {group.number: group.min_green_ms for group in junction.groups}
    for number, run_ms in shortest_runs_ms(junction, steps).items():
        if run_ms < least_ms[number]:
            notes.append(
                f"plan {plan.name}: minimum green of group {number} given to every stage that serves it"
            )
            steps = tuple(
                replace(step, green_ms=max(step.green_ms, least_ms[number]))
                if number in _green(junction, step)
                else step
                for step in steps
            )
    return steps


def _green(junction: Junction, step: PlanStep) -> tuple[int, ...]:
    return next(stage.green for stage in junction.stages if stage.name == step.stage)


def _minimum_ms(junction: Junction, step: PlanStep) -> int:
    return max(junction.groups[number - 1].min_green_ms for number in _green(junction, step))

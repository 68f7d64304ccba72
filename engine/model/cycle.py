"""What a timing plan needs: the greens of its steps and the changes between them, per ring."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from .site import Junction, MeetingKind, Plan, PlanStep

__all__ = ["change_ms", "least_cycle_ms", "plan_rings", "shortest_runs_ms"]

Steps = tuple[PlanStep, ...]


def plan_rings(junction: Junction, plan: Plan) -> Iterator[tuple[int, Steps]]:
    """Number of each ring and the plan's steps for it; the one ring of a junction without ``rings`` is 1."""
    if not junction.rings:
        yield 1, plan.steps
    for number, ring in enumerate(junction.rings, start=1):
        names = {step.name for step in ring.steps}
        yield number, tuple(step for step in plan.steps if step.stage in names)


def _green(junction: Junction, step: PlanStep) -> frozenset[int]:
    """Known groups that are green in the step."""
    steps = {s.name: s.groups for ring in junction.rings for s in ring.steps}
    stages = {stage.name: stage.green for stage in junction.stages}
    found = steps.get(step.stage, stages.get(step.stage, ()))
    return frozenset(number for number in found if 1 <= number <= len(junction.groups))


def change_ms(junction: Junction, ending: PlanStep, starting: PlanStep) -> int:
    """Least time from the end of green of one step to the start of green of the next, ms.

    The longest intergreen from a group that ends to one that starts; without one, 0.
    """
    before, after = _green(junction, ending), _green(junction, starting)
    gone, new = before - after, after - before
    longest = 0
    for meeting in junction.meetings:
        if meeting.kind is MeetingKind.SHARED and meeting.intergreen_ms == 0:
            continue
        if meeting.first in gone and meeting.second in new:
            longest = max(longest, meeting.intergreen_ms)
        if meeting.second in gone and meeting.first in new:
            longest = max(longest, meeting.reverse_ms)
    return longest


def least_cycle_ms(junction: Junction, steps: Steps) -> int:
    """Greens of one ring's steps, and the changes from each to the next and from the last to the first, ms."""
    around = (*steps, *steps[:1])
    return sum(step.green_ms for step in steps) + sum(change_ms(junction, a, b) for a, b in pairwise(around))


def shortest_runs_ms(junction: Junction, steps: Steps) -> dict[int, int]:
    """Shortest green of each group that the steps of one ring serve; steps that follow each other are one green, ms."""
    greens = [_green(junction, step) for step in steps]
    return {number: _shortest_run(junction, steps, greens, number) for number in sorted(set().union(*greens))}


def _shortest_run(junction: Junction, steps: Steps, greens: list[frozenset[int]], number: int) -> int:
    """Once around from a step without the group; a group in all steps is green throughout."""
    n = len(steps)
    pauses = [i for i in range(n) if number not in greens[i]]
    if not pauses:
        return least_cycle_ms(junction, steps)
    runs = [0]
    for offset in range(1, n + 1):
        i = (pauses[0] + offset) % n
        if number not in greens[i]:
            runs.append(0)
        else:
            runs[-1] += steps[i].green_ms + (change_ms(junction, steps[i - 1], steps[i]) if runs[-1] else 0)
    return min(run for run in runs if run)

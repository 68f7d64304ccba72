"""A timing plan in local cycle time: when each ring step starts and is forced off."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from ..errors import ModelError
from .rings import Rings
from .site import Plan

__all__ = ["Times", "lay_out_plan"]


class Times(NamedTuple):
    """A plan in local cycle time, one entry per step of the junction."""

    cycle_ms: int
    offset_ms: int
    start_ms: list[int]
    end_ms: list[int]
    window_ms: list[int]
    planned: list[bool]
    coordinated: list[bool]


def lay_out_plan(own: Rings, plan: Plan) -> Times:
    """Start and force-off of every step; ModelError where the plan names no step, or one without green."""
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
    return Times(
        cycle_ms,
        plan.offset_ms,
        [(start[r][k] - zero) % cycle_ms for r, k in places],
        [(end[r][k] - zero) % cycle_ms for r, k in places],
        [(end[r][k] - yield_ms[r]) % cycle_ms or cycle_ms for r, k in places],
        [green_ms[r][k] > 0 for r, k in places],
        [held_home[r] == k for r, k in places],
    )


def _greens(own: Rings, plan: Plan) -> list[list[int]]:
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


def _coordinated(own: Rings, plan: Plan, green_ms: list[list[int]]) -> tuple[int, int]:
    """Ring and position of the coordinated step."""
    name = plan.coordinated or plan.steps[0].stage
    for r, ring in enumerate(own.rings):
        for k, step in enumerate(ring.steps):
            if step.name == name and green_ms[r][k] > 0:
                return r, k
    raise ModelError(
        f"junction {own.junction.id}: plan {plan.name}: expected a step with green as coordinated, found {name}"
    )


def _served(own: Rings, green_ms: list[list[int]], r: int, side: int) -> list[int]:
    return [k for k, s in enumerate(own.sides[r]) if s == side and green_ms[r][k] > 0]


def _length(own: Rings, green_ms: list[list[int]], r: int, side: int) -> int:
    """Time of one ring on one side, ms."""
    steps = _served(own, green_ms, r, side)
    changes = [own.change(own.groups[r][a], own.groups[r][b]) for a, b in pairwise(steps)]
    return sum(green_ms[r][k] for k in steps) + sum(changes)


def _crossing(own: Rings, green_ms: list[list[int]], before: int, after: int) -> int:
    """Longest change from the last steps of a side to the first ones of the next, ms. With one side: to itself."""
    ends = starts = 0
    for r in range(len(own.rings)):
        last, first = _served(own, green_ms, r, before)[-1:], _served(own, green_ms, r, after)[:1]
        ends |= own.groups[r][last[0]] if last else 0
        starts |= own.groups[r][first[0]] if first else 0
    return own.change(ends, starts)


def _held_step(own: Rings, green_ms: list[list[int]], r: int, side: int, coordinated: tuple[int, int]) -> int:
    """The step that gets what is left of its side: the coordinated one, else the one that goes along; -1 none."""
    steps = _served(own, green_ms, r, side)
    if r == coordinated[0] and side == own.sides[r][coordinated[1]]:
        return coordinated[1]
    entry = own.entry[r][side]
    return entry if entry in steps else (steps[-1] if steps else -1)


def _lay_out(
    own: Rings,
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

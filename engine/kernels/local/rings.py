"""The ring engine: rings of steps between barriers, steps that nobody calls are skipped.

A ring goes to its next called step on its side of the barrier as soon as its own may end. All rings cross together,
when none has a called step left on this side and all may end at the same time; on the other side a ring that nobody
calls goes along with its entry step. Sides without calls are passed over, so that an earlier step of the same side
can come again while the other rings stay.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...model.compiled import Signals
from ...model.compiled_local import Local
from ..jit import inlined, kernel
from .coordination import begin_step, has_window, time_row
from .preemption import NO_PART
from .state import PRETIMED, LocalState, Orders

__all__ = ["advance_rings", "note_called_steps", "steps_of", "walk_ms"]


@inlined
def steps_of(local: Local, r: int) -> int:
    """Number of steps of a ring."""
    return int(local.step_ptr[r + 1] - local.step_ptr[r])


@inlined
def walk_ms(signals: Signals, local: Local, group: int) -> int:
    """Walk and pedestrian clearance, ms."""
    return int(signals.min_green_ms[group] + local.change_ms[group])


@inlined
def _needed_ms(signals: Signals, local: Local, j: int, step: int, demand: int) -> int:
    """Least time from the decision for a step to its end: change, minimum green, walk and clearance if called."""
    needed_ms = local.step_least_ms[step]
    walkers = local.step_groups[step] & local.people[j] & demand
    if walkers != 0:
        for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
            if walkers >> (group - signals.group_ptr[j]) & 1:
                needed_ms = max(needed_ms, local.step_change_ms[step] + walk_ms(signals, local, group))
    return int(needed_ms)


@inlined
def _is_called(
    signals: Signals,
    local: Local,
    state: LocalState,
    j: int,
    r: int,
    position: int,
    mode: int,
    plan: int,
    demand: int,
) -> bool:
    """Free: a group of the step waits. Pretimed: the plan names it. Coordinated: both, in its window, or home."""
    step = local.step_ptr[r] + position
    called = bool(local.step_groups[step] & demand != 0)
    if plan >= 0:
        row = time_row(local, j, r, plan, position)
        if mode == PRETIMED:
            called = local.is_planned[row] == 1
        elif local.is_coordinated[row] == 1:
            called = True
        elif called:
            called = has_window(local, state, j, plan, row, _needed_ms(signals, local, j, step, demand))
    return called


@kernel
def note_called_steps(signals: Signals, local: Local, orders: Orders, state: LocalState, count: int) -> None:
    """Note the called steps of every ring, and the next one after that which it is in, -1 for none."""
    for i in range(count):
        j = state.active[i]
        mode, plan = state.run_mode[j], state.run_plan[j]
        demand = state.called[j] & ~orders.omit[j]
        for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
            after = before = -1
            mask = 0
            for position in range(steps_of(local, r)):
                if _is_called(signals, local, state, j, r, position, mode, plan, demand):
                    mask |= 1 << position
                    if position < state.position[r] and before < 0:
                        before = position
                    if position > state.position[r] and after < 0:
                        after = position
            state.called_steps[r] = mask
            state.following[r] = after if after >= 0 else before


@inlined
def _side_of(local: Local, r: int, position: int) -> int:
    """Side of a ring's position; -1 where it is in no step."""
    return local.step_side[local.step_ptr[r] + position] if position < steps_of(local, r) else -1


@inlined
def _junction_side(local: Local, state: LocalState, j: int) -> int:
    """The side of the barrier on which all rings of a junction are."""
    side = 0
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        side = max(side, _side_of(local, r, state.position[r]))
    return side


@inlined
def _first_called(local: Local, state: LocalState, r: int, side: int, avoided: int) -> int:
    """First called position of a ring on a side, but ``avoided``; -1 for none."""
    found = -1
    for position in range(steps_of(local, r)):
        if (
            found < 0
            and position != avoided
            and state.called_steps[r] >> position & 1
            and local.step_side[local.step_ptr[r] + position] == side
        ):
            found = position
    return found


@inlined
def _next_side(local: Local, state: LocalState, j: int, side: int, resting: bool) -> int:
    """The next side on which a step is called that is not being served; the own side last, in red rest first."""
    found = -1
    sides = local.sides[j]
    for i in range(sides):
        candidate = (side + i + (0 if resting else 1)) % sides
        for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
            served = -1 if resting else state.position[r]
            if found < 0 and _first_called(local, state, r, candidate, served) >= 0:
                found = candidate
    return found


@inlined
def _choose_steps(local: Local, state: LocalState, j: int) -> int:
    """Set the goal of every ring of a junction; 1 if any goes on, else 0.

    In red rest no ring is in a step: any called step begins.
    """
    side = _junction_side(local, state, j)
    resting = state.resting[j] == 1
    ahead_anywhere, all_end = False, True
    moves = 0
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        state.goal[r] = state.position[r]
        following = state.following[r]
        ahead = following > state.position[r] and _side_of(local, r, following) == side
        ahead_anywhere = ahead_anywhere or ahead
        all_end = all_end and state.ending[r] == 1
        if ahead and state.ending[r] == 1 and not resting:
            state.goal[r] = following
            moves = 1
    target = -1
    if resting or (all_end and not ahead_anywhere):
        target = _next_side(local, state, j, side, resting)
    if target >= 0:
        moves = 1
        for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
            stays = target == side and not resting
            called = _first_called(local, state, r, target, state.position[r] if stays else -1)
            if called >= 0:
                state.goal[r] = called
            elif not stays:
                state.goal[r] = local.entry[local.entry_ptr[r] + target]
    return moves


@kernel
def advance_rings(
    local: Local, orders: Orders, state: LocalState, count: int, cause: npt.NDArray[np.uint8]
) -> None:
    """Let rings go on, rest or stay; junctions under preemption wait."""
    for i in range(count):
        j = state.active[i]
        if state.preempt_part[j] != NO_PART:
            continue
        was_resting = state.resting[j] == 1
        reason = 0
        if _choose_steps(local, state, j):
            state.resting[j] = 0
            for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
                moves = state.goal[r] != state.position[r]
                if moves and not was_resting:
                    reason = max(reason, state.reason[r])
                if moves or was_resting:
                    state.position[r] = state.goal[r]
                    begin_step(local, state, j, r, state.run_plan[j])
        elif orders.red_rest[j] and not was_resting and _may_rest(local, state, j, orders.omit[j]):
            state.resting[j] = 1
            for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
                reason = max(reason, state.reason[r])
        if reason != 0:
            cause[j] = reason


@inlined
def _may_rest(local: Local, state: LocalState, j: int, omit: int) -> bool:
    """Nobody calls, all rings may end, no group would call at once without traffic, no plan runs."""
    idle = state.run_plan[j] < 0 and state.called[j] & ~omit == 0
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        idle = idle and state.ending[r] == 1
        if state.position[r] < steps_of(local, r):
            served = local.step_groups[local.step_ptr[r] + state.position[r]]
            idle = idle and served & state.standing[j] & ~omit == 0
    return bool(idle)

"""What the signal machine is asked for: the stage of the ring steps, and which pedestrians may walk.

Pedestrian groups start with a step when called, later only if walk and clearance still fit. Where stages allow it they
end after their walk and clear inside the green.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ...model.aspects import PERMISSIVE, RED, RED_AMBER
from ...model.compiled import Signals
from ...model.compiled_local import Local
from ..jit import inlined, kernel
from ..machine import ALL_RED
from ..state import NEVER_MS, Machine
from .coordination import time_row, to_force_off
from .preemption import NO_PART, TRACK, preempt_stage
from .rings import steps_of, walk_ms
from .state import NO_MODE, TWELFTHS, LocalState, Orders

ENDLESS_MS: Final = 1 << 40

__all__ = ["ask_machine"]


@inlined
def _left_ms(
    signals: Signals,
    machine: Machine,
    local: Local,
    state: LocalState,
    j: int,
    r: int,
    plan: int,
    now_ms: int,
) -> int:
    """Time for which the ring's step can still last: to its force-off, else to its maximum once somebody competes.

    A step that is not yet green, and a step that nobody ends, last as long as is needed.
    """
    step = local.step_ptr[r] + state.position[r]
    vehicles = local.step_groups[step] & ~local.people[j]
    is_green = False
    longest_ms = 0
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        aspect = machine.lamps.aspect[group]
        if vehicles >> (group - signals.group_ptr[j]) & 1 and RED_AMBER < aspect <= PERMISSIVE:
            is_green = True
            timed_ms = max(machine.lamps.green_ms[group], state.rival_ms[r])
            longest_ms = max(longest_ms, timed_ms + local.max_green_ms[group] - now_ms)
    left_ms = ENDLESS_MS
    if is_green and plan >= 0 and state.forced[r] == 0:
        row = time_row(local, j, r, plan, state.position[r])
        left_ms = to_force_off(local, state, j, plan, row) // TWELFTHS
    elif is_green and state.rival_ms[r] != NEVER_MS:
        left_ms = longest_ms if plan < 0 else 0
    return left_ms


@inlined
def _served_since_ms(
    signals: Signals, machine: Machine, local: Local, state: LocalState, j: int, r: int
) -> int:
    """Start of the first green of the step's vehicles; ENDLESS_MS before it and while nobody competes."""
    vehicles = local.step_groups[local.step_ptr[r] + state.position[r]] & ~local.people[j]
    since_ms = ENDLESS_MS
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        aspect = machine.lamps.aspect[group]
        if vehicles >> (group - signals.group_ptr[j]) & 1 and RED_AMBER < aspect <= PERMISSIVE:
            since_ms = min(since_ms, machine.lamps.green_ms[group])
    return since_ms if state.rival_ms[r] != NEVER_MS else ENDLESS_MS


@inlined
def _starting_people(
    signals: Signals,
    machine: Machine,
    local: Local,
    state: LocalState,
    j: int,
    plan: int,
    demand: int,
    now_ms: int,
) -> int:
    """Pedestrian groups that may start now: called, of a step that is served, with time for walk and clearance.

    Time is no matter when the step is taken, and a start that was granted is not taken back. They walk twice in a
    step only while nobody competes.
    """
    mask = 0
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        if state.position[r] < steps_of(local, r):
            people = local.step_groups[local.step_ptr[r] + state.position[r]] & local.people[j] & demand
            if people != 0:
                left_ms = _left_ms(signals, machine, local, state, j, r, plan, now_ms)
                served_ms = _served_since_ms(signals, machine, local, state, j, r)
                for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
                    bit = 1 << (group - signals.group_ptr[j])
                    has_walked = machine.lamps.end_ms[group] >= served_ms
                    fits = not has_walked and walk_ms(signals, local, group) <= left_ms
                    granted = state.withheld[j] & bit == 0 and machine.lamps.aspect[group] == RED
                    if people & bit and (granted or fits or state.taken_ms[r] == now_ms):
                        mask |= bit
    return mask


@inlined
def _stage_without_people(
    signals: Signals,
    machine: Machine,
    local: Local,
    j: int,
    stage: int,
    starting: int,
    now_ms: int,
) -> int:
    """The stage like ``stage`` without the pedestrian groups that have had their walk."""
    full = local.stage_green[signals.stage_ptr[j] + stage]
    found = stage
    if full & local.people[j] != 0:
        walking = starting
        for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
            aspect = machine.lamps.aspect[group]
            has_walked = now_ms - machine.lamps.green_ms[group] >= signals.min_green_ms[group]
            if aspect == RED_AMBER or (RED < aspect <= PERMISSIVE and not has_walked):
                walking |= 1 << (group - signals.group_ptr[j])
        wanted = full & ~(local.people[j] & ~walking)
        for s in range(signals.stage_ptr[j + 1] - signals.stage_ptr[j]):
            if local.stage_green[signals.stage_ptr[j] + s] == wanted and wanted != full and found == stage:
                found = s
    return found


@kernel
def ask_machine(
    signals: Signals,
    machine: Machine,
    local: Local,
    orders: Orders,
    state: LocalState,
    count: int,
    request: npt.NDArray[np.int32],
    withheld: npt.NDArray[np.int64],
    urgent: npt.NDArray[np.uint8],
) -> None:
    """The stage of a preempt at once, else that of the rings' steps; red where they rest."""
    for i in range(count):
        j = state.active[i]
        part = state.preempt_part[j]
        if part != NO_PART:
            request[j] = preempt_stage(local, state, j)
            urgent[j] = 1
            withheld[j] = local.people[j] if part == TRACK else local.people[j] & ~state.called[j]
        else:
            starting = _starting_people(
                signals,
                machine,
                local,
                state,
                j,
                state.run_plan[j],
                state.called[j] & ~orders.omit[j],
                state.now_ms[j],
            )
            stage = local.stage_of[local.combination_ptr[j] + _combination(local, state, j)]
            if local.people_end_early[j]:
                stage = _stage_without_people(signals, machine, local, j, stage, starting, state.now_ms[j])
            request[j] = ALL_RED if state.resting[j] else stage
            withheld[j] = (local.people[j] & ~starting) | orders.omit[j]
            urgent[j] = state.mode[j] == NO_MODE
        state.withheld[j] = withheld[j]


@inlined
def _combination(local: Local, state: LocalState, j: int) -> int:
    """Index of the positions of a junction's rings."""
    total = 0
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        total += state.position[r] * local.stride[r]
    return total

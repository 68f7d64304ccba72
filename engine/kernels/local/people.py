"""Pedestrians: their groups start with a step when called, later only if walk and clearance still fit."""

from __future__ import annotations

from typing import Final

from ...model.aspects import PERMISSIVE, RED, RED_AMBER
from ...model.compiled import Signals
from ...model.compiled_local import Local
from ..jit import inlined
from ..state import NEVER_MS, Machine
from .coordination import time_row, to_force_off
from .rings import steps_of, walk_ms
from .state import TWELFTHS, LocalState

ENDLESS_MS: Final = 1 << 40

__all__ = ["stage_without_people", "starting_people"]


@inlined
def _left_ms(
    signals: Signals,
    local: Local,
    machine: Machine,
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
def starting_people(
    signals: Signals,
    local: Local,
    machine: Machine,
    state: LocalState,
    j: int,
    plan: int,
    demand: int,
    now_ms: int,
) -> int:
    """Pedestrian groups that may start now: called, of a step that is served, with time for walk and clearance."""
    mask = 0
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        if state.position[r] < steps_of(local, r):
            people = local.step_groups[local.step_ptr[r] + state.position[r]] & local.people[j] & demand
            if people != 0:
                left_ms = _left_ms(signals, local, machine, state, j, r, plan, now_ms)
                for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
                    bit = 1 << (group - signals.group_ptr[j])
                    if people & bit and walk_ms(signals, local, group) <= left_ms:
                        mask |= bit
    return mask


@inlined
def stage_without_people(
    signals: Signals,
    local: Local,
    machine: Machine,
    j: int,
    stage: int,
    starting: int,
    now_ms: int,
) -> int:
    """The stage like ``stage`` without the pedestrian groups that have had their walk."""
    walking = starting
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        aspect = machine.lamps.aspect[group]
        has_walked = now_ms - machine.lamps.green_ms[group] >= signals.min_green_ms[group]
        if aspect == RED_AMBER or (RED < aspect <= PERMISSIVE and not has_walked):
            walking |= 1 << (group - signals.group_ptr[j])
    full = local.stage_green[signals.stage_ptr[j] + stage]
    wanted = full & ~(local.people[j] & ~walking)
    found = stage
    for s in range(signals.stage_ptr[j + 1] - signals.stage_ptr[j]):
        if local.stage_green[signals.stage_ptr[j] + s] == wanted:
            found = s
    return found

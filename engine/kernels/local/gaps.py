"""When a step may end: minimum and walk served, gap or maximum, force-off, hold."""

from __future__ import annotations

from ...events import FORCE_OFF, GAP_OUT, MAX_OUT
from ...model.aspects import PERMISSIVE, RED, RED_AMBER
from ...model.compiled import Signals
from ...model.compiled_local import Local
from ..jit import inlined, kernel
from ..state import NEVER_MS, Machine
from .coordination import time_row
from .state import COORDINATED, PRETIMED, LocalState, Orders

__all__ = ["judge_steps"]

BUSY, DONE, EXTENDING, MAXED = 0, 1, 2, 3


@inlined
def _judge_group(
    signals: Signals,
    machine: Machine,
    local: Local,
    state: LocalState,
    j: int,
    r: int,
    group: int,
) -> int:
    """BUSY: may not end yet; DONE: nobody needs it; EXTENDING: traffic; MAXED: traffic, but past its maximum."""
    now_ms = state.now_ms[j]
    bit = 1 << (group - signals.group_ptr[j])
    aspect = machine.lamps.aspect[group]
    green_ms = machine.lamps.green_ms[group]
    people = local.people[j] & bit != 0
    verdict = DONE
    if aspect == RED:
        verdict = DONE if state.withheld[j] & bit else BUSY
    elif aspect == RED_AMBER:
        verdict = BUSY
    elif aspect > PERMISSIVE:
        clearing = now_ms - machine.lamps.end_ms[group] < local.change_ms[group]
        verdict = BUSY if not people or (clearing and local.people_end_early[j]) else DONE
    elif now_ms - green_ms < signals.min_green_ms[group] or (people and local.people_end_early[j]):
        verdict = BUSY
    elif not people:
        seen_ms = max(state.seen_ms[group], green_ms)
        if state.seen_ms[group] == now_ms or now_ms - seen_ms < local.passage_ms[group]:
            timed = state.rival_ms[r] != NEVER_MS and state.run_plan[j] < 0
            over = now_ms - max(green_ms, state.rival_ms[r]) >= local.max_green_ms[group]
            verdict = MAXED if timed and over else EXTENDING
    return verdict


@kernel
def judge_steps(
    signals: Signals, machine: Machine, local: Local, orders: Orders, state: LocalState, count: int
) -> None:
    """May the step of each ring end now, and why? Into ``ending`` and ``reason``.

    A ring in no step holds nothing up.
    """
    for i in range(count):
        j = state.active[i]
        waiting = state.called[j] & ~orders.omit[j] & ~_served(local, state, j)
        for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
            step = local.step_ptr[r] + state.position[r]
            if step == local.step_ptr[r + 1]:
                state.ending[r] = 1
                state.reason[r] = 0
            else:
                if state.rival_ms[r] == NEVER_MS and waiting & local.step_rivals[step]:
                    state.rival_ms[r] = state.now_ms[j]
                _judge_step(signals, machine, local, orders, state, j, r, step)


@inlined
def _served(local: Local, state: LocalState, j: int) -> int:
    """Groups of the steps in which the rings are."""
    mask = 0
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        if state.position[r] < local.step_ptr[r + 1] - local.step_ptr[r]:
            mask |= local.step_groups[local.step_ptr[r] + state.position[r]]
    return mask


@inlined
def _is_fixed(local: Local, state: LocalState, j: int, r: int) -> bool:
    """Does the step end at its force-off and not before?"""
    fixed = state.run_mode[j] == PRETIMED
    if state.run_mode[j] == COORDINATED:
        fixed = local.is_coordinated[time_row(local, j, r, state.run_plan[j], state.position[r])] == 1
    return bool(fixed)


@inlined
def _judge_step(
    signals: Signals,
    machine: Machine,
    local: Local,
    orders: Orders,
    state: LocalState,
    j: int,
    r: int,
    step: int,
) -> None:
    """Groups that go on in what follows hold nothing up."""
    mask = local.step_groups[step]
    staying = 0
    if state.following[r] >= 0:
        staying = local.step_groups[local.step_ptr[r] + state.following[r]]
    worst = DONE
    busy = mask & orders.hold[j] & state.green[j] != 0
    extending = False
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        bit = 1 << (group - signals.group_ptr[j])
        if mask & bit:
            verdict = _judge_group(signals, machine, local, state, j, r, group)
            busy = busy or verdict == BUSY
            if not staying & bit:
                extending = extending or verdict == EXTENDING
                worst = max(worst, verdict)
    forced = state.forced[r] == 1 or mask & orders.force_off[j] != 0
    may_end = not busy and (forced or not (extending or _is_fixed(local, state, j, r)))
    state.ending[r] = 1 if may_end else 0
    if may_end and forced:
        state.reason[r] = FORCE_OFF
    elif may_end:
        state.reason[r] = MAX_OUT if worst == MAXED else GAP_OUT

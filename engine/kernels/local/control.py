"""Local control of all junctions: orders, detectors and lamps in, requests to the signal machine out."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ...model.compiled import Signals
from ...model.compiled_local import Local
from ..jit import inlined, kernel
from ..machine import ALL_RED, FLASH, KEEP
from ..state import NEVER_MS, Detectors, Machine
from .calls import green_mask, note_calls
from .coordination import advance_clock, time_row, to_force_off, wanted_clock
from .gaps import judge_step
from .people import stage_without_people, starting_people
from .preemption import EXIT, NO_PART, TRACK, preempt_stage, run_preempt
from .rings import choose_steps, combination, note_called_steps, steps_of
from .state import (
    ACTUATED,
    ADAPTIVE,
    COORDINATED,
    FREE,
    NO_MODE,
    NO_PREEMPT,
    OFF,
    PRETIMED,
    TWELFTHS,
    LocalState,
    Orders,
)

__all__ = ["advance_local"]

LATEST_MS: Final = 1 << 60


@kernel
def advance_local(
    signals: Signals,
    detectors: Detectors,
    level: npt.NDArray[np.uint8],
    machine: Machine,
    local: Local,
    orders: Orders,
    state: LocalState,
    request: npt.NDArray[np.int32],
    withheld: npt.NDArray[np.int64],
    urgent: npt.NDArray[np.uint8],
    cause: npt.NDArray[np.uint8],
    now_ms: int,
) -> None:
    """Turn ``request`` (J,), what a controller wants, into what each signal machine is asked for at ``now_ms``.

    ``request``, ``withheld`` (J,), ``urgent`` (J,) are for ``advance_machine``; ``cause`` (J,) is why the last step
    ended: 4 gap-out, 5 max-out, 6 force-off. ``level`` (D,) is how far each detector is trusted: RECALL_LEVEL is
    occupied at all times. A junction in ADAPTIVE follows ``request`` but for preempts, holds and omits; others
    overwrite it. An unknown mode, and a plan that is not there, run free (ACTUATED); unknown preempt inputs do
    nothing. When the clock runs back no time passes until it has caught up. ``state`` is modified in place.
    """
    for j in range(len(signals.device_id)):
        urgent[j] = 0
        if (
            orders.mode[j] == ADAPTIVE
            and state.mode[j] == ADAPTIVE
            and orders.preempt[j] | state.inputs[j] | orders.hold[j] == 0
            and state.preempt_part[j] == NO_PART
        ):
            withheld[j] = orders.omit[j]
            continue
        t_ms = max(now_ms, state.last_ms[j])
        mode, plan = _mode_in_effect(local, orders, j)
        state.inputs[j] = orders.preempt[j]
        if mode == OFF:
            state.preempt[j] = NO_PREEMPT
            state.preempt_part[j] = NO_PART
            state.plan[j] = FREE
            request[j] = FLASH
            withheld[j] = orders.omit[j]
        else:
            run_preempt(local, machine, state, j, orders.preempt[j], t_ms)
            if mode == ADAPTIVE:
                _follow(signals, machine, local, orders, state, j, request, withheld, urgent)
            else:
                _run(
                    signals,
                    detectors,
                    level,
                    machine,
                    local,
                    orders,
                    state,
                    j,
                    mode,
                    plan,
                    request,
                    withheld,
                    urgent,
                    cause,
                    t_ms,
                )
        state.mode[j] = mode
        state.last_ms[j] = t_ms


@inlined
def _mode_in_effect(local: Local, orders: Orders, j: int) -> tuple[int, int]:
    """Mode and plan (index among all plans, FREE for none) that can be run."""
    mode, plan = orders.mode[j], FREE
    if mode == COORDINATED or mode == PRETIMED:
        if 0 <= orders.plan[j] < local.plan_ptr[j + 1] - local.plan_ptr[j]:
            plan = local.plan_ptr[j] + orders.plan[j]
    if mode > OFF or ((mode == COORDINATED or mode == PRETIMED) and plan == FREE):
        mode = ACTUATED
    return mode, plan


@inlined
def _follow(
    signals: Signals,
    machine: Machine,
    local: Local,
    orders: Orders,
    state: LocalState,
    j: int,
    request: npt.NDArray[np.int32],
    withheld: npt.NDArray[np.int64],
    urgent: npt.NDArray[np.uint8],
) -> None:
    """The controller's request, but for preempts, holds and omits. The controller itself finds the neediest stage."""
    state.plan[j] = FREE
    stage = preempt_stage(local, state, j)
    part = state.preempt_part[j]
    withheld[j] = orders.omit[j]
    if stage >= 0:
        request[j] = stage
        urgent[j] = part != EXIT
        if part != EXIT:
            withheld[j] = local.people[j] if part == TRACK else 0
    elif request[j] != FLASH and orders.hold[j]:
        shown = 0
        if 0 <= request[j] < signals.stage_ptr[j + 1] - signals.stage_ptr[j]:
            shown = local.stage_green[signals.stage_ptr[j] + request[j]]
        if orders.hold[j] & green_mask(signals, machine, j) & ~shown:
            request[j] = KEEP
    arrived = machine.settled[j] == 1 and machine.rest[j] == 0 and machine.stage[j] == stage
    if part == EXIT and (stage < 0 or arrived):
        state.preempt[j] = NO_PREEMPT
        state.preempt_part[j] = NO_PART


@inlined
def _run(
    signals: Signals,
    detectors: Detectors,
    level: npt.NDArray[np.uint8],
    machine: Machine,
    local: Local,
    orders: Orders,
    state: LocalState,
    j: int,
    mode: int,
    plan: int,
    request: npt.NDArray[np.int32],
    withheld: npt.NDArray[np.int64],
    urgent: npt.NDArray[np.uint8],
    cause: npt.NDArray[np.uint8],
    now_ms: int,
) -> None:
    """One junction by itself: calls, clock, rings."""
    green = green_mask(signals, machine, j)
    first_tick = state.mode[j] == NO_MODE
    begins = first_tick or state.mode[j] == OFF
    restart = begins or state.mode[j] == ADAPTIVE or state.preempt_part[j] == EXIT
    if begins:
        _go_to_first_steps(local, state, j)
    elif state.mode[j] == ADAPTIVE:
        _go_to_stage(signals, local, state, j, machine.stage[j])
    elif state.preempt_part[j] == EXIT:
        if preempt_stage(local, state, j) >= 0:
            _go_to_stage(signals, local, state, j, preempt_stage(local, state, j))
        else:
            _go_to_neediest(signals, local, state, j, state.called[j] & ~orders.omit[j])
        state.preempt[j] = NO_PREEMPT
        state.preempt_part[j] = NO_PART
    if begins or state.mode[j] == ADAPTIVE:
        everybody = (1 << (signals.group_ptr[j + 1] - signals.group_ptr[j])) - 1
        state.called[j] = everybody & ~green
    note_calls(signals, detectors, level, local, state, j, orders.call[j], green, now_ms)
    _keep_time(local, machine, state, j, plan, begins, now_ms)
    if restart or state.plan[j] != plan:
        state.resting[j] = 0
        state.withheld[j] = local.people[j]
        for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
            _take(local, state, j, r, plan)
    state.plan[j] = plan
    part = state.preempt_part[j]
    if part != NO_PART:
        request[j] = preempt_stage(local, state, j)
        urgent[j] = 1
        withheld[j] = local.people[j] if part == TRACK else local.people[j] & ~state.called[j]
    else:
        urgent[j] = first_tick
        demand = state.called[j] & ~orders.omit[j]
        _serve(signals, machine, local, orders, state, j, mode, plan, demand, cause, now_ms)
        starting = starting_people(signals, local, machine, state, j, plan, demand, now_ms)
        withheld[j] = (local.people[j] & ~starting) | orders.omit[j]
        stage = local.stage_of[local.combination_ptr[j] + combination(local, state, j)]
        if local.people_end_early[j]:
            stage = stage_without_people(signals, local, machine, j, stage, starting, now_ms)
        request[j] = ALL_RED if state.resting[j] else stage
    state.withheld[j] = withheld[j]


@inlined
def _go_to_first_steps(local: Local, state: LocalState, j: int) -> None:
    """Every ring to its first step, if that is on the first side."""
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        is_on_side = local.step_side[local.step_ptr[r]] == 0
        state.position[r] = 0 if is_on_side else steps_of(local, r)


@inlined
def _go_to_stage(signals: Signals, local: Local, state: LocalState, j: int, stage: int) -> None:
    """Every ring to where it shows most of a local stage."""
    index = local.stage_combination[signals.stage_ptr[j] + stage]
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        state.position[r] = index // local.stride[r] % (steps_of(local, r) + 1)


@inlined
def _oldest_call_ms(signals: Signals, local: Local, state: LocalState, j: int, step: int, demand: int) -> int:
    """Since when a group of the step waits; LATEST_MS for nobody."""
    oldest_ms = LATEST_MS
    waiting = local.step_groups[step] & demand
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        if waiting >> (group - signals.group_ptr[j]) & 1:
            oldest_ms = min(oldest_ms, state.call_ms[group])
    return oldest_ms


@inlined
def _go_to_neediest(signals: Signals, local: Local, state: LocalState, j: int, demand: int) -> None:
    """To the side of the longest waiting call, every ring to its own longest there; if nobody waits, stay."""
    oldest_ms = LATEST_MS
    side = -1
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        for step in range(local.step_ptr[r], local.step_ptr[r + 1]):
            waits_ms = _oldest_call_ms(signals, local, state, j, step, demand)
            if waits_ms < oldest_ms:
                oldest_ms = waits_ms
                side = local.step_side[step]
    if side >= 0:
        for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
            state.position[r] = local.entry[local.entry_ptr[r] + side]
            oldest_ms = LATEST_MS
            for step in range(local.step_ptr[r], local.step_ptr[r + 1]):
                waits_ms = _oldest_call_ms(signals, local, state, j, step, demand)
                if local.step_side[step] == side and waits_ms < oldest_ms:
                    oldest_ms = waits_ms
                    state.position[r] = step - local.step_ptr[r]


@inlined
def _take(local: Local, state: LocalState, j: int, r: int, plan: int) -> None:
    """Begin the step in which ring ``r`` is. In a plan a step that is not in its window is forced off at once."""
    state.rival_ms[r] = NEVER_MS
    state.forced[r] = 0
    if plan >= 0 and state.position[r] < steps_of(local, r):
        row = time_row(local, j, r, plan, state.position[r])
        left = to_force_off(local, state, j, plan, row)
        in_time = local.is_planned[row] == 1 and left <= local.window_ms[row] * TWELFTHS
        state.forced[r] = 0 if in_time else 1


@inlined
def _keep_time(
    local: Local, machine: Machine, state: LocalState, j: int, plan: int, begins: bool, now_ms: int
) -> None:
    """Move the local cycle on and note which force-offs it passed; a new plan begins where the first ring is."""
    if plan < 0:
        state.in_transition[j] = 0
    elif state.plan[j] == plan and not begins:
        before = state.clock[j]
        cycle = local.cycle_ms[plan] * TWELFTHS
        went = advance_clock(local, state, j, plan, now_ms - state.last_ms[j], now_ms)
        for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
            if state.position[r] < steps_of(local, r):
                end = local.end_ms[time_row(local, j, r, plan, state.position[r])] * TWELFTHS
                if (end - before - 1) % cycle < went:
                    state.forced[r] = 1
    else:
        state.clock[j] = wanted_clock(local, plan, now_ms)
        r = local.ring_ptr[j]
        if not begins and state.position[r] < steps_of(local, r):
            row = time_row(local, j, r, plan, state.position[r])
            shown_ms = now_ms - machine.since_ms[j] if machine.settled[j] else 0
            if local.is_planned[row]:
                length_ms = (local.end_ms[row] - local.start_ms[row]) % local.cycle_ms[plan]
                here_ms = local.start_ms[row] + min(shown_ms, length_ms)
                state.clock[j] = here_ms % local.cycle_ms[plan] * TWELFTHS
        state.in_transition[j] = state.clock[j] != wanted_clock(local, plan, now_ms)


@inlined
def _serve(
    signals: Signals,
    machine: Machine,
    local: Local,
    orders: Orders,
    state: LocalState,
    j: int,
    mode: int,
    plan: int,
    demand: int,
    cause: npt.NDArray[np.uint8],
    now_ms: int,
) -> None:
    """Let the rings of one junction go on, rest or stay."""
    served = 0
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        if state.position[r] < steps_of(local, r):
            served |= local.step_groups[local.step_ptr[r] + state.position[r]]
    note_called_steps(signals, local, state, j, mode, plan, demand)
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        _judge(signals, machine, local, orders, state, j, r, mode, plan, demand & ~served, now_ms)
        state.goal[r] = state.position[r]
    was_resting = state.resting[j] == 1
    if choose_steps(local, state, j):
        state.resting[j] = 0
        reason = 0
        for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
            if state.goal[r] != state.position[r]:
                reason = max(reason, state.reason[r])
            if was_resting or state.goal[r] != state.position[r]:
                state.position[r] = state.goal[r]
                _take(local, state, j, r, plan)
        if not was_resting:
            cause[j] = reason
    elif (
        orders.red_rest[j] and plan < 0 and demand == 0 and served & state.standing[j] & ~orders.omit[j] == 0
    ):
        _rest(local, state, j, cause)


@inlined
def _judge(
    signals: Signals,
    machine: Machine,
    local: Local,
    orders: Orders,
    state: LocalState,
    j: int,
    r: int,
    mode: int,
    plan: int,
    waiting: int,
    now_ms: int,
) -> None:
    """May the ring's step end? A ring in no step holds nothing up."""
    if state.position[r] == steps_of(local, r):
        state.ending[r] = 1
        state.reason[r] = 0
    else:
        step = local.step_ptr[r] + state.position[r]
        if state.rival_ms[r] == NEVER_MS and waiting & local.step_rivals[step]:
            state.rival_ms[r] = now_ms
        fixed = mode == PRETIMED
        if plan >= 0 and not fixed:
            fixed = local.is_coordinated[time_row(local, j, r, plan, state.position[r])] == 1
        staying = 0
        if state.following[r] >= 0:
            staying = local.step_groups[local.step_ptr[r] + state.following[r]]
        judge_step(
            signals,
            local,
            machine,
            state,
            j,
            r,
            local.step_groups[step],
            staying,
            state.withheld[j],
            fixed,
            plan >= 0,
            orders.hold[j] & green_mask(signals, machine, j),
            orders.force_off[j],
            now_ms,
        )


@inlined
def _rest(local: Local, state: LocalState, j: int, cause: npt.NDArray[np.uint8]) -> None:
    """Go to red if all rings may end."""
    all_end = True
    reason = 0
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        all_end = all_end and state.ending[r] == 1
        reason = max(reason, state.reason[r])
    if all_end and state.resting[j] == 0:
        state.resting[j] = 1
        cause[j] = reason

"""Local control of all junctions: orders, detectors and lamps in, requests to the signal machine out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...model.compiled import Signals
from ...model.compiled_local import Local
from ..detectors import Detectors
from ..jit import inlined, kernel
from ..machine import FLASH, KEEP
from ..state import Machine
from .calls import green_mask, note_calls
from .coordination import keep_time
from .gaps import judge_steps
from .preemption import EXIT, NO_PART, TRACK, preempt_stage, run_preempt
from .requests import ask_machine
from .rings import advance_rings, note_called_steps
from .starts import restart_rings
from .state import ACTUATED, ADAPTIVE, COORDINATED, FREE, NO_PREEMPT, OFF, PRETIMED, LocalState, Orders

__all__ = ["advance_local"]


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
    ended: 4 gap-out, 5 max-out, 6 force-off. ``level`` (D,) is how far each detector is trusted: RECALL is
    occupied at all times. A junction in ADAPTIVE follows ``request`` but for preempts, holds and omits; others
    overwrite it. An unknown mode, and a plan that is not there, run free (ACTUATED); unknown preempt inputs do
    nothing. When the clock runs back no time passes until it has caught up. ``state`` is modified in place.
    """
    count = _sort_out(signals, machine, local, orders, state, request, withheld, urgent, now_ms)
    if count > 0:
        restart_rings(signals, machine, local, orders, state, count)
        note_calls(signals, detectors, level, machine, local, orders, state, count)
        keep_time(machine, local, state, count)
        note_called_steps(signals, local, orders, state, count)
        judge_steps(signals, machine, local, orders, state, count)
        advance_rings(local, orders, state, count, cause)
        ask_machine(signals, machine, local, orders, state, count, request, withheld, urgent)
        for i in range(count):
            j = state.active[i]
            state.mode[j] = state.run_mode[j]
            state.last_ms[j] = state.now_ms[j]


@kernel
def _sort_out(
    signals: Signals,
    machine: Machine,
    local: Local,
    orders: Orders,
    state: LocalState,
    request: npt.NDArray[np.int32],
    withheld: npt.NDArray[np.int64],
    urgent: npt.NDArray[np.uint8],
    now_ms: int,
) -> int:
    """Serve junctions that are off or follow a controller, advance preempts; number of the ``active`` others."""
    count = 0
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
        state.now_ms[j] = max(now_ms, state.now_ms[j])
        state.inputs[j] = orders.preempt[j]
        mode, plan = _mode_in_effect(local, orders, j)
        if mode == OFF:
            _switch_off(state, j)
            request[j] = FLASH
            withheld[j] = orders.omit[j]
            continue
        run_preempt(local, machine, state, j, orders.preempt[j], state.now_ms[j])
        if mode == ADAPTIVE:
            _follow(signals, machine, local, orders, state, j, request, withheld, urgent)
            continue
        state.run_mode[j] = mode
        state.run_plan[j] = plan
        state.active[count] = j
        count += 1
    return count


@inlined
def _switch_off(state: LocalState, j: int) -> None:
    state.preempt[j] = NO_PREEMPT
    state.preempt_part[j] = NO_PART
    state.plan[j] = FREE
    state.mode[j] = OFF
    state.last_ms[j] = state.now_ms[j]


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
    state.mode[j] = ADAPTIVE
    state.last_ms[j] = state.now_ms[j]
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

"""Preemption: of the inputs that have lasted for their delay the lowest number gets track, dwell and exit stage."""

from __future__ import annotations

from typing import Final

from ...model.compiled_local import Local
from ..jit import inlined
from ..state import NEVER_MS, Machine
from .state import NO_PREEMPT, LocalState

__all__ = ["DWELL", "EXIT", "NO_PART", "TRACK", "preempt_stage", "run_preempt"]

NO_PART: Final = 0
TRACK: Final = 1
DWELL: Final = 2
EXIT: Final = 3


@inlined
def _lasting_input(local: Local, state: LocalState, j: int, inputs: int, now_ms: int) -> int:
    """The preempt with the lowest number whose input has been active for its delay, or NO_PREEMPT."""
    found = NO_PREEMPT
    for p in range(local.preempt_ptr[j], local.preempt_ptr[j + 1]):
        if inputs >> (local.preempt_number[p] - 1) & 1:
            if state.input_ms[p] == NEVER_MS:
                state.input_ms[p] = now_ms
            if found == NO_PREEMPT and now_ms - state.input_ms[p] >= local.delay_ms[p]:
                found = p
        else:
            state.input_ms[p] = NEVER_MS
    return found


@inlined
def _has_stood(machine: Machine, j: int, stage: int, for_ms: int, now_ms: int) -> bool:
    """Has the stage shown in full for so long?"""
    shown = machine.rest[j] == 0 and machine.settled[j] == 1 and machine.stage[j] == stage
    return bool(shown and now_ms - machine.since_ms[j] >= for_ms)


@inlined
def run_preempt(local: Local, machine: Machine, state: LocalState, j: int, inputs: int, now_ms: int) -> None:
    """Start, advance or end the preempt of one junction. When it ends its part is EXIT until ``exit`` was taken."""
    wanted = _lasting_input(local, state, j, inputs, now_ms)
    running = state.preempt[j]
    part = state.preempt_part[j]
    if part == TRACK and _has_stood(machine, j, local.track_stage[running], local.track_ms[running], now_ms):
        part = DWELL
    if part == DWELL and state.input_ms[running] == NEVER_MS:
        if _has_stood(machine, j, local.dwell_stage[running], local.dwell_ms[running], now_ms):
            part = EXIT
    if wanted != NO_PREEMPT and (running == NO_PREEMPT or wanted < running or part == EXIT):
        running = wanted
        part = TRACK if local.track_stage[wanted] >= 0 else DWELL
    state.preempt[j] = running
    state.preempt_part[j] = part


@inlined
def preempt_stage(local: Local, state: LocalState, j: int) -> int:
    """The stage of the running part; -1 for none and for the neediest."""
    running, part = state.preempt[j], state.preempt_part[j]
    stage = -1
    if part == TRACK:
        stage = local.track_stage[running]
    elif part == DWELL:
        stage = local.dwell_stage[running]
    elif part == EXIT:
        stage = local.exit_stage[running]
    return stage

"""Where the rings begin: at the first steps after start-up and flash, elsewhere where the junction is or has to be."""

from __future__ import annotations

from typing import Final

from ...model.compiled import Signals
from ...model.compiled_local import Local
from ..jit import inlined, kernel
from ..state import Machine
from .preemption import EXIT, NO_PART, preempt_stage
from .rings import steps_of
from .state import (
    ADAPTIVE,
    EVERYBODY_WAITS,
    NO_MODE,
    NO_PREEMPT,
    NO_RESTART,
    OFF,
    RINGS_RESTART,
    LocalState,
    Orders,
)

__all__ = ["restart_rings"]

LATEST_MS: Final = 1 << 60


@kernel
def restart_rings(
    signals: Signals, machine: Machine, local: Local, orders: Orders, state: LocalState, count: int
) -> None:
    """Place the rings of junctions that come from start-up, flash, a controller or a preempt, or get a new plan."""
    for i in range(count):
        j = state.active[i]
        before = state.mode[j]
        restart = NO_RESTART if state.plan[j] == state.run_plan[j] else RINGS_RESTART
        if before == NO_MODE or before == OFF:
            restart = EVERYBODY_WAITS
            _go_to_first_steps(local, state, j)
        elif before == ADAPTIVE:
            restart = EVERYBODY_WAITS
            _go_to_stage(signals, local, state, j, machine.stage[j])
        elif state.preempt_part[j] == EXIT:
            restart = RINGS_RESTART
            exit_stage = preempt_stage(local, state, j)
            if exit_stage >= 0:
                _go_to_stage(signals, local, state, j, exit_stage)
            else:
                _go_to_neediest(signals, local, state, j, state.called[j] & ~orders.omit[j])
        if state.preempt_part[j] == EXIT:
            state.preempt[j] = NO_PREEMPT
            state.preempt_part[j] = NO_PART
        if restart != NO_RESTART:
            state.resting[j] = 0
            state.withheld[j] = local.people[j]
        state.restart[j] = restart


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

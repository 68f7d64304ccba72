"""The local cycle: follows a master clock, which is site time, and moves force-offs and permissive windows with it.

Local cycle time is counted in twelfths of a millisecond. When a new plan or offset wants another position, the clock
runs at 10/12 or 15/12 of its speed, whichever way is shorter, until it is there: a cycle lasts at most 120 % and at
least 80 % of its time.
"""

from __future__ import annotations

from ...model.compiled_local import Local
from ..jit import inlined, kernel
from ..state import NEVER_MS, Machine
from .state import NO_MODE, OFF, TWELFTHS, LocalState

__all__ = ["begin_step", "has_window", "keep_time", "time_row", "to_force_off"]

SLOWER: int = 2
FASTER: int = 3


@inlined
def time_row(local: Local, j: int, r: int, plan: int, position: int) -> int:
    """Row of a ring's step in the times of a plan."""
    return int(local.time_ptr[plan] + local.step_ptr[r] - local.step_ptr[local.ring_ptr[j]] + position)


@inlined
def _wanted_clock(local: Local, plan: int, now_ms: int) -> int:
    """Where the master clock wants the local cycle, twelfths of ms."""
    return int((now_ms - local.offset_ms[plan]) % local.cycle_ms[plan] * TWELFTHS)


@inlined
def _advance_clock(local: Local, state: LocalState, j: int, plan: int, elapsed_ms: int, now_ms: int) -> int:
    """Move the local cycle on; twelfths of ms by which it went."""
    cycle = local.cycle_ms[plan] * TWELFTHS
    step = elapsed_ms * TWELFTHS
    behind = int((_wanted_clock(local, plan, now_ms) - state.clock[j] - step) % cycle)
    if behind * 2 > cycle:
        behind -= cycle
    correction = min(max(behind, -SLOWER * elapsed_ms), FASTER * elapsed_ms)
    state.in_transition[j] = 1 if correction != behind else 0
    state.clock[j] = (state.clock[j] + step + correction) % cycle
    return step + correction


@inlined
def to_force_off(local: Local, state: LocalState, j: int, plan: int, row: int) -> int:
    """Twelfths of ms to the step's next force-off; a full cycle when it is now."""
    cycle = local.cycle_ms[plan] * TWELFTHS
    return int(cycle - (state.clock[j] - local.end_ms[row] * TWELFTHS) % cycle)


@inlined
def has_window(local: Local, state: LocalState, j: int, plan: int, row: int, needed_ms: int) -> bool:
    """Is the ring past its yield point, and is ``needed_ms`` left before the step's force-off?"""
    left = to_force_off(local, state, j, plan, row)
    is_open = left <= local.window_ms[row] * TWELFTHS
    return bool(local.is_planned[row] == 1 and is_open and left >= needed_ms * TWELFTHS)


@inlined
def begin_step(local: Local, state: LocalState, j: int, r: int, plan: int) -> None:
    """Begin the step in which ring ``r`` is. In a plan a step that is not in its window is forced off at once."""
    forced = 0
    if plan >= 0 and state.position[r] < local.step_ptr[r + 1] - local.step_ptr[r]:
        row = time_row(local, j, r, plan, state.position[r])
        left = to_force_off(local, state, j, plan, row)
        in_time = local.is_planned[row] == 1 and left <= local.window_ms[row] * TWELFTHS
        forced = 0 if in_time else 1
    state.taken_ms[r] = state.now_ms[j]
    state.rival_ms[r] = NEVER_MS
    state.forced[r] = forced


@kernel
def keep_time(machine: Machine, local: Local, state: LocalState, count: int) -> None:
    """Move the local cycles on and note which force-offs they passed; a new plan begins where the first ring is."""
    for i in range(count):
        j = state.active[i]
        plan = state.run_plan[j]
        if plan < 0:
            state.in_transition[j] = 0
        elif state.plan[j] == plan and state.mode[j] != OFF and state.mode[j] != NO_MODE:
            _pass_force_offs(local, state, j, plan)
        else:
            _set_clock(machine, local, state, j, plan)
        state.plan[j] = plan
        if state.restart[j]:
            for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
                begin_step(local, state, j, r, plan)


@inlined
def _pass_force_offs(local: Local, state: LocalState, j: int, plan: int) -> None:
    before = state.clock[j]
    cycle = local.cycle_ms[plan] * TWELFTHS
    went = _advance_clock(local, state, j, plan, state.now_ms[j] - state.last_ms[j], state.now_ms[j])
    for r in range(local.ring_ptr[j], local.ring_ptr[j + 1]):
        if state.position[r] < local.step_ptr[r + 1] - local.step_ptr[r]:
            end = local.end_ms[time_row(local, j, r, plan, state.position[r])] * TWELFTHS
            if (end - before - 1) % cycle < went:
                state.forced[r] = 1


@inlined
def _set_clock(machine: Machine, local: Local, state: LocalState, j: int, plan: int) -> None:
    """To where the first ring's step is, if it has begun and is in the plan; else to where the master clock is."""
    wanted = _wanted_clock(local, plan, state.now_ms[j])
    state.clock[j] = wanted
    r = local.ring_ptr[j]
    has_begun = state.mode[j] != OFF and state.mode[j] != NO_MODE
    if has_begun and state.position[r] < local.step_ptr[r + 1] - local.step_ptr[r]:
        row = time_row(local, j, r, plan, state.position[r])
        if local.is_planned[row]:
            shown_ms = state.now_ms[j] - machine.since_ms[j] if machine.settled[j] else 0
            length_ms = (local.end_ms[row] - local.start_ms[row]) % local.cycle_ms[plan]
            here_ms = local.start_ms[row] + min(shown_ms, length_ms)
            state.clock[j] = here_ms % local.cycle_ms[plan] * TWELFTHS
    state.in_transition[j] = state.clock[j] != wanted

"""The local cycle: follows a master clock, which is site time, and moves force-offs and permissive windows with it.

Local cycle time is counted in twelfths of a millisecond. When a new plan or offset wants another position, the clock
runs at 10/12 or 15/12 of its speed, whichever way is shorter, until it is there: a cycle lasts at most 120 % and at
least 80 % of its time.
"""

from __future__ import annotations

from ...model.compiled_local import Local
from ..jit import inlined
from .state import TWELFTHS, LocalState

__all__ = ["advance_clock", "has_window", "time_row", "to_force_off", "wanted_clock"]

SLOWER: int = 2
FASTER: int = 3


@inlined
def time_row(local: Local, j: int, r: int, plan: int, position: int) -> int:
    """Row of a ring's step in the times of a plan."""
    return int(local.time_ptr[plan] + local.step_ptr[r] - local.step_ptr[local.ring_ptr[j]] + position)


@inlined
def wanted_clock(local: Local, plan: int, now_ms: int) -> int:
    """Where the master clock wants the local cycle, twelfths of ms."""
    return int((now_ms - local.offset_ms[plan]) % local.cycle_ms[plan] * TWELFTHS)


@inlined
def advance_clock(local: Local, state: LocalState, j: int, plan: int, elapsed_ms: int, now_ms: int) -> int:
    """Move the local cycle on; twelfths of ms by which it went."""
    cycle = local.cycle_ms[plan] * TWELFTHS
    step = elapsed_ms * TWELFTHS
    behind = int((wanted_clock(local, plan, now_ms) - state.clock[j] - step) % cycle)
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

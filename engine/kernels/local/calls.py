"""Who wants green: locked calls of red groups, presence on the detectors of green ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...model.aspects import GREEN, PERMISSIVE
from ...model.compiled import Signals
from ...model.compiled_local import Local
from ..detectors import Detectors
from ..health.state import RECALL
from ..jit import inlined, kernel
from ..state import NEVER_MS, Machine
from .state import EVERYBODY_WAITS, LocalState, Orders

__all__ = ["green_mask", "note_calls"]

MAXIMUM_RECALL = 2


@inlined
def green_mask(signals: Signals, machine: Machine, j: int) -> int:
    """Local groups that show green."""
    mask = 0
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        aspect = machine.lamps.aspect[group]
        if aspect == GREEN or aspect == PERMISSIVE:
            mask |= 1 << (group - signals.group_ptr[j])
    return mask


@kernel
def note_calls(
    signals: Signals,
    detectors: Detectors,
    level: npt.NDArray[np.uint8],
    machine: Machine,
    local: Local,
    orders: Orders,
    state: LocalState,
    count: int,
) -> None:
    """Lock calls of groups that are not green, drop those of green ones; note presence.

    A detector at the recall level, and a group without detectors, count as occupied at all times. Calls from outside
    are locked like those of detectors. At the start everybody waits.
    """
    for i in range(count):
        j = state.active[i]
        green = green_mask(signals, machine, j)
        state.green[j] = green
        _note(signals, detectors, level, local, state, j, orders.call[j], green, state.now_ms[j])


@inlined
def _note(
    signals: Signals,
    detectors: Detectors,
    level: npt.NDArray[np.uint8],
    local: Local,
    state: LocalState,
    j: int,
    calls: int,
    green: int,
    now_ms: int,
) -> None:
    called, standing = state.called[j], 0
    first = signals.group_ptr[j]
    for group in range(first, signals.group_ptr[j + 1]):
        bit = 1 << (group - first)
        seen_ms = NEVER_MS
        always = local.caller_ptr[group] == local.caller_ptr[group + 1]
        for i in range(local.caller_ptr[group], local.caller_ptr[group + 1]):
            d = local.caller[i]
            seen_ms = max(seen_ms, now_ms if detectors.on[d] else detectors.off_ms[d])
            always = always or level[d] == RECALL
        recalled = always or local.recall[group] > 0 or calls & bit != 0
        if recalled:
            standing |= bit
        if always or local.recall[group] == MAXIMUM_RECALL:
            seen_ms = now_ms
        waits = recalled or seen_ms == now_ms or seen_ms > state.last_ms[j]
        if green & bit:
            called &= ~bit
            state.call_ms[group] = NEVER_MS
        elif waits or state.restart[j] == EVERYBODY_WAITS:
            called |= bit
        if called & bit and state.call_ms[group] == NEVER_MS:
            state.call_ms[group] = now_ms
        state.seen_ms[group] = max(state.seen_ms[group], seen_ms)
    state.called[j] = called
    state.standing[j] = standing

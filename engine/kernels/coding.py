"""Lamp changes as events: what every signal group did in this tick, in Purdue codes.

A red clearance of zero length is logged too (begin and end at the same time), since readers of such logs take its
begin as the start of red. A red clearance ends at the latest when the group itself leaves red.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..events import (
    BEGIN_GREEN,
    BEGIN_RED_CLEARANCE,
    BEGIN_YELLOW,
    DONT_WALK,
    END_RED_CLEARANCE,
    END_YELLOW,
    FLASH_STATUS,
    FLASHES,
    FLASHES_NOT,
    GREEN_TERMINATION,
    PEDESTRIAN_CLEARANCE,
    PHASE_INACTIVE,
    PHASE_ON,
    WALK,
)
from ..model.aspects import CLEARANCE, DARK, GREEN, GREEN_FLASH, PERMISSIVE, RED, RED_AMBER, YELLOW
from ..model.compiled import Signals
from .jit import inlined, kernel
from .state import Lamps

__all__ = ["EVENTS_PER_GROUP", "code_lamps"]

EVENTS_PER_GROUP = 5


@inlined
def _put(out: npt.NDArray[np.void], n: int, t_ms: int, device: int, event: int, parameter: int) -> int:
    row = out[n]
    row["t_ms"] = t_ms
    row["device"] = device
    row["event"] = event
    row["parameter"] = parameter
    return n + 1


@kernel
def code_lamps(
    signals: Signals,
    before: npt.NDArray[np.uint8],
    lamps: Lamps,
    clearing: npt.NDArray[np.uint8],
    cause: npt.NDArray[np.uint8],
    changed: npt.NDArray[np.uint8],
    now_ms: int,
    out: npt.NDArray[np.void],
) -> int:
    """Code the step from ``before`` (G,) to what ``lamps`` show into ``out``; rows written.

    ``cause`` (J,) is the termination code (4, 5, 6 or 0 unknown) of greens that end now. ``clearing`` (G,) is 1
    while the end of a red clearance is to be told. ``before``, ``clearing`` and ``changed`` (J,) are modified in place.
    ``out`` needs ``EVENTS_PER_GROUP`` rows per group. Into and out of darkness all groups of a junction go
    together: one event, the junction's.
    """
    n = 0
    aspect = lamps.aspect
    for j in range(len(signals.device_id)):
        device = signals.device_id[j]
        changed[j] = 0
        first = signals.group_ptr[j]
        for g in range(first, signals.group_ptr[j + 1]):
            number = g - first + 1
            if clearing[g]:
                end_ms = lamps.red_ms[g] + signals.clearance_ms[g]
                if end_ms <= now_ms or aspect[g] != before[g]:
                    end_ms = min(end_ms, now_ms)
                    n = _put(out, n, end_ms, device, END_RED_CLEARANCE, number)
                    n = _put(out, n, end_ms, device, PHASE_INACTIVE, number)
                    clearing[g] = 0
            if aspect[g] != before[g]:
                changed[j] = 1
                if aspect[g] == DARK or before[g] == DARK:
                    if g == first:
                        status = FLASHES if aspect[g] == DARK else FLASHES_NOT
                        n = _put(out, n, now_ms, device, FLASH_STATUS, status)
                elif signals.is_pedestrian[g]:
                    n = _code_pedestrian(out, n, now_ms, device, number, before[g], aspect[g])
                else:
                    n = _code_vehicle(out, n, now_ms, device, number, before[g], aspect[g], cause[j])
                    if aspect[g] == RED:
                        clearing[g] = signals.clearance_ms[g] > 0
                        n = _put(out, n, now_ms, device, BEGIN_RED_CLEARANCE, number)
                        if signals.clearance_ms[g] == 0:
                            n = _put(out, n, now_ms, device, END_RED_CLEARANCE, number)
                            n = _put(out, n, now_ms, device, PHASE_INACTIVE, number)
                before[g] = aspect[g]
    return n


@inlined
def _code_vehicle(
    out: npt.NDArray[np.void],
    n: int,
    t_ms: int,
    device: int,
    number: int,
    before: int,
    aspect: int,
    cause: int,
) -> int:
    was_green = before == GREEN or before == PERMISSIVE
    is_green = aspect == GREEN or aspect == PERMISSIVE
    if is_green and not was_green:
        n = _put(out, n, t_ms, device, PHASE_ON, number)
        return _put(out, n, t_ms, device, BEGIN_GREEN, number)
    if was_green and not is_green:
        if cause:
            n = _put(out, n, t_ms, device, cause, number)
        n = _put(out, n, t_ms, device, GREEN_TERMINATION, number)
    if aspect == YELLOW:
        return _put(out, n, t_ms, device, BEGIN_YELLOW, number)
    if before == YELLOW:
        return _put(out, n, t_ms, device, END_YELLOW, number)
    return n


@inlined
def _code_pedestrian(
    out: npt.NDArray[np.void], n: int, t_ms: int, device: int, number: int, before: int, aspect: int
) -> int:
    if aspect == RED_AMBER:
        return n
    if aspect == GREEN or aspect == PERMISSIVE:
        if before == GREEN or before == PERMISSIVE:
            return n
        return _put(out, n, t_ms, device, WALK, number)
    if aspect == CLEARANCE or aspect == GREEN_FLASH:
        if before == GREEN_FLASH:
            return n
        return _put(out, n, t_ms, device, PEDESTRIAN_CLEARANCE, number)
    return _put(out, n, t_ms, device, DONT_WALK, number)

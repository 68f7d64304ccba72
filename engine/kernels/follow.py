"""The signal machine of a controller that is not ours, as far as its lamps and its aim tell: for those who look on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..model.aspects import DARK, GREEN, PERMISSIVE, RED, RED_AMBER
from ..model.compiled import Signals
from .jit import inlined, kernel
from .machine import IN_FLASH, IN_RED, IN_STAGE
from .state import Lamps, Machine

__all__ = ["follow_lamps"]


@kernel
def follow_lamps(
    signals: Signals, machine: Machine, lamps: Lamps, aim: npt.NDArray[np.int32], now_ms: int
) -> None:
    """Bring ``machine`` (modified in place) to what ``lamps`` show and to the local stages ``aim`` (J,).

    An aim of -1 is none: the junction rests in red, or in flash where all its lamps are dark.
    """
    for j in range(len(signals.device_id)):
        first, last = signals.group_ptr[j], signals.group_ptr[j + 1]
        for group in range(first, last):
            machine.lamps.aspect[group] = lamps.aspect[group]
            machine.lamps.since_ms[group] = lamps.since_ms[group]
            machine.lamps.green_ms[group] = lamps.green_ms[group]
            machine.lamps.end_ms[group] = lamps.end_ms[group]
            machine.lamps.red_ms[group] = lamps.red_ms[group]
        dark = _is_dark(machine, first, last)
        rest = IN_STAGE if aim[j] >= 0 else IN_RED
        if dark:
            rest = IN_FLASH
        known = aim[j] < signals.stage_ptr[j + 1] - signals.stage_ptr[j]
        if rest == IN_STAGE and known and aim[j] != machine.stage[j]:
            machine.stage[j] = aim[j]
            machine.settled[j] = 0
        if rest != machine.rest[j]:
            machine.rest[j] = rest
            machine.settled[j] = 0
        machine.dark[j] = dark
        shown = _is_shown(signals, machine, j, first, last)
        if shown and not machine.settled[j]:
            machine.since_ms[j] = now_ms
        machine.settled[j] = shown
        machine.pending[j] = not shown


@inlined
def _is_dark(machine: Machine, first: int, last: int) -> bool:
    dark = last > first
    for group in range(first, last):
        dark = dark and machine.lamps.aspect[group] == DARK
    return dark


@inlined
def _is_shown(signals: Signals, machine: Machine, j: int, first: int, last: int) -> bool:
    """Do the lamps show what the junction rests in? A group that ends, but is past green, is as good as red."""
    row = signals.stage_aspect_ptr[signals.stage_ptr[j] + machine.stage[j]]
    shown = True
    for group in range(first, last):
        wanted = signals.stage_aspect[row + group - first] if machine.rest[j] == IN_STAGE else RED
        aspect = machine.lamps.aspect[group]
        opened = aspect == GREEN or aspect == PERMISSIVE or aspect == RED_AMBER
        shown = shown and (aspect == wanted or (wanted == RED and not opened))
    return shown

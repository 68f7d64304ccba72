"""State of the kernels, struct of arrays over all junctions and groups. Modified in place by the kernels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..model.compiled import Signals

__all__ = [
    "NEVER_MS",
    "Faults",
    "Lamps",
    "Machine",
    "new_faults",
    "new_lamps",
    "new_machine",
]

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

NEVER_MS = -(10**9)


class Lamps(NamedTuple):
    """What each group shows and since when. The machine and the interlock each keep one."""

    aspect: U8  # (G,)
    since_ms: I64  # (G,) when the aspect began
    green_ms: I64  # (G,) last start of green
    end_ms: I64  # (G,) last end of green
    red_ms: I64  # (G,) last start of red


class Machine(NamedTuple):
    """The signal machine: lamps, and per junction what it shows or is on its way to."""

    lamps: Lamps
    step: U8  # (G,) position in the stop sequence
    drag: U8  # (G,) 1 while a group must pass through red, so that a left turn may end safely
    leaving: U8  # (G,) 1 for groups that end in this tick
    ends_ms: I64  # (G,) when a green that must end will, NEVER_MS for others
    stage: I32  # (J,) local index
    rest: U8  # (J,) IN_STAGE, or instead of it IN_RED or IN_FLASH
    settled: U8  # (J,) 1 when what is wanted shows in full
    since_ms: I64  # (J,) when it was reached
    withheld: I64  # (J,) bits of local groups that must not start
    urgent: U8  # (J,) 1 where the stage was asked for at once
    pending: U8  # (J,) 1 while something wanted is not shown
    moving: U8  # (J,) 1 while a group is between green and red
    dark: U8  # (J,) 1 in flash
    red_until_ms: I64  # (J,) nobody starts before; NEVER_MS until the first tick


class Faults(NamedTuple):
    """The interlock's findings per junction. ``code`` latches; 0 is none."""

    code: U8  # (J,)
    first: I32  # (J,) local group index
    second: I32  # (J,) local group index, -1 none
    at_ms: I64  # (J,)
    findings: I64  # (J,) so far, also those after the first


def new_lamps(groups: int) -> Lamps:
    """All red for ever."""
    never = np.full((4, groups), NEVER_MS, np.int64)
    return Lamps(np.zeros(groups, np.uint8), never[0], never[1], never[2], never[3])


def new_machine(signals: Signals) -> Machine:
    """All red, on the way to the first stage of every junction."""
    groups, junctions = len(signals.min_green_ms), len(signals.device_id)
    return Machine(
        lamps=new_lamps(groups),
        step=np.zeros(groups, np.uint8),
        drag=np.zeros(groups, np.uint8),
        leaving=np.zeros(groups, np.uint8),
        ends_ms=np.full(groups, NEVER_MS, np.int64),
        stage=np.zeros(junctions, np.int32),
        rest=np.zeros(junctions, np.uint8),
        settled=np.zeros(junctions, np.uint8),
        since_ms=np.full(junctions, NEVER_MS, np.int64),
        withheld=np.zeros(junctions, np.int64),
        urgent=np.zeros(junctions, np.uint8),
        pending=np.ones(junctions, np.uint8),
        moving=np.zeros(junctions, np.uint8),
        dark=np.zeros(junctions, np.uint8),
        red_until_ms=np.full(junctions, NEVER_MS, np.int64),
    )


def new_faults(junctions: int) -> Faults:
    """No findings."""
    return Faults(
        code=np.zeros(junctions, np.uint8),
        first=np.full(junctions, -1, np.int32),
        second=np.full(junctions, -1, np.int32),
        at_ms=np.full(junctions, NEVER_MS, np.int64),
        findings=np.zeros(junctions, np.int64),
    )

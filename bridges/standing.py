"""What a status says of orders: who has the say at the junction, and does the controller hold what it was told?"""

from __future__ import annotations

from .field import (
    Alarm,
    Controls,
    FieldStatus,
    Flash,
    Masks,
    Mode,
    ModeRequest,
    Order,
    PatternRequest,
    PreemptRequest,
    PreemptState,
    StageRequest,
)

__all__ = ["holds", "is_local"]


def is_local(status: FieldStatus) -> bool:
    """Does somebody at the junction have the say: flash, manual, stop time, a preempt, a malfunction?"""
    flashes = status.flash is not Flash.NONE and status.flash is not Flash.AUTOMATIC
    stands = bool(status.alarms & (Alarm.STOP_TIME | Alarm.LOCAL_FLASH | Alarm.MMU_FLASH))
    preempts = any(state is not PreemptState.NOT_ACTIVE for state in status.preempts)
    return status.mode is Mode.MANUAL or flashes or stands or preempts


def holds(controls: Controls, order: Order) -> bool:
    """Is the order what the controller holds? Force-offs may be over already."""
    match order:
        case Masks(hold, force_off, omit, call):
            held = controls.masks
            same = (held.hold, held.omit, held.call) == (hold, omit, call)
            return same and not held.force_off & ~force_off
        case StageRequest(stage):
            return controls.stage == stage
        case PatternRequest(pattern):
            return controls.pattern == pattern
        case PreemptRequest(inputs):
            return controls.preempt == inputs
        case ModeRequest(remote):
            return controls.remote is remote

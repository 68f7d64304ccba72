"""What a person can set at a simulated controller: its parameters, and the switches behind the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DEFAULT_CONFIG", "Cabinet", "StandInConfig"]


@dataclass(frozen=True, slots=True)
class StandInConfig:
    """``tick_ms``: time between two advances. ``backup_ms`` 0 never falls back. ``epoch_s``: UTC at 0 of the clock."""

    tick_ms: int = 100
    backup_ms: int = 10_000
    period_ms: int = 1000
    red_revert_ms: int = 2000
    epoch_s: int = 1_704_067_200


DEFAULT_CONFIG: Final = StandInConfig()


@dataclass(slots=True)
class Cabinet:
    """The hand at the cabinet. ``manual_stage`` -1 for none; ``preempt`` inputs, bit 0 is number 1."""

    flash: bool = False
    stop_time: bool = False
    manual_stage: int = -1
    preempt: int = 0

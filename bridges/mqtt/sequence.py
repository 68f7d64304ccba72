"""Sequence numbers of a channel: what is missing, what came twice, where the channel started anew."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["Arrival", "Numbering", "Turn"]

REORDERED: Final = 64  # a number this far behind is a channel that started anew


class Turn(StrEnum):
    """How an entry follows those before it."""

    NEXT = "next"
    GAP = "gap"
    OLD = "old"
    RESTART = "restart"


class Arrival(NamedTuple):
    """How an entry follows; ``missing`` are the first and last number in a gap."""

    turn: Turn
    missing: tuple[int, int] | None = None


NEXT: Final = Arrival(Turn.NEXT)


class Numbering:
    """Follows one channel. ``lost`` counts entries that were never seen."""

    def __init__(self) -> None:
        self.lost = 0
        self._due: int | None = None
        self._last_ms = 0

    def follow(self, seq: int, t_ms: int) -> Arrival:
        """Say how the entry with this number and time follows; a lower number of a later time is a new start."""
        due, self._due = self._due, seq + 1
        last_ms, self._last_ms = self._last_ms, t_ms
        if due is None or seq == due:
            return NEXT
        if seq > due:
            self.lost += seq - due
            return Arrival(Turn.GAP, (due, seq - 1))
        if seq == 0 or due - seq > REORDERED or t_ms > last_ms:
            return Arrival(Turn.RESTART)
        self._due, self._last_ms = due, last_ms
        return Arrival(Turn.OLD)

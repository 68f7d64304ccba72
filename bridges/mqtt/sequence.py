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

    def follow(self, seq: int) -> Arrival:
        """Say how the entry with this number follows."""
        due, self._due = self._due, seq + 1
        if due is None or seq == due:
            return NEXT
        if seq > due:
            self.lost += seq - due
            return Arrival(Turn.GAP, (due, seq - 1))
        if seq == 0 or due - seq > REORDERED:
            return Arrival(Turn.RESTART)
        self._due = due
        return Arrival(Turn.OLD)

"""What a bridge may take its time for, and how it stands with each controller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from .approval import Approval
from .field import FieldCommand, FieldStatus, Order

__all__ = ["DEFAULT_SETTINGS", "BridgeSettings", "Device", "Health", "LinkState", "Note"]


@dataclass(frozen=True, slots=True)
class BridgeSettings:
    """Times, ms. A status older than ``fresh_ms`` is none; a command arrives within ``ttl_ms`` or is not acted upon.

    An unchanged command is repeated after ``renew_ms``, a changed one is sent ``gap_ms`` after the last at the
    earliest. What the controller does not confirm within ``confirm_ms`` is noted. Reconnecting begins after
    ``first_retry_ms`` and doubles up to ``last_retry_ms``. Controllers whose own backup time is longer than
    ``longest_backup_ms``, or that have none, are only monitored. A tick waits ``first_open_ms`` for
    controllers that are to be reached for the first time, and ``later_open_ms`` for those that were lost.
    ``approved`` are the models that may be driven, by junction; None where nobody needs to approve: in simulations.
    """

    timeout_ms: int = 1000
    fresh_ms: int = 2000
    ttl_ms: int = 2000
    renew_ms: int = 1000
    gap_ms: int = 200
    confirm_ms: int = 2000
    first_retry_ms: int = 200
    last_retry_ms: int = 2000
    longest_backup_ms: int = 30_000
    first_open_ms: int = 5000
    later_open_ms: int = 200
    approved: Mapping[str, Approval] | None = None


DEFAULT_SETTINGS: Final = BridgeSettings()


class LinkState(StrEnum):
    """What a bridge may do at a junction."""

    DOWN = "down"
    MONITOR_ONLY = "monitor_only"
    UP = "up"


class Note(NamedTuple):
    """One line about what went wrong, or right again."""

    t_ms: int
    junction: str
    text: str


@dataclass(slots=True)
class Health:
    """How it stands with one controller. ``why`` says in one line what keeps it from ``UP``, or '' ."""

    state: LinkState = LinkState.DOWN
    why: str = "not connected yet"
    polls: int = 0
    failures: int = 0
    connections: int = 0
    commands: int = 0
    withheld: int = 0
    unconfirmed: int = 0
    overruled: int = 0


@dataclass(slots=True)
class Device:
    """What the bridge remembers of one controller. ``orders`` are the last two that it was told, the older first."""

    health: Health
    status: FieldStatus | None = None
    heard_ms: int = 0
    retry_ms: int = 0
    backoff_ms: int = 0
    sent: FieldCommand | None = None
    orders: tuple[Order, ...] = ()
    changed_ms: int = 0
    is_confirmed: bool = True
    overruled_ms: int = 0
    is_opening: bool = False
    was_local: bool = False

"""Stored parameters of a controller: download in a transaction (NTCIP 1201), drift of the configuration, the clock.

A transaction goes normal, transaction, verifying, done, normal; what the controller finds wrong is told in its words.
Status and control need none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, cast

from greensplit.engine.errors import BridgeError

from .manager import Device, Manager, Values
from .objects import Instance, Value, instance

__all__ = ["DRIFT_CHECK_MS", "Database"]

NORMAL: Final = 1
TRANSACTION: Final = 2
VERIFYING: Final = 3
DONE: Final = 6
NOT_DONE: Final = 0
WITH_ERROR: Final = 1
MOST_LOOKS: Final = 20
DRIFT_CHECK_MS: Final = 60_000
SAFETY_TIMES: Final = frozenset(
    {
        "phaseMinimumGreen",
        "phaseYellowChange",
        "phaseRedClear",
        "phaseRedRevert",
        "phaseWalk",
        "phasePedestrianClear",
        "phaseConcurrency",
        "unitRedRevert",
        "unitStartUpFlash",
    }
)
"""Set at the cabinet by an engineer, never from here."""


class Database:
    """The parameters of one controller. Raises BridgeError for all that goes wrong, in one line."""

    def __init__(self, manager: Manager, device: Device, timeout_ms: int = 1000) -> None:
        self._manager = manager
        self._device = device
        self._timeout_ms = timeout_ms

    def download(self, parameters: Sequence[tuple[Instance, Value]], rest: Callable[[], None]) -> None:
        """Write parameters, all or none, and read them back. ``rest`` is called between looks at the verification.

        A transaction that an earlier download of ours left open is ended first; one of another master is a refusal.
        """
        for what, _ in parameters:
            if what.kind.name in SAFETY_TIMES:
                raise BridgeError(
                    f"{what.label}: expected a parameter of plans, found one that guards safety"
                )
        if self._number("dbCreateTransaction") == TRANSACTION:
            self._step(NORMAL)
        self._step(TRANSACTION)
        try:
            self._write(parameters)
            self._step(VERIFYING)
            self._await_verification(rest)
        except BridgeError:
            self._abort()
            raise
        self._step(NORMAL)
        found = self.read([what for what, _ in parameters])
        for what, value in parameters:
            if found[what] != value:
                raise BridgeError(
                    f"{self._device.label}: {what.label}: expected {value!r} after the download, found {found[what]!r}"
                )

    def _step(self, state: int) -> None:
        self._write([(instance("dbCreateTransaction"), state)])

    def _abort(self) -> None:
        """Leave the controller as it was; if even that is not heard, its own time limit ends the transaction.

        From done the way to normal stores what was verified, so it is opened again before it is ended.
        """
        with suppress(BridgeError):
            if self._number("dbCreateTransaction") == DONE:
                self._step(TRANSACTION)
            self._step(NORMAL)

    def _await_verification(self, rest: Callable[[], None]) -> None:
        for _ in range(MOST_LOOKS):
            verdict = self._number("dbVerifyStatus")
            if verdict == WITH_ERROR:
                words = cast(bytes, self.read([instance("dbVerifyError")])[instance("dbVerifyError")])
                told = " ".join(words.decode("ascii", "replace").split()) or "without a reason"
                raise BridgeError(f"{self._device.label}: the controller refused the download: {told}")
            if verdict != NOT_DONE:
                return
            rest()
        raise BridgeError(f"{self._device.label}: expected the download to be verified, found no end of it")

    def read(self, whats: Sequence[Instance]) -> Values:
        """Values of objects."""
        return _or_raise(self._manager.read({0: (self._device, whats)}, self._timeout_ms)[0])

    def _write(self, items: Sequence[tuple[Instance, Value]]) -> None:
        _or_raise(self._manager.write({0: (self._device, items)}, self._timeout_ms)[0])

    def _number(self, name: str) -> int:
        return cast(int, self.read([instance(name)])[instance(name)])

    def config_id(self) -> int:
        """A number that changes with every stored parameter; to be asked for every ``DRIFT_CHECK_MS``."""
        return self._number("globalSetIDParameter")

    def clock_ahead_s(self, now_s: int) -> int:
        """By how much the controller's clock is ahead of ``now_s``, UTC seconds since 1970."""
        return self._number("globalTime") - now_s

    def set_clock(self, now_s: int) -> None:
        """Put the controller's clock right."""
        self._write([(instance("globalTime"), now_s)])


def _or_raise(found: Values | BridgeError) -> Values:
    if isinstance(found, BridgeError):
        raise found
    return found

"""The bridge within the process: stand-ins are asked and told directly. Everything but the wire.

Like a socket, an address is good as long as a front is open on it; it is known in this process only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final

from greensplit.engine.errors import BridgeError, InputError
from greensplit.engine.model.site import Junction

from .base import DEFAULT_SETTINGS, Bridge, BridgeSettings, Spoken
from .field import FieldCommand, FieldStatus, FieldTables, Verdict
from .standin.controller import StandIn
from .standin.front import Front

__all__ = ["VirtualBridge", "VirtualFront", "make", "make_front"]

_OPEN: Final[dict[str, VirtualFront]] = {}
_PORTS: Final = count(1)


class VirtualFront(Front):
    """Stand-ins that can be reached from this process."""

    _port = ""

    def open(self) -> Mapping[str, str]:
        """An address for every junction; the same again after ``close``."""
        self._port = self._port or f"virtual:{next(_PORTS)}"
        _OPEN[self._port] = self
        return {stand_in.junction.id: f"{self._port}/{i}" for i, stand_in in enumerate(self.stand_ins)}

    def close(self) -> None:
        """Nobody answers any more."""
        _OPEN.pop(self._port, None)


class VirtualBridge(Bridge):
    """One address per junction, as its front gave it."""

    spoken = (Spoken.MASKS, Spoken.STAGE)

    def __init__(
        self,
        junctions: Sequence[Junction],
        addresses: Mapping[str, str],
        settings: BridgeSettings = DEFAULT_SETTINGS,
    ) -> None:
        super().__init__(junctions, settings)
        missing = [junction.id for junction in junctions if junction.id not in addresses]
        if missing:
            raise InputError(f"junction {missing[0]}: expected an address, found none")
        self._addresses = [addresses[junction.id] for junction in junctions]

    def open_device(self, device: int) -> FieldTables:
        """What the stand-in says of itself."""
        front, stand_in = self._reach(device)
        with front.lock:
            return stand_in.tables()

    def close_device(self, device: int) -> None:
        """Nothing is open."""

    def poll_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterator[tuple[int, FieldStatus | BridgeError]]:
        """Their status as it is; one whose clock is ahead of ours does not answer."""
        for d in devices:
            try:
                front, stand_in = self._reach(d)
            except BridgeError as err:
                yield d, err
                continue
            with front.lock:
                status = stand_in.status()
            if status.t_ms <= now_ms:
                yield d, status

    def send_commands(
        self,
        commands: Sequence[tuple[int, FieldCommand]],
        now_ms: int,
    ) -> Iterator[tuple[int, BridgeError | None]]:
        """Told at once, by the clock of the stand-in; a refusal is an error."""
        for d, command in commands:
            try:
                front, stand_in = self._reach(d)
            except BridgeError as err:
                yield d, err
                continue
            with front.lock:
                verdict = stand_in.command(command, max(now_ms, front.clock()))
            yield d, None if verdict is Verdict.ACCEPTED else BridgeError(f"refused: {verdict}")

    def _reach(self, device: int) -> tuple[Front, StandIn]:
        port, _, number = self._addresses[device].partition("/")
        front = _OPEN.get(port)
        if front is None or not number.isdigit() or int(number) >= len(front.stand_ins):
            raise BridgeError(f"expected a stand-in at {self._addresses[device]}, found none")
        return front, front.stand_ins[int(number)]


def make(
    junctions: Sequence[Junction],
    addresses: Mapping[str, str],
    options: Mapping[str, str],
    settings: BridgeSettings,
) -> Bridge:
    """The entry point of the bridge."""
    _expect_none(options)
    return VirtualBridge(junctions, addresses, settings)


def make_front(stand_ins: Sequence[StandIn], options: Mapping[str, str], clock: Callable[[], int]) -> Front:
    """The entry point of the front."""
    _expect_none(options)
    return VirtualFront(stand_ins, options, clock)


def _expect_none(options: Mapping[str, str]) -> None:
    if options:
        raise InputError(f"virtual: expected no options, found {', '.join(sorted(options))}")

"""The bridge within the process: stand-ins are asked and told directly. Everything but the wire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from greensplit.engine.errors import BridgeError

from .base import DEFAULT_SETTINGS, Bridge, BridgeSettings
from .field import FieldCommand, FieldStatus, FieldTables, Verdict
from .standin.controller import StandIn

__all__ = ["VirtualBridge"]


class VirtualBridge(Bridge):
    """One stand-in per junction, in the order of the junctions."""

    def __init__(self, stand_ins: Sequence[StandIn], settings: BridgeSettings = DEFAULT_SETTINGS) -> None:
        super().__init__([stand_in.junction for stand_in in stand_ins], settings)
        self.stand_ins = tuple(stand_ins)

    def open_device(self, device: int) -> FieldTables:
        """What the stand-in says of itself."""
        return self.stand_ins[device].tables()

    def close_device(self, device: int) -> None:
        """Nothing is open."""

    def poll_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterator[tuple[int, FieldStatus | BridgeError]]:
        """Their status as it is; one whose clock is ahead of ours does not answer."""
        for d in devices:
            status = self.stand_ins[d].status()
            if status.t_ms <= now_ms:
                yield d, status

    def send_commands(
        self, commands: Sequence[tuple[int, FieldCommand]], now_ms: int
    ) -> Iterator[tuple[int, BridgeError | None]]:
        """Told at once; a refusal is an error."""
        for d, command in commands:
            verdict = self.stand_ins[d].command(command, now_ms)
            yield d, None if verdict is Verdict.ACCEPTED else BridgeError(f"refused: {verdict}")

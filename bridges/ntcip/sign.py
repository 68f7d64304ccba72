"""Messages on variable signs (NTCIP 1203): write, validate, activate, blank.

Derived from NTCIP 1202. Copyright by AASHTO / ITE / NEMA. Used by permission.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Final, cast

from greensplit.engine.errors import BridgeError

from .manager import Device, Manager, Values
from .objects import Instance, Value, instance

__all__ = ["BLANK", "Activation", "Message", "Sign", "message_crc"]

CHANGEABLE: Final = 3
BLANK_MEMORY: Final = 7
FOREVER_MIN: Final = 65535
MODIFYING: Final = 2
VALID: Final = 4
ERROR: Final = 5
MODIFY_REQUEST: Final = 6
VALIDATE_REQUEST: Final = 7
CENTRAL: Final = frozenset({4, 5})
MOST_LOOKS: Final = 20
ACTIVATION: Final = struct.Struct(">HBBHH4s")
X25_POLYNOMIAL: Final = 0x8408  # 0x1021 reflected


@dataclass(frozen=True, slots=True)
class Message:
    """A text in MULTI; ``number`` is its place in changeable memory."""

    multi: str
    number: int = 1
    priority: int = 100
    beacon: bool = False
    pixel_service: bool = False


@dataclass(frozen=True, slots=True)
class Activation:
    """A MessageActivationCode. ``duration_min`` 65535 is without end."""

    duration_min: int
    priority: int
    memory: int
    number: int
    crc: int
    source: str = "0.0.0.0"

    def encode(self) -> bytes:
        """Twelve octets. Raises BridgeError for what does not fit."""
        try:
            address = IPv4Address(self.source).packed
            return ACTIVATION.pack(
                self.duration_min, self.priority, self.memory, self.number, self.crc, address
            )
        except (struct.error, AddressValueError) as err:
            raise BridgeError(f"sign activation: {err}") from err

    @classmethod
    def decode(cls, octets: bytes) -> Activation:
        """What ``encode`` gave. Raises BridgeError for another length."""
        if len(octets) != ACTIVATION.size:
            raise BridgeError(f"sign activation: expected {ACTIVATION.size} octets, found {len(octets)}")
        duration_min, priority, memory, number, crc, address = ACTIVATION.unpack(octets)
        return cls(duration_min, priority, memory, number, crc, str(IPv4Address(address)))


BLANK: Final = Activation(FOREVER_MIN, 255, BLANK_MEMORY, 1, 0)


def message_crc(multi: bytes, beacon: bool, pixel_service: bool) -> int:
    """CRC-16/X-25 over the text and both flags, its octets swapped."""
    crc = 0xFFFF
    for octet in (*multi, beacon, pixel_service):
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (X25_POLYNOMIAL if crc & 1 else 0)
    return int.from_bytes((crc ^ 0xFFFF).to_bytes(2, "big"), "little")


class Sign:
    """One sign. Raises BridgeError for all that goes wrong, in one line."""

    def __init__(self, manager: Manager, device: Device, timeout_ms: int = 1000) -> None:
        self._manager = manager
        self._device = device
        self._timeout_ms = timeout_ms

    def show(self, message: Message, duration_min: int, owner: str, rest: Callable[[], None]) -> None:
        """Write, validate and activate a message. ``rest`` is called between looks at the validation."""
        text = _ascii(message.multi)
        self._write([(self._row("dmsMessageStatus", message), MODIFY_REQUEST)])
        self._await_state(message, MODIFYING, rest)
        self._write(
            [
                (self._row("dmsMessageMultiString", message), text),
                (self._row("dmsMessageOwner", message), _ascii(owner)),
                (self._row("dmsMessageBeacon", message), int(message.beacon)),
                (self._row("dmsMessagePixelService", message), int(message.pixel_service)),
                (self._row("dmsMessageRunTimePriority", message), message.priority),
            ]
        )
        self._write([(self._row("dmsMessageStatus", message), VALIDATE_REQUEST)])
        self._await_state(message, VALID, rest)
        crc = message_crc(text, message.beacon, message.pixel_service)
        found = self._number(self._row("dmsMessageCRC", message))
        if found != crc:
            raise BridgeError(
                f"{self._device.label}: message {message.number}: expected CRC {crc}, found {found}"
            )
        self.activate(Activation(duration_min, message.priority, CHANGEABLE, message.number, crc))

    def blank(self) -> None:
        """Show nothing."""
        self.activate(BLANK)

    def activate(self, code: Activation) -> None:
        """Activate a message that the sign holds; a refusal is told with the sign's reason."""
        try:
            self._write([(instance("dmsActivateMessage"), code.encode())])
        except BridgeError as err:
            what = instance("dmsActivateMsgError")
            reason = what.kind.names[self._number(what)]
            raise BridgeError(f"{self._device.label}: activation refused ({reason}): {err}") from err

    def _await_state(self, message: Message, wanted: int, rest: Callable[[], None]) -> None:
        what, mode = self._row("dmsMessageStatus", message), instance("dmsControlMode")
        for _ in range(MOST_LOOKS):
            values = self._read([what, mode])
            if values[mode] not in CENTRAL:
                raise BridgeError(
                    f"{self._device.label}: expected central control, found {mode.kind.names[cast(int, values[mode])]}"
                )
            if values[what] == wanted:
                return
            if values[what] == ERROR:
                error = instance("dmsValidateMessageError")
                reason = error.kind.names[self._number(error)]
                raise BridgeError(f"{self._device.label}: message {message.number}: not valid ({reason})")
            rest()
        raise BridgeError(
            f"{self._device.label}: message {message.number}: expected {what.kind.names[wanted]}, found no end of it"
        )

    def _row(self, name: str, message: Message) -> Instance:
        return instance(name, CHANGEABLE, message.number)

    def _number(self, what: Instance) -> int:
        return cast(int, self._read([what])[what])

    def _read(self, whats: list[Instance]) -> Values:
        return _or_raise(self._manager.read({0: (self._device, whats)}, self._timeout_ms)[0])

    def _write(self, items: list[tuple[Instance, Value]]) -> None:
        _or_raise(self._manager.write({0: (self._device, items)}, self._timeout_ms)[0])


def _ascii(text: str) -> bytes:
    try:
        return text.encode("ascii")
    except UnicodeEncodeError as err:
        raise BridgeError(f"sign: expected ASCII, found {text[err.start]!r}") from err


def _or_raise(found: Values | BridgeError) -> Values:
    if isinstance(found, BridgeError):
        raise found
    return found

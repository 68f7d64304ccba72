"""Frames of GB/T 20999-2017 as bytes, without escapes: what a datagram carries.

    7E | length | version | host | controller | junction | serial | type | [count | item...] | CRC | 7D

All numbers are big-endian. The length counts the bytes from the version to the CRC; the CRC (x16 + x12 + x2 + 1, start
0, not reflected) covers the length to the last item. Decoding is lenient where makers differ and strict elsewhere: it
takes any version and two published slips of the length, and raises nothing but FrameError.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, NamedTuple

from .errors import FrameError, ValueRefusedError

__all__ = [
    "END",
    "MAX_FRAME_BYTES",
    "MAX_ITEMS",
    "MAX_VALUE_BYTES",
    "START",
    "VERSION",
    "Address",
    "Frame",
    "Item",
    "Type",
    "checksum",
    "decode",
    "encode",
    "items_of",
]

START: Final = 0x7E
END: Final = 0x7D
VERSION: Final = 0x0100
MAX_ITEMS: Final = 255
MAX_VALUE_BYTES: Final = 251
MAX_FRAME_BYTES: Final = 0xFFFF + 4
HEADER_BYTES: Final = 10
"""Version to type."""
ADDRESS_BYTES: Final = 4
CRC_BYTES: Final = 2
AROUND_BYTES: Final = 4
"""Start, length and end, which the length does not count."""
POLYNOMIAL: Final = 0x1005


class Type(IntEnum):
    """帧类型. One published host answers heartbeats with 0x71, six other sources with 0x80."""

    QUERY = 0x10
    QUERY_REPLY = 0x20
    QUERY_ERROR = 0x21
    SET = 0x30
    SET_REPLY = 0x40
    SET_ERROR = 0x41
    BROADCAST = 0x50
    REPORT = 0x60
    HEARTBEAT = 0x70
    HEARTBEAT_REPLY_71 = 0x71
    HEARTBEAT_REPLY = 0x80


HEARTBEATS: Final = frozenset({Type.HEARTBEAT, Type.HEARTBEAT_REPLY, Type.HEARTBEAT_REPLY_71})
KNOWN_TYPES: Final = {int(kind): kind for kind in Type}


class Address(NamedTuple):
    """Data class, object, attribute and element; attribute and element are 0 where an object has none."""

    data_class: int
    object: int
    attribute: int = 0
    element: int = 0

    def __str__(self) -> str:
        return ".".join(map(str, self))


class Item(NamedTuple):
    """One value and where it belongs; ``value`` is empty in a query. ``number`` counts from 1."""

    address: Address
    value: bytes = b""
    number: int = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. ``items`` is None where not even their number is sent, as most devices do in heartbeats."""

    type: Type
    items: tuple[Item, ...] | None = None
    version: int = VERSION
    host: int = 1
    controller: int = 0
    junction: int = 0
    serial: int = 0
    slip: str = ""
    """Which published slip of the length the sender makes; empty where it makes none."""

    def reply(self, kind: Type, items: tuple[Item, ...] | None) -> Frame:
        """A frame to the same host, controller and junction under the same serial number."""
        return replace(self, type=kind, items=items)


def items_of(pairs: Iterable[tuple[Address, bytes]]) -> tuple[Item, ...]:
    """Items numbered from 1."""
    return tuple(Item(address, value, index) for index, (address, value) in enumerate(pairs, 1))


def _crc_row(byte: int) -> int:
    register = byte << 8
    for _ in range(8):
        register = register << 1 ^ (POLYNOMIAL if register & 0x8000 else 0)
    return register & 0xFFFF


CRC_ROWS: Final = tuple(map(_crc_row, range(256)))


def checksum(data: bytes) -> int:
    """CRC-16 over ``data``; that of ``123456789`` is 0x5BB8."""
    register = 0
    for byte in data:
        register = (register & 0xFF) << 8 ^ CRC_ROWS[register >> 8 ^ byte]
    return register


def encode(frame: Frame) -> bytes:
    """The frame without escapes. ValueRefusedError where a number does not fit its field."""
    body = _header(frame) + _encode_items(frame.items)
    length = len(body) + CRC_BYTES
    if length > 0xFFFF:
        raise ValueRefusedError(f"frame: expected at most {0xFFFF} bytes, found {length}")
    checked = length.to_bytes(2) + body
    return b"\x7e" + checked + checksum(checked).to_bytes(2) + b"\x7d"


def _header(frame: Frame) -> bytes:
    try:
        return b"".join(
            (
                frame.version.to_bytes(2),
                frame.host.to_bytes(1),
                frame.controller.to_bytes(4),
                frame.junction.to_bytes(1),
                frame.serial.to_bytes(1),
                frame.type.to_bytes(1),
            )
        )
    except OverflowError as err:
        raise ValueRefusedError(f"frame: expected numbers that fit their fields, found {frame}") from err


def _encode_items(items: tuple[Item, ...] | None) -> bytes:
    if items is None:
        return b""
    if len(items) > MAX_ITEMS:
        raise ValueRefusedError(f"frame: expected at most {MAX_ITEMS} items, found {len(items)}")
    return b"".join((len(items).to_bytes(1), *map(_encode_item, items)))


def _encode_item(item: Item) -> bytes:
    if len(item.value) > MAX_VALUE_BYTES:
        raise ValueRefusedError(
            f"{item.address}: expected at most {MAX_VALUE_BYTES} bytes, found {len(item.value)}"
        )
    try:
        return bytes((item.number, ADDRESS_BYTES + len(item.value), *item.address)) + item.value
    except ValueError as err:
        raise ValueRefusedError(f"{item.address}: expected numbers from 0 to 255") from err


def decode(data: bytes) -> Frame:
    """The one frame that ``data`` is, without escapes. FrameError where it is none."""
    least = AROUND_BYTES + HEADER_BYTES + CRC_BYTES
    if not least <= len(data) <= MAX_FRAME_BYTES:
        raise FrameError(f"frame: expected {least} to {MAX_FRAME_BYTES} bytes, found {len(data)}")
    if data[0] != START or data[-1] != END:
        raise FrameError(f"frame: expected 7E ... 7D, found {data[0]:02X} ... {data[-1]:02X}")
    slip = _length_slip(data)
    kind = KNOWN_TYPES.get(data[12])
    if kind is None:
        raise FrameError(f"frame: expected a known type, found {data[12]:02X}")
    return Frame(
        type=kind,
        items=_decode_items(data[13:-3], kind),
        version=int.from_bytes(data[3:5]),
        host=data[5],
        controller=int.from_bytes(data[6:10]),
        junction=data[10],
        serial=data[11],
        slip=slip,
    )


def _length_slip(data: bytes) -> str:
    """Check length and CRC; which slip of a maker they show, if any."""
    length, expected = int.from_bytes(data[1:3]), len(data) - AROUND_BYTES
    sent = int.from_bytes(data[-3:-1])
    if length in (expected, expected - CRC_BYTES):
        if checksum(data[1:-3]) == sent:
            return "" if length == expected else "length leaves out the CRC"
    elif length == expected + 2:
        if checksum(b"\0\0" + data[3:-3]) == sent:
            return "length counts itself"
    else:
        raise FrameError(f"frame: expected length {expected}, found {length}")
    raise FrameError(f"frame: CRC {sent:04X} does not fit")


def _decode_items(body: bytes, kind: Type) -> tuple[Item, ...] | None:
    if not body:
        if kind in HEARTBEATS:
            return None
        raise FrameError(f"frame: expected a number of items in type {kind:02X}, found the end")
    items: list[Item] = []
    at = 1
    while at < len(body):
        item, at = _decode_item(body, at)
        items.append(item)
    if len(items) != body[0]:
        raise FrameError(f"frame: expected {body[0]} items, found {len(items)}")
    return tuple(items)


def _decode_item(body: bytes, at: int) -> tuple[Item, int]:
    """The item that starts at ``at``, and where the next starts."""
    value_at = at + 2 + ADDRESS_BYTES
    if value_at > len(body):
        raise FrameError("frame: an item is cut off")
    size = body[at + 1]
    end = at + 2 + size
    if size < ADDRESS_BYTES or end > len(body):
        raise FrameError(f"frame: expected an item of at least {ADDRESS_BYTES} bytes inside it, found {size}")
    address = Address(*body[at + 2 : value_at])
    return Item(address, body[value_at:end], body[at]), end

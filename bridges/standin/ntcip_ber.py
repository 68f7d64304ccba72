"""The wire form of SNMP (BER, RFC 1157, 3416 and 3417) for the agent side: decode a datagram, encode an answer.

Written here because the stand-in must bound time and memory on any input; the manager side uses a kept library, and
both are checked against net-snmp. Only ``BerError`` leaves a decoder.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

__all__ = ["BerError", "Pdu", "Varbind"]

INTEGER: Final = 0x02
OCTETS: Final = 0x04
NULL: Final = 0x05
OBJECT_ID: Final = 0x06
SEQUENCE: Final = 0x30
IP_ADDRESS: Final = 0x40
COUNTER32: Final = 0x41
GAUGE32: Final = 0x42
TIME_TICKS: Final = 0x43
OPAQUE: Final = 0x44
COUNTER64: Final = 0x46
NO_SUCH_OBJECT: Final = 0x80
NO_SUCH_INSTANCE: Final = 0x81
END_OF_MIB_VIEW: Final = 0x82

GET: Final = 0xA0
GET_NEXT: Final = 0xA1
RESPONSE: Final = 0xA2
SET: Final = 0xA3
GET_BULK: Final = 0xA5
REPORT: Final = 0xA8

MAX_VARBINDS: Final = 512
MAX_SUB_IDS: Final = 128
MAX_SUB_ID: Final = 0xFFFFFFFF

_UNSIGNED: Final = frozenset({COUNTER32, GAUGE32, TIME_TICKS})
_BYTES: Final = frozenset({OCTETS, OPAQUE, IP_ADDRESS})
_EMPTY: Final = frozenset({NULL, NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW})

Oid = tuple[int, ...]
Value = int | bytes | Oid | None


class BerError(ValueError):
    """Bytes that are not the BER that SNMP allows."""


class Varbind(NamedTuple):
    """An object instance and its value; ``tag`` is the BER tag of the value."""

    oid: Oid
    tag: int
    value: Value


class Pdu(NamedTuple):
    """A request or an answer. For GETBULK the two error fields are non-repeaters and max-repetitions."""

    kind: int
    request_id: int
    error_status: int
    error_index: int
    varbinds: tuple[Varbind, ...]


def take(data: bytes, at: int, end: int, wanted: int) -> tuple[int, int]:
    """Content bounds of the element at ``at``, which must have the tag ``wanted``."""
    tag, start, stop = element(data, at, end)
    if tag != wanted:
        raise BerError(f"expected tag {wanted:#04x}, found {tag:#04x} at byte {at}")
    return start, stop


def element(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Tag and content bounds of the element at ``at``, which must lie before ``end``."""
    if at + 2 > end:
        raise BerError(f"expected an element at byte {at}, found the end")
    length = data[at + 1]
    start = at + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4 or start + octets > end:
            raise BerError(f"expected a length of at most four bytes at byte {at + 1}")
        length = int.from_bytes(data[start : start + octets], "big")
        start += octets
    if start + length > end:
        raise BerError(f"expected {length} bytes at byte {start}, found {end - start}")
    return data[at], start, start + length


def take_integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A signed 32-bit INTEGER and where the next element begins."""
    start, stop = take(data, at, end, INTEGER)
    return decode_integer(data[start:stop]), stop


def take_octets(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    """An OCTET STRING and where the next element begins."""
    start, stop = take(data, at, end, OCTETS)
    return data[start:stop], stop


def decode_integer(content: bytes) -> int:
    """Content of a signed INTEGER of at most 32 bits."""
    if not 1 <= len(content) <= 4:
        raise BerError(f"expected an INTEGER of one to four bytes, found {len(content)}")
    return int.from_bytes(content, "big", signed=True)


def _decode_unsigned(content: bytes, octets: int) -> int:
    if not 1 <= len(content) <= octets + 1 or content[0] & 0x80 or (len(content) > octets and content[0]):
        raise BerError(f"expected an unsigned integer of {octets} bytes, found {content[:10].hex()}")
    return int.from_bytes(content, "big")


@lru_cache(maxsize=8192)
def decode_oid(content: bytes) -> Oid:
    """Content of an OBJECT IDENTIFIER."""
    if not content or content[-1] & 0x80:
        raise BerError("expected an object identifier, found none or half of one")
    parts: list[int] = []
    part = 0
    for octet in content:
        part = (part << 7) | (octet & 0x7F)
        if part > MAX_SUB_ID:
            raise BerError("expected sub-identifiers of 32 bits, found a longer one")
        if not octet & 0x80:
            parts.append(part)
            part = 0
    if len(parts) > MAX_SUB_IDS:
        raise BerError(f"expected at most {MAX_SUB_IDS} sub-identifiers, found {len(parts)}")
    root = min(parts[0] // 40, 2)
    return (root, parts[0] - 40 * root, *parts[1:])


def decode_value(tag: int, content: bytes) -> Value:
    """Content of a varbind's value."""
    if tag == INTEGER:
        return decode_integer(content)
    if tag == OBJECT_ID:
        return decode_oid(content)
    if tag in _BYTES:
        return content
    if tag in _UNSIGNED:
        return _decode_unsigned(content, 4)
    if tag == COUNTER64:
        return _decode_unsigned(content, 8)
    if tag in _EMPTY and not content:
        return None
    raise BerError(f"expected a type of SNMP, found tag {tag:#04x}")


def decode_pdu(data: bytes, at: int, end: int) -> tuple[Pdu, int]:
    """The PDU at ``at`` and where it ends."""
    kind, at, stop = element(data, at, end)
    if kind not in (GET, GET_NEXT, RESPONSE, SET, GET_BULK, REPORT):
        raise BerError(f"expected a request, found PDU {kind:#04x}")
    request_id, at = take_integer(data, at, stop)
    error_status, at = take_integer(data, at, stop)
    error_index, at = take_integer(data, at, stop)
    at, list_end = take(data, at, stop, SEQUENCE)
    if list_end != stop:
        raise BerError("expected the PDU to end with its varbinds")
    varbinds: list[Varbind] = []
    while at < list_end:
        if len(varbinds) == MAX_VARBINDS:
            raise BerError(f"expected at most {MAX_VARBINDS} varbinds")
        varbind, at = _decode_varbind(data, at, list_end)
        varbinds.append(varbind)
    return Pdu(kind, request_id, error_status, error_index, tuple(varbinds)), stop


def _decode_varbind(data: bytes, at: int, end: int) -> tuple[Varbind, int]:
    at, stop = take(data, at, end, SEQUENCE)
    start, at = take(data, at, stop, OBJECT_ID)
    oid = decode_oid(data[start:at])
    tag, start, value_end = element(data, at, stop)
    if value_end != stop:
        raise BerError("expected one value in a varbind")
    return Varbind(oid, tag, decode_value(tag, data[start:value_end])), stop


def encode(tag: int, content: bytes) -> bytes:
    """One element."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | octets)) + length.to_bytes(octets, "big") + content


def encode_integer(value: int, tag: int = INTEGER) -> bytes:
    """A signed or unsigned integer in as few bytes as it takes."""
    octets = (value.bit_length() + 8) // 8 if value >= 0 else ((value + 1).bit_length() + 8) // 8
    return encode(tag, value.to_bytes(octets, "big", signed=True))


@lru_cache(maxsize=8192)
def encode_oid(oid: Oid) -> bytes:
    """An OBJECT IDENTIFIER of at least two sub-identifiers."""
    out = bytearray()
    for part in (40 * oid[0] + oid[1], *oid[2:]):
        shift = max(part.bit_length() - 1, 0) // 7 * 7
        while shift:
            out.append(0x80 | (part >> shift) & 0x7F)
            shift -= 7
        out.append(part & 0x7F)
    return encode(OBJECT_ID, bytes(out))


def encode_value(tag: int, value: Value) -> bytes:
    """The value of a varbind; its Python type must fit the tag."""
    if value is None:
        return bytes((tag, 0))
    if isinstance(value, int):
        return encode_integer(value, tag)
    if isinstance(value, bytes):
        return encode(tag, value)
    return encode_oid(value)


def encode_pdu(pdu: Pdu) -> bytes:
    """A PDU."""
    varbinds = b"".join(
        encode(SEQUENCE, encode_oid(oid) + encode_value(tag, value)) for oid, tag, value in pdu.varbinds
    )
    head = encode_integer(pdu.request_id) + encode_integer(pdu.error_status) + encode_integer(pdu.error_index)
    return encode(pdu.kind, head + encode(SEQUENCE, varbinds))

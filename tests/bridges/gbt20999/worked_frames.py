"""Frames with their meaning: published by others (1-10), and worked out by hand by the same rules (11-21)."""

from __future__ import annotations

from greensplit.bridges.gbt20999.frame import Address, Frame, Item, Type, items_of

__all__ = ["DATAGRAMS", "ON_A_STREAM", "SLIPPED"]


def a(*numbers: int) -> Address:
    return Address(*numbers)


def captured(kind: Type, address: Address, value: bytes = b"", serial: int = 2) -> Frame:
    """A frame of the captured device: host 5, controller and junction 0."""
    return Frame(kind, (Item(address, value),), host=5, serial=serial)


def ours(kind: Type, serial: int, *pairs: tuple[Address, bytes]) -> Frame:
    """A frame of host 1 and controller 0x15."""
    return Frame(kind, items_of(pairs) if pairs else None, controller=0x15, serial=serial)


PLAN_1 = (
    (a(9, 2, 2, 1), b"\x01"),
    (a(9, 2, 3, 1), (120).to_bytes(4)),
    (a(9, 2, 4, 1), b"\x01"),
    (a(9, 2, 5, 1), (5).to_bytes(2)),
    (a(9, 2, 6, 1), bytes(12) + bytes((4, 3, 2, 1))),
    (a(9, 2, 7, 1), bytes(24) + bytes((0, 31, 0, 29, 0, 31, 0, 29))),
    (a(9, 2, 8, 1), bytes(12) + b"\x10\x10\x10\x10"),
)
DATAGRAMS = {
    "1 query of the maker": (
        "7E 00 13 01 00 05 00 00 00 00 00 01 10 01 01 04 01 01 00 00 5A 91 7D",
        captured(Type.QUERY, a(1, 1), serial=1),
    ),
    "2 its reply": (
        "7E 00 1F 01 00 05 00 00 00 00 00 02 20 01 01 10 01 01 00 00 "
        "E4 B8 9C E5 9C 9F E6 AD A3 E5 88 9B 23 FB 7D",
        captured(Type.QUERY_REPLY, a(1, 1), "东土正创".encode()),
    ),
    "3 stage 1 is in transition": (
        "7E 00 14 01 00 05 00 00 00 00 00 02 20 01 01 05 06 03 02 01 30 9C 76 7D",
        captured(Type.QUERY_REPLY, a(6, 3, 2, 1), b"\x30"),
    ),
    "4 junction 1 is in local coordination": (
        "7E 00 14 01 00 05 00 00 00 00 00 02 20 01 01 05 0D 02 02 01 23 94 F4 7D",
        captured(Type.QUERY_REPLY, a(13, 2, 2, 1), b"\x23"),
    ),
    "5 plan 1 has stages 1 to 4": (
        "7E 00 23 01 00 05 00 00 00 00 00 02 20 01 01 14 09 02 06 01" + " 00" * 12 + " 04 03 02 01 44 AD 7D",
        captured(Type.QUERY_REPLY, a(9, 2, 6, 1), bytes(12) + b"\x04\x03\x02\x01"),
    ),
    "6 plan 1 has times 29 31 29 31": (
        "7E 00 33 01 00 05 00 00 00 00 00 02 20 01 01 24 09 02 07 01"
        + " 00" * 24
        + " 00 1F 00 1D 00 1F 00 1D C1 A2 7D",
        captured(Type.QUERY_REPLY, a(9, 2, 7, 1), bytes(24) + b"\x00\x1f\x00\x1d\x00\x1f\x00\x1d"),
    ),
    "7 conflicts of phase 1": (
        "7E 00 1B 01 00 05 00 00 00 00 00 02 20 01 01 0C 07 01 02 01 00 00 00 00 00 00 F2 F0 B3 3B 7D",
        captured(Type.QUERY_REPLY, a(7, 1, 2, 1), bytes(6) + b"\xf2\xf0"),
    ),
    "8 an object that does not exist": (
        "7E 00 14 01 00 05 00 00 00 00 00 02 21 01 01 05 11 02 01 01 30 FA 97 7D",
        captured(Type.QUERY_ERROR, a(17, 2, 1, 1), b"\x30"),
    ),
    "9 months, with a CRC that ends like a frame": (
        "7E 00 15 01 00 05 00 00 00 00 00 02 20 01 01 06 0C 02 05 01 1F FE 42 7D 7D",
        captured(Type.QUERY_REPLY, a(12, 2, 5, 1), b"\x1f\xfe"),
    ),
    "10 set stage 1, plan 1, mode fixed": (
        "7E 00 22 01 00 05 00 0C 48 FC 01 13 30 03 01 05 11 01 02 01 01 "
        "02 05 11 01 03 01 01 03 05 11 01 04 01 21 E4 43 7D",
        Frame(
            Type.SET,
            items_of(((a(17, 1, 2, 1), b"\x01"), (a(17, 1, 3, 1), b"\x01"), (a(17, 1, 4, 1), b"\x21"))),
            host=5,
            controller=0x000C48FC,
            junction=1,
            serial=0x13,
        ),
    ),
    "11 heartbeat": (
        "7E 00 0C 01 00 01 00 00 00 15 00 07 70 85 39 7D",
        ours(Type.HEARTBEAT, 7),
    ),
    "11 heartbeat with a number of items": (
        "7E 00 0D 01 00 01 00 00 00 15 00 07 70 00 AE E9 7D",
        Frame(Type.HEARTBEAT, (), controller=0x15, serial=7),
    ),
    "12 its reply": (
        "7E 00 0C 01 00 01 00 00 00 15 00 07 80 76 3A 7D",
        ours(Type.HEARTBEAT_REPLY, 7),
    ),
    "13 query of mode, plan, stage and all stage states": (
        "7E 00 25 01 00 01 00 00 00 15 00 08 10 04 01 04 0D 02 02 01 02 04 0D 02 03 01 "
        "03 04 0D 02 04 01 04 04 06 03 02 00 20 D9 7D",
        ours(
            Type.QUERY,
            8,
            (a(13, 2, 2, 1), b""),
            (a(13, 2, 3, 1), b""),
            (a(13, 2, 4, 1), b""),
            (a(6, 3, 2, 0), b""),
        ),
    ),
    "14 set stage 3": (
        "7E 00 14 01 00 01 00 00 00 15 00 09 30 01 01 05 11 01 02 01 03 0B 68 7D",
        ours(Type.SET, 9, (a(17, 1, 2, 1), b"\x03")),
    ),
    "14 acknowledged": (
        "7E 00 14 01 00 01 00 00 00 15 00 09 40 01 01 05 11 01 02 01 00 26 D7 7D",
        ours(Type.SET_REPLY, 9, (a(17, 1, 2, 1), b"\x00")),
    ),
    "14 out of range": (
        "7E 00 14 01 00 01 00 00 00 15 00 09 41 01 01 05 11 01 02 01 12 16 CD 7D",
        ours(Type.SET_ERROR, 9, (a(17, 1, 2, 1), b"\x12")),
    ),
    "15 release": (
        "7E 00 14 01 00 01 00 00 00 15 00 0A 30 01 01 05 11 01 04 01 11 8B AF 7D",
        ours(Type.SET, 10, (a(17, 1, 4, 1), b"\x11")),
    ),
    "16 command flash": (
        "7E 00 23 01 00 01 00 00 00 15 00 0B 30 01 01 14 12 01 00 00" + " 00" * 15 + " 01 A3 58 7D",
        ours(Type.SET, 11, (a(18, 1), bytes(15) + b"\x01")),
    ),
    "18 set the time, UTC": (
        "7E 00 1A 01 00 01 00 00 00 15 00 0D 30 01 01 0B 0D 01 0A 00 07 E9 03 01 04 05 06 AE 57 7D",
        ours(Type.SET, 13, (a(13, 1, 10), b"\x07\xe9\x03\x01\x04\x05\x06")),
    ),
    "19 report of flow and occupancy": (
        "7E 00 1C 01 00 01 00 00 00 15 00 00 60 02 01 06 0E 02 02 01 00 17 02 05 0E 02 03 01 0C 8A 29 7D",
        ours(Type.REPORT, 0, (a(14, 2, 2, 1), b"\x00\x17"), (a(14, 2, 3, 1), b"\x0c")),
    ),
    "20 set cycle 126, serial 5C": (
        "7E 00 17 01 00 01 00 00 00 15 00 5C 30 01 01 08 09 02 03 01 00 00 00 7E 11 F0 7D",
        ours(Type.SET, 0x5C, (a(9, 2, 3, 1), (126).to_bytes(4))),
    ),
}
ON_A_STREAM = (
    "7E 00 17 01 00 01 00 00 00 15 00 5C 5C 30 01 01 08 09 02 03 01 00 00 00 5C 7E 11 F0 7D",
    DATAGRAMS["20 set cycle 126, serial 5C"][1],
)
SLIPPED = "7E 00 0E 01 01 01 00 00 00 15 00 07 80 B9 43 7D"
"""21: a reply whose length counts itself, with the CRC over a length of 0."""

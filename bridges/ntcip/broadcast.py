"""The traffic-signal-controller broadcast message: SPaT as controllers send it by UDP, ten times a second.

Big-endian and packed: 241 octets, or 245 with pedestrian calls and detections. Times to change are tenths of a second,
65535 unknown. The three octets of time are seconds of the UTC day (recorded packets bear that out; one published
structure reads them as hours, minutes and seconds). Switched on by a vendor's object, ``ENABLE_OID``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

from greensplit.engine.errors import BridgeError

__all__ = ["ENABLE_OID", "UNKNOWN", "Broadcast", "PhaseTimes", "decode", "encode"]

ENABLE_OID: Final = (1, 3, 6, 1, 4, 1, 1206, 3, 5, 2, 9, 44, 1, 0)
"""asc3ViiMessageEnable: 0 off, 2 SPaT, 6 SPaT and pedestrians."""
FIRST_OCTET: Final = 0xCD
PHASES: Final = 16
UNKNOWN: Final = 65535
HEAD: Final = struct.Struct(">BB")
PHASE: Final = struct.Struct(">B6H")
GROUPS: Final = struct.Struct(">11H4B")
TIME: Final = struct.Struct(">3sH")
PEDESTRIANS: Final = struct.Struct(">2H")
SHORT: Final = HEAD.size + PHASES * PHASE.size + GROUPS.size + TIME.size
LONG: Final = SHORT + PEDESTRIANS.size
DAY_S: Final = 86_400
SECOND_MS: Final = 1000


class PhaseTimes(NamedTuple):
    """Tenths of a second until vehicles, pedestrians and the overlap of this number change: least and most."""

    vehicle_min: int = UNKNOWN
    vehicle_max: int = UNKNOWN
    pedestrian_min: int = UNKNOWN
    pedestrian_max: int = UNKNOWN
    overlap_min: int = UNKNOWN
    overlap_max: int = UNKNOWN


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One message. Masks have bit n - 1 for phase or overlap n; ``pedestrians`` is (calls, detections) or None."""

    times: tuple[PhaseTimes, ...]
    reds: int
    yellows: int
    greens: int
    dont_walks: int
    ped_clears: int
    walks: int
    overlap_reds: int
    overlap_yellows: int
    overlap_greens: int
    flashing_phases: int
    flashing_overlaps: int
    status: int
    action: int
    discontinuous: int
    sequence: int
    second_of_day: int
    millisecond: int
    pedestrians: tuple[int, int] | None = None


def encode(message: Broadcast) -> bytes:
    """The datagram. Raises BridgeError for what does not fit."""
    if len(message.times) != PHASES:
        raise BridgeError(f"broadcast: expected times of {PHASES} phases, found {len(message.times)}")
    if not 0 <= message.second_of_day < DAY_S or not 0 <= message.millisecond < SECOND_MS:
        raise BridgeError(
            f"broadcast: expected a time of the day, found {message.second_of_day} s {message.millisecond} ms"
        )
    try:
        parts = [HEAD.pack(FIRST_OCTET, PHASES)]
        parts += [PHASE.pack(n, *times) for n, times in enumerate(message.times, start=1)]
        parts.append(GROUPS.pack(*(getattr(message, name) for name in GROUP_FIELDS)))
        parts.append(TIME.pack(message.second_of_day.to_bytes(3, "big"), message.millisecond))
        if message.pedestrians is not None:
            parts.append(PEDESTRIANS.pack(*message.pedestrians))
    except struct.error as err:
        raise BridgeError(f"broadcast: expected numbers that fit their fields: {err}") from err
    return b"".join(parts)


def decode(datagram: bytes) -> Broadcast:
    """What a controller sent. Raises BridgeError for anything else."""
    if len(datagram) not in (SHORT, LONG):
        raise BridgeError(f"broadcast: expected {SHORT} or {LONG} octets, found {len(datagram)}")
    first, phases = HEAD.unpack_from(datagram)
    if first != FIRST_OCTET or phases != PHASES:
        raise BridgeError(
            f"broadcast: expected {FIRST_OCTET:#x} and {PHASES} phases, found {first:#x}, {phases}"
        )
    at = HEAD.size
    times: dict[int, PhaseTimes] = {}
    for _ in range(PHASES):
        number, *tenths = PHASE.unpack_from(datagram, at)
        if not 1 <= number <= PHASES or number in times:
            raise BridgeError(f"broadcast: expected each phase from 1 to {PHASES} once, found {number}")
        times[number] = PhaseTimes(*tenths)
        at += PHASE.size
    groups = dict(zip(GROUP_FIELDS, GROUPS.unpack_from(datagram, at), strict=True))
    day, millisecond = TIME.unpack_from(datagram, at + GROUPS.size)
    second = int.from_bytes(day, "big")
    if second >= DAY_S or millisecond >= SECOND_MS:
        raise BridgeError(f"broadcast: expected a time of the day, found {second} s {millisecond} ms")
    pedestrians = PEDESTRIANS.unpack_from(datagram, SHORT) if len(datagram) == LONG else None
    return Broadcast(
        tuple(times[n] for n in range(1, PHASES + 1)),
        **groups,
        second_of_day=second,
        millisecond=millisecond,
        pedestrians=pedestrians,
    )


GROUP_FIELDS: Final = (
    "reds",
    "yellows",
    "greens",
    "dont_walks",
    "ped_clears",
    "walks",
    "overlap_reds",
    "overlap_yellows",
    "overlap_greens",
    "flashing_phases",
    "flashing_overlaps",
    "status",
    "action",
    "discontinuous",
    "sequence",
)

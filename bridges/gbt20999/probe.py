"""What kind of device is this? Asked at the start, where the profile leaves it open.

Nothing here controls anything; a heartbeat is sent only to devices that answer nothing before their first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .codes import Lamp
from .errors import NoAnswerError
from .frame import Address
from .host import Host, Refusal
from .profile import Serials, profile_of_maker

__all__ = ["probe"]

JUNCTIONS: Final = Address(2, 6)
MAKER: Final = Address(1, 1)
SECOND_LAMP: Final = Address(3, 3, 1, 2)
OTHER_LAMP: Final = Address(3, 3, 2, 1)
STAGES_OF_PLAN: Final = Address(9, 2, 6, 1)


def probe(host: Host) -> None:
    """Fill in what ``host.profile`` leaves open. NoAnswerError where nobody answers."""
    serials = [_find_junction(host)]
    mode = Address(17, 1, 4, host.profile.row)
    told = host.ask([MAKER, SECOND_LAMP, OTHER_LAMP, STAGES_OF_PLAN, mode])
    serials.append(host.last_serials)
    profile = host.profile
    maker = told[MAKER]
    if isinstance(maker, bytes):
        profile = profile_of_maker(profile, maker.decode(errors="replace"))
    if profile.serials is None:
        profile = replace(profile, serials=_serials(serials))
    if profile.lamp_attribute is None:
        profile = replace(profile, lamp_attribute=_lamp_attribute(told[SECOND_LAMP], told[OTHER_LAMP]))
    if profile.highest_first is None:
        profile = replace(profile, highest_first=_is_highest_first(told[STAGES_OF_PLAN]))
    if profile.reads_central is None:
        profile = replace(profile, reads_central=not isinstance(told[mode], Refusal))
    host.profile = profile


def _find_junction(host: Host) -> tuple[int, int]:
    """Which junction id is answered, 0 or 1; the serial numbers of question and answer."""
    if host.profile.needs_heartbeat_first:
        host.heartbeat()
    candidates = (0, 1) if host.profile.junction is None else (host.profile.junction,)
    patience_s, profile = host.timeout_s, host.profile
    host.timeout_s = patience_s / 4
    try:
        for junction in candidates:
            host.profile = replace(profile, junction=junction)
            try:
                host.ask([JUNCTIONS])
            except NoAnswerError:
                continue
            return host.last_serials
        host.profile = replace(profile, junction=candidates[0])
        host.heartbeat()
        host.ask([JUNCTIONS])
        return host.last_serials
    finally:
        host.timeout_s = patience_s


def _serials(pairs: list[tuple[int, int]]) -> Serials:
    if all(sent == got for sent, got in pairs):
        return Serials.ECHO
    if all(got in (sent + 1 & 0xFF, sent % 255 + 1) for sent, got in pairs):
        return Serials.NEXT
    return Serials.ANY


def _lamp_attribute(second: bytes | Refusal, other: bytes | Refusal) -> int:
    """Attribute 1 of the second lamp group is its number 2, which no lamp state is, or its lamp."""
    if isinstance(other, Refusal):
        return 1
    if second == b"\x02" or isinstance(second, Refusal):
        return 2
    return 1 if len(second) == 1 and second[0] in set(Lamp) else 2


def _is_highest_first(chain: bytes | Refusal) -> bool:
    """Lists are filled up with zeros behind their last place: in front on the wire where they are turned round."""
    if isinstance(chain, Refusal) or not any(chain) or all(chain):
        return True  # every published capture
    return chain[-1] != 0

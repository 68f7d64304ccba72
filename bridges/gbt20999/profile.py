"""What differs from maker to maker where the sources do not agree: a profile per device, filled in by a probe.

None is "ask the device". What a probe cannot settle (units, what a controller does when it loses its host) is stated
by the engineer, and is on the safe side until then: without a stated or told backup time a device is only monitored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from greensplit.engine.errors import InputError

from .codes import RunMode
from .frame import VERSION, Address

__all__ = [
    "FRONT_OPTIONS",
    "OPTIONS",
    "PROFILES",
    "STAND_IN_MAKER",
    "Profile",
    "Serials",
    "profile_from",
    "profile_of_maker",
    "stated_number",
]

STAND_IN_MAKER: Final = "greensplit stand-in"
STAND_IN_BACKUP: Final = Address(200, 1)


class Serials(StrEnum):
    """What number a reply has: that of its request, the next, or any."""

    ECHO = "echo"
    NEXT = "next"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of device.

    ``lamp_attribute`` of 3.3 holds the lamp; ``junction`` is the id that goes into frames, ``row`` the element of
    classes 13 and 17. ``highest_first`` is the order of lists. ``counts_heartbeats`` sends a number of items in
    heartbeats. ``backup_ms`` is what the engineer knows of the device's own backup time, or ``backup_object`` where
    the device tells it (a maker's own object, u16, s).
    """

    version: int = VERSION
    host: int = 1
    controller: int = 0
    junction: int | None = None
    row: int = 1
    lamp_attribute: int | None = None
    serials: Serials | None = None
    highest_first: bool | None = None
    counts_heartbeats: bool = False
    needs_heartbeat_first: bool = False
    reads_central: bool | None = None
    plan_mode: int = RunMode.CENTRE_COORDINATED
    release_mode: int = RunMode.CENTRE_SCHEDULE
    backup_ms: int = 0
    backup_object: Address | None = None
    batch_bytes: int = 900


PROFILES: Final = {
    "unknown": Profile(),
    "standin": Profile(backup_object=STAND_IN_BACKUP),
    "captured": Profile(serials=Serials.NEXT, junction=0),
    "heartbeat-first": Profile(needs_heartbeat_first=True),
}
NUMBERS: Final = {
    "version": (0, 0xFFFF),
    "host": (0, 0xFF),
    "controller": (0, 0xFFFF_FFFF),
    "junction": (0, 8),
    "row": (1, 8),
    "lamp_attribute": (1, 2),
    "plan_mode": (0, 0xFF),
    "release_mode": (0, 0xFF),
}
"""Least and most of what an engineer may state."""
MOST_BACKUP_S: Final = 0xFFFF
OPTIONS: Final = ("profile", "backup_s", *NUMBERS)
FRONT_OPTIONS: Final = (
    "transport",
    "port",
    "host_ip",
    "host_id",
    "serials",
    "lamp_attribute",
    "heartbeat_reply",
)
"""Options of the stand-in's front: a run gives the same words to both."""


def profile_of_maker(profile: Profile, maker: str) -> Profile:
    """The profile, with what is known of a device by its maker's name."""
    if maker.startswith(STAND_IN_MAKER) and profile.backup_object is None:
        return replace(profile, backup_object=STAND_IN_BACKUP)
    return profile


def profile_from(options: Mapping[str, str]) -> Profile:
    """A named profile (``profile``) and what else the engineer states. InputError in words."""
    name = options.get("profile", "unknown")
    if name not in PROFILES:
        raise InputError(f"profile: expected one of {', '.join(PROFILES)}, found {name}")
    profile = PROFILES[name]
    for option, value in options.items():
        profile = _stated(profile, option, value)
    return profile


def _stated(profile: Profile, option: str, value: str) -> Profile:
    if option in NUMBERS:
        return replace(profile, **{option: stated_number(option, value, *NUMBERS[option])})  # type: ignore[arg-type]
    if option == "backup_s":
        return replace(profile, backup_ms=_backup_ms(value))
    if option not in (*OPTIONS, *FRONT_OPTIONS):
        raise InputError(f"option: expected one of {', '.join(OPTIONS)}, found {option}")
    return profile


def stated_number(option: str, value: str, least: int, most: int) -> int:
    """A whole number in words, decimal or 0x. Raises InputError that names the option and its range."""
    try:
        number = int(value, 0)
    except ValueError as err:
        raise InputError(f"{option}: expected a number, found {value}") from err
    if not least <= number <= most:
        raise InputError(f"{option}: expected {least} to {most}, found {value}")
    return number


def _backup_ms(value: str) -> int:
    try:
        seconds = float(value)
    except ValueError as err:
        raise InputError(f"backup_s: expected a number, found {value}") from err
    if not 0.0 <= seconds <= MOST_BACKUP_S:
        raise InputError(f"backup_s: expected 0 to {MOST_BACKUP_S}, found {value}")
    return round(1000 * seconds)

"""Numbers with a meaning: lamps, run modes, commands, errors, and the model's aspects for lamps."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from greensplit.engine.model.aspects import CLEARANCE, DARK, GREEN, GREEN_FLASH, RED, RED_AMBER, YELLOW

__all__ = ["ASPECT_OF_LAMP", "CLEARING_LAMPS", "ERRORS", "Command", "Error", "Lamp", "RunMode", "StageState"]


class Lamp(IntEnum):
    """State of a lamp group."""

    OFF = 0x01
    RED = 0x10
    RED_FLASH = 0x11
    RED_FAST_FLASH = 0x12
    GREEN = 0x20
    GREEN_FLASH = 0x21
    GREEN_FAST_FLASH = 0x22
    YELLOW = 0x30
    YELLOW_FLASH = 0x31
    YELLOW_FAST_FLASH = 0x32
    RED_AMBER = 0x40


ASPECT_OF_LAMP: Final = {
    Lamp.OFF: DARK,
    Lamp.RED: RED,
    Lamp.RED_FLASH: RED,
    Lamp.RED_FAST_FLASH: RED,
    Lamp.GREEN: GREEN,
    Lamp.GREEN_FLASH: GREEN_FLASH,
    Lamp.GREEN_FAST_FLASH: GREEN_FLASH,
    Lamp.YELLOW: YELLOW,
    Lamp.YELLOW_FLASH: DARK,
    Lamp.YELLOW_FAST_FLASH: DARK,
    Lamp.RED_AMBER: RED_AMBER,
}
CLEARING_LAMPS: Final = {GREEN_FLASH: CLEARANCE}
"""What flashing green is to people on foot."""


class RunMode(IntEnum):
    """Who decides, and how."""

    CENTRE_SCHEDULE = 0x11
    CENTRE_OPTIMISED = 0x12
    CENTRE_COORDINATED = 0x13
    CENTRE_ADAPTIVE = 0x14
    CENTRE_MANUAL = 0x15
    LOCAL_FIXED = 0x21
    LOCAL_ACTUATED = 0x22
    LOCAL_COORDINATED = 0x23
    LOCAL_ADAPTIVE = 0x24
    LOCAL_MANUAL = 0x25
    FLASH = 0x31
    ALL_RED = 0x32
    OFF = 0x33


class Command(IntEnum):
    """What goes down the command pipe."""

    CANCEL = 0
    FLASH = 1
    ALL_RED = 2
    LAMPS_ON = 3
    LAMPS_OFF = 4
    RESTART = 5


class StageState(IntEnum):
    """How it stands with a stage."""

    IDLE = 0x10
    RUNS = 0x20
    TRANSITION = 0x30


class Error(IntEnum):
    """Why a controller refuses. Makers send others, too."""

    BAD_VALUE = 0x10
    WRONG_LENGTH = 0x11
    OUT_OF_RANGE = 0x12
    READ_ONLY = 0x20
    NOT_THERE = 0x30
    GENERAL = 0x40
    CONTROL_FAILED = 0x50


ERRORS: Final = {int(error): error.name.lower().replace("_", " ") for error in Error}

"""Enumerations and bits of NTCIP 1202 in the words of the project."""

from __future__ import annotations

from typing import Final

from ..field import Alarm, Flash, Mode, PreemptState

__all__ = [
    "ALARM_BITS",
    "FLASH_WORDS",
    "MODE_WORDS",
    "PREEMPT_WORDS",
    "read_flash",
    "read_mode",
    "read_preempt",
]

MODE_WORDS: Final = {
    Mode.OTHER: 1,
    Mode.SYSTEM: 2,
    Mode.STANDBY: 3,
    Mode.BACKUP: 4,
    Mode.MANUAL: 5,
    Mode.TIMEBASE: 6,
}
FLASH_WORDS: Final = {
    Flash.OTHER: 1,
    Flash.NONE: 2,
    Flash.AUTOMATIC: 3,
    Flash.LOCAL_MANUAL: 4,
    Flash.FAULT_MONITOR: 5,
    Flash.MMU: 6,
    Flash.STARTUP: 7,
    Flash.PREEMPT: 8,
}
PREEMPT_WORDS: Final = {
    PreemptState.OTHER: 1,
    PreemptState.NOT_ACTIVE: 2,
    PreemptState.CALLED: 3,
    PreemptState.TRACK: 5,
    PreemptState.DWELL: 6,
    PreemptState.EXIT: 8,
}
ENTRY_STARTED: Final = 4
LINK_ACTIVE: Final = 7
ALARM_BITS: Final = {
    Alarm.LOCAL_FLASH: ("unitAlarmStatus1", 5),
    Alarm.MMU_FLASH: ("unitAlarmStatus1", 4),
    Alarm.COORD_FAULT: ("unitAlarmStatus1", 1),
    Alarm.CYCLE_FAULT: ("unitAlarmStatus1", 0),
    Alarm.STOP_TIME: ("unitAlarmStatus2", 4),
    Alarm.RESPONSE_FAULT: ("unitAlarmStatus2", 2),
    Alarm.LOW_BATTERY: ("unitAlarmStatus2", 1),
    Alarm.POWER_RESTART: ("unitAlarmStatus2", 0),
    Alarm.DETECTOR_FAULT: ("shortAlarmStatus", 5),
    Alarm.LOCAL_OVERRIDE: ("shortAlarmStatus", 3),
    Alarm.PREEMPT: ("shortAlarmStatus", 0),
}

_MODES: Final = {word: mode for mode, word in MODE_WORDS.items()}
_FLASHES: Final = {word: flash for flash, word in FLASH_WORDS.items()}
_PREEMPTS: Final = {word: state for state, word in PREEMPT_WORDS.items()} | {
    ENTRY_STARTED: PreemptState.TRACK,
    LINK_ACTIVE: PreemptState.DWELL,
}


def read_mode(word: int) -> Mode:
    """Of unitControlStatus; interconnect is somebody else's."""
    return _MODES.get(word, Mode.OTHER)


def read_flash(word: int) -> Flash:
    """Of unitFlashStatus."""
    return _FLASHES.get(word, Flash.OTHER)


def read_preempt(word: int) -> PreemptState:
    """Of preemptState."""
    return _PREEMPTS.get(word, PreemptState.OTHER)

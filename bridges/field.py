"""What the wire means, whatever the protocol: the status of a field controller, and what it can be told.

Groups, stages, detectors and preempts are counted as in the model of the junction, from 0; masks have a bit per group
or detector of the junction, bit 0 the first. A pedestrian group is a group like any other: its bit in ``call`` is a
pedestrian call, in ``omit`` a pedestrian omit. Units and ranges of volume and occupancy, patterns and preempt states
are those of NTCIP 1202. Peers are hostile: whatever comes from outside passes ``check_status`` or ``check_command``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag, StrEnum
from typing import Final

from greensplit.engine.errors import BridgeError
from greensplit.engine.model.aspects import ASPECT_NAMES
from greensplit.engine.model.site import DetectorKind, GroupKind, Junction

__all__ = [
    "FLASH_PATTERN",
    "FREE_PATTERN",
    "FULL_OCCUPANCY",
    "MOST_SYNC_S",
    "NO_CONTROLS",
    "OCCUPANCY_FAULTS",
    "SEQUENCE_NUMBERS",
    "STANDBY_PATTERN",
    "VOLUME_OVERFLOW",
    "Alarm",
    "Controls",
    "FieldCommand",
    "FieldStatus",
    "FieldTables",
    "Flash",
    "Masks",
    "Mode",
    "ModeRequest",
    "Order",
    "PatternRequest",
    "Periods",
    "PreemptRequest",
    "PreemptState",
    "Remote",
    "StageRequest",
    "Verdict",
    "callers_of",
    "check_command",
    "check_status",
    "tables_of",
]

SEQUENCE_NUMBERS: Final = 256
VOLUME_OVERFLOW: Final = 255
FULL_OCCUPANCY: Final = 200
OCCUPANCY_FAULTS: Final = {
    210: "maximum presence",
    211: "no activity",
    212: "open loop",
    213: "shorted loop",
    214: "excessive change",
    216: "watchdog",
    217: "erratic",
}
STANDBY_PATTERN: Final = 0
FREE_PATTERN: Final = 254
FLASH_PATTERN: Final = 255
MOST_SYNC_S: Final = 255  # 255: by the controller's own timebase


class Mode(StrEnum):
    """Who decides at the junction (NTCIP 1202, unitControlStatus)."""

    SYSTEM = "system"
    STANDBY = "standby"
    BACKUP = "backup"
    MANUAL = "manual"
    TIMEBASE = "timebase"
    OTHER = "other"


class Flash(StrEnum):
    """Why the junction flashes (NTCIP 1202, unitFlashStatus)."""

    NONE = "none"
    AUTOMATIC = "automatic"
    LOCAL_MANUAL = "local_manual"
    FAULT_MONITOR = "fault_monitor"
    MMU = "mmu"
    STARTUP = "startup"
    PREEMPT = "preempt"
    OTHER = "other"


class PreemptState(StrEnum):
    """How far a preempt is (NTCIP 1202, preemptState)."""

    NOT_ACTIVE = "not_active"
    CALLED = "called"
    TRACK = "track"
    DWELL = "dwell"
    EXIT = "exit"
    OTHER = "other"


class Alarm(IntFlag):
    """What the controller reports as wrong."""

    NONE = 0
    LOCAL_FLASH = 1
    MMU_FLASH = 2
    STOP_TIME = 4
    POWER_RESTART = 8
    DETECTOR_FAULT = 16
    PREEMPT = 32
    LOCAL_OVERRIDE = 64
    COORD_FAULT = 128
    CYCLE_FAULT = 256
    LOW_BATTERY = 512
    RESPONSE_FAULT = 1024


class Remote(StrEnum):
    """What a centre can ask of the controller as a whole."""

    LOCAL = "local"
    FLASH = "flash"
    ALL_RED = "all_red"


class Verdict(StrEnum):
    """What a controller answers to a command. Only ACCEPTED restarts its backup timer."""

    ACCEPTED = "accepted"
    LATE = "late"
    EARLY = "early"
    STALE = "stale"
    DUPLICATE = "duplicate"
    OUT_OF_RANGE = "out_of_range"


@dataclass(frozen=True, slots=True)
class Masks:
    """Whole masks of groups, all four from one owner.

    ``hold`` keeps a green group green, ``force_off`` ends one (the controller clears the bit when the green ends),
    ``omit`` keeps a group that is not green from starting, ``call`` asks for green. Hold wins over force-off.
    """

    hold: int = 0
    force_off: int = 0
    omit: int = 0
    call: int = 0


@dataclass(frozen=True, slots=True)
class StageRequest:
    """Go to this stage, and stay there."""

    stage: int


@dataclass(frozen=True, slots=True)
class PatternRequest:
    """Run pattern 1 to 253 (the plans of the model in order), 254 free, 255 flash, 0 standby.

    ``sync_s`` is the position in the cycle now, 255 for the controller's own timebase.
    """

    pattern: int
    sync_s: int = MOST_SYNC_S


@dataclass(frozen=True, slots=True)
class PreemptRequest:
    """Preempt inputs from the centre, bit 0 is number 1; 0 leaves it to the inputs at the junction."""

    inputs: int


@dataclass(frozen=True, slots=True)
class ModeRequest:
    """The controller as a whole."""

    remote: Remote


Order = Masks | StageRequest | PatternRequest | PreemptRequest | ModeRequest


@dataclass(frozen=True, slots=True)
class FieldCommand:
    """One order. Not acted upon when it arrives after ``expires_ms``, before an earlier one, or a second time.

    ``key`` is the command's number, from 1 and rising with the sender; 0 where the protocol has none: such a command
    is never a duplicate.
    """

    issued_ms: int
    expires_ms: int
    order: Order
    key: int = 0


@dataclass(frozen=True, slots=True)
class Controls:
    """What a controller holds of what it was told: the read-back. ``stage`` -1 for none, ``pattern`` 0 for standby."""

    masks: Masks = Masks()
    stage: int = -1
    pattern: int = STANDBY_PATTERN
    preempt: int = 0
    remote: Remote = Remote.LOCAL


NO_CONTROLS: Final = Controls()


@dataclass(frozen=True, slots=True)
class Periods:
    """Volume and occupancy of the last whole period, one value per detector.

    ``sequence`` 0 to 255 grows by one with every period. ``volume`` 0 to 254, 255 overflow. ``occupancy`` in halves of
    a percent, 0 to 200; 210 to 217 is a fault of OCCUPANCY_FAULTS.
    """

    sequence: int
    period_ms: int
    volume: tuple[int, ...]
    occupancy: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FieldStatus:
    """One look at a controller, at ``t_ms`` of the clock that was handed to it.

    ``aspects`` (one per group) are lamps that really show. A protocol that cannot tell protected green from permissive
    says green: the reader of the status puts it right by the model. ``on`` are groups in green, clearance or red
    clearance, ``following`` those that will be green next. ``stage`` is the one that shows or that the junction is on
    its way to, -1 where the protocol does not tell. ``cycle_left_ms`` counts down in a plan, 0 otherwise.
    ``controls`` is what the controller holds of its orders, None where it does not tell. ``config_id`` changes with
    every stored parameter. ``clock_s`` is UTC since 1970.
    """

    t_ms: int
    aspects: tuple[int, ...]
    on: int
    following: int
    calls: int
    detector_on: int
    detector_alarm: int
    periods: Periods | None
    mode: Mode
    flash: Flash
    pattern: int
    cycle_ms: int
    cycle_left_ms: int
    stage: int
    preempts: tuple[PreemptState, ...]
    alarms: Alarm
    controls: Controls | None
    config_id: int
    clock_s: int


@dataclass(frozen=True, slots=True)
class FieldTables:
    """What a controller says of itself on connecting, for comparison with the model. None: the protocol does not tell.

    ``together`` has per group the mask of groups that may be green with it. Times in ms, per group.
    """

    groups: int
    detectors: int
    stages: tuple[int, ...] | None
    together: tuple[int, ...] | None
    min_green_ms: tuple[int, ...] | None
    clearance_ms: tuple[int, ...] | None
    backup_ms: int | None


def tables_of(junction: Junction, backup_ms: int) -> FieldTables:
    """What a controller that is set up like the model says of itself."""
    n = len(junction.groups)
    apart = [0] * n
    for meeting in junction.meetings:
        if meeting.kind == "conflict":
            apart[meeting.first - 1] |= 1 << meeting.second - 1
            apart[meeting.second - 1] |= 1 << meeting.first - 1
    everybody = (1 << n) - 1
    return FieldTables(
        groups=n,
        detectors=len(junction.detectors),
        stages=tuple(sum(1 << number - 1 for number in stage.green) for stage in junction.stages),
        together=tuple(everybody & ~apart[g] & ~(1 << g) for g in range(n)),
        min_green_ms=tuple(group.min_green_ms for group in junction.groups),
        clearance_ms=tuple(group.sequence.stop_ms for group in junction.groups),
        backup_ms=backup_ms,
    )


def callers_of(junction: Junction) -> tuple[int, ...]:
    """Mask of the groups that each detector calls: buttons call people, loops before the stop line the others."""
    people = sum(1 << g for g, group in enumerate(junction.groups) if group.kind is GroupKind.PEDESTRIAN)
    masks = []
    for detector in junction.detectors:
        groups = sum(1 << number - 1 for number in detector.groups)
        if detector.kind is DetectorKind.PEDESTRIAN:
            masks.append(groups & people)
        else:
            masks.append(0 if detector.kind is DetectorKind.EXIT else groups & ~people)
    return tuple(masks)


def check_status(status: FieldStatus, junction: Junction) -> FieldStatus:
    """The status, if it can be one of this junction's controller. Raises BridgeError in words."""
    n, d = len(junction.groups), len(junction.detectors)
    _expect(junction, "lamps of groups", len(status.aspects), n, n)
    for aspect in status.aspects:
        _expect(junction, "aspect", aspect, 0, len(ASPECT_NAMES) - 1)
    for what, mask in (("on", status.on), ("following", status.following), ("calls", status.calls)):
        _expect(junction, f"mask of groups {what}", mask, 0, (1 << n) - 1)
    for what, mask in (("on", status.detector_on), ("alarm", status.detector_alarm)):
        _expect(junction, f"mask of detectors {what}", mask, 0, (1 << d) - 1)
    _expect(junction, "stage", status.stage, -1, len(junction.stages) - 1)
    _expect(junction, "pattern", status.pattern, 0, FLASH_PATTERN)
    if status.periods is not None:
        _check_periods(status.periods, junction)
    if status.controls is not None:
        _check_masks(status.controls.masks, junction)
    return status


def _check_periods(periods: Periods, junction: Junction) -> None:
    d = len(junction.detectors)
    _expect(junction, "sequence", periods.sequence, 0, SEQUENCE_NUMBERS - 1)
    _expect(junction, "period ms", periods.period_ms, 1, 3_600_000)
    _expect(junction, "volumes", len(periods.volume), d, d)
    _expect(junction, "occupancies", len(periods.occupancy), d, d)
    for volume, occupancy in zip(periods.volume, periods.occupancy, strict=True):
        _expect(junction, "volume", volume, 0, VOLUME_OVERFLOW)
        _expect(junction, "occupancy", occupancy, 0, 255)


def _check_masks(masks: Masks, junction: Junction) -> None:
    most = (1 << len(junction.groups)) - 1
    for what in ("hold", "force_off", "omit", "call"):
        _expect(junction, what, getattr(masks, what), 0, most)


def check_command(command: FieldCommand, junction: Junction) -> FieldCommand:
    """The command, if this junction's controller can be told so. Raises BridgeError in words."""
    if command.expires_ms < command.issued_ms:
        raise BridgeError(
            f"junction {junction.id}: command: expected to expire after {command.issued_ms} ms, "
            f"found {command.expires_ms}"
        )
    match command.order:
        case Masks():
            _check_masks(command.order, junction)
        case StageRequest(stage):
            _expect(junction, "stage", stage, 0, len(junction.stages) - 1)
        case PatternRequest(pattern, sync_s):
            _expect(junction, "pattern", pattern, 0, FLASH_PATTERN)
            _expect(junction, "sync s", sync_s, 0, MOST_SYNC_S)
        case PreemptRequest(inputs):
            most = max((preempt.number for preempt in junction.preempts), default=0)
            _expect(junction, "preempt inputs", inputs, 0, (1 << most) - 1)
        case ModeRequest():
            pass
    return command


def _expect(junction: Junction, what: str, found: int, least: int, most: int) -> None:
    if not least <= found <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise BridgeError(f"junction {junction.id}: {what}: expected {wanted}, found {found}")

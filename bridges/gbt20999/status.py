"""One look at a controller in the words of ``bridges.field``, and what the protocol cannot tell.

It has no cycle position, no calls by group, no counted periods under a second and no volume sequence: those stay
empty. Lamps in flash that this host did not order are taken for local authority.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Final

from greensplit.bridges.field import (
    FLASH_PATTERN,
    FREE_PATTERN,
    STANDBY_PATTERN,
    Alarm,
    Controls,
    FieldStatus,
    FieldTables,
    Flash,
    Mode,
    PreemptState,
    Remote,
    tables_of,
)
from greensplit.engine.model.aspects import DARK, RED, RED_AMBER
from greensplit.engine.model.site import GroupKind, Junction

from .catalogue import Value
from .codes import ASPECT_OF_LAMP, CLEARING_LAMPS, Lamp, RunMode
from .errors import FrameError, RefusedError
from .frame import Address
from .host import Host, Refusal

__all__ = ["MOST_ROWS", "Told", "detector_addresses", "detector_mask", "read_status", "read_tables"]

MOST_ROWS: Final = 64
PRESENCE: Final = Address(14, 1)
FAULTY: Final = Address(13, 1, 1)
UTC_NOW: Final = Address(13, 1, 10)
LOCAL_PLANS: Final = (
    RunMode.LOCAL_FIXED,
    RunMode.LOCAL_ACTUATED,
    RunMode.LOCAL_COORDINATED,
    RunMode.LOCAL_ADAPTIVE,
)
CENTRE: Final = range(RunMode.CENTRE_SCHEDULE, RunMode.CENTRE_MANUAL + 1)
Place = tuple[int, int, int]
LAMPS_OF_PHASE: Final = (4, 2, 2)
LOSING_TIMES: Final = ((4, 2, 4), (4, 2, 6), (4, 2, 8))
MIN_GREEN: Final = (4, 2, 27)
PHASES_OF_STAGE: Final = (6, 2, 2)
CONFLICTS: Final = (7, 1, 2)


class Told:
    """What this host has told one controller: needed to tell its own doing from others'."""

    def __init__(self) -> None:
        self.remote = Remote.LOCAL
        self.is_controlled = False


def detector_addresses(junction: Junction) -> list[Address]:
    """Where the presence of all detectors stands: 64 in one bitmap, each of the others by itself."""
    extra = range(MOST_ROWS + 1, len(junction.detectors) + 1)
    return [PRESENCE, FAULTY, *(Address(5, 3, 2, number) for number in extra)]


def detector_mask(values: dict[Address, Value], junction: Junction) -> tuple[int, int]:
    """Masks of occupied and of faulty detectors."""
    known = (1 << len(junction.detectors)) - 1
    on = _number(values[PRESENCE])
    for number in range(MOST_ROWS + 1, len(junction.detectors) + 1):
        on |= _number(values[Address(5, 3, 2, number)]) << number - 1
    return on & known, _number(values[FAULTY]) & known


def read_status(host: Host, junction: Junction, told: Told, now_ms: int) -> FieldStatus:
    """Ask for everything at once. Raises the errors of ``Host.get``, FrameError for a lamp that is none."""
    row = host.profile.row
    mode_at, plan_at, stage_at = (Address(13, 2, attribute, row) for attribute in (2, 3, 4))
    central = [Address(17, 1, attribute, row) for attribute in (2, 3, 4)]
    lamps = [Address(3, 3, host.profile.lamp_attribute or 2, g) for g in range(1, len(junction.groups) + 1)]
    emergencies = range(1, len(junction.preempts) + 1)
    preempts = [Address(8, 6, attribute, n) for n in emergencies for attribute in (2, 3)]
    wanted = [mode_at, plan_at, stage_at, UTC_NOW, *lamps, *detector_addresses(junction), *preempts]
    values = host.get(wanted)
    mode, stage, plan = (_number(values[at]) for at in (mode_at, stage_at, plan_at))
    aspects = tuple(
        _aspect(_number(values[at]), group.kind is GroupKind.PEDESTRIAN)
        for at, group in zip(lamps, junction.groups, strict=True)
    )
    on = sum(1 << g for g, aspect in enumerate(aspects) if aspect not in (RED, RED_AMBER, DARK))
    detector_on, detector_alarm = detector_mask(values, junction)
    goal = (
        sum(1 << number - 1 for number in junction.stages[stage - 1].green)
        if _is_stage(junction, stage)
        else 0
    )
    states = tuple(_preempt(values, n) for n in emergencies)
    return FieldStatus(
        t_ms=now_ms,
        aspects=aspects,
        on=on,
        following=goal & ~on,
        calls=0,
        detector_on=detector_on,
        detector_alarm=detector_alarm,
        periods=None,
        mode=_mode(mode, told),
        flash=_flash(mode, told),
        pattern=_pattern(mode, plan, junction),
        cycle_ms=0,
        cycle_left_ms=0,
        stage=stage - 1 if _is_stage(junction, stage) else -1,
        preempts=states,
        alarms=_alarms(mode, told, detector_alarm, states),
        controls=_controls(host, central, mode, told, junction) if host.profile.reads_central else None,
        config_id=0,
        clock_s=_clock_s(values[UTC_NOW]),
    )


def _number(value: Value) -> int:
    return value if isinstance(value, int) else 0


def _is_stage(junction: Junction, number: int) -> bool:
    return 1 <= number <= len(junction.stages)


def _aspect(lamp: int, walks: bool) -> int:
    try:
        aspect = ASPECT_OF_LAMP[Lamp(lamp)]
    except ValueError as err:
        raise FrameError(f"lamp: expected a known state, found {lamp:02X}") from err
    return CLEARING_LAMPS.get(aspect, aspect) if walks else aspect


def _mode(mode: int, told: Told) -> Mode:
    if mode == RunMode.LOCAL_MANUAL:
        return Mode.MANUAL
    if mode in CENTRE:
        return Mode.STANDBY if mode == RunMode.CENTRE_SCHEDULE else Mode.SYSTEM
    if mode in LOCAL_PLANS:
        return Mode.BACKUP if told.is_controlled else Mode.TIMEBASE
    return Mode.SYSTEM if _is_ours(mode, told) else Mode.OTHER


def _is_ours(mode: int, told: Told) -> bool:
    return (
        {RunMode.FLASH: Remote.FLASH, RunMode.ALL_RED: Remote.ALL_RED}.get(RunMode(mode)) is told.remote
        if (mode in set(RunMode))
        else False
    )


def _flash(mode: int, told: Told) -> Flash:
    if mode not in (RunMode.FLASH, RunMode.ALL_RED, RunMode.OFF) or (
        mode == RunMode.ALL_RED and _is_ours(mode, told)
    ):
        return Flash.NONE
    return Flash.AUTOMATIC if _is_ours(mode, told) else Flash.OTHER


def _pattern(mode: int, plan: int, junction: Junction) -> int:
    if mode == RunMode.FLASH:
        return FLASH_PATTERN
    return plan if 1 <= plan <= len(junction.plans) else FREE_PATTERN


def _preempt(values: dict[Address, Value], number: int) -> PreemptState:
    if values[Address(8, 6, 3, number)]:
        return PreemptState.DWELL
    return PreemptState.CALLED if values[Address(8, 6, 2, number)] else PreemptState.NOT_ACTIVE


def _alarms(mode: int, told: Told, detector_alarm: int, states: Sequence[PreemptState]) -> Alarm:
    alarms = Alarm.DETECTOR_FAULT if detector_alarm else Alarm.NONE
    if mode == RunMode.LOCAL_MANUAL:
        alarms |= Alarm.LOCAL_OVERRIDE
    if _flash(mode, told) is Flash.OTHER:
        alarms |= Alarm.LOCAL_FLASH
    if any(state is not PreemptState.NOT_ACTIVE for state in states):
        alarms |= Alarm.PREEMPT
    return alarms


def _controls(host: Host, central: list[Address], mode: int, told: Told, junction: Junction) -> Controls:
    """What classes 17 and 13 hold of our orders; what has no value is refused by some, and is none."""
    answers = host.ask(central)
    stage, plan, held = (_one_byte(answers[at]) for at in central)
    remote = told.remote if _is_ours(mode, told) else Remote.LOCAL
    return Controls(
        stage=stage - 1 if held == RunMode.CENTRE_MANUAL and _is_stage(junction, stage) else -1,
        pattern=plan if held == host.profile.plan_mode else STANDBY_PATTERN,
        remote=remote,
    )


def _one_byte(answer: bytes | Refusal) -> int:
    return answer[0] if isinstance(answer, bytes) and len(answer) == 1 else 0


def _clock_s(value: Value) -> int:
    return 0 if isinstance(value, (int, str, bytes, tuple)) else int(value.replace(tzinfo=UTC).timestamp())


def read_tables(host: Host, junction: Junction) -> FieldTables:
    """What the controller's own tables say, in the model's terms. Times are in whole seconds there, rounded up."""
    counts = [Address(data_class, 1) for data_class in (3, 5, 6, 4)]
    told = host.get(counts)
    groups, detectors, stages, phases = (_number(told[count]) for count in counts)
    if groups != len(junction.groups) or phases != groups or groups > MOST_ROWS:
        return FieldTables(groups, detectors, None, None, None, None, _backup_ms(host))
    of_groups = [LAMPS_OF_PHASE, CONFLICTS, MIN_GREEN, *LOSING_TIMES]
    found = _columns(host, [(place, groups) for place in of_groups] + [(PHASES_OF_STAGE, stages)])
    if any(lamps != 1 << phase for phase, lamps in enumerate(found[LAMPS_OF_PHASE])):
        raise RefusedError("phases: expected each to have the lamp group of its number, found others")
    everybody = (1 << groups) - 1
    conflicts = found[CONFLICTS]
    expected = tables_of(junction, 1)
    losing = [sum(times) for times in zip(*(found[place] for place in LOSING_TIMES), strict=True)]
    losing_expected = [sum(_seconds(step.ms) for step in group.sequence.stop) for group in junction.groups]
    greens_expected = [_seconds(group.min_green_ms) for group in junction.groups]
    return FieldTables(
        groups=groups,
        detectors=detectors,
        stages=tuple(found[PHASES_OF_STAGE]) if len(junction.stages) <= MOST_ROWS else None,
        together=tuple(everybody & ~conflicts[g] & ~(1 << g) for g in range(groups)),
        min_green_ms=_as_told(found[MIN_GREEN], greens_expected, expected.min_green_ms),
        clearance_ms=_as_told(losing, losing_expected, expected.clearance_ms),
        backup_ms=_backup_ms(host),
    )


def _columns(host: Host, columns: Sequence[tuple[Place, int]]) -> dict[Place, list[int]]:
    """Numbers of tables by row: all in one request."""
    addresses = {place: [Address(*place, row) for row in range(1, rows + 1)] for place, rows in columns}
    values = host.get([address for rows in addresses.values() for address in rows])
    return {place: [_number(values[address]) for address in rows] for place, rows in addresses.items()}


def _seconds(ms: int) -> int:
    return -(-ms // 1000)


def _as_told(
    told_s: Sequence[int], expected_s: Sequence[int], model_ms: Sequence[int] | None
) -> tuple[int, ...]:
    """Times in ms: the model's where its rounding is what was told, so that whole seconds are no difference."""
    places = zip(told_s, expected_s, model_ms or (), strict=True)
    return tuple(ms if told == expected else 1000 * told for told, expected, ms in places)


def _backup_ms(host: Host) -> int:
    """The device's backup time: what it tells, or what the engineer states, or 0: nobody knows."""
    place = host.profile.backup_object
    if place is None:
        return host.profile.backup_ms
    told = host.ask([place])[place]
    return 1000 * int.from_bytes(told) if isinstance(told, bytes) and len(told) == 2 else 0

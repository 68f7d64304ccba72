"""Between the words of ``bridges.field`` and the payloads. Ranges that depend on the junction are checked there."""

from __future__ import annotations

from typing import Any

from greensplit.bridges.field import (
    Alarm,
    Controls,
    FieldCommand,
    FieldStatus,
    FieldTables,
    Masks,
    ModeRequest,
    Order,
    PatternRequest,
    Periods,
    PreemptRequest,
    StageRequest,
)

from .messages import (
    CommandMessage,
    ControlValues,
    MasksCommand,
    MasksValues,
    ModeCommand,
    ModeValues,
    PatternCommand,
    PatternValues,
    PeriodValues,
    PreemptCommand,
    PreemptValues,
    StageCommand,
    StageValues,
    StatusEntry,
    StatusValues,
    TablesMessage,
)

__all__ = ["command_of", "entry_of", "message_of", "status_of", "tables_message", "tables_of_message"]


def entry_of(status: FieldStatus, seq: int) -> StatusEntry:
    """A status as an entry of its channel. Raises pydantic's ValidationError for a status that cannot be."""
    values = StatusValues(
        aspects=status.aspects,
        on=_hex(status.on),
        following=_hex(status.following),
        calls=_hex(status.calls),
        detector_on=_hex(status.detector_on),
        detector_alarm=_hex(status.detector_alarm),
        periods=None if status.periods is None else _period_values(status.periods),
        mode=status.mode,
        flash=status.flash,
        pattern=status.pattern,
        cycle_ms=status.cycle_ms,
        cycle_left_ms=status.cycle_left_ms,
        stage=status.stage,
        preempts=status.preempts,
        alarms=int(status.alarms),
        controls=None if status.controls is None else _control_values(status.controls),
        config_id=status.config_id,
        clock_s=status.clock_s,
    )
    return StatusEntry(ts=status.t_ms, seq=seq, values=values)


def status_of(entry: StatusEntry) -> FieldStatus:
    """The status in an entry."""
    values = entry.values
    return FieldStatus(
        t_ms=entry.ts,
        aspects=values.aspects,
        on=int(values.on, 16),
        following=int(values.following, 16),
        calls=int(values.calls, 16),
        detector_on=int(values.detector_on, 16),
        detector_alarm=int(values.detector_alarm, 16),
        periods=None if values.periods is None else _periods(values.periods),
        mode=values.mode,
        flash=values.flash,
        pattern=values.pattern,
        cycle_ms=values.cycle_ms,
        cycle_left_ms=values.cycle_left_ms,
        stage=values.stage,
        preempts=values.preempts,
        alarms=Alarm(values.alarms),
        controls=None if values.controls is None else _controls(values.controls),
        config_id=values.config_id,
        clock_s=values.clock_s,
    )


def message_of(command: FieldCommand, issuer: str) -> tuple[str, CommandMessage]:
    """The code of a command, and its message."""
    head: dict[str, Any] = {
        "key": command.key,
        "issuer": issuer,
        "issued_ms": command.issued_ms,
        "expires_ms": command.expires_ms,
    }
    match command.order:
        case Masks():
            return "tlc.masks.set", MasksCommand(**head, values=_masks_values(command.order))
        case StageRequest(stage):
            return "tlc.stage.set", StageCommand(**head, values=StageValues(stage=stage))
        case PatternRequest(pattern, sync_s):
            values = PatternValues(pattern=pattern, sync_s=sync_s)
            return "tlc.pattern.set", PatternCommand(**head, values=values)
        case PreemptRequest(inputs):
            return "tlc.preempt.set", PreemptCommand(**head, values=PreemptValues(inputs=_hex(inputs)))
        case ModeRequest(remote):
            return "tlc.mode.set", ModeCommand(**head, values=ModeValues(remote=remote))


def command_of(message: CommandMessage) -> FieldCommand:
    """The command in a message of one of COMMANDS."""
    return FieldCommand(message.issued_ms, message.expires_ms, _order(message), message.key)


def _order(message: CommandMessage) -> Order:
    match message:
        case MasksCommand(values=masks):
            return _masks(masks)
        case StageCommand(values=stage):
            return StageRequest(stage.stage)
        case PatternCommand(values=pattern):
            return PatternRequest(pattern.pattern, pattern.sync_s)
        case PreemptCommand(values=preempt):
            return PreemptRequest(int(preempt.inputs, 16))
        case ModeCommand(values=mode):
            return ModeRequest(mode.remote)
    raise TypeError(f"expected a command with values, found {type(message).__name__}")


def tables_message(tables: FieldTables) -> TablesMessage:
    """What a controller says of itself, as a message."""
    return TablesMessage(
        groups=tables.groups,
        detectors=tables.detectors,
        stages=None if tables.stages is None else tuple(map(_hex, tables.stages)),
        together=None if tables.together is None else tuple(map(_hex, tables.together)),
        min_green_ms=tables.min_green_ms,
        clearance_ms=tables.clearance_ms,
        backup_ms=tables.backup_ms,
    )


def tables_of_message(message: TablesMessage) -> FieldTables:
    """What a controller said of itself."""
    return FieldTables(
        groups=message.groups,
        detectors=message.detectors,
        stages=None if message.stages is None else tuple(int(mask, 16) for mask in message.stages),
        together=None if message.together is None else tuple(int(mask, 16) for mask in message.together),
        min_green_ms=message.min_green_ms,
        clearance_ms=message.clearance_ms,
        backup_ms=message.backup_ms,
    )


def _hex(mask: int) -> str:
    return f"{mask:x}"


def _masks_values(masks: Masks) -> MasksValues:
    return MasksValues(
        hold=_hex(masks.hold),
        force_off=_hex(masks.force_off),
        omit=_hex(masks.omit),
        call=_hex(masks.call),
    )


def _masks(values: MasksValues) -> Masks:
    return Masks(int(values.hold, 16), int(values.force_off, 16), int(values.omit, 16), int(values.call, 16))


def _control_values(controls: Controls) -> ControlValues:
    return ControlValues(
        masks=_masks_values(controls.masks),
        stage=controls.stage,
        pattern=controls.pattern,
        preempt=_hex(controls.preempt),
        remote=controls.remote,
    )


def _controls(values: ControlValues) -> Controls:
    return Controls(
        _masks(values.masks), values.stage, values.pattern, int(values.preempt, 16), values.remote
    )


def _period_values(periods: Periods) -> PeriodValues:
    return PeriodValues(
        sequence=periods.sequence,
        period_ms=periods.period_ms,
        volume=periods.volume,
        occupancy=periods.occupancy,
    )


def _periods(values: PeriodValues) -> Periods:
    return Periods(values.sequence, values.period_ms, values.volume, values.occupancy)

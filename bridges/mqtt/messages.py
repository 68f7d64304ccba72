"""What the payloads hold: one strict model per message, from which the JSON Schemas in ``schemas`` are written.

Times are ms since 1970 UTC, or of the clock that both sides were handed. Masks are hexadecimal, bit 0 the first group
or detector, as in ``bridges.field``: numbers beyond 2^53 do not survive every JSON reader. Whatever is not in the
model is refused, here and by the schemas.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from greensplit.bridges.field import Flash, Mode, PreemptState, Remote, Verdict
from greensplit.engine.errors import BridgeError

__all__ = [
    "COMMANDS",
    "MESSAGES",
    "MOST_BYTES",
    "AlarmEntry",
    "AlarmMessage",
    "ChannelMessage",
    "CommandMessage",
    "ControlValues",
    "DetectorEntry",
    "DetectorMessage",
    "DetectorValues",
    "FetchMessage",
    "HistoryMessage",
    "MasksCommand",
    "MasksValues",
    "Message",
    "ModeCommand",
    "ModeValues",
    "PatternCommand",
    "PatternValues",
    "PeriodValues",
    "PreemptCommand",
    "PreemptValues",
    "PresenceMessage",
    "ResultMessage",
    "StageCommand",
    "StageValues",
    "StatusEntry",
    "StatusMessage",
    "StatusValues",
    "TablesMessage",
    "ThrottleMessage",
    "decode",
    "encode",
    "schema_of",
]

MOST_BYTES: Final = 65_536
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MOST_INTEGER: Final = (1 << 53) - 1
MOST_GROUPS: Final = 62
MOST_DETECTORS: Final = 512
MOST_ENTRIES: Final = 512

TimeMs = Annotated[int, Field(ge=0, le=MOST_INTEGER)]
Number = Annotated[int, Field(ge=0, le=MOST_INTEGER)]
Octet = Annotated[int, Field(ge=0, le=255)]
Mask = Annotated[str, Field(pattern=r"^[0-9a-f]{1,128}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:~%-]{1,64}$")]
Words = Annotated[str, Field(max_length=500)]
PerGroup = Annotated[tuple[TimeMs, ...], Field(max_length=MOST_GROUPS)]


class _Strict(BaseModel):
    """No conversions, nothing unknown, nothing changed afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, ser_json_inf_nan="strings")


class PresenceMessage(_Strict):
    """Whether a node is there. ``offline`` is what the broker says for it when the connection breaks."""

    state: Literal["online", "shutdown", "offline"]
    ts: TimeMs


class MasksValues(_Strict):
    """Whole masks of groups."""

    hold: Mask
    force_off: Mask
    omit: Mask
    call: Mask


class ControlValues(_Strict):
    """What the controller holds of its orders. Stage -1 for none, pattern 0 for standby."""

    masks: MasksValues
    stage: Annotated[int, Field(ge=-1, le=255)]
    pattern: Octet
    preempt: Mask
    remote: Remote


class PeriodValues(_Strict):
    """Volume and occupancy per detector of the last whole period, in the units of NTCIP 1202."""

    sequence: Octet
    period_ms: Annotated[int, Field(ge=1, le=3_600_000)]
    volume: Annotated[tuple[Octet, ...], Field(max_length=MOST_DETECTORS)]
    occupancy: Annotated[tuple[Octet, ...], Field(max_length=MOST_DETECTORS)]


class StatusValues(_Strict):
    """One look at the whole controller: always complete, so that the last one may be retained."""

    aspects: Annotated[tuple[Annotated[int, Field(ge=0, le=7)], ...], Field(max_length=MOST_GROUPS)]
    on: Mask
    following: Mask
    calls: Mask
    detector_on: Mask
    detector_alarm: Mask
    periods: PeriodValues | None
    mode: Mode
    flash: Flash
    pattern: Octet
    cycle_ms: TimeMs
    cycle_left_ms: TimeMs
    stage: Annotated[int, Field(ge=-1, le=255)]
    preempts: Annotated[tuple[PreemptState, ...], Field(max_length=16)]
    alarms: Annotated[int, Field(ge=0, le=65_535)]
    controls: ControlValues | None
    config_id: Number
    clock_s: Number


class StatusEntry(_Strict):
    """A status, numbered from 0 since the channel started."""

    ts: TimeMs
    seq: Number
    values: StatusValues


class StatusMessage(_Strict):
    """Status of the controller."""

    entries: Annotated[tuple[StatusEntry, ...], Field(min_length=1, max_length=1)]


class DetectorValues(_Strict):
    """A detector that changed, counted from 0."""

    detector: Annotated[int, Field(ge=0, lt=MOST_DETECTORS)]
    on: bool


class DetectorEntry(_Strict):
    """A change, numbered from 0 since the channel started."""

    ts: TimeMs
    seq: Number
    values: DetectorValues


class DetectorMessage(_Strict):
    """Changes of detectors, oldest first: not complete, never retained."""

    entries: Annotated[tuple[DetectorEntry, ...], Field(min_length=1, max_length=MOST_ENTRIES)]


class FetchMessage(_Strict):
    """Asks for the entries of a channel from one number to another, both included."""

    first: Number
    last: Number


class HistoryMessage(_Strict):
    """What is left of the entries that were asked for; ``first`` and ``last`` as asked."""

    first: Number
    last: Number
    entries: Annotated[tuple[DetectorEntry, ...], Field(max_length=MOST_ENTRIES)]


class ChannelMessage(_Strict):
    """Whether a channel sends."""

    state: Literal["running", "stopped"]


class ThrottleMessage(_Strict):
    """Lets a channel send, or stops it."""

    action: Literal["start", "stop"]


class AlarmEntry(_Strict):
    """One alarm that came or went."""

    ts: TimeMs
    seq: Number
    name: Name
    active: bool


class AlarmMessage(_Strict):
    """Alarms: all that are active when ``full``, else what changed."""

    full: bool
    entries: Annotated[tuple[AlarmEntry, ...], Field(max_length=64)]


class TablesMessage(_Strict):
    """What the controller says of itself, for comparison with the model; null: it does not tell."""

    groups: Annotated[int, Field(ge=0, le=MOST_GROUPS)]
    detectors: Annotated[int, Field(ge=0, le=MOST_DETECTORS)]
    stages: Annotated[tuple[Mask, ...], Field(max_length=256)] | None
    together: Annotated[tuple[Mask, ...], Field(max_length=MOST_GROUPS)] | None
    min_green_ms: PerGroup | None
    clearance_ms: PerGroup | None
    backup_ms: TimeMs | None


class StageValues(_Strict):
    """Go to this stage, counted from 0, and stay there."""

    stage: Octet


class PatternValues(_Strict):
    """Run this pattern: 1 to 253 plans, 254 free, 255 flash, 0 standby; 255 s: by the controller's own timebase."""

    pattern: Octet
    sync_s: Octet


class PreemptValues(_Strict):
    """Preempt inputs from the centre."""

    inputs: Mask


class ModeValues(_Strict):
    """The controller as a whole."""

    remote: Remote


class CommandMessage(_Strict):
    """What every command says of itself: ``key`` rises with the sender and makes a repeated command harmless."""

    key: Annotated[int, Field(ge=1, le=MOST_INTEGER)]
    issuer: Name
    issued_ms: TimeMs
    expires_ms: TimeMs


class MasksCommand(CommandMessage):
    """Masks of groups."""

    values: MasksValues


class StageCommand(CommandMessage):
    """Stage."""

    values: StageValues


class PatternCommand(CommandMessage):
    """Pattern."""

    values: PatternValues


class PreemptCommand(CommandMessage):
    """Preempts."""

    values: PreemptValues


class ModeCommand(CommandMessage):
    """Flash, all red, or back to local."""

    values: ModeValues


class ResultMessage(_Strict):
    """The answer to a command, with its key, 0 where none could be read; ``reason`` says in one line why not."""

    key: Number
    verdict: Verdict | Literal["refused"]
    reason: Words
    ts: TimeMs


COMMANDS: Final[dict[str, type[CommandMessage]]] = {
    "tlc.masks.set": MasksCommand,
    "tlc.stage.set": StageCommand,
    "tlc.pattern.set": PatternCommand,
    "tlc.preempt.set": PreemptCommand,
    "tlc.mode.set": ModeCommand,
}
MESSAGES: Final[dict[str, type[BaseModel]]] = {
    "presence": PresenceMessage,
    "status.tlc.status": StatusMessage,
    "status.tlc.detector": DetectorMessage,
    "status.tlc.tables": TablesMessage,
    "channel": ChannelMessage,
    "throttle": ThrottleMessage,
    "fetch": FetchMessage,
    "history": HistoryMessage,
    "alarm": AlarmMessage,
    "result": ResultMessage,
    **{f"command.{code}": model for code, model in COMMANDS.items()},
}

Message = TypeVar("Message", bound=BaseModel)


def encode(message: BaseModel) -> bytes:
    """The payload. Raises BridgeError where it would be longer than anybody reads."""
    payload = message.model_dump_json().encode()
    if len(payload) > MOST_BYTES:
        raise BridgeError(
            f"mqtt: {type(message).__name__}: expected at most {MOST_BYTES} bytes, found {len(payload)}"
        )
    return payload


def decode(model: type[Message], payload: bytes, where: str) -> Message:
    """The message in a payload that anybody may have sent. Raises BridgeError, and nothing else."""
    if len(payload) > MOST_BYTES:
        raise BridgeError(f"mqtt: {where}: expected at most {MOST_BYTES} bytes, found {len(payload)}")
    try:
        return model.model_validate_json(payload)
    except ValidationError as err:
        first: Any = err.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "payload"
        raise BridgeError(
            f"mqtt: {where}: {place}: {first['msg']}, found {str(first['input'])[:80]!r}"
        ) from err


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema of a message, as published."""
    return {"$schema": DIALECT, "$id": f"greensplit:mqtt:{name}"} | MESSAGES[name].model_json_schema()

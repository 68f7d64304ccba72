"""What a stand-in answers in GB/T 20999-2017: its state as objects, and sets of the central control table.

Modelled on the captured device: what does not exist is refused with 0x30, replies repeat the request's addresses,
good and bad items go in two frames. All sets of one frame are done, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from greensplit.bridges.field import (
    NO_CONTROLS,
    FieldCommand,
    FieldStatus,
    Flash,
    Mode,
    ModeRequest,
    Order,
    PatternRequest,
    PreemptState,
    Remote,
    StageRequest,
    Verdict,
    tables_of,
)
from greensplit.bridges.gbt20999.catalogue import NEVER_WRITTEN, Value, find, objects
from greensplit.bridges.gbt20999.codes import Command, Error, Lamp, RunMode, StageState
from greensplit.bridges.gbt20999.errors import FrameError, ValueRefusedError
from greensplit.bridges.gbt20999.frame import Address, Frame, Type, items_of
from greensplit.bridges.gbt20999.profile import STAND_IN_BACKUP, STAND_IN_MAKER
from greensplit.engine.model.aspects import (
    CLEARANCE,
    DARK,
    GREEN,
    GREEN_FLASH,
    PERMISSIVE,
    RED,
    RED_AMBER,
    YELLOW,
)

from .controller import StandIn
from .gbt20999_plans import StoredPlans

__all__ = ["Cabinet20999", "Variant"]

LAMP_OF: Final = {
    RED: Lamp.RED,
    RED_AMBER: Lamp.RED_AMBER,
    GREEN: Lamp.GREEN,
    PERMISSIVE: Lamp.GREEN,
    GREEN_FLASH: Lamp.GREEN_FLASH,
    YELLOW: Lamp.YELLOW,
    CLEARANCE: Lamp.GREEN_FLASH,
    DARK: Lamp.YELLOW_FLASH,
}
GREEN_CONFLICT: Final = 0x10
FLASH_ACTION: Final = 0x10
MOST_ROWS: Final = 64
LATE_MS: Final = 2000
"""A set whose serial is behind that of the last set within this time came late, and is not obeyed."""
PLAN_ATTRIBUTES: Final = range(2, 9)
LOCAL_MODES: Final = (RunMode.CENTRE_SCHEDULE, *(RunMode(0x21 + k) for k in range(4)))

Read = Callable[[int, FieldStatus], Value]


@dataclass(frozen=True, slots=True)
class Variant:
    """Where makers differ, and who is the registered host."""

    host_ip: str = "127.0.0.1"
    host_id: int = 1
    serial_step: int = 0
    lamp_attribute: int = 2
    heartbeat_reply: int = 0x80


class Cabinet20999:
    """One stand-in as a peer of this protocol. Whoever calls holds the front's lock."""

    def __init__(self, stand_in: StandIn, variant: Variant) -> None:
        self.stand_in = stand_in
        self.variant = variant
        self._tables = tables_of(stand_in.junction, 1)
        self._plans = StoredPlans(stand_in)
        self._readers = self._read_status() | self._read_traffic() | self._read_tables()
        self._rows = self._row_limits()
        self._last_set: tuple[int, int] | None = None

    def answer(self, frame: Frame, peer: str, now_ms: int) -> list[Frame]:
        """Frames to send back; none for what is not for a controller."""
        if frame.junction > 1:
            return []
        frame = replace(frame, serial=frame.serial + self.variant.serial_step & 0xFF, slip="")
        is_host = peer == self.variant.host_ip and frame.host == self.variant.host_id
        if frame.type is Type.HEARTBEAT:
            if is_host and self.stand_in.controls != NO_CONTROLS:
                self.stand_in.touch(now_ms)
            return [frame.reply(Type(self.variant.heartbeat_reply), None)]
        if frame.type is Type.QUERY:
            return self._answer_query(frame)
        if frame.type is Type.SET:
            return self._answer_set(frame, is_host, now_ms)
        return []

    def _answer_query(self, frame: Frame) -> list[Frame]:
        status = self.stand_in.status()
        answers = [(item.address, self._read(item.address, status)) for item in frame.items or ()]
        return _replies(frame, answers, Type.QUERY_REPLY, Type.QUERY_ERROR)

    def _read(self, address: Address, status: FieldStatus) -> bytes | Error:
        if address == STAND_IN_BACKUP:
            return min(-(-self.stand_in.backup_ms // 1000), 0xFFFF).to_bytes(2)
        reader = self._readers.get(address[:3])
        if reader is None or address.element > self._rows.get(address[:2], 0xFF):
            return Error.NOT_THERE
        try:
            return find(address).encode(reader(address.element, status))
        except ValueRefusedError:  # no such row, or nothing to tell in it
            return Error.NOT_THERE

    def _row_limits(self) -> dict[tuple[int, int], int]:
        """Rows that there are in each table of the junction."""
        junction = self.stand_in.junction
        groups, stages = len(junction.groups), min(len(junction.stages), MOST_ROWS)
        detectors, preempts = len(junction.detectors), len(junction.preempts)
        limits = {(3, 2): groups, (3, 3): groups, (4, 2): groups, (7, 1): groups, (5, 3): detectors}
        limits |= {(14, 2): detectors, (6, 2): stages, (6, 3): stages, (8, 6): preempts}
        return limits | {(13, 2): 1, (17, 1): 1, (9, 2): len(junction.plans)}

    def _read_status(self) -> dict[tuple[int, int, int], Read]:
        stand_in = self.stand_in

        def lamp(row: int, s: FieldStatus) -> Value:
            return int(LAMP_OF[s.aspects[row - 1]])

        readers: dict[tuple[int, int, int], Read] = {
            (3, 3, self.variant.lamp_attribute): lamp,
            (6, 3, 1): lambda row, _: row,
            (6, 3, 2): self._stage_state,
            (8, 6, 2): lambda row, s: int(s.preempts[row - 1] is not PreemptState.NOT_ACTIVE),
            (8, 6, 3): lambda row, s: int(
                s.preempts[row - 1] not in (PreemptState.NOT_ACTIVE, PreemptState.CALLED)
            ),
            (13, 1, 1): lambda _, s: s.detector_alarm & 0xFFFF_FFFF_FFFF_FFFF,
            (13, 1, 10): lambda _, s: datetime.fromtimestamp(s.clock_s, UTC),
            (13, 1, 11): lambda _, s: datetime.fromtimestamp(s.clock_s, UTC),
            (13, 2, 1): lambda row, _: row,
            (13, 2, 2): lambda _, s: int(self._run_mode(s)),
            (13, 2, 3): lambda _, s: s.pattern if s.pattern <= len(stand_in.junction.plans) else 0,
            (13, 2, 4): lambda _, s: s.stage + 1 if s.stage < MOST_ROWS else 0,
            (15, 1, 0): lambda *_: 0,
            (16, 1, 0): lambda *_: len(stand_in.monitor.log),
            (17, 1, 1): lambda row, _: row,
            (17, 1, 2): lambda *_: stand_in.controls.stage + 1,
            (17, 1, 3): lambda *_: stand_in.controls.pattern,
            (17, 1, 4): lambda _, s: int(self._held_mode(s)),
        }
        if self.variant.lamp_attribute == 2:
            readers[3, 3, 1] = lambda row, _: row
        return readers

    def _read_traffic(self) -> dict[tuple[int, int, int], Read]:
        def periods(row: int, s: FieldStatus, column: str) -> int:
            return int(getattr(s.periods, column)[row - 1]) if s.periods is not None else -1

        def occupancy(row: int, s: FieldStatus) -> Value:
            halves = periods(row, s, "occupancy")
            return halves // 2 if halves <= 200 else -1

        return {
            (5, 3, 1): lambda row, _: row,
            (5, 3, 2): lambda row, s: s.detector_on >> row - 1 & 1,
            (14, 1, 0): lambda _, s: s.detector_on & 0xFFFF_FFFF_FFFF_FFFF,
            (14, 2, 1): lambda row, _: row,
            (14, 2, 2): lambda row, s: periods(row, s, "volume"),
            (14, 2, 3): occupancy,
        }

    def _read_tables(self) -> dict[tuple[int, int, int], Read]:
        junction, tables = self.stand_in.junction, self._tables
        everybody = (1 << len(junction.groups)) - 1
        readers: dict[tuple[int, int, int], Read] = {
            (1, 1, 0): lambda *_: STAND_IN_MAKER,
            (2, 5, 0): lambda *_: 0,
            (2, 6, 0): lambda *_: 1,
            (3, 1, 0): lambda *_: len(junction.groups),
            (4, 1, 0): lambda *_: len(junction.groups),
            (5, 1, 0): lambda *_: len(junction.detectors),
            (6, 1, 0): lambda *_: min(len(junction.stages), MOST_ROWS),
            (8, 4, 0): lambda *_: len(junction.preempts),
            (9, 1, 0): lambda *_: len(junction.plans),
            (3, 2, 1): lambda row, _: row,
            (4, 2, 1): lambda row, _: row,
            (4, 2, 2): lambda row, _: 1 << row - 1,
            (4, 2, 27): lambda row, _: _seconds(junction.groups[row - 1].min_green_ms),
            (6, 2, 1): lambda row, _: row,
            (6, 2, 2): lambda row, _: (tables.stages or ())[row - 1],
            (7, 1, 2): lambda row, _: everybody & ~(tables.together or ())[row - 1] & ~(1 << row - 1),
            (9, 2, 1): lambda row, _: row,
        }
        for attribute in PLAN_ATTRIBUTES:
            readers[9, 2, attribute] = partial(self._read_plan, attribute)
        for step, attribute in enumerate((4, 6, 8)):
            readers[4, 2, attribute] = partial(self._losing_s, step)
        return readers

    def _read_plan(self, attribute: int, row: int, _: FieldStatus) -> Value:
        return self._plans.read(attribute, row)

    def _losing_s(self, step: int, row: int, _: FieldStatus) -> Value:
        stop = self.stand_in.junction.groups[row - 1].sequence.stop
        return _seconds(stop[step].ms) if step < len(stop) else 0

    def _stage_state(self, row: int, s: FieldStatus) -> Value:
        if s.stage != row - 1:
            return int(StageState.IDLE)
        return int(StageState.TRANSITION if s.following else StageState.RUNS)

    def _run_mode(self, s: FieldStatus) -> RunMode:
        if s.flash is not Flash.NONE:
            return RunMode.FLASH
        if s.mode is Mode.MANUAL:
            return RunMode.LOCAL_MANUAL
        return self._held_mode(s)

    def _held_mode(self, s: FieldStatus) -> RunMode:
        controls = self.stand_in.controls
        if controls.remote is not Remote.LOCAL:
            return RunMode.FLASH if controls.remote is Remote.FLASH else RunMode.ALL_RED
        if controls.stage >= 0:
            return RunMode.CENTRE_MANUAL
        if controls.pattern:
            return RunMode.CENTRE_COORDINATED
        if s.mode is Mode.STANDBY:
            return RunMode.CENTRE_SCHEDULE
        return (
            RunMode.LOCAL_FIXED if s.pattern <= len(self.stand_in.junction.plans) else RunMode.LOCAL_ACTUATED
        )

    def _answer_set(self, frame: Frame, is_host: bool, now_ms: int) -> list[Frame]:
        items = frame.items or ()
        if not is_host:
            refused = [(item.address, Error.READ_ONLY) for item in items]
            return _replies(frame, refused, Type.SET_REPLY, Type.SET_ERROR)
        if self._is_late(frame.serial, now_ms):
            return []
        wanted: dict[Address, Value] = {}
        errors: dict[Address, Error] = {}
        for item in items:
            value = self._check(item.address, item.value)
            if isinstance(value, Error):
                errors[item.address] = value
            else:
                wanted[item.address] = value
        if not errors:
            errors = self._obey(wanted, now_ms)
        answers = [(item.address, errors.get(item.address, b"\0")) for item in items]
        return _replies(frame, answers, Type.SET_REPLY, Type.SET_ERROR)

    def _is_late(self, serial: int, now_ms: int) -> bool:
        """Is this a datagram that was overtaken by a later set, or came twice?"""
        last, self._last_set = self._last_set, (serial, now_ms)
        if last is None or now_ms - last[1] >= LATE_MS or 0 < (serial - last[0]) % 256 < 128:
            return False
        self._last_set = last
        return True

    def _check(self, address: Address, value: bytes) -> tuple[int, ...] | int | Error:
        spec = objects().get(address[:3])
        if spec is None or address.element > self._rows.get(address[:2], 0):
            return Error.NOT_THERE
        if not spec.may_write or address.data_class in NEVER_WRITTEN or not _is_settable(address):
            return Error.READ_ONLY
        try:
            decoded = spec.decode(value)
        except FrameError:
            return Error.WRONG_LENGTH if len(value) != spec.most_bytes else Error.OUT_OF_RANGE
        return decoded if isinstance(decoded, (int, tuple)) else Error.BAD_VALUE

    def _obey(self, wanted: dict[Address, Value], now_ms: int) -> dict[Address, Error]:
        """Do what is set; errors by address where it cannot be done. Plans come first: an order may name one."""
        try:
            self._plans.write({a: value for a, value in wanted.items() if a.data_class == 9})
        except ValueRefusedError:
            return dict.fromkeys(wanted, Error.BAD_VALUE)
        central = {a.attribute: v for a, v in wanted.items() if a.data_class == 17 and isinstance(v, int)}
        orders: list[Order] = []
        if central:
            order = self._central_order(central)
            if isinstance(order, Error):
                return dict.fromkeys(wanted, order)
            orders.append(order)
        for address, value in wanted.items():
            if address.data_class == 18 and isinstance(value, tuple):
                if value[0] == Command.RESTART:
                    self.stand_in.reboot()
                    return {}
                remote = PIPE_REMOTES.get(value[0])
                if remote is None:
                    return dict.fromkeys(wanted, Error.CONTROL_FAILED)
                orders.append(ModeRequest(remote))
        for order in orders:
            verdict = self.stand_in.command(FieldCommand(now_ms, now_ms, order), now_ms)
            if verdict is not Verdict.ACCEPTED:
                out = verdict is Verdict.OUT_OF_RANGE
                return dict.fromkeys(wanted, Error.OUT_OF_RANGE if out else Error.CONTROL_FAILED)
        return {}

    def _central_order(self, central: dict[int, int]) -> Order | Error:
        """The order that stage, plan and mode together are; what is not set stays as it is held."""
        status, controls = self.stand_in.status(), self.stand_in.controls
        mode = central.get(4, int(self._held_mode(status)))
        if mode == RunMode.CENTRE_MANUAL:
            stage = central.get(2, max(controls.stage, status.stage) + 1)
            return StageRequest(stage - 1) if stage else Error.CONTROL_FAILED
        if 4 not in central and mode != RunMode.CENTRE_COORDINATED:
            return Error.CONTROL_FAILED
        if mode == RunMode.CENTRE_COORDINATED:
            plan = central.get(3, controls.pattern)
            known = 1 <= plan <= len(self.stand_in.junction.plans)
            return PatternRequest(plan) if known else Error.OUT_OF_RANGE
        if mode in LOCAL_MODES:
            return ModeRequest(Remote.LOCAL)
        special = {RunMode.FLASH: Remote.FLASH, RunMode.ALL_RED: Remote.ALL_RED}
        return ModeRequest(special[RunMode(mode)]) if mode in set(special) else Error.BAD_VALUE


PIPE_REMOTES: Final = {
    int(Command.CANCEL): Remote.LOCAL,
    int(Command.FLASH): Remote.FLASH,
    int(Command.ALL_RED): Remote.ALL_RED,
}


def _is_settable(address: Address) -> bool:
    return address.data_class in (17, 18) or address[:2] == (9, 2)


def _seconds(ms: int) -> int:
    return -(-ms // 1000)


def _replies(
    frame: Frame, answers: Iterable[tuple[Address, bytes | Error]], good: Type, bad: Type
) -> list[Frame]:
    """All good items in one frame, all bad ones in another."""
    right = [(address, answer) for address, answer in answers if isinstance(answer, bytes)]
    wrong = [(address, bytes((answer,))) for address, answer in answers if not isinstance(answer, bytes)]
    parts = ((good, right), (bad, wrong))
    return [frame.reply(kind, items_of(pairs)) for kind, pairs in parts if pairs]

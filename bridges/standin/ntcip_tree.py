"""The objects of NTCIP 1202 and 1201 of one stand-in: status from its state, control into its commands.

Derived from NTCIP 1202. Copyright by AASHTO / ITE / NEMA. Used by permission.

Every object of the table is served but the security branch of 1201, which would show passwords to readers. A SET is
judged as a whole before anything of it happens. Stored parameters change in a transaction, if one is open, otherwise at
once; the stand-in keeps the timings of its model whatever is stored. A transaction that its master leaves alone for
``TRANSACTION_MS``, a limit of this device for which the standard has no object, is given up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from greensplit.engine.errors import BridgeError

from ..field import (
    MOST_SYNC_S,
    Alarm,
    FieldCommand,
    FieldStatus,
    Masks,
    Mode,
    Order,
    PatternRequest,
    PreemptRequest,
    Verdict,
)
from ..ntcip.layout import CONTROLS, LAMPS, ROW, Layout, layout_of
from ..ntcip.objects import Instance, Syntax, Value, check_value, object_types, type_at
from ..ntcip.words import ALARM_BITS, FLASH_WORDS, MODE_WORDS, PREEMPT_WORDS
from ..numbering import FieldKind
from . import ntcip_ber as ber
from .controller import StandIn
from .ntcip_agent import (
    COMMIT_FAILED,
    GEN_ERR,
    INCONSISTENT_VALUE,
    NO_CREATION,
    NOT_WRITABLE,
    WRONG_LENGTH,
    WRONG_TYPE,
    WRONG_VALUE,
    SetRefused,
)
from .ntcip_ber import Oid, Varbind
from .ntcip_stored import Index, blank, findings, fixed_values, rows_of

__all__ = ["TRANSACTION_MS", "StandInTree"]

SECURITY_BRANCH: Final = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 6, 5)
DMS_BRANCH: Final = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 3)
TAG_OF: Final = {
    Syntax.INTEGER: ber.INTEGER,
    Syntax.COUNTER: ber.COUNTER32,
    Syntax.GAUGE: ber.GAUGE32,
    Syntax.OCTETS: ber.OCTETS,
    Syntax.OPAQUE: ber.OPAQUE,
    Syntax.ADDRESS: ber.IP_ADDRESS,
    Syntax.OBJECT_ID: ber.OBJECT_ID,
}
NORMAL: Final = 1
TRANSACTION: Final = 2
VERIFYING: Final = 3
DONE: Final = 6
NOT_DONE: Final = 0
WITH_ERROR: Final = 1
WITHOUT_ERROR: Final = 2
TRANSACTION_STEPS: Final = {
    (NORMAL, TRANSACTION),
    (TRANSACTION, VERIFYING),
    (TRANSACTION, NORMAL),
    (DONE, NORMAL),
    (DONE, TRANSACTION),
    (NORMAL, NORMAL),
}
TRANSACTION_MS: Final = 30_000
RESERVED_UNIT_BITS: Final = 0b11
VOLATILE: Final = frozenset(
    {
        "unitControl",
        "specialFunctionOutputState",
        "ringControlGroupStopTime",
        "ringControlGroupForceOff",
        "ringControlGroupMax2",
        "ringControlGroupMaxInhibit",
        "ringControlGroupPedRecycle",
        "ringControlGroupRedRest",
        "ringControlGroupOmitRedClear",
    }
)
"""Control objects that mean nothing here: kept, counted as a sign of life, zero in backup mode."""
ORDERS: Final = frozenset({*CONTROLS, "systemPatternControl", "systemSyncControl", "preemptControlState"})
MANAGED: Final = frozenset({"dbCreateTransaction", "dbTransactionID", "globalTime", "unitBackupTime"})


class StandInTree:
    """Fills ``Tree``. ``clock`` is the time to which the stand-in was brought; call ``renew`` before each datagram."""

    def __init__(self, stand_in: StandIn, clock: Callable[[], int]) -> None:
        self.stand_in = stand_in
        self.layout: Layout = layout_of(stand_in.junction)
        self._clock = clock
        self._instances = self._list_instances()
        self._oids = sorted(self._instances)
        self._stored = self._initial_values()
        self._candidates: dict[Instance, Value] = {}
        self._owner = ""
        self._owner_ms = 0
        self._state = NORMAL
        self._verified = NOT_DONE
        self._error = b""
        self._transaction_id = 0
        self._sync_s = 0
        self._clock_shift_s = 0
        self._status: FieldStatus | None = None
        self._masks: dict[str, int] = {}

    def _list_instances(self) -> dict[Oid, Instance]:
        rows = rows_of(self.layout)
        found: dict[Oid, Instance] = {}
        for kind in object_types().values():
            if (
                kind.oid[: len(SECURITY_BRANCH)] == SECURITY_BRANCH
                or kind.oid[: len(DMS_BRANCH)] == DMS_BRANCH
            ):
                continue
            for index in rows[kind.index] if kind.index else [()]:
                what = Instance(kind, index)
                found[what.oid] = what
        return found

    def _initial_values(self) -> dict[Instance, Value]:
        values: dict[Instance, Value] = {}
        for what in self._instances.values():
            kind = what.kind
            if kind.name in kind.index:
                values[what] = what.row[kind.index.index(kind.name)]
            else:
                values[what] = blank(kind.syntax, kind.least)
        fixed = fixed_values(self.layout)
        values.update({what: value for what, value in fixed.items() if what in values})
        return values

    def renew(self) -> None:
        """The next answers are of now."""
        self._status = None
        if self._state != NORMAL and self._clock() - self._owner_ms >= TRANSACTION_MS:
            self._end_transaction()
        if self.stand_in.status().mode is Mode.BACKUP:
            self._sync_s = 0
            for what in self._stored:
                if what.kind.name in VOLATILE:
                    self._stored[what] = 0

    def get(self, oid: Oid) -> Varbind:
        """The instance, or why there is none."""
        what = self._instances.get(oid)
        if what is None:
            known = type_at(oid) is not None
            return Varbind(oid, ber.NO_SUCH_INSTANCE if known else ber.NO_SUCH_OBJECT, None)
        return Varbind(oid, TAG_OF[what.kind.syntax], self._value(what))

    def after(self, oid: Oid) -> Varbind | None:
        """The next instance in order."""
        at = bisect_right(self._oids, oid)
        return self.get(self._oids[at]) if at < len(self._oids) else None

    def is_scalar(self, oid: Oid) -> bool:
        """Is this a scalar that is served?"""
        what = self._instances.get(oid)
        return what is not None and not what.row

    def _value(self, what: Instance) -> Value:
        name, index = what.kind.name, what.row
        if name in self._shown:
            row = index[0] - 1 if index else 0
            return self._shown[name] >> ROW * row & 0xFF
        status = self._now
        match name:
            case "dbCreateTransaction":
                return self._state
            case "dbTransactionID":
                return self._transaction_id
            case "dbVerifyStatus":
                return self._verified
            case "dbVerifyError":
                return self._error
            case "globalTime" | "eventLogTime":
                return (status.clock_s + self._clock_shift_s) % (1 << 32)
            case "globalSetIDParameter":
                return status.config_id & 0xFFFF
            case "unitBackupTime":
                return min(-(-self.stand_in.backup_ms // 1000), 65535)
            case "unitControlStatus":
                return MODE_WORDS[status.mode]
            case "unitFlashStatus":
                return FLASH_WORDS[status.flash]
            case "unitAlarmStatus1" | "unitAlarmStatus2" | "shortAlarmStatus":
                return _alarm_octet(name, status.alarms)
            case "preemptState":
                return PREEMPT_WORDS[status.preempts[self._preempt(index[0])]]
            case "preemptControlState":
                return self.stand_in.controls.preempt >> index[0] - 1 & 1
            case "detectorVolume" | "detectorOccupancy" | "volumeOccupancySequence" | "volumeOccupancyPeriod":
                return self._period_value(name, index)
        return self._coordination(what, status)

    def _coordination(self, what: Instance, status: FieldStatus) -> Value:
        match what.kind.name:
            case "coordPatternStatus":
                return status.pattern
            case "coordCycleStatus":
                return -(-status.cycle_left_ms // 1000) if status.cycle_ms else 0
            case "coordSyncStatus":
                return (status.cycle_ms - status.cycle_left_ms) // 1000 if status.cycle_ms else 0
            case "localFreeStatus":
                return 2 if status.cycle_ms else 3
            case "systemPatternControl":
                return self.stand_in.controls.pattern
            case "systemSyncControl":
                return self._sync_s
        return self._stored[what]

    @property
    def _now(self) -> FieldStatus:
        if self._status is None:
            self._status = self.stand_in.status()
            self._masks = self._group_masks(self._status)
        return self._status

    @property
    def _shown(self) -> dict[str, int]:
        """Group masks of now."""
        _ = self._now
        return self._masks

    def _group_masks(self, status: FieldStatus) -> dict[str, int]:
        layout = self.layout
        masks = layout.lamps(status.aspects)
        masks |= layout.controls(self.stand_in.controls.masks)
        masks["phaseStatusGroupVehCalls"] = self._by_number(status.calls, (FieldKind.PHASE,))
        masks["phaseStatusGroupPedCalls"] = self._by_number(status.calls, (FieldKind.PEDESTRIAN,))
        masks["phaseStatusGroupPhaseOns"] = self._by_number(status.on, LEADERS)
        masks["phaseStatusGroupPhaseNexts"] = self._by_number(status.following, LEADERS)
        masks["vehicleDetectorStatusGroupActive"] = self._by_loop(status.detector_on)
        masks["vehicleDetectorStatusGroupAlarms"] = self._by_loop(status.detector_alarm)
        for colour in ("Reds", "Yellows", "Greens"):
            masks[f"channelStatusGroup{colour}"] = 0
        for g, kind in enumerate(layout.kinds):
            for colour, lamp in zip(("Reds", "Yellows", "Greens"), LAMPS[kind], strict=True):
                masks[f"channelStatusGroup{colour}"] |= (masks[lamp] >> layout.numbers[g] - 1 & 1) << g
        return masks

    def _by_number(self, mask: int, kinds: Iterable[FieldKind]) -> int:
        layout = self.layout
        groups = (g for g, kind in enumerate(layout.kinds) if kind in kinds)
        found = 0
        for g in groups:
            if kinds is not LEADERS or layout.leads_phase(g):
                found |= (mask >> g & 1) << layout.numbers[g] - 1
        return found

    def _by_loop(self, mask: int) -> int:
        return sum((mask >> d & 1) << n for n, d in enumerate(self.layout.vehicle_detectors))

    def _preempt(self, number: int) -> int:
        return sorted(preempt.number for preempt in self.stand_in.junction.preempts).index(number)

    def _period_value(self, name: str, index: Index) -> Value:
        periods = self._now.periods
        if name == "volumeOccupancyPeriod":
            return min(self.stand_in.config.period_ms // 1000, 255)
        if periods is None:
            return 0
        if name == "volumeOccupancySequence":
            return periods.sequence
        values = periods.volume if name == "detectorVolume" else periods.occupancy
        return values[self.layout.vehicle_detectors[index[0] - 1]]

    def set(self, varbinds: Sequence[Varbind], master: str) -> None:
        """Judge all, then do all."""
        wanted: list[tuple[Instance, Value]] = []
        for n, varbind in enumerate(varbinds, start=1):
            wanted.append(self._checked(n, varbind, master))
        orders = self._orders(wanted)
        self._obey(orders)
        for what, value in wanted:
            self._keep(what, value, master)
        self._status = None

    def _checked(self, n: int, varbind: Varbind, master: str) -> tuple[Instance, Value]:
        what = self._instances.get(varbind.oid)
        if what is None:
            raise SetRefused(n, NO_CREATION)
        kind = what.kind
        if not kind.is_writable:
            raise SetRefused(n, NOT_WRITABLE)
        value = varbind.value
        if varbind.tag != TAG_OF[kind.syntax] or value is None:
            raise SetRefused(n, WRONG_TYPE)
        try:
            check_value(what, value)
        except BridgeError as err:
            raise SetRefused(n, WRONG_LENGTH if isinstance(value, bytes) else WRONG_VALUE) from err
        if kind.name == "unitControl" and isinstance(value, int) and value & RESERVED_UNIT_BITS:
            raise SetRefused(n, WRONG_VALUE)
        self._check_transaction(n, what, value, master)
        return what, value

    def _check_transaction(self, n: int, what: Instance, value: Value, master: str) -> None:
        """Who has opened a transaction is alone with the parameters until it is over."""
        if what.kind.name in ORDERS or what.kind.name in VOLATILE:
            return
        if self._state != NORMAL and master != self._owner:
            raise SetRefused(n, GEN_ERR)
        if what.kind.name == "dbCreateTransaction" and (self._state, value) not in TRANSACTION_STEPS:
            raise SetRefused(n, INCONSISTENT_VALUE)

    def _orders(self, wanted: Sequence[tuple[Instance, Value]]) -> list[Order]:
        """Commands for the stand-in: all masks of one SET in one."""
        words = self.layout.controls(self.stand_in.controls.masks)
        pattern, sync_s, preempts = (
            self.stand_in.controls.pattern,
            MOST_SYNC_S,
            self.stand_in.controls.preempt,
        )
        touched: set[str] = set()
        for what, value in wanted:
            name = what.kind.name
            if name not in ORDERS or not isinstance(value, int):
                continue
            touched.add(name)
            if name in words:
                shift = ROW * (what.row[0] - 1)
                words[name] = words[name] & ~(0xFF << shift) | value << shift
            elif name == "preemptControlState":
                bit = 1 << what.row[0] - 1
                preempts = preempts & ~bit | bit * value
            elif name == "systemPatternControl":
                pattern = value
            else:
                sync_s = value
        orders: list[Order] = []
        if touched & words.keys():
            orders.append(self.layout.masks(words, Masks()))
        if touched & {"systemPatternControl", "systemSyncControl"}:
            orders.append(PatternRequest(pattern, sync_s))
        if "preemptControlState" in touched:
            orders.append(PreemptRequest(preempts))
        return orders

    def _obey(self, orders: Sequence[Order]) -> None:
        now_ms = self._clock()
        for order in orders:
            if self.stand_in.command(FieldCommand(now_ms, now_ms, order), now_ms) is not Verdict.ACCEPTED:
                raise SetRefused(1, COMMIT_FAILED)

    def _keep(self, what: Instance, value: Value, master: str) -> None:
        name = what.kind.name
        if name in VOLATILE:
            self._stored[what] = value
            self.stand_in.touch(self._clock())
        elif name == "systemSyncControl" and isinstance(value, int):
            self._sync_s = value
        elif name in MANAGED and isinstance(value, int):
            self._manage(name, value, master)
        elif name not in ORDERS:
            self._owner_ms = self._clock()
            if self._state == TRANSACTION:
                self._candidates[what] = value
            else:
                self._store({what: value})

    def _manage(self, name: str, value: int, master: str) -> None:
        if name == "dbCreateTransaction":
            self._step(value, master)
        elif name == "dbTransactionID":
            self._transaction_id = value
        elif name == "globalTime":
            self._clock_shift_s = value - self.stand_in.status().clock_s
        else:
            self.stand_in.backup_ms = 1000 * value
            self.stand_in.config_id += 1

    def _step(self, wanted: int, master: str) -> None:
        """The dialogue of a transaction; verifying ends at once."""
        self._owner_ms = self._clock()
        if wanted == TRANSACTION:
            self._owner, self._candidates, self._verified, self._error = master, {}, NOT_DONE, b""
        elif wanted == VERIFYING:
            found = next(findings(self._stored | self._candidates, self.layout), "")
            self._verified = WITH_ERROR if found else WITHOUT_ERROR
            self._error = found.encode()[:255]
            wanted = DONE
        elif self._state == DONE and self._verified == WITHOUT_ERROR:
            self._store(self._candidates)
        self._state = wanted
        if wanted == NORMAL:
            self._end_transaction()

    def _end_transaction(self) -> None:
        self._state, self._candidates, self._owner = NORMAL, {}, ""

    def _store(self, values: dict[Instance, Value]) -> None:
        if any(self._stored[what] != value for what, value in values.items()):
            self._stored.update(values)
            self.stand_in.config_id += 1


LEADERS: Final = (FieldKind.PHASE, FieldKind.PEDESTRIAN)


def _alarm_octet(name: str, alarms: Alarm) -> int:
    octet = 0
    for alarm, (holder, bit) in ALARM_BITS.items():
        if holder == name and alarms & alarm:
            octet |= 1 << bit
    return octet

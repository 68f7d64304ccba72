"""What is asked of a controller, and the status that its answers make.

What the protocol cannot tell: permissive green is green, flashing green is green, red and amber of pedestrians is
don't walk; a pedestrian button is on while its phase has a call; the groups that follow, and red clearance, of overlaps
and of pedestrians beside vehicles.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, cast

from greensplit.engine.model.aspects import DARK, RED, RED_AMBER
from greensplit.engine.model.site import Junction

from ..field import (
    FLASH_PATTERN,
    VOLUME_OVERFLOW,
    Alarm,
    Controls,
    FieldStatus,
    FieldTables,
    Masks,
    Periods,
    Remote,
    tables_of,
)
from ..numbering import FieldKind
from .layout import CONTROLS, LAMPS, Layout, from_octets
from .manager import Values
from .objects import Instance, instance
from .words import ALARM_BITS, read_flash, read_mode, read_preempt

__all__ = ["Reader"]

UNIT: Final = (
    "unitControlStatus",
    "unitFlashStatus",
    "unitAlarmStatus1",
    "unitAlarmStatus2",
    "shortAlarmStatus",
    "coordPatternStatus",
    "coordCycleStatus",
    "systemPatternControl",
    "globalSetIDParameter",
    "globalTime",
)
PHASES: Final = (
    "phaseStatusGroupVehCalls",
    "phaseStatusGroupPedCalls",
    "phaseStatusGroupPhaseOns",
    "phaseStatusGroupPhaseNexts",
)
LOOPS: Final = ("vehicleDetectorStatusGroupActive", "vehicleDetectorStatusGroupAlarms")


class Reader:
    """Which objects tell what of one junction."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.junction: Junction = layout.junction
        self._preempts = sorted(preempt.number for preempt in self.junction.preempts)

    @cached_property
    def status_objects(self) -> tuple[Instance, ...]:
        """Everything of a status but volume and occupancy."""
        layout = self.layout
        names = list(UNIT)
        whats = [instance(name) for name in names]
        for row in range(1, layout.phase_rows + 1):
            phase_lamps = LAMPS[FieldKind.PHASE] + LAMPS[FieldKind.PEDESTRIAN]
            whats += [instance(name, row) for name in (*phase_lamps, *PHASES, *CONTROLS)]
        for row in range(1, layout.overlap_rows + 1):
            whats += [instance(name, row) for name in LAMPS[FieldKind.OVERLAP]]
        if layout.vehicle_detectors:
            whats.append(instance("volumeOccupancySequence"))
        for number in self._preempts:
            whats += [instance("preemptState", number), instance("preemptControlState", number)]
        return tuple(whats) + self.detector_objects

    @cached_property
    def detector_objects(self) -> tuple[Instance, ...]:
        """The fast look: active bits and alarms, and the calls of buttons."""
        rows = range(1, self.layout.detector_rows + 1)
        calls = range(1, self.layout.phase_rows + 1) if self.layout.buttons else ()
        loops = [instance(name, row) for row in rows for name in LOOPS]
        return (*loops, *(instance("phaseStatusGroupPedCalls", row) for row in calls))

    @cached_property
    def period_objects(self) -> tuple[Instance, ...]:
        """Volume and occupancy between two looks at the sequence number of their period."""
        numbers = range(1, len(self.layout.vehicle_detectors) + 1)
        pairs = [instance(name, n) for n in numbers for name in ("detectorVolume", "detectorOccupancy")]
        return (*pairs, instance("volumeOccupancySequence"), instance("volumeOccupancyPeriod"))

    @cached_property
    def table_objects(self) -> tuple[Instance, ...]:
        """What is read on connecting."""
        layout = self.layout
        names = [
            "unitBackupTime",
            "maxPhases",
            "maxVehicleDetectors",
            "maxPedestrianDetectors",
            "maxOverlaps",
        ]
        whats = [instance(name) for name in names]
        for g, number in enumerate(layout.numbers):
            if layout.kinds[g] is FieldKind.OVERLAP:
                continue
            least, clear = LEAST_AND_CLEAR[layout.kinds[g]]
            whats += [instance(least, number), instance(clear, number)]
            if layout.leads_phase(g):
                whats += [instance("phaseConcurrency", number), instance("phaseRing", number)]
        return tuple(whats)

    @cached_property
    def cycle_objects(self) -> tuple[Instance, ...]:
        """Cycle times of the patterns."""
        return tuple(instance("patternCycleTime", p) for p in range(1, len(self.junction.plans) + 1))

    def mask(self, values: Values, name: str) -> int:
        """A group object, all rows."""
        overlaps = name.startswith("overlap")
        rows = self.layout.overlap_rows if overlaps else self.layout.phase_rows
        if name in LOOPS:
            rows = self.layout.detector_rows
        return from_octets(_number(values, name, row) for row in range(1, rows + 1))

    def detectors(self, values: Values) -> tuple[int, int]:
        """Masks of detectors that are on, and that are out of order."""
        active, alarms = (self.mask(values, name) for name in LOOPS)
        on = sum((active >> n & 1) << d for n, d in enumerate(self.layout.vehicle_detectors))
        bad = sum((alarms >> n & 1) << d for n, d in enumerate(self.layout.vehicle_detectors))
        if self.layout.buttons:
            calls = self._groups(self.mask(values, "phaseStatusGroupPedCalls"), FieldKind.PEDESTRIAN)
            for d in self.layout.buttons:
                groups = sum(1 << number - 1 for number in self.junction.detectors[d].groups)
                on |= bool(groups & calls) << d
        return on, bad

    def _groups(self, mask: int, kind: FieldKind) -> int:
        """Groups of a kind whose number is in a mask of numbers."""
        layout = self.layout
        return sum(
            (mask >> layout.numbers[g] - 1 & 1) << g for g, each in enumerate(layout.kinds) if each is kind
        )

    def _leading(self, mask: int) -> int:
        layout = self.layout
        leaders = (g for g in range(len(layout.kinds)) if layout.leads_phase(g))
        return sum((mask >> layout.numbers[g] - 1 & 1) << g for g in leaders)

    def status(
        self, values: Values, t_ms: int, periods: Periods | None, cycles_s: Sequence[int], told: Masks
    ) -> FieldStatus:
        """The status. Raises BridgeError for answers that contradict themselves."""
        layout = self.layout
        aspects = layout.aspects(
            {name: self.mask(values, name) for names in LAMPS.values() for name in names}
        )
        moving = sum((a not in (RED, RED_AMBER, DARK)) << g for g, a in enumerate(aspects))
        leaders = self._leading(-1)
        on = self._leading(self.mask(values, "phaseStatusGroupPhaseOns")) | moving & ~leaders
        calls = self._groups(self.mask(values, "phaseStatusGroupVehCalls"), FieldKind.PHASE)
        calls |= self._groups(self.mask(values, "phaseStatusGroupPedCalls"), FieldKind.PEDESTRIAN)
        pattern = _number(values, "coordPatternStatus")
        cycle_ms = 1000 * cycles_s[pattern - 1] if 1 <= pattern <= len(cycles_s) else 0
        detector_on, detector_alarm = self.detectors(values)
        return FieldStatus(
            t_ms=t_ms,
            aspects=aspects,
            on=on,
            following=self._leading(self.mask(values, "phaseStatusGroupPhaseNexts")),
            calls=calls,
            detector_on=detector_on,
            detector_alarm=detector_alarm,
            periods=periods,
            mode=read_mode(_number(values, "unitControlStatus")),
            flash=read_flash(_number(values, "unitFlashStatus")),
            pattern=pattern,
            cycle_ms=cycle_ms,
            cycle_left_ms=1000 * _number(values, "coordCycleStatus") if cycle_ms else 0,
            stage=-1,
            preempts=tuple(
                read_preempt(_number(values, "preemptState", number)) for number in self._preempts
            ),
            alarms=_alarms(values),
            controls=self._controls(values, told),
            config_id=_number(values, "globalSetIDParameter"),
            clock_s=_number(values, "globalTime"),
        )

    def _controls(self, values: Values, told: Masks) -> Controls:
        masks = self.layout.masks({name: self.mask(values, name) for name in CONTROLS}, told)
        pattern = _number(values, "systemPatternControl")
        preempts = sum(_number(values, "preemptControlState", n) << n - 1 for n in self._preempts)
        remote = Remote.FLASH if pattern == FLASH_PATTERN else Remote.LOCAL
        return Controls(masks, self.layout.stage_of(masks), pattern, preempts, remote)

    def periods(self, values: Values, sequence: int) -> Periods | None:
        """Volume and occupancy, None where the period ended while they were read."""
        if _number(values, "volumeOccupancySequence") != sequence:
            return None
        volume = [0] * len(self.junction.detectors)
        occupancy = [0] * len(self.junction.detectors)
        for n, d in enumerate(self.layout.vehicle_detectors, start=1):
            volume[d] = min(_number(values, "detectorVolume", n), VOLUME_OVERFLOW)
            occupancy[d] = _number(values, "detectorOccupancy", n)
        period_ms = 1000 * max(_number(values, "volumeOccupancyPeriod"), 1)
        return Periods(sequence, period_ms, tuple(volume), tuple(occupancy))

    def tables(self, values: Values) -> FieldTables:
        """What the controller says of itself, in the model's numbers where both agree in the protocol's."""
        backup_ms = 1000 * _number(values, "unitBackupTime")
        model = tables_of(self.junction, backup_ms)
        loops, buttons = _number(values, "maxVehicleDetectors"), _number(values, "maxPedestrianDetectors")
        has_room = (
            _number(values, "maxPhases") >= max(self._phase_numbers, default=0)
            and _number(values, "maxOverlaps") >= max(self._overlap_numbers, default=0)
            and all(_number(values, "phaseRing", n) for n in self._phase_numbers)
        )
        enough = loops >= len(self.layout.vehicle_detectors) and buttons >= len(self.layout.buttons)
        return FieldTables(
            groups=model.groups
            if has_room
            else sum(_number(values, "phaseRing", n) > 0 for n in self._phase_numbers),
            detectors=model.detectors if enough else loops + buttons,
            stages=None,
            together=self._together(values, model.together or ()),
            min_green_ms=self._times(values, model.min_green_ms or (), 0),
            clearance_ms=self._times(values, model.clearance_ms or (), 1),
            backup_ms=backup_ms,
        )

    @cached_property
    def _phase_numbers(self) -> tuple[int, ...]:
        layout = self.layout
        return tuple(n for g, n in enumerate(layout.numbers) if layout.leads_phase(g))

    @cached_property
    def _overlap_numbers(self) -> tuple[int, ...]:
        pairs = zip(self.layout.kinds, self.layout.numbers, strict=True)
        return tuple(n for kind, n in pairs if kind is FieldKind.OVERLAP)

    def _together(self, values: Values, model: Sequence[int]) -> tuple[int, ...]:
        """Groups that may be green together: phases as told, others and phases of one ring as in the model."""
        layout = self.layout
        leaders = [g for g in range(len(layout.kinds)) if layout.leads_phase(g)]
        found = list(model)
        for g in leaders:
            numbers = cast(bytes, values[instance("phaseConcurrency", layout.numbers[g])])
            ring = _number(values, "phaseRing", layout.numbers[g])
            for other in leaders:
                if other != g and _number(values, "phaseRing", layout.numbers[other]) != ring:
                    may = layout.numbers[other] in numbers
                    found[g] = found[g] & ~(1 << other) | may << other
        return tuple(found)

    def _times(self, values: Values, model: Sequence[int], which: int) -> tuple[int, ...]:
        found = list(model)
        for g, kind in enumerate(self.layout.kinds):
            if kind is not FieldKind.OVERLAP:
                name = LEAST_AND_CLEAR[kind][which]
                unit_ms = 100 if name == "phaseYellowChange" else 1000
                told = _number(values, name, self.layout.numbers[g])
                if told != -(-model[g] // unit_ms):
                    found[g] = told * unit_ms
        return tuple(found)


LEAST_AND_CLEAR: Final = {
    FieldKind.PHASE: ("phaseMinimumGreen", "phaseYellowChange"),
    FieldKind.PEDESTRIAN: ("phaseWalk", "phasePedestrianClear"),
}


def _number(values: Values, name: str, *index: int) -> int:
    return cast(int, values[instance(name, *index)])


def _alarms(values: Values) -> Alarm:
    found = Alarm.NONE
    for alarm, (name, bit) in ALARM_BITS.items():
        if _number(values, name) >> bit & 1:
            found |= alarm
    return found

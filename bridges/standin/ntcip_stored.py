"""Rows and stored parameters of a simulated NTCIP controller, as its model sets them up; and what a transaction checks.

Derived from NTCIP 1202. Copyright by AASHTO / ITE / NEMA. Used by permission.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from greensplit.engine.model.site import Junction

from ..field import tables_of
from ..ntcip.layout import ROW, Layout
from ..ntcip.objects import Instance, Syntax, Value, instance
from ..numbering import FieldKind

__all__ = ["Index", "findings", "fixed_values", "rows_of"]

Index = tuple[int, ...]
RING_ROW: Final = 8
TENTHS: Final = 100
SECONDS: Final = 1000


def rows_of(layout: Layout) -> dict[tuple[str, ...], list[Index]]:
    """The rows of every table, by the names of its index."""
    junction = layout.junction
    phases, patterns = layout.phase_rows * ROW, len(junction.plans)
    preempts = [preempt.number for preempt in junction.preempts]
    counts = {
        "phaseNumber": phases,
        "phaseStatusGroupNumber": layout.phase_rows,
        "phaseControlGroupNumber": layout.phase_rows,
        "vehicleDetectorNumber": len(layout.vehicle_detectors),
        "vehicleDetectorStatusGroupNumber": layout.detector_rows,
        "pedestrianDetectorNumber": len(layout.buttons),
        "alarmGroupNumber": 1,
        "specialFunctionOutputNumber": 1,
        "patternNumber": patterns,
        "timebaseAscActionNumber": patterns,
        "ringControlGroupNumber": -(-phases // RING_ROW),
        "channelNumber": len(layout.numbers),
        "channelStatusGroupNumber": -(-len(layout.numbers) // ROW),
        "overlapNumber": layout.overlap_rows * ROW,
        "overlapStatusGroupNumber": layout.overlap_rows,
        "port1Number": 1,
        "moduleNumber": 1,
        "timeBaseScheduleNumber": 1,
        "eventConfigID": 1,
        "eventClassNumber": 1,
    }
    rows: dict[tuple[str, ...], list[Index]] = {
        (name,): [(n,) for n in range(1, most + 1)] for name, most in counts.items()
    }
    rows[("preemptNumber",)] = rows[("preemptControlNumber",)] = [(n,) for n in preempts]
    rows[("splitNumber", "splitPhase")] = [
        (s, p) for s in range(1, patterns + 1) for p in range(1, phases + 1)
    ]
    rows[("sequenceNumber", "sequenceRingNumber")] = [(1, ring) for ring in range(1, _rings(layout) + 1)]
    rows[("dayPlanNumber", "dayPlanEventNumber")] = [(1, 1)]
    rows[("eventLogClass", "eventLogNumber")] = [(1, 1)]
    return rows


def _rings(layout: Layout) -> int:
    """Free stages are phases of which each has a ring of its own."""
    return len(layout.junction.rings) or layout.phase_rows * ROW


def fixed_values(layout: Layout) -> dict[Instance, Value]:
    """What the model says of the controller's limits and parameters; the rest is zero, or the least that is allowed."""
    values: dict[Instance, Value] = {}
    for part in (_limits(layout), _phases(layout), _overlaps(layout), _patterns(layout), _detectors(layout)):
        values.update(part)
    return values


def _limits(layout: Layout) -> Iterator[tuple[Instance, Value]]:
    junction = layout.junction
    for name, value in (
        ("maxPhases", layout.phase_rows * ROW),
        ("maxPhaseGroups", layout.phase_rows),
        ("maxVehicleDetectors", len(layout.vehicle_detectors)),
        ("maxVehicleDetectorStatusGroups", layout.detector_rows),
        ("activeVolumeOccupancyDetectors", len(layout.vehicle_detectors)),
        ("maxPedestrianDetectors", len(layout.buttons)),
        ("maxAlarmGroups", 1),
        ("maxSpecialFunctionOutputs", 1),
        ("maxPatterns", len(junction.plans)),
        ("patternTableType", 2),
        ("maxSplits", len(junction.plans)),
        ("maxTimebaseAscActions", len(junction.plans)),
        ("maxPreempts", len(junction.preempts)),
        ("maxRings", _rings(layout)),
        ("maxSequences", 1),
        ("maxRingControlGroups", -(-_rings(layout) // RING_ROW)),
        ("maxChannels", len(layout.numbers)),
        ("maxChannelStatusGroups", -(-len(layout.numbers) // ROW)),
        ("maxOverlaps", layout.overlap_rows * ROW),
        ("maxOverlapStatusGroups", layout.overlap_rows),
        ("maxPort1Addresses", 1),
        ("globalMaxModules", 1),
        ("maxTimeBaseScheduleEntries", 1),
        ("maxDayPlans", 1),
        ("maxDayPlanEvents", 1),
        ("maxEventLogConfigs", 1),
        ("maxEventLogSize", 1),
        ("maxEventClasses", 1),
        ("unitAutoPedestrianClear", 2),
        ("dbErrorType", 7),
        ("dbCreateTransaction", 1),
        ("globalDaylightSaving", 2),
    ):
        yield instance(name), value
    yield instance("moduleMake", 1), b"greensplit"
    yield instance("moduleModel", 1), b"simulated controller"
    yield instance("moduleType", 1), 3


def _phases(layout: Layout) -> Iterator[tuple[Instance, Value]]:
    junction = layout.junction
    for g, group in enumerate(junction.groups):
        phase = layout.numbers[g]
        if layout.kinds[g] is FieldKind.OVERLAP:
            continue
        if layout.kinds[g] is FieldKind.PEDESTRIAN:
            yield instance("phaseWalk", phase), _at_most(group.min_green_ms, SECONDS)
            yield instance("phasePedestrianClear", phase), _at_most(group.sequence.stop_ms, SECONDS)
        else:
            yield instance("phaseMinimumGreen", phase), _at_most(group.min_green_ms, SECONDS)
            yield instance("phaseYellowChange", phase), _at_most(group.sequence.stop_ms, TENTHS)
            yield instance("phaseMaximum1", phase), _at_most(group.max_green_ms, SECONDS)
            yield instance("phasePassage", phase), _at_most(group.passage_ms, TENTHS)
        if layout.leads_phase(g):
            yield instance("phaseRedClear", phase), _at_most(_red_clear_ms(junction, g), TENTHS)
            yield instance("phaseOptions", phase), 1
            yield instance("phaseRing", phase), _ring(layout, g)
            yield instance("phaseConcurrency", phase), _concurrency(layout, g)
    for ring in range(1, _rings(layout) + 1):
        yield instance("sequenceData", 1, ring), _sequence(layout, ring)


def _red_clear_ms(junction: Junction, g: int) -> int:
    """The longest that a conflicting group waits after the yellow of this one."""
    number, stop_ms = g + 1, junction.groups[g].sequence.stop_ms
    waits = [m.intergreen_ms for m in junction.meetings if m.first == number and m.kind == "conflict"]
    waits += [m.reverse_ms for m in junction.meetings if m.second == number and m.kind == "conflict"]
    return max([wait - stop_ms for wait in waits] + [0])


def _ring(layout: Layout, g: int) -> int:
    for r, ring in enumerate(layout.junction.rings, start=1):
        if any(g + 1 in step.groups for step in ring.steps):
            return r
    return layout.numbers[g]


def _concurrency(layout: Layout, g: int) -> bytes:
    together = tables_of(layout.junction, 0).together or ()
    mine = _ring(layout, g)
    numbers = {
        layout.numbers[other]
        for other in range(len(layout.numbers))
        if layout.leads_phase(other) and together[g] >> other & 1 and _ring(layout, other) != mine
    }
    return bytes(sorted(numbers))


def _sequence(layout: Layout, ring: int) -> bytes:
    if not layout.junction.rings:
        return bytes({ring} & {n for g, n in enumerate(layout.numbers) if layout.leads_phase(g)})
    steps = layout.junction.rings[ring - 1].steps
    groups = [next((n for n in step.groups if layout.leads_phase(n - 1)), 0) for step in steps]
    return bytes(layout.numbers[n - 1] for n in groups if n)


def _overlaps(layout: Layout) -> Iterator[tuple[Instance, Value]]:
    for row in range(1, layout.overlap_rows * ROW + 1):
        yield instance("overlapType", row), 1
    for g, group in enumerate(layout.junction.groups):
        if layout.kinds[g] is FieldKind.OVERLAP:
            number = layout.numbers[g]
            yield instance("overlapType", number), 2
            parents = bytes(sorted(layout.numbers[parent - 1] for parent in group.parents))
            yield instance("overlapIncludedPhases", number), parents
    for g, kind in enumerate(layout.kinds):
        source = 4 if kind is FieldKind.OVERLAP else 3 if kind is FieldKind.PEDESTRIAN else 2
        yield instance("channelControlType", g + 1), source
        yield instance("channelControlSource", g + 1), layout.numbers[g]


def _patterns(layout: Layout) -> Iterator[tuple[Instance, Value]]:
    """Splits are the greens of the steps that serve a phase, with the yellow after them."""
    for p, plan in enumerate(layout.junction.plans, start=1):
        yield instance("patternCycleTime", p), _at_most(plan.cycle_ms, SECONDS)
        yield instance("patternOffsetTime", p), min(plan.offset_ms // SECONDS, 255)
        yield instance("patternSplitNumber", p), p
        yield instance("patternSequenceNumber", p), 1
        yield instance("timebaseAscPattern", p), p
        for g, group in enumerate(layout.junction.groups):
            if layout.leads_phase(g):
                green_ms = sum(
                    step.green_ms for step in plan.steps if _serves(layout.junction, step.stage, g + 1)
                )
                if green_ms:
                    split_ms = green_ms + group.sequence.stop_ms
                    yield instance("splitTime", p, layout.numbers[g]), _at_most(split_ms, SECONDS)


def _serves(junction: Junction, name: str, number: int) -> bool:
    steps = [step for ring in junction.rings for step in ring.steps if step.name == name]
    if steps:
        return number in steps[0].groups
    return any(stage.name == name and number in stage.green for stage in junction.stages)


def _detectors(layout: Layout) -> Iterator[tuple[Instance, Value]]:
    for names, positions in (
        ("vehicleDetectorCallPhase", layout.vehicle_detectors),
        ("pedestrianDetectorCallPhase", layout.buttons),
    ):
        for n, d in enumerate(positions, start=1):
            groups = layout.junction.detectors[d].groups
            yield instance(names, n), layout.numbers[groups[0] - 1] if groups else 0
    for n in range(1, len(layout.vehicle_detectors) + 1):
        yield instance("vehicleDetectorOptions", n), 0b1000_0011


def _at_most(time_ms: int, unit_ms: int) -> int:
    """Whole units, rounded up, as far as an octet goes."""
    return min(-(-time_ms // unit_ms), 255)


def blank(kind: Syntax, least: int | None) -> Value:
    """What stands where nobody has set anything."""
    if kind is Syntax.OBJECT_ID:
        return (0, 0)
    if kind in (Syntax.OCTETS, Syntax.OPAQUE):
        return bytes(least or 0)
    return max(least or 0, 0)


def findings(values: Mapping[Instance, Value], layout: Layout) -> Iterator[str]:
    """What is wrong with a set of parameters, in words (the consistency checks of NTCIP 1202, annex B)."""
    phases = range(1, layout.phase_rows * ROW + 1)
    rings = {p: values[instance("phaseRing", p)] for p in phases}
    concurrency = {p: _octets(values[instance("phaseConcurrency", p)]) for p in phases}
    for p in phases:
        for other in concurrency[p]:
            if other not in rings:
                yield f"phaseConcurrency.{p}: no phase {other}"
            elif rings[other] == rings[p]:
                yield f"phaseConcurrency.{p}: phase {other} is in the same ring"
            elif p not in concurrency[other]:
                yield f"phaseConcurrency.{p}: phase {other} does not name {p}"
    yield from _pattern_findings(values, layout)
    for n in range(1, layout.overlap_rows * ROW + 1):
        for p in _octets(values[instance("overlapIncludedPhases", n)]):
            if p not in rings:
                yield f"overlapIncludedPhases.{n}: no phase {p}"


def _pattern_findings(values: Mapping[Instance, Value], layout: Layout) -> Iterator[str]:
    for n in range(1, len(layout.junction.plans) + 1):
        cycle_s, offset_s = _number(values, "patternCycleTime", n), _number(values, "patternOffsetTime", n)
        if cycle_s and offset_s >= cycle_s:
            yield f"patternOffsetTime.{n}: {offset_s} s is not less than the cycle of {cycle_s} s"
        for p in range(1, layout.phase_rows * ROW + 1):
            split_s = _number(values, "splitTime", n, p)
            least_s = (
                _number(values, "phaseMinimumGreen", p) + (_number(values, "phaseYellowChange", p) + 9) // 10
            )
            if 0 < split_s < least_s:
                yield f"splitTime.{n}.{p}: {split_s} s is less than the minimum of {least_s} s"


def _number(values: Mapping[Instance, Value], name: str, *index: int) -> int:
    value = values[instance(name, *index)]
    return value if isinstance(value, int) else 0


def _octets(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""

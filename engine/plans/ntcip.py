"""Plans as the pattern and split tables of a field controller: object names and ranges of NTCIP 1202.

A split is the time from the start of one green to the start of the next of the ring, clearances included. Derived from
NTCIP 1202. Copyright by AASHTO / ITE / NEMA. Used by permission.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from ..model.aspects import GREEN, GREEN_FLASH, PERMISSIVE
from ..model.site import GroupKind, Junction, Plan, SignalGroup, Site
from .changes import plan_aspects

__all__ = ["RANGES", "junction_tables", "table_rows"]

U8 = npt.NDArray[np.uint8]
RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "patternNumber": (1, 253),
    "patternCycleTime": (0, 255),
    "patternOffsetTime": (0, 255),
    "patternSplitNumber": (0, 255),
    "patternSequenceNumber": (0, 255),
    "splitNumber": (1, 255),
    "splitPhase": (1, 255),
    "splitTime": (0, 255),
    "splitMode": (1, 7),
    "splitCoordPhase": (0, 1),
}
VEHICLE_RECALL, PEDESTRIAN_RECALL, VEHICLE_AND_PEDESTRIAN_RECALL = (
    4,
    5,
    6,
)  # maximum recalls, where of vehicles
FIRST_SEQUENCE = 1


def junction_tables(site: Site, junction: Junction, names: Sequence[str]) -> dict[str, Any]:
    """patternTable and splitTable of one junction, for its plans in ``names``; pattern n is the nth of them.

    Raises ModelError where a value is out of the range of its object.
    """
    plans = {plan.name: plan for plan in junction.plans}
    patterns, splits = [], []
    for number, name in enumerate(names, start=1):
        patterns.append(_pattern(plans[name], number))
        splits += _splits(site, junction, plans[name], number)
    for row in (*patterns, *splits):
        _must_be_in_range(junction, row)
    return {
        "device_id": junction.device_id,
        "junction": junction.id,
        "patternTable": patterns,
        "splitTable": splits,
    }


def table_rows(tables: Sequence[Mapping[str, Any]]) -> list[tuple[object, ...]]:
    """The same tables as one row per split, with its pattern, and a heading: for people and spreadsheets."""
    heading = ("device_id", "junction", *list(RANGES)[:5], *list(RANGES)[6:])
    rows: list[tuple[object, ...]] = [heading]
    for table in tables:
        pattern = {row["patternSplitNumber"]: row for row in table["patternTable"]}
        for split in table["splitTable"]:
            known = pattern[split["splitNumber"]] | split
            rows.append((table["device_id"], table["junction"], *(known[name] for name in heading[2:])))
    return rows


def _pattern(plan: Plan, number: int) -> dict[str, int]:
    return {
        "patternNumber": number,
        "patternCycleTime": plan.cycle_ms // 1000,
        "patternOffsetTime": plan.offset_ms // 1000,
        "patternSplitNumber": number,
        "patternSequenceNumber": FIRST_SEQUENCE,
    }


def _splits(site: Site, junction: Junction, plan: Plan, number: int) -> list[dict[str, int]]:
    """One row per phase; the groups of a phase, such as its pedestrians, share it. Overlaps follow their phases."""
    aspects = plan_aspects(site, junction, plan)
    coordinated = plan.coordinated or plan.steps[0].stage
    green = next(stage.green for stage in junction.stages if stage.name == coordinated)
    phases: dict[int, list[SignalGroup]] = {}
    is_numbered = any(group.phase for group in junction.groups)
    for group in junction.groups:
        if group.phase or not is_numbered:
            phases.setdefault(group.phase or group.number, []).append(group)
    return [
        {
            "splitNumber": number,
            "splitPhase": phase,
            "splitTime": max(_split_s(junction, group, aspects[:, group.number - 1]) for group in groups),
            "splitMode": _mode(groups),
            "splitCoordPhase": int(
                any(g.number in green and g.kind is not GroupKind.PEDESTRIAN for g in groups)
            ),
        }
        for phase, groups in sorted(phases.items())
    ]


def _split_s(junction: Junction, group: SignalGroup, aspect: U8) -> int:
    """Green, and the longest time until another group may follow; no more than the cycle."""
    green_s = int(np.isin(aspect, (GREEN, PERMISSIVE, GREEN_FLASH)).sum())
    follow_ms = [m.intergreen_ms for m in junction.meetings if m.first == group.number]
    follow_ms += [m.reverse_ms for m in junction.meetings if m.second == group.number]
    return min(len(aspect), green_s + -(-max(follow_ms, default=0) // 1000))


def _mode(groups: Sequence[SignalGroup]) -> int:
    """A plan without detectors serves everybody in every cycle."""
    kinds = {group.kind is GroupKind.PEDESTRIAN for group in groups}
    if len(kinds) == 2:
        return VEHICLE_AND_PEDESTRIAN_RECALL
    return PEDESTRIAN_RECALL if True in kinds else VEHICLE_RECALL


def _must_be_in_range(junction: Junction, row: Mapping[str, int]) -> None:
    for name, value in row.items():
        least, most = RANGES[name]
        if not least <= value <= most:
            raise ModelError(
                f"junction {junction.id}: {name}: expected {least} to {most}, as NTCIP 1202 has it, found {value}"
            )

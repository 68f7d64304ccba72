"""How the groups of a junction are numbered in the field: phases, overlaps, and the pedestrians of phases.

The model's own numbers hold where it has them. Where it has none (a junction derived from a network) every group is a
phase by itself: phases from 1 in the order of the groups, pedestrians as those of a phase of their own. Stages are
then free: any set of phases whose concurrency allows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from greensplit.engine.errors import ModelError
from greensplit.engine.model.site import GroupKind, Junction

__all__ = ["FieldKind", "FieldNumber", "number_groups"]

MOST_PHASES = 255


class FieldKind(StrEnum):
    """What a group is to a NEMA controller."""

    PHASE = "phase"
    OVERLAP = "overlap"
    PEDESTRIAN = "pedestrian"


@dataclass(frozen=True, slots=True, order=True)
class FieldNumber:
    """Phase, overlap, or pedestrians of a phase, by its number from 1."""

    kind: FieldKind
    number: int


def number_groups(junction: Junction) -> tuple[FieldNumber, ...]:
    """The field number of every group of a junction, in the order of its groups.

    Raises ModelError where only some groups have numbers, where two have the same, or where there are too many.
    """
    numbered = [group for group in junction.groups if group.phase or group.overlap]
    if numbered and len(numbered) < len(junction.groups):
        missing = next(group for group in junction.groups if group not in numbered)
        raise ModelError(
            f"junction {junction.id}: group {missing.number}: expected the number of a phase or an overlap, as other "
            "groups have; found none"
        )
    numbers = tuple(
        FieldNumber(_kind(group.kind, group.overlap), group.overlap or group.phase or group.number)
        for group in junction.groups
    )
    for number in numbers:
        if numbers.count(number) > 1:
            raise ModelError(
                f"junction {junction.id}: {number.kind} {number.number}: expected one group, "
                f"found {numbers.count(number)}"
            )
        if not 1 <= number.number <= MOST_PHASES:
            raise ModelError(
                f"junction {junction.id}: {number.kind}: expected 1 to {MOST_PHASES}, found {number.number}"
            )
    return numbers


def _kind(kind: GroupKind, overlap: int) -> FieldKind:
    if overlap:
        return FieldKind.OVERLAP
    return FieldKind.PEDESTRIAN if kind is GroupKind.PEDESTRIAN else FieldKind.PHASE

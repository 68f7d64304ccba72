"""Which phase, overlap or pedestrian signal each group of a junction is, and the whole-mask objects that follow.

A group object is a mask of eight numbers: bit 0 of row G is number 8 (G - 1) + 1. The mapping of free stages follows
from the numbers: a stage is asked for by four masks over its groups, and is read back from them. Pedestrians of a
phase that has no vehicles are held and forced off with that phase; pedestrians beside vehicles, and overlaps, follow
them and cannot be held, forced off or, overlaps, called or omitted on their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from greensplit.engine.errors import BridgeError
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
from greensplit.engine.model.site import DetectorKind, Junction

from ..field import Masks
from ..numbering import FieldKind, number_groups

__all__ = ["CONTROLS", "Layout", "from_octets", "layout_of", "to_octets"]

ROW: Final = 8
CONTROLS: Final = (
    "phaseControlGroupPhaseOmit",
    "phaseControlGroupPedOmit",
    "phaseControlGroupVehCall",
    "phaseControlGroupPedCall",
    "phaseControlGroupHold",
    "phaseControlGroupForceOff",
)
"""In the order of writing: what may not start is told before what must end."""
RYG: Final = ("Reds", "Yellows", "Greens")
LAMPS: Final = {
    FieldKind.PHASE: tuple(f"phaseStatusGroup{colour}" for colour in RYG),
    FieldKind.OVERLAP: tuple(f"overlapStatusGroup{colour}" for colour in RYG),
    FieldKind.PEDESTRIAN: (
        "phaseStatusGroupDontWalks",
        "phaseStatusGroupPedClears",
        "phaseStatusGroupWalks",
    ),
}
LIGHTS_OF: Final = {
    RED: (1, 0, 0),
    RED_AMBER: (1, 1, 0),
    GREEN: (0, 0, 1),
    PERMISSIVE: (0, 0, 1),
    GREEN_FLASH: (0, 0, 1),
    YELLOW: (0, 1, 0),
    CLEARANCE: (0, 1, 0),
    DARK: (0, 0, 0),
}
ASPECT_OF: Final[dict[tuple[int, ...], int]] = {
    (1, 0, 0): RED,
    (1, 1, 0): RED_AMBER,
    (0, 1, 0): YELLOW,
    (0, 0, 1): GREEN,
    (0, 0, 0): DARK,
}


@dataclass(frozen=True)
class Layout:
    """The numbers of a junction's groups and detectors in the field.

    ``vehicle_detectors`` and ``buttons`` are positions of detectors of the model, in the order of their numbers.
    """

    junction: Junction
    kinds: tuple[FieldKind, ...]
    numbers: tuple[int, ...]
    vehicle_detectors: tuple[int, ...]
    buttons: tuple[int, ...]

    @cached_property
    def phase_rows(self) -> int:
        """Rows of the phase group objects."""
        return self._rows((FieldKind.PHASE, FieldKind.PEDESTRIAN))

    @cached_property
    def overlap_rows(self) -> int:
        """Rows of the overlap group objects, 0 without overlaps."""
        return self._rows((FieldKind.OVERLAP,))

    @property
    def detector_rows(self) -> int:
        """Rows of the detector group objects."""
        return -(-len(self.vehicle_detectors) // ROW)

    def _rows(self, kinds: Iterable[FieldKind]) -> int:
        most = max((n for kind, n in zip(self.kinds, self.numbers, strict=True) if kind in kinds), default=0)
        return -(-most // ROW)

    @cached_property
    def vehicle_phases(self) -> frozenset[int]:
        """Phases that have vehicles."""
        return frozenset(
            n for kind, n in zip(self.kinds, self.numbers, strict=True) if kind is FieldKind.PHASE
        )

    def leads_phase(self, group: int) -> bool:
        """Is the group held and forced off by the number of its phase?"""
        if self.kinds[group] is FieldKind.PEDESTRIAN:
            return self.numbers[group] not in self.vehicle_phases
        return self.kinds[group] is FieldKind.PHASE

    def lamps(self, aspects: Sequence[int]) -> dict[str, int]:
        """Group masks of the lamp objects, by name."""
        masks = {name: 0 for names in LAMPS.values() for name in names}
        for kind, number, aspect in zip(self.kinds, self.numbers, aspects, strict=True):
            lights = (1, 0, 0) if kind is FieldKind.PEDESTRIAN and aspect == RED_AMBER else LIGHTS_OF[aspect]
            for name, light in zip(LAMPS[kind], lights, strict=True):
                masks[name] |= light << number - 1
        return masks

    def aspects(self, masks: Mapping[str, int]) -> tuple[int, ...]:
        """What each group shows. Raises BridgeError for lights that no signal shows."""
        found = []
        for kind, number in zip(self.kinds, self.numbers, strict=True):
            lights = tuple(masks[name] >> number - 1 & 1 for name in LAMPS[kind])
            aspect = ASPECT_OF.get(lights)
            if aspect is None or (kind is FieldKind.PEDESTRIAN and aspect == RED_AMBER):
                raise BridgeError(
                    f"{kind} {number}: expected red, yellow or green, found red {lights[0]}, yellow {lights[1]}, "
                    f"green {lights[2]}"
                )
            found.append(CLEARANCE if kind is FieldKind.PEDESTRIAN and aspect == YELLOW else aspect)
        return tuple(found)

    def controls(self, masks: Masks) -> dict[str, int]:
        """Phase masks of the control objects, by name; what has no object is left out."""
        words = dict.fromkeys(CONTROLS, 0)
        for name, mask in self._control_columns(masks):
            for group in self._groups_of[name]:
                words[name] |= (mask >> group & 1) << self.numbers[group] - 1
        return words

    def masks(self, words: Mapping[str, int], told: Masks) -> Masks:
        """What the controller holds; bits that have no object are taken as ``told``."""
        found = {"hold": 0, "force_off": 0, "omit": 0, "call": 0}
        known = dict.fromkeys(found, 0)
        for name, field in FIELD_OF.items():
            for group in self._groups_of[name]:
                known[field] |= 1 << group
                found[field] |= (words[name] >> self.numbers[group] - 1 & 1) << group
        return Masks(**{field: found[field] | getattr(told, field) & ~known[field] for field in found})

    def _control_columns(self, masks: Masks) -> Iterable[tuple[str, int]]:
        return ((name, getattr(masks, field)) for name, field in FIELD_OF.items())

    @cached_property
    def _groups_of(self) -> dict[str, tuple[int, ...]]:
        """Groups that each control object speaks of."""
        everybody = range(len(self.kinds))
        vehicles = tuple(g for g in everybody if self.kinds[g] is FieldKind.PHASE)
        people = tuple(g for g in everybody if self.kinds[g] is FieldKind.PEDESTRIAN)
        leaders = tuple(g for g in everybody if self.leads_phase(g))
        return dict(zip(CONTROLS, (vehicles, people, vehicles, people, leaders, leaders), strict=True))

    def stage_masks(self, stage: int, green: int) -> Masks:
        """The masks that ask for a stage where groups ``green`` show."""
        wanted = sum(1 << number - 1 for number in self.junction.stages[stage].green)
        everybody = (1 << len(self.kinds)) - 1
        return Masks(hold=wanted & green, force_off=green & ~wanted, omit=everybody & ~wanted, call=wanted)

    def stage_of(self, masks: Masks) -> int:
        """The stage that masks ask for, -1 where they ask for none."""
        words = self.controls(masks)
        for stage in range(len(self.junction.stages)):
            wanted = self.controls(self.stage_masks(stage, 0))
            if all(words[name] == wanted[name] for name in CONTROLS[:4]):
                return stage
        return -1


FIELD_OF: Final = dict(zip(CONTROLS, ("omit", "omit", "call", "call", "hold", "force_off"), strict=True))


def layout_of(junction: Junction) -> Layout:
    """The layout of a junction. Raises ModelError where its groups cannot be numbered."""
    fields = number_groups(junction)
    buttons = tuple(
        d for d, detector in enumerate(junction.detectors) if detector.kind is DetectorKind.PEDESTRIAN
    )
    loops = tuple(d for d in range(len(junction.detectors)) if d not in buttons)
    return Layout(
        junction,
        tuple(field.kind for field in fields),
        tuple(field.number for field in fields),
        loops,
        buttons,
    )


def to_octets(mask: int, rows: int) -> tuple[int, ...]:
    """Rows of a group object."""
    return tuple(mask >> ROW * row & 0xFF for row in range(rows))


def from_octets(octets: Iterable[int]) -> int:
    """The mask over all rows of a group object."""
    return sum(octet << ROW * row for row, octet in enumerate(octets))

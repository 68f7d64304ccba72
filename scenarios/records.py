"""Demand as plain records: what departs when, with its XML element kept so that it can be written again."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

__all__ = ["Demand", "ScheduledPerson", "ScheduledVehicle"]


@dataclass(frozen=True, slots=True)
class ScheduledVehicle:
    """One vehicle due at ``depart_s`` seconds; ``kind`` is its type or type distribution."""

    vehicle_id: str
    depart_s: float
    kind: str
    public_transport: bool
    element: Element


@dataclass(frozen=True, slots=True)
class ScheduledPerson:
    """One person (or container, by the element's tag) due at ``depart_s``."""

    person_id: str
    depart_s: float
    element: Element


@dataclass(frozen=True, slots=True)
class Demand:
    """Everything scheduled in [``begin_s``, ``end_s``), ordered by departure.

    ``definitions`` are the route files' types and routes; those of additional files stay there. ``untimed``
    depart on an occasion (``triggered``, ``split``), so they have no scheduled time and are not counted.
    ``unsorted_ids`` stand in a route file after something that departs later: SUMO ignores them there,
    ``vehicles`` holds them. ``notes`` say in words what was read in a way that could surprise.
    """

    begin_s: int
    end_s: int
    vehicles: tuple[ScheduledVehicle, ...]
    persons: tuple[ScheduledPerson, ...]
    untimed: tuple[Element, ...]
    definitions: tuple[Element, ...]
    has_flows: bool
    unsorted_ids: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def must_be_written(self) -> bool:
        """Whether SUMO, given the original files, would insert something else than ``vehicles``."""
        return self.has_flows or bool(self.unsorted_ids)

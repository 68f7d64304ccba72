"""Which vehicles are public transport: those whose number and times a demand seed must not change."""

from __future__ import annotations

from xml.etree.ElementTree import Element

__all__ = ["PublicTransport"]

# SUMO, "Abstract Vehicle Class"
TRANSPORT_CLASSES = frozenset(
    {"bus", "tram", "rail_urban", "rail", "rail_electric", "rail_fast", "subway", "cable_car"}
)
STOP_ATTRIBUTES = ("busStop", "trainStop")


class PublicTransport:
    """Learns types and routes, then tells public transport from the rest."""

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._routes: set[str] = set()

    def learn(self, definition: Element) -> None:
        """Take in a vType or a route (others are ignored)."""
        if definition.tag == "vType" and definition.get("vClass") in TRANSPORT_CLASSES:
            self._kinds.add(str(definition.get("id")))
        if definition.tag == "route" and _calls_at_stops(definition):
            self._routes.add(str(definition.get("id")))

    def includes(self, vehicle: Element) -> bool:
        """Whether the vehicle has a line, calls at bus or train stops, or is of a public-transport class."""
        return (
            bool(vehicle.get("line"))
            or vehicle.get("type") in self._kinds
            or vehicle.get("route") in self._routes
            or _calls_at_stops(vehicle)
        )


def _calls_at_stops(element: Element) -> bool:
    return any(name in stop.attrib for stop in element.iter("stop") for name in STOP_ATTRIBUTES)

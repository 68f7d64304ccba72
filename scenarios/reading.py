"""Route and additional files turned into records, in SUMO's loading order."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from greensplit.engine.errors import NetworkError

from .base import Scenario
from .edge_check import EdgeCheck
from .flows import FLOW_TAGS, expand_flow, flow_span_s
from .netfile import edge_ids
from .public_transport import PublicTransport
from .records import Demand, ScheduledPerson, ScheduledVehicle
from .times import parse_time_s
from .xmlio import top_level

__all__ = ["DEMAND_TAGS", "DemandReader"]

VEHICLE_TAGS = frozenset({"vehicle", "trip"})
PERSON_TAGS = frozenset({"person", "container"})
DEMAND_TAGS = VEHICLE_TAGS | PERSON_TAGS | FLOW_TAGS.keys()
UNSUPPORTED_TAGS = frozenset({"include", "interval"})
ON_OCCASION = frozenset({"triggered", "containerTriggered", "split"})
NEVER = float("-inf")
SUMO_DEFAULT_KIND = "DEFAULT_VEHTYPE"


class DemandReader:
    """Collects what a scenario's files schedule; ``read`` them in loading order, then take ``demand()``."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.departs_s: list[float] = []
        self._begin_s, self._end_s, self._seed = scenario.begin_s, scenario.end_s, seed
        self._edges = EdgeCheck(scenario.net_file, edge_ids(scenario.net_file))
        self._transport = PublicTransport()
        self._vehicles: list[tuple[float, Element]] = []
        self._persons: list[ScheduledPerson] = []
        self._untimed: list[Element] = []
        self._definitions: list[Element] = []
        self._ids: set[tuple[bool, str]] = set()
        self._unsorted: list[str] = []
        self._has_flows = False

    def read(self, path: Path, *, is_route_file: bool) -> None:
        """Take in one file; NetworkError names it and the element that cannot be used."""
        last_s = NEVER
        for element in top_level(path):
            _refuse_unsupported(element, path)
            if element.tag in DEMAND_TAGS:
                depart_s = self._schedule(element, path)
                if is_route_file and NEVER < depart_s < last_s:
                    self._unsorted.append(element.attrib["id"])
                last_s = max(last_s, depart_s)
            elif is_route_file or element.tag in ("vType", "vTypeDistribution", "route", "routeDistribution"):
                self._define(element, path, keep=is_route_file)

    def demand(self) -> Demand:
        """What was read, ordered by departure; equal times keep the order of the files."""
        vehicles = sorted(
            (self._vehicle(*entry) for entry in self._vehicles), key=lambda vehicle: vehicle.depart_s
        )
        return Demand(
            begin_s=self._begin_s,
            end_s=self._end_s,
            vehicles=tuple(vehicles),
            persons=tuple(sorted(self._persons, key=lambda person: person.depart_s)),
            untimed=tuple(self._untimed),
            definitions=tuple(self._definitions),
            has_flows=self._has_flows,
            unsorted_ids=tuple(self._unsorted),
            notes=tuple(self._notes()),
        )

    def _define(self, element: Element, path: Path, *, keep: bool) -> None:
        self._edges.check(element, path)
        self._transport.learn(element)
        if keep:
            self._definitions.append(element)

    def _schedule(self, element: Element, path: Path) -> float:
        """Take in a demand element; its departure in seconds, a flow's begin, or NEVER without a time."""
        if element.get("id") is None:
            raise NetworkError(f"{path}: expected an id for every {element.tag}, found one without")
        if element.tag in FLOW_TAGS:
            return self._schedule_flow(element, path)
        text = element.get("depart")
        if text is None:
            raise NetworkError(
                f"{path}: expected a depart time for {element.tag} {element.get('id')!r}, found none"
            )
        if text in ON_OCCASION:
            self._edges.check(element, path)
            self._claim(element, path)
            self._untimed.append(element)
            return NEVER
        depart_s = self._begin_s if text == "begin" else parse_time_s(text, f"{path}: {element.get('id')!r}")
        self._add(depart_s, element, path)
        return depart_s

    def _schedule_flow(self, flow: Element, path: Path) -> float:
        self._has_flows = True
        self._edges.check(flow, path)
        try:
            first_s, last_s = flow_span_s(flow, self._begin_s, self._end_s)
            singles = expand_flow(flow, self._begin_s, self._end_s, self._seed)
        except NetworkError as error:
            raise NetworkError(f"{path}: {error}") from error
        if not singles and flow.tag == "flow":
            self.departs_s += [first_s, last_s]
        for depart_s, single in singles:
            self._add(depart_s, single, path)
        return first_s

    def _add(self, depart_s: float, element: Element, path: Path) -> None:
        is_person = element.tag in PERSON_TAGS
        if not is_person:
            self.departs_s.append(depart_s)
        if depart_s < self._end_s:
            self._edges.check(element, path)
        if not self._begin_s <= depart_s < self._end_s:
            return
        self._claim(element, path)
        if is_person:
            self._persons.append(ScheduledPerson(element.attrib["id"], depart_s, element))
        else:
            self._vehicles.append((depart_s, element))

    def _claim(self, element: Element, path: Path) -> None:
        key = (element.tag in PERSON_TAGS, element.attrib["id"])
        if key in self._ids:
            raise NetworkError(f"{path}: expected every id once, found {element.tag} {key[1]!r} again")
        self._ids.add(key)

    def _vehicle(self, depart_s: float, element: Element) -> ScheduledVehicle:
        return ScheduledVehicle(
            vehicle_id=element.attrib["id"],
            depart_s=depart_s,
            kind=element.get("type", SUMO_DEFAULT_KIND),
            public_transport=self._transport.includes(element),
            element=element,
        )

    def _notes(self) -> list[str]:
        notes = []
        if self._untimed:
            notes.append(
                f"{len(self._untimed)} without a scheduled time (triggered or split) are kept, not counted"
            )
        if self._unsorted:
            notes.append(
                f"{len(self._unsorted)} stand after a later departure: SUMO would ignore them in this file"
            )
        return notes


def _refuse_unsupported(element: Element, path: Path) -> None:
    if element.tag in UNSUPPORTED_TAGS:
        raise NetworkError(
            f"{path}: expected vehicles, trips, flows or persons, found <{element.tag}>, not supported"
        )

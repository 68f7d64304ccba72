"""Incidents of known place and time, added to any scenario: stalled vehicles, closed lanes, surges of demand.

A list of incidents is a CSV file, so that a person can write one. Stalled vehicles are vehicles of their own that stop
in a lane; SUMO tells when they really stood there. They are no part of the scheduled demand and of no trip measure.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import astuple, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from greensplit.engine.errors import ScenarioError
from greensplit.engine.files import atomic_path

from .base import Scenario
from .records import Demand, ScheduledVehicle
from .times import format_time
from .xmlio import write_document

__all__ = [
    "STALLED_PREFIX",
    "Incident",
    "IncidentKind",
    "read_incidents",
    "with_incidents",
    "with_surges",
    "write_incidents",
]

STALLED_PREFIX = "incident."
TYPE_ID = "incident"
VEHICLE_LENGTH_M = 5.0


class IncidentKind(StrEnum):
    """What happens."""

    STALLED = "stalled"
    CLOSED = "closed"
    SURGE = "surge"


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, seconds of the simulation clock.

    ``stalled``: a vehicle stands in ``lane`` with its front at ``position_m`` from ``start_s`` to ``end_s``; it comes
    and goes by ``route``, edges separated by spaces, and is sent so as to arrive then. ``closed``: nobody may drive on
    ``lane``, all of it. ``surge``: of the scheduled vehicles whose first edge is ``route``, due in that time,
    ``factor`` as many depart; all entries where ``route`` is empty.
    """

    id: str
    kind: IncidentKind
    lane: str
    position_m: float
    start_s: int
    end_s: int
    route: str
    depart_s: int
    factor: float = 1.0


def write_incidents(incidents: Iterable[Incident], path: Path) -> None:
    """Write the list as CSV, whole."""
    with atomic_path(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([field.name for field in fields(Incident)])
        writer.writerows(astuple(incident) for incident in incidents)


def read_incidents(path: Path) -> tuple[Incident, ...]:
    """The list in a CSV file. Raises ScenarioError naming file, line and what was expected."""
    names = [field.name for field in fields(Incident)]
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            if reader.fieldnames is None or list(reader.fieldnames) != names:
                raise ScenarioError(
                    f"{path}: expected columns {', '.join(names)}, found {', '.join(reader.fieldnames or ())}"
                )
            return tuple(_incident(row, f"{path}, line {reader.line_num}") for row in reader)
    except (OSError, UnicodeDecodeError) as err:
        raise ScenarioError(f"{path}: expected a list of incidents, found {err}") from err


def _incident(row: dict[str, Any], where: str) -> Incident:
    try:
        found = Incident(
            id=row["id"],
            kind=IncidentKind(row["kind"]),
            lane=row["lane"],
            position_m=float(row["position_m"]),
            start_s=int(row["start_s"]),
            end_s=int(row["end_s"]),
            route=row["route"],
            depart_s=int(row["depart_s"]),
            factor=float(row["factor"]),
        )
    except (ValueError, TypeError) as err:
        raise ScenarioError(f"{where}: expected an incident, found {err}") from err
    if not found.start_s < found.end_s:
        raise ScenarioError(f"{where}: expected start_s before end_s, found {found.start_s}, {found.end_s}")
    if found.factor < 0.0:
        raise ScenarioError(f"{where}: expected a factor of 0 or more, found {found.factor:g}")
    return found


def with_incidents(scenario: Scenario, incidents: Sequence[Incident], folder: Path) -> Scenario:
    """``scenario`` with stalled vehicles and closed lanes, their files written to ``folder``. Raises OutputError."""
    stalled = sorted((i for i in incidents if i.kind is IncidentKind.STALLED), key=lambda i: i.depart_s)
    closed = [i for i in incidents if i.kind is IncidentKind.CLOSED]
    routes, additional = scenario.route_files, scenario.additional_files
    if stalled:
        write_document(
            folder / "incidents.rou.xml", "routes", [_vehicle_type(), *(_stalled(i) for i in stalled)]
        )
        routes = (*routes, folder / "incidents.rou.xml")
    if closed:
        write_document(folder / "incidents.add.xml", "additional", [_closed(i) for i in closed])
        additional = (*additional, folder / "incidents.add.xml")
    return replace(scenario, route_files=routes, additional_files=additional)


def _vehicle_type() -> Element:
    return Element("vType", {"id": TYPE_ID, "vClass": "passenger", "length": f"{VEHICLE_LENGTH_M:g}"})


def _stalled(incident: Incident) -> Element:
    vehicle = Element(
        "vehicle",
        {
            "id": f"{STALLED_PREFIX}{incident.id}",
            "type": TYPE_ID,
            "depart": format_time(incident.depart_s),
            "departLane": "best",
            "departSpeed": "max",
        },
    )
    SubElement(vehicle, "route", {"edges": incident.route})
    SubElement(
        vehicle,
        "stop",
        {
            "lane": incident.lane,
            "startPos": f"{incident.position_m - 1.0:.2f}",
            "endPos": f"{incident.position_m:.2f}",
            "friendlyPos": "true",
            "duration": "0",
            "until": format_time(incident.end_s),
        },
    )
    return vehicle


def _closed(incident: Incident) -> Element:
    edge = incident.lane.rpartition("_")[0]
    rerouter = Element("rerouter", {"id": f"{STALLED_PREFIX}{incident.id}", "edges": edge})
    interval = SubElement(rerouter, "interval", {"begin": str(incident.start_s), "end": str(incident.end_s)})
    SubElement(interval, "closingLaneReroute", {"id": incident.lane, "disallow": "all"})
    return rerouter


def with_surges(demand: Demand, incidents: Sequence[Incident], seed: int) -> Demand:
    """``demand`` with the surges among ``incidents``: vehicles copied, or left out, as ``seed`` draws."""
    rng = np.random.default_rng([seed, 7])
    vehicles = list(demand.vehicles)
    for surge in (i for i in incidents if i.kind is IncidentKind.SURGE):
        vehicles = sorted(_surged(vehicles, surge, rng), key=lambda vehicle: vehicle.depart_s)
    return replace(demand, vehicles=tuple(vehicles))


def _surged(
    vehicles: Sequence[ScheduledVehicle], surge: Incident, rng: np.random.Generator
) -> Iterator[ScheduledVehicle]:
    for vehicle in vehicles:
        if not (surge.start_s <= vehicle.depart_s < surge.end_s and _enters(vehicle, surge.route)):
            yield vehicle
            continue
        copies = int(surge.factor) + (rng.random() < surge.factor % 1.0)
        if copies:
            yield vehicle
        for number in range(1, copies):
            yield _copy(vehicle, f"{vehicle.vehicle_id}.{surge.id}.{number}", surge, rng)


def _enters(vehicle: ScheduledVehicle, edge: str) -> bool:
    route = vehicle.element.find("route")
    return not vehicle.public_transport and (
        not edge or (route is not None and route.get("edges", "").split(" ")[0] == edge)
    )


def _copy(
    vehicle: ScheduledVehicle, name: str, surge: Incident, rng: np.random.Generator
) -> ScheduledVehicle:
    depart_s = round(float(rng.uniform(surge.start_s, surge.end_s)), 2)
    element = deepcopy(vehicle.element)
    element.set("id", name)
    element.set("depart", format_time(depart_s))
    return replace(vehicle, vehicle_id=name, depart_s=depart_s, element=element)

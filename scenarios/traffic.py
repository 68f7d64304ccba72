"""Seeded traffic on a lattice: cars that turn by shares, a bus line both ways, people on foot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from .lattice import EAST, LEFT, RIGHT, STRAIGHT, WEST, Lattice, Road
from .times import format_time

__all__ = ["BusLine", "CarDemand", "bus_stops", "buses", "cars", "vehicle_types"]

HOUR_S = 3600.0
MAX_TURNS = 2
STOP_LENGTH_M = 15.0
STOP_BEYOND_JUNCTION_M = 40.0
DWELL_S = 20
CAR, BUS = "car", "bus"


@dataclass(frozen=True, slots=True)
class CarDemand:
    """Vehicles an hour at every entry of the main and the cross streets, and how they turn at each junction.

    ``profile`` holds the relative volume of equal parts of the duration; its mean is taken as 1.
    """

    main_veh_h: float
    cross_veh_h: float
    left_share: float
    right_share: float
    profile: tuple[float, ...]
    duration_s: int


@dataclass(frozen=True, slots=True)
class BusLine:
    """A line along one row of a lattice, both ways, every ``headway_s`` seconds."""

    row: int
    headway_s: float
    duration_s: int


def vehicle_types() -> list[Element]:
    """The types that ``cars`` and ``buses`` use."""
    return [
        Element("vType", {"id": CAR, "vClass": "passenger", "speedFactor": "normc(1,0.1,0.8,1.2)"}),
        Element("vType", {"id": BUS, "vClass": "bus"}),
    ]


def cars(lattice: Lattice, demand: CarDemand, rng: np.random.Generator) -> list[tuple[float, Element]]:
    """(departure in seconds, vehicle) of every car: Poisson departures at each entry, turns as it goes."""
    entries: list[tuple[float, Element]] = []
    for row, column, heading in lattice.entries():
        rate_veh_h = demand.main_veh_h if heading in (EAST, WEST) else demand.cross_veh_h
        for depart_s in _departures_s(rate_veh_h, demand, rng):
            roads = _drive(lattice, row, column, heading, demand, rng)
            name = f"car_{lattice.node(row, column)}_{len(entries)}"
            entries.append((depart_s, _vehicle(name, CAR, depart_s, roads, {"departSpeed": "max"})))
    return entries


def buses(lattice: Lattice, line: BusLine) -> list[tuple[float, Element]]:
    """(departure in seconds, vehicle) of every bus; the westbound ones start half a headway later."""
    entries = []
    for heading, first_s in ((EAST, 0.0), (WEST, line.headway_s / 2)):
        roads = _row(lattice, line.row, heading)
        for number, depart_s in enumerate(np.arange(first_s, line.duration_s, line.headway_s).tolist()):
            name = _line_name(heading)
            bus = _vehicle(f"bus_{name}_{number}", BUS, depart_s, roads, {"line": name})
            for stop, until_s in zip(_stops(roads), _earliest_s(lattice, roads, depart_s), strict=True):
                timing = {"duration": str(DWELL_S), "until": format_time(until_s)}
                SubElement(bus, "stop", {"busStop": stop.attrib["id"]} | timing)
            entries.append((depart_s, bus))
    return entries


def bus_stops(lattice: Lattice, line: BusLine) -> list[Element]:
    """Stops of the line, behind each junction, on the lane beside the pavement."""
    return [stop for heading in (EAST, WEST) for stop in _stops(_row(lattice, line.row, heading))]


def _departures_s(rate_veh_h: float, demand: CarDemand, rng: np.random.Generator) -> Iterator[float]:
    part_s = demand.duration_s / len(demand.profile)
    mean = sum(demand.profile) / len(demand.profile)
    for index, weight in enumerate(demand.profile):
        number = rng.poisson(rate_veh_h * weight / mean * part_s / HOUR_S)
        yield from np.sort(index * part_s + rng.uniform(0.0, part_s, number)).tolist()


def _drive(
    lattice: Lattice, row: int, column: int, heading: int, demand: CarDemand, rng: np.random.Generator
) -> list[Road]:
    """Roads from an entry until the car leaves the lattice; after MAX_TURNS turns it goes straight on."""
    roads = [lattice.road(row, column, heading)]
    turns = 0
    while True:
        row, column = _ahead(row, column, heading)
        if not lattice.is_junction(row, column):
            return roads
        turn = _turn(demand, float(rng.random())) if turns < MAX_TURNS else STRAIGHT
        turns += turn != STRAIGHT
        heading = (heading + turn) % 4
        roads.append(lattice.road(row, column, heading))


def _turn(demand: CarDemand, drawn: float) -> int:
    if drawn < demand.left_share:
        return LEFT
    return RIGHT if drawn < demand.left_share + demand.right_share else STRAIGHT


def _ahead(row: int, column: int, heading: int) -> tuple[int, int]:
    step_row, step_column = ((0, 1), (1, 0), (0, -1), (-1, 0))[heading]
    return row + step_row, column + step_column


def _row(lattice: Lattice, row: int, heading: int) -> list[Road]:
    columns = range(-1, len(lattice.xs_m)) if heading == EAST else range(len(lattice.xs_m), -1, -1)
    return [lattice.road(row, column, heading) for column in columns]


def _earliest_s(lattice: Lattice, roads: list[Road], depart_s: float) -> Iterator[float]:
    """When a bus that nothing delays leaves each stop; a timetable this tight never holds a bus back."""
    for road in roads[1:]:
        depart_s += road.length_m / lattice.street(road.heading).speed_mps + DWELL_S
        yield depart_s


def _stops(roads: list[Road]) -> Iterator[Element]:
    # Not on the first road, which enters from outside.
    for road in roads[1:]:
        start_m = min(STOP_BEYOND_JUNCTION_M, (road.length_m - road.bay_m) / 3)
        yield Element(
            "busStop",
            {
                "id": f"stop_{road.edges[0]}",
                "lane": f"{road.edges[0]}_1",
                "startPos": f"{start_m:.2f}",
                "endPos": f"{start_m + STOP_LENGTH_M:.2f}",
                "lines": _line_name(road.heading),
            },
        )


def _line_name(heading: int) -> str:
    return "eastbound" if heading == EAST else "westbound"


def _vehicle(name: str, kind: str, depart_s: float, roads: list[Road], attributes: dict[str, str]) -> Element:
    vehicle = Element(
        "vehicle",
        {"id": name, "type": kind, "depart": format_time(depart_s), "departLane": "best"} | attributes,
    )
    SubElement(vehicle, "route", {"edges": " ".join(edge for road in roads for edge in road.edges)})
    return vehicle

"""A rectangular street network in SUMO's plain XML: signalised junctions, left-turn bays, feeder roads.

Junction ``r0c1`` is in row 0 (from the south) and column 1 (from the west); a road is named by its two
ends, the part of it with the left-turn bay has ``_bay`` at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

from .tools import run_netconvert
from .xmlio import write_document
from .yielding import show_yielding

__all__ = [
    "EAST",
    "LEFT",
    "NORTH",
    "RIGHT",
    "SOUTH",
    "STRAIGHT",
    "WEST",
    "Lattice",
    "Road",
    "Street",
    "build_net",
]

EAST, NORTH, WEST, SOUTH = range(4)
LEFT, STRAIGHT, RIGHT = 1, 0, 3
STEPS = {EAST: (0, 1), NORTH: (1, 0), WEST: (0, -1), SOUTH: (-1, 0)}
FRINGE_NAMES = {EAST: "east", NORTH: "north", WEST: "west", SOUTH: "south"}
PAVEMENT_M = 2.5
NETCONVERT_OPTIONS = (
    "--no-turnarounds",
    "--crossings.guess",
    "--walkingareas",
    "--tls.cycle.time=90",
    "--tls.yellow.time=3",
    "--tls.allred.time=1",
    "--tls.left-green.time=9",
    "--tls.crossing-min.time=6",
    "--tls.crossing-clearance.time=10",
)


@dataclass(frozen=True, slots=True)
class Street:
    """One direction class of roads: through lanes, speed limit, length of the left-turn bay (0: none)."""

    lanes: int
    speed_mps: float
    bay_m: float


@dataclass(frozen=True, slots=True)
class Road:
    """A directed road from node ``start`` to node ``end``; ``heading`` is EAST, NORTH, WEST or SOUTH."""

    start: str
    end: str
    heading: int
    length_m: float
    bay_m: float

    @property
    def edges(self) -> tuple[str, ...]:
        """Ids of the SUMO edges along the road, in driving order."""
        name = f"{self.start}_{self.end}"
        return (name, f"{name}_bay") if self.bay_m else (name,)


@dataclass(frozen=True, slots=True)
class Lattice:
    """Junction columns at ``xs_m`` and rows at ``ys_m``, feeder roads ``fringe_m`` long.

    ``main`` are the east-west streets, ``cross`` the north-south ones.
    """

    xs_m: tuple[float, ...]
    ys_m: tuple[float, ...]
    fringe_m: float
    main: Street
    cross: Street

    def street(self, heading: int) -> Street:
        """The class of the roads in that heading."""
        return self.main if heading in (EAST, WEST) else self.cross

    def node(self, row: int, column: int) -> str:
        """Name of the node at a place; rows and columns one beyond the junctions are feeder ends."""
        if column < 0:
            return f"west{row}"
        if column >= len(self.xs_m):
            return f"east{row}"
        if row < 0:
            return f"south{column}"
        return f"north{column}" if row >= len(self.ys_m) else f"r{row}c{column}"

    def is_junction(self, row: int, column: int) -> bool:
        """Whether a signalised junction is at that place."""
        return 0 <= row < len(self.ys_m) and 0 <= column < len(self.xs_m)

    def road(self, row: int, column: int, heading: int) -> Road:
        """The road that leaves a place in a heading."""
        step_row, step_column = STEPS[heading]
        far = row + step_row, column + step_column
        (x0_m, y0_m), (x1_m, y1_m) = self.position_m(row, column), self.position_m(*far)
        bay_m = self.street(heading).bay_m if self.is_junction(*far) else 0.0
        length_m = abs(x1_m - x0_m) + abs(y1_m - y0_m)
        return Road(self.node(row, column), self.node(*far), heading, length_m, bay_m)

    def position_m(self, row: int, column: int) -> tuple[float, float]:
        """Coordinates (x, y) of a place in metres."""
        return _along(self.xs_m, column, self.fringe_m), _along(self.ys_m, row, self.fringe_m)

    def junctions(self) -> Iterator[tuple[int, int]]:
        """Row and column of every junction."""
        return ((row, column) for row in range(len(self.ys_m)) for column in range(len(self.xs_m)))

    def entries(self) -> Iterator[tuple[int, int, int]]:
        """Row, column and heading of every road that enters from outside."""
        for row in range(len(self.ys_m)):
            yield row, -1, EAST
            yield row, len(self.xs_m), WEST
        for column in range(len(self.xs_m)):
            yield -1, column, NORTH
            yield len(self.ys_m), column, SOUTH


def build_net(lattice: Lattice, folder: Path, seed: int) -> Path:
    """Write plain XML into ``folder``, run netconvert; the network's path. SimulatorError when that fails."""
    nodes, edges, connections = folder / "plain.nod.xml", folder / "plain.edg.xml", folder / "plain.con.xml"
    write_document(nodes, "nodes", _nodes(lattice))
    write_document(edges, "edges", (edge for road in _roads(lattice) for edge in _edges(lattice, road)))
    write_document(connections, "connections", _connections(lattice))
    net = folder / "net.net.xml"
    inputs = (f"--node-files={nodes}", f"--edge-files={edges}", f"--connection-files={connections}")
    run_netconvert((*inputs, *NETCONVERT_OPTIONS, f"--seed={seed}"), net)
    show_yielding(net)
    return net


def _along(places_m: tuple[float, ...], index: int, fringe_m: float) -> float:
    if index < 0:
        return places_m[0] - fringe_m
    return places_m[index] if index < len(places_m) else places_m[-1] + fringe_m


def _roads(lattice: Lattice) -> Iterator[Road]:
    for row, column in lattice.junctions():
        for heading in STEPS:
            yield lattice.road(row, column, heading)
    for row, column, heading in lattice.entries():
        yield lattice.road(row, column, heading)


def _nodes(lattice: Lattice) -> Iterator[Element]:
    for row, column in lattice.junctions():
        yield _node(lattice.node(row, column), *lattice.position_m(row, column), "traffic_light")
    for row, column, heading in lattice.entries():
        yield _node(lattice.node(row, column), *lattice.position_m(row, column), "priority")
        yield from _bay_nodes(lattice, row, column, heading)
    for row, column in lattice.junctions():
        for heading in STEPS:
            yield from _bay_nodes(lattice, row, column, heading)


def _bay_nodes(lattice: Lattice, row: int, column: int, heading: int) -> Iterator[Element]:
    road = lattice.road(row, column, heading)
    if road.bay_m:
        x_m, y_m = lattice.position_m(row, column)
        step_row, step_column = STEPS[heading]
        along_m = road.length_m - road.bay_m
        yield _node(_bay_node(road), x_m + step_column * along_m, y_m + step_row * along_m, "priority")


def _bay_node(road: Road) -> str:
    return f"{road.edges[-1]}_start"


def _node(name: str, x_m: float, y_m: float, kind: str) -> Element:
    return Element("node", {"id": name, "x": f"{x_m:.2f}", "y": f"{y_m:.2f}", "type": kind})


def _edges(lattice: Lattice, road: Road) -> Iterator[Element]:
    ends = (road.start, _bay_node(road), road.end) if road.bay_m else (road.start, road.end)
    street = lattice.street(road.heading)
    for extra, (name, (start, end)) in enumerate(zip(road.edges, pairwise(ends), strict=True)):
        yield Element(
            "edge",
            {
                "id": name,
                "from": start,
                "to": end,
                "numLanes": str(street.lanes + extra),
                "speed": f"{street.speed_mps:.2f}",
                "priority": str(street.lanes),
                "sidewalkWidth": str(PAVEMENT_M),
                "spreadType": "right",
            },
        )


def _connections(lattice: Lattice) -> Iterator[Element]:
    for road in _roads(lattice):
        if road.bay_m:
            yield from _into_bay(road, lattice.street(road.heading).lanes)
    for row, column in lattice.junctions():
        for heading in STEPS:
            yield from _turns(lattice, row, column, heading)


def _into_bay(road: Road, lanes: int) -> Iterator[Element]:
    # Lane 0 is the pavement.
    source, bay = road.edges[0], road.edges[-1]
    for lane in range(1, lanes + 1):
        yield _connection(source, bay, lane, lane)
    yield _connection(source, bay, lanes, lanes + 1)


def _turns(lattice: Lattice, row: int, column: int, heading: int) -> Iterator[Element]:
    """Connections of the approach that arrives at a junction in ``heading``."""
    step_row, step_column = STEPS[heading]
    arriving = lattice.road(row - step_row, column - step_column, heading)
    street = lattice.street(heading)
    source = arriving.edges[-1]
    leftmost = street.lanes + (1 if arriving.bay_m else 0)
    for turn in (RIGHT, STRAIGHT, LEFT):
        leaving = lattice.road(row, column, (heading + turn) % 4)
        target, lanes = leaving.edges[0], lattice.street(leaving.heading).lanes
        if turn == RIGHT:
            yield _connection(source, target, 1, 1)
        elif turn == LEFT:
            yield _connection(source, target, leftmost, lanes)
        else:
            for lane in range(1, street.lanes + 1):
                yield _connection(source, target, lane, lane)


def _connection(source: str, target: str, from_lane: int, to_lane: int) -> Element:
    lanes = {"fromLane": str(from_lane), "toLane": str(to_lane)}
    return Element("connection", {"from": source, "to": target} | lanes)

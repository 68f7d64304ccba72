"""A SUMO network file as plain data: edges, lanes, connections, junctions with their foe tables, programs.

Nothing is interpreted here; ``sim.derive`` does that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from greensplit.engine.errors import NetworkError
from greensplit.scenarios.xmlio import top_level

__all__ = ["Connection", "Edge", "Lane", "Network", "Node", "Phase", "Program", "read_network"]

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane; ``classes`` are the vehicle classes it is reserved for, or closed to where prefixed with '-'."""

    id: str
    edge: str
    index: int
    length_m: float
    speed_mps: float
    width_m: float
    shape: tuple[Point, ...]
    allow: frozenset[str]
    disallow: frozenset[str]

    def admits(self, vehicle_class: str) -> bool:
        """May vehicles of the class use the lane?"""
        if self.allow:
            return "all" in self.allow or vehicle_class in self.allow
        return "all" not in self.disallow and vehicle_class not in self.disallow


@dataclass(slots=True)
class Edge:
    """A road between two nodes; ``function`` is internal, crossing, walkingarea, connector or empty."""

    id: str
    source: str
    target: str
    function: str
    crossed: tuple[str, ...]
    lanes: list[Lane] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Connection:
    """A way from lane to lane. ``light`` and ``lamp`` are empty and -1 where no signal controls it."""

    source: str
    target: str
    source_lane: int
    target_lane: int
    via: str
    light: str
    lamp: int
    direction: str


@dataclass(slots=True)
class Node:
    """A junction of SUMO with its right-of-way tables: bit i of ``response[k]`` says that link k yields to link i."""

    id: str
    kind: str
    x: float
    y: float
    incoming: tuple[str, ...]
    internal: tuple[str, ...]
    response: list[int] = field(default_factory=list)
    foes: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Phase:
    """One state of a program; ``duration_ms`` is rounded up."""

    duration_ms: int
    state: str


@dataclass(frozen=True, slots=True)
class Program:
    """A signal program as SUMO reads it."""

    light: str
    id: str
    kind: str
    offset_ms: int
    phases: tuple[Phase, ...]


@dataclass(slots=True)
class Network:
    """A network; ``programs`` hold, per light, all programs in loading order: SUMO runs the last.

    ``programmed`` are the lights with a program in the network file itself.
    """

    path: Path
    edges: dict[str, Edge] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    connections: list[Connection] = field(default_factory=list)
    programs: dict[str, list[Program]] = field(default_factory=lambda: defaultdict(list))
    programmed: frozenset[str] = frozenset()
    outgoing: dict[str, list[Connection]] = field(default_factory=lambda: defaultdict(list))
    incoming: dict[str, list[Connection]] = field(default_factory=lambda: defaultdict(list))

    def lane_id(self, edge: str, index: int) -> str:
        """Id of lane ``index`` of an edge."""
        return self.edges[edge].lanes[index].id


def read_network(path: Path, additional: Iterable[Path] = ()) -> Network:
    """Read a network and the programs in additional files.

    Raises NetworkError, naming the file and the element, when something is missing or broken.
    """
    network = Network(path)
    try:
        for element in top_level(path):
            _READERS.get(element.tag, _skip)(network, element)
        network.programmed = frozenset(network.programs)
        for file in additional:
            _read_programs(network, file)
        _index(network)
    except (KeyError, ValueError, IndexError) as err:
        raise NetworkError(
            f"{path}: expected a complete SUMO network, found a broken element: {err}"
        ) from err
    if not network.edges:
        raise NetworkError(f"{path}: expected a SUMO network with edges, found none")
    _check(network)
    return network


def _read_programs(network: Network, path: Path) -> None:
    for element in top_level(path):
        if element.tag == "tlLogic":
            _tl_logic(network, element)


def _skip(network: Network, element: Element) -> None:
    """Elements that greensplit does not need."""


def _edge(network: Network, element: Element) -> None:
    edge = Edge(
        element.attrib["id"],
        element.get("from", ""),
        element.get("to", ""),
        element.get("function", ""),
        tuple(element.get("crossingEdges", "").split()),
    )
    for child in element.iter("lane"):
        lane = _lane(edge.id, child.attrib)
        edge.lanes.append(lane)
        network.lanes[lane.id] = lane
    network.edges[edge.id] = edge


def _lane(edge: str, attributes: Mapping[str, str]) -> Lane:
    return Lane(
        id=attributes["id"],
        edge=edge,
        index=int(attributes["index"]),
        length_m=float(attributes["length"]),
        speed_mps=float(attributes["speed"]),
        width_m=float(attributes.get("width", "3.2")),
        shape=_shape(attributes.get("shape", "")),
        allow=frozenset(attributes.get("allow", "").split()),
        disallow=frozenset(attributes.get("disallow", "").split()),
    )


def _shape(text: str) -> tuple[Point, ...]:
    points = (pair.split(",") for pair in text.split())
    return tuple((float(point[0]), float(point[1])) for point in points)


def _junction(network: Network, element: Element) -> None:
    node = Node(
        element.attrib["id"],
        element.get("type", ""),
        float(element.attrib["x"]),
        float(element.attrib["y"]),
        tuple(element.get("incLanes", "").split()),
        tuple(element.get("intLanes", "").split()),
    )
    for request in element.iter("request"):
        if int(request.attrib["index"]) != len(node.foes):
            raise ValueError(f"junction {node.id}: request {len(node.foes)} is not there")
        node.response.append(int(request.attrib["response"], 2))
        node.foes.append(int(request.attrib["foes"], 2))
    network.nodes[node.id] = node


def _connection(network: Network, element: Element) -> None:
    network.connections.append(
        Connection(
            element.attrib["from"],
            element.attrib["to"],
            int(element.attrib["fromLane"]),
            int(element.attrib["toLane"]),
            element.get("via", ""),
            element.get("tl", ""),
            int(element.get("linkIndex", "-1")),
            element.get("dir", ""),
        )
    )


def _tl_logic(network: Network, element: Element) -> None:
    phases = tuple(
        Phase(_milliseconds(phase.attrib["duration"]), phase.attrib["state"])
        for phase in element.iter("phase")
    )
    offset = element.get("offset", "0")
    network.programs[element.attrib["id"]].append(
        Program(
            element.attrib["id"],
            element.get("programID", "0"),
            element.get("type", "static"),
            0 if offset == "begin" else _milliseconds(offset),
            phases,
        )
    )


def _milliseconds(text: str) -> int:
    return -int(-float(text) * 1000 // 1)


_READERS = {"edge": _edge, "junction": _junction, "connection": _connection, "tlLogic": _tl_logic}


def _index(network: Network) -> None:
    for connection in network.connections:
        for edge, lane in (
            (connection.source, connection.source_lane),
            (connection.target, connection.target_lane),
        ):
            if not 0 <= lane < len(network.edges[edge].lanes):
                raise ValueError(f"connection on lane {lane} of edge {edge}")
        network.outgoing[network.lane_id(connection.source, connection.source_lane)].append(connection)
        network.incoming[network.lane_id(connection.target, connection.target_lane)].append(connection)


def _check(network: Network) -> None:
    """Signalised ways must end at a junction of the file, and lanes be numbered from 0."""
    for edge in network.edges.values():
        if [lane.index for lane in edge.lanes] != list(range(len(edge.lanes))):
            raise NetworkError(f"{network.path}: edge {edge.id}: expected lanes numbered from 0")
    for connection in network.connections:
        edge = network.edges[connection.source]
        if connection.light and not edge.function and edge.target not in network.nodes:
            raise NetworkError(
                f"{network.path}: edge {edge.id}: expected its junction {edge.target} in the file, found none"
            )

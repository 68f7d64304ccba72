"""One traffic light of a network: its lamps, what each lamp controls, and its programs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from greensplit.engine.errors import NetworkError

from ..network import Connection, Lane, Network, Node, Program

__all__ = ["Light", "Way", "collect_lights", "is_stage_state"]

OPEN = "Gg"
WAITING = "yYuoO"


@dataclass(frozen=True, slots=True)
class Way:
    """A connection that a lamp controls. ``link`` is its row in the node's right-of-way tables, -1 unknown.

    ``heading_deg`` is the direction of travel on the approach, clockwise from north.
    """

    connection: Connection
    lane: Lane
    node: Node
    link: int
    heading_deg: float
    crossing_m: float

    @property
    def is_crossing(self) -> bool:
        """Do pedestrians walk here?"""
        return self.crossing_m > 0.0


@dataclass(frozen=True)
class Light:
    """A traffic light; ``ways[lamp]`` is what that lamp controls."""

    id: str
    lamps: int
    ways: tuple[tuple[Way, ...], ...]
    programs: tuple[Program, ...]

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Every state of every program, in order."""
        return tuple(phase.state for program in self.programs for phase in program.phases)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """What each lamp shows through all programs."""
        return tuple("".join(state[lamp] for state in self.states) for lamp in range(self.lamps))

    @cached_property
    def stage_states(self) -> tuple[str, ...]:
        """States that are stages, each once, in the order of the programs."""
        return tuple(dict.fromkeys(state for state in self.states if self.is_stage(state)))

    def is_stage(self, state: str) -> bool:
        """Does the state show a stage, and not a change between two?"""
        return is_stage_state(state, self.columns)


def is_stage_state(state: str, columns: tuple[str, ...]) -> bool:
    """No lamp is changing, and at least one that is not always green is green."""
    if any(
        letter in WAITING for letter, column in zip(state, columns, strict=True) if set(column) - set("oO")
    ):
        return False
    return any(
        letter in OPEN and set(column) - set(OPEN) for letter, column in zip(state, columns, strict=True)
    ) or all(not (set(column) - set(OPEN)) for column in columns)


def collect_lights(network: Network) -> tuple[Light, ...]:
    """All lights of a network, sorted by id.

    Raises NetworkError where a program's states are shorter than the light's links.
    """
    controlled: dict[str, dict[int, list[Connection]]] = {}
    for connection in network.connections:
        if connection.light and connection.lamp >= 0:
            controlled.setdefault(connection.light, {}).setdefault(connection.lamp, []).append(connection)
    return tuple(_light(network, light, lamps) for light, lamps in sorted(controlled.items()))


def _light(network: Network, light: str, lamps: dict[int, list[Connection]]) -> Light:
    needed = max(lamps) + 1
    programs = tuple(program for program in network.programs.get(light, []) if program.phases)
    for program in programs:
        lengths = {len(phase.state) for phase in program.phases}
        if min(lengths) < needed or len(lengths) > 1:
            raise NetworkError(
                f"{network.path}: light {light}, program {program.id}: expected states of at least {needed} letters, "
                f"one a link, all of one length; found {sorted(lengths)}"
            )
    count = max([needed, *(len(program.phases[0].state) for program in programs)])
    if len({len(program.phases[0].state) for program in programs}) > 1:
        raise NetworkError(f"{network.path}: light {light}: expected programs of one length, found several")
    ways = tuple(tuple(_way(network, c) for c in lamps.get(lamp, [])) for lamp in range(count))
    return Light(light, count, ways, programs)


def _way(network: Network, connection: Connection) -> Way:
    target = network.edges[connection.target]
    crossing_m = target.lanes[0].length_m if target.function == "crossing" else 0.0
    lane = network.edges[connection.source].lanes[connection.source_lane]
    node = _node(network, connection, crossing_m > 0.0)
    return Way(connection, lane, node, _link(network, node, connection), _heading(lane), crossing_m)


def _node(network: Network, connection: Connection, is_crossing: bool) -> Node:
    if is_crossing:
        return network.nodes[connection.target[1:].rsplit("_", 1)[0]]
    return network.nodes[network.edges[connection.source].target]


def _link(network: Network, node: Node, connection: Connection) -> int:
    """Row of the connection in the node's tables: in the order of the incoming lanes and their connections.

    Ways from a sidewalk onto a walking area have no row.
    """
    target = network.edges[connection.target]
    if target.function == "crossing":
        lane = target.lanes[0].id
        return node.internal.index(lane) if lane in node.internal else -1
    row = 0
    for lane in node.incoming:
        for candidate in network.outgoing.get(lane, []):
            if candidate == connection:
                return row if row < len(node.foes) else -1
            row += network.edges[candidate.target].function != "walkingarea"
    return -1


def _heading(lane: Lane) -> float:
    if len(lane.shape) < 2:
        return 0.0
    (x0, y0), (x1, y1) = lane.shape[-2:]
    return math.degrees(math.atan2(x1 - x0, y1 - y0)) % 360.0

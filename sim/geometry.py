"""What a report draws: edges, junctions with their approaches, and the longest corridor through them."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from greensplit.engine.model.naming import served_approaches, shown_groups
from greensplit.engine.model.site import Junction, Site

from .network import Network

__all__ = ["Corridor", "find_corridor", "network_drawing"]

Corridor = dict[str, Any]
MAX_LEG_M = 2500.0


def network_drawing(network: Network, site: Site, corridor: Corridor | None) -> dict[str, Any]:
    """Edges, junctions and corridor as JSON values; lengths in metres, positions as in the network."""
    return {
        "edges": [
            {
                "id": edge.id,
                "shape": [[round(x, 1), round(y, 1)] for x, y in edge.lanes[0].shape],
                "length_m": round(edge.lanes[0].length_m, 1),
                "speed_mps": edge.lanes[0].speed_mps,
                "lanes": len(edge.lanes),
            }
            for edge in network.edges.values()
            if edge.lanes and edge.function in ("", "normal") and len(edge.lanes[0].shape) > 1
        ],
        "junctions": [_junction(network, junction) for junction in site.junctions],
        "corridor": corridor,
    }


def _junction(network: Network, junction: Junction) -> dict[str, Any]:
    approaches: dict[str, list[str]] = {}
    for lane in junction.lanes:
        edges = approaches.setdefault(lane.approach, [])
        edge = network.lanes[lane.id].edge
        if edge not in edges:
            edges.append(edge)
    return {
        "id": junction.id,
        "device_id": junction.device_id,
        "x": junction.x_m,
        "y": junction.y_m,
        "name": junction.id,
        "groups": [{"number": g.number, "name": g.name, "kind": str(g.kind)} for g in junction.groups],
        "stages": [
            {
                "name": stage.name,
                "groups": shown_groups(stage),
                "approaches": served_approaches(junction, stage),
            }
            for stage in junction.stages
        ],
        "approaches": [{"name": name, "edges": edges} for name, edges in approaches.items()],
    }


def find_corridor(network: Network, site: Site) -> Corridor | None:
    """The way straight on through most junctions; None where none joins two."""
    stop_edges = {network.lanes[lane.id].edge: j.id for j in site.junctions for lane in j.lanes}
    best: list[Leg] = []
    for edge in sorted(stop_edges):
        legs = _walk(network, stop_edges, edge)
        if _worth(network, legs) > _worth(network, best):
            best = legs
    return _describe(network, site, best) if best else None


@dataclass(frozen=True, slots=True)
class Leg:
    """The way from one stop line through its junction to the next: edges after the junction, up to the next line."""

    start: str
    edges: tuple[str, ...]
    junction: str


def _worth(network: Network, legs: list[Leg]) -> tuple[int, int]:
    return len(legs), sum(len(network.edges[leg.edges[-1]].lanes) for leg in legs)


def _walk(network: Network, stop_edges: dict[str, str], edge: str) -> list[Leg]:
    """From the stop line of ``edge`` on, leg by leg, never through the same junction twice."""
    legs: list[Leg] = []
    visited = {stop_edges[edge]}
    while True:
        leg = _next_leg(network, stop_edges, edge)
        if leg is None or leg.junction in visited:
            return legs
        legs.append(leg)
        visited.add(leg.junction)
        edge = leg.edges[-1]


def _next_leg(network: Network, stop_edges: dict[str, str], edge: str) -> Leg | None:
    """The shortest way straight on to another stop line (Dijkstra over edges)."""
    heap: list[tuple[float, tuple[str, ...]]] = [(0.0, (edge,))]
    done: set[str] = set()
    while heap:
        length_m, path = heapq.heappop(heap)
        here = path[-1]
        if here in done or length_m > MAX_LEG_M:
            continue
        done.add(here)
        if len(path) > 1 and here in stop_edges:
            return Leg(edge, path[1:], stop_edges[here])
        for target in _straight_on(network, here):
            further_m = length_m + network.edges[target].lanes[0].length_m
            heapq.heappush(heap, (further_m, (*path, target)))
    return None


def _straight_on(network: Network, edge: str) -> set[str]:
    """Edges that follow without a turn."""
    return {
        connection.target
        for lane in network.edges[edge].lanes
        for connection in network.outgoing.get(lane.id, [])
        if connection.direction == "s" and network.edges[connection.target].function in ("", "normal")
    }


def _describe(network: Network, site: Site, legs: list[Leg]) -> Corridor:
    """Edges with their offsets, and where each junction's stop line lies, metres from the corridor's start."""
    junctions = {junction.id: junction for junction in site.junctions}
    owner = {network.lanes[lane.id].edge: j.id for j in site.junctions for lane in j.lanes}
    edges = [legs[0].start]
    length_m = network.edges[legs[0].start].lanes[0].length_m
    lines = [_line(network, junctions[owner[legs[0].start]], legs[0].start, legs[0], length_m)]
    for i, leg in enumerate(legs):
        edges += leg.edges
        length_m += sum(network.edges[edge].lanes[0].length_m for edge in leg.edges)
        onward = legs[i + 1] if i + 1 < len(legs) else None
        lines.append(_line(network, junctions[leg.junction], leg.edges[-1], onward, length_m))
    lengths_m = [network.edges[edge].lanes[0].length_m for edge in edges]
    offsets_m = dict(zip(edges, accumulate([0.0, *lengths_m]), strict=False))
    name = f"{owner[legs[0].start]} to {legs[-1].junction}"
    return {
        "name": name,
        "edges": edges,
        "offsets_m": offsets_m,
        "length_m": round(length_m, 1),
        "junctions": lines,
    }


def _line(
    network: Network, junction: Junction, edge: str, onward: Leg | None, distance_m: float
) -> dict[str, Any]:
    """A stop line on the corridor, with the groups that serve its movement (at the end: straight on)."""
    lamps = {
        c.lamp
        for lane in network.edges[edge].lanes
        for c in network.outgoing.get(lane.id, [])
        if c.light == junction.id
        and (c.target == onward.edges[0] if onward is not None else c.direction == "s")
    }
    return {
        "device_id": junction.device_id,
        "distance_m": round(distance_m, 1),
        "groups": [group.number for group in junction.groups if lamps & set(group.lamps)],
    }

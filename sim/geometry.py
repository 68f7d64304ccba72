"""What a report draws: edges, junctions with their approaches, and the longest corridor through them."""

from __future__ import annotations

from typing import Any

from greensplit.engine.model.site import Junction, Link, Site

from .network import Connection, Network

__all__ = ["Corridor", "find_corridor", "network_drawing"]

Corridor = dict[str, Any]


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
        "approaches": [{"name": name, "edges": edges} for name, edges in approaches.items()],
    }


def find_corridor(network: Network, site: Site) -> Corridor | None:
    """The way through most junctions, straight on where it can; None where no link joins two junctions."""
    after: dict[str, list[Link]] = {}
    for link in site.links:
        if link.from_junction != link.to_junction:
            after.setdefault(link.from_junction, []).append(link)
    best: list[Link] = []
    for start in sorted(after):
        path = _walk(network, after, start)
        if (len(path), -sum(link.length_m for link in path)) > (len(best), -sum(b.length_m for b in best)):
            best = path
    return _describe(network, site, best) if best else None


def _walk(network: Network, after: dict[str, list[Link]], start: str) -> list[Link]:
    """Go on from junction to junction, entering the next by the approach that the last link reached."""
    path: list[Link] = []
    visited, here, arriving = {start}, start, ""
    while True:
        ahead = [link for link in after.get(here, []) if link.to_junction not in visited]
        if arriving:
            ahead = [link for link in ahead if _goes_straight(network, here, arriving, link)]
        if not ahead:
            return path
        link = min(ahead, key=lambda each: (each.length_m, each.to_lane))
        path.append(link)
        visited.add(link.to_junction)
        here, arriving = link.to_junction, network.lanes[link.to_lane].edge


def _goes_straight(network: Network, light: str, edge: str, link: Link) -> bool:
    return any(
        c.light == light and c.direction == "s" and _leads(network, c, link.to_lane)
        for lane in network.edges[edge].lanes
        for c in network.outgoing.get(lane.id, [])
    )


def _leads(network: Network, connection: Connection, lane_id: str) -> bool:
    return bool(_edges_between(network, connection.target, network.lanes[lane_id].edge))


def _edges_between(network: Network, start: str, goal: str) -> list[str]:
    """Shortest sequence of edges without a signal from ``start`` to ``goal``, both included; empty if none."""
    before: dict[str, str] = {start: ""}
    queue = [start]
    for edge in queue:
        if edge == goal:
            path = [edge]
            while before[path[-1]]:
                path.append(before[path[-1]])
            return path[::-1]
        for lane in network.edges[edge].lanes:
            for connection in network.outgoing.get(lane.id, []):
                if not connection.light and connection.target not in before:
                    before[connection.target] = edge
                    queue.append(connection.target)
    return []


def _describe(network: Network, site: Site, path: list[Link]) -> Corridor | None:
    """Edges with their offsets, and where each junction's stop line lies, metres from the corridor's start."""
    junctions = {junction.id: junction for junction in site.junctions}
    edges: list[str] = []
    lines: list[dict[str, Any]] = []
    length_m = 0.0
    for i, link in enumerate(path):
        part = _way(network, link, path[i - 1] if i else None)
        if not part:
            return None
        for edge in part:
            edges.append(edge)
            length_m += network.edges[edge].lanes[0].length_m
        junction = junctions[link.to_junction]
        onward = path[i + 1] if i + 1 < len(path) else None
        lines.append(
            {
                "device_id": junction.device_id,
                "distance_m": round(length_m, 1),
                "groups": _corridor_groups(network, junction, part[-1], onward),
            }
        )
    name = f"{path[0].from_junction} to {path[-1].to_junction}"
    return {"name": name, "edges": edges, "length_m": round(length_m, 1), "junctions": lines}


def _way(network: Network, link: Link, previous: Link | None) -> list[str]:
    goal = network.lanes[link.to_lane].edge
    arriving = network.lanes[previous.to_lane].edge if previous else ""
    starts = [
        c
        for c in network.connections
        if c.light == link.from_junction
        and (not arriving or c.source == arriving)
        and not c.target.startswith(":")
    ]
    ways = [_edges_between(network, target, goal) for target in sorted({c.target for c in starts})]
    return min((way for way in ways if way), key=len, default=[])


def _corridor_groups(network: Network, junction: Junction, edge: str, onward: Link | None) -> list[int]:
    """Groups that serve the corridor's movement at a junction: straight on, or all of the approach at its end."""
    lamps = {
        c.lamp
        for lane in network.edges[edge].lanes
        for c in network.outgoing.get(lane.id, [])
        if c.light == junction.id
        and (_leads(network, c, onward.to_lane) if onward is not None else c.direction == "s")
    }
    return [group.number for group in junction.groups if lamps & set(group.lamps)]

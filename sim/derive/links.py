"""Links between junctions: which group of one feeds which approach lane of the next."""

from __future__ import annotations

import heapq

from greensplit.engine.model.site import GroupKind, Junction, Link

from ..network import Connection, Network
from .light import Light

__all__ = ["derive_links"]

MAX_LINK_M = 2000.0
VEHICLE_M = 7.5


def derive_links(
    network: Network, junctions: tuple[Junction, ...], lights: tuple[Light, ...]
) -> tuple[Link, ...]:
    """One link per group and approach lane that it leads to without passing another signal, up to MAX_LINK_M."""
    stop_lanes = {lane.id: junction.id for junction in junctions for lane in junction.lanes}
    lights_by_id = {light.id: light for light in lights}
    links = []
    for junction in junctions:
        for group in junction.groups:
            if group.kind is not GroupKind.PEDESTRIAN:
                ways = lights_by_id[junction.id].ways
                starts = [way.connection for lamp in group.lamps for way in ways[lamp]]
                for lane, (length_m, travel_s) in sorted(_reachable(network, starts, stop_lanes).items()):
                    links.append(
                        Link(
                            junction.id,
                            group.number,
                            stop_lanes[lane],
                            lane,
                            round(length_m, 1),
                            round(travel_s * 1000),
                            round(length_m / VEHICLE_M, 1),
                        )
                    )
    return tuple(links)


def _reachable(
    network: Network, starts: list[Connection], stop_lanes: dict[str, str]
) -> dict[str, tuple[float, float]]:
    """Shortest length and time from the junction to each stop line (Dijkstra over lanes, ended by signals)."""
    best: dict[str, float] = {}
    found: dict[str, tuple[float, float]] = {}
    heap = [(0.0, 0.0, network.lane_id(c.target, c.target_lane)) for c in starts]
    heapq.heapify(heap)
    while heap:
        length_m, travel_s, lane_id = heapq.heappop(heap)
        if lane_id in best or length_m > MAX_LINK_M:
            continue
        best[lane_id] = length_m
        lane = network.lanes[lane_id]
        length_m += lane.length_m
        travel_s += lane.length_m / max(lane.speed_mps, 0.1)
        if lane_id in stop_lanes:
            found[lane_id] = (length_m, travel_s)
            continue
        for connection in network.outgoing.get(lane_id, []):
            if not connection.light:
                heapq.heappush(
                    heap, (length_m, travel_s, network.lane_id(connection.target, connection.target_lane))
                )
    return found

"""Perfect vision: every vehicle, the signal it comes to next and how far away it is, across edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from greensplit.engine.loop import Truth
from greensplit.engine.model.site import Site

from .derive.loops import upstream_chain
from .network import Network
from .sumo import Simulator

__all__ = ["Eyes"]

STANDING_MPS = 0.1
OUT_RANGE_M = 200.0


class Eyes:
    """Reads vehicles from SUMO. Remembers who has stopped on the way to which junction."""

    def __init__(self, simulator: Simulator, site: Site, network: Network) -> None:
        self._api: Any = simulator.api
        self._group_of: dict[str, dict[int, int]] = {}
        self._out_edges: list[tuple[str, ...]] = []
        self._stopped: dict[str, str] = {}
        watched = _watched_edges(network, site)
        first = 0
        for junction in site.junctions:
            lamps = {lamp: first + i for i, group in enumerate(junction.groups) for lamp in group.lamps}
            self._group_of[junction.id] = lamps
            edges = _out_edges(network, junction.id, lamps, first, len(junction.groups))
            self._out_edges += [tuple(edge for edge in found if edge in watched) for found in edges]
            first += len(junction.groups)

    def __call__(self) -> Truth:
        """Look once."""
        vehicle = self._api.vehicle
        groups, distances, speeds, stopped = [], [], [], []
        remembered: dict[str, str] = {}
        for name in vehicle.getIDList():
            ahead = vehicle.getNextTLS(name)
            if not ahead:
                continue
            light, lamp, distance_m, _ = ahead[0]
            group = self._group_of.get(light, {}).get(lamp)
            if group is None:
                continue
            speed_mps = vehicle.getSpeed(name)
            if speed_mps < STANDING_MPS or self._stopped.get(name) == light:
                remembered[name] = light
            groups.append(group)
            distances.append(distance_m)
            speeds.append(speed_mps)
            stopped.append(name in remembered)
        self._stopped = remembered
        return Truth(
            np.array(groups, np.int32),
            np.array(distances, np.float64),
            np.array(speeds, np.float64),
            np.array(stopped, np.uint8),
            self._out_queues(),
        )

    def _out_queues(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        halting = self._api.edge.getLastStepHaltingNumber
        seen: dict[str, float] = {}
        for edges in self._out_edges:
            for edge in edges:
                if edge not in seen:
                    seen[edge] = halting(edge)
        return np.array([sum(seen[edge] for edge in edges) for edges in self._out_edges], np.float64)


def _watched_edges(network: Network, site: Site) -> set[str]:
    """Edges on the last OUT_RANGE_M before some stop line: a queue elsewhere is no signal's queue."""
    return {
        reach.lane.edge
        for junction in site.junctions
        for lane in junction.lanes
        for reach in upstream_chain(network, network.lanes[lane.id])
        if reach.offset_m <= OUT_RANGE_M
    }


def _out_edges(
    network: Network, light: str, lamps: dict[int, int], first: int, count: int
) -> list[tuple[str, ...]]:
    """Edges that each group of a junction leads to."""
    found: list[set[str]] = [set() for _ in range(count)]
    for connection in network.connections:
        if connection.light == light and connection.lamp in lamps:
            found[lamps[connection.lamp] - first].add(connection.target)
    return [tuple(sorted(edges)) for edges in found]

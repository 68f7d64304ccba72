"""Perfect vision: every vehicle, the signal it comes to next and how far away it is, across edges."""

from __future__ import annotations

from dataclasses import dataclass
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
        self._stopped: dict[str, tuple[str, float]] = {}
        self._lanes = _approach_lanes(network, site)
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
        now_s = self._api.simulation.getTime()
        seen: list[tuple[int, int, float, float, bool, float]] = []
        remembered: dict[str, tuple[str, float]] = {}
        taken = [0] * self._lanes.count
        for name in vehicle.getIDList():
            ahead = vehicle.getNextTLS(name)
            if not ahead:
                continue
            light, lamp, distance_m, _ = ahead[0]
            group = self._group_of.get(light, {}).get(lamp)
            if group is None:
                continue
            lane = self._lanes.find(group, vehicle.getLaneID(name), taken)
            taken[lane] += 1
            speed_mps = vehicle.getSpeed(name)
            before = self._stopped.get(name)
            if before is not None and before[0] == light:
                remembered[name] = before
            elif speed_mps < STANDING_MPS:
                remembered[name] = (light, now_s)
            waited_s = now_s - remembered[name][1] if name in remembered else 0.0
            seen.append((group, lane, distance_m, speed_mps, name in remembered, waited_s))
        self._stopped = remembered
        columns = list(zip(*seen, strict=True)) if seen else [()] * 6
        return Truth(
            np.array(columns[0], np.int32),
            np.array(columns[1], np.int32),
            np.array(columns[2], np.float64),
            np.array(columns[3], np.float64),
            np.array(columns[4], np.uint8),
            np.array(columns[5], np.float32),
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


@dataclass(frozen=True, slots=True)
class ApproachLanes:
    """Which approach lane a vehicle is on, or comes to: lanes are numbered over the whole site."""

    count: int
    of_group: dict[int, tuple[int, ...]]
    behind: dict[str, frozenset[int]]
    """Approach lanes that a SUMO lane is, or feeds straight on."""

    def find(self, group: int, sumo_lane: str, taken: list[int]) -> int:
        """The lane for a vehicle that needs ``group``: straight on from where it is, else the emptiest so far."""
        serving = self.of_group[group]
        reached = self.behind.get(sumo_lane, frozenset())
        return min(serving, key=lambda lane: (lane not in reached, taken[lane]))


def _approach_lanes(network: Network, site: Site) -> ApproachLanes:
    of_group: dict[int, list[int]] = {}
    behind: dict[str, set[int]] = {}
    number, first = 0, 0
    for junction in site.junctions:
        for lane in junction.lanes:
            for group in lane.groups:
                of_group.setdefault(first + group - 1, []).append(number)
            for reach in upstream_chain(network, network.lanes[lane.id]):
                behind.setdefault(reach.lane.id, set()).add(number)
            number += 1
        first += len(junction.groups)
    return ApproachLanes(
        number,
        {group: tuple(lanes) for group, lanes in of_group.items()},
        {lane: frozenset(numbers) for lane, numbers in behind.items()},
    )


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

"""Where every vehicle on the way to a signal was, second by second, and when it crossed a stop line."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.model.site import Site
from greensplit.sim.derive.loops import upstream_chain
from greensplit.sim.network import Connection, Network
from greensplit.sim.sumo import Simulator

__all__ = ["Crossings", "Places", "Sightings", "Watcher", "find_places"]


class Places(NamedTuple):
    """Lanes of the network on the way to the stop lines: a row per approach lane and network lane on its chain.

    ``offset_m`` lies between the network lane's downstream end and the stop line.
    """

    approach: npt.NDArray[np.int32]  # (P,) approach lane, index over the site
    lane: npt.NDArray[np.int32]  # (P,) network lane, numbered as in the sightings
    offset_m: npt.NDArray[np.float64]  # (P,)
    length_m: npt.NDArray[np.float64]  # (P,) of the network lane


class Sightings(NamedTuple):
    """A row per vehicle and second: those of second t are ``row_ptr[t]:row_ptr[t + 1]``."""

    row_ptr: npt.NDArray[np.int64]  # (T + 1,)
    vehicle: npt.NDArray[np.int32]  # (N,)
    lane: npt.NDArray[np.int32]  # (N,) network lane
    position_m: npt.NDArray[np.float32]  # (N,) front, from the lane's start
    speed_mps: npt.NDArray[np.float32]  # (N,)


class Crossings(NamedTuple):
    """Stop lines crossed, in time order."""

    t_ms: npt.NDArray[np.int64]  # (C,)
    vehicle: npt.NDArray[np.int32]  # (C,)
    lane: npt.NDArray[np.int32]  # (C,) approach lane
    group: npt.NDArray[np.int32]  # (C,) group of the turn that was taken, index over the site


def find_places(network: Network, site: Site) -> tuple[Places, dict[str, int]]:
    """Every network lane on a chain, ways through junctions among them, and the number of each by name."""
    numbers: dict[str, int] = {}
    rows: list[tuple[int, int, float, float]] = []
    approaches = [lane for junction in site.junctions for lane in junction.lanes]
    for approach, lane in enumerate(approaches):
        chain = upstream_chain(network, network.lanes[lane.id])
        spots = [(reach.lane.id, reach.offset_m) for reach in chain]
        for below, above in pairwise(chain):
            via = _way_between(network, above.lane.id, below.lane.id)
            if via:
                spots.append((via, below.offset_m + below.lane.length_m))
        for name, offset_m in spots:
            number = numbers.setdefault(name, len(numbers))
            rows.append((approach, number, offset_m, network.lanes[name].length_m))
    columns = list(zip(*rows, strict=True))
    return Places(
        np.array(columns[0], np.int32),
        np.array(columns[1], np.int32),
        np.array(columns[2], np.float64),
        np.array(columns[3], np.float64),
    ), numbers


def _way_between(network: Network, above: str, below: str) -> str:
    """The lane inside the junction between two lanes, '' where there is none."""
    for connection in network.outgoing.get(above, []):
        if network.lane_id(connection.target, connection.target_lane) == below:
            return connection.via if connection.via in network.lanes else ""
    return ""


class Watcher:
    """Reads vehicles from SUMO after every step. A crossing is timed by the speed over the stop line."""

    def __init__(self, simulator: Simulator, network: Network, site: Site) -> None:
        self._vehicles: Any = simulator.api.vehicle
        self._network = network
        self.places, self._numbers = find_places(network, site)
        self._lanes = {
            lane.id: i
            for i, lane in enumerate(lane for junction in site.junctions for lane in junction.lanes)
        }
        self._group_of: dict[tuple[str, int], int] = {}
        first = 0
        for junction in site.junctions:
            for i, group in enumerate(junction.groups):
                self._group_of |= {(junction.id, lamp): first + i for lamp in group.lamps}
            first += len(junction.groups)
        self._names: dict[str, int] = {}
        self._last: dict[str, tuple[str, float, int]] = {}
        self._row_ptr = [0]
        self._rows: list[tuple[int, int, float, float]] = []
        self._crossed: list[tuple[int, int, int, int]] = []

    def look(self, now_ms: int) -> None:
        """Note every vehicle at ``now_ms``, the end of a step of one second."""
        api, last = self._vehicles, {}
        for name in api.getIDList():
            lane = api.getLaneID(name)
            if not lane:
                continue
            position_m, speed_mps = api.getLanePosition(name), api.getSpeed(name)
            number = self._names.setdefault(name, len(self._names))
            before = self._last.get(name)
            if before is not None and before[0] == lane:
                passed = before[2]
            else:
                passed = api.getRouteIndex(name) + lane.startswith(":")
                if before is not None and passed > before[2]:
                    self._note_crossings(name, number, before, lane, passed, speed_mps, now_ms)
            last[name] = (lane, position_m, passed)
            if lane in self._numbers:
                self._rows.append((number, self._numbers[lane], position_m, speed_mps))
        self._last = last
        self._row_ptr.append(len(self._rows))

    def _note_crossings(
        self,
        name: str,
        number: int,
        before: tuple[str, float, int],
        here: str,
        passed: int,
        speed_mps: float,
        now_ms: int,
    ) -> None:
        """Every signalised stop line at the ends of those edges of its route that the vehicle has passed by now."""
        lane, position_m, first = before
        route = self._vehicles.getRoute(name)
        for source, target in pairwise(route[first : passed + 1]):
            found = self._connection(source, target, lane, here)
            if found is None:
                continue
            approach = self._lanes[self._network.lane_id(found.source, found.source_lane)]
            remaining_m = self._remaining_m(approach, lane, position_m)
            share = min(1.0, remaining_m / speed_mps) if speed_mps > 0.0 else 1.0
            group = self._group_of[found.light, found.lamp]
            self._crossed.append((now_ms - 1000 + round(1000.0 * share), number, approach, group))

    def _connection(self, source: str, target: str, before: str, here: str) -> Connection | None:
        """The signalised connection taken by a vehicle that was on lane ``before`` and is on ``here`` a step later."""
        ways = [
            connection
            for each in self._network.edges[source].lanes
            for connection in self._network.outgoing.get(each.id, [])
            if connection.target == target
            and (connection.light, connection.lamp) in self._group_of
            and each.id in self._lanes
        ]
        return min(ways, key=lambda way: self._doubt(way, before, here), default=None)

    def _doubt(self, way: Connection, before: str, here: str) -> int:
        """How little tells that it was this way: the last edge may be so short that nobody is seen on it."""
        source = self._network.lane_id(way.source, way.source_lane)
        if before == source:
            return 0
        if here == way.via:
            return 1
        return 2 if len(self._on_chain(self._lanes[source], before)) else 3

    def _on_chain(self, approach: int, lane: str) -> npt.NDArray[np.intp]:
        """Rows of the places where a network lane leads to an approach lane."""
        number = self._numbers.get(lane, -1)
        return np.flatnonzero((self.places.approach == approach) & (self.places.lane == number))

    def _remaining_m(self, approach: int, lane: str, position_m: float) -> float:
        """Distance to the stop line of ``approach`` from a place, 0 where that is on no chain of it."""
        here = self._on_chain(approach, lane)
        if not len(here):
            return 0.0
        return float(self.places.offset_m[here[0]] + self.places.length_m[here[0]]) - position_m

    def sightings(self) -> Sightings:
        """All rows so far."""
        vehicle, lane, position_m, speed_mps = _columns(self._rows)
        return Sightings(
            np.array(self._row_ptr, np.int64),
            np.array(vehicle, np.int32),
            np.array(lane, np.int32),
            np.array(position_m, np.float32),
            np.array(speed_mps, np.float32),
        )

    def crossings(self) -> Crossings:
        """All crossings so far."""
        rows = sorted(self._crossed)
        t_ms, vehicle, lane, group = _columns(rows)
        return Crossings(
            np.array(t_ms, np.int64),
            np.array(vehicle, np.int32),
            np.array(lane, np.int32),
            np.array(group, np.int32),
        )


def _columns(rows: list[Any]) -> list[Any]:
    return list(zip(*rows, strict=True)) if rows else [(), (), (), ()]

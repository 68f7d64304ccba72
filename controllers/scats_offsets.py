"""Offsets for married junctions: green waves along the links that most vehicles take.

The busiest links that join all junctions of a region are followed from the junction with most traffic: the green that
a link leads to begins when the first vehicle of the green that feeds it arrives. As long as nobody has been counted the
offsets are the deployed ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from greensplit.engine.model.site import Site

from .rotation import Rotation

__all__ = ["LinkPlans"]

MEMORY = 0.2


@dataclass(frozen=True, slots=True)
class _Way:
    """From a lane of a junction to a lane of another, at free flow."""

    origin: int
    group: int
    target: int
    lane: int
    travel_ms: int


class LinkPlans:
    """The offset (J,) of every junction in its region's cycle, ms, and the flow on every lane that decides on it."""

    def __init__(self, site: Site, rotation: Rotation) -> None:
        self.offset_ms = np.array([rotation.offset_ms(j) for j in range(len(rotation.position))], np.int64)
        self._first_lane = rotation.lane_ptr
        self._flow_per_s = np.zeros(int(rotation.lane_ptr[-1]))
        self._ways = _ways(site, rotation)

    def count(self, lanes: slice, vehicles: npt.NDArray[np.float64], cycle_ms: float) -> None:
        """Vehicles of a junction's lanes in a cycle."""
        self._flow_per_s[lanes] += MEMORY * (1000.0 * vehicles / cycle_ms - self._flow_per_s[lanes])

    def choose(self, rotation: Rotation) -> None:
        """Offsets for the flows of now."""
        ways = sorted(self._ways, key=lambda way: -self._flow_per_s[way.lane])
        joined = {j: j for j in range(len(rotation.position))}
        tree = []
        for way in ways:
            a, b = joined[way.origin], joined[way.target]
            if a != b and self._flow_per_s[way.lane] > 0.0:
                tree.append(way)
                joined = {j: a if root == b else root for j, root in joined.items()}
        self._follow(rotation, tree)

    def _follow(self, rotation: Rotation, tree: list[_Way]) -> None:
        placed: set[int] = set()
        waiting = list(tree)
        while waiting:
            if not any({way.origin, way.target} & placed for way in waiting):
                placed.add(waiting[0].origin)
            way = next(way for way in waiting if {way.origin, way.target} & placed)
            waiting.remove(way)
            lead_ms = (
                way.travel_ms
                + _green_start_ms(rotation, way.origin, way.group)
                - _lane_start_ms(rotation, way.target, way.lane - int(self._first_lane[way.target]))
            )
            if way.origin in placed:
                self.offset_ms[way.target] = self.offset_ms[way.origin] + lead_ms
            else:
                self.offset_ms[way.origin] = self.offset_ms[way.target] - lead_ms
            placed |= {way.origin, way.target}


def _ways(site: Site, rotation: Rotation) -> list[_Way]:
    """Links between junctions of one region that end in a lane of the model."""
    index = {junction.id: j for j, junction in enumerate(site.junctions)}
    lanes = {
        (j, lane.id): int(rotation.lane_ptr[j]) + row
        for j, junction in enumerate(site.junctions)
        for row, lane in enumerate(junction.lanes)
    }
    found = []
    for link in site.links:
        origin, target = index[link.from_junction], index[link.to_junction]
        lane = lanes.get((target, link.to_lane))
        if lane is not None and origin != target and rotation.region[origin] == rotation.region[target]:
            found.append(_Way(origin, link.from_group - 1, target, lane, link.travel_ms))
    return found


def _green_start_ms(rotation: Rotation, j: int, group: int) -> int:
    """When a group's first green begins in the junction's cycle."""
    turns = rotation.turns[j]
    starts = np.flatnonzero(turns.shown[:, group] & ~np.roll(turns.shown[:, group], 1))
    first = int(starts[0]) if len(starts) else 0
    return int(rotation.length_ms[j][:first].sum() + turns.change_ms[first])


def _lane_start_ms(rotation: Rotation, j: int, row: int) -> int:
    """When a lane's first green begins in the junction's cycle."""
    turns = rotation.turns[j]
    starts = np.flatnonzero(turns.starts[row])
    first = int(starts[0]) if len(starts) else 0
    return int(rotation.length_ms[j][:first].sum() + turns.change_ms[first])

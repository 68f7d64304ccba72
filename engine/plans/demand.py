"""Demand: vehicles of every signal group in equal periods of the day, and where they go next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..model.site import Junction, Site

__all__ = ["Demand", "Rates", "Turn", "spread_turns"]

Counts = npt.NDArray[np.float64]
Turn = tuple[str, int, str, int]
"""From junction and group to junction and group."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Mean flow of a time of day: (G,) veh/h of each junction's groups, and veh/h from group to group."""

    groups: Mapping[str, Counts]
    turns: Mapping[Turn, float]


@dataclass(frozen=True, slots=True)
class Demand:
    """Counted or scheduled vehicles. Period p starts ``start_s + p * period_s`` seconds after midnight.

    ``groups`` has (P, G) vehicles for every junction id, ``turns`` (P,) vehicles from one group to the next on the
    way; where those are not known, ``spread_turns`` takes them in proportion.
    """

    start_s: int
    period_s: int
    groups: Mapping[str, Counts]
    turns: Mapping[Turn, Counts]

    @property
    def periods(self) -> int:
        """Number of periods."""
        return len(next(iter(self.groups.values())))

    def features(self) -> Counts:
        """(P, F) vehicles of all groups of all junctions, in order of the junction ids."""
        return np.hstack([self.groups[name] for name in sorted(self.groups)])

    def rates(self, first: int, last: int) -> Rates:
        """Mean flows of periods ``first`` to ``last`` - 1."""
        per_h = 3600.0 / (self.period_s * (last - first))
        return Rates(
            {name: counts[first:last].sum(axis=0) * per_h for name, counts in self.groups.items()},
            {turn: float(counts[first:last].sum()) * per_h for turn, counts in self.turns.items()},
        )


def spread_turns(site: Site, groups: Mapping[str, Counts]) -> dict[Turn, Counts]:
    """Flows from group to group where only the groups are counted: in proportion to the groups that a link leads to."""
    junctions = {junction.id: junction for junction in site.junctions}
    reached: dict[tuple[str, int], set[tuple[str, int]]] = {}
    for link in site.links:
        for number in _lane_groups(junctions[link.to_junction], link.to_lane):
            reached.setdefault((link.from_junction, link.from_group), set()).add((link.to_junction, number))
    turns: dict[Turn, Counts] = {}
    for (origin, group), targets in reached.items():
        weights = {target: groups[target[0]][:, target[1] - 1] for target in sorted(targets)}
        total = np.maximum(sum(weights.values(), np.zeros(len(groups[origin]))), 1e-9)
        share = np.minimum(groups[origin][:, group - 1] / total, 1.0)
        for (target, number), weight in weights.items():
            turns[origin, group, target, number] = share * weight
    return turns


def _lane_groups(junction: Junction, lane_id: str) -> tuple[int, ...]:
    return next((lane.groups for lane in junction.lanes if lane.id == lane_id), ())

"""Arterials: the ways on which most vehicles pass several junctions one after the other, found in links and flows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..model.site import Link
from .demand import Turn

__all__ = ["COORDINATED_M", "Arterial", "connected", "find_arterials"]

COORDINATED_M = 800.0
"""Signals within half a mile of each other should be coordinated (MUTCD 2009, 4D.04)."""
LEAST_VEH_PER_H = 50.0
Group = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Arterial:
    """Junctions in order, the group of each that serves the way out and back (0 none), and the times between, s.

    ``out_s[i]`` leads from junction i to i + 1, ``back_s[i]`` from i + 1 to i; flows are in veh/h along each.
    """

    junctions: tuple[str, ...]
    out_groups: tuple[int, ...]
    back_groups: tuple[int, ...]
    out_s: tuple[float, ...]
    back_s: tuple[float, ...]
    out_veh_h: tuple[float, ...]
    back_veh_h: tuple[float, ...]


def connected(names: Iterable[str], links: Iterable[Link]) -> list[tuple[str, ...]]:
    """Junctions joined by links of at most COORDINATED_M, in sets."""
    sets = {name: {name} for name in names}
    for link in links:
        a, b = sets.get(link.from_junction), sets.get(link.to_junction)
        if link.length_m <= COORDINATED_M and a is not None and b is not None and a is not b:
            a |= b
            for name in b:
                sets[name] = a
    return sorted({tuple(sorted(found)) for found in sets.values()})


def find_arterials(
    names: Sequence[str], links: Sequence[Link], turns: Mapping[Turn, float]
) -> list[Arterial]:
    """Ways through at least two of the junctions, no junction on two of them, the one with most vehicles first."""
    near = [
        link for link in links if link.length_m <= COORDINATED_M and link.from_junction != link.to_junction
    ]
    travel_s = _travel_times(near)
    inside = {turn: flow for turn, flow in turns.items() if (turn[0], turn[2]) in travel_s and flow > 0.0}
    free = set(names)
    found: list[Arterial] = []
    while (path := _longest_way(free, inside)) is not None:
        found.append(_arterial(path, travel_s, inside))
        free -= set(path)
    return found


def _travel_times(links: Sequence[Link]) -> dict[tuple[str, str], float]:
    """Shortest travel time of each pair of neighbours, s."""
    found: dict[tuple[str, str], float] = {}
    for link in links:
        pair = (link.from_junction, link.to_junction)
        found[pair] = min(found.get(pair, link.travel_ms / 1000.0), link.travel_ms / 1000.0)
    return found


def _longest_way(free: set[str], turns: Mapping[Turn, float]) -> list[str] | None:
    """From the busiest pair of neighbours, onward at both ends with those who drive straight through."""
    both: dict[tuple[str, str], float] = defaultdict(float)
    for (a, _, b, _), flow in turns.items():
        if a in free and b in free and a != b:
            both[min(a, b), max(a, b)] += flow
    pairs = [(flow, pair) for pair, flow in both.items() if flow >= LEAST_VEH_PER_H]
    if not pairs:
        return None
    path = list(max(pairs)[1])
    for _ in range(2):
        while (onward := _onward(path, free, turns)) is not None:
            path.append(onward)
        path.reverse()
    return path


def _onward(path: Sequence[str], free: set[str], turns: Mapping[Turn, float]) -> str | None:
    """The junction to which most of those go who come along the path, both directions counted."""
    before, here = path[-2:]
    through: dict[str, float] = defaultdict(float)
    for onward in sorted(free - set(path)):
        through[onward] = _through(before, here, onward, turns) + _through(onward, here, before, turns)
    best = max(through, key=lambda name: through[name], default=None)
    return best if best is not None and through[best] >= LEAST_VEH_PER_H else None


def _through(a: str, b: str, c: str, turns: Mapping[Turn, float]) -> float:
    """Vehicles an hour that come from a to b and go on to c."""
    come: dict[int, float] = defaultdict(float)
    leave: dict[int, float] = defaultdict(float)
    for (origin, group, target, number), flow in turns.items():
        if (origin, target) == (a, b):
            come[number] += flow
        if (origin, target) == (b, c):
            leave[group] += flow
    return sum(min(flow, leave[group]) for group, flow in come.items())


def _arterial(
    path: Sequence[str], travel_s: Mapping[tuple[str, str], float], turns: Mapping[Turn, float]
) -> Arterial:
    back = list(reversed(path))
    out_groups, out_flows = _groups_along(path, turns)
    back_groups, back_flows = _groups_along(back, turns)
    hops = list(pairwise(path))
    return Arterial(
        tuple(path),
        tuple(out_groups),
        tuple(reversed(back_groups)),
        tuple(travel_s.get((a, b), 0.0) for a, b in hops),
        tuple(travel_s.get((b, a), 0.0) for a, b in hops),
        tuple(out_flows),
        tuple(reversed(back_flows)),
    )


def _groups_along(path: Sequence[str], turns: Mapping[Turn, float]) -> tuple[list[int], list[float]]:
    """The group of each junction that carries the way, 0 where nobody drives it, and the flow of each hop."""
    groups = [0] * len(path)
    flows = [0.0] * (len(path) - 1)
    for i, (a, b) in enumerate(pairwise(path)):
        hop = {(g, n): flow for (o, g, t, n), flow in turns.items() if (o, t) == (a, b)}
        if not hop:
            continue
        flows[i] = sum(hop.values())
        kept = {pair: flow for pair, flow in hop.items() if groups[i] in (0, pair[0])} or hop
        onward = {g for (o, g, t, _) in turns if o == b and i + 2 < len(path) and t == path[i + 2]}
        best = max(kept, key=lambda pair: (pair[1] in onward, kept[pair]))
        groups[i] = groups[i] or best[0]
        groups[i + 1] = best[1]
    return groups, flows

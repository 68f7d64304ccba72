"""Pedestrians who cross signalised junctions: where they can walk, and a seeded demand of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from .footpaths import Footpaths, distances_m, read_footpaths
from .times import format_time

__all__ = ["Walk", "crossing_walks", "person_elements", "signalised_crossings"]

HOUR_S = 3600.0
# Long enough to arrive at the kerb while other people do, short enough to be gone soon.
APPROACH_M = 15.0
NEAR_M = 300.0
# How much longer the way without a signal must be: SUMO's pedestrian router adds up to 20 s of walking for a signal,
# and people start and end APPROACH_M from the kerb. The second serves signals that have no way of the first kind.
ADVANTAGES_M = (90.0, 30.0)


@dataclass(frozen=True, slots=True)
class Kerb:
    """A pavement that ends (``incoming``) or begins at a junction; ``position_m`` lies near that junction."""

    edge: str
    incoming: bool
    position_m: float


@dataclass(frozen=True, slots=True)
class Walk:
    """A way between two pavements of one junction, shortest over one of its signalised crossings."""

    start: Kerb
    goal: Kerb


def signalised_crossings(net_file: Path) -> dict[str, tuple[str, ...]]:
    """Crossings under signals by traffic light, both sorted by id; traffic lights without any are left out.

    Raises NetworkError when the file cannot be read.
    """
    found = read_footpaths(net_file).crossings
    return {signal: tuple(sorted(crossings)) for signal, crossings in sorted(found.items())}


def crossing_walks(net_file: Path) -> dict[str, tuple[Walk, ...]]:
    """Every walk over signalised crossings by traffic light; NetworkError when the file cannot be read.

    Left out are walks for which a way without such a crossing is hardly longer.
    """
    paths = read_footpaths(net_file)
    walks = {
        signal: _clearest_walks(paths, crossings) for signal, crossings in sorted(paths.crossings.items())
    }
    return {signal: found for signal, found in walks.items() if found}


def person_elements(
    net_file: Path, per_crossing_h: float, begin_s: int, end_s: int, rng: np.random.Generator
) -> list[Element]:
    """Persons with one walk each, sorted by departure: a Poisson number at each traffic light.

    ``per_crossing_h`` is the expected number an hour and signalised crossing; ``begin_s`` and ``end_s`` are
    seconds.
    """
    crossings = signalised_crossings(net_file)
    entries: list[tuple[float, str, Walk]] = []
    for signal, walks in crossing_walks(net_file).items():
        expected = per_crossing_h * len(crossings[signal]) * (end_s - begin_s) / HOUR_S
        departs_s = rng.uniform(begin_s, end_s, rng.poisson(expected))
        chosen = rng.integers(len(walks), size=len(departs_s))
        entries += [(float(t), signal, walks[i]) for t, i in zip(departs_s, chosen, strict=True)]
    entries.sort(key=lambda entry: entry[:2])
    return [_person(f"ped{number}", depart_s, walk) for number, (depart_s, _, walk) in enumerate(entries)]


def _person(name: str, depart_s: float, walk: Walk) -> Element:
    person = Element("person", {"id": name, "depart": format_time(depart_s)})
    person.set("departPos", f"{walk.start.position_m:.2f}")
    way = {"from": walk.start.edge, "to": walk.goal.edge, "arrivalPos": f"{walk.goal.position_m:.2f}"}
    SubElement(person, "walk", way)
    return person


def _clearest_walks(paths: Footpaths, crossings: set[str]) -> tuple[Walk, ...]:
    choices = (tuple(_walks(paths, crossings, advantage_m)) for advantage_m in ADVANTAGES_M)
    return next((walks for walks in choices if walks), ())


def _walks(paths: Footpaths, crossings: set[str], advantage_m: float) -> Iterator[Walk]:
    for group in _joined_areas(paths, crossings):
        for area in sorted(group):
            needing = _areas_over_signals(paths, area, advantage_m)
            goals = [
                goal for far_area in sorted(group) for goal in _kerbs(paths, far_area) if far_area in needing
            ]
            for start in _kerbs(paths, area):
                yield from (Walk(start, goal) for goal in goals if goal.edge != start.edge)


def _areas_over_signals(paths: Footpaths, area: str, advantage_m: float) -> set[str]:
    """Walking areas to which the shortest way from ``area`` leads over a signalised crossing."""
    shortest_m = distances_m(paths, area, NEAR_M, over_signals=True)
    without_m = distances_m(paths, area, NEAR_M + advantage_m, over_signals=False)
    return {goal for goal, way_m in shortest_m.items() if way_m + advantage_m < without_m.get(goal, math.inf)}


def _kerbs(paths: Footpaths, area: str) -> list[Kerb]:
    return [_kerb(paths, *kerb) for kerb in sorted(paths.kerbs.get(area, ()))]


def _joined_areas(paths: Footpaths, crossings: set[str]) -> list[set[str]]:
    """Walking areas that the crossings join into one another's reach."""
    groups: list[set[str]] = []
    for crossing in sorted(crossings):
        touching = [group for group in groups if group & paths.ends[crossing]]
        groups = [group for group in groups if group not in touching]
        groups.append(paths.ends[crossing].union(*touching))
    return groups


def _kerb(paths: Footpaths, edge: str, incoming: bool) -> Kerb:
    length_m = paths.length_m[edge]
    return Kerb(edge, incoming, max(length_m - APPROACH_M, 0.0) if incoming else min(length_m, APPROACH_M))

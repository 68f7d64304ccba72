"""Where people on foot can go in a SUMO network: pavements, walking areas and crossings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path

from .xmlio import scan

__all__ = ["Footpaths", "distances_m", "read_footpaths"]


@dataclass(slots=True)
class Footpaths:
    """Signalised ``crossings`` by traffic light, walking areas at the ``ends`` of a crossing, pavements.

    ``kerbs`` are, by walking area, (edge, whether it leads there). ``neighbours`` joins areas, pavements and
    crossings, both ways.
    """

    crossings: dict[str, set[str]] = field(default_factory=dict)
    ends: dict[str, set[str]] = field(default_factory=dict)
    kerbs: dict[str, set[tuple[str, bool]]] = field(default_factory=dict)
    length_m: dict[str, float] = field(default_factory=dict)
    function: dict[str, str] = field(default_factory=dict)
    signalised: set[str] = field(default_factory=set)
    neighbours: dict[str, set[str]] = field(default_factory=dict)


def read_footpaths(net_file: Path) -> Footpaths:
    """The footpaths of a network; NetworkError when the file cannot be read."""
    paths = Footpaths()
    current = [""]

    def on_start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "edge":
            current[0] = attributes["id"]
            paths.function[current[0]] = attributes.get("function", "")
        elif tag == "lane":
            paths.length_m[current[0]] = float(attributes["length"])
        elif tag == "connection":
            _connect(paths, attributes)

    scan(net_file, on_start)
    _join_all(paths)
    return paths


def distances_m(paths: Footpaths, start_area: str, limit_m: float, *, over_signals: bool) -> dict[str, float]:
    """Shortest ways in metres to the walking areas within ``limit_m``, with or without signalised crossings.

    Dijkstra's algorithm; a walking area itself has no length, as in SUMO's network file.
    """
    queue, done = [(0.0, start_area)], dict[str, float]()
    while queue:
        walked_m, place = heappop(queue)
        if place in done:
            continue
        done[place] = walked_m
        for neighbour in paths.neighbours.get(place, ()):
            is_area = paths.function[neighbour] == "walkingarea"
            reached_m = walked_m + (0.0 if is_area else paths.length_m[neighbour])
            if reached_m <= limit_m and (over_signals or neighbour not in paths.signalised):
                heappush(queue, (reached_m, neighbour))
    return {place: walked_m for place, walked_m in done.items() if paths.function[place] == "walkingarea"}


def _connect(paths: Footpaths, connection: Mapping[str, str]) -> None:
    source, target = connection["from"], connection["to"]
    kinds = paths.function.get(source, ""), paths.function.get(target, "")
    if kinds == ("walkingarea", "crossing"):
        paths.ends.setdefault(target, set()).add(source)
        if "tl" in connection:
            paths.crossings.setdefault(connection["tl"], set()).add(target)
    elif kinds == ("crossing", "walkingarea"):
        paths.ends.setdefault(source, set()).add(target)
    elif kinds == ("", "walkingarea"):
        paths.kerbs.setdefault(target, set()).add((source, True))
    elif kinds == ("walkingarea", ""):
        paths.kerbs.setdefault(source, set()).add((target, False))


def _join_all(paths: Footpaths) -> None:
    paths.signalised.update(*paths.crossings.values())
    for crossing, areas in paths.ends.items():
        for area in areas:
            _join(paths, crossing, area)
    for area, kerbs in paths.kerbs.items():
        for edge, _ in kerbs:
            _join(paths, edge, area)


def _join(paths: Footpaths, a: str, b: str) -> None:
    paths.neighbours.setdefault(a, set()).add(b)
    paths.neighbours.setdefault(b, set()).add(a)

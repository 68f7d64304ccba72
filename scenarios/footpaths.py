"""Where people on foot can go in a SUMO network: pavements, walking areas and crossings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path

from .xmlio import scan

__all__ = ["Footpaths", "areas_within", "read_footpaths"]


@dataclass(slots=True)
class Footpaths:
    """Signalised ``crossings`` by traffic light, walking areas at the ``ends`` of a crossing, pavements.

    ``kerbs`` are, by walking area, (edge, whether it leads there). ``unsignalised`` joins areas, pavements and
    crossings without a signal, both ways.
    """

    crossings: dict[str, set[str]] = field(default_factory=dict)
    ends: dict[str, set[str]] = field(default_factory=dict)
    kerbs: dict[str, set[tuple[str, bool]]] = field(default_factory=dict)
    length_m: dict[str, float] = field(default_factory=dict)
    function: dict[str, str] = field(default_factory=dict)
    unsignalised: dict[str, set[str]] = field(default_factory=dict)


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
    _join_unsignalised(paths)
    return paths


def areas_within(paths: Footpaths, start_area: str, limit_m: float) -> set[str]:
    """Walking areas that can be reached within ``limit_m`` without a signalised crossing (Dijkstra)."""
    queue, done = [(0.0, start_area)], set[str]()
    while queue:
        walked_m, place = heappop(queue)
        if place in done:
            continue
        done.add(place)
        for neighbour in paths.unsignalised.get(place, ()):
            reached_m = walked_m + (
                0.0 if paths.function[neighbour] == "walkingarea" else paths.length_m[neighbour]
            )
            if reached_m <= limit_m and neighbour not in done:
                heappush(queue, (reached_m, neighbour))
    return {place for place in done if paths.function[place] == "walkingarea"}


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


def _join_unsignalised(paths: Footpaths) -> None:
    signalised = set().union(*paths.crossings.values())
    for crossing, areas in paths.ends.items():
        if crossing not in signalised:
            for area in areas:
                _join(paths, crossing, area)
    for area, kerbs in paths.kerbs.items():
        for edge, _ in kerbs:
            _join(paths, edge, area)


def _join(paths: Footpaths, a: str, b: str) -> None:
    paths.unsignalised.setdefault(a, set()).add(b)
    paths.unsignalised.setdefault(b, set()).add(a)

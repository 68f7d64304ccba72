"""Demand written back as SUMO files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from heapq import merge
from pathlib import Path
from xml.etree.ElementTree import Element

from .base import Scenario
from .reading import DEMAND_TAGS
from .records import Demand
from .xmlio import scan, top_level, write_document

__all__ = ["with_demand", "write_routes"]


def write_routes(demand: Demand, path: Path) -> None:
    """Write one route file sorted by departure, atomically; compressed when ``path`` ends in ``.gz``.

    Types and routes of additional files are not in it: they stay where they are. Raises OutputError.
    """
    write_document(path, "routes", _sorted_elements(demand))


def with_demand(scenario: Scenario, demand: Demand, folder: Path) -> Scenario:
    """``scenario`` with ``demand`` instead of its own, written to ``folder/demand.rou.xml.gz``.

    Additional files that held vehicles, persons or flows are copied to ``folder`` without them.
    Raises OutputError when ``folder`` cannot be written.
    """
    routes = folder / "demand.rou.xml.gz"
    write_routes(demand, routes)
    additional = tuple(
        _without_demand(path, folder / f"additional{index}.add.xml")
        for index, path in enumerate(scenario.additional_files)
    )
    return replace(scenario, route_files=(routes,), additional_files=additional)


def _sorted_elements(demand: Demand) -> Iterator[Element]:
    yield from demand.definitions
    yield from demand.untimed
    timed = merge(
        ((vehicle.depart_s, vehicle.element) for vehicle in demand.vehicles),
        ((person.depart_s, person.element) for person in demand.persons),
        key=lambda entry: entry[0],
    )
    yield from (element for _, element in timed)


def _without_demand(path: Path, copy: Path) -> Path:
    tags: set[str] = set()
    scan(path, lambda tag, _: tags.add(tag))
    if not tags & DEMAND_TAGS:
        return path
    write_document(
        copy, "additional", (_at_home(e, path) for e in top_level(path) if e.tag not in DEMAND_TAGS)
    )
    return copy


def _at_home(element: Element, path: Path) -> Element:
    """``element`` with the files it reads named absolutely, since its copy lies elsewhere."""
    for part in element.iter():
        named = part.get("file")
        if named and (path.parent / named).is_file():
            part.set("file", str((path.parent / named).resolve()))
    return element

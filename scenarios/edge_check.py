"""Routes held against the edges the network really has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from greensplit.engine.errors import NetworkError

__all__ = ["EdgeCheck"]

EDGE_LISTS = ("edges", "from", "to", "via")
EDGE_USERS = frozenset(
    {"vehicle", "trip", "flow", "route", "walk", "ride", "personTrip", "transport", "tranship", "stop"}
)


class EdgeCheck:
    """Refuses elements that name an edge outside the network of ``net_file``."""

    def __init__(self, net_file: Path, edges: frozenset[str]) -> None:
        self._net_file, self._edges = net_file, edges

    def check(self, element: Element, path: Path) -> None:
        """NetworkError naming the element and the first edge it uses that the network does not have."""
        for edge in _edges_of(element):
            if edge not in self._edges:
                raise NetworkError(
                    f"{path}: {element.tag} {element.get('id')!r} uses edge {edge!r}: "
                    f"expected an edge of {self._net_file}, found none of that name"
                )


def _edges_of(element: Element) -> Iterator[str]:
    for part in element.iter():
        if part.tag in EDGE_USERS:
            for name in EDGE_LISTS:
                yield from part.get(name, "").split()
        if part.tag == "stop":
            yield from _stop_edge(part)


def _stop_edge(stop: Element) -> Iterator[str]:
    if "edge" in stop.attrib:
        yield stop.attrib["edge"]
    elif "lane" in stop.attrib:
        yield stop.attrib["lane"].rpartition("_")[0]

"""The few facts that scenarios need of a SUMO network file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from greensplit.engine.errors import NetworkError

from .xmlio import scan

__all__ = ["edge_ids", "signal_ids"]


def signal_ids(net_file: Path) -> frozenset[str]:
    """Ids of the traffic lights in a network; NetworkError when the file is no SUMO network."""
    return _ids(net_file, "tlLogic")


def edge_ids(net_file: Path) -> frozenset[str]:
    """Ids of a network's edges, inner ones of junctions included; NetworkError when it is no SUMO network."""
    return _ids(net_file, "edge")


def _ids(net_file: Path, wanted: str) -> frozenset[str]:
    found: set[str] = set()
    roots: list[str] = []

    def on_start(tag: str, attributes: Mapping[str, str]) -> None:
        if not roots:
            roots.append(tag)
        if tag == wanted:
            found.add(attributes["id"])

    scan(net_file, on_start)
    if roots != ["net"]:
        raise NetworkError(f"{net_file}: expected a SUMO network (root element net), found {roots[0]}")
    return frozenset(found)

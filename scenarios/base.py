"""What a scenario is: files for SUMO and a window of time. Nothing here runs the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["CatalogueRow", "Scenario"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A network, its demand and the window to simulate.

    ``route_files`` and ``additional_files`` are in SUMO's loading order.
    Times are seconds of the simulation clock.
    """

    name: str
    net_file: Path
    route_files: tuple[Path, ...]
    additional_files: tuple[Path, ...]
    begin_s: int
    end_s: int
    source: str
    licence: str
    description: str


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One line of ``greensplit scenarios``.

    ``available`` is empty when it can run, else says what to install. Counts are None where they are not
    known.
    """

    name: str
    junctions: int | None
    scheduled_veh: int | None
    window_s: tuple[int, int]
    source: str
    licence: str
    available: str

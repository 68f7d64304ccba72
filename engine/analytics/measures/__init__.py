"""Signal performance measures over event logs.

``compute`` gives several at once; each measure of the catalogue can be called by name, as in
``measures.arrival_on_green(log, detectors, bin_minutes=15)``. Imports only from ``engine``.
"""

from __future__ import annotations

from typing import Any

from ..log import open_log, read_detectors, site_detectors
from .calculation import Calculation, calculate, calculation, compute
from .catalogue import MEASURES, measure
from .growing import GrowingLog
from .record import Measure
from .route import NEEDED as NEEDED_BY_CORRIDORS
from .route import Corridor, corridor_tables, read_corridor

__all__ = [
    "MEASURES",
    "NEEDED_BY_CORRIDORS",
    "Calculation",
    "Corridor",
    "GrowingLog",
    "Measure",
    "calculate",
    "calculation",
    "compute",
    "corridor_tables",
    "measure",
    "open_log",
    "read_corridor",
    "read_detectors",
    "site_detectors",
]


def __getattr__(name: str) -> Any:
    for one in MEASURES:
        if one.name == name:
            return one
    raise AttributeError(f"module {__name__} has no attribute {name}")

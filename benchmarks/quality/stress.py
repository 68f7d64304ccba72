"""Other days and other volumes: nothing locks up, nobody is left waiting, no day is far worse than the usual one.

Each run has its own departures, drawn by a demand seed, which seeds the simulator too. A cell is a network at a
level of demand. It does not count where demand exceeds the conflict-free capacity: where in the median run without
any conflicts a link stands still for too long or more than one vehicle in a hundred never enters.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import product
from typing import Any

from greensplit.sim.experiments.table import quantile
from greensplit.sim.spec import RunSpec

from .calls import WAIT_BOUND_S
from .measure import CONFLICT_FREE
from .store import Row
from .sweep import Rows

__all__ = ["LEVELS", "SCENARIOS", "stress_figures", "stress_specs"]

SCENARIOS = ("cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7")
LEVELS = (0.7, 1.0, 1.2)
MAX_SPREAD = 2.0
MAX_OUTSIDE = 0.01


def stress_specs(
    scenarios: Sequence[str], controllers: Sequence[str], seeds: Sequence[int], profile: str
) -> list[RunSpec]:
    """Every cell with every demand seed, under each controller and without conflicts."""
    return [
        RunSpec(scenario, controller, seed=seed, demand_seed=seed, scale=scale, profile=profile)
        for scenario, scale, seed, controller in product(
            scenarios, LEVELS, seeds, (*controllers, CONFLICT_FREE)
        )
    ]


def stress_figures(rows: Rows, ours: str) -> dict[str, Any]:
    """One entry per cell under ``cells``, and how many of those that count were not kept."""
    places = dict.fromkeys((spec.scenario, spec.scale) for spec in rows)
    cells = [_cell(rows, scenario, scale, ours) for scenario, scale in places]
    counted = [cell for cell in cells if cell["counted"]]
    return {
        "ours": ours,
        "seeds": sorted({spec.seed for spec in rows}),
        "cells_counted": len(counted),
        "cells_over_capacity": len(cells) - len(counted),
        "cells_not_kept": sum(not cell["kept"] for cell in counted),
        "gridlocks": sum(cell["gridlocks"] for cell in counted),
        "spread_max": max((cell["spread"] for cell in counted), default=None),
        "longest_wait_s": max((cell["longest_wait_s"] for cell in counted), default=None),
        "waits_over_bound": sum(cell["waits_over_bound"] for cell in counted),
        "cells": cells,
    }


def _cell(rows: Rows, scenario: str, scale: float, ours: str) -> dict[str, Any]:
    here = {spec: row for spec, row in rows.items() if spec.scenario == scenario and spec.scale == scale}
    own = [row for spec, row in here.items() if spec.controller == ours]
    free = [row for spec, row in here.items() if spec.controller == CONFLICT_FREE]
    delays_s = [row["corrected_delay_s"] for row in own]
    median_s, p90_s = statistics.median(delays_s), quantile(delays_s, 0.9)
    spread = round(p90_s / median_s, 3) if median_s else 1.0
    longest_s = max(row["longest_wait_s"] for row in own)
    gridlocks = sum(row["gridlock"] for row in own)
    return {
        "scenario": scenario,
        "scale": scale,
        "runs": len(own),
        "counted": not _exceeds_capacity(free),
        "kept": spread <= MAX_SPREAD and longest_s <= WAIT_BOUND_S and not gridlocks,
        "median_s": round(median_s, 4),
        "p90_s": round(p90_s, 4),
        "spread": spread,
        "longest_wait_s": longest_s,
        "waits_over_bound": sum(row["waits_over_bound"] for row in own),
        "gridlocks": gridlocks,
        "never_departed": sum(row["never_departed"] for row in own),
    }


def _exceeds_capacity(free: Sequence[Row]) -> bool:
    outside = statistics.median(int(row["never_departed"]) / int(row["scheduled"]) for row in free)
    locked = statistics.fmean(row["gridlock"] for row in free)
    return outside > MAX_OUTSIDE or locked > 0.5

"""The main table: every controller on every network with equal seeds, and how far ours is from rivals and bound.

All delays are corrected delays in seconds per scheduled vehicle, means over the seeds.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import product
from typing import Any

from greensplit.sim.experiments.table import aggregate, interval
from greensplit.sim.spec import RunSpec

from .measure import CONFLICT_FREE
from .store import Row
from .sweep import Rows

__all__ = ["PUBLISHED", "comparison_figures", "comparison_specs"]

PUBLISHED = ("fixed", "actuated", "delay-based", "greedy", "max-pressure")
"""Rivals in the form in which they are deployed or were published; every other one counts in ``ratio_all`` only."""


def comparison_specs(
    scenarios: Sequence[str], controllers: Sequence[str], seeds: Sequence[int], profile: str
) -> list[RunSpec]:
    """Every controller and the bound; all of a scenario and seed together, so that an early end leaves whole pairs."""
    return [
        RunSpec(scenario, controller, seed=seed, profile=profile)
        for scenario, seed, controller in product(scenarios, seeds, (*controllers, CONFLICT_FREE))
    ]


def comparison_figures(rows: Rows, ours: str) -> dict[str, Any]:
    """Figures per scenario and over all of them, and one line per scenario and controller under ``lines``.

    Ratios are of means, ours to the best rival's; ``ratio`` against PUBLISHED, ``ratio_all`` against every rival;
    None where no such rival was run.
    """
    scenarios = dict.fromkeys(spec.scenario for spec in rows)
    per_scenario = {
        name: _scenario_figures([row for spec, row in rows.items() if spec.scenario == name], ours)
        for name in scenarios
    }
    found = list(per_scenario.values())
    return {
        "ours": ours,
        "seeds": sorted({spec.seed for spec in rows}),
        "ratio_max": _over(max, found, "ratio"),
        "ratio_mean": _over(statistics.fmean, found, "ratio"),
        "ratio_all_max": _over(max, found, "ratio_all"),
        "ratio_all_mean": _over(statistics.fmean, found, "ratio_all"),
        "gap_removed_min": _over(min, found, "gap_removed"),
        "gap_removed_mean": _over(statistics.fmean, found, "gap_removed"),
        "never_departed": sum(line["never_departed"] for line in found),
        "gridlocks": sum(line["gridlocks"] for line in found),
        "scenarios": per_scenario,
        "delays_s": {name: _by_seed(rows, name) for name in scenarios},
        "lines": aggregate([row for row in rows.values() if row["controller"] != CONFLICT_FREE]),
    }


def _by_seed(rows: Rows, scenario: str) -> dict[str, list[float]]:
    """Delays of every controller and the bound in the order of the seeds."""
    found: dict[str, list[float]] = {}
    for spec, row in sorted(rows.items(), key=lambda item: item[0].seed):
        if spec.scenario == scenario:
            found.setdefault(spec.controller, []).append(row["corrected_delay_s"])
    return found


def _over(summary: Any, lines: Sequence[Row], key: str) -> float | None:
    """Of the scenarios that have such a figure."""
    values = [line[key] for line in lines if line[key] is not None]
    return round(summary(values), 4) if values else None


def _scenario_figures(rows: Sequence[Row], ours: str) -> dict[str, Any]:
    delays_s = _delays(rows)
    rivals = {name: mean for name, mean in delays_s.items() if name not in (ours, CONFLICT_FREE)}
    published = {name: mean for name, mean in rivals.items() if name in PUBLISHED}
    ours_s, bound_s = delays_s[ours], _bound(rows)
    best, best_all = _best(published), _best(rivals)
    own = [row for row in rows if row["controller"] == ours]
    return {
        "ours_s": ours_s,
        "best_rival": best,
        "best_rival_s": rivals.get(best or ""),
        "ratio": _ratio(ours_s, rivals.get(best or "")),
        "best_of_all": best_all,
        "best_of_all_s": rivals.get(best_all or ""),
        "ratio_all": _ratio(ours_s, rivals.get(best_all or "")),
        **_difference(own, [row for row in rows if row["controller"] == best_all]),
        "bound_s": bound_s,
        "gap_removed": _gap_removed(ours_s, rivals.get(best or ""), bound_s),
        "gap_removed_all": _gap_removed(ours_s, rivals.get(best_all or ""), bound_s),
        "never_departed": sum(row["never_departed"] for row in own),
        "gridlocks": sum(row["gridlock"] for row in own),
        "interlock_refusals": sum(row["interlock_refusals"] for row in own),
        "longest_wait_s": max(row["longest_wait_s"] for row in own),
    }


def _delays(rows: Sequence[Row]) -> dict[str, float]:
    """Mean delay by controller."""
    names = dict.fromkeys(row["controller"] for row in rows)
    return {
        name: round(
            statistics.fmean(row["corrected_delay_s"] for row in rows if row["controller"] == name), 4
        )
        for name in names
    }


def _bound(rows: Sequence[Row]) -> float | None:
    """The conflict-free delay; None where it was not run, or where a seed stood still even so."""
    free = [row for row in rows if row["controller"] == CONFLICT_FREE]
    if not free or any(row["gridlock"] for row in free):
        return None
    return _delays(free)[CONFLICT_FREE]


def _best(delays_s: dict[str, float]) -> str | None:
    return min(delays_s, key=lambda name: delays_s[name]) if delays_s else None


def _ratio(ours_s: float, rival_s: float | None) -> float | None:
    return round(ours_s / rival_s, 4) if rival_s else None


def _gap_removed(ours_s: float, rival_s: float | None, bound_s: float | None) -> float | None:
    """The share of the rival's delay above the bound that ours does not have."""
    if rival_s is None or bound_s is None or rival_s <= bound_s:
        return None
    return round((rival_s - ours_s) / (rival_s - bound_s), 4)


def _difference(own: Sequence[Row], others: Sequence[Row]) -> dict[str, float | None]:
    """Ours less the best of all rivals, paired by seed, with its 95 % interval."""
    by_seed = {row["seed"]: row["corrected_delay_s"] for row in others}
    differences_s = [row["corrected_delay_s"] - by_seed[row["seed"]] for row in own if row["seed"] in by_seed]
    low, high = interval(differences_s) or (None, None)
    return {
        "difference_s": round(statistics.fmean(differences_s), 4) if differences_s else None,
        "difference_low_s": None if low is None else round(low, 4),
        "difference_high_s": None if high is None else round(high, 4),
    }

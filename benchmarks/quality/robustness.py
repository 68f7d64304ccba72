"""What dead loops cost, and how ours fares with demand that no plan was made for.

A fifth of the loops is cut, drawn by the seed; and then one loop alone, the worst of the busiest: each of those is
cut once on the first seed, and the one that cost most there is cut on every seed. Demand is scaled down and up by
30 % against the plan that was made for the demand as it is.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from greensplit.sim.spec import RunSpec

from .store import Row
from .sweep import Rows

__all__ = ["DEAD_SHARE", "PLANNED", "SCALES", "robustness_figures"]

DEAD_SHARE = 0.2
SCALES = (0.7, 1.3)
PLANNED = "retimed"

Run = Callable[[Iterable[RunSpec]], Rows]


def robustness_figures(
    run: Run, scenarios: Sequence[str], ours: str, planned: str | None, seeds: Sequence[int], profile: str
) -> dict[str, Any]:
    """Run everything by ``run``; figures per scenario and over all. ``planned`` None leaves the scaled demand out."""
    base = [RunSpec(name, ours, seed=seed, profile=profile) for name in scenarios for seed in seeds]
    rivals = [ours, planned] if planned else []
    scaled = [
        replace(spec, controller=name, scale=scale) for spec in base for scale in SCALES for name in rivals
    ]
    rows = run([*base, *(replace(spec, dead_share=DEAD_SHARE) for spec in base), *scaled])
    first = [spec for spec in base if spec.seed == seeds[0]]
    rows |= run([single for spec in first for single in _singles(spec, rows[spec])])
    worst = {spec.scenario: _worst(spec, rows) for spec in first}
    rows |= run([replace(spec, dead_loops=worst[spec.scenario].dead_loops) for spec in base])
    figures = {
        name: {
            **_dead(rows, [spec for spec in base if spec.scenario == name], worst[name].dead_loops),
            "off_demand": {
                f"{scale:g}": _off_demand(
                    rows, [spec for spec in scaled if spec.scenario == name and spec.scale == scale], ours
                )
                for scale in SCALES
                if planned
            },
        }
        for name in scenarios
    }
    return {
        "ours": ours,
        "planned": planned,
        "seeds": list(seeds),
        **_over_all(figures),
        "scenarios": figures,
    }


def _singles(spec: RunSpec, row: Row) -> list[RunSpec]:
    return [replace(spec, dead_loops=(name,)) for name in row["busiest_loops"]]


def _worst(spec: RunSpec, rows: Rows) -> RunSpec:
    """The run with the most delay of those with one dead loop."""
    return max(_singles(spec, rows[spec]), key=lambda single: float(rows[single]["corrected_delay_s"]))


def _mean_s(rows: Rows, specs: Iterable[RunSpec]) -> float:
    return statistics.fmean(rows[spec]["corrected_delay_s"] for spec in specs)


def _dead(rows: Rows, base: Sequence[RunSpec], worst: tuple[str, ...]) -> dict[str, Any]:
    whole_s = _mean_s(rows, base)
    dead = [replace(spec, dead_share=DEAD_SHARE) for spec in base]
    single = [replace(spec, dead_loops=worst) for spec in base]
    return {
        "whole_s": round(whole_s, 4),
        "dead_s": round(_mean_s(rows, dead), 4),
        "dead_growth": round(_mean_s(rows, dead) / whole_s - 1.0, 4),
        "worst_loop": ", ".join(worst),
        "worst_growth": round(_mean_s(rows, single) / whole_s - 1.0, 4),
        "gridlocks": sum(rows[spec]["gridlock"] for spec in (*dead, *single)),
    }


def _off_demand(rows: Rows, specs: Sequence[RunSpec], ours: str) -> float:
    own = _mean_s(rows, [spec for spec in specs if spec.controller == ours])
    return round(own / _mean_s(rows, [spec for spec in specs if spec.controller != ours]), 4)


def _over_all(figures: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found = list(figures.values())
    ratios = [ratio for line in found for ratio in line["off_demand"].values()]
    return {
        "dead_growth_max": max(line["dead_growth"] for line in found),
        "dead_growth_mean": round(statistics.fmean(line["dead_growth"] for line in found), 4),
        "worst_growth_max": max(line["worst_growth"] for line in found),
        "off_demand_ratio_max": max(ratios, default=None),
        "gridlocks": sum(line["gridlocks"] for line in found),
    }

"""Judge the estimation on recorded runs, and print one JSON object or a table."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from greensplit.engine.kernel_cache import use_kernel_cache

SCENARIOS = ("cologne8", "ingolstadt7", "arterial")
CONTROLLERS = ("clearing", "fixed")


def main() -> None:
    """Record what is not there, replay, compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimation", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="names, with commas")
    parser.add_argument("--controllers", default=",".join(CONTROLLERS), help="names, with commas")
    parser.add_argument("--seed", type=int, default=0, help="seed of the runs")
    options = parser.parse_args()
    use_kernel_cache(os.environ)
    figures = measure(options.scenarios.split(","), options.controllers.split(","), options.seed)
    if options.json:
        result = {"figures": figures, "versions": _versions(), "machine": _machine()}
        sys.stdout.write(json.dumps(result, indent=1) + "\n")
    else:
        _print_table(figures)


def measure(scenarios: list[str], controllers: list[str], seed: int) -> dict[str, Any]:
    """Everything that is judged, by name."""
    from greensplit.sim.spec import RunSpec

    from .arrival_speed import measure as time_arrivals
    from .arrivals import measure_all
    from .cost import time_update
    from .queues import judge_queues

    specs = [RunSpec(scenario, controller, seed) for scenario in scenarios for controller in controllers]
    return {
        "queues": judge_queues(specs),
        "arrivals": measure_all(tuple(scenarios), seed),
        "cost": time_update(),
        "arrivals_cost": time_arrivals(10_000),
    }


def _print_table(figures: dict[str, Any]) -> None:
    from .arrivals import print_arrivals

    out = sys.stdout
    for run, classes in figures["queues"].items():
        out.write(f"{run}\n")
        for name, row in classes.items():
            out.write(
                f"  {name:16s} {row['green_starts']:6d} green starts, queue {row['mean_queue_veh']:6.2f}, "
                f"error {row['mean_abs_error_veh']:5.2f} of {row['limit_veh']:.2f}, covered {row['covered']:.2f}\n"
            )
    print_arrivals(figures["arrivals"])
    for name, value in (figures["cost"] | figures["arrivals_cost"]).items():
        out.write(f"{name:24s} {value}\n")


def _versions() -> dict[str, str]:
    from greensplit.sim.record import versions

    return versions()


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "memory_gb": round(memory / 2**30, 1), "python": sys.version.split()[0]}


if __name__ == "__main__":
    main()

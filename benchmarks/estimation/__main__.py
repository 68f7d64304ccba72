"""Judge the estimation on recorded runs, and print one JSON object or a table."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from greensplit.engine.kernel_cache import use_kernel_cache

from ..machine import machine, versions

RUNS = "cologne8:1,ingolstadt7:1,arterial:7"
CONTROLLERS = ("lookahead", "fixed")


def main() -> None:
    """Record what is not there, replay, compare."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimation", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--runs", default=RUNS, help="scenarios and seeds, NAME:SEED, with commas")
    parser.add_argument("--controllers", default=",".join(CONTROLLERS), help="names, with commas")
    options = parser.parse_args()
    use_kernel_cache(os.environ)
    runs = [(name, int(seed)) for name, _, seed in (run.partition(":") for run in options.runs.split(","))]
    figures = measure(runs, options.controllers.split(","))
    if options.json:
        result = {"figures": figures, "versions": versions(), "machine": machine()}
        sys.stdout.write(json.dumps(result, indent=1) + "\n")
    else:
        _print_table(figures)


def measure(runs: list[tuple[str, int]], controllers: list[str]) -> dict[str, Any]:
    """Everything that is judged, by name."""
    from greensplit.sim.spec import RunSpec

    from .arrivals import judge_arrivals
    from .queues import judge_queues

    specs = [RunSpec(scenario, controller, seed) for scenario, seed in runs for controller in controllers]
    return {
        "queues": judge_queues(specs),
        "arrivals": judge_arrivals(specs),
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


if __name__ == "__main__":
    main()

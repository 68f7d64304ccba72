"""Control quality against every rival, on equal seeds: ``python -m benchmarks.quality --json``.

Without a mode: the eight RESCO networks under every controller of the catalogue, and the conflict-free bound. With
``--robust``: dead loops, and demand that no plan was made for. With ``--stress``: other days and other volumes.
Runs are stored by what decides them and resumed; a run of all controllers on all networks takes hours once, and
minutes after a change of one controller. Tables, the figure and the JSON go to ``--out``; where scenarios or
controllers are picked, only if that is given, so that a look at a part never replaces the whole.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from greensplit.engine.errors import GreensplitError, InputError
from greensplit.engine.files import write_atomically
from greensplit.engine.kernel_cache import use_kernel_cache
from greensplit.sim.experiments.plan import Plan, check_plan, parse_seeds

from ..machine import machine, versions
from . import robustness, stress
from .comparison import comparison_figures, comparison_specs
from .measure import CONFLICT_FREE
from .store import default_root, open_store
from .sweep import Rows, sweep
from .tables import comparison_table, footer, robustness_table, stress_table

RESULTS = Path(__file__).resolve().parents[1] / "results"
JOBS = 2
Figures = dict[str, Any]
Sweep = Callable[..., Rows]


def main() -> None:
    """Run what is missing, print one JSON object or a table, write the results."""
    options = _parser().parse_args()
    use_kernel_cache(os.environ)
    try:
        _benchmark(options)
    except GreensplitError as err:
        sys.stderr.write(f"{err}\n")
        raise SystemExit(err.exit_code) from err


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--robust", action="store_true", help="dead loops, and demand off the plan's")
    mode.add_argument("--stress", action="store_true", help="demand seeds and levels of demand")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--seeds", default="", help="such as 0-9; the default, with --stress 0-19")
    parser.add_argument("--scenarios", default="", help="names with commas; default: those of the mode")
    parser.add_argument("--controllers", default="", help="rivals, with commas; default: the whole catalogue")
    parser.add_argument("--ours", default="", help="the controller that is judged; default: our best")
    parser.add_argument("--profile", default="R2", help="R2: own clearances; R1: the published rules")
    parser.add_argument("--jobs", type=int, default=JOBS, help="processes at once")
    parser.add_argument("--store", type=Path, help="folder of finished runs; default: in the cache")
    parser.add_argument("--out", type=Path, help="folder for the results; default: benchmarks/results")
    return parser


def _benchmark(options: argparse.Namespace) -> None:
    mode = "stress" if options.stress else "robust" if options.robust else "quality"
    figures, markdown = {"quality": _compare, "robust": _robust, "stress": _stress}[mode](options)
    result = {"figures": figures, "versions": versions(), "machine": machine()}
    text = json.dumps(result, indent=1) + "\n"
    folder = options.out or (None if options.scenarios or options.controllers else RESULTS)
    if folder is not None:
        name = "quality" if mode == "quality" else f"quality.{mode}"
        write_atomically(folder / f"{name}.json", text.encode())
        write_atomically(folder / f"{name}.md", markdown.encode())
        if mode == "quality":
            from .chart import chart_svg

            write_atomically(folder / "quality.svg", chart_svg(figures).encode())
    sys.stdout.write(text if options.json else markdown)


def _compare(options: argparse.Namespace) -> tuple[Figures, str]:
    from greensplit.scenarios.resco import RESCO_NAMES

    ours, rivals = _controllers(options)
    scenarios, seeds = _scenarios(options, RESCO_NAMES), parse_seeds(options.seeds or "0-9")
    controllers = [*rivals, ours]
    _check(scenarios, controllers, seeds, options)
    rows = _sweep(options, controllers)(comparison_specs(scenarios, controllers, seeds, options.profile))
    figures = comparison_figures(rows, ours)
    return figures, comparison_table(figures) + footer(figures, versions())


def _robust(options: argparse.Namespace) -> tuple[Figures, str]:
    from greensplit.scenarios.resco import RESCO_NAMES

    ours, rivals = _controllers(options)
    planned = robustness.PLANNED if robustness.PLANNED in rivals else None
    scenarios, seeds = _scenarios(options, RESCO_NAMES), parse_seeds(options.seeds or "0-9")
    controllers = [ours, planned] if planned else [ours]
    _check(scenarios, controllers, seeds, options)
    run = _sweep(options, controllers)
    figures = robustness.robustness_figures(run, scenarios, ours, planned, seeds, options.profile)
    return figures, robustness_table(figures) + footer(figures, versions())


def _stress(options: argparse.Namespace) -> tuple[Figures, str]:
    ours, _ = _controllers(options)
    scenarios, seeds = _scenarios(options, stress.SCENARIOS), parse_seeds(options.seeds or "0-19")
    _check(scenarios, [ours], seeds, options)
    rows = _sweep(options, [ours])(stress.stress_specs(scenarios, [ours], seeds, options.profile))
    figures = stress.stress_figures(rows, ours)
    return figures, stress_table(figures) + footer(figures, versions())


def _controllers(options: argparse.Namespace) -> tuple[str, list[str]]:
    """Ours, and the rivals without it."""
    from greensplit.controllers.catalogue import DEFAULT, catalogue

    ours = options.ours or DEFAULT
    rivals = _names(options.controllers) or [entry.name for entry in catalogue()]
    return ours, [name for name in rivals if name != ours]


def _scenarios(options: argparse.Namespace, default: Sequence[str]) -> list[str]:
    return _names(options.scenarios) or list(default)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _check(
    scenarios: Sequence[str], controllers: Sequence[str], seeds: tuple[int, ...], options: argparse.Namespace
) -> None:
    """InputError for anything that is not known, before anything runs."""
    from greensplit.scenarios.catalogue import NAMES

    for name in scenarios:
        if name not in NAMES:
            raise InputError(
                f"--scenarios: expected names of the catalogue, whose files do not change, found {name}"
            )
    check_plan(Plan(tuple(scenarios), tuple(controllers), seeds, profile=options.profile))
    if options.jobs < 1:
        raise InputError(f"--jobs: expected 1 or more, found {options.jobs}")


def _sweep(options: argparse.Namespace, controllers: Sequence[str]) -> Sweep:
    store = open_store(options.store or default_root(), [*controllers, CONFLICT_FREE])
    return partial(sweep, store=store, jobs=options.jobs, say=_say)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()

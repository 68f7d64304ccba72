"""``greensplit compare``: controllers side by side over scenarios and seeds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AsJson, Params, Profile, Scale, parse_params
from .progress import progress_bar

if TYPE_CHECKING:
    from greensplit.sim.experiments.comparison import Comparison
    from greensplit.sim.experiments.executor import Opener
    from greensplit.sim.experiments.plan import Plan
    from greensplit.sim.experiments.worker import Job

__all__ = ["compare"]

LEAST_WIDTH = 100
"""Characters; in a narrower terminal, lines that wrap are better than figures cut short."""


def compare(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Names, or .sumocfg files.")],
    controllers: Annotated[
        str, typer.Option("--controllers", "-c", help="With commas. Default: the deployed plan and our best.")
    ] = "",
    seeds: Annotated[str, typer.Option(help="Such as 0-9 or 0,3,5-7.")] = "0-9",
    demand_seeds: Annotated[
        str,
        typer.Option(help="Resample departures with each of these too; every seed meets every demand seed."),
    ] = "",
    profile: Profile = "R2",
    scale: Scale = 1.0,
    begin: Annotated[int | None, typer.Option(help="First second of the window.")] = None,
    end: Annotated[int | None, typer.Option(help="End of the window, seconds.")] = None,
    warmup: Annotated[int, typer.Option(help="Seconds at the start whose vehicles are not measured.")] = 0,
    param: Params = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Processes at once; 0: one per core.")] = 0,
    cluster: Annotated[str, typer.Option(help="Address of a Dask scheduler to run on instead.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Keep run directories below this one.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the report; its name gets -SCENARIO where there are several.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare controllers over scenarios and seeds, each run against the same departures."""
    from greensplit.controllers.catalogue import DEFAULT
    from greensplit.sim.experiments.plan import Plan, expand, parse_seeds
    from greensplit.sim.experiments.table import DEPLOYED

    plan = Plan(
        scenarios=tuple(scenarios),
        controllers=tuple(_names(controllers or f"{DEPLOYED},{DEFAULT}")),
        seeds=parse_seeds(seeds),
        demand_seeds=parse_seeds(demand_seeds, "--demand-seeds") if demand_seeds else (None,),
        profile=profile,
        scale=scale,
        begin_s=begin,
        end_s=end,
        warmup_s=warmup,
        params=parse_params(param),
    )
    _must_not_be_folder(html)
    _compare(plan, _opener(jobs, cluster, len(expand(plan))), out, html, as_json)


def _compare(plan: Plan, opener: Opener, out: Path | None, html: Path | None, as_json: bool) -> None:
    """Run, show what there is, then say what is missing."""
    with _run_root(out, html) as root:
        comparison = _run(plan, opener, root)
        _show(comparison, as_json)
        if html is not None:
            _write_reports(comparison, plan.scenarios, html)
    problem = comparison.problem()
    if problem is not None:
        raise problem


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _must_not_be_folder(html: Path | None) -> None:
    from greensplit.engine.errors import OutputError

    if html is not None and html.is_dir():
        raise OutputError(f"--html: expected a file, found a folder: {html}")


def _opener(jobs: int, cluster: str, runs: int) -> Opener:
    """Where the runs go; never more processes than runs."""
    from greensplit.engine.errors import InputError
    from greensplit.sim.experiments.executor import local_pool, on_cluster

    if jobs < 0:
        raise InputError(f"--jobs: expected 0 or more, found {jobs}")
    if cluster and jobs:
        raise InputError("--jobs: expected without --cluster, whose workers decide that; found both")
    if cluster:
        return partial(on_cluster, cluster)
    return partial(local_pool, max(1, min(jobs or len(os.sched_getaffinity(0)), runs)))


@contextmanager
def _run_root(out: Path | None, html: Path | None) -> Iterator[Path | None]:
    """Where run directories go: as asked, else nowhere, or for a report to a folder that goes afterwards."""
    import tempfile

    if out is not None or html is None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="greensplit-") as folder:
        yield Path(folder)


def _run(plan: Plan, opener: Opener, root: Path | None) -> Comparison:
    from greensplit.sim.experiments.comparison import run_plan
    from greensplit.sim.experiments.plan import expand

    total = len(expand(plan))
    with progress_bar(f"{total} runs") as progress:
        return run_plan(plan, opener, _teller(progress, total), root)


def _teller(progress: Callable[[float], None], total: int) -> Callable[[Job, int], None]:
    """Moves the bar; without a terminal, a line on the error stream for each finished run."""

    def tell(job: Job, done: int) -> None:
        progress(done / total)
        if not sys.stderr.isatty():
            sys.stderr.write(f"{done} of {total}: {job.title}\n")

    return tell


def _show(comparison: Comparison, as_json: bool) -> None:
    from greensplit.sim.experiments.table import aggregate, rich_table

    lines = aggregate(comparison.rows)
    if as_json:
        _print_json(comparison, lines)
        return
    from rich.console import Console

    console = Console(width=max(Console().width, LEAST_WIDTH))
    for _, group in groupby(lines, key=itemgetter("scenario")):
        console.print(rich_table(list(group)))


def _print_json(comparison: Comparison, lines: list[dict[str, object]]) -> None:
    import json

    told = {
        "rows": comparison.rows,
        "aggregates": lines,
        "errors": comparison.errors(),
        "partial": comparison.problem() is not None,
    }
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


def _write_reports(comparison: Comparison, scenarios: tuple[str, ...], html: Path) -> None:
    """One report for each scenario that has finished runs."""
    from greensplit.engine.analytics.report import render_report
    from greensplit.engine.kernel_cache import cache_home
    from greensplit.sim.experiments.plan import scenario_folder

    for scenario in scenarios:
        name = html.stem + (f"-{scenario_folder(scenario)}" if len(scenarios) > 1 else "") + html.suffix
        run_dirs = comparison.run_dirs(scenario)
        if run_dirs:
            render_report(run_dirs, html.with_name(name), bundle_cache=cache_home(os.environ) / "charts")

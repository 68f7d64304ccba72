"""Many junction-ticks of cities under test, drawn and real, in several processes."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from time import perf_counter
from typing import Any, NamedTuple

from .city import run_obedient, run_sabotaged
from .drawn import draw_site
from .real import real_city

__all__ = ["Job", "Result", "run_job", "stress"]

JOB_TICKS = 4_000_000
JUNCTIONS = 1000
REAL_COPIES = 10
SHORT = (
    "short green",
    "skipped yellow or clearance",
    "short yellow or clearance",
    "short intergreen",
    "short red or red-amber",
)
UNSAFE = (*SHORT, "conflicting greens", "yellow trap", "out of order")


class Job(NamedTuple):
    """One city for a while."""

    kind: str  # obedient or sabotaged
    source: str  # drawn or real
    seed: int
    junction_ticks: int


class Result(NamedTuple):
    """What a job found."""

    job: Job
    found: Counter[str]
    junction_ticks: int
    refused: int


def stress(ticks: int, jobs: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Run cities for ``ticks`` junction-ticks in ``jobs`` processes; figures by what was found."""
    started = perf_counter()
    city, note = real_city(1)
    results = []
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(run_job, job) for job in _jobs(ticks, has_real=city is not None)]
        for future in as_completed(futures):
            results.append(future.result())
            done = sum(result.junction_ticks for result in results)
            say(f"{done / 1e6:.0f} of {ticks / 1e6:.0f} million junction-ticks, {_told(results[-1])}")
    return {**_figures(results), "real_networks": note, "stress_s": round(perf_counter() - started, 1)}


def _jobs(ticks: int, *, has_real: bool) -> Iterator[Job]:
    """Four of five cities under hostile controllers, the fifth with spoilt machines; every other one real."""
    for number in range(-(-ticks // JOB_TICKS)):
        kind = "sabotaged" if number % 5 == 4 else "obedient"
        source = "real" if has_real and number % 2 else "drawn"
        yield Job(kind, source, number, min(JOB_TICKS, ticks))


def run_job(job: Job) -> Result:
    """Run one city in this process."""
    site = real_city(REAL_COPIES)[0] if job.source == "real" else draw_site(job.seed, JUNCTIONS)
    assert site is not None
    ticks = -(-job.junction_ticks // len(site.junctions))
    if job.kind == "obedient":
        found, done = run_obedient(site, job.seed, ticks)
        return Result(job, found, done, found["safe proposal refused"])
    found, done, refused = run_sabotaged(site, job.seed, ticks)
    return Result(job, found, done, refused)


def _figures(results: list[Result]) -> dict[str, Any]:
    found: Counter[str] = Counter()
    for result in results:
        found += result.found
    by_kind = {
        kind: [result for result in results if result.job.kind == kind] for kind in ("obedient", "sabotaged")
    }
    return {
        "junction_ticks": sum(result.junction_ticks for result in results),
        "conflicts": found["conflicting greens"],
        "short_intervals": sum(found[name] for name in SHORT),
        "yellow_traps": found["yellow trap"],
        "out_of_order": found["out of order"],
        "refusals": sum(result.refused for result in by_kind["obedient"]),
        "promises_broken": sum(
            count
            for result in by_kind["obedient"]
            for name, count in result.found.items()
            if name not in (*UNSAFE, "safe proposal refused")
        ),
        "bad_proposals_refused": sum(result.refused for result in by_kind["sabotaged"]),
        "bad_proposals_passed": found["unsafe proposal accepted"],
        "good_proposals_refused": sum(
            result.found["safe proposal refused"] for result in by_kind["sabotaged"]
        ),
        "sabotaged_ticks": sum(result.junction_ticks for result in by_kind["sabotaged"]),
        "other_findings": sum(
            count
            for result in by_kind["sabotaged"]
            for name, count in result.found.items()
            if name not in (*UNSAFE, "unsafe proposal accepted", "safe proposal refused")
        ),
    }


def _told(result: Result) -> str:
    return f"found {dict(result.found)} in {result.job}" if result.found else "nothing wrong"

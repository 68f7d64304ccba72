"""Many runs: those that are stored are read, the others done and stored one by one, so that nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial

from greensplit.engine.errors import WorkError
from greensplit.sim.experiments.executor import execute, local_pool
from greensplit.sim.experiments.worker import Job
from greensplit.sim.spec import RunSpec

from .measure import measure
from .store import Row, Store

__all__ = ["Rows", "remaining_text", "sweep"]

Rows = dict[RunSpec, Row]
Say = Callable[[str], None]


def sweep(specs: Iterable[RunSpec], store: Store, jobs: int, say: Say) -> Rows:
    """The row of every specification, in their order; ``say`` is told of each run that was done.

    Raises WorkError when runs failed or were interrupted; those that finished are stored by then.
    """
    wanted = list(dict.fromkeys(specs))
    rows = {spec: row for spec in wanted if (row := store.load(spec)) is not None}
    missing = [spec for spec in wanted if spec not in rows]
    if missing:
        say(f"{len(wanted)} runs, {len(rows)} of them stored")
        rows |= _do(missing, store, jobs, say)
    return {spec: rows[spec] for spec in wanted}


def _do(specs: list[RunSpec], store: Store, jobs: int, say: Say) -> Rows:
    started = time.monotonic()
    work = [Job(spec) for spec in specs]

    def tell(job: Job, done: int) -> None:
        left = remaining_text(time.monotonic() - started, done, len(work))
        say(f"{done} of {len(work)}, {left}: {_title(job)}")

    results = execute(work, partial(local_pool, min(jobs, len(work))), tell, partial(measure, store))
    for number, error in sorted(results.errors.items()):
        raise WorkError(
            f"{len(results.errors)} of {len(work)} runs failed, the first ({_title(work[number])}): {error}"
        ) from error
    if results.interrupted:
        raise WorkError(
            f"interrupted: expected {len(work)} runs, finished {len(results.summaries)}, all stored"
        )
    return {specs[number]: row for number, row in results.summaries.items()}


def _title(job: Job) -> str:
    spec = job.spec
    parts = [job.title]
    parts += [f"scale {spec.scale:g}"] if spec.scale != 1.0 else []
    parts += [f"{spec.dead_share:.0%} of loops dead"] if spec.dead_share else []
    parts += [f"dead {', '.join(spec.dead_loops)}"] if spec.dead_loops else []
    return ", ".join(parts)


def remaining_text(elapsed_s: float, done: int, total: int) -> str:
    """How long the rest takes at the speed so far, in words."""
    left_s = elapsed_s / done * (total - done)
    return f"{left_s / 60:.0f} min left" if left_s >= 90 else f"{left_s:.0f} s left"

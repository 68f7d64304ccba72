"""What a worker process does with one run: simulate, read the log, keep the row. Light to import, as a worker is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from greensplit.engine.errors import WorkError
from greensplit.engine.kernel_cache import use_kernel_cache
from greensplit.sim.experiments.worker import Job
from greensplit.sim.run import Progress, run, simulate_here
from greensplit.sim.spec import RunSpec

from .store import Row, Store, open_store

if TYPE_CHECKING:
    from greensplit.sim.record import Record

__all__ = ["CONFLICT_FREE", "measure"]

CONFLICT_FREE = "conflict-free"
"""Stands in the place of a controller for the bound (``bound``)."""

BUSIEST = 12

_unchanged: set[Path] = set()
"""Stores that this process may fill: the sources that it has loaded are those that their hashes tell."""


def measure(store: Store, job: Job) -> Row:
    """Do one run and keep its row; raises what ``sim.run.run`` raises, and WorkError where sources have changed."""
    use_kernel_cache(os.environ)
    _must_be_unchanged(store)
    if job.spec.controller == CONFLICT_FREE:
        from .bound import simulate_conflict_free

        row = run(job.spec, simulate=simulate_conflict_free)
    else:
        row = run(job.spec, simulate=_simulate_and_read)
    if not row["partial"]:
        store.save(job.spec, row)
    return row


def _must_be_unchanged(store: Store) -> None:
    """Somebody may edit a source between its hash and its import: a row must not be kept under another's hash."""
    if store.root in _unchanged:
        return
    import greensplit.sim.closed_loop  # noqa: F401 - loads whatever decides a run

    if open_store(store.root, store.hashes).hashes != store.hashes:
        raise WorkError(
            "sources: expected them as they were when the runs began, found them changed; run again"
        )
    _unchanged.add(store.root)


def _simulate_and_read(spec: RunSpec, folder: Path, progress: Progress) -> Record:
    """Run the closed loop, and add to its figures what its log says of calls."""
    record = simulate_here(spec, folder, progress)
    import numpy as np

    from greensplit.engine.model.toml import read_site

    from .calls import busiest_loops, waiting_calls

    site = read_site(folder / "model.toml")
    events = np.load(folder / "events.npy", allow_pickle=False)
    length_ms = 1000 * (record.end_s - record.manifest["begin_s"])
    found = {
        **waiting_calls(site, events, length_ms),
        "busiest_loops": busiest_loops(site, events, BUSIEST),
    }
    return replace(record, figures={**record.figures, **found})

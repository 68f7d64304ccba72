"""What a worker process does. Light to import, since the place of compiled kernels is set before numba is loaded."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any

from greensplit.engine.errors import StorageError
from greensplit.engine.kernel_cache import use_kernel_cache

from ..spec import RunSpec

__all__ = ["IN_USE", "Job", "do_job", "start_worker"]

IN_USE = "in-use"
"""A file in the staging folder, there for as long as somebody waits for the runs."""

_one_at_a_time = threading.Lock()
"""libsumo holds one simulation per process, and a Dask worker may have several threads."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run and where its directory goes; with ``out`` comes ``staging``, a folder on the same file system.

    ``out`` None leaves no directory.
    """

    spec: RunSpec
    out: Path | None = None
    staging: Path | None = None

    @property
    def title(self) -> str:
        """The run in words."""
        demand = "" if self.spec.demand_seed is None else f", demand seed {self.spec.demand_seed}"
        return f"{self.spec.scenario}, {self.spec.controller}, seed {self.spec.seed}{demand}"


def start_worker(folder: str) -> None:
    """Make this process a worker of a local pool; its temporary files go to ``folder``.

    It leaves standard output to the parent, Ctrl-C too, and ends when the parent does.
    """
    tempfile.tempdir = folder
    os.dup2(sys.stderr.fileno() if sys.stderr is not None else 2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def do_job(job: Job) -> dict[str, Any]:
    """Run one job and return its summary; its directory appears whole, however often the job is tried.

    Raises what ``sim.run.run`` raises.
    """
    use_kernel_cache(os.environ)
    from ..run import run

    with _one_at_a_time:
        if job.out is None or job.staging is None:
            return run(job.spec, None)
        try:
            attempt = Path(tempfile.mkdtemp(dir=job.staging))
            summary = run(job.spec, attempt)
            return _publish(attempt, job.out, summary) if _is_wanted(job.staging, summary) else summary
        finally:
            _tidy(job.staging)


def _is_wanted(staging: Path, summary: dict[str, Any]) -> bool:
    return (staging / IN_USE).exists() and not summary["partial"]


def _tidy(staging: Path) -> None:
    """Remove what a run has written after its comparison was interrupted: on a cluster, runs under way go on."""
    if not (staging / IN_USE).exists():
        shutil.rmtree(staging, ignore_errors=True)


def _publish(attempt: Path, out: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """Move the run directory to its place; where an earlier try has left one, that stays and its summary counts."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        attempt.rename(out)
    except OSError as err:
        earlier = out / "summary.json"
        if not earlier.is_file():
            raise StorageError(f"{out}: could not write: {err.strerror or err}") from err
        shutil.rmtree(attempt)
        found: dict[str, Any] = json.loads(earlier.read_bytes())
        return found
    return summary

"""What a worker process does with one job, in this process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from greensplit.engine.errors import StorageError
from greensplit.sim.experiments.worker import IN_USE, Job, do_job
from greensplit.sim.spec import RunSpec


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A minute of cologne1 with a place for its directory."""
    staging = tmp_path / "staging"
    staging.mkdir()
    (staging / IN_USE).touch()
    return Job(RunSpec("cologne1", "fixed", begin_s=25200, end_s=25260), tmp_path / "runs/a", staging)


def _out(job: Job) -> Path:
    assert job.out is not None
    return job.out


def _staging(job: Job) -> Path:
    assert job.staging is not None
    return job.staging


def test_a_job_done_twice_leaves_the_first_directory_and_its_summary(job: Job) -> None:
    """A cluster that took a worker for dead may do a job twice; the second try answers with what is there."""
    first = do_job(job)
    written = (_out(job) / "summary.json").read_bytes()
    assert do_job(job) == first
    assert (_out(job) / "summary.json").read_bytes() == written
    assert [path.name for path in _staging(job).iterdir()] == [IN_USE]


def test_something_else_in_the_place_is_not_overwritten(job: Job) -> None:
    """A folder that is no run directory is an error and stays as it is."""
    _out(job).mkdir(parents=True)
    (_out(job) / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match="runs/a: could not write"):
        do_job(job)
    assert [path.name for path in _out(job).iterdir()] == ["notes.txt"]


def test_a_run_that_nobody_waits_for_leaves_nothing(job: Job) -> None:
    """After Ctrl-C, a cluster's worker ends its run; it neither publishes it nor leaves its files."""
    (_staging(job) / IN_USE).unlink()
    do_job(job)
    assert not _out(job).exists()
    assert not _staging(job).exists()


def test_titles_name_both_seeds() -> None:
    """The demand seed is there when departures are resampled."""
    assert Job(RunSpec("town", "fixed", seed=2)).title == "town, fixed, seed 2"
    assert Job(RunSpec("town", "fixed", seed=2, demand_seed=3)).title == "town, fixed, seed 2, demand seed 3"


@pytest.mark.parametrize("module", ["greensplit.sim.experiments.worker", "greensplit.cli.compare"])
def test_numba_is_not_loaded_before_its_cache_has_a_place(module: str) -> None:
    """Workers set the place of compiled kernels first; the command line must start quickly."""
    code = (
        f"import sys, {module}; sys.exit(any(name in sys.modules for name in ('numba', 'libsumo', 'polars')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0

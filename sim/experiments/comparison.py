"""From a plan to results: run directories in their places, and what went wrong as one error."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greensplit.engine.errors import GreensplitError, OutputError, WorkError

from .executor import Opener, Results, execute
from .plan import Plan, check_plan, expand, run_folder
from .worker import IN_USE, Job

__all__ = ["Comparison", "run_plan"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The jobs of a plan and what came of them."""

    jobs: list[Job]
    results: Results

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Summaries of the finished runs in the order scenario, controller, seed, demand seed."""
        return self.results.rows

    def errors(self) -> list[dict[str, str]]:
        """The runs that failed and why, in the same order."""
        found = self.results.errors
        return [{"run": self.jobs[number].title, "error": str(found[number])} for number in sorted(found)]

    def run_dirs(self, scenario: str) -> list[Path]:
        """Directories of the finished runs of a scenario; empty where none were asked for."""
        jobs = [self.jobs[number] for number in sorted(self.results.summaries)]
        return [job.out for job in jobs if job.out is not None and job.spec.scenario == scenario]

    def problem(self) -> GreensplitError | None:
        """Why the comparison is not whole, in one line and with the exit code of its cause; None when it is whole."""
        errors = self.results.errors
        if errors:
            first = min(errors)
            count, title = f"{len(errors)} of {len(self.jobs)} runs failed", self.jobs[first].title
            problem = type(errors[first])(f"{count}, the first ({title}): {errors[first]}")
            problem.__cause__ = errors[first]
            return problem
        if self.results.interrupted:
            return WorkError(f"interrupted: expected {len(self.jobs)} runs, finished {len(self.rows)}")
        return _different_versions(self.rows)


def _different_versions(rows: Sequence[dict[str, Any]]) -> WorkError | None:
    for row in rows:
        if row["versions"] != rows[0]["versions"]:
            return WorkError(
                f"expected all runs by the same versions, found {rows[0]['versions']} and {row['versions']}"
            )
    return None


def run_plan(
    plan: Plan, opener: Opener, told: Callable[[Job, int], None], out: Path | None = None
) -> Comparison:
    """Check a plan, then run all of it; with ``out``, each run leaves a directory below it.

    ``told`` is called with each finished job and the number finished so far. Raises InputError of every kind before
    anything runs; what a run raises is kept with the results.
    """
    check_plan(plan)
    specs = expand(plan)
    if out is None:
        jobs = [Job(spec) for spec in specs]
        return Comparison(jobs, execute(jobs, opener, told))
    with _staging(out, [run_folder(out, spec) for spec in specs]) as staging:
        jobs = [Job(spec, run_folder(out, spec).resolve(), staging) for spec in specs]
        return Comparison(jobs, execute(jobs, opener, told))


@contextmanager
def _staging(out: Path, folders: Sequence[Path]) -> Iterator[Path]:
    """A folder in ``out`` for runs that are under way, gone afterwards with all that lost workers left in it."""
    for folder in folders:
        if folder.exists():
            raise OutputError(f"{folder}: expected no run directory there yet, found one")
    try:
        out.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".compare-", dir=out)).resolve()
        (staging / IN_USE).touch()
    except OSError as err:
        raise OutputError(f"{out}: expected a place to write to, found: {err.strerror or err}") from err
    try:
        yield staging
    finally:
        (staging / IN_USE).unlink(missing_ok=True)
        shutil.rmtree(staging, ignore_errors=True)

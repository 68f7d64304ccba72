"""Jobs behind the Executor interface: order, errors, lost workers, Ctrl-C; first scripted, then with real processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from greensplit.engine.errors import InputError, SimulatorError, WorkError
from greensplit.sim.experiments.comparison import Comparison, run_plan
from greensplit.sim.experiments.executor import Opener, execute, local_pool
from greensplit.sim.experiments.worker import Job
from greensplit.sim.spec import RunSpec

from .plans import short_plan, silent, without_times

Outcome = dict[str, Any] | BaseException


class Scripted(Executor):
    """Answers each seed with what the script says, last submitted first."""

    def __init__(self, script: dict[int, Outcome]) -> None:
        self.script = script
        self.seeds: list[int] = []
        self.pending: list[tuple[Future[Any], Outcome]] = []

    def submit(self, _fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """Note the job; nothing is called."""
        (job,) = args
        self.seeds.append(job.spec.seed)
        future: Future[Any] = Future()
        self.pending.append((future, self.script[job.spec.seed]))
        if len(self.pending) == len(self.script):
            self._answer()
        return future

    def _answer(self) -> None:
        for future, outcome in reversed(self.pending):
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


def _jobs(count: int) -> list[Job]:
    return [Job(RunSpec("town", "fixed", seed=seed)) for seed in range(count)]


def _opener(executors: Sequence[Scripted]) -> Opener:
    """Opens the executors one after the other."""
    remaining = iter(executors)

    @contextmanager
    def opened() -> Iterator[Executor]:
        yield next(remaining)

    return opened


def _summary(seed: int) -> dict[str, Any]:
    return {"seed": seed, "partial": False}


def test_results_are_in_the_order_of_the_jobs_not_of_finishing() -> None:
    """Answers come in reverse, rows come by job."""
    results = execute(_jobs(4), _opener([Scripted({seed: _summary(seed) for seed in range(4)})]), silent)
    assert [row["seed"] for row in results.rows] == [0, 1, 2, 3]


def test_an_error_of_one_job_leaves_the_others() -> None:
    """Job 1 fails with its own error, jobs 0 and 2 have their summaries, all three are told of."""
    told: list[int] = []
    failure = SimulatorError("SUMO stopped: out of roads")
    script = Scripted({0: _summary(0), 1: failure, 2: _summary(2)})
    results = execute(_jobs(3), _opener([script]), lambda _job, done: told.append(done))
    assert [row["seed"] for row in results.rows] == [0, 2]
    assert results.errors == {1: failure}
    assert told == [1, 2, 3]


def test_an_unforeseen_error_becomes_one_line_with_its_cause() -> None:
    """A TypeError in a worker is a WorkError here that shows it."""
    cause = TypeError("no such thing")
    results = execute(_jobs(1), _opener([Scripted({0: cause})]), silent)
    assert isinstance(results.errors[0], WorkError)
    assert str(results.errors[0]) == "expected a summary, found TypeError: no such thing"
    assert results.errors[0].__cause__ is cause


def test_lost_jobs_and_only_those_are_tried_once_more() -> None:
    """Jobs 1 and 2 are lost with the first executor and done by the second."""
    lost = BrokenExecutor("gone")
    first = Scripted({0: _summary(0), 1: lost, 2: lost})
    second = Scripted({1: _summary(1), 2: _summary(2)})
    results = execute(_jobs(3), _opener([first, second]), silent)
    assert second.seeds == [1, 2]
    assert [row["seed"] for row in results.rows] == [0, 1, 2]
    assert results.errors == {}


def test_a_job_lost_twice_is_an_error() -> None:
    """There is no third try, and what was done before stays."""
    lost = BrokenExecutor("gone")
    executors = [Scripted({0: _summary(0), 1: lost}), Scripted({1: lost}), Scripted({1: _summary(1)})]
    results = execute(_jobs(2), _opener(executors), silent)
    assert executors[2].seeds == []
    assert [row["seed"] for row in results.rows] == [0]
    assert str(results.errors[1]) == "expected a summary, found that its worker process ended 2 times"


def test_ctrl_c_keeps_what_is_finished() -> None:
    """It arrives after the second result: two rows, no errors, marked as interrupted."""

    def interrupt(_job: Job, done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    script = Scripted({seed: _summary(seed) for seed in range(4)})
    results = execute(_jobs(4), _opener([script]), interrupt)
    assert (len(results.rows), results.errors, results.interrupted) == (2, {}, True)


def test_a_run_that_ended_early_does_not_count() -> None:
    """A worker that saw Ctrl-C first hands back a partial summary; the results are marked as interrupted."""
    results = execute(_jobs(1), _opener([Scripted({0: {"seed": 0, "partial": True}})]), silent)
    assert (results.rows, results.interrupted) == ([], True)


def test_the_problem_of_a_comparison_is_one_line_with_the_exit_code_of_its_cause() -> None:
    """An input error among the runs is exit code 2, a work error 1; the line counts the failures."""
    for failure, code in ((InputError("scale: expected more"), 2), (WorkError("disk: expected more"), 1)):
        results = execute(_jobs(2), _opener([Scripted({0: _summary(0), 1: failure})]), silent)
        problem = Comparison(_jobs(2), results).problem()
        assert problem is not None
        assert problem.exit_code == code
        assert str(problem) == f"1 of 2 runs failed, the first (town, fixed, seed 1): {failure}"


def test_runs_by_different_versions_are_a_problem() -> None:
    """Workers with another SUMO give figures that must not be compared."""
    rows = {seed: _summary(seed) | {"versions": {"eclipse-sumo": f"1.{seed}"}} for seed in (27, 28)}
    results = execute([], _opener([]), silent)
    results.summaries.update(rows)
    problem = Comparison(_jobs(2), results).problem()
    assert problem is not None
    assert "same versions" in str(problem)


def test_two_processes_give_what_one_gives(in_one_process: Comparison) -> None:
    """Equal seeds, equal results, in the same order, apart from times and memory."""
    both = run_plan(short_plan(), partial(local_pool, 2), silent)
    assert without_times(both.rows) == without_times(in_one_process.rows)
    assert [(row["controller"], row["seed"]) for row in both.rows] == [
        ("fixed", 0),
        ("fixed", 1),
        ("lookahead", 0),
        ("lookahead", 1),
    ]
    assert both.problem() is None


def test_a_killed_process_costs_no_result(in_one_process: Comparison, tmp_path: Path) -> None:
    """SIGKILL to a worker after the first result: its jobs are tried in a new pool, nothing is left lying about."""
    others = set(multiprocessing.active_children())
    killed: list[int] = []

    def kill_one(_job: Job, _done: int) -> None:
        if not killed:
            (child,) = set(multiprocessing.active_children()) - others
            assert child.pid is not None
            killed.append(child.pid)
            os.kill(child.pid, signal.SIGKILL)

    comparison = run_plan(short_plan(), partial(local_pool, 1), kill_one, tmp_path)
    assert len(killed) == 1
    assert comparison.problem() is None
    assert without_times(comparison.rows) == without_times(in_one_process.rows)
    assert [path.name for path in tmp_path.iterdir()] == ["cologne1"]
    assert sorted(tmp_path.glob("*/*/*/summary.json")) == [
        tmp_path / f"cologne1/{controller}/seed-{seed}/summary.json"
        for controller in ("fixed", "lookahead")
        for seed in (0, 1)
    ]


def test_a_run_directory_that_is_there_stops_everything(tmp_path: Path) -> None:
    """It is an input error before any run, and what lies there is not touched."""
    earlier = tmp_path / "cologne1/lookahead/seed-1"
    earlier.mkdir(parents=True)
    with pytest.raises(InputError, match=r"lookahead/seed-1: expected no run directory there yet"):
        run_plan(short_plan(), _opener([]), silent, tmp_path)
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "cologne1", earlier.parent, earlier]


def test_a_place_that_cannot_be_written_stops_everything(tmp_path: Path) -> None:
    """A file where the root should be is an input error before any run."""
    (tmp_path / "runs").write_text("not a folder")
    with pytest.raises(InputError, match="runs: expected a place to write to"):
        run_plan(short_plan(), _opener([]), silent, tmp_path / "runs")

"""The same runs on a real Dask cluster of two worker processes, whole and with one of them killed."""

from __future__ import annotations

import signal
import socket
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from distributed import Client

from greensplit.engine.errors import InputError
from greensplit.sim.experiments.comparison import Comparison, run_plan
from greensplit.sim.experiments.executor import on_cluster
from greensplit.sim.experiments.worker import Job

from .cluster import Cluster, dask_cluster
from .plans import short_plan, silent, without_times

SETTLE_S = 0.2
"""For what the worker sent before it was stopped."""


def _busy_workers(client: Client) -> set[str]:
    """Names of the workers that have a run in hand."""
    workers = client.scheduler_info()["workers"]
    return {str(workers[address]["name"]) for address, keys in client.processing().items() if keys}


def _kill_a_busy_worker(cluster: Cluster) -> None:
    """Stop one first, so that it is certain that it had not finished when it was killed."""
    with Client(cluster.address, set_as_default=False) as client:
        name = min(_busy_workers(client))
        cluster.workers[name].send_signal(signal.SIGSTOP)
        time.sleep(SETTLE_S)
        assert name in _busy_workers(client)
    cluster.workers[name].kill()
    assert cluster.workers[name].wait(10) == -signal.SIGKILL


def test_a_worker_killed_in_the_middle_costs_no_result(in_one_process: Comparison, tmp_path: Path) -> None:
    """SIGKILL to one of two workers while it has a run in hand: the other does it, and all results are the same."""
    killed: list[int] = []

    with dask_cluster(tmp_path, workers=2) as cluster:

        def kill_one(_job: Job, done: int) -> None:
            if done == 1:
                _kill_a_busy_worker(cluster)
                killed.append(done)

        comparison = run_plan(short_plan(), partial(on_cluster, cluster.address), kill_one, tmp_path / "runs")
        alive = [name for name, process in cluster.workers.items() if process.poll() is None]
    assert (killed, len(alive)) == ([1], 1)
    assert comparison.problem() is None
    assert without_times(comparison.rows) == without_times(in_one_process.rows)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["cologne1"]
    assert len(list((tmp_path / "runs").glob("*/*/*/summary.json"))) == 4


def test_a_worker_with_several_threads_runs_one_at_a_time(in_one_process: Comparison, tmp_path: Path) -> None:
    """libsumo holds one simulation per process; four threads of one worker give what one process gives."""
    with dask_cluster(tmp_path, workers=1, threads=4) as cluster:
        comparison = run_plan(short_plan(), partial(on_cluster, cluster.address), silent)
    assert without_times(comparison.rows) == without_times(in_one_process.rows)


@pytest.mark.parametrize("what", ["scheduler", "workers"])
def test_a_cluster_that_is_lost_leaves_what_is_finished(what: str, tmp_path: Path) -> None:
    """Without a scheduler, or a second without any worker, the other runs are errors in words; nothing hangs."""
    with dask_cluster(tmp_path, workers=1) as cluster:
        victim = cluster.scheduler if what == "scheduler" else cluster.workers["w0"]

        def kill(_job: Job, done: int) -> None:
            if done == 1:
                victim.kill()

        opener = partial(on_cluster, cluster.address, patience_s=1.0)
        comparison = run_plan(short_plan(seeds=tuple(range(50))), opener, kill)
    assert 1 <= len(comparison.rows) < 100
    assert len(comparison.rows) + len(comparison.errors()) == 100
    assert comparison.errors()[-1] == {
        "run": "cologne1, lookahead, seed 49",
        "error": "expected a summary, found that the cluster was lost",
    }


def test_the_missing_extra_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which extra to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"expected the extra greensplit\[cluster\] installed"):
        run_plan(short_plan(), partial(on_cluster, "tcp://127.0.0.1:1"), silent)


def test_a_cluster_without_workers_is_an_input_error(tmp_path: Path) -> None:
    """The runs would wait for ever."""
    with dask_cluster(tmp_path, workers=0) as cluster:
        opener = partial(on_cluster, cluster.address, timeout_s=1.0)
        with pytest.raises(InputError, match=r"--cluster: expected a worker at tcp://127.* found none"):
            run_plan(short_plan(), opener, silent)


def test_nobody_at_the_address_is_an_input_error() -> None:
    """A port that nothing listens on; the message names it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(InputError, match=f"--cluster: expected a Dask scheduler at {address}"):
            run_plan(short_plan(), partial(on_cluster, address, timeout_s=1.0), silent)


@pytest.mark.parametrize("address", ["nonsense://here", "no port", "127.0.0.1:x"])
def test_what_is_not_an_address_is_an_input_error(address: str) -> None:
    """One line, whatever the library makes of it."""
    with pytest.raises(InputError, match="--cluster: expected a Dask scheduler at") as refused:
        run_plan(short_plan(), partial(on_cluster, address, timeout_s=1.0), silent)
    assert "\n" not in str(refused.value)

"""Running jobs behind the standard Executor interface: processes of this machine, or a Dask cluster."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    as_completed,
)
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from greensplit.engine.errors import GreensplitError, InputError, WorkError

from .worker import do_job, start_worker

__all__ = ["CLUSTER_TIMEOUT_S", "Opener", "Results", "Work", "execute", "local_pool", "on_cluster"]

CLUSTER_TIMEOUT_S = 15.0
PATIENCE_S = 60.0
WATCH_S = 1.0
MAX_TRIES = 2

Opener = Callable[[], AbstractContextManager[Executor]]
"""Opens an executor for as long as the block lasts; called again when the first one broke."""
J = TypeVar("J")
Work = Callable[[J], dict[str, Any]]
"""Does a job in a worker process and returns its summary, so it has to be importable there."""


@dataclass(slots=True)
class Results:
    """What came of the jobs: summaries and errors by position in the list of jobs."""

    summaries: dict[int, dict[str, Any]] = field(default_factory=dict)
    errors: dict[int, GreensplitError] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Summaries in the order of the jobs, whichever finished first."""
        return [self.summaries[number] for number in sorted(self.summaries)]


def execute(
    jobs: Sequence[J],
    opener: Opener,
    told: Callable[[J, int], None],
    work: Work[J] = do_job,  # type: ignore[assignment]
) -> Results:
    """Do all jobs by ``work``; ``told`` is called with each finished one and the number finished so far.

    A job's error does not stop the others. Jobs that were lost with a broken executor are tried once more in a new
    one. Ctrl-C drops what has not finished and marks the results as interrupted. Raises InputError when no executor
    can be opened.
    """
    results = Results()
    waiting = list(range(len(jobs)))
    try:
        for _ in range(MAX_TRIES):
            if waiting:
                waiting = _attempt(jobs, waiting, opener, results, told, work)
    except KeyboardInterrupt:
        results.interrupted = True
    else:
        for number in waiting:
            results.errors[number] = WorkError(
                f"expected a summary, found that its worker process ended {MAX_TRIES} times"
            )
    return results


def _attempt(
    jobs: Sequence[J],
    numbers: Sequence[int],
    opener: Opener,
    results: Results,
    told: Callable[[J, int], None],
    work: Work[J],
) -> list[int]:
    """Do the jobs of these numbers; those that were lost."""
    lost: list[int] = []
    with opener() as executor:
        futures = _submit(executor, jobs, numbers, work)
        for future in as_completed(futures):
            number = futures[future]
            try:
                _keep(results, number, future)
            except BrokenExecutor:
                lost.append(number)
            else:
                told(jobs[number], len(results.summaries) + len(results.errors))
    return sorted({*lost, *(set(numbers) - set(futures.values()))})


def _submit(
    executor: Executor, jobs: Sequence[J], numbers: Sequence[int], work: Work[J]
) -> dict[Future[dict[str, Any]], int]:
    futures: dict[Future[dict[str, Any]], int] = {}
    for number in numbers:
        try:
            futures[executor.submit(work, jobs[number])] = number
        except BrokenExecutor:
            break
    return futures


def _keep(results: Results, number: int, future: Future[dict[str, Any]]) -> None:
    """Note a job's summary or error; BrokenExecutor when it has neither."""
    try:
        summary = future.result()
    except GreensplitError as err:
        results.errors[number] = err
    except BrokenExecutor:
        raise
    except CancelledError as err:
        results.errors[number] = _caused("expected a summary, found that the cluster was lost", err)
    except Exception as err:  # noqa: BLE001 - whatever a worker sends must not lose the other results
        results.errors[number] = _caused(f"expected a summary, found {type(err).__name__}: {err}", err)
    else:
        if summary["partial"]:
            raise KeyboardInterrupt  # the worker had the signal before this process
        results.summaries[number] = summary


def _caused(text: str, cause: Exception) -> WorkError:
    error = WorkError(text)
    error.__cause__ = cause
    return error


@contextmanager
def local_pool(workers: int) -> Iterator[Executor]:
    """Processes of this machine; stopped at once when the block ends with an exception.

    Workers live as long as the pool: their memory was measured and stays flat over runs, and Python 3.11's
    ``max_tasks_per_child`` can hang (CPython issue 115634).
    """
    others = set(multiprocessing.active_children())
    with tempfile.TemporaryDirectory(prefix="greensplit-", ignore_cleanup_errors=True) as folder:
        pool = ProcessPoolExecutor(
            workers, multiprocessing.get_context("spawn"), initializer=start_worker, initargs=(folder,)
        )
        try:
            yield pool
        except BaseException:
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def on_cluster(
    address: str, timeout_s: float = CLUSTER_TIMEOUT_S, patience_s: float = PATIENCE_S
) -> Iterator[Executor]:
    """The workers of a Dask cluster, which tries the jobs of a lost worker elsewhere by itself.

    Run directories are written by the workers, so they need the same file system. Raises InputError when the extra
    ``cluster`` is missing, nothing answers at ``address`` within ``timeout_s``, or the cluster has no worker. Jobs are
    cancelled when it has none for ``patience_s`` later on.
    """
    client = _connect(address, timeout_s)
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(client, done, patience_s), daemon=True)
    watch.start()
    try:
        executor: Executor = client.get_executor(pure=False)
        yield executor
    finally:
        done.set()
        watch.join()
        client.close()


def _watch(client: Any, done: threading.Event, patience_s: float) -> None:
    """Close the client, which cancels its jobs, once the cluster has had no worker for too long."""
    idle_s = 0.0
    while not done.wait(WATCH_S) and idle_s < patience_s:
        idle_s = 0.0 if client.scheduler_info(n_workers=1)["workers"] else idle_s + WATCH_S
    if not done.is_set():
        client.close()


async def _knock(address: str, timeout_s: float) -> None:
    """Raise what a client would, without one: the collector may end a client that failed while another one begins.

    Both take the same lock, so that would hang.
    """
    from distributed.comm import connect

    comm = await connect(address, timeout=timeout_s)
    await comm.close()


def _connect(address: str, timeout_s: float) -> Any:
    try:
        from distributed import Client
    except ImportError as err:
        raise InputError(
            f"--cluster: expected the extra greensplit[cluster] installed, found: {err}"
        ) from err
    logging.getLogger("distributed.client").setLevel(
        logging.CRITICAL
    )  # a lost scheduler is told by the results
    try:
        asyncio.run(_knock(address, timeout_s))
        client = Client(address, timeout=timeout_s, set_as_default=False)
    except (OSError, ValueError, TypeError) as err:
        raise InputError(
            f"--cluster: expected a Dask scheduler at {address}, found: {_first_line(err)}"
        ) from err
    try:
        client.wait_for_workers(1, timeout=timeout_s)
    except TimeoutError as err:
        client.close()
        raise InputError(
            f"--cluster: expected a worker at {address} within {timeout_s:g} s, found none"
        ) from err
    return client


def _first_line(err: BaseException) -> str:
    return (str(err).splitlines() or [type(err).__name__])[0]

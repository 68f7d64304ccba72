"""A real Dask cluster on loopback for a test: a scheduler and workers as processes that can be killed by pid."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_S = 30.0


@dataclass(frozen=True)
class Cluster:
    """The scheduler with its address, and the worker processes by name."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: dict[str, subprocess.Popen[bytes]]


@contextmanager
def dask_cluster(folder: Path, workers: int, threads: int = 1) -> Iterator[Cluster]:
    """Starts one on free ports; all its processes are gone afterwards."""
    processes = [
        _start(folder, "scheduler", "dask_scheduler", "--port=0", f"--scheduler-file={folder}/scheduler.json")
    ]
    try:
        address = _address(folder / "scheduler.json", processes[0])
        started = {f"w{number}": _worker(folder, address, f"w{number}", threads) for number in range(workers)}
        processes += started.values()
        yield Cluster(address, processes[0], started)
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def _worker(folder: Path, address: str, name: str, threads: int) -> subprocess.Popen[bytes]:
    return _start(
        folder, name, "dask_worker", address, f"--name={name}", f"--nthreads={threads}", "--no-nanny"
    )


def _start(folder: Path, name: str, module: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments, "--host=127.0.0.1"]
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [*command, "--no-dashboard", "--dashboard-address=127.0.0.1:0"],
            stdout=log,
            stderr=log,
            cwd=folder,
            env=dict(os.environ),
        )


def _address(path: Path, scheduler: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert scheduler.poll() is None, path.with_name("scheduler.log").read_text()
        try:
            return str(json.loads(path.read_text())["address"])
        except (OSError, ValueError):
            time.sleep(0.05)
    raise AssertionError(f"the scheduler did not start within {START_S} s")

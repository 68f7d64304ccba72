"""Starts the process that makes Parquet of ended segments, and hears what became of it, without waiting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from .retention import Shed

__all__ = ["Bounds", "Rolled", "Roller"]


class Bounds(NamedTuple):
    """What a store is kept within."""

    retention_days: float
    max_bytes: int
    min_free_bytes: int


class Rolled(NamedTuple):
    """What a process did: up to which segment all is Parquet now, what it took away, or why it failed."""

    last: int = 0
    shed: Shed = Shed()
    error: str | None = None


class Roller:
    """One process at a time; the next may start once ``heard`` told how the last one ended."""

    def __init__(self, folder: Path, bounds: Bounds) -> None:
        self._folder = folder
        self._bounds = bounds
        self._process: subprocess.Popen[str] | None = None
        self._last = 0

    @property
    def busy(self) -> bool:
        """Whether a process was started whose end was not heard."""
        return self._process is not None

    def start(self, last: int, now_ms: int) -> str | None:
        """Roll the segments up to number ``last``; returns why no process could be started, if so."""
        numbers = {"last": last, "now-ms": now_ms, **_dashed(self._bounds)}
        command = [sys.executable, "-m", "greensplit.engine.store.rolling", str(self._folder)]
        command += [f"--{name}={value}" for name, value in numbers.items()]
        self._last = last
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "POLARS_MAX_THREADS": "1"},
                start_new_session=True,  # an interrupt at the terminal ends the daemon, which decides about the rest
            )
        except OSError as err:
            return f"expected to start a process that rolls segments, found: {err}"
        return None

    def heard(self, wait_s: float | None = 0.0) -> Rolled | None:
        """How the process ended; None while it runs after ``wait_s`` (None: no bound), or if there is none."""
        if self._process is None:
            return None
        try:
            code = self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return None
        assert self._process.stdout is not None
        with self._process.stdout as told:
            output = told.read()
        self._process = None
        return _heard(code, output, self._last)

    def stop(self) -> None:
        """End the process, at whatever step it is."""
        if self._process is not None:
            self._process.kill()
            self.heard(wait_s=None)


def _dashed(bounds: Bounds) -> dict[str, float]:
    return {name.replace("_", "-"): value for name, value in bounds._asdict().items()}


def _heard(code: int, output: str, last: int) -> Rolled:
    if code:
        return Rolled(error=f"expected segments to become Parquet, found a process that ended with {code}")
    told = json.loads(output)
    shed = Shed(told["shed_rows"], told["shed_bytes"])
    return Rolled(0 if told["error"] else last, shed, told["error"])

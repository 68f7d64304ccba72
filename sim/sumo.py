"""SUMO as a library or over a socket, started with the rules that every run obeys."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from greensplit.engine.errors import SimulatorError
from greensplit.scenarios.tools import sumo_binary, sumo_environment

__all__ = ["RULES", "SUPPORTED_VERSION", "Simulator", "check_version"]

SUPPORTED_VERSION = "1.28"

RULES: tuple[str, ...] = (
    "--time-to-teleport",
    "-1",
    "--collision.action",
    "warn",
    "--collision.check-junctions",
    "--no-step-log",
    "--no-warnings",
    "--duration-log.disable",
)
"""No teleporting; collisions counted, never resolved by taking vehicles away."""

START_TIMEOUT_S = 60.0
MAX_ERROR_BYTES = 1 << 16


def check_version(found: str) -> None:
    """Raise SimulatorError unless ``found`` is the SUMO version that greensplit was tested with."""
    if found != SUPPORTED_VERSION and not found.startswith(SUPPORTED_VERSION + "."):
        raise SimulatorError(
            f"SUMO: expected version {SUPPORTED_VERSION}, found {found}; results move with the version"
        )


class Simulator:
    """One running simulation. ``api`` is libsumo, or a TraCI connection with the same calls.

    libsumo holds one simulation per process. ``inside_s`` is the wall time spent in SUMO's own steps.
    """

    def __init__(self, arguments: Sequence[str], *, traci: bool = False, gui: bool = False) -> None:
        """Start SUMO; SimulatorError with its own words when it does not come up."""
        self.inside_s = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the simulation
        self.api: Any = None
        try:
            self.api = self._connect(arguments, gui) if traci or gui else self._load(arguments)
            with self.speaking():
                version = str(self.api.getVersion()[1])
            check_version(version.removeprefix("SUMO ").lstrip("v"))
        except BaseException:
            self.close()
            raise

    def _load(self, arguments: Sequence[str]) -> ModuleType:
        libsumo = _import("libsumo")
        log = _ErrorCapture()
        with log:
            try:
                libsumo.start(["sumo", *arguments])
            except (libsumo.TraCIException, libsumo.FatalTraCIError) as err:
                failure: Exception | None = err
            else:
                failure = None
        if failure is not None:
            raise SimulatorError(f"SUMO did not start: {log.first_error() or failure}") from failure
        return libsumo

    def _connect(self, arguments: Sequence[str], gui: bool) -> Any:
        traci = _import("traci")
        port = _free_port()
        binary = sumo_binary("sumo-gui" if gui else "sumo")
        extra = ["--start", "--quit-on-end"] if gui else []
        self._process = subprocess.Popen(
            [str(binary), *arguments, *extra, "--remote-port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env=sumo_environment(),
            start_new_session=True,  # Ctrl-C is for us: we end the simulation in order
        )
        return self._await(traci, port)

    def _await(self, traci: ModuleType, port: int) -> Any:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise SimulatorError(f"SUMO did not start: {_first_error(self._stderr())}")
            try:
                return traci.connect(port, numRetries=0, proc=self._process)
            except (OSError, traci.exceptions.FatalTraCIError, traci.exceptions.TraCIException):
                time.sleep(0.02)
        raise SimulatorError(f"SUMO did not answer on its socket within {START_TIMEOUT_S:.0f} s")

    def _stderr(self) -> str:
        self._errors.seek(0)
        return self._errors.read(MAX_ERROR_BYTES).decode(errors="replace")

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Turn SUMO's end in the middle, wherever it shows, into a SimulatorError in SUMO's own words."""
        try:
            yield
        except Exception as err:
            if not _is_sumos(err):
                raise
            words = _first_error(self._stderr(), default=str(err))
            raise SimulatorError(f"SUMO stopped: {words}") from err

    def step(self) -> None:
        """One step of SUMO; SimulatorError when it stops."""
        started = time.perf_counter()
        with self.speaking():
            self.api.simulationStep()
        self.inside_s += time.perf_counter() - started

    def close(self) -> None:
        """End the simulation; SUMO writes its outputs now. One that has died already is only tidied away."""
        try:
            if self.api is not None:
                self.api.close()
        except Exception as err:
            if not _is_sumos(err):
                raise
        finally:
            self._errors.close()
            if self._process is not None:
                _end(self._process, patient=self.api is not None)


def _is_sumos(err: Exception) -> bool:
    """By name, since library and socket have each their own, and neither may be imported for the other."""
    return type(err).__name__ in ("TraCIException", "FatalTraCIError")


def _end(process: subprocess.Popen[bytes], *, patient: bool) -> None:
    """Wait for the process while it writes its outputs; end it by force when it does not stop by itself."""
    try:
        process.wait(timeout=START_TIMEOUT_S if patient else 0.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _import(name: str) -> ModuleType:
    try:
        return __import__(name)
    except ImportError as err:
        raise SimulatorError(f"{name}: expected it installed (pip install greensplit), found: {err}") from err


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _first_error(text: str, *, default: str = "it gave no reason") -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error")]
    return (errors or lines or [default])[0].removeprefix("Error: ")


class _ErrorCapture:
    """Takes what the library writes to the process's error stream, so that it can become one line."""

    def __enter__(self) -> _ErrorCapture:
        self._file = tempfile.TemporaryFile()
        self._saved = os.dup(2)
        os.dup2(self._file.fileno(), 2)
        return self

    def __exit__(self, *_: object) -> None:
        os.dup2(self._saved, 2)
        os.close(self._saved)
        self._file.seek(0)
        self._text = self._file.read(MAX_ERROR_BYTES).decode(errors="replace")
        self._file.close()

    def first_error(self) -> str:
        """SUMO's first error line, '' when it wrote none."""
        return _first_error(self._text) if self._text else ""

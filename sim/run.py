"""The main job: one closed-loop run, from a specification to a run directory that says everything about itself."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greensplit.engine.errors import OutputError, StorageError

from .spec import RunSpec

if TYPE_CHECKING:
    from .record import Record

__all__ = ["Progress", "Simulate", "run", "simulate_here"]

Progress = Callable[[float], None]
"""Called with the share done, 0 to 1."""
Simulate = Callable[[RunSpec, Path, Progress], "Record"]
"""Runs the closed loop of a specification, with its files in a folder."""


def run(
    spec: RunSpec,
    out: Path | None = None,
    *,
    progress: Progress | None = None,
    simulate: Simulate | None = None,
) -> dict[str, Any]:
    """Run a specification and return its summary; with ``out``, leave a run directory there.

    The directory appears only when it is whole; Ctrl-C ends the run early and leaves a valid one marked partial.
    ``simulate`` says where SUMO runs: in this process, or apart (``sim.apart``). Raises InputError and WorkError of
    every kind.
    """
    started = time.perf_counter()
    if out is not None:
        _must_be_free(out)
    with _workplace(out) as folder:
        record = (simulate or simulate_here)(spec, folder, progress or _silent)
        from .evaluate import (  # data frames only now: SUMO's memory is free again
            read_tables,
            summarise_run,
            write_run,
        )

        tables = read_tables(folder, record)
        summary = summarise_run(folder, record, tables)
        summary["wall_s"] = round(time.perf_counter() - started, 3)
        if out is not None:
            write_run(folder, record, tables, summary, folder / "run")
            _publish(folder / "run", out)
    return summary


def simulate_here(spec: RunSpec, folder: Path, progress: Progress, junction: str = "") -> Record:
    """Run SUMO in this process; libsumo holds one simulation at a time.

    Nothing starts without the ``junction`` that somebody will ask about: InputError.
    """
    from greensplit.engine.model.naming import find_junction

    from .closed_loop import close_the_loop
    from .prepare import prepare
    from .recording import record_run

    prepared = prepare(spec, folder)
    if junction:
        find_junction(prepared.site, junction)
    return record_run(prepared, close_the_loop(prepared, progress))


def _silent(_: float) -> None:
    """No progress is shown."""


def _must_be_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out}: expected a new or empty run directory, found one with something in it")


@contextmanager
def _workplace(out: Path | None) -> Iterator[Path]:
    """A folder for SUMO's files beside the run directory, gone afterwards."""
    try:
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".greensplit-", dir=None if out is None else out.parent))
    except OSError as err:
        raise OutputError(f"{out}: expected a place to write to, found: {err.strerror}") from err
    try:
        (folder / "run").mkdir()
        yield folder
    except OSError as err:
        raise StorageError(f"{out or folder}: could not write: {err.strerror or err}") from err
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _publish(folder: Path, out: Path) -> None:
    if out.exists():
        out.rmdir()
    folder.rename(out)

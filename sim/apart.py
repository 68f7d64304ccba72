"""SUMO and the loop in a process of their own: its memory is free before the evaluation begins, and a crash of the
simulator is one line, not the end of the program.

``python -m greensplit.sim.apart FOLDER [JUNCTION]`` reads ``spec.json`` there, prints the share done line by line, and
leaves ``record.json``, or prints why not: the disk may be full, or there is no such junction to be explained.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from greensplit.engine import errors
from greensplit.engine.errors import GreensplitError, SimulatorError
from greensplit.engine.files import write_atomically
from greensplit.engine.kernel_cache import use_kernel_cache

from .record import Record
from .spec import RunSpec

if TYPE_CHECKING:
    from .run import Progress

__all__ = ["simulate_apart"]

MAX_MESSAGE = 2000
FAILURE = "greensplit failure "


def simulate_apart(spec: RunSpec, folder: Path, progress: Progress, junction: str = "") -> Record:
    """Run a specification in a child process, if it has the ``junction`` that somebody will ask about.

    Raises what the child raised; SimulatorError when it crashed.
    """
    _write(folder / "spec.json", spec.plain())
    command = [sys.executable, "-m", "greensplit.sim.apart", str(folder.resolve()), junction]
    failure: GreensplitError | None = None
    with _ctrl_c_is_the_childs(), subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            share = _share(line)
            if share is not None:
                progress(share)
            elif line.startswith(FAILURE):
                found = json.loads(line.removeprefix(FAILURE))
                failure = _known(found["kind"])(found["message"])
    if failure is not None:
        raise failure
    return _read_record(folder / "record.json", child.returncode)


def _share(line: str) -> float | None:
    """The number on a line of the child's; None for what SUMO itself printed."""
    try:
        return float(line)
    except ValueError:
        return None


def _read_record(path: Path, code: int) -> Record:
    if code or not path.exists():
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        raise SimulatorError(f"the simulation's process: expected it to end by itself, found {name}")
    return Record(**json.loads(path.read_bytes()))


def _known(kind: str) -> type[GreensplitError]:
    found = getattr(errors, kind, GreensplitError) if kind in errors.__all__ else GreensplitError
    return found if isinstance(found, type) and issubclass(found, GreensplitError) else GreensplitError


@contextmanager
def _ctrl_c_is_the_childs() -> Iterator[None]:
    """The child gets Ctrl-C too and ends its run in order; we wait for it."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _write(path: Path, value: object) -> None:
    write_atomically(path, json.dumps(value).encode())


def _tell(share: float) -> None:
    _say(f"{share:.4f}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _main(folder: Path, junction: str) -> None:
    """What the child does."""
    use_kernel_cache(os.environ)
    from .run import simulate_here

    spec = RunSpec.from_plain(json.loads((folder / "spec.json").read_bytes()))
    try:
        _write(folder / "record.json", asdict(simulate_here(spec, folder, _tell, junction)))
    except GreensplitError as err:
        _say(FAILURE + json.dumps({"kind": type(err).__name__, "message": str(err)[:MAX_MESSAGE]}))
    except OSError as err:
        _say(FAILURE + json.dumps({"kind": "StorageError", "message": f"{folder}: could not write: {err}"}))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")

"""Plants each bug in a copy of the engine and asks whether the checks find it.

A copy lives in a folder of its own, first on the path of a process of its own with its own kernel cache; nothing of
the running process is touched. Kernels run as plain Python there: compiling each copy would take longer.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

from greensplit import engine

from .bugs import Bug

__all__ = ["Verdict", "apply", "try_all", "try_one"]

ROUNDS = 20
LONGEST_S = 300.0


class Verdict(NamedTuple):
    """What the checks said of a bug; nothing found is a miss."""

    bug: Bug | None
    found: dict[str, int]
    round: int

    @property
    def is_missed(self) -> bool:
        """Did a planted bug go unseen?"""
        return self.bug is not None and not self.found


def apply(bug: Bug, folder: Path) -> None:
    """Edit the file below ``folder``; ValueError unless the old text occurs there exactly once."""
    path = folder / bug.file
    text = path.read_text()
    if text.count(bug.old) != 1:
        raise ValueError(f"{bug.file}: expected {bug.old!r} once, found it {text.count(bug.old)} times")
    path.write_text(text.replace(bug.old, bug.new))


def try_one(bug: Bug | None, rounds: int = ROUNDS) -> Verdict:
    """Run the trial on a copy of the engine with one bug, or with none."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "greensplit" / "engine"
        shutil.copytree(
            Path(engine.__path__[0]), copy, ignore=shutil.ignore_patterns("__pycache__"), symlinks=False
        )
        if bug is not None:
            apply(bug, copy)
        said = _trial(Path(folder), rounds)
        if not Path(said["engine"]).is_relative_to(folder):
            raise RuntimeError(f"expected the engine of {folder}, found {said['engine']}")
    return Verdict(bug, said["found"], said["round"])


def try_all(
    bugs: Sequence[Bug], jobs: int, tell: Callable[[Verdict, int], None] = lambda _verdict, _done: None
) -> list[Verdict]:
    """Try every bug, ``jobs`` at a time, in no order; ``tell`` hears each verdict and how many there are by then."""
    verdicts = []
    with ThreadPoolExecutor(jobs) as pool:
        for future in as_completed([pool.submit(try_one, bug) for bug in bugs]):
            verdicts.append(future.result())
            tell(verdicts[-1], len(verdicts))
    return verdicts


def _trial(folder: Path, rounds: int) -> dict[str, Any]:
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "NUMBA_DISABLE_JIT": "1",
        "NUMBA_CACHE_DIR": str(folder / "kernels"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "greensplit.benchmarks.safety.trial", str(rounds)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False, timeout=LONGEST_S
    )
    if done.returncode:
        raise RuntimeError(f"trial: exit code {done.returncode}\n{done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said

"""Bugs planted in the signal machine, in the interlock and in their tables are found; a sound engine is not blamed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from greensplit import engine
from greensplit.benchmarks.safety.bugs import BUGS, Bug
from greensplit.benchmarks.safety.planted import apply, try_all, try_one

ROOT = Path(__file__).parents[3]
SOME = BUGS[4::19]


def test_every_bug_can_still_be_planted() -> None:
    """The text that each edit replaces occurs once in the file that it is for, and no bug is there twice."""
    sources = {bug.file: (Path(engine.__path__[0]) / bug.file).read_text() for bug in BUGS}
    assert [bug.name for bug in BUGS if sources[bug.file].count(bug.old) != 1] == []
    assert len({(bug.file, bug.name) for bug in BUGS}) == len(BUGS)
    assert len({(bug.file, bug.old, bug.new) for bug in BUGS}) == len(BUGS)
    assert len(BUGS) >= 60


def test_an_edit_that_fits_nowhere_or_twice_is_an_error(tmp_path: Path) -> None:
    """A list that lags behind the sources must not pass for one whose bugs were all found."""
    (tmp_path / "a.py").write_text("one\none\n")
    for old in ("two", "one"):
        with pytest.raises(ValueError, match=r"a\.py: expected '\w+' once, found it \d times"):
            apply(Bug("a.py", "", old, ""), tmp_path)


def test_a_sound_engine_is_not_blamed() -> None:
    """The same rounds, nothing planted."""
    assert try_one(None, rounds=5).found == {}


def test_some_of_the_bugs_are_found() -> None:
    """Every nineteenth of the list: some of the machine, of the interlock and of the tables."""
    assert {bug.file for bug in SOME} >= {"kernels/machine.py", "kernels/interlock.py", "model/compiled.py"}
    assert [verdict.bug for verdict in try_all(SOME, jobs=2) if verdict.is_missed] == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_all_bugs_are_found() -> None:
    """The whole list."""
    assert [verdict.bug for verdict in try_all(BUGS, jobs=2) if verdict.is_missed] == []


def test_the_kernels_hold_without_compilation() -> None:
    """Timings and interlock again with NUMBA_DISABLE_JIT=1: what is tested is what the sources say."""
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
    arguments += [f"tests/engine/kernels/test_{name}.py" for name in ("timing", "requests", "interlock")]
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout

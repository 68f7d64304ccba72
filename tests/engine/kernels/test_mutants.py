"""The interlock catches bugs planted in the signal machine; and the suite also holds without compilation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

SHORT_STOP = "short yellow or pedestrian clearance"
EXPECTED = {
    "intergreens of zero": "short intergreen",
    "intergreens a tick short": "short intergreen",
    "intergreens the wrong way round": "short intergreen",
    "stop sequences of zero": SHORT_STOP,
    "stop sequences a tick short": SHORT_STOP,
    "stop sequences that begin with red": "skipped yellow or pedestrian clearance",
    "minimum greens of zero": "short minimum green",
    "minimum greens a tick short": "short minimum green",
    "red-amber of zero": "aspect out of sequence",
    "red-amber for everybody": "aspect out of sequence",
    "no meetings": "conflicting greens",
    "conflicts taken for shared": "conflicting greens",
    "no traps": "yellow trap",
    "no dragging and no waiting for opposing traffic": "yellow trap",
    "turns do not wait for opposing traffic": "yellow trap",
    "everything counts as cleared": "short intergreen",
    "greens end at once": "short minimum green",
    "yellow skipped": "skipped yellow or pedestrian clearance",
    "turns are promoted at once": "short intergreen",
    "aspects are not timed": SHORT_STOP,
    "aspects are timed from the tick before": SHORT_STOP,
    "ends of green are forgotten": "short intergreen",
    "starts of green are forgotten": "short minimum green",
    "starts of red are forgotten": "re-green before the red-revert time",
}


def uncompiled(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python process in which kernels are plain functions."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """Faults by mutant."""
    done = uncompiled("-m", "tests.engine.kernels.mutants")
    assert done.returncode == 0, done.stderr
    names: dict[str, list[str]] = json.loads(done.stdout)
    return names


@pytest.mark.parametrize("mutant", EXPECTED)
def test_the_interlock_catches_the_planted_bug(mutant: str, found: dict[str, list[str]]) -> None:
    """With the fault that the bug causes."""
    assert EXPECTED[mutant] in found[mutant]


def test_without_a_bug_nothing_is_caught(found: dict[str, list[str]]) -> None:
    """The same sites and requests, nothing planted."""
    assert found["nothing"] == []


@pytest.mark.parametrize("mutant", ["one group too many in each stage", "no stage permissive"])
def test_a_bad_stage_table_alone_does_not_reach_the_lamps(mutant: str, found: dict[str, list[str]]) -> None:
    """The machine's own meetings keep what conflicts or does not yield from starting."""
    assert found[mutant] == []


def test_every_mutant_is_accounted_for(found: dict[str, list[str]]) -> None:
    """None is planted and then forgotten."""
    assert set(found) == {*EXPECTED, "nothing", "one group too many in each stage", "no stage permissive"}


def test_the_kernels_hold_without_compilation() -> None:
    """Timings and interlock again with NUMBA_DISABLE_JIT=1: what is tested is what the sources say."""
    done = uncompiled(
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/engine/kernels/test_timing.py",
        "tests/engine/kernels/test_interlock.py",
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout

"""``greensplit run`` with loops that are cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import greensplit

WINDOW = ("--begin", "25200", "--end", "25230")


def test_a_run_with_dead_loops_says_so_in_its_manifest(tmp_path: Path) -> None:
    """Share and ids are part of the configuration; a cut loop is in no event."""
    options = ("--dead", "0.2", "--dead-loops", "gs1.1,gs1.2", "--out", "cut")
    done = greensplit("run", "cologne1", "-c", "fixed", *WINDOW, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "cut" / "run.json").read_text())["configuration"]
    assert (found["dead_share"], found["dead_loops"]) == (0.2, ["gs1.1", "gs1.2"])


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--dead", "2"), "share of 0 to 1, found 2"), (("--dead-loops", "gs1.1,gone"), "found gone")],
)
def test_loops_that_cannot_be_cut_are_an_error_in_one_line(
    tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    """Exit code 2: the input was wrong."""
    done = greensplit("run", "cologne1", "-c", "fixed", *WINDOW, *options, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr

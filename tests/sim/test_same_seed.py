"""Same inputs, same outputs: across processes, and whether SUMO is a library or behind a socket."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MEASURED = {"wall_s", "simulator_s", "decide_s", "outside_s", "peak_mb"}
"""Times and memory of the machine, the only figures that may differ."""
RUN = """
import sys
from pathlib import Path
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec
name, controller, seed, end_s, traci, out = sys.argv[1:]
run(RunSpec(name, controller, seed=int(seed), end_s=int(end_s), traci=traci == "socket"), Path(out))
"""


def run_apart(out: Path, name: str, controller: str, seed: int, end_s: int, way: str = "library") -> Path:
    """Runs in a fresh process; the run directory."""
    command = [sys.executable, "-c", RUN, name, controller, str(seed), str(end_s), way, str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "")
    return out


def tables(folder: Path) -> dict[str, bytes]:
    """Every Parquet file of a run directory by its relative path, and the model."""
    paths = [*sorted(folder.rglob("*.parquet")), folder / "model.toml", folder / "network.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def figures(folder: Path) -> dict[str, Any]:
    """The summary without what the machine decides."""
    summary = json.loads((folder / "summary.json").read_text())
    assert set(summary) >= MEASURED
    return {key: value for key, value in summary.items() if key not in MEASURED}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five minutes of Ingolstadt's seven junctions under our controller."""
    return run_apart(tmp_path_factory.mktemp("first") / "run", "ingolstadt7", "lookahead", 5, 57_900)


def test_the_same_seed_gives_the_same_bytes_in_another_process(first: Path, tmp_path: Path) -> None:
    """Event log, trips, links, decisions, trajectories, model and drawing; and all figures but the machine's."""
    second = run_apart(tmp_path / "run", "ingolstadt7", "lookahead", 5, 57_900)
    assert tables(first) == tables(second)
    assert any(name.startswith("events/") for name in tables(first))
    assert figures(first) == figures(second)


def test_library_and_socket_give_the_same_bytes(first: Path, tmp_path: Path) -> None:
    """Detector events by subscription over TraCI, lamps set over TraCI: the same run."""
    second = run_apart(tmp_path / "run", "ingolstadt7", "lookahead", 5, 57_900, "socket")
    assert tables(first) == tables(second)
    assert figures(first) == figures(second)


@pytest.mark.parametrize("controller", ["max-pressure", "actuated"])
def test_library_and_socket_agree_with_perfect_vision_and_when_watching(
    controller: str, tmp_path: Path
) -> None:
    """Vehicles read one by one, lamps read after each step."""
    runs = [
        run_apart(tmp_path / way, "cologne1", controller, 1, 25_400, way) for way in ("library", "socket")
    ]
    assert tables(runs[0]) == tables(runs[1])
    assert figures(runs[0]) == figures(runs[1])


def test_another_seed_gives_another_run(first: Path, tmp_path: Path) -> None:
    """SUMO's drivers differ, and so do the trips; the demand is the same."""
    other = run_apart(tmp_path / "run", "ingolstadt7", "lookahead", 6, 57_900)
    assert tables(first)["trips.parquet"] != tables(other)["trips.parquet"]
    assert tables(first)["scheduled.parquet"] == tables(other)["scheduled.parquet"]

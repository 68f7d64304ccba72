"""SUMO in a process of its own: the same results, the same errors, and a crash is one line."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from greensplit.engine.errors import InputError, NetworkError, SimulatorError
from greensplit.sim.apart import simulate_apart
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec

SPEC = RunSpec("cologne1", "lookahead", end_s=25_320)
TIMES = {"wall_s", "simulator_s", "decide_s", "outside_s", "peak_mb"}


def test_the_summary_is_that_of_a_run_in_this_process() -> None:
    """Apart or here: every figure but the times and the memory is the same, and the progress ends at 1."""
    shares: list[float] = []
    apart = run(SPEC, simulate=simulate_apart, progress=shares.append)
    here = run(SPEC)
    assert {key: value for key, value in apart.items() if key not in TIMES} == {
        key: value for key, value in here.items() if key not in TIMES
    }
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_an_error_of_the_child_is_raised_here_as_what_it_is(tmp_path: Path) -> None:
    """Wrong input stays wrong input, with its line and its exit code."""
    with pytest.raises(InputError, match="gredy"):
        run(RunSpec("cologne1", "gredy"), simulate=simulate_apart)
    broken = tmp_path / "broken.net.xml"
    broken.write_text("<net>")
    with pytest.raises(NetworkError, match=r"broken\.net\.xml"):
        run(RunSpec("own", net=broken, routes=(broken,)), simulate=simulate_apart)


def test_a_crash_of_the_child_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """Killed in the middle: SimulatorError names the signal; no run directory, no working folder."""

    def kill(_share: float) -> None:
        me = os.getpid()
        for child in Path(f"/proc/{me}/task/{me}/children").read_text().split():
            if b"greensplit.sim.apart" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)

    with pytest.raises(SimulatorError, match="SIGKILL"):
        run(SPEC, tmp_path / "out", simulate=simulate_apart, progress=kill)
    assert list(tmp_path.iterdir()) == []


def test_a_specification_survives_the_way_to_the_child() -> None:
    """Every field, paths and loop positions among them, comes back equal from its JSON values."""
    spec = RunSpec(
        "own",
        "fixed",
        seed=3,
        demand_seed=4,
        scale=1.2,
        net=Path("a.net.xml"),
        routes=(Path("b.rou.xml"),),
        additional=(Path("c.add.xml"),),
        detectors=Path("d.xml"),
        model=Path("e.toml"),
        params=(("junctions", "4"),),
    )
    assert RunSpec.from_plain(spec.plain()) == spec

"""Lamps of real runs, judged from the network file by a checker that shares nothing with the product."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from greensplit.engine.decisions import HOLD
from greensplit.sim.prepare import load_scenario
from greensplit.sim.spec import RunSpec

from .closed_loop import Hostile, Record, record
from .lamp_checker import Fault, Judge

WINDOW_S = 300
SCENARIOS = ("cologne3", "ingolstadt7", "arterial", "cologne3-crossings")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Generated networks are built for this test run."""
    monkeypatch.setenv("GREENSPLIT_CACHE", str(tmp_path_factory.getbasetemp() / "safety-cache"))


def spec(scenario: str, seed: int) -> RunSpec:
    """The first five minutes of a scenario."""
    begin_s = load_scenario(RunSpec(scenario, "lookahead")).begin_s
    return RunSpec(scenario, "lookahead", seed=seed, begin_s=begin_s, end_s=begin_s + WINDOW_S)


def judged(run: Record) -> list[Fault]:
    scenario = run.prepared.scenario
    judge = Judge(scenario.net_file, *scenario.additional_files)
    return [fault for light, strip in run.strips.items() for fault in judge.faults(light, strip)]


def changes(run: Record) -> int:
    return sum(a != b for strip in run.strips.values() for a, b in pairwise(strip))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_our_controller_s_lamps_are_clean(scenario: str, tmp_path: Path) -> None:
    """Five minutes under the look-ahead: no fault, no refusal, and lamps that do change."""
    run = record(spec(scenario, 1), tmp_path)
    assert judged(run) == []
    assert run.loop.refusals == []
    assert changes(run) > 20


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_hostile_controller_cannot_make_unsafe_lamps(scenario: str, seed: int, tmp_path: Path) -> None:
    """Random stages in every tick, derived and nonexistent ones too: no fault, no refusal, every stage visited."""
    run = record(spec(scenario, seed), tmp_path, Hostile(seed))
    assert judged(run) == []
    assert run.loop.refusals == []
    assert changes(run) > 20 * len(run.strips)
    rows = run.loop.decisions.gathered().rows
    visited = set(rows[["junction", "to_stage"]][rows["kind"] != HOLD].tolist())
    assert len(visited) > 2 * len(run.strips)


def test_the_judge_would_see_a_broken_machine(tmp_path: Path) -> None:
    """The same lamps with every yellow blanked to red, or one green stretched over the next stage: many faults."""
    run = record(spec("cologne3", 1), tmp_path, Hostile(3))
    original = run.strips
    run.strips = {light: [s.replace("y", "r") for s in strip] for light, strip in original.items()}
    assert any(fault.rule == "green to r" for fault in judged(run))
    run.strips = {light: _blurred(strip) for light, strip in original.items()}
    assert any(fault.rule == "G and G cross" for fault in judged(run))


def _blurred(strip: list[str]) -> list[str]:
    """Whatever is green now or in nine seconds."""
    return [
        "".join("G" if "G" in letters else letters[0] for letters in zip(now, later, strict=True))
        for now, later in zip(strip, strip[9:], strict=False)
    ]

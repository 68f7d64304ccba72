"""Decisions come out of the file as they went in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from greensplit.engine.decisions import DECISION_DTYPE, Decisions, Weighing
from greensplit.sim.decision_file import load_decisions, save_decisions

from ..engine.kernels.sites import random_site


def test_decisions_and_names_come_back(tmp_path: Path) -> None:
    """Rows, values with gaps, texts, what was weighed, and the stages of every junction."""
    where = random_site(np.random.default_rng(4), 3)
    rows = np.array([(1000, 2, 0, 1, 1, 1, 0, 2), (2000, 0, 1, 1, 0, 0, 1, 3)], DECISION_DTYPE)
    value = np.array([1.5, np.nan, 3.0, 4.0, -5.0], np.float32)
    before = Decisions(rows, value, ("größte Not", "two"), Weighing("delay, veh s", True, ("both", "dead")))
    save_decisions(before, where, tmp_path / "decisions.npz")
    after, choosers = load_decisions(tmp_path / "decisions.npz")
    assert after.rows.tolist() == rows.tolist()
    assert np.array_equal(after.value, value, equal_nan=True)
    assert after[2:] == before[2:]
    assert choosers == [(j.device_id, [stage.name for stage in j.stages]) for j in where.junctions]


def test_a_run_without_decisions_comes_back_empty(tmp_path: Path) -> None:
    """A deployed plan decides nothing."""
    where = random_site(np.random.default_rng(4), 1)
    before = Decisions(np.zeros(0, DECISION_DTYPE), np.zeros(0, np.float32), (), Weighing())
    save_decisions(before, where, tmp_path / "decisions.npz")
    after, _ = load_decisions(tmp_path / "decisions.npz")
    assert (len(after.rows), len(after.value), after.reasons, after.weighing) == (0, 0, (), Weighing())

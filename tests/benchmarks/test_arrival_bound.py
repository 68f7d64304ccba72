"""The best smoothing of true arrivals, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.benchmarks.estimation.arrival_bound import smoothed_in_hindsight


def test_what_is_in_sight_is_known_and_the_rest_goes_on_as_before() -> None:
    """One every 10 s until second 600. At 560 with 20 s of sight two are known of 30 s; 0.1 a second go on."""
    due = np.zeros(700, np.int64)
    due[0:600:10] = 1
    before = np.concatenate([[0], due.cumsum()])[:, None]
    found = smoothed_in_hindsight(before, np.array([20]), np.array([560, 600]), ((0, 30), (30, 30)))
    assert found[0, 0, 0] == pytest.approx(2.0 + 10 * 0.1, abs=0.15)
    assert found[0, 1, 0] == pytest.approx(3.0, abs=0.45)
    assert found[1, 0, 0] < 0.7


def test_the_memory_is_the_one_that_errs_least() -> None:
    """A flow that stops and starts every 5 minutes is followed within a minute; half an hour would say 1.5 always."""
    second = np.arange(7200)
    due = ((second % 10 == 0) & (second // 300 % 2 == 0)).astype(np.int64)
    before = np.concatenate([[0], due.cumsum()])[:, None]
    made_s = np.arange(3000, 7000, 5)
    found = smoothed_in_hindsight(before, np.array([0]), made_s, ((0, 30),))[:, 0, 0]
    came = before[made_s + 30, 0] - before[made_s, 0]
    assert np.abs(found - came).mean() < 0.8
    assert np.abs(1.5 - came).mean() > 1.4

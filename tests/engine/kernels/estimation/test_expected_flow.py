"""What upstream lets expect at the advance loops."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.kernels.estimation.expected_flow import expect_at_loops

from .street import B_ADVANCE, EXIT, OTHER_ADVANCE, Run


def _expected(run: Run) -> np.ndarray:
    rate_per_s = np.zeros(len(run.detection.kind), np.float32)
    expect_at_loops(run.detection, run.links, run.travel, run.outflow, run.arrivals, rate_per_s)
    return rate_per_s


def test_before_anything_was_counted_nothing_is_expected() -> None:
    """A prior is no word about a loop."""
    assert np.isnan(_expected(Run())).all()


def test_what_leaves_upstream_is_expected_at_the_loop_that_it_comes_to() -> None:
    """One in 10 s passes A's exit and 21 s later B's loop: 0.1 a second there; of B's other loop nothing is known."""
    run = Run()
    for second in range(1500):
        run.step(tuple(loop for loop, after in ((EXIT, 0), (B_ADVANCE, 21)) if second % 10 == after % 10))
    expected = _expected(run)
    assert expected[B_ADVANCE] == pytest.approx(0.1, rel=0.2)
    assert np.isnan(expected[OTHER_ADVANCE])
    assert np.isnan(expected[:4]).all()

"""What was not counted teaches nothing: there was no time before the start."""

from __future__ import annotations

import numpy as np
import pytest

from .street import Run


@pytest.mark.parametrize("start_s", [0, 5000])
def test_before_the_start_there_was_no_time_without_vehicles(start_s: int) -> None:
    """One tick: sources keep their 0.03 a second, lanes their 0.02 but for a prior of 10 s against 32 s of a turn."""
    run = Run(now_s=start_s - 1)
    run.step()
    assert run.outflow.rate_per_s.min() >= 0.03 * 10 / (32 + 10) - 1e-6
    assert run.arrivals.base_per_s.min() >= 0.02 * 10 / (32 + 10) - 1e-6
    assert np.count_nonzero(run.arrivals.flow_s[:, 1]) <= 1
    assert np.count_nonzero(run.outflow.counted_s) <= 1

"""What was not counted teaches nothing: neither the time before the start nor a lane that nobody counts."""

from __future__ import annotations

import numpy as np
import pytest

from .layout import noise_of
from .street import EXIT, FED, Run


@pytest.mark.parametrize("start_s", [0, 5000])
def test_before_the_start_there_was_no_time_without_vehicles(start_s: int) -> None:
    """One tick: sources keep their 0.03 a second, lanes their 0.02 but for a prior of 10 s against 32 s of a turn."""
    run = Run(now_s=start_s - 1)
    run.step()
    assert run.outflow.rate_per_s.min() >= 0.03 * 10 / (32 + 10) - 1e-6
    assert run.arrivals.base_per_s.min() >= 0.02 * 10 / (32 + 10) - 1e-6
    assert np.count_nonzero(run.arrivals.flow_s[:, 1]) <= 1
    assert np.count_nonzero(run.outflow.counted_s) <= 1


def test_a_forecast_that_nobody_counts_is_not_judged() -> None:
    """A vehicle in 10 s is announced to a lane without a sound loop: the noise stays that of a Poisson stream."""
    run = Run()
    run.level[[run.detection.advance[FED], run.detection.stop_bar[FED]]] = 4
    for second in range(1200):
        run.step((EXIT,) if second % 10 == 0 else ())
    assert run.arrivals.told_veh[FED] + run.arrivals.base_per_s[FED] > 0.02
    assert noise_of(run.arrivals)[FED, 1:].tolist() == [1.0, 1.0]

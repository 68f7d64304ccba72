"""Is the oracle of the arrival forecasts fair? Poisson arrivals of known rates, against the means of five minutes."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.benchmarks.estimation.arrival_oracle import BLOCK_S, without_half

WINDOW_S = 30


def _errors(rate_veh: float) -> tuple[np.ndarray, np.ndarray]:
    """Of whoever knows ``rate_veh`` a window, and of the oracle."""
    came = np.random.default_rng(5).poisson(rate_veh, (40_000, BLOCK_S // WINDOW_S)).astype(float)
    block = np.repeat(came.mean(axis=1), came.shape[1])
    oracle = block * without_half(block, came.ravel(), WINDOW_S)
    return rate_veh - came.ravel(), oracle - came.ravel()


@pytest.mark.parametrize("rate_veh", [0.1, 0.3, 0.6, 1.0, 2.0, 5.0])
def test_who_knows_the_rates_is_as_good_as_the_oracle_by_squares(rate_veh: float) -> None:
    """A ratio of 1.00 of root mean squares, at every rate."""
    known, oracle = _errors(rate_veh)
    assert np.sqrt(np.square(known).mean() / np.square(oracle).mean()) == pytest.approx(1.0, abs=0.005)


@pytest.mark.parametrize(
    ("rate_veh", "ratio"), [(0.1, 1.05), (0.3, 1.05), (0.6, 1.04), (1.0, 0.93), (2.0, 0.96), (5.0, 0.98)]
)
def test_by_absolute_errors_it_depends_on_the_rate(rate_veh: float, ratio: float) -> None:
    """Means are judged by what medians do best: below ln 2 vehicles a window the median is none."""
    known, oracle = _errors(rate_veh)
    assert np.abs(known).mean() / np.abs(oracle).mean() == pytest.approx(ratio, abs=0.01)

"""Times of day: cut where the demand changes, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.plans.day import cut_day


def test_a_day_of_three_levels_is_cut_where_they_change() -> None:
    """Night to period 28, a peak to 40, the rest: exact, since the counts have no noise."""
    levels = np.array([20.0] * 28 + [100.0] * 12 + [50.0] * 56)
    counts = np.column_stack([levels, 2.0 * levels, 0.0 * levels])
    assert cut_day(counts, 2) == [(0, 28), (28, 40), (40, 96)]


@pytest.mark.parametrize("seed", range(5))
def test_chance_alone_does_not_cut(seed: int) -> None:
    """Poisson counts of one mean are one part."""
    counts = np.random.default_rng(seed).poisson(40.0, (96, 12)).astype(float)
    assert cut_day(counts, 2) == [(0, 96)]


@pytest.mark.parametrize("seed", range(5))
def test_a_change_is_found_through_noise(seed: int) -> None:
    """From 40 to 60 vehicles in twelve groups at period 50."""
    means = np.repeat([40.0, 60.0], [50, 46])[:, None] * np.ones(12)
    counts = np.random.default_rng(seed).poisson(means).astype(float)
    assert cut_day(counts, 2) == [(0, 50), (50, 96)]


def test_no_part_is_shorter_than_the_least() -> None:
    """A peak of two periods has to share its part with neighbours where four is the least."""
    levels = np.array([20.0] * 20 + [300.0] * 2 + [20.0] * 20)
    parts = cut_day(levels[:, None], 4)
    assert all(end - first >= 4 for first, end in parts)
    assert (0, 42) not in parts


def test_not_even_the_first_part_is_shorter() -> None:
    """A peak in the first two periods."""
    levels = np.array([300.0] * 2 + [20.0] * 40)
    parts = cut_day(levels[:, None], 4)
    assert len(parts) > 1
    assert all(end - first >= 4 for first, end in parts)


def test_a_short_log_is_one_part() -> None:
    """One period, or fewer than the least."""
    assert cut_day(np.array([[5.0, 3.0]]), 2) == [(0, 1)]
    assert cut_day(np.array([[5.0], [90.0], [5.0]]), 4) == [(0, 3)]

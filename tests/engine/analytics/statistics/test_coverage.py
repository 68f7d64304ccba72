"""Intervals of 95 % cover 93 to 97 %, also where rows within days or days in series are correlated.

Days of 16 values, correlated by 0.7 from one to the next, on top of days that differ. The exact ranks of five days may
cover more: their steps are wide (P(U <= 2) = 1.6 %, P(U <= 3) = 2.8 %), so that no interval lies nearer to 95 %.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from greensplit.engine.analytics.statistics import (
    Effect,
    Resampling,
    change_of_percentile,
    change_of_ratio,
    crash_change,
    difference_in_differences,
    interrupted_series,
    mann_whitney,
    paired_t,
    signed_rank,
    welch,
)
from greensplit.engine.analytics.statistics.samples import Floats

ROWS = 16
TRUE_SHIFT = 1.0
TRUE_CHANGE = -0.2
Trial = Callable[[np.random.Generator], tuple[Effect, float]]


def days(random: np.random.Generator, many: int, level: float = 0.0) -> Floats:
    """(many, ROWS): a level, days that differ, and AR(1) of 0.7 within each."""
    return level + chain(random, many, ROWS, 0.7) + 0.5 * random.standard_normal((many, 1))


def chain(random: np.random.Generator, many: int, rows: int, correlation: float) -> Floats:
    """(many, rows): AR(1) of deviation 1 along each row."""
    found = random.standard_normal((many, rows))
    for i in range(1, rows):
        found[:, i] = correlation * found[:, i - 1] + np.sqrt(1 - correlation**2) * found[:, i]
    return found


def means(test: Callable[..., Effect], before: int, after: int) -> Trial:
    """Daily means, shifted by 1."""
    return lambda random: (
        test(days(random, before).mean(axis=1), days(random, after, TRUE_SHIFT).mean(axis=1)),
        TRUE_SHIFT,
    )


def ratios(before: int, after: int) -> Trial:
    """Shares of vehicles, a fifth fewer after."""

    def side(random: np.random.Generator, many: int, share: float) -> tuple[Floats, Floats]:
        vehicles = random.poisson(200, (many, ROWS)).astype(np.float64)
        found = vehicles * share * np.exp(0.3 * days(random, many))
        return found.sum(axis=1), vehicles.sum(axis=1)

    def trial(random: np.random.Generator) -> tuple[Effect, float]:
        how = Resampling(int(random.integers(1 << 30)), 500, relative=True)
        found = change_of_ratio(side(random, before, 0.5), side(random, after, 0.4), how)
        return found, TRUE_CHANGE

    return trial


def percentiles(before: int, after: int, share: float) -> Trial:
    """A percentile of all rows, shifted by 1."""

    def trial(random: np.random.Generator) -> tuple[Effect, float]:
        sides = [
            (days(random, many, level).ravel(), np.repeat(np.arange(many), ROWS))
            for many, level in ((before, 0.0), (after, TRUE_SHIFT))
        ]
        how = Resampling(int(random.integers(1 << 30)), 300)
        return change_of_percentile(sides[0], sides[1], share, how), TRUE_SHIFT

    return trial


def corridors(before: int, after: int) -> Trial:
    """Two corridors that share days of deviation 3."""

    def side(random: np.random.Generator, many: int, level: float) -> tuple[Floats, Floats]:
        shared = 3.0 * random.standard_normal(many)
        return shared + days(random, many, level).mean(axis=1), shared + days(random, many).mean(axis=1)

    return lambda random: (
        difference_in_differences(side(random, before, 0.0), side(random, after, TRUE_SHIFT)),
        TRUE_SHIFT,
    )


def series(side: int, correlation: float, which: int) -> Trial:
    """Days in a row, correlated, that rise by 1 at once and keep their trend."""

    def trial(random: np.random.Generator) -> tuple[Effect, float]:
        values = chain(random, 1, 2 * side, correlation)[0]
        values[side:] += TRUE_SHIFT
        return interrupted_series(values, side)[which], (TRUE_SHIFT, 0.0)[which]

    return trial


def crashes(sites: int, usual: float) -> Trial:
    """Sites of a negative binomial with phi 2, a fifth safer after."""

    def trial(random: np.random.Generator) -> tuple[Effect, float]:
        before, after = np.full(sites, usual), np.full(sites, 1.1 * usual)
        safety = random.gamma(2.0, 0.5, sites)
        seen = random.poisson(before * safety), random.poisson(0.8 * after * safety)
        return crash_change(seen, (before, after), 2.0), TRUE_CHANGE

    return trial


TRIALS: dict[str, Trial] = {
    "welch 5 and 5": means(welch, 5, 5),
    "welch 5 and 20": means(welch, 5, 20),
    "ranks 10 and 10": means(mann_whitney, 10, 10),
    "pairs 6": means(paired_t, 6, 6),
    "signed ranks 10": means(signed_rank, 10, 10),
    "ratio 5 and 5": ratios(5, 5),
    "ratio 5 and 20": ratios(5, 20),
    "ratio 20 and 20": ratios(20, 20),
    "median 10 and 10": percentiles(10, 10, 0.5),
    "80th 10 and 10": percentiles(10, 10, 0.8),
    "95th 10 and 10": percentiles(10, 10, 0.95),
    "80th 20 and 20": percentiles(20, 20, 0.8),
    "corridors 8 and 12": corridors(8, 12),
    "level 60, 0.3": series(60, 0.3, 0),
    "level 60, 0.5": series(60, 0.5, 0),
    "trend 60, 0.3": series(60, 0.3, 1),
    "level 120, 0.7": series(120, 0.7, 0),
    "crashes 10 sites": crashes(10, 8.0),
    "crashes 40 sites": crashes(40, 3.0),
}


def coverage(trial: Trial, many: int) -> float:
    """The share of trials whose interval holds the truth."""
    random = np.random.default_rng(20240506)
    found = (trial(random) for _ in range(many))
    return sum(effect.low <= truth <= effect.high for effect, truth in found) / many


@pytest.mark.parametrize("name", ["welch 5 and 5", "ratio 5 and 20", "80th 10 and 10", "level 60, 0.3"])
def test_intervals_cover(name: str) -> None:
    """In 600 trials: 93 to 97 %, and two standard errors of the trials, 0.9 % each."""
    assert 0.93 - 0.018 <= coverage(TRIALS[name], 600) <= 0.97 + 0.018


@pytest.mark.slow
@pytest.mark.parametrize("name", TRIALS)
def test_intervals_cover_in_many_trials(name: str) -> None:
    """In 4,000 trials, whose standard error is 0.35 %."""
    assert 0.93 <= coverage(TRIALS[name], 4000) <= 0.97


def test_rows_as_units_would_not_cover() -> None:
    """Why the day is the unit: Welch on the rows of the same days holds the truth far too rarely."""
    trial: Trial = lambda random: (  # noqa: E731
        welch(days(random, 10).ravel(), days(random, 10, TRUE_SHIFT).ravel()),
        TRUE_SHIFT,
    )
    assert coverage(trial, 300) < 0.75

"""How rank statistics are distributed where nothing has changed: exactly, by recursion.

Hollander, Wolfe and Chicken 2014, Nonparametric Statistical Methods, 3.3 and 4.3: the interval of a shift runs between
the c-th smallest and the c-th largest of all differences, c from the distribution of the statistic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from ...errors import InputError
from .effect import Effect
from .samples import Floats, checked_confidence

__all__ = ["Shifts", "effect_of_shift", "rank_sum_cdf", "signed_rank_cdf"]

EXACT_CELLS = 10_000


def rank_sum_cdf(before: int, after: int) -> Floats:
    """P(U <= u), u = 0 to before * after: the largest of all days is one of either side."""
    size = before * after + 1
    start = np.zeros(size)
    start[0] = 1.0
    chances = [start] * (after + 1)
    for n in range(1, before + 1):
        row = [start]
        for m in range(1, after + 1):
            shifted = np.append(np.zeros(m), chances[m][:-m])
            row.append((n * shifted + m * row[m - 1]) / (n + m))
        chances = row
    return np.asarray(np.cumsum(chances[after]))


def signed_rank_cdf(pairs: int) -> Floats:
    """P(W <= w), w = 0 to pairs * (pairs + 1) / 2."""
    chances = np.ones(1)
    for i in range(1, pairs + 1):
        chances = (np.append(chances, np.zeros(i)) + np.append(np.zeros(i), chances)) / 2.0
    return np.asarray(np.cumsum(chances))


class Shifts(NamedTuple):
    """All pairwise values of a rank statistic, and how it is distributed where nothing has changed.

    ``exact`` gives that distribution, used up to 10,000 values; ``variance`` is that of the normal curve beyond.
    """

    values: Floats
    exact: Callable[[], Floats]
    variance: float


def effect_of_shift(
    method: str, shifts: Shifts, p_value: float, units: tuple[int, int], confidence: float
) -> Effect:
    """The median of all pairwise values and its interval; ``units``: days, seeds or pairs before and after.

    Raises InputError where no interval of that confidence exists.
    """
    low, high = _interval(shifts, checked_confidence(confidence))
    before, after = units
    middle = float(np.median(shifts.values))
    return Effect(method, middle, low, high, before, after, p_value, confidence=confidence)


def _interval(shifts: Shifts, confidence: float) -> tuple[float, float]:
    ordered, tail = np.sort(shifts.values), (1.0 - confidence) / 2.0
    if ordered.size <= EXACT_CELLS:
        place = int(np.searchsorted(shifts.exact(), tail, side="right"))
    else:
        place = int(np.floor(ordered.size / 2.0 + norm.ppf(tail) * np.sqrt(shifts.variance)))
    if place < 1:
        raise InputError(
            f"ranks: expected enough days for an interval of {100 * confidence:g} %, found {ordered.size} values"
        )
    return float(ordered[place - 1]), float(ordered[-place])

"""Times of day: cuts the day where its demand changes, as often as the change is more than chance.

The counts of a stretch are Poisson around the stretch's mean; cuts minimise the deviance plus the Bayesian information
criterion's ln(P) per mean and stretch, exactly, by dynamic programming (Jackson et al., "An algorithm for optimal
partitioning of data on an interval", 2005).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["cut_day"]

F64 = npt.NDArray[np.float64]


def cut_day(counts: F64, least_periods: int) -> list[tuple[int, int]]:
    """Stretches (first, end) of the periods of ``counts`` (P, F), each at least ``least_periods`` long.

    All of it is one stretch where the day is shorter than two.
    """
    periods = len(counts)
    cost = _deviances(counts)
    penalty = counts.shape[1] * math.log(max(periods, 2))
    best = [0.0] + [math.inf] * periods
    cut = [0] * (periods + 1)
    for end in range(1, periods + 1):
        for first in range(max(0, end - least_periods) + 1):
            whole = first == 0 and end == periods
            if end - first < least_periods and not whole:
                continue
            value = best[first] + cost[first, end] + penalty
            if value < best[end]:
                best[end], cut[end] = value, first
    return _stretches(cut, periods)


def _stretches(cut: list[int], periods: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    end = periods
    while end > 0:
        found.append((cut[end], end))
        end = cut[end]
    return found[::-1]


def _deviances(counts: F64) -> F64:
    """Poisson deviance of every stretch (first, end) around its own means, (P, P + 1)."""
    periods = len(counts)
    sums = np.vstack([np.zeros(counts.shape[1]), np.cumsum(counts, axis=0)])
    own = np.concatenate([[0.0], np.cumsum(_entropy(counts).sum(axis=1))])
    cost = np.full((periods, periods + 1), math.inf)
    for first in range(periods):
        for end in range(first + 1, periods + 1):
            total = sums[end] - sums[first]
            mean = _entropy(total).sum() - float(total.sum()) * math.log(end - first)
            cost[first, end] = 2.0 * (own[end] - own[first] - mean)
    return cost


def _entropy(values: F64) -> F64:
    """n ln n, and 0 for n = 0."""
    logs = np.log(np.where(values > 0.0, values, 1.0))
    found: F64 = values * logs
    return found

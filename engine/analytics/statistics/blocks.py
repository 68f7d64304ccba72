"""Bootstrap over whole days: what happens within a day stays together, however it is correlated.

Rao and Wu 1988, JASA 83: of n days, n - 1 are drawn with replacement, so that the variance is not too small by
(n - 1)/n. The interval is the estimate and Student's t times the spread of the replicates, with Welch's degrees of
freedom: percentiles of the replicates are too narrow for few days (Hesterberg 2015, The American Statistician 69).
Relative changes are taken on the logarithm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import stats

from ...errors import InputError
from .effect import CONFIDENCE, Effect
from .samples import Floats, checked, checked_confidence

__all__ = ["Resampling", "change_of_buffer_index", "change_of_percentile", "change_of_ratio"]

LEAST_DAYS = 5
LEAST_DAYS_OF_TAILS = 10
TAIL = 0.1
BUFFER_SHARE = 0.95
CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Resampling:
    """How the days are drawn. ``paired`` draws the same places before and after: seeds, or days matched in order.

    ``relative`` gives after / before - 1 in place of after - before.
    """

    seed: int
    replicates: int = 10_000
    paired: bool = False
    relative: bool = False
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        checked_confidence(self.confidence)
        if self.replicates < 100:
            raise InputError(f"bootstrap: expected at least 100 replicates, found {self.replicates}")


@dataclass(frozen=True, slots=True)
class _Side:
    """One side: how many days, and the statistic of each row of day weights (k, days)."""

    days: int
    statistic: Callable[[Floats], Floats]


def change_of_ratio(
    before: tuple[npt.ArrayLike, npt.ArrayLike],
    after: tuple[npt.ArrayLike, npt.ArrayLike],
    how: Resampling,
) -> Effect:
    """The change of a ratio of sums: sum of numerators over sum of denominators, never a mean of ratios.

    ``before`` and ``after``: numerators and denominators per day, (n,) each; denominators above zero. With ones as
    denominators it is the mean of days, with counts the mean of all observations. Raises InputError.
    """
    return _change("ratio of sums", _ratio_side("before", *before), _ratio_side("after", *after), how)


def change_of_percentile(
    before: tuple[npt.ArrayLike, npt.ArrayLike],
    after: tuple[npt.ArrayLike, npt.ArrayLike],
    share: float,
    how: Resampling,
) -> Effect:
    """The change of a percentile of all observations: the smallest with at least ``share`` at or below it.

    ``before`` and ``after``: observations (k,) and the day of each (k,), any integers. Raises InputError, also
    for fewer than ten days where a tenth or less lies beyond the percentile: with five against twenty, intervals of
    95 % cover the 95th in 90 %.
    """
    if not 0.0 < share < 1.0:
        raise InputError(f"percentile: expected a share between 0 and 1, found {share:g}")
    return _change(
        f"{100 * share:g}th percentile",
        _percentile_side("before", *before, share),
        _percentile_side("after", *after, share),
        how,
    )


def change_of_buffer_index(
    before: tuple[npt.ArrayLike, npt.ArrayLike],
    after: tuple[npt.ArrayLike, npt.ArrayLike],
    how: Resampling,
) -> Effect:
    """The change of (95th percentile - mean) / mean of all observations (FHWA 2006, Travel Time Reliability).

    Arguments and errors as in ``change_of_percentile``; observations above zero.
    """
    sides = [_buffer_side(name, *side) for name, side in (("before", before), ("after", after))]
    return _change("buffer index", sides[0], sides[1], how)


def _buffer_side(name: str, values: npt.ArrayLike, days: npt.ArrayLike) -> _Side:
    upper = _percentile_side(name, values, days, BUFFER_SHARE)
    found = np.asarray(values, dtype=np.float64)
    if not (found > 0.0).all():
        raise InputError(f"{name}: expected travel times above zero, found one that is not")
    _, day = np.unique(np.asarray(days), return_inverse=True)
    totals, counts = np.bincount(day, found), np.bincount(day).astype(np.float64)

    def statistic(weights: Floats) -> Floats:
        return np.asarray(upper.statistic(weights) / ((weights @ totals) / (weights @ counts)) - 1.0)

    return _Side(upper.days, statistic)


def _ratio_side(name: str, numerators: npt.ArrayLike, denominators: npt.ArrayLike) -> _Side:
    upper, lower = checked(name, numerators, LEAST_DAYS), checked(name, denominators, LEAST_DAYS)
    if upper.size != lower.size or not (lower > 0.0).all():
        raise InputError(f"{name}: expected a denominator above zero per numerator, found one that is not")
    return _Side(upper.size, lambda weights: np.asarray((weights @ upper) / (weights @ lower)))


def _percentile_side(name: str, values: npt.ArrayLike, days: npt.ArrayLike, share: float) -> _Side:
    found = checked(name, values, LEAST_DAYS)
    labels, day = np.unique(np.asarray(days), return_inverse=True)
    least = LEAST_DAYS if TAIL < share < 1.0 - TAIL else LEAST_DAYS_OF_TAILS
    if day.shape != found.shape or labels.size < least:
        raise InputError(
            f"{name}: expected the day of each of {found.size} values over {least} days, found {labels.size} days"
        )
    order = np.argsort(found, kind="stable")
    return _Side(labels.size, partial(_percentiles, found[order], day[order], share))


def _percentiles(ordered: Floats, day: npt.NDArray[np.intp], share: float, weights: Floats) -> Floats:
    step = max(1, CELLS_AT_ONCE // ordered.size)
    found = np.empty(len(weights))
    for begin in range(0, len(weights), step):
        reached = np.cumsum(weights[begin : begin + step, day], axis=1)
        # The billionth keeps a share that is whole but for the last bit of its float whole.
        wanted = np.ceil(share * reached[:, -1:] - 1e-9)
        found[begin : begin + step] = ordered[np.argmax(reached >= wanted, axis=1)]
    return found


def _change(name: str, before: _Side, after: _Side, how: Resampling) -> Effect:
    if how.paired and before.days != after.days:
        raise InputError(f"pairs: expected as many after as before, found {before.days} and {after.days}")
    random = np.random.default_rng(how.seed)
    weights_before = _weights(random, before.days, how.replicates)
    weights_after = weights_before if how.paired else _weights(random, after.days, how.replicates)
    first = _scaled(before.statistic(np.ones((1, before.days))), how.relative)[0]
    second = _scaled(after.statistic(np.ones((1, after.days))), how.relative)[0]
    half_width, p_value = _half_width(
        float(second - first),
        _scaled(before.statistic(weights_before), how.relative),
        _scaled(after.statistic(weights_after), how.relative),
        (before.days - 1, after.days - 1),
        how,
    )
    ends = np.array([second - first, second - first - half_width, second - first + half_width])
    estimate, low, high = (np.expm1(ends) if how.relative else ends).tolist()
    return Effect(
        f"change of {name}, bootstrap over {'pairs' if how.paired else 'days'}",
        estimate,
        low,
        high,
        before.days,
        after.days,
        p_value,
        how.relative,
        how.confidence,
    )


def _weights(random: np.random.Generator, days: int, replicates: int) -> Floats:
    return random.multinomial(days - 1, np.full(days, 1.0 / days), size=replicates).astype(np.float64)


def _scaled(values: Floats, relative: bool) -> Floats:
    if not relative:
        return values
    if not (values > 0.0).all():
        raise InputError("relative change: expected values above zero, found one that is not")
    return np.asarray(np.log(values))


def _half_width(
    change: float, before: Floats, after: Floats, free: tuple[int, int], how: Resampling
) -> tuple[float, float]:
    """Half of the interval, and the two-sided p of no change."""
    if how.paired:
        variance, freedom = float(np.var(after - before)), float(free[0])
    else:
        first, second = float(np.var(before)), float(np.var(after))
        variance = first + second
        freedom = variance**2 / max(first**2 / free[0] + second**2 / free[1], np.finfo(float).tiny)
    if variance == 0.0:
        raise InputError("bootstrap: expected days that differ, found none that do")
    spread = variance**0.5
    return (
        float(stats.t.ppf(0.5 + how.confidence / 2.0, freedom)) * spread,
        float(2.0 * stats.t.sf(abs(change) / spread, freedom)),
    )

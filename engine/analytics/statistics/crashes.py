"""Recorded crashes before and after: empirical Bayes, which takes off regression to the mean.

Hauer 1997, Observational Before-After Studies in Road Safety, 11 and 12. Sites are treated because they had many
crashes; part of that was chance and goes away by itself. The safety performance function (negative binomial) says
what such sites have on average. For crashes that were recorded, never for simulated conflicts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from ...errors import InputError
from .effect import CONFIDENCE, Effect
from .samples import Floats, checked, checked_confidence

__all__ = ["crash_change"]


def crash_change(
    crashes: tuple[npt.ArrayLike, npt.ArrayLike],
    predicted: tuple[npt.ArrayLike, npt.ArrayLike],
    dispersion: float,
    confidence: float = CONFIDENCE,
) -> Effect:
    """Crashes after over those expected without the change, less one: relative.

    ``crashes`` and ``predicted``: before and after, per site (n,), summed over the years of each period; predicted
    by the safety performance function, above zero. ``dispersion`` is phi of Var = mu + mu^2 / phi (some texts give
    its inverse). The interval is taken on the logarithm. Raises InputError, also for no crash after or expected.
    """
    counts, means = [_sites(side) for side in crashes], [_sites(side) for side in predicted]
    if len({side.size for side in (*counts, *means)}) != 1:
        raise InputError("crashes: expected counts and predictions for the same sites, found others")
    if not all((side > 0.0).all() for side in means) or dispersion <= 0.0:
        raise InputError("crashes: expected predictions and dispersion above zero, found one that is not")
    expected, variance = _expected(counts[0], means[0], means[1], dispersion)
    seen = float(counts[1].sum())
    if seen == 0.0:
        raise InputError("crashes: expected at least one after the change, found none, which has no interval")
    spread = variance / expected**2
    ratio = seen / expected / (1.0 + spread)
    error = float(np.sqrt(1.0 / seen + spread)) / (1.0 + spread)
    factor = float(stats.norm.ppf(0.5 + checked_confidence(confidence) / 2.0)) * error
    return Effect(
        "crashes against expected, empirical Bayes",
        ratio - 1.0,
        float(ratio * np.exp(-factor) - 1.0),
        float(ratio * np.exp(factor) - 1.0),
        counts[0].size,
        counts[1].size,
        relative=True,
        confidence=confidence,
    )


def _sites(values: npt.ArrayLike) -> Floats:
    found = checked("crashes", values, 1)
    if (found < 0.0).any():
        raise InputError("crashes: expected counts from zero up, found one below")
    return found


def _expected(crashes: Floats, before: Floats, after: Floats, dispersion: float) -> tuple[float, float]:
    """What all sites would have had after without the change, and its variance."""
    weight = 1.0 / (1.0 + before / dispersion)
    usual = weight * before + (1.0 - weight) * crashes
    growth = after / before
    return float((usual * growth).sum()), float((usual * (1.0 - weight) * growth**2).sum())

"""Before and after on different days: Welch's t and Mann and Whitney's ranks.

Welch 1947, Biometrika 34; Mann and Whitney 1947, Ann. Math. Stat. 18; Hodges and Lehmann 1963, Ann. Math. Stat. 34.
One value per day or seed: rows within a day are not independent.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from ...errors import InputError
from .effect import CONFIDENCE, Effect
from .ranks import interval_of_shift, rank_sum_cdf
from .samples import checked, checked_confidence

__all__ = ["mann_whitney", "welch"]


def welch(before: npt.ArrayLike, after: npt.ArrayLike, confidence: float = CONFIDENCE) -> Effect:
    """The difference of means, variances unequal. ``before`` (n,) and ``after`` (m,) in one unit, n and m at least 2.

    Raises InputError for too few or missing values, and where nothing varies.
    """
    first, second = checked("before", before), checked("after", after)
    if np.ptp(first) == 0.0 and np.ptp(second) == 0.0:
        raise InputError("Welch: expected days that differ, found one value before and one after")
    found = stats.ttest_ind(second, first, equal_var=False)
    low, high = found.confidence_interval(checked_confidence(confidence))
    shift = float(second.mean() - first.mean())
    return Effect(
        "difference of means, Welch",
        shift,
        float(low),
        float(high),
        first.size,
        second.size,
        float(found.pvalue),
        confidence=confidence,
    )


def mann_whitney(before: npt.ArrayLike, after: npt.ArrayLike, confidence: float = CONFIDENCE) -> Effect:
    """The Hodges-Lehmann shift, the median of all differences between a day after and a day before.

    ``before`` (n,) and ``after`` (m,) in one unit. Raises InputError for too few or missing values.
    """
    first, second = checked("before", before), checked("after", after)
    differences = np.subtract.outer(second, first).ravel()
    cells, days = differences.size, first.size + second.size
    low, high = interval_of_shift(
        differences,
        lambda: rank_sum_cdf(first.size, second.size),
        cells * (days + 1) / 12.0,
        checked_confidence(confidence),
    )
    return Effect(
        "Hodges-Lehmann shift, Mann-Whitney",
        float(np.median(differences)),
        low,
        high,
        first.size,
        second.size,
        float(stats.mannwhitneyu(second, first).pvalue),
        confidence=confidence,
    )

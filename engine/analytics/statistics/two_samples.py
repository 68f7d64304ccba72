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
from .means import effect_of_t
from .ranks import Shifts, effect_of_shift, rank_sum_cdf
from .samples import checked

__all__ = ["mann_whitney", "welch"]


def welch(before: npt.ArrayLike, after: npt.ArrayLike, confidence: float = CONFIDENCE) -> Effect:
    """The difference of means, variances unequal. ``before`` (n,) and ``after`` (m,) in one unit, n and m at least 2.

    Raises InputError for too few or missing values, and where nothing varies.
    """
    first, second = checked("before", before), checked("after", after)
    if np.ptp(first) == 0.0 and np.ptp(second) == 0.0:
        raise InputError("Welch: expected days that differ, found one value before and one after")
    found = stats.ttest_ind(second, first, equal_var=False)
    shift = float(second.mean() - first.mean())
    return effect_of_t("difference of means, Welch", shift, found, (first.size, second.size), confidence)


def mann_whitney(before: npt.ArrayLike, after: npt.ArrayLike, confidence: float = CONFIDENCE) -> Effect:
    """The Hodges-Lehmann shift, the median of all differences between a day after and a day before.

    ``before`` (n,) and ``after`` (m,) in one unit. Raises InputError for too few or missing values.
    """
    first, second = checked("before", before), checked("after", after)
    differences = np.subtract.outer(second, first).ravel()
    days = first.size + second.size
    return effect_of_shift(
        "Hodges-Lehmann shift, Mann-Whitney",
        Shifts(
            differences, lambda: rank_sum_cdf(first.size, second.size), differences.size * (days + 1) / 12.0
        ),
        float(stats.mannwhitneyu(second, first).pvalue),
        (first.size, second.size),
        confidence,
    )

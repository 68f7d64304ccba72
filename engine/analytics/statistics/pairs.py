"""Before and after in pairs, the same seed or the same weekday: paired t and Wilcoxon's signed ranks.

Wilcoxon 1945, Biometrics Bulletin 1; Hodges and Lehmann 1963, Ann. Math. Stat. 34 for the shift and its interval.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from ...errors import InputError
from .effect import CONFIDENCE, Effect
from .means import effect_of_t
from .ranks import Shifts, effect_of_shift, signed_rank_cdf
from .samples import Floats, checked_pair

__all__ = ["paired_t", "signed_rank"]


def paired_t(before: npt.ArrayLike, after: npt.ArrayLike, confidence: float = CONFIDENCE) -> Effect:
    """The mean of the differences within pairs. ``before`` and ``after`` (n,) in one unit and one order, n at least 2.

    Raises InputError for too few, missing or unpaired values, and where the differences do not vary.
    """
    change = _changes(before, after)
    found = stats.ttest_1samp(change, 0.0)
    pairs = (change.size, change.size)
    return effect_of_t("mean of paired differences, t", float(change.mean()), found, pairs, confidence)


def signed_rank(before: npt.ArrayLike, after: npt.ArrayLike, confidence: float = CONFIDENCE) -> Effect:
    """The median of the means of every two differences, each with itself too (Walsh averages).

    Shapes and errors as in ``paired_t``; 95 % needs six pairs.
    """
    change = _changes(before, after)
    first, second = np.triu_indices(change.size)
    averages = (change[first] + change[second]) / 2.0
    return effect_of_shift(
        "Hodges-Lehmann shift of pairs, Wilcoxon",
        Shifts(averages, lambda: signed_rank_cdf(change.size), averages.size * (2 * change.size + 1) / 12.0),
        float(stats.wilcoxon(change).pvalue),
        (change.size, change.size),
        confidence,
    )


def _changes(before: npt.ArrayLike, after: npt.ArrayLike) -> Floats:
    first, second = checked_pair(before, after)
    change = second - first
    if np.ptp(change) == 0.0:
        raise InputError(f"pairs: expected differences that vary, found {change[0]:g} in all {change.size}")
    return change

"""Before and after: effects with their uncertainty, for days or seeds as the unit.

Plain arrays in, an ``Effect`` out, which cannot be printed without its interval. Rows within a day are correlated and
are never units.
"""

from __future__ import annotations

from .blocks import Resampling, change_of_buffer_index, change_of_percentile, change_of_ratio
from .control import difference_in_differences
from .crashes import crash_change
from .effect import CONFIDENCE, Effect
from .many import benjamini_hochberg
from .matching import Matched, Period, Study, match_days, match_seeds
from .pairs import paired_t, signed_rank
from .power import days_needed, power_of
from .series import Interruption, interrupted_series
from .two_samples import mann_whitney, welch

__all__ = [
    "CONFIDENCE",
    "Effect",
    "Interruption",
    "Matched",
    "Period",
    "Resampling",
    "Study",
    "benjamini_hochberg",
    "change_of_buffer_index",
    "change_of_percentile",
    "change_of_ratio",
    "crash_change",
    "days_needed",
    "difference_in_differences",
    "interrupted_series",
    "mann_whitney",
    "match_days",
    "match_seeds",
    "paired_t",
    "power_of",
    "signed_rank",
    "welch",
]

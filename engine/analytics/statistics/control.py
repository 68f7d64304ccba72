"""A corridor that was changed against one that was not: difference in differences, the day as the unit.

The control sees the same weather, season and holidays; taking it off day by day removes what both share, correlated
between days or not. It stands or falls with both corridors having gone alike before.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from .effect import CONFIDENCE, Effect
from .samples import Floats, checked_pair
from .two_samples import welch

__all__ = ["difference_in_differences"]


def difference_in_differences(
    before: tuple[npt.ArrayLike, npt.ArrayLike],
    after: tuple[npt.ArrayLike, npt.ArrayLike],
    *,
    relative: bool = False,
    confidence: float = CONFIDENCE,
) -> Effect:
    """(treated - control) after, less the same before; Welch on the daily gaps.

    ``before`` (n,) and ``after`` (m,): treated and control corridor on the same days, one unit. ``relative`` takes
    ratios of ratios, less one: geometric means over days. Raises InputError.
    """
    found = welch(_gaps(before, relative), _gaps(after, relative), confidence)
    method = "difference in differences, Welch on daily gaps"
    if not relative:
        return replace(found, method=method)
    estimate, low, high = np.expm1([found.estimate, found.low, found.high]).tolist()
    return replace(found, method=method, estimate=estimate, low=low, high=high, relative=True)


def _gaps(side: tuple[npt.ArrayLike, npt.ArrayLike], relative: bool) -> Floats:
    treated, control = checked_pair(*side)
    if not relative:
        return treated - control
    if not ((treated > 0.0) & (control > 0.0)).all():
        raise InputError("relative change: expected values above zero, found one that is not")
    return np.asarray(np.log(treated) - np.log(control))

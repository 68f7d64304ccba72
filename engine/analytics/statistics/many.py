"""Many corridors at once: which changes stand when some are bound to look large by chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from ...errors import InputError
from .samples import Floats

__all__ = ["benjamini_hochberg"]


def benjamini_hochberg(p_values: npt.ArrayLike) -> Floats:
    """Adjusted p, (n,) in the order given: those below q are a set with at most a share q false, on average.

    Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57. Raises InputError for none, or one outside 0 to 1.
    """
    found = np.asarray(p_values, dtype=np.float64)
    if found.ndim != 1 or found.size == 0 or not ((found >= 0.0) & (found <= 1.0)).all():
        raise InputError("p values: expected one or more from 0 to 1, found none or others")
    return np.asarray(stats.false_discovery_control(found, method="bh"))

"""Order of the events of one device: by time, code, parameter; every event once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import scan

__all__ = ["is_ordered", "keep_distinct"]


@scan
def is_ordered(t_ms: npt.NDArray[np.int64], code: npt.NDArray[np.int32]) -> bool:
    """Is every event later than the one before it, or of a larger code at its time?"""
    for i in range(1, t_ms.shape[0]):
        if t_ms[i] < t_ms[i - 1] or (t_ms[i] == t_ms[i - 1] and code[i] <= code[i - 1]):
            return False
    return True


@scan
def keep_distinct(t_ms: npt.NDArray[np.int64], code: npt.NDArray[np.int32]) -> int:
    """Move the first of every run of equal events to the front; how many there are."""
    if t_ms.shape[0] == 0:
        return 0
    kept = 1
    for i in range(1, t_ms.shape[0]):
        if t_ms[i] != t_ms[kept - 1] or code[i] != code[kept - 1]:
            t_ms[kept] = t_ms[i]
            code[kept] = code[i]
            kept += 1
    return kept

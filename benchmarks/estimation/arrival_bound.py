"""What smoothing can reach on lanes that nothing upstream announces: the lane's true arrivals, remembered best.

Every vehicle within sight of the lane's own loop is known without error; beyond, the forecast is the exponentially
smoothed rate of true arrivals, loop or not, with the memory that was best for the lane in hindsight.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["MEMORIES_S", "smoothed_in_hindsight"]

MEMORIES_S = (30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0)

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def smoothed_in_hindsight(
    due_before: I64, own_s: I64, made_s: I64, windows: tuple[tuple[int, int], ...]
) -> F64:
    """(N, W, L) expected vehicles; ``due_before`` (seconds + 1, L) as of ``due_counts``, ``own_s`` (L,) sight."""
    found = np.zeros((len(made_s), len(windows), due_before.shape[1]))
    for lane in range(due_before.shape[1]):
        before = due_before[:, lane]
        sighted_s = made_s + own_s[lane]
        rates = [_smoothed(np.diff(before), memory_s)[sighted_s - 1] for memory_s in MEMORIES_S]
        for w, (start_s, length_s) in enumerate(windows):
            first_s, end_s = made_s + start_s, made_s + start_s + length_s
            known_s = np.clip(sighted_s, first_s, end_s)
            seen = before[known_s] - before[first_s]
            came = before[end_s] - before[first_s]
            each = [seen + rate * (end_s - known_s) for rate in rates]
            found[:, w, lane] = min(each, key=lambda mean: float(np.abs(mean - came).mean()))
    return found


def _smoothed(came: I64, memory_s: float) -> F64:
    """Vehicles a second by the end of each second, weighted exponentially."""
    keep = np.exp(-1.0 / memory_s)
    rates, veh, weight = np.zeros(len(came)), 0.0, 0.0
    for second, new in enumerate(came.tolist()):
        veh, weight = keep * veh + new, keep * weight + 1.0
        rates[second] = veh / weight
    return rates

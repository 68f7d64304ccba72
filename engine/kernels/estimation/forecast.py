"""How many vehicles come to a stop line within a window of time, and how sure that is."""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .arrivals import Arrivals
from .travel import HORIZON_S, RING

__all__ = ["Window", "forecast_window"]

F64 = npt.NDArray[np.float64]


class Window(NamedTuple):
    """Expected vehicles per lane, (L,), and their variance."""

    mean_veh: F64
    variance_veh2: F64

    def interval(self, level: float = 0.9) -> tuple[F64, F64]:
        """Bounds that hold the count with probability ``level``, by the normal distribution, not below zero."""
        z = NormalDist().inv_cdf(0.5 + level / 2.0)
        half = z * np.sqrt(self.variance_veh2)
        return np.maximum(self.mean_veh - half, 0.0), self.mean_veh + half


def forecast_window(arrivals: Arrivals, now_ms: int, start_s: int, length_s: int) -> Window:
    """Arrivals in [now + start_s, now + start_s + length_s), which must lie within the horizon."""
    lead_s = np.arange(start_s, min(start_s + length_s, HORIZON_S))
    veh = arrivals.arrival_veh[(now_ms // 1000 + lead_s) % RING].astype(np.float64)
    own_s, feed_s = arrivals.sight_s.T
    kind = np.where(lead_s[:, None] < own_s, 0, np.where(lead_s[:, None] < feed_s, 1, 2))
    noise = np.take_along_axis(arrivals.noise, kind, axis=0)
    return Window(veh.sum(axis=0), (veh * noise).sum(axis=0))

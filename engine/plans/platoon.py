"""Robertson's platoon dispersion: what leaves one stop line together arrives at the next drawn out.

Source: Robertson, "TRANSYT: a traffic network study tool", RRL report LR 253, 1969.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .cycle_kernel import disperse_profile

__all__ = ["disperse", "smoothing_factor"]

ALPHA = 0.35
BETA = 0.8


def smoothing_factor(travel_s: float, alpha: float = ALPHA, beta: float = BETA) -> float:
    """F = 1 / (1 + alpha beta T) for a mean travel time T, s."""
    return 1.0 / (1.0 + alpha * beta * travel_s)


def disperse(departed: npt.NDArray[np.float64], travel_s: float) -> npt.NDArray[np.float64]:
    """Arrivals (C,) at the next stop line, veh in each second of the cycle, of what departs (C,)."""
    arriving = np.zeros_like(departed)
    disperse_profile(departed, round(BETA * travel_s), smoothing_factor(travel_s), arriving)
    return arriving

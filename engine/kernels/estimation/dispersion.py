"""Platoons spread on their way: each second a share F of those who could have come comes, the rest later.

Robertson (1969), with F and the least travel time from the mean and the spread of travel times as Yu and Van Aerde
(1995) give them: F = (sqrt(1 + 4 s^2) - 1) / (2 s^2), least time = mean - 1 / F + 1. Steps are seconds.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..jit import inlined

__all__ = ["add_platoon", "disperse", "least_travel_s", "platoon_factor"]

LONGEST_S = 48  # after so long the rest of a platoon comes at once
REST = 0.02  # so small a rest comes at once


def platoon_factor(spread_s: float) -> float:
    """F for travel times with a standard deviation of ``spread_s``, above 0."""
    variance = spread_s * spread_s
    return (math.sqrt(1.0 + 4.0 * variance) - 1.0) / (2.0 * variance)


def least_travel_s(mean_s: float, factor: float) -> float:
    """Travel time of the first of a platoon whose mean is ``mean_s``."""
    return mean_s - 1.0 / factor + 1.0


@inlined
def disperse(before_veh: float, departed_veh: float, factor: float) -> float:
    """Arrivals in this second, from those of the second before and the departures one least travel time ago."""
    return factor * departed_veh + (1.0 - factor) * before_veh


@inlined
def add_platoon(
    ring: npt.NDArray[np.float32],
    lane: int,
    veh: float,
    factor: float,
    first_s: int,
    from_s: int,
    last_s: int,
) -> None:
    """Spread ``veh`` vehicles, the first due in second ``first_s``, over column ``lane`` of a ring by second.

    What falls before ``from_s`` is dropped; what falls behind ``last_s`` comes in ``last_s``. The ring is modified in
    place; its length is a power of two.
    """
    mask = len(ring) - 1
    second, end_s = first_s, min(first_s + LONGEST_S, last_s)
    rest = veh
    while second < end_s and rest > REST * veh:
        if second >= from_s:
            ring[second & mask, lane] += factor * rest
        rest -= factor * rest
        second += 1
    if min(second, last_s) >= from_s:
        ring[min(second, last_s) & mask, lane] += rest

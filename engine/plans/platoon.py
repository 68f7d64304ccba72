"""Robertson's platoon dispersion: what leaves one stop line together arrives at the next drawn out.

Source: Robertson, "TRANSYT: a traffic network study tool", RRL report LR 253, 1969.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Dispersion", "dispersion"]

ALPHA = 0.35
BETA = 0.8


class Dispersion(NamedTuple):
    """The first vehicles come ``lag_s`` later; ``smoothing`` is F in q'(t + T) = F q(t) + (1 - F) q'(t + T - 1)."""

    lag_s: int
    smoothing: float


def dispersion(travel_s: float) -> Dispersion:
    """Over a link of mean travel time T, s: beta T, and F = 1 / (1 + alpha beta T)."""
    return Dispersion(round(BETA * travel_s), 1.0 / (1.0 + ALPHA * BETA * travel_s))

"""Student's t distribution for whole degrees of freedom, by its finite series."""

from __future__ import annotations

import math

__all__ = ["central_share", "half_width_factor"]

HALVINGS = 60


def central_share(t: float, freedom: int) -> float:
    """Probability that a t-distributed value lies within -t and t (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    return _share_at(math.atan(t / math.sqrt(freedom)), freedom)


def _share_at(theta: float, freedom: int) -> float:
    """The same by the angle whose tangent is t over the root of ``freedom``."""
    odd = freedom % 2
    cosine = math.cos(theta)
    term = cosine if odd else 1.0
    total = 0.0
    for k in range(2 + odd, freedom + 1, 2):
        total += term
        term *= cosine * cosine * (k - 1) / k
    if odd:
        return (theta + math.sin(theta) * total) * 2.0 / math.pi
    return math.sin(theta) * total


def half_width_factor(share: float, freedom: int) -> float:
    """The t within which a ``share`` of the distribution lies: 12.706 for 0.95 and one degree of freedom."""
    low, high = 0.0, math.pi / 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _share_at(middle, freedom) < share:
            low = middle
        else:
            high = middle
    return math.tan(low) * math.sqrt(freedom)

"""What a t test of scipy found, as an effect."""

from __future__ import annotations

from typing import Any

from .effect import Effect
from .samples import checked_confidence

__all__ = ["effect_of_t"]


def effect_of_t(method: str, shift: float, found: Any, units: tuple[int, int], confidence: float) -> Effect:
    """``found``: the result of a t test; ``units``: days, seeds or pairs before and after. Raises InputError."""
    low, high = found.confidence_interval(checked_confidence(confidence))
    before, after = units
    return Effect(
        method, shift, float(low), float(high), before, after, float(found.pvalue), confidence=confidence
    )

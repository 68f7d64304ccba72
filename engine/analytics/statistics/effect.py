"""An effect and its uncertainty in one value: neither can be printed, compared or converted without the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...errors import InputError

__all__ = ["CONFIDENCE", "Effect"]

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Effect:
    """After against before, with the interval that holds it.

    ``estimate``, ``low`` and ``high`` are in the unit of the measure, or shares where ``relative``. ``method`` names
    the statistic in words. ``before`` and ``after`` count the days, seeds or pairs. ``p_value`` is two-sided, None
    where the method tests nothing. Raises InputError where the interval is missing or does not hold the estimate.
    """

    method: str
    estimate: float
    low: float
    high: float
    before: int
    after: int
    p_value: float | None = None
    relative: bool = False
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in (self.estimate, self.low, self.high)):
            raise InputError(
                f"{self.method}: expected an effect with both ends of its interval, found "
                f"{self.estimate:g} in {self.low:g} to {self.high:g}"
            )
        if not self.low <= self.estimate <= self.high:
            raise InputError(
                f"{self.method}: expected the effect inside its interval, found {self.estimate:g} outside "
                f"{self.low:g} to {self.high:g}"
            )

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of no change."""
        return self.low > 0.0 or self.high < 0.0

    def __str__(self) -> str:
        return format(self, ".3g")

    def __format__(self, spec: str) -> str:
        """The estimate and its interval, each number in ``spec`` (a format of numbers, with sign; % if relative)."""
        scale, unit = (100.0, " %") if self.relative else (1.0, "")
        estimate, low, high = (
            format(scale * value, "+" + (spec or ".3g").lstrip("+"))
            for value in (self.estimate, self.low, self.high)
        )
        return f"{estimate}{unit} ({100 * self.confidence:g} % interval {low} to {high}{unit})"

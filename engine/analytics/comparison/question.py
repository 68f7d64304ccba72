"""What is asked of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ..speed.bins import check_timezone
from ..statistics import CONFIDENCE, Period, Resampling, Study
from ..statistics.matching import LEAST_DAYS
from ..statistics.samples import checked_confidence
from .periods import DEFAULT_PERIODS, parse_periods

__all__ = ["Question"]


@dataclass(frozen=True, slots=True)
class Question:
    """How two sides are compared.

    ``timezone``: of the periods; ``excluded``: days with reasons; ``control``: a corridor that was not changed;
    ``alternating``: on and off by turns; ``least``: fewest days or seeds on a side; ``volumes``: whether volumes are
    asked for (without them nothing is called a gain). Raises InputError for an unknown time zone or confidence.
    """

    timezone: str = "UTC"
    periods: tuple[Period, ...] = field(default_factory=lambda: parse_periods(DEFAULT_PERIODS))
    excluded: Mapping[date, str] = field(default_factory=dict)
    control: str = ""
    alternating: bool = False
    least: int = LEAST_DAYS
    volumes: bool = True
    seed: int = 0
    replicates: int = 10_000
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        check_timezone(self.timezone)
        checked_confidence(self.confidence)

    def study(self, period: Period) -> Study:
        """The study of one period."""
        return Study(self.timezone, period, self.excluded, self.least, self.alternating)

    def resampling(self, *, relative: bool = False, paired: bool = False) -> Resampling:
        """How days or seeds are drawn."""
        return Resampling(self.seed, self.replicates, paired, relative, self.confidence)

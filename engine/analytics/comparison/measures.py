"""The measures of a before/after report, each a ratio of sums: numerators over denominators, never a mean of ratios."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import InputError

__all__ = ["AGENCY_TABLE", "LEADS", "MEASURES", "Measure", "measure_of"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: numerator over denominator times ``scale``, told with ``digits`` decimals.

    ``is_per_vehicle``: the numerator is in seconds and the denominator counts vehicles, so hours saved follow.
    ``is_share``: told in percent, its change in points.
    """

    key: str
    scale: float = 1.0
    digits: int = 1
    lower_is_better: bool = True
    is_per_vehicle: bool = False
    is_share: bool = False


MEASURES = (
    Measure("delay", is_per_vehicle=True),
    Measure("speed", scale=3.6, lower_is_better=False),
    Measure("travel_time", is_per_vehicle=True),
    Measure("stops", digits=2),
    Measure("travel_time_index", digits=2),
    Measure("buffer_index", scale=100.0, is_share=True),
    Measure("control_delay", is_per_vehicle=True),
    Measure("arrivals_on_green", scale=100.0, lower_is_better=False, is_share=True),
    Measure("split_failures", scale=100.0, is_share=True),
    Measure("ped_delay"),
    Measure("fuel", scale=1e5, digits=2),
    Measure("co2", scale=1e6, digits=0),
)
LEADS = ("delay", "travel_time", "control_delay", "speed")
"""What the report is about first: the first of these that both sides have."""
AGENCY_TABLE = (
    "travel_time",
    "travel_time_index",
    "buffer_index",
    "control_delay",
    "arrivals_on_green",
    "split_failures",
    "ped_delay",
)
"""The seven measures that agencies ask for, by period, before and after."""


def measure_of(key: str) -> Measure:
    """The measure of that key. Raises InputError for another."""
    for one in MEASURES:
        if one.key == key:
            return one
    raise InputError(f"measure: expected one of {', '.join(one.key for one in MEASURES)}, found {key}")

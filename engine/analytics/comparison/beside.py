"""What is asked beside the change itself: days needed, a control corridor, a series that was interrupted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from ...errors import InputError
from ..statistics import (
    Effect,
    Interruption,
    Matched,
    Period,
    days_needed,
    difference_in_differences,
    interrupted_series,
)
from ..statistics.series import LEAST_DAYS as LEAST_DAYS_OF_SERIES
from .cells import NETWORK, network_cells
from .effects import unit_values
from .matching import Cut, cut_of, matched_units
from .measures import Measure
from .question import Question
from .sides import Sides

__all__ = ["DaysNeeded", "control_effect", "days_table", "interruption"]

ASKED = (0.01, 0.02, 0.05, 0.10)
POWER = 0.8


class DaysNeeded(NamedTuple):
    """Days (or pairs of seeds) on either side that show a change of ``share`` of before in four of five studies."""

    share: float
    days: int


def days_table(matched: Matched, lead: Measure) -> tuple[DaysNeeded, ...]:
    """How many days would show changes of 1 to 10 %, from how much the units of this study vary."""
    before, after = unit_values(matched.before) * lead.scale, unit_values(matched.after) * lead.scale
    if matched.paired:
        deviation = float(np.std(after - before, ddof=1))
    else:
        deviation = float(np.sqrt((np.var(before, ddof=1) + np.var(after, ddof=1)) / 2.0))
    found = []
    for share in ASKED:
        try:
            days = days_needed(share * float(before.mean()), deviation, power=POWER, paired=matched.paired)
        except InputError:  # no number of days does
            continue
        found.append(DaysNeeded(share, days))
    return tuple(found)


def control_effect(sides: Sides, lead: Measure, question: Question) -> Effect:
    """The relative change of all other corridors, less that of the control. Raises InputError."""
    known = sorted(set(sides.before["corridor"]) - {NETWORK})
    if question.control not in known:
        raise InputError(f"--control: expected a corridor ({', '.join(known)}), found {question.control}")
    if sides.unit != "day":
        raise InputError(
            "--control: expected days, found runs of a simulation, whose seeds are matched already"
        )
    period = question.periods[0]
    control = _daily(cut_of(sides, question.control, lead.key), sides, period, question)
    treated = _daily(_without(sides, lead, question.control), sides, period, question)
    pairs = []
    for own, other in zip(treated, control, strict=True):
        joined = own.join(other, on="unit", suffix="_control").sort("unit")
        pairs.append((joined["value"].to_numpy(), joined["value_control"].to_numpy()))
    return difference_in_differences(pairs[0], pairs[1], relative=True, confidence=question.confidence)


def _without(sides: Sides, lead: Measure, control: str) -> Cut:
    kept = ~pl.col("corridor").is_in([control, NETWORK]) & (pl.col("measure") == lead.key)
    return Cut(network_cells(sides.before.filter(kept)), network_cells(sides.after.filter(kept)))


def _daily(cut: Cut, sides: Sides, period: Period, question: Question) -> list[pl.DataFrame]:
    matched = matched_units(sides, cut, period, question)
    return [
        side.select("unit", value=pl.col("numerator") / pl.col("denominator"))
        for side in (matched.before, matched.after)
    ]


def interruption(cut: Cut, period: Period, question: Question, lead: Measure) -> Interruption | None:
    """Level and trend of daily values around the change; None where a side has fewer than sixty days."""
    sides = [_every_day(side, period, question) for side in (cut.before, cut.after)]
    if question.alternating or min(side.height for side in sides) < LEAST_DAYS_OF_SERIES:
        return None
    both = pl.concat(sides).sort("day")
    days = (both["day"] - both["day"].min()).dt.total_days().to_numpy().astype(np.float64)
    return interrupted_series(
        both["value"].to_numpy() * lead.scale, sides[0].height, days, confidence=question.confidence
    )


def _every_day(side: pl.DataFrame, period: Period, question: Question) -> pl.DataFrame:
    local = pl.col("timestamp").dt.convert_time_zone(question.timezone)
    clock = local.dt.time()
    return (
        side.filter(
            (clock >= period.begin) & (clock < period.end) & local.dt.weekday().is_in(period.weekdays)
        )
        .group_by(day=local.dt.date())
        .agg(pl.col("numerator", "denominator").sum())
        .filter((pl.col("denominator") > 0.0) & ~pl.col("day").is_in(list(question.excluded)))
        .select("day", value=pl.col("numerator") / pl.col("denominator"))
        .sort("day")
    )

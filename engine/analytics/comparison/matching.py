"""Cells of one measure, corridor and period as matched days or seeds."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ...errors import InputError
from ..statistics import Matched, Period, match_days, match_seeds
from .question import Question
from .sides import Sides

__all__ = ["Cut", "cut_of", "in_period", "matched_bins", "matched_units"]


@dataclass(frozen=True, slots=True)
class Cut:
    """The cells of one measure on one corridor, before and after."""

    before: pl.DataFrame
    after: pl.DataFrame

    @property
    def is_there(self) -> bool:
        """Whether both sides measured anything."""
        return all(
            not side.is_empty() and bool((side["denominator"] > 0).any())
            for side in (self.before, self.after)
        )


def cut_of(sides: Sides, corridor: str, measure: str) -> Cut:
    """The cells of that measure and corridor."""
    own = (pl.col("corridor") == corridor) & (pl.col("measure") == measure)
    return Cut(sides.before.filter(own), sides.after.filter(own))


def in_period(cut: Cut, period: Period, timezone: str) -> Cut:
    """The cells of a time of the day."""
    return Cut(*(_in_period(side, period, timezone) for side in (cut.before, cut.after)))


def matched_units(sides: Sides, cut: Cut, period: Period, question: Question) -> Matched:
    """Days or seeds of both sides that may be compared.

    Raises InputError as ``match_days`` and ``match_seeds`` do: overlap, too few, volumes missing, other detectors.
    """
    if sides.unit == "day":
        frames = [
            _with_volumes(side, question).with_columns(configuration=pl.lit(""))
            for side in (cut.before, cut.after)
        ]
        return match_days(frames[0], frames[1], question.study(period))
    summed = [_seeds(_with_volumes(_in_period(side, period), question)) for side in (cut.before, cut.after)]
    return match_seeds(summed[0], summed[1], question.least)


def matched_bins(
    cut: Cut, matched: Matched, period: Period, timezone: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The bins of the matched units: unit, minute (of the local day), value (numerator over denominator)."""
    sides = []
    for side, units in ((cut.before, matched.before), (cut.after, matched.after)):
        local = pl.col("timestamp").dt.convert_time_zone(timezone)
        unit = pl.col("seed") if matched.paired else local.dt.date()
        minute = local.dt.hour().cast(pl.Int32) * 60 + local.dt.minute()
        own = _in_period(side, period, timezone).filter(pl.col("denominator") > 0.0)
        sides.append(
            own.select(unit=unit, minute=minute, value=pl.col("numerator") / pl.col("denominator"))
            .filter(pl.col("unit").is_in(units["unit"].implode()))
            .sort("unit", "minute")
        )
    return sides[0], sides[1]


def _with_volumes(side: pl.DataFrame, question: Question) -> pl.DataFrame:
    """Without volumes, every bin counts one: enough to match by, and never told."""
    return side if question.volumes else side.with_columns(volume_veh=pl.lit(1.0))


def _in_period(side: pl.DataFrame, period: Period, timezone: str = "UTC") -> pl.DataFrame:
    clock = pl.col("timestamp").dt.convert_time_zone(timezone).dt.time()
    return side.filter((clock >= period.begin) & (clock < period.end))


def _seeds(side: pl.DataFrame) -> pl.DataFrame:
    sums = side.group_by("seed").agg(pl.col("numerator", "denominator", "volume_veh").sum()).sort("seed")
    if not (sums["denominator"] > 0.0).all():
        raise InputError("seeds: expected something to measure for each seed, found a seed without")
    return sums

"""Which days are compared with which: the same weekdays, whole periods of local time, and why the others are not.

Bins are in UTC and periods on the local clock, so that 07:00 stays 07:00 across a change of the clock; days on which it
changes are left out. Per weekday the side with more days loses those farthest from the other side, so that both hold
the same mix of weekdays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from ...errors import InputError
from .blocks import Resampling, change_of_ratio
from .effect import Effect

__all__ = ["LEAST_DAYS", "NO_GAIN_BELOW", "Matched", "Period", "Study", "match_days", "match_seeds"]

LEAST_DAYS = 5
NO_GAIN_BELOW = -0.005
WEEKDAYS = (1, 2, 3, 4, 5)
COLUMNS = ("timestamp", "numerator", "denominator", "volume_veh", "configuration")
DAY_H = 24


@dataclass(frozen=True, slots=True)
class Period:
    """A time of the day on the local clock, ``begin`` to before ``end``, on ISO ``weekdays``. Raises InputError."""

    name: str
    begin: time
    end: time
    weekdays: tuple[int, ...] = WEEKDAYS

    def __post_init__(self) -> None:
        if not self.begin < self.end or not self.weekdays or not set(self.weekdays) <= set(range(1, 8)):
            raise InputError(
                f"period {self.name}: expected a begin before its end and weekdays of 1 to 7, found others"
            )


@dataclass(frozen=True, slots=True)
class Study:
    """What is compared: a ``period`` in ``timezone``, without the days ``excluded`` (each with its reason).

    ``alternating``: on and off by turns, where before and after interleave by design.
    """

    timezone: str
    period: Period
    excluded: Mapping[date, str] = field(default_factory=dict)
    least_days: int = LEAST_DAYS
    alternating: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    """Units of both sides that may be compared.

    ``before`` and ``after``: unit (day or seed), numerator, denominator, volume_veh, sorted by unit. ``exclusions``:
    side, unit (text), reason. ``paired``: the same units on both sides.
    """

    before: pl.DataFrame
    after: pl.DataFrame
    exclusions: pl.DataFrame
    paired: bool

    def change(self, how: Resampling) -> Effect:
        """The change of the ratio of sums; units in pairs if the sides are."""
        return self._change_of("numerator", "denominator", how)

    def volume_change(self, seed: int) -> Effect:
        """The relative change of vehicles per unit."""
        ones = pl.lit(1.0).alias("ones")
        sides = [side.with_columns(ones) for side in (self.before, self.after)]
        counted = replace(self, before=sides[0], after=sides[1])
        return counted._change_of("volume_veh", "ones", Resampling(seed, relative=True))

    @property
    def may_claim_gain(self) -> bool:
        """Whether vehicles per unit fell by no more than 0.5 %: less traffic is no merit of the signals."""
        before, after = (float(side["volume_veh"].to_numpy().mean()) for side in (self.before, self.after))
        return after / before - 1.0 >= NO_GAIN_BELOW

    def _change_of(self, upper: str, lower: str, how: Resampling) -> Effect:
        first, second = (
            (side[upper].to_numpy(), side[lower].to_numpy()) for side in (self.before, self.after)
        )
        return change_of_ratio(first, second, replace(how, paired=self.paired))


def match_days(before: pl.DataFrame, after: pl.DataFrame, study: Study) -> Matched:
    """Whole days of the period on either side, the same number of each weekday.

    Frames: timestamp (UTC start of a bin), numerator, denominator, volume_veh, configuration (of the detectors, any
    text). Raises InputError: a column missing, overlap, too few days, detectors configured otherwise, no volumes.
    """
    _same_configuration(before, after)
    days = [_days(name, side, study) for name, side in (("before", before), ("after", after))]
    _apart(days[0], days[1], study.alternating)
    most = max(max(side["bins"].to_list()) for side in days)
    judged = [_judged(side, study, most) for side in days]
    paired = _same_weekdays(judged[0], judged[1])
    kept = [side.filter(pl.col("reason").is_null()) for side in paired]
    for name, side in zip(("before", "after"), kept, strict=True):
        if side.height < study.least_days:
            raise InputError(
                f"{name}: expected at least {study.least_days} days of period {study.period.name}, found {side.height} "
                f"that match"
            )
    return Matched(_units(kept[0]), _units(kept[1]), _exclusions(paired[0], paired[1]), paired=False)


def match_seeds(before: pl.DataFrame, after: pl.DataFrame, least_seeds: int = LEAST_DAYS) -> Matched:
    """Runs of the same seed in pairs. Frames: seed, numerator, denominator, volume_veh, one row per seed.

    Raises InputError for a seed twice, no volumes, or too few seeds on both sides.
    """
    for name, side in (("before", before), ("after", after)):
        _has_columns(name, side, ("seed", "numerator", "denominator", "volume_veh"))
        if side["seed"].is_duplicated().any():
            raise InputError(f"{name}: expected one row per seed, found a seed twice")
    sides = [
        side.rename({"seed": "unit"}).with_columns(
            side=pl.lit(name),
            reason=pl.when(~pl.col("unit").is_in(other["seed"].to_list()))
            .then(pl.lit("seed is not on the other side"))
            .otherwise(None),
        )
        for name, side, other in (("before", before, after), ("after", after, before))
    ]
    kept = [_units(side.filter(pl.col("reason").is_null())) for side in sides]
    if kept[0].height < least_seeds:
        raise InputError(f"seeds: expected at least {least_seeds} on both sides, found {kept[0].height}")
    for name, side in zip(("before", "after"), kept, strict=True):
        if not (side["volume_veh"].fill_null(0.0) > 0).all():
            raise InputError(f"{name}: expected vehicles counted for each seed, found volumes missing")
    return Matched(kept[0], kept[1], _exclusions(sides[0], sides[1]), paired=True)


def _days(name: str, side: pl.DataFrame, study: Study) -> pl.DataFrame:
    """side, unit (local day), bins, numerator, denominator, volume_veh (null where one bin has none) and reason."""
    if side["timestamp"].is_duplicated().any():
        raise InputError(f"{name}: expected one row per bin, found a bin twice")
    local = pl.col("timestamp").dt.convert_time_zone(_timezone(study.timezone))
    clock, period = local.dt.time(), study.period
    found = (
        side.with_columns(unit=local.dt.date())
        .filter((clock >= period.begin) & (clock < period.end) & local.dt.weekday().is_in(period.weekdays))
        .group_by("unit")
        .agg(
            pl.len().alias("bins"),
            _sum_if_whole("numerator"),
            _sum_if_whole("denominator"),
            _sum_if_whole("volume_veh"),
        )
        .sort("unit")
        .with_columns(side=pl.lit(name), reason=pl.lit(None, pl.String))
    )
    if found.is_empty():
        raise InputError(f"{name}: expected days of period {period.name}, found none")
    if not (found["volume_veh"].fill_null(0.0) > 0).any():
        raise InputError(f"{name}: expected vehicles counted in period {period.name}, found volumes missing")
    return found


def _sum_if_whole(column: str) -> pl.Expr:
    values = pl.col(column).cast(pl.Float64).fill_nan(None)
    return pl.when(values.null_count() == 0).then(values.sum()).alias(column)


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(f"timezone: expected a name such as Europe/Berlin, found {name}") from error
    return name


def _same_configuration(before: pl.DataFrame, after: pl.DataFrame) -> None:
    for name, side in (("before", before), ("after", after)):
        _has_columns(name, side, COLUMNS)
    found = sorted({str(value) for side in (before, after) for value in side["configuration"].unique()})
    if len(found) > 1:
        raise InputError(f"detectors: expected one configuration before and after, found {', '.join(found)}")


def _has_columns(name: str, side: pl.DataFrame, wanted: tuple[str, ...]) -> None:
    missing = [column for column in wanted if column not in side.columns]
    if missing:
        raise InputError(f"{name}: expected columns {', '.join(wanted)}, found no {', '.join(missing)}")


def _apart(before: pl.DataFrame, after: pl.DataFrame, alternating: bool) -> None:
    shared = before.join(after, on="unit", how="semi")
    if not shared.is_empty():
        raise InputError(f"days: expected each before or after, found {shared['unit'][0]} in both")
    if not alternating and before["unit"][-1] > after["unit"][0]:
        raise InputError(
            f"days: expected all before to precede all after, found {before['unit'][-1]} before and "
            f"{after['unit'][0]} after"
        )


def _judged(days: pl.DataFrame, study: Study, most_bins: int) -> pl.DataFrame:
    """The first reason to leave each day out; null where there is none."""

    def midnight(day: pl.Expr) -> pl.Expr:
        return day.cast(pl.Datetime("ms")).dt.replace_time_zone(study.timezone, ambiguous="earliest")

    length = midnight(pl.col("unit") + pl.duration(days=1)) - midnight(pl.col("unit"))
    named = pl.col("unit").replace_strict(
        list(study.excluded), list(study.excluded.values()), default=None, return_dtype=pl.String
    )
    return days.with_columns(
        reason=pl.when(named.is_not_null())
        .then(named)
        .when(length.dt.total_hours() != DAY_H)
        .then(pl.lit("the clock changes"))
        .when(pl.col("volume_veh").is_null() | (pl.col("volume_veh") <= 0))
        .then(pl.lit("volumes missing"))
        .when(pl.col("bins") < most_bins)
        .then(pl.format("{} of {} bins", pl.col("bins"), pl.lit(most_bins)))
        .when(pl.col("numerator").is_null() | pl.col("denominator").is_null())
        .then(pl.lit("values missing"))
        .when(~(pl.col("denominator") > 0))
        .then(pl.lit("nothing to measure"))
    )


def _same_weekdays(before: pl.DataFrame, after: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Days beyond those of the other side, per weekday, get their reason: the farthest from it first."""

    def trimmed(side: pl.DataFrame, other: pl.DataFrame, *, latest: bool) -> pl.DataFrame:
        usable = pl.col("reason").is_null()
        weekday = pl.col("unit").dt.weekday()
        there = (
            other.filter(usable)
            .group_by(weekday.alias("weekday"))
            .agg(pl.len().cast(pl.Int64).alias("there"))
        )
        rank = (
            pl.when(usable)
            .then(pl.col("unit"))
            .rank("ordinal", descending=latest)
            .over("weekday")
            .cast(pl.Int64)
        )
        return (
            side.with_columns(weekday=weekday)
            .join(there, on="weekday", how="left", maintain_order="left")
            .with_columns(
                reason=pl.when(usable & (rank > pl.col("there").fill_null(0)))
                .then(pl.lit("more of this weekday than on the other side"))
                .otherwise(pl.col("reason"))
            )
            .drop("weekday", "there")
        )

    return trimmed(before, after, latest=True), trimmed(after, before, latest=False)


def _units(side: pl.DataFrame) -> pl.DataFrame:
    return side.select("unit", pl.col("numerator", "denominator", "volume_veh").cast(pl.Float64)).sort("unit")


def _exclusions(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(
        side.filter(pl.col("reason").is_not_null()).select("side", pl.col("unit").cast(pl.String), "reason")
        for side in (before, after)
    )

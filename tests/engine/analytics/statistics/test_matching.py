"""Which days and seeds are compared, and which are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from greensplit.engine.analytics.statistics import Matched, Period, Resampling, Study, match_days, match_seeds
from greensplit.engine.errors import InputError

BERLIN = ZoneInfo("Europe/Berlin")
MORNING = Period("morning", time(7), time(9))
EVERY_DAY = Period("morning", time(7), time(9), (1, 2, 3, 4, 5, 6, 7))
BINS = 8


def rows(first: date, days: int, volume_veh: float = 100.0, configuration: str = "a") -> pl.DataFrame:
    """Bins of 15 minutes, 06:00 to 10:00 in Berlin; numerators differ by day, 1000 outside 07:00 to 09:00."""
    found = []
    for day in range(days):
        begin = datetime.combine(first + timedelta(days=day), time(6), BERLIN)
        for i in range(16):
            at = (begin.astimezone(UTC) + timedelta(minutes=15 * i)).replace(tzinfo=UTC)
            inside = 7 <= at.astimezone(BERLIN).hour < 9
            found.append((at, 1.0 + day % 3 if inside else 1000.0, 10.0, volume_veh, configuration))
    schema = {"timestamp": pl.Datetime("ms", "UTC"), "numerator": pl.Float64, "denominator": pl.Float64}
    return pl.DataFrame(found, {**schema, "volume_veh": pl.Float64, "configuration": pl.String}, orient="row")


def matched(before: pl.DataFrame, after: pl.DataFrame, **changes: object) -> Matched:
    """Weekday mornings in Berlin."""
    return match_days(before, after, Study(**{"timezone": "Europe/Berlin", "period": MORNING, **changes}))  # type: ignore[arg-type]


def reasons(found: Matched) -> dict[str, str]:
    """Days left out, and why."""
    return dict(zip(found.exclusions["unit"], found.exclusions["reason"], strict=True))


def test_the_period_stays_on_the_local_clock_when_the_clock_changes() -> None:
    """Winter before 31 March 2024, summer after: 07:00 to 09:00 is another UTC, and no row outside is counted."""
    found = matched(rows(date(2024, 3, 18), 12), rows(date(2024, 4, 1), 12))
    assert found.before["denominator"].to_list() == [10.0 * BINS] * 10
    assert max(found.before["numerator"].max(), found.after["numerator"].max()) == 3.0 * BINS  # type: ignore[type-var]


def test_the_day_on_which_the_clock_changes_is_left_out() -> None:
    """Sunday 31 March 2024."""
    found = matched(rows(date(2024, 3, 25), 7), rows(date(2024, 4, 1), 7), period=EVERY_DAY)
    assert reasons(found)["2024-03-31"] == "the clock changes"
    assert reasons(found)["2024-04-07"] == "more of this weekday than on the other side"
    assert found.before.height == found.after.height == 6


def test_weekdays_come_in_the_same_numbers_those_nearest_the_change() -> None:
    """Two weeks against one: the later week of before stays."""
    found = matched(rows(date(2024, 5, 6), 12), rows(date(2024, 5, 20), 5))
    assert found.before["unit"].to_list() == [date(2024, 5, 13) + timedelta(days=i) for i in range(5)]
    assert len(reasons(found)) == 5


def test_every_day_left_out_has_its_reason() -> None:
    """A holiday, a bin, volumes and a value missing; and their weekdays on the other side."""
    before, after = rows(date(2024, 5, 6), 19), rows(date(2024, 6, 3), 19)
    day = pl.col("timestamp").dt.date()
    short = before.filter((day != date(2024, 5, 7)) | (pl.col("timestamp").dt.time() != time(5, 15)))
    blind = short.with_columns(
        volume_veh=pl.when(day == date(2024, 5, 8)).then(None).otherwise(pl.col("volume_veh"))
    )
    gone = blind.with_columns(
        numerator=pl.when(pl.col("timestamp") == datetime(2024, 5, 10, 6, tzinfo=UTC))
        .then(float("nan"))
        .otherwise(pl.col("numerator"))
    )
    found = matched(gone, after, excluded={date(2024, 5, 9): "Ascension"})
    assert {unit: why for unit, why in reasons(found).items() if unit < "2024-06"} == {
        "2024-05-07": "7 of 8 bins",
        "2024-05-08": "volumes missing",
        "2024-05-09": "Ascension",
        "2024-05-10": "values missing",
    }
    assert found.before.height == found.after.height == 11


def test_less_traffic_is_no_gain() -> None:
    """0.4 % fewer vehicles may be claimed beside, 0.6 % fewer not."""
    before = rows(date(2024, 5, 6), 5)
    assert matched(before, rows(date(2024, 5, 13), 5, volume_veh=99.6)).may_claim_gain
    assert not matched(before, rows(date(2024, 5, 13), 5, volume_veh=99.4)).may_claim_gain


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (rows(date(2024, 5, 6), 12), rows(date(2024, 5, 17), 12), "2024-05-17 in both"),
        (rows(date(2024, 5, 13), 5), rows(date(2024, 5, 6), 5), "precede"),
        (pl.concat([rows(date(2024, 5, 6), 5)] * 2), rows(date(2024, 5, 13), 5), "before: .* a bin twice"),
        (rows(date(2024, 5, 6), 4), rows(date(2024, 5, 13), 5), "at least 5 days of period morning, found 4"),
        (
            rows(date(2024, 5, 6), 5),
            rows(date(2024, 5, 13), 5, configuration="b"),
            "one configuration .* found a, b",
        ),
        (rows(date(2024, 5, 6), 5, volume_veh=0.0), rows(date(2024, 5, 13), 5), "before: .* volumes missing"),
        (rows(date(2024, 5, 6), 5).drop("volume_veh"), rows(date(2024, 5, 13), 5), "found no volume_veh"),
        (
            rows(date(2024, 5, 11), 2),
            rows(date(2024, 5, 13), 5),
            "before: expected days of period morning, found none",
        ),
    ],
)
def test_sides_that_cannot_be_compared_are_refused(
    before: pl.DataFrame, after: pl.DataFrame, words: str
) -> None:
    """Overlap, wrong order, too few days, other detectors, no volumes, no days."""
    with pytest.raises(InputError, match=words):
        matched(before, after)


def test_weeks_by_turns_may_interleave_if_that_is_the_design() -> None:
    """Off, on, off: refused unless said to alternate."""
    off = pl.concat([rows(date(2024, 5, 6), 5), rows(date(2024, 5, 20), 5)])
    on = rows(date(2024, 5, 13), 5)
    with pytest.raises(InputError, match="precede"):
        matched(off, on)
    assert matched(off, on, alternating=True).after.height == 5


def test_the_change_is_of_sums_over_matched_days() -> None:
    """Twice the numerators after: twice the ratio, with its interval."""
    before, after = rows(date(2024, 5, 6), 12), rows(date(2024, 5, 20), 12)
    doubled = after.with_columns(pl.col("numerator") * 2)
    found = matched(before, doubled).change(Resampling(1, relative=True))
    assert found.estimate == pytest.approx(1.0)
    assert found.low < 1.0 < found.high


def seeds(numbers: list[int], volume_veh: float = 500.0) -> pl.DataFrame:
    """One run per seed; numerators follow the seed."""
    return pl.DataFrame(
        {
            "seed": numbers,
            "numerator": [100.0 + 7 * (seed % 4) for seed in numbers],
            "denominator": 10.0,
            "volume_veh": volume_veh,
        }
    )


def test_seeds_are_compared_in_pairs() -> None:
    """Seeds of one side only are left out; the order of rows is nothing; pairs leave only what changed."""
    after = seeds([7, 3, 4, 5, 6, 2, 8]).with_columns(pl.col("numerator") - 5.0 - pl.col("seed") % 2)
    found = match_seeds(seeds([1, 2, 3, 4, 5, 6, 7]), after)
    assert found.before["unit"].to_list() == found.after["unit"].to_list() == [2, 3, 4, 5, 6, 7]
    assert reasons(found) == {
        "1": "seed is not on the other side",
        "8": "seed is not on the other side",
    }
    effect = found.change(Resampling(1))
    assert -0.65 < effect.low < -0.55 < effect.high < -0.45


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (seeds([1, 2, 3, 4]), seeds([1, 2, 3, 4]), "at least 5"),
        (seeds([1, 1, 2, 3, 4, 5]), seeds([1, 2, 3, 4, 5]), "twice"),
        (seeds([1, 2, 3, 4, 5]), seeds([1, 2, 3, 4, 5], volume_veh=0.0), "after: .* volumes missing"),
    ],
)
def test_seeds_that_cannot_be_compared_are_refused(
    before: pl.DataFrame, after: pl.DataFrame, words: str
) -> None:
    """Too few, twice, without vehicles."""
    with pytest.raises(InputError, match=words):
        match_seeds(before, after)

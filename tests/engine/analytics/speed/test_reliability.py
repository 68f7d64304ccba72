"""Reliability and levels of service, by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from greensplit.engine.analytics.speed import (
    STANDARD_NOTE,
    congestion_level,
    lottr,
    mileage_index,
    reliability,
    signal_level,
    street_level,
    time_index_level,
    tttr,
)
from greensplit.engine.analytics.speed.reliability import percentile
from greensplit.engine.errors import InputError


def times(values: list[float], at: datetime = datetime(2024, 5, 6, 8, tzinfo=UTC)) -> pl.LazyFrame:
    """Travel times of one segment in one period; 6 May 2024 is a Monday."""
    return pl.LazyFrame(
        {"segment_id": ["s"] * len(values), "timestamp": [at] * len(values), "travel_s": values},
        schema_overrides={"timestamp": pl.Datetime("ms", "UTC")},
    )


@pytest.mark.parametrize(("share", "expected"), [(0.5, 10.0), (0.8, 16.0), (0.95, 19.0), (0.96, 20.0)])
def test_percentiles_are_values_that_occurred(share: float, expected: float) -> None:
    """Of 1 to 20: the smallest with that share at or below it; nothing is interpolated."""
    frame = pl.DataFrame({"x": [float(v) for v in range(20, 0, -1)]})
    assert frame.select(percentile("x", share)).item() == expected


def test_the_last_bit_of_a_float_moves_no_percentile() -> None:
    """0.55 of 1 to 100 is 55, though 0.55 * 100 is a little more than 55 as a float."""
    frame = pl.DataFrame({"x": [float(v) for v in range(1, 101)]})
    assert frame.select(percentile("x", 0.55)).item() == 55.0


def test_the_percentile_of_nothing_is_nothing() -> None:
    """Null, not an error."""
    assert pl.DataFrame({"x": [None]}, schema={"x": pl.Float64}).select(percentile("x", 0.5)).item() is None


def test_indices_of_twenty_travel_times() -> None:
    """19 of 100 s and 1 of 300 s: mean 110, 95th percentile 100 (the 19th); free flow 80: 1.375, 1.25, -1/11."""
    free = pl.LazyFrame({"segment_id": ["s"], "free_flow_s": [80.0]})
    found = reliability(times([100.0] * 19 + [300.0]), free).collect().row(0, named=True)
    assert found["tti"] == pytest.approx(1.375)
    assert found["pti"] == pytest.approx(1.25)
    assert found["buffer_index"] == pytest.approx(-10 / 110)


def test_lottr_rounds_percentiles_to_seconds_and_the_ratio_to_two_decimals() -> None:
    """50th 60.5 -> 61 (halves up), 80th 91.4 -> 91; 91 / 61 = 1.4918 -> 1.49: reliable, though 91.4 / 60.5 is 1.51."""
    found = lottr(times([60.5] * 5 + [91.4] * 5), "UTC").collect().row(0, named=True)
    assert (found["p50_s"], found["p80_s"], found["lottr"], found["reliable"]) == (61.0, 91.0, 1.49, True)


def test_a_ratio_of_one_and_a_half_is_not_reliable() -> None:
    """The rule says below 1.50."""
    assert not lottr(times([60.0] * 5 + [90.0] * 5), "UTC").collect()["reliable"].item()


@pytest.mark.parametrize(
    ("at", "timezone", "period"),
    [
        (datetime(2024, 5, 6, 8, tzinfo=UTC), "UTC", "weekday 6-10"),
        (datetime(2024, 5, 6, 8, tzinfo=UTC), "Asia/Shanghai", "weekday 16-20"),
        (datetime(2024, 5, 5, 23, 30, tzinfo=UTC), "Asia/Shanghai", "weekday 6-10"),
        (datetime(2024, 5, 5, 12, tzinfo=UTC), "UTC", "weekend 6-20"),
        (datetime(2024, 3, 30, 13, 59, tzinfo=UTC), "America/New_York", "weekend 6-20"),
    ],
)
def test_periods_are_those_of_the_local_clock_and_weekday(at: datetime, timezone: str, period: str) -> None:
    """08:00 UTC is 16:00 in Shanghai; 23:30 UTC of a Sunday is Monday 07:30 there."""
    assert lottr(times([60.0], at), timezone).collect()["period"].to_list() == [period]


def test_the_hour_of_a_period_moves_with_daylight_saving() -> None:
    """13:30 UTC is 09:30 in New York in July (06-10) and 08:30 in January; 10:30 UTC is 06:30 in July, 05:30 then."""
    july, january = datetime(2024, 7, 8, 10, 30, tzinfo=UTC), datetime(2024, 1, 8, 10, 30, tzinfo=UTC)
    assert tttr(times([60.0], july), "America/New_York").collect()["period"].to_list() == ["weekday 6-10"]
    assert tttr(times([60.0], january), "America/New_York").collect()["period"].to_list() == ["all days 20-6"]


def test_tttr_takes_the_95th_percentile_and_the_worst_period() -> None:
    """By day 19 of 100 s and 1 of 200 s: 1.00; by night 18 and 2: the 19th is 200, 2.00."""
    night = datetime(2024, 5, 6, 22, tzinfo=UTC)
    both = pl.concat([times([100.0] * 19 + [200.0]), times([100.0] * 18 + [200.0] * 2, night)])
    found = tttr(both, "UTC").collect()
    assert found.select("period", "tttr", "largest").rows() == [
        ("weekday 6-10", 1.0, 2.0),
        ("all days 20-6", 2.0, 2.0),
    ]


def levels(expression: pl.Expr, values: list[float | None]) -> list[object]:
    """The expression over a column ``x``."""
    return pl.DataFrame({"x": values}, schema={"x": pl.Float64}).select(expression).to_series().to_list()


def test_signal_levels_change_just_beyond_their_bounds() -> None:
    """10 s is A, 10.1 s is B, and so on; null stays null; over capacity is F whatever the delay."""
    values = [10.0, 10.1, 20.0, 35.0, 55.0, 80.0, 80.1, None]
    assert levels(signal_level(pl.col("x")), values) == ["A", "B", "B", "C", "D", "E", "F", None]
    assert levels(signal_level(pl.col("x"), pl.lit(1.01)), [5.0]) == ["F"]


def test_editions_of_the_manual_differ_for_streets() -> None:
    """Of 50 km/h, 41.5 km/h is 83 %: A in the sixth edition, B in 2010; 12 m/s is 26.8 mph: C of class II in 2000."""
    free = pl.lit(50.0)
    assert levels(street_level(pl.col("x"), free), [41.5, 15.0]) == ["A", "F"]
    assert levels(street_level(pl.col("x"), free, edition="2010"), [41.5]) == ["B"]
    assert levels(street_level(pl.col("x"), free, edition="2000"), [12.0]) == ["C"]
    with pytest.raises(InputError, match="2000, 2010, 6, found 1985"):
        street_level(pl.col("x"), free, edition="1985")


def test_chinese_levels_say_what_is_not_known_about_the_standard() -> None:
    """Arterial: 41, 40, 25, 15 km/h are levels 1, 2, 3, 5; the note is with every row."""
    found = levels(congestion_level(pl.col("x") / 3.6, "arterial"), [41.0, 39.9, 25.0, 14.9, None])
    assert [row["level"] for row in found] == [1, 2, 3, 5, None]  # type: ignore[index]
    assert {row["note"] for row in found} == {STANDARD_NOTE}  # type: ignore[index]
    assert "GB/T 33171-2016 not read" in STANDARD_NOTE
    with pytest.raises(InputError, match="found motorway"):
        congestion_level(pl.col("x"), "motorway")


def test_time_index_and_mileage_index_follow_their_tables() -> None:
    """Twice the free-flow time is 1.0 extra: level 4. 9.5 % lies midway between 8 and 11: 5; 30 % is 10."""
    assert levels(time_index_level(pl.col("x"), pl.lit(100.0)), [100.0, 130.0, 200.0, 220.0])[2]["level"] == 4  # type: ignore[index]
    shares = levels(mileage_index(pl.col("x")), [0.0, 5.0, 9.5, 24.0, 30.0])
    assert [row["index"] for row in shares] == pytest.approx([0.0, 2.0, 5.0, 10.0, 10.0])  # type: ignore[index]

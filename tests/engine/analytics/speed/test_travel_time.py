"""Travel times of segments and corridors, by hand, with the clock set forward and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from greensplit.engine.analytics.speed import (
    corridor_experienced,
    corridor_instantaneous,
    local_bin,
    probe_passages,
    segment_travel_time,
    trip_passages,
)
from greensplit.engine.errors import InputError

START = datetime(2024, 5, 6, 8, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def instants(*times: datetime) -> pl.LazyFrame:
    """A column ``t`` of UTC times."""
    return pl.LazyFrame({"t": list(times)}, schema={"t": pl.Datetime("ms", "UTC")})


def clock(frame: pl.LazyFrame, width: timedelta, timezone: str) -> list[str]:
    """The bins as a clock with its offset shows them."""
    bins = frame.select(local_bin("t", width, timezone).dt.strftime("%d %H:%M %z")).collect()
    return [str(value) for value in bins.to_series().to_list()]


def test_the_hour_that_comes_twice_has_bins_of_its_own_each_time() -> None:
    """Berlin, 27 October 2024: 00:40 UTC is 02:40 summer time, 01:40 UTC is 02:40 again, in winter time."""
    times = instants(datetime(2024, 10, 27, 0, 40, tzinfo=UTC), datetime(2024, 10, 27, 1, 40, tzinfo=UTC))
    assert clock(times, QUARTER, "Europe/Berlin") == ["27 02:30 +0200", "27 02:30 +0100"]


def test_the_hour_that_is_left_out_has_none() -> None:
    """Berlin, 31 March 2024: 00:59 UTC is 01:59, and 01:01 UTC is 03:01."""
    times = instants(datetime(2024, 3, 31, 0, 59, tzinfo=UTC), datetime(2024, 3, 31, 1, 1, tzinfo=UTC))
    assert clock(times, QUARTER, "Europe/Berlin") == ["31 01:45 +0100", "31 03:00 +0200"]


def test_bins_of_a_quarter_begin_on_the_quarter_where_the_zone_is_off_by_one() -> None:
    """Kathmandu is 5:45 ahead: 00:20 UTC is 06:05."""
    assert clock(instants(datetime(2024, 5, 6, 0, 20, tzinfo=UTC)), timedelta(hours=1), "Asia/Kathmandu") == [
        "06 06:00 +0545"
    ]


def test_days_begin_at_local_midnight_on_the_long_day_too() -> None:
    """27 October 2024 in Berlin has 25 hours; 22:30 UTC of the 26th and of the 27th lie on two local days."""
    times = instants(datetime(2024, 10, 26, 22, 30, tzinfo=UTC), datetime(2024, 10, 27, 22, 30, tzinfo=UTC))
    assert clock(times, timedelta(days=1), "Europe/Berlin") == ["27 00:00 +0200", "27 00:00 +0200"]


@pytest.mark.parametrize("width", [timedelta(0), timedelta(minutes=7), timedelta(hours=5)])
def test_a_width_that_fits_neither_hour_nor_day_is_refused(width: timedelta) -> None:
    """Bins would drift from day to day."""
    with pytest.raises(InputError, match="divides an hour or a day"):
        local_bin("t", width, "UTC")


def test_an_unknown_zone_is_refused() -> None:
    """By name."""
    with pytest.raises(InputError, match="Atlantis"):
        local_bin("t", QUARTER, "Europe/Atlantis")


def passage_frame(*rows: tuple[str, float, float, float]) -> pl.LazyFrame:
    """(segment, entry in seconds, travel time, length)."""
    return pl.LazyFrame(
        {
            "segment_id": [row[0] for row in rows],
            "vehicle_id": [f"v{i}" for i in range(len(rows))],
            "enter": [START + timedelta(seconds=row[1]) for row in rows],
            "travel_s": [row[2] for row in rows],
            "length_m": [row[3] for row in rows],
        },
        schema_overrides={"enter": pl.Datetime("ms", "UTC")},
    )


def test_speed_is_distance_over_time_and_not_the_mean_of_speeds() -> None:
    """1000 m in 50 s and in 200 s: 2000 m / 250 s = 8 m/s; the mean of 20 and 5 would be 12.5."""
    found = segment_travel_time(
        passage_frame(("a", 0, 50, 1000), ("a", 10, 200, 1000)), QUARTER, "UTC"
    ).collect()
    assert found["speed_mps"].to_list() == [8.0]
    assert found["travel_s"].to_list() == [125.0]


def test_probes_cross_the_ends_of_a_segment_between_their_records() -> None:
    """Records at 0, 100 and 300 m, 10 s apart: 50 m is passed at 5 s, 200 m at 15 s."""
    records = pl.LazyFrame(
        {
            "vehicle_id": ["p"] * 3,
            "timestamp": [START + timedelta(seconds=s) for s in (0, 10, 20)],
            "position_m": [0.0, 100.0, 300.0],
        },
        schema_overrides={"timestamp": pl.Datetime("ms", "UTC")},
    )
    found = probe_passages(records, [("s", 50.0, 200.0), ("beyond", 200.0, 400.0)]).collect()
    assert found.select("segment_id", "travel_s", "length_m").rows() == [("s", 10.0, 150.0)]
    assert found["enter"].to_list() == [START + timedelta(seconds=5)]


def test_a_probe_that_stands_at_the_end_of_a_segment_has_left_it_when_it_came_there() -> None:
    """0 m at 0 s, 100 m at 10 s and still at 60 s: 100 m in 10 s."""
    records = pl.LazyFrame(
        {
            "vehicle_id": ["p"] * 3,
            "timestamp": [START + timedelta(seconds=s) for s in (0, 10, 60)],
            "position_m": [0.0, 100.0, 100.0],
        },
        schema_overrides={"timestamp": pl.Datetime("ms", "UTC")},
    )
    assert probe_passages(records, [("s", 0.0, 100.0)]).collect()["travel_s"].to_list() == [10.0]


def test_trips_that_did_not_arrive_have_no_travel_time() -> None:
    """One of two arrived."""
    trips = pl.LazyFrame(
        {
            "vehicle_id": ["a", "b"],
            "depart_s": [1.5, 2.0],
            "arrival_s": [101.5, None],
            "duration_s": [100.0, 300.0],
            "route_length_m": [800.0, 900.0],
        }
    )
    found = trip_passages(trips, START).collect()
    assert found.select("vehicle_id", "enter", "travel_s", "length_m").rows() == [
        ("a", START + timedelta(seconds=1.5), 100.0, 800.0)
    ]


def test_a_vehicle_meets_the_later_congestion_of_the_later_segment() -> None:
    """a takes 1000 s from 8:00, so b is reached at 8:16:40: 1000 + 400 s, where adding up 8:00 says 1000 + 60."""
    segments = segment_travel_time(
        passage_frame(("a", 0, 1000, 500), ("b", 5, 60, 500), ("b", 910, 400, 500)), QUARTER, "Asia/Shanghai"
    )
    now = corridor_instantaneous(segments, ["a", "b"]).collect()
    lived = corridor_experienced(segments, ["a", "b"], QUARTER).collect()
    assert now["travel_s"].to_list() == [1060.0]
    assert lived["travel_s"].to_list() == [1400.0]
    assert str(lived["bin"].dtype) == "Datetime(time_unit='ms', time_zone='Asia/Shanghai')"

"""Speeds from loops, with numbers worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from greensplit.engine.analytics.speed import (
    learn_effective_length_m,
    presences,
    single_loop_speed,
    trap_passages,
)
from greensplit.engine.errors import InputError

START = datetime(2024, 5, 6, 8, tzinfo=UTC)
ON, OFF = 82, 81


def log(*rows: tuple[float, int, int]) -> pl.LazyFrame:
    """A log of device 1: (second, code, channel)."""
    return pl.DataFrame(
        [(START + timedelta(seconds=s), 1, code, channel) for s, code, channel in rows],
        schema={
            "timestamp": pl.Datetime("ms", "UTC"),
            "device_id": pl.UInt32,
            "event_id": pl.UInt16,
            "parameter": pl.UInt16,
        },
        orient="row",
    ).lazy()


def test_a_presence_lasts_from_on_to_off_and_halves_are_left_out() -> None:
    """An on before an on, an off without on, and an on at the end have no length."""
    found = presences(log((0.0, OFF, 1), (1.0, ON, 1), (2.0, ON, 1), (2.4, OFF, 1), (9.0, ON, 1))).collect()
    assert found["on_s"].to_list() == [0.4]
    assert found["on"].to_list() == [START + timedelta(seconds=2)]


def test_a_trap_of_six_metres_crossed_in_half_a_second_is_twelve_metres_a_second() -> None:
    """6 m / 0.5 s = 12 m/s; 0.6 s on both loops: 7.2 m of vehicle and loop."""
    events = log((0.0, ON, 1), (0.6, OFF, 1), (0.5, ON, 2), (1.1, OFF, 2))
    found = trap_passages(presences(events), 1, 2, device_id=1, distance_m=6.0).collect()
    assert found["speed_mps"].to_list() == [pytest.approx(12.0)]
    assert found["length_m"].to_list() == [pytest.approx(7.2)]


def test_one_vehicle_upstream_is_not_paired_with_two_downstream() -> None:
    """The second one downstream came from nowhere: left out. So is what would be slower than half a metre a second."""
    events = log((0.0, ON, 1), (0.6, OFF, 1), (0.5, ON, 2), (0.8, OFF, 2), (1.5, ON, 2), (1.8, OFF, 2))
    assert trap_passages(presences(events), 1, 2, device_id=1, distance_m=6.0).collect().height == 1
    slow = log((0.0, ON, 1), (0.6, OFF, 1), (20.0, ON, 2), (21.0, OFF, 2))
    assert trap_passages(presences(slow), 1, 2, device_id=1, distance_m=6.0).collect().is_empty()


def test_a_single_loop_gives_the_harmonic_mean_and_not_the_plain_one() -> None:
    """Vehicles of 7 m effective length at 10 and 20 m/s: 0.7 s + 0.35 s; 2 * 7 / 1.05 = 13.33 m/s, not 15."""
    events = log((0.0, ON, 1), (0.7, OFF, 1), (10.0, ON, 1), (10.35, OFF, 1))
    lengths = pl.LazyFrame({"device_id": [1], "channel": [1], "effective_length_m": [7.0]}).cast(
        {"device_id": pl.UInt32, "channel": pl.UInt16}
    )
    found = single_loop_speed(presences(events), lengths, bin_s=300).collect()
    assert found["speed_mps"].to_list() == [pytest.approx(2 * 7.0 / 1.05)]
    assert found["vehicles"].to_list() == [2]


def test_the_length_is_learned_from_the_median_in_light_traffic_only() -> None:
    """Three cars of 0.5 s and a lorry of 1.4 s at 14 m/s: 7 m; five minutes that are occupied for half do not count."""
    light = [(20.0 * i, ON, 1) for i in range(4)] + [
        (20.0 * i + s, OFF, 1) for i, s in enumerate((0.5, 0.5, 0.5, 1.4))
    ]
    jam = [(300.0, ON, 1), (450.0, OFF, 1), (451.0, ON, 1), (470.0, OFF, 1)]
    found = learn_effective_length_m(presences(log(*light, *jam)), free_flow_mps=14.0).collect()
    assert found["effective_length_m"].to_list() == [pytest.approx(7.0)]
    assert found["vehicles"].to_list() == [4]


def test_no_distance_and_no_speed_are_refused() -> None:
    """In words that name what was given."""
    passed = presences(log((0.0, ON, 1)))
    with pytest.raises(InputError, match="above 0 m, found 0"):
        trap_passages(passed, 1, 2, device_id=1, distance_m=0.0)
    with pytest.raises(InputError, match="free-flow speed above 0"):
        learn_effective_length_m(passed, free_flow_mps=-1.0)

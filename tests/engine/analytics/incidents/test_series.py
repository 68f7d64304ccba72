"""Bins of a log, checked against a log small enough to bin by hand and against a slow reading of random ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from greensplit.engine.analytics.incidents.series import NO_LOOP, LanePlace, lane_series, part_of

START = datetime(2024, 5, 6, tzinfo=UTC)
START_MS = round(START.timestamp() * 1000)
GREEN, YELLOW, OFF, ON = 1, 8, 81, 82
LANE = LanePlace(1, "j", "west", "w_1", (2,), 5, NO_LOOP)


def log(rows: list[tuple[float, int, int]]) -> pl.LazyFrame:
    """A log of device 1 from (second, code, parameter)."""
    return pl.LazyFrame(
        {
            "timestamp": [START + timedelta(seconds=s) for s, _, _ in rows],
            "device_id": [1] * len(rows),
            "event_id": [code for _, code, _ in rows],
            "parameter": [parameter for _, _, parameter in rows],
        },
        schema={
            "timestamp": pl.Datetime("ms", "UTC"),
            "device_id": pl.UInt32,
            "event_id": pl.UInt16,
            "parameter": pl.UInt16,
        },
    )


def test_counts_occupancy_green_and_standing_of_two_greens() -> None:
    """Green 10-30 and 50-65 s of 80. One passage of 2 s, then a vehicle from 20 s on that leaves at 55 s.

    It stands through 10 s of the first green and 5 s of the second: 10 s up to 40 s and 60 s in bins 1 and 2, and 15 s
    when it goes, in bin 2 (40-60 s).
    """
    rows = [
        (5.0, ON, 5),
        (7.0, OFF, 5),
        (10.0, GREEN, 2),
        (20.0, ON, 5),
        (30.0, YELLOW, 2),
        (50.0, GREEN, 2),
        (55.0, OFF, 5),
        (65.0, YELLOW, 2),
    ]
    found = lane_series(log(rows), [LANE], start_ms=START_MS, end_ms=START_MS + 85_000, bin_s=20.0)
    assert found.stop_count[:, 0].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert found.stop_occupancy[:, 0].tolist() == pytest.approx([0.1, 1.0, 0.75, 0.0])
    assert found.green_s[:, 0].tolist() == [10.0, 10.0, 10.0, 5.0]
    assert found.stop_standing_s[:, 0].tolist() == [0.0, 10.0, 15.0, 0.0]
    assert np.isnan(found.advance_count).all()
    assert found.ends_s().tolist() == [20.0, 40.0, 60.0, 80.0]


def test_a_vehicle_that_never_leaves_stands_on() -> None:
    """On at 5 s, green all the time from 0 s, no off: 15, 35 and 55 s."""
    found = lane_series(
        log([(0.0, GREEN, 2), (5.0, ON, 5)]), [LANE], start_ms=START_MS, end_ms=START_MS + 60_000, bin_s=20.0
    )
    assert found.stop_standing_s[:, 0].tolist() == [15.0, 35.0, 55.0]
    assert found.stop_occupancy[:, 0].tolist() == pytest.approx([0.75, 1.0, 1.0])


def test_two_groups_of_a_lane_are_green_together_once() -> None:
    """Groups 2 (0-10 s) and 3 (5-15 s): 15 s of green, not 20."""
    lane = LanePlace(1, "j", "west", "w_1", (2, 3), 5, NO_LOOP)
    rows = [(0.0, GREEN, 2), (5.0, GREEN, 3), (10.0, YELLOW, 2), (15.0, YELLOW, 3), (20.0, OFF, 5)]
    found = lane_series(log(rows), [lane], start_ms=START_MS, end_ms=START_MS + 20_000, bin_s=20.0)
    assert found.green_s[0, 0] == 15.0


def test_a_part_begins_where_it_was_cut() -> None:
    """Bins 1 and 2 of 4."""
    rows = [(0.0, GREEN, 2), (25.0, ON, 5), (26.0, OFF, 5)]
    found = lane_series(log(rows), [LANE], start_ms=START_MS, end_ms=START_MS + 80_000, bin_s=20.0)
    part = part_of(found, 1, 3)
    assert part.ends_s().tolist() == [40.0, 60.0]
    assert part.stop_count[:, 0].tolist() == [1.0, 0.0]


def second_by_second(rows: list[tuple[float, int, int]], bins: int) -> dict[str, list[float]]:
    """The same bins in steps of a second, as the words say; times are whole seconds."""
    changes: dict[tuple[int, int], list[int]] = {}
    for t, code, _ in rows:
        changes.setdefault((int(t), code), []).append(code)
    green = on = False
    standing = 0.0
    out: dict[str, list[float]] = {name: [0.0] * bins for name in ("count", "occupancy", "green", "standing")}
    for t in range(bins * 20):
        b = t // 20
        green = (green or (t, GREEN) in changes) and (t, YELLOW) not in changes
        if (t, OFF) in changes:
            on, standing = False, 0.0
        if (t, ON) in changes and not on:
            on, standing = True, 0.0
            out["count"][b] += 1
        out["occupancy"][b] += on / 20.0
        out["green"][b] += green
        standing += on and green
        out["standing"][b] = max(out["standing"][b], standing)
    return out


@pytest.mark.parametrize("seed", range(20))
def test_bins_agree_with_a_reading_second_by_second(seed: int) -> None:
    """Random greens and presences at whole seconds, in order, at least one second each."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[float, int, int]] = []
    for first, second, parameter, mean in ((GREEN, YELLOW, 2, 15), (ON, OFF, 5, 8)):
        t = int(rng.integers(0, 10))
        code = first
        while t < 200:
            rows.append((float(t), code, parameter))
            code = second if code == first else first
            t += 1 + int(rng.geometric(1 / mean))
    rows.sort()
    found = lane_series(log(rows), [LANE], start_ms=START_MS, end_ms=START_MS + 200_000, bin_s=20.0)
    slow = second_by_second(rows, 10)
    assert found.stop_count[:, 0].tolist() == slow["count"]
    assert found.stop_occupancy[:, 0].tolist() == pytest.approx(slow["occupancy"])
    assert found.green_s[:, 0].tolist() == pytest.approx(slow["green"])
    assert found.stop_standing_s[:, 0].tolist() == pytest.approx(slow["standing"])

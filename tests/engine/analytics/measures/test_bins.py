"""Bins follow the site's clock: 92, 96 and 100 quarters of an hour in a day, and no event without a bin."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from greensplit.engine.analytics import measures
from greensplit.engine.analytics.measures.bins import bins_over


def ms(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("day", "quarters"), [((2024, 3, 31), 92), ((2024, 6, 1), 96), ((2024, 10, 27), 100)]
)
def test_a_day_has_its_own_number_of_quarters(day: tuple[int, int, int], quarters: int) -> None:
    """Berlin loses an hour at the end of March and repeats one at the end of October."""
    begin = pl.Series([datetime(*day)]).dt.replace_time_zone("Europe/Berlin").dt.epoch("ms").item()
    end = begin + quarters * 900_000
    bins = bins_over(begin, end - 1, 15, "Europe/Berlin")
    inside = (bins.edges >= begin) & (bins.edges < end)
    assert inside.sum() == quarters
    assert (np.diff(bins.edges[inside]) == 900_000).all()


@pytest.mark.parametrize(("minutes", "hours"), [(60, [1, 1, 1, 1, 1, 1]), (120, [2, 3, 2])])
def test_the_repeated_hour_is_a_bin_of_its_own_or_makes_one_longer(minutes: int, hours: list[int]) -> None:
    """From local midnight on 27 October 2024: 22:00 UTC the day before."""
    begin = ms(2024, 10, 26, 22)
    bins = bins_over(begin, begin + 6 * 3_600_000, minutes, "Europe/Berlin")
    first = int(np.flatnonzero(bins.edges == begin)[0])
    assert (np.diff(bins.edges[first : first + len(hours) + 1]) / 3_600_000).tolist() == hours


def test_a_day_in_half_hour_zones_begins_at_local_midnight() -> None:
    """Kathmandu is 5 h 45 min ahead."""
    bins = bins_over(ms(2024, 5, 1), ms(2024, 5, 3), 1440, "Asia/Kathmandu")
    assert ms(2024, 5, 1, 18, 15) in bins.edges.tolist()


def test_hits_of_the_repeated_hour_are_two_bins() -> None:
    """One hit in each of the two local hours from two to three."""
    log = pl.DataFrame(
        {
            "timestamp": [
                datetime(2024, 10, 27, 0, 10, tzinfo=UTC),
                datetime(2024, 10, 27, 1, 10, tzinfo=UTC),
            ],
            "device_id": [1, 1],
            "event_id": [82, 82],
            "parameter": [5, 5],
        }
    )
    table = measures.actuations(log, bin_minutes=60, timezone="Europe/Berlin")
    assert table["timestamp"].dt.strftime("%H:%M %z").to_list() == ["02:00 +0200", "02:00 +0100"]
    assert table["total"].to_list() == [1, 1]

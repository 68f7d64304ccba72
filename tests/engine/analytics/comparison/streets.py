"""Streets whose change is known: trip tables, probe tables and event logs of planted effects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

BERLIN = ZoneInfo("Europe/Berlin")
FREE_FLOW_S = 60.0
LENGTH_M = 1000.0


def weekdays(first: date, count: int) -> list[date]:
    """The first ``count`` days of Monday to Friday from ``first`` on."""
    days = (first + timedelta(days=n) for n in range(3 * count + 7))
    return [day for day in days if day.weekday() < 5][:count]


def trips(
    days: Sequence[date],
    delay_s: float,
    seed: int,
    *,
    per_hour: int = 12,
    corridor: str = "main",
    spread_s: float = 2.0,
    correlation: float = 0.7,
) -> pl.DataFrame:
    """One vehicle a row, 6:00 to 20:00 local time: delay of the side plus that of the day, and noise that lingers."""
    random = np.random.default_rng(seed)
    rows = []
    for day in days:
        of_day, noise = random.normal(0.0, spread_s), 0.0
        for number in range(14 * per_hour):
            noise = correlation * noise + random.normal(0.0, 3.0)
            at = datetime(day.year, day.month, day.day, 6, tzinfo=BERLIN) + timedelta(hours=number / per_hour)
            rows.append((corridor, f"{day}-{number}", at.astimezone(UTC), delay_s + of_day + noise))
    frame = pl.DataFrame(
        rows,
        schema={
            "corridor": pl.String,
            "vehicle_id": pl.String,
            "depart": pl.Datetime("ms", "UTC"),
            "delay_s": pl.Float64,
        },
        orient="row",
    )
    return frame.with_columns(
        travel_time_s=FREE_FLOW_S + pl.col("delay_s"),
        free_flow_s=pl.lit(FREE_FLOW_S),
        length_m=pl.lit(LENGTH_M),
    )


CYCLE_S, GREEN_S, YELLOW_S = 60, 30, 3


def log(days: Sequence[date], arrival_s: Sequence[int], seed: int, *, device: int = 7) -> pl.DataFrame:
    """A fixed cycle of a minute (30 s green from its begin), a vehicle at each of the seconds ``arrival_s`` of a cycle.

    One in twenty vehicles is left out by lot, so that days differ.
    """
    random = np.random.default_rng(seed)
    rows = []
    for day in days:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        begin_ms = int(midnight.timestamp() * 1000)
        for cycle in range(1440):
            t = begin_ms + cycle * CYCLE_S * 1000
            rows += [(t, 1, 2), (t + GREEN_S * 1000, 8, 2), (t + (GREEN_S + YELLOW_S) * 1000, 9, 2)]
            rows += [(t + (GREEN_S + YELLOW_S) * 1000, 10, 2)]
            for second in arrival_s:
                if random.random() < 0.95:
                    rows += [(t + second * 1000 + 200, 82, 1), (t + second * 1000 + 700, 81, 1)]
    frame = pl.DataFrame(rows, schema=["t", "event_id", "parameter"], orient="row").sort(
        "t", maintain_order=True
    )
    return frame.select(
        timestamp=pl.col("t").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"),
        device_id=pl.lit(device),
        event_id="event_id",
        parameter="parameter",
    )

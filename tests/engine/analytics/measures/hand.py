"""Logs worked out by hand: seconds after eight, event, parameter, of device 1."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

__all__ = ["BEGIN", "at", "log_of", "one_row"]

BEGIN = datetime(2024, 1, 1, 8, tzinfo=UTC)
SCHEMA = {
    "timestamp": pl.Datetime("ms", "UTC"),
    "device_id": pl.Int32,
    "event_id": pl.Int32,
    "parameter": pl.Int32,
}


def at(seconds: float) -> datetime:
    """The time so many seconds after eight."""
    return BEGIN + timedelta(seconds=seconds)


def log_of(*events: tuple[float, int, int], device: int = 1) -> pl.DataFrame:
    """A log of one device."""
    rows = [(at(t), device, event, parameter) for t, event, parameter in events]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def one_row(table: pl.DataFrame) -> dict[str, Any]:
    """The only row of a table."""
    assert table.height == 1, table
    return table.row(0, named=True)

"""Bins in local time over data in UTC."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from ...errors import InputError

__all__ = ["check_timezone", "local", "local_bin"]

HOUR = timedelta(hours=1)


def check_timezone(timezone: str) -> str:
    """The name of a time zone (IANA). Raises InputError for another."""
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as err:
        raise InputError(f"time zone: expected a name such as Europe/Berlin, found {timezone!r}") from err
    return timezone


def local(column: str, timezone: str) -> pl.Expr:
    """A UTC time as the clock of the site shows it; the instant is the same."""
    return pl.col(column).dt.convert_time_zone(check_timezone(timezone))


def local_bin(column: str, width: timedelta, timezone: str) -> pl.Expr:
    """Start of the bin that a UTC time is in, in the site's zone, bins counted from local midnight.

    Bins of an hour or less divide the hour, so that the hour that comes twice in autumn has bins of its own each time;
    wider ones divide the day by the clock, and one of them is an hour longer or shorter on such days. Raises InputError
    for a width that divides neither.
    """
    if width <= timedelta(0) or (HOUR % width if width <= HOUR else timedelta(days=1) % width):
        raise InputError(f"bin: expected a width that divides an hour or a day, found {width}")
    shown = local(column, timezone)
    return shown.dt.truncate(width)

"""Periods of the day on the local clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from ...errors import InputError
from ..statistics import Period
from ..statistics.matching import WEEKDAYS

__all__ = ["DEFAULT_PERIODS", "TOTAL", "parse_days", "parse_periods"]

TOTAL = "total"
DEFAULT_PERIODS = "am=07:00-09:00,md=11:00-13:00,pm=16:00-18:00"


def parse_periods(text: str, weekdays: Sequence[int] = WEEKDAYS) -> tuple[Period, ...]:
    """The whole day as ``total``, then NAME=HH:MM-HH:MM with commas between. Raises InputError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    days = tuple(weekdays)
    found = [Period(TOTAL, time.min, time.max, days), *(_period(part, days) for part in parts)]
    names = [period.name for period in found]
    if len(set(names)) < len(names):
        raise InputError(f"--periods: expected each name once and none called {TOTAL}, found {text}")
    return tuple(found)


def parse_days(text: str) -> tuple[int, ...]:
    """ISO weekdays such as 1-5 or 6,7. Raises InputError."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        try:
            found |= set(range(int(first), int(last or first) + 1))
        except ValueError:
            found.add(0)
    if not found or not found <= set(range(1, 8)):
        raise InputError(f"--weekdays: expected days of 1 (Monday) to 7 such as 1-5, found {text}")
    return tuple(sorted(found))


def _period(text: str, weekdays: tuple[int, ...]) -> Period:
    name, equals, span = text.partition("=")
    begin, dash, end = span.partition("-")
    try:
        if not (name and equals and dash):
            raise ValueError(text)
        last = time.max if end.strip() == "24:00" else time.fromisoformat(end.strip())
        return Period(name.strip(), time.fromisoformat(begin.strip()), last, weekdays)
    except ValueError as err:
        raise InputError(
            f"--periods: expected NAME=HH:MM-HH:MM such as am=07:00-09:00, found {text}"
        ) from err

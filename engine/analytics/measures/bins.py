"""Bins of local time over UTC instants: edges that follow the site's clock through summer time and back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import polars as pl

from ...errors import InputError

__all__ = ["Bins", "bins_over"]

DAY_MIN = 1440
OFFSET_STEP_MIN = 15
MARGIN_MS = 3_600_000
MS_PER_MIN = 60_000


@dataclass(frozen=True, slots=True)
class Bins:
    """Bins of ``minutes`` of local time. ``edges`` (n + 1,) int64 are UTC milliseconds; bin b is edges[b:b + 2].

    On the day that summer time ends bins up to an hour come twice, longer ones last an hour more.
    """

    minutes: int
    timezone: str
    edges: npt.NDArray[np.int64]
    _others: dict[int, Bins] = field(default_factory=dict, repr=False)

    @property
    def count(self) -> int:
        """Number of bins."""
        return len(self.edges) - 1

    def index(self, t_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The bin of each time."""
        return np.searchsorted(self.edges, t_ms, side="right") - 1

    def start(self, t_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Where the bin of each time begins."""
        return self.edges[self.index(t_ms)]

    def finer(self, minutes: int) -> Bins:
        """Bins of another width over the same time. Raises InputError unless they fit into these."""
        if self.minutes % minutes:
            raise InputError(
                f"expected a part of the bin of {self.minutes} min, found {minutes} min for silences"
            )
        if minutes not in self._others:
            begin, end = int(self.edges[0]), int(self.edges[-1]) - 1
            self._others[minutes] = bins_over(begin, end, minutes, self.timezone, margin_ms=0)
        return self._others[minutes]


def bins_over(begin_ms: int, end_ms: int, minutes: int, timezone: str, margin_ms: int = MARGIN_MS) -> Bins:
    """Bins that cover the time from ``begin_ms`` to ``end_ms`` with an hour to spare.

    Raises InputError for a width that does not divide a day, or an unknown time zone.
    """
    if minutes <= 0 or DAY_MIN % minutes:
        raise InputError(f"expected a bin that divides a day of 1440 min, found {minutes} min")
    _require_zone(timezone)
    step_ms = math.gcd(minutes, OFFSET_STEP_MIN) * MS_PER_MIN
    spare_ms = margin_ms + minutes * MS_PER_MIN + 2 * MARGIN_MS
    first = (begin_ms - spare_ms) // step_ms * step_ms
    instants = np.arange(
        first, end_ms + spare_ms + 2 * step_ms + minutes * MS_PER_MIN, step_ms, dtype=np.int64
    )
    offset_min = _offsets_min(instants, timezone)
    local_min = instants // MS_PER_MIN + offset_min
    number = local_min // minutes
    changes = np.diff(number) != 0
    if minutes <= 60:
        changes |= np.diff(offset_min) != 0
    edges = instants[1:][changes]
    inside = edges[(np.searchsorted(edges, begin_ms - margin_ms, side="right") - 1) :]
    return Bins(
        minutes, timezone, inside[: np.searchsorted(inside, end_ms + margin_ms, side="right") + 1].copy()
    )


def _require_zone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as err:
        raise InputError(f"expected a time zone like Europe/Berlin, found {timezone}") from err


def _offsets_min(instants: npt.NDArray[np.int64], timezone: str) -> npt.NDArray[np.int64]:
    """Minutes that local time is ahead of UTC."""
    if timezone == "UTC":
        return np.zeros(len(instants), np.int64)
    local = (
        pl.Series(instants)
        .cast(pl.Datetime("ms", "UTC"))
        .dt.convert_time_zone(timezone)
        .dt.replace_time_zone(None)
        .dt.epoch("ms")
        .to_numpy()
    )
    return (local - instants) // MS_PER_MIN

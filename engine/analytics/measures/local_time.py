"""Building blocks: days and minutes of the day by the site's clock."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from ..log.events import DeviceLog
from .bins import Bins, bins_over

__all__ = ["DAY_MIN", "days_of", "minute_of_day"]

DAY_MIN = 1440
MIN_PER_H = 60


def days_of(device: DeviceLog, timezone: str) -> Bins:
    """The local days that the log touches, and an hour on either side."""
    return device.once(
        ("days", timezone), lambda: bins_over(device.log_begin_ms, device.log_end_ms, DAY_MIN, timezone)
    )


def minute_of_day(t_ms: npt.NDArray[np.int64], timezone: str) -> npt.NDArray[np.int64]:
    """Minutes that the local clock is past midnight."""
    local = pl.Series(t_ms, dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")).dt.convert_time_zone(timezone)
    hours: npt.NDArray[np.int64] = local.dt.hour().to_numpy().astype(np.int64)
    minutes: npt.NDArray[np.int64] = local.dt.minute().to_numpy().astype(np.int64)
    return hours * MIN_PER_H + minutes

"""Is there data at all: bins in which a device logged throughout."""

from __future__ import annotations

import numpy as np

from ..kernels.counting import count_in_bins
from ..log.events import DeviceLog
from ..log.packing import PARAMETER_BITS
from .record import Rows, Setting

__all__ = ["has_data"]

LAST_COMMON_EVENT = 218
"""Events above are the vendors' own and may go on while the controller is silent."""


def has_data(device: DeviceLog, setting: Setting, *, no_data_min: int = 5, min_data_points: int = 3) -> Rows:
    """Bins whose every part of ``no_data_min`` minutes has at least ``min_data_points`` events."""
    bins, parts = setting.bins, setting.bins.finer(no_data_min)
    events = np.zeros(parts.count, np.int64)
    largest = ((LAST_COMMON_EVENT + 1) << PARAMETER_BITS) - 1
    count_in_bins(device.t_ms, device.code, largest, parts.edges, events)
    of_part = bins.index(parts.edges[:-1])
    inside = (of_part >= 0) & (of_part < bins.count)
    expected = np.bincount(of_part[inside], minlength=bins.count)
    found = np.bincount(of_part[inside], events[inside] >= min_data_points, minlength=bins.count)
    return {"timestamp": bins.edges[:-1][(found == expected) & (found > 0)]}

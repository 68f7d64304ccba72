"""How many: detector actuations per bin."""

from __future__ import annotations

import numpy as np

from ...events import DETECTOR_ON
from ..kernels.counting import count_by_number, count_in_bins
from ..log.events import DeviceLog
from .grouping import slots
from .record import Rows, Setting

__all__ = ["actuations"]

ANY_CODE = (1 << 30) - 1


def actuations(device: DeviceLog, setting: Setting, *, fill_in_missing: bool = False) -> Rows:
    """Number of times that each detector went on, per bin.

    With ``fill_in_missing`` also the zeros, in bins in which the device logged anything.
    """
    hits = device.of(DETECTOR_ON)
    channels, slot = slots(hits.parameter)
    counts = np.zeros((setting.bins.count, len(channels)), np.int64)
    count_by_number(hits.t_ms, slot, setting.bins.edges, counts)
    wanted = counts > 0
    if fill_in_missing:
        events = np.zeros(setting.bins.count, np.int64)
        count_in_bins(device.t_ms, device.code, ANY_CODE, setting.bins.edges, events)
        wanted |= (events > 0)[:, None]
    at, which = np.nonzero(wanted)
    return {
        "timestamp": setting.bins.edges[at],
        "detector": channels[which],
        "total": counts[at, which],
    }

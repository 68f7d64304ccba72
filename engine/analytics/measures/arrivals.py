"""Arrivals on green: what the phase showed when vehicles passed its advance detectors."""

from __future__ import annotations

import numpy as np

from ...events import BEGIN_GREEN
from ..kernels.counting import count_by_number
from ..log.events import DeviceLog
from .phases import hits_with_state
from .record import Rows, Setting

__all__ = ["arrival_on_green"]


def arrival_on_green(device: DeviceLog, setting: Setting, *, latency_offset_seconds: float = 0.0) -> Rows:
    """Hits of advance detectors and the share of them on green, per bin and phase.

    A bin without a hit on green has no row, as in the package. ``latency_offset_seconds`` moves hits back.
    """
    hits = hits_with_state(device, "advance", latency_offset_seconds)
    phases, slot = np.unique(hits.phase, return_inverse=True)
    total = np.zeros((setting.bins.count, len(phases)), np.int64)
    green = np.zeros_like(total)
    count_by_number(hits.t_ms, slot.astype(np.int64), setting.bins.edges, total)
    on_green = hits.state == BEGIN_GREEN
    count_by_number(hits.t_ms[on_green], slot[on_green].astype(np.int64), setting.bins.edges, green)
    at, which = np.nonzero(green)
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phases[which],
        "total_actuations": total[at, which],
        "percent_aog": (green[at, which] / total[at, which]).astype(np.float32),
    }

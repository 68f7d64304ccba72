"""Detectors: on/off events to presence, counts and occupancy. Repeated or lost off-events do not disturb the state."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..events import DETECTOR_OFF, DETECTOR_ON
from ..model.compiled import Detection, Signals
from .jit import kernel
from .state import Detectors

__all__ = ["take_detections"]


@kernel
def take_detections(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    index: npt.NDArray[np.int32],
    t_ms: npt.NDArray[np.int64],
    on: npt.NDArray[np.uint8],
    count: int,
    out: npt.NDArray[np.void],
) -> int:
    """Take ``count`` events, in time order per detector, into the state and code them into ``out``; rows written.

    ``index`` (E,) is the detector's position in ``detection``, ``on`` (E,) 1 or 0. An on while on and an off while
    off change nothing and are not logged.
    """
    written = 0
    for i in range(count):
        d = index[i]
        if detectors.on[d] == on[i]:
            continue
        detectors.on[d] = on[i]
        if on[i]:
            detectors.on_ms[d] = t_ms[i]
            detectors.actuations[d] += 1
        else:
            detectors.off_ms[d] = t_ms[i]
            detectors.occupied_ms[d] += t_ms[i] - detectors.on_ms[d]
        row = out[written]
        row["t_ms"] = t_ms[i]
        row["device"] = signals.device_id[detection.detector_junction[d]]
        row["event"] = DETECTOR_ON if on[i] else DETECTOR_OFF
        row["parameter"] = detection.channel[d]
        written += 1
    return written

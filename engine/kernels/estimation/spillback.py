"""Where there is no room: loops behind the junction, and advance loops of open lanes, that are hardly ever free.

Occupancy is smoothed over OCCUPANCY_S, so that a loop under a standing queue passes FULL after 6.4 s and one under
a crawling queue somewhat later.
"""

from __future__ import annotations

from math import exp

import numpy as np
import numpy.typing as npt

from ...model.compiled import Detection
from ..detectors import Detectors
from ..jit import kernel
from .traffic import Traffic

__all__ = ["update_spillback"]

OCCUPANCY_S = 4.0
FULL = 0.8
FREE = 0.5


@kernel
def update_spillback(
    detection: Detection,
    detectors: Detectors,
    level: npt.NDArray[np.uint8],
    traffic: Traffic,
    step_ms: int,
) -> None:
    """Move occupancies and flags on by ``step_ms``. ``level`` (D,): a loop that is not sound says nothing."""
    weight = 1.0 - exp(-step_ms / (1000.0 * OCCUPANCY_S))
    for lane in range(len(detection.advance)):
        d = detection.advance[lane]
        if d < 0 or level[d]:
            traffic.lane_full[lane] = 0
            continue
        occupancy = traffic.advance_occupancy[lane]
        occupancy += weight * (detectors.on[d] - occupancy)
        traffic.advance_occupancy[lane] = occupancy
        least = FREE if traffic.lane_full[lane] else FULL
        traffic.lane_full[lane] = traffic.was_open[lane] == 1 and occupancy > least
    last = 0
    while last < len(detection.exit_group):
        group = detection.exit_group[last]
        first, last = detection.exit_ptr[group], detection.exit_ptr[group + 1]
        least = FREE if traffic.exit_full[group] else FULL
        full, known = True, False
        for i in range(first, last):
            d = detection.exit_detector[i]
            if level[d]:
                continue
            known = True
            occupancy = traffic.exit_occupancy[i]
            occupancy += weight * (detectors.on[d] - occupancy)
            traffic.exit_occupancy[i] = occupancy
            full = full and occupancy > least
        traffic.exit_full[group] = full and known

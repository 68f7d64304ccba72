"""What the controller goes by at each junction: which loops its lanes have, and whether all can be trusted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.health.state import OWN
from greensplit.engine.kernels.jit import kernel
from greensplit.engine.model.compiled import Detection

__all__ = ["DISTRUST", "MODES", "SIGHT", "tell_modes"]

MODES = (
    "no loops",
    "stop-bar loops",
    "advance loops",
    "stop-bar and advance loops",
    "some loops not trusted",
    "every vehicle in sight",
)
STOP_BAR, ADVANCE, DISTRUST, SIGHT = 1, 2, 4, 5


@kernel
def tell_modes(detection: Detection, level: npt.NDArray[np.uint8], mode: npt.NDArray[np.uint8]) -> None:
    """Position in MODES of every junction, into ``mode`` (J,); ``level`` (D,) is OWN where a loop is trusted."""
    for j in range(len(mode)):
        found, trusted = 0, True
        for lane in range(detection.lane_ptr[j], detection.lane_ptr[j + 1]):
            stop, advance = detection.stop_bar[lane], detection.advance[lane]
            if stop >= 0:
                found |= STOP_BAR
                trusted = trusted and level[stop] == OWN
            if advance >= 0:
                found |= ADVANCE
                trusted = trusted and level[advance] == OWN
        mode[j] = found if trusted else DISTRUST

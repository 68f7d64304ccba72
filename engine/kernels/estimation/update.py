"""One tick of the estimation, in the order in which one part needs the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...model.compiled import Detection, Signals
from ..jit import kernel
from ..state import NEVER_MS, Detectors, Lamps
from .announce import announce_arrivals
from .queues import update_queues
from .spillback import update_spillback
from .traffic import Traffic

__all__ = ["update_traffic"]

LONGEST_STEP_MS = 10_000


@kernel
def update_traffic(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    lamps: Lamps,
    stage: npt.NDArray[np.int32],
    level: npt.NDArray[np.uint8],
    rate_per_s: npt.NDArray[np.float32],
    traffic: Traffic,
    now_ms: int,
) -> None:
    """Bring ``traffic`` to ``now_ms``, ms since the start of the run; it is modified in place.

    ``stage`` (J,) is the running stage of each junction, local. ``level`` (D,) says what each detector is worth: 0 its
    own actuations, 1 to 3 ``rate_per_s`` (D,) in their place, 4 nothing is known. ``detectors`` holds the events up to
    ``now_ms``, ``lamps`` what was shown up to then.
    """
    if traffic.updated_ms[0] == NEVER_MS:
        step_ms = 0
    else:
        step_ms = min(now_ms - traffic.updated_ms[0], LONGEST_STEP_MS)
    traffic.updated_ms[0] = now_ms
    announce_arrivals(signals, detection, detectors, level, rate_per_s, traffic, step_ms, now_ms)
    update_queues(signals, detection, detectors, lamps, stage, level, traffic, step_ms, now_ms)
    update_spillback(signals, detection, detectors, level, traffic, step_ms)

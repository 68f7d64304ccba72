"""One tick of the estimation, in the order in which one part needs the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...model.compiled import Detection
from ...model.upstream import Links
from ..detectors import Detectors
from ..jit import kernel
from ..state import NEVER_MS, Lamps
from .arrivals import update_arrivals
from .outflow import take_departures
from .queues import update_queues
from .spillback import update_spillback
from .traffic import Traffic
from .travel import Travel
from .turning import learn_turns

__all__ = ["update_traffic"]

LONGEST_STEP_MS = 10_000


@kernel
def update_traffic(
    group_ptr: npt.NDArray[np.int32],
    detection: Detection,
    links: Links,
    travel: Travel,
    detectors: Detectors,
    lamps: Lamps,
    stage: npt.NDArray[np.int32],
    level: npt.NDArray[np.uint8],
    rate_per_s: npt.NDArray[np.float32],
    traffic: Traffic,
    now_ms: int,
) -> None:
    """Bring ``traffic`` to ``now_ms``, ms since the start of the run; it is modified in place.

    ``group_ptr`` (J + 1,) is that of ``Signals``, ``stage`` (J,) the running stage of each junction, local. ``level``
    (D,) says what each detector is worth: 0 its own actuations, 1 to 3 ``rate_per_s`` (D,) in their place, 4 nothing is
    known. ``detectors`` holds the events up to ``now_ms``, ``lamps`` what was shown up to then.
    """
    if traffic.updated_ms[0] == NEVER_MS:
        step_ms = 0
    else:
        step_ms = min(now_ms - traffic.updated_ms[0], LONGEST_STEP_MS)
    traffic.updated_ms[0] = now_ms
    left_veh, outflow, turning = traffic.left_veh, traffic.outflow, traffic.turning
    update_queues(group_ptr, detection, detectors, lamps, stage, level, traffic, step_ms, now_ms)
    update_spillback(detection, detectors, level, traffic, step_ms)
    take_departures(links, detectors, lamps, turning, level, left_veh, outflow, now_ms)
    learn_turns(links, lamps, left_veh, outflow.seen_veh, turning, now_ms)
    update_arrivals(
        detection, links, travel, detectors, level, rate_per_s, left_veh, outflow, traffic.arrivals, now_ms
    )

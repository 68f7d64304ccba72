"""Who calls, so that the bound on red holds for everybody of whom anything is known, or nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.detectors import Detectors
from greensplit.engine.kernels.health.state import OWN
from greensplit.engine.kernels.jit import kernel
from greensplit.engine.kernels.state import NEVER_MS, Machine
from greensplit.engine.model.compiled import Detection, Signals

from ..switching import is_green
from .demand import Demand

__all__ = ["CALLS_VEH", "note_calls"]

CALLS_VEH = 0.5


@kernel
def note_calls(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    level: npt.NDArray[np.uint8],
    machine: Machine,
    demand: Demand,
    now_ms: int,
    call_ms: npt.NDArray[np.int64],
) -> None:
    """When each red group was first called since its green ended, NEVER_MS while nobody waits: (G,) ``call_ms``.

    Pedestrians always call, and so does a lane of whose loops none can be trusted: ``level`` (D,) is not OWN.
    """
    for j in range(len(signals.device_id)):
        first = signals.group_ptr[j]
        for group in range(first, signals.group_ptr[j + 1]):
            if is_green(machine.lamps.aspect[group]):
                call_ms[group] = NEVER_MS
            elif signals.is_pedestrian[group] and call_ms[group] == NEVER_MS:
                call_ms[group] = now_ms
        for lane in range(detection.lane_ptr[j], detection.lane_ptr[j + 1]):
            stop, advance = detection.stop_bar[lane], detection.advance[lane]
            has_stop = stop >= 0 and level[stop] == OWN
            is_blind = not has_stop and (advance < 0 or level[advance] != OWN)
            stands = has_stop and detectors.on[stop] != 0
            if not (is_blind or stands or demand.queue_veh[lane] > CALLS_VEH):
                continue
            for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
                group = first + detection.lane_group[i]
                if not is_green(machine.lamps.aspect[group]) and call_ms[group] == NEVER_MS:
                    call_ms[group] = now_ms

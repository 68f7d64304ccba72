"""What is known about traffic now, for all controllers: a NamedTuple of arrays over lanes, moved on once a tick."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...model.compiled import Detection, Signals
from ..state import NEVER_MS
from .discharge import Discharge, new_discharge

__all__ = ["JAM_M", "RECALL", "RING_S", "Traffic", "new_traffic"]

F32 = npt.NDArray[np.float32]

RING_S = 128
JAM_M = 7.5  # from front to front in a standing queue
RECALL = 4  # level of a detector about which nothing is known


class Traffic(NamedTuple):
    """Lanes are those of ``Detection``. Vehicles are expected numbers, with their variance; nothing is negative.

    Second s is at ``arrival_veh[lane, s % RING_S]``, for s from now to 120 s ahead; the present second is taken out
    and added to the queue. ``left_veh`` is for one tick. Waiting times are those of the queue: their sum, and that of
    its head. ``longest_m`` is how far the last queue beyond the advance loop reached.
    """

    arrival_veh: F32  # (L, RING_S) expected at the stop line in each second
    spread: F32  # (L,) variance of arrivals over their mean
    queue_veh: F32  # (L,) who would have crossed the stop line at free flow by now, and has not
    queue_var: F32  # (L,)
    waited_veh_s: F32  # (L,)
    oldest_s: F32  # (L,)
    left_veh: F32  # (L,) crossed the stop line in this tick
    lane_blocked: npt.NDArray[np.uint8]  # (L,) open, but no room behind the junction
    lane_full: npt.NDArray[np.uint8]  # (L,) vehicles stand on the advance loop though the lane is open
    exit_full: npt.NDArray[np.uint8]  # (G,) no room behind the junction
    discharge: Discharge
    flow_per_s: F32  # (L,) smoothed arrivals
    announced_veh: F32  # (L,) by the advance loop, discounted
    departed_veh: F32  # (L,) over the stop line, discounted alike
    beyond_veh: F32  # (L,) of the queue, those behind the advance loop, which has not seen them
    counted_veh: F32  # (L,) in the ring, those who are in the queue already
    ahead_veh: F32  # (L,) in the ring, those who have left already
    gone_veh: F32  # (L,) since the start of green
    run_veh: F32  # (L,) while the stop-bar loop has been covered, those who left it
    longest_m: F32  # (L,)
    advance_occupancy: F32  # (L,) of the last seconds
    exit_occupancy: F32  # (X,) per entry of ``Detection.exit_detector``
    passed: npt.NDArray[np.int32]  # (L,) vehicles counted by the stop-bar loop so far
    seen: npt.NDArray[np.int32]  # (L,) vehicles counted by the advance loop so far
    heard: npt.NDArray[np.int32]  # (L,) of them, those announced
    left_ms: npt.NDArray[np.int64]  # (L,) when the last one left the stop-bar loop
    start_ms: npt.NDArray[np.int64]  # (L,) when the queue on the advance loop started (B)
    was_open: npt.NDArray[np.uint8]  # (L,)
    covered: npt.NDArray[np.uint8]  # (L,) the queue stands on the advance loop
    updated_ms: npt.NDArray[np.int64]  # (1,)


def new_traffic(signals: Signals, detection: Detection) -> Traffic:
    """Nobody anywhere, discharge as the prior has it."""
    lanes = len(detection.stop_bar)
    kinds: dict[str, type] = {"passed": np.int32, "seen": np.int32, "heard": np.int32}
    kinds |= {"left_ms": np.int64, "start_ms": np.int64, "was_open": np.uint8, "covered": np.uint8}
    kinds |= {"lane_full": np.uint8, "lane_blocked": np.uint8, "exit_full": np.uint8, "updated_ms": np.int64}
    sizes = {
        "arrival_veh": (lanes, RING_S),
        "exit_full": (len(signals.min_green_ms),),
        "exit_occupancy": (len(detection.exit_detector),),
        "updated_ms": (1,),
    }
    arrays: dict[str, Any] = {
        name: np.zeros(sizes.get(name, (lanes,)), kinds.get(name, np.float32))
        for name in Traffic._fields
        if name != "discharge"
    }
    for name in ("left_ms", "start_ms", "updated_ms"):
        arrays[name].fill(NEVER_MS)
    arrays["spread"].fill(1.0)
    return Traffic(discharge=new_discharge(signals, detection), **arrays)

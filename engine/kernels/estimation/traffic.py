"""What is known about traffic now, for all controllers: a NamedTuple of arrays over lanes, moved on once a tick."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...model.compiled import Detection, Signals
from ...model.upstream import Links
from ..state import NEVER_MS
from .discharge import Discharge, new_discharge
from .expectation import Arrivals, new_arrivals
from .outflow import Outflow, new_outflow
from .travel import Travel
from .turning import Turning, new_turning

__all__ = ["JAM_M", "Traffic", "new_traffic"]

F32 = npt.NDArray[np.float32]

JAM_M = 7.5  # from front to front in a standing queue


class Traffic(NamedTuple):
    """Lanes are those of ``Detection``. Vehicles are expected numbers, with their variance; nothing is negative.

    The ring of ``arrivals`` holds everybody who is due from now on. Of them ``early_veh``, the first, are in the queue
    already, and ``ahead_veh``, the next, have left. ``left_veh`` is for one tick. Waiting times are those of the queue:
    their sum, and that of its head. ``longest_m`` is how far the last queue over the advance loop reached.
    """

    queue_veh: F32  # (L,) who would have crossed the stop line at free flow by now, and has not
    queue_var: F32  # (L,)
    waited_veh_s: F32  # (L,)
    oldest_s: F32  # (L,)
    left_veh: F32  # (L,) crossed the stop line in this tick
    lane_blocked: npt.NDArray[np.uint8]  # (L,) open, but no room behind the junction
    lane_full: npt.NDArray[np.uint8]  # (L,) vehicles stand on the advance loop though the lane is open
    exit_full: npt.NDArray[np.uint8]  # (G,) no room behind the junction
    discharge: Discharge
    arrivals: Arrivals
    outflow: Outflow
    turning: Turning
    early_veh: F32  # (L,) in the ring, those who are in the queue already
    ahead_veh: F32  # (L,) in the ring, those who have left already
    gone_veh: F32  # (L,) since the start of green
    run_veh: F32  # (L,) while the stop-bar loop has been covered, those who left it
    longest_m: F32  # (L,)
    advance_occupancy: F32  # (L,) of the last seconds
    exit_occupancy: F32  # (X,) per entry of ``Detection.exit_detector``
    passed: npt.NDArray[np.uint16]  # (L,) vehicles counted by the stop-bar loop so far, modulo 2**16
    left_ms: npt.NDArray[np.int64]  # (L,) when the last one left the stop-bar loop, or the stage changed
    cell: npt.NDArray[np.uint8]  # (L,) of ``discharge``, the lane's own, when last green, and FRESH
    start_ms: npt.NDArray[np.int64]  # (L,) when the queue on the advance loop started (B)
    was_open: npt.NDArray[np.uint8]  # (L,)
    covered: npt.NDArray[np.uint8]  # (L,) the queue stands on the advance loop
    updated_ms: npt.NDArray[np.int64]  # (1,)


def new_traffic(
    signals: Signals, detection: Detection, links: Links, travel: Travel, *, plans: bool = False
) -> Traffic:
    """Nobody anywhere; discharge, flows and shares as their priors have them.

    ``plans`` tells whether anybody will publish any.
    """
    lanes = len(detection.stop_bar)
    kinds: dict[str, type] = {"passed": np.uint16}
    kinds |= {"left_ms": np.int64, "cell": np.uint8, "start_ms": np.int64}
    kinds |= {"was_open": np.uint8, "covered": np.uint8}
    kinds |= {"lane_full": np.uint8, "lane_blocked": np.uint8, "exit_full": np.uint8, "updated_ms": np.int64}
    sizes = {
        "exit_full": (len(signals.min_green_ms),),
        "exit_occupancy": (len(detection.exit_detector),),
        "updated_ms": (1,),
    }
    parts: dict[str, Any] = {
        "discharge": new_discharge(signals, detection),
        "arrivals": new_arrivals(detection, links, travel, plans=plans),
        "outflow": new_outflow(links, travel, plans=plans),
        "turning": new_turning(links),
    }
    arrays: dict[str, Any] = {
        name: np.zeros(sizes.get(name, (lanes,)), kinds.get(name, np.float32))
        for name in Traffic._fields
        if name not in parts
    }
    for name in ("left_ms", "start_ms", "updated_ms"):
        arrays[name].fill(NEVER_MS)
    return Traffic(**parts, **arrays)

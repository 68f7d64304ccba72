"""How fast each lane empties in each stage: as learned at the stop bar, nought where it could go nowhere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.detectors import Detectors
from greensplit.engine.kernels.estimation.discharge import Discharge, discharge_cell, headway_s
from greensplit.engine.kernels.health.state import OWN
from greensplit.engine.kernels.jit import kernel
from greensplit.engine.kernels.state import NEVER_MS, Machine
from greensplit.engine.model.aspects import RED
from greensplit.engine.model.compiled import Detection, Signals

from .board import Board

__all__ = ["STUCK_PER_S", "fill_rates"]

BLOCKED_MS = 4000
STUCK_PER_S = 1e-6  # open, but its head does not move


@kernel
def fill_rates(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    level: npt.NDArray[np.uint8],
    machine: Machine,
    discharge: Discharge,
    exit_full: npt.NDArray[np.uint8],
    board: Board,
    ready: npt.NDArray[np.bool_],
    now_ms: int,
    rate: npt.NDArray[np.float32],
) -> None:
    """Vehicles per second into ``rate`` (C,), cells as in ``Board``, for junctions that are ``ready`` (J,).

    ``level`` (D,) is OWN where a loop is trusted.
    """
    for j in range(len(signals.device_id)):
        if not ready[j]:
            continue
        first = detection.lane_ptr[j]
        lanes = detection.lane_ptr[j + 1] - first
        for stage in range(signals.stage_ptr[j + 1] - signals.stage_ptr[j]):
            for lane in range(lanes):
                at = board.cell_ptr[j] + stage * lanes + lane
                rate[at] = 0.0
                if board.share[at] > 0.0:
                    cell = discharge_cell(discharge, first + lane, stage)
                    share = _free_share(signals, detection, exit_full, j, stage, first + lane)
                    rate[at] = share / headway_s(discharge.served_veh[cell], discharge.served_s[cell])
        for lane in range(lanes):
            at = board.cell_ptr[j] + machine.stage[j] * lanes + lane
            loop = detection.stop_bar[first + lane]
            if rate[at] > 0.0 and loop >= 0 and level[loop] == OWN and detectors.on[loop] != 0:
                if _is_stuck(signals, detection, detectors.on_ms[loop], machine, j, first + lane, now_ms):
                    rate[at] = STUCK_PER_S


@kernel
def _free_share(
    signals: Signals,
    detection: Detection,
    exit_full: npt.NDArray[np.uint8],
    j: int,
    stage: int,
    lane: int,
) -> float:
    """Share of the lane's groups that the stage serves and whose exit is free."""
    shown = signals.stage_aspect_ptr[signals.stage_ptr[j] + stage]
    count, free = 0, 0
    for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
        local = detection.lane_group[i]
        count += 1
        free += signals.stage_aspect[shown + local] != RED and not exit_full[signals.group_ptr[j] + local]
    return free / max(count, 1)


@kernel
def _is_stuck(
    signals: Signals,
    detection: Detection,
    on_ms: int,
    machine: Machine,
    j: int,
    lane: int,
    now_ms: int,
) -> bool:
    """Has the head of a lane that is open, on its loop since ``on_ms``, not moved for a while?"""
    green_ms = NEVER_MS
    for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
        green_ms = max(green_ms, machine.lamps.green_ms[signals.group_ptr[j] + detection.lane_group[i]])
    return bool(now_ms - max(on_ms, green_ms) > BLOCKED_MS)

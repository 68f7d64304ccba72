"""How fast the queue of each lane leaves: saturation headway per lane and stage, start-up lost time per lane.

Headways are those between vehicles that leave the stop-bar loop one after the other while it is never free for long.
A head that finds no gap counts its time too, so a shared lane with yielding turns shows its own, slower discharge.
Sums are discounted per vehicle and start with a prior (HCM's ideal 1900 vehicles per hour and lane, made round).
"""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...model.aspects import PERMISSIVE, RED
from ...model.compiled import Detection, Signals
from ..jit import inlined

__all__ = [
    "NOWHERE",
    "PRIOR_HEADWAY_S",
    "Discharge",
    "discharge_cell",
    "headway_s",
    "learn_headway",
    "learn_start_up",
    "new_discharge",
]

F32 = npt.NDArray[np.float32]

PRIOR_HEADWAY_S = 2.0
PRIOR_START_UP_S = 2.0
PRIOR_VEH = 5.0
NOWHERE = 2  # neither yields nor does not
MEMORY = 0.98  # of 50 vehicles
LEAST_HEADWAY_S = 1.2
LONGEST_HEADWAY_S = 12.0
LONGEST_START_UP_S = 5.0
START_UP_WEIGHT = 0.1


class Discharge(NamedTuple):
    """A cell per lane and stage that serves it, the last of a lane for all other stages; see ``discharge_cell``."""

    cell_ptr: npt.NDArray[np.int32]  # (L + 1,)
    stage_ptr: npt.NDArray[np.int32]  # (L + 1,)
    stage_cell: npt.NDArray[np.uint8]  # per lane and stage of its junction, from ``cell_ptr``
    gives_way: npt.NDArray[np.uint8]  # (C,) 1 where the lane yields in the stage, NOWHERE for the last
    served_veh: F32  # (C,)
    served_s: F32  # (C,) that they took
    start_up_s: F32  # (L,) from the start of green to the time from which headways add up


def new_discharge(signals: Signals, detection: Detection) -> Discharge:
    """The prior everywhere."""
    lanes = len(detection.stop_bar)
    junctions = np.repeat(np.arange(len(signals.device_id)), np.diff(detection.lane_ptr))
    found = [_stage_cells(signals, detection, int(j), lane) for lane, j in enumerate(junctions)]
    cell_ptr = _ptr([len(gives_way) for _, gives_way in found])
    cells = int(cell_ptr[-1])
    return Discharge(
        cell_ptr=cell_ptr,
        stage_ptr=_ptr([len(of_lane) for of_lane, _ in found]),
        stage_cell=np.concatenate([np.zeros(0, np.uint8), *(of_lane for of_lane, _ in found)]),
        gives_way=np.concatenate([np.zeros(0, np.uint8), *(gives_way for _, gives_way in found)]),
        served_veh=np.full(cells, PRIOR_VEH, np.float32),
        served_s=np.full(cells, PRIOR_VEH * PRIOR_HEADWAY_S, np.float32),
        start_up_s=np.full(lanes, PRIOR_START_UP_S, np.float32),
    )


def _stage_cells(
    signals: Signals, detection: Detection, j: int, lane: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The lane's cell in each stage of its junction, and for each cell whether the lane gives way."""
    n = signals.group_ptr[j + 1] - signals.group_ptr[j]
    first, last = signals.stage_aspect_ptr[signals.stage_ptr[j : j + 2]]
    groups = detection.lane_group[detection.lane_group_ptr[lane] : detection.lane_group_ptr[lane + 1]]
    aspect = signals.stage_aspect[first:last].reshape(-1, n)[:, groups]
    is_served = (aspect != RED).any(axis=1)
    gives_way = (aspect[is_served] == PERMISSIVE).any(axis=1)
    cell = np.where(is_served, np.cumsum(is_served) - 1, is_served.sum()).astype(np.uint8)
    return cell, np.append(gives_way, NOWHERE).astype(np.uint8)


def _ptr(sizes: list[int]) -> npt.NDArray[np.int32]:
    return np.array([0, *accumulate(sizes)], np.int32)


@inlined
def discharge_cell(discharge: Discharge, lane: int, stage: int) -> int:
    """The lane's cell for a stage; that of stage 0 where the stage is not known."""
    return int(discharge.cell_ptr[lane]) + int(
        discharge.stage_cell[discharge.stage_ptr[lane] + max(stage, 0)]
    )


@inlined
def headway_s(served_veh: float, served_s: float) -> float:
    """Saturation headway of a cell, bounded."""
    return min(max(served_s / max(served_veh, 0.1), LEAST_HEADWAY_S), LONGEST_HEADWAY_S)


@inlined
def learn_headway(discharge: Discharge, cell: int, vehicles: float, took_s: float) -> None:
    """``vehicles`` left a standing queue in ``took_s``; none: its head stood for so long at green."""
    keep = MEMORY if vehicles > 0.0 else 1.0
    discharge.served_veh[cell] = keep * discharge.served_veh[cell] + vehicles
    discharge.served_s[cell] = keep * discharge.served_s[cell] + took_s


@inlined
def learn_start_up(discharge: Discharge, lane: int, cell: int, vehicles: float, since_green_s: float) -> None:
    """The first ``vehicles`` of a standing queue had left ``since_green_s`` after the start of green."""
    headway = headway_s(discharge.served_veh[cell], discharge.served_s[cell])
    seen = min(max(since_green_s - vehicles * headway, 0.0), LONGEST_START_UP_S)
    discharge.start_up_s[lane] += START_UP_WEIGHT * (seen - discharge.start_up_s[lane])

"""Vehicles that loops cannot see: those inside the junction. A stage is not left while they would stand in the way.

Two rules, measured on cologne3 over 20 seeds: without them its big junction locks for good on one seed in ten or
twenty, with left-turners of two stages waiting for each other between the lanes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.detectors import Detectors
from greensplit.engine.kernels.jit import kernel
from greensplit.engine.kernels.state import Machine
from greensplit.engine.model.aspects import GREEN, PERMISSIVE
from greensplit.engine.model.compiled import Detection, Signals

__all__ = ["clear_turners", "hold_starting", "is_lane_open"]

START_MS = 9000  # a queue starts over the stop line for about this long before it moves at speed
PASSED_MS = 1500
TURNER_MS = 5000  # how long a left-turner may have been waiting in the junction since it crossed its loop
GAP_MS = 2000  # opposing lanes empty for so long have let the turners go


@kernel
def hold_starting(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    machine: Machine,
    now_ms: int,
    ready: npt.NDArray[np.bool_],
) -> None:
    """Take back ``ready`` (J,) where a queue is still starting over the stop line, in the first START_MS of a stage.

    Those who enter slowly, late in the yellow, stand in the way of the next stage.
    """
    for j in range(len(signals.device_id)):
        if not ready[j] or now_ms - machine.since_ms[j] >= START_MS:
            continue
        for lane in range(detection.lane_ptr[j], detection.lane_ptr[j + 1]):
            if is_lane_open(signals, detection, machine, j, lane) and _is_crossed(
                detection, detectors, lane, now_ms, PASSED_MS
            ):
                ready[j] = False


@kernel
def clear_turners(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    machine: Machine,
    now_ms: int,
    request: npt.NDArray[np.int32],
    cleared: npt.NDArray[np.bool_],
) -> None:
    """Put a deployed stage that protects left-turners who wait in the junction before the requested one.

    ``request`` (J,) is modified in place, ``cleared`` (J,) is where.
    """
    for j in range(len(signals.device_id)):
        cleared[j] = False
        if request[j] < 0 or request[j] == machine.stage[j]:
            continue
        waiting = _waiting_turners(signals, detection, detectors, machine, j, now_ms)
        if waiting == 0 or _protects(signals, j, signals.stage_ptr[j] + request[j], waiting):
            continue
        for stage in range(signals.stage_ptr[j], signals.stage_ptr[j + 1]):
            if signals.stage_deployed[stage] and _protects(signals, j, stage, waiting):
                request[j] = stage - signals.stage_ptr[j]
                cleared[j] = True
                break


@kernel
def _waiting_turners(
    signals: Signals, detection: Detection, detectors: Detectors, machine: Machine, j: int, now_ms: int
) -> int:
    """Local groups, as bits, whose yielding left-turners crossed the stop line of late and found no gap since."""
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    found = 0
    for a in range(n):
        if machine.lamps.aspect[first + a] != PERMISSIVE:
            continue
        opposing = 0
        for i in range(signals.trap_ptr[j], signals.trap_ptr[j + 1]):
            if signals.trap[i, 0] == a:
                opposing |= 1 << signals.trap[i, 1]
        if _any_crossed(detection, detectors, j, 1 << a, now_ms, TURNER_MS) and _any_crossed(
            detection, detectors, j, opposing, now_ms, GAP_MS
        ):
            found |= 1 << a
    return found


@kernel
def _any_crossed(
    detection: Detection, detectors: Detectors, j: int, groups: int, now_ms: int, within_ms: int
) -> bool:
    """Has a vehicle been on the stop-bar loop of a lane of these groups, or is one there?"""
    for lane in range(detection.lane_ptr[j], detection.lane_ptr[j + 1]):
        for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
            if groups >> detection.lane_group[i] & 1 and _is_crossed(
                detection, detectors, lane, now_ms, within_ms
            ):
                return True
    return False


@kernel
def _is_crossed(detection: Detection, detectors: Detectors, lane: int, now_ms: int, within_ms: int) -> bool:
    stop = detection.stop_bar[lane]
    return stop >= 0 and bool(detectors.on[stop] or now_ms - detectors.off_ms[stop] < within_ms)


@kernel
def is_lane_open(signals: Signals, detection: Detection, machine: Machine, j: int, lane: int) -> bool:
    """Are all groups of the lane green?"""
    for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
        aspect = machine.lamps.aspect[signals.group_ptr[j] + detection.lane_group[i]]
        if aspect != GREEN and aspect != PERMISSIVE:
            return False
    return True


@kernel
def _protects(signals: Signals, j: int, stage: int, groups: int) -> bool:
    """Does the stage show protected green to all of these local groups?"""
    for local in range(signals.group_ptr[j + 1] - signals.group_ptr[j]):
        if groups >> local & 1 and signals.stage_aspect[signals.stage_aspect_ptr[stage] + local] != GREEN:
            return False
    return True

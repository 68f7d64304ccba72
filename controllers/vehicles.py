"""Vehicles on their way to each stop line, one by one: a controller that weighs each one's wait needs them so.

The loop's own estimation keeps sums per lane, with their variance. Here each lane keeps the expected stop-line times
of the vehicles that its advance loop announced, oldest first. In green they leave at the saturation headway; a gap at
the stop bar says that all who had arrived have left; a vehicle on the stop bar that nobody announced is added.
Vehicles seen by a loop that several lanes share count as fractions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.detectors import Detectors
from greensplit.engine.kernels.jit import kernel
from greensplit.engine.kernels.state import NEVER_MS, Lamps
from greensplit.engine.model.aspects import GREEN, PERMISSIVE
from greensplit.engine.model.compiled import Detection, Signals

__all__ = ["CAPACITY", "SATURATION_MS", "Vehicles", "new_vehicles", "update_vehicles"]

CAPACITY = 64
SATURATION_MS = 2000
START_UP_MS = 1500
GAP_MS = 2500
LOST_MS = 4000
COVERED_MS = 3000
APPROACH_SHARE = 0.9  # mean approach speed over the limit
VEHICLE_M = 7.0
FLOW_MEMORY_MS = 180_000.0
UNSEEN_PER_MS = 1.0 / 12_000.0  # least flow behind a covered loop: a starved lane shows none


class Vehicles(NamedTuple):
    """Per lane, a ring of vehicles: expected stop-line time and weight (a fraction where the loop is shared)."""

    arrival_ms: npt.NDArray[np.int64]  # (L, CAPACITY)
    weight: npt.NDArray[np.float64]  # (L, CAPACITY)
    head: npt.NDArray[np.int32]  # (L,)
    size: npt.NDArray[np.int32]  # (L,)
    seen: npt.NDArray[np.int64]  # (L,) advance actuations taken so far
    passed: npt.NDArray[np.int64]  # (L,) stop-bar actuations taken so far
    budget: npt.NDArray[np.float64]  # (L,) vehicles that may leave now
    pending: npt.NDArray[np.float64]  # (L,) unseen arrivals, by the flow, below one vehicle
    flow_per_ms: npt.NDArray[np.float64]  # (L,) smoothed arrivals
    updated_ms: npt.NDArray[np.int64]  # (1,)


def new_vehicles(detection: Detection) -> Vehicles:
    """Empty lanes."""
    lanes = len(detection.stop_bar)
    return Vehicles(
        arrival_ms=np.zeros((lanes, CAPACITY), np.int64),
        weight=np.zeros((lanes, CAPACITY)),
        head=np.zeros(lanes, np.int32),
        size=np.zeros(lanes, np.int32),
        seen=np.zeros(lanes, np.int64),
        passed=np.zeros(lanes, np.int64),
        budget=np.zeros(lanes),
        pending=np.zeros(lanes),
        flow_per_ms=np.zeros(lanes),
        updated_ms=np.full(1, NEVER_MS, np.int64),
    )


@kernel
def _push(vehicles: Vehicles, lane: int, arrival_ms: int, weight: float) -> None:
    if vehicles.size[lane] < CAPACITY:
        at = (vehicles.head[lane] + vehicles.size[lane]) % CAPACITY
        vehicles.arrival_ms[lane, at] = arrival_ms
        vehicles.weight[lane, at] = weight
        vehicles.size[lane] += 1


@kernel
def _push_front(vehicles: Vehicles, lane: int, arrival_ms: int, weight: float) -> None:
    if vehicles.size[lane] < CAPACITY:
        at = (vehicles.head[lane] - 1) % CAPACITY
        vehicles.head[lane] = at
        vehicles.arrival_ms[lane, at] = arrival_ms
        vehicles.weight[lane, at] = weight
        vehicles.size[lane] += 1


@kernel
def _leave(vehicles: Vehicles, lane: int, amount: float, until_ms: int) -> float:
    """Take up to ``amount`` vehicles that arrived by ``until_ms`` from the head; what was not used."""
    while amount > 0.0 and vehicles.size[lane] > 0:
        at = vehicles.head[lane]
        if vehicles.arrival_ms[lane, at] > until_ms:
            break
        if vehicles.weight[lane, at] > amount:
            vehicles.weight[lane, at] -= amount
            return 0.0
        amount -= vehicles.weight[lane, at]
        vehicles.head[lane] = (at + 1) % CAPACITY
        vehicles.size[lane] -= 1
    return amount


@kernel
def _waiting(vehicles: Vehicles, lane: int, until_ms: int) -> float:
    """Vehicles that should have reached the stop line by ``until_ms``."""
    total = 0.0
    for i in range(vehicles.size[lane]):
        at = (vehicles.head[lane] + i) % CAPACITY
        if vehicles.arrival_ms[lane, at] > until_ms:
            break
        total += vehicles.weight[lane, at]
    return total


@kernel
def _shares(detection: Detection, vehicles: Vehicles, lane: int, first: int, last: int) -> float:
    """Share of a shared advance loop's vehicles that come to this lane, from stop-bar counts so far."""
    mine, total = 1.0 + vehicles.passed[lane], 0.0
    for other in range(first, last):
        if detection.advance[other] == detection.advance[lane]:
            total += 1.0 + vehicles.passed[other]
    return float(mine / total)


@kernel
def update_vehicles(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    lamps: Lamps,
    vehicles: Vehicles,
    now_ms: int,
) -> None:
    """Advance every lane to ``now_ms``. ``vehicles`` is modified in place."""
    step_ms = min(now_ms - vehicles.updated_ms[0], 10_000) if vehicles.updated_ms[0] != NEVER_MS else 0
    vehicles.updated_ms[0] = now_ms
    for j in range(len(signals.device_id)):
        first, last = detection.lane_ptr[j], detection.lane_ptr[j + 1]
        for lane in range(first, last):
            _take_arrivals(detection, detectors, vehicles, lane, first, last, step_ms, now_ms)
            green_ms = _open_since(signals, detection, lamps, j, lane)
            if green_ms != NEVER_MS:
                _discharge(detection, detectors, vehicles, lane, green_ms, step_ms, now_ms)
            else:
                vehicles.budget[lane] = 0.0
            _correct(detection, detectors, vehicles, lane, green_ms != NEVER_MS, now_ms)


@kernel
def _open_since(signals: Signals, detection: Detection, lamps: Lamps, j: int, lane: int) -> int:
    """Start of green of the lane, NEVER_MS when it is red."""
    since_ms = NEVER_MS
    for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
        group = signals.group_ptr[j] + detection.lane_group[i]
        if lamps.aspect[group] == GREEN or lamps.aspect[group] == PERMISSIVE:
            since_ms = max(since_ms, lamps.green_ms[group])
    return since_ms


@kernel
def _take_arrivals(
    detection: Detection,
    detectors: Detectors,
    vehicles: Vehicles,
    lane: int,
    first: int,
    last: int,
    step_ms: int,
    now_ms: int,
) -> None:
    stop, advance = detection.stop_bar[lane], detection.advance[lane]
    crossed = detectors.actuations[stop] - vehicles.passed[lane] if stop >= 0 else 0
    vehicles.passed[lane] += crossed
    memory = min(1.0, step_ms / FLOW_MEMORY_MS)
    if advance < 0:
        vehicles.flow_per_ms[lane] += memory * (crossed / max(step_ms, 1) - vehicles.flow_per_ms[lane])
        if stop >= 0 and detectors.on[stop] and now_ms - detectors.on_ms[stop] > COVERED_MS:
            _take_unseen(detection, vehicles, lane, step_ms, now_ms)
        return
    came = detectors.actuations[advance] - vehicles.seen[lane]
    vehicles.seen[lane] += came
    share = _shares(detection, vehicles, lane, first, last)
    vehicles.flow_per_ms[lane] += memory * (came * share / max(step_ms, 1) - vehicles.flow_per_ms[lane])
    travel_ms = int(
        1000.0 * detection.advance_m[lane] / (APPROACH_SHARE * max(detection.speed_mps[lane], 1.0))
    )
    for _ in range(came):
        _push(vehicles, lane, now_ms + travel_ms, share)
    if detectors.on[advance] and now_ms - detectors.on_ms[advance] > COVERED_MS:
        _take_unseen(detection, vehicles, lane, step_ms, now_ms)


@kernel
def _take_unseen(detection: Detection, vehicles: Vehicles, lane: int, step_ms: int, now_ms: int) -> None:
    """A queue covers the loop: those who join behind it are not seen, the flow so far stands for them."""
    vehicles.pending[lane] += max(vehicles.flow_per_ms[lane], UNSEEN_PER_MS) * step_ms
    if vehicles.pending[lane] >= 1.0:
        vehicles.pending[lane] -= 1.0
        if _waiting(vehicles, lane, now_ms) < detection.storage_m[lane] / VEHICLE_M:
            _push(vehicles, lane, now_ms, 1.0)


@kernel
def _discharge(
    detection: Detection,
    detectors: Detectors,
    vehicles: Vehicles,
    lane: int,
    green_ms: int,
    step_ms: int,
    now_ms: int,
) -> None:
    stop = detection.stop_bar[lane]
    if now_ms - green_ms <= START_UP_MS:
        return
    stuck = (
        stop >= 0
        and detectors.on[stop]
        and now_ms - detectors.on_ms[stop] > LOST_MS
        and now_ms - green_ms > LOST_MS
    )
    if not stuck:
        allowed = vehicles.budget[lane] + step_ms / SATURATION_MS
        vehicles.budget[lane] = min(1.0, _leave(vehicles, lane, allowed, now_ms))
    if stop < 0:
        return
    since_ms = max(detectors.off_ms[stop], green_ms)
    if not detectors.on[stop] and now_ms - since_ms >= GAP_MS:
        _leave(vehicles, lane, 1e9, now_ms - 1000)


@kernel
def _correct(
    detection: Detection, detectors: Detectors, vehicles: Vehicles, lane: int, is_open: bool, now_ms: int
) -> None:
    """Presence at the stop bar overrules the count."""
    stop = detection.stop_bar[lane]
    if stop < 0:
        return
    if detectors.on[stop]:
        if _waiting(vehicles, lane, now_ms) < 0.5:
            _push_front(vehicles, lane, detectors.on_ms[stop], 1.0)
    elif not is_open and now_ms - detectors.off_ms[stop] > LOST_MS:
        _leave(vehicles, lane, 1e9, now_ms - LOST_MS)

"""Who wants to pass: the queue of every lane, and who will have come by each of the next seconds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.estimation.traffic import Traffic
from greensplit.engine.kernels.estimation.travel import RING
from greensplit.engine.kernels.jit import kernel
from greensplit.engine.loop import Truth
from greensplit.engine.model.compiled import Detection

__all__ = ["SIGHT_S", "Demand", "demand_from_loops", "demand_from_truth", "new_demand"]

SIGHT_S = 100
SLOW_MPS = 5.0
NEAR_M = 25.0  # a slow vehicle so near stands in the queue
QUEUE_M = 11.0  # from vehicle to vehicle in a queue, at most
SLOWNESS = 0.85  # drivers' speed over the limit, at least

F32 = npt.NDArray[np.float32]


class Demand(NamedTuple):
    """Vehicles per lane, expected numbers."""

    queue_veh: F32  # (L,)
    coming_veh: (
        F32  # (L, SIGHT_S + 1) at the stop line within t seconds from now, were it not for signal and queue
    )


def new_demand(lanes: int) -> Demand:
    """Nobody."""
    return Demand(np.zeros(lanes, np.float32), np.zeros((lanes, SIGHT_S + 1), np.float32))


@kernel
def demand_from_loops(traffic: Traffic, now_ms: int, demand: Demand) -> None:
    """What the estimation knows: the queue, and arrivals that are neither in it yet nor gone before their time."""
    second = now_ms // 1000
    arrival_veh = traffic.arrivals.arrival_veh
    for lane in range(len(traffic.queue_veh)):
        demand.queue_veh[lane] = traffic.queue_veh[lane]
        total = -float(traffic.early_veh[lane] + traffic.ahead_veh[lane])
        for t in range(SIGHT_S):
            total += arrival_veh[(second + t) % RING, lane]
            demand.coming_veh[lane, t + 1] = max(total, 0.0)


def demand_from_truth(
    detection: Detection, truth: Truth, arrival_veh: F32, range_m: float, now_ms: int, demand: Demand
) -> None:
    """Every vehicle within ``range_m`` of its stop line; beyond sight, the estimated ``arrival_veh`` (RING, L)."""
    order = np.lexsort((truth.distance_m, truth.lane))
    order = order[truth.distance_m[order] <= range_m]
    _place_vehicles(
        detection.speed_mps, truth.lane[order], truth.distance_m[order], truth.speed_mps[order], demand
    )
    _add_up(detection.speed_mps, arrival_veh, range_m, now_ms, demand)


@kernel
def _place_vehicles(
    limit_mps: F32,
    lane_of: npt.NDArray[np.int32],
    distance_m: npt.NDArray[np.float64],
    speed_mps: npt.NDArray[np.float64],
    demand: Demand,
) -> None:
    """Vehicles come lane by lane, nearest first. Whoever is slow, and near those ahead, stands in the queue."""
    demand.queue_veh[:] = 0.0
    demand.coming_veh[:] = 0.0
    ahead = 0
    for v in range(len(lane_of)):
        lane = lane_of[v]
        ahead = ahead + 1 if v > 0 and lane == lane_of[v - 1] else 0
        if speed_mps[v] < SLOW_MPS and distance_m[v] < NEAR_M + QUEUE_M * ahead:
            demand.queue_veh[lane] += 1.0
            continue
        t = int(distance_m[v] / max(SLOWNESS * max(limit_mps[lane], 1.0), speed_mps[v]))
        if t < SIGHT_S:
            demand.coming_veh[lane, t + 1] += 1.0


@kernel
def _add_up(limit_mps: F32, arrival_veh: F32, range_m: float, now_ms: int, demand: Demand) -> None:
    second = now_ms // 1000
    for lane in range(len(demand.queue_veh)):
        seen_s = int(range_m / (SLOWNESS * max(limit_mps[lane], 1.0)))
        for t in range(SIGHT_S):
            if t >= seen_s:
                demand.coming_veh[lane, t + 1] = arrival_veh[(second + t) % RING, lane]
            demand.coming_veh[lane, t + 1] += demand.coming_veh[lane, t]

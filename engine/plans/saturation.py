"""How many vehicles a lane discharges: HCM saturation flow with its adjustments, and turns through gaps.

Sources: Highway Capacity Manual 2000, chapter 16 (factors of equation 16-4), and its chapter 17 for the potential
capacity of a movement that waits for gaps (equation 17-3, after Harders).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["BASE_VEH_PER_H", "LaneConditions", "gap_flow_veh_per_h", "saturation_veh_per_h"]

BASE_VEH_PER_H = 1900.0
"""Passenger cars an hour of green and lane under ideal conditions."""
IDEAL_WIDTH_M = 3.6
HEAVY_EQUIVALENT = 2.0
LEFT_EQUIVALENT = 0.05
RIGHT_LOSS = 0.15
CRITICAL_GAP_S = 4.5
FOLLOW_UP_S = 2.5


@dataclass(frozen=True, slots=True)
class LaneConditions:
    """What makes a lane slower than an ideal one; the defaults are a level urban lane without parking or buses.

    Shares are 0 to 1 of the lane's vehicles; ``grade_percent`` is positive uphill; ``parking_per_h`` counts
    manoeuvres beside the lane within 75 m of the stop line (None: no parking), ``buses_per_h`` those that stop there.
    """

    width_m: float = 3.2
    heavy_share: float = 0.0
    grade_percent: float = 0.0
    parking_per_h: float | None = None
    buses_per_h: float = 0.0
    left_share: float = 0.0
    right_share: float = 0.0
    centre: bool = False


def saturation_veh_per_h(lane: LaneConditions, base_veh_per_h: float = BASE_VEH_PER_H) -> float:
    """Vehicles an hour of green that the lane discharges, protected."""
    return (
        base_veh_per_h
        * _width(lane.width_m)
        * _heavy(lane.heavy_share)
        * (1.0 - lane.grade_percent / 200.0)
        * _parking(lane.parking_per_h)
        * max(0.05, 1.0 - 14.4 * lane.buses_per_h / 3600.0)
        * (0.9 if lane.centre else 1.0)
        * _turns(lane.left_share, lane.right_share)
    )


def _width(width_m: float) -> float:
    return 1.0 + (width_m - IDEAL_WIDTH_M) / 9.0


def _heavy(share: float) -> float:
    return 1.0 / (1.0 + share * (HEAVY_EQUIVALENT - 1.0))


def _parking(manoeuvres_per_h: float | None) -> float:
    if manoeuvres_per_h is None:
        return 1.0
    return max(0.05, 1.0 - 0.1 - 18.0 * manoeuvres_per_h / 3600.0)


def _turns(left_share: float, right_share: float) -> float:
    return (1.0 - RIGHT_LOSS * right_share) / (1.0 + LEFT_EQUIVALENT * left_share)


def gap_flow_veh_per_h(
    opposing_veh_per_h: float, critical_gap_s: float = CRITICAL_GAP_S, follow_up_s: float = FOLLOW_UP_S
) -> float:
    """Vehicles an hour that turn through the gaps of an opposing stream without a queue; random arrivals."""
    if opposing_veh_per_h <= 0.0:
        return 3600.0 / follow_up_s
    per_s = opposing_veh_per_h / 3600.0
    waiting = math.exp(-per_s * critical_gap_s)
    return opposing_veh_per_h * waiting / (1.0 - math.exp(-per_s * follow_up_s))

"""Delay at signals in closed form: Webster's and the Highway Capacity Manual's.

Sources: Webster, "Traffic signal settings", Road Research Technical Paper 39, 1958; HCM 2000, equations 16-9 to
16-12 and appendix F. Flows are vehicles an hour, times seconds, ``x`` is the degree of saturation.
"""

from __future__ import annotations

import math

__all__ = [
    "clearing_time_s",
    "incremental_delay_s",
    "initial_queue_delay_s",
    "progression_factor",
    "uniform_delay_s",
    "webster_cycle_s",
    "webster_delay_s",
]

FIXED_TIME_K = 0.5
ANALYSIS_H = 0.25
MAX_WEBSTER_CYCLE_S = 300.0


def uniform_delay_s(cycle_s: float, green_s: float, x: float) -> float:
    """HCM d1: delay of a vehicle where arrivals come evenly; beyond capacity that of a lane just full."""
    share = green_s / cycle_s
    return 0.5 * cycle_s * (1.0 - share) ** 2 / (1.0 - min(1.0, x) * share)


def clearing_time_s(red_s: float, flow_veh_per_h: float, saturation_veh_per_h: float) -> float:
    """Time from the start of green until the queue of the red has gone: v r / (s - v)."""
    if flow_veh_per_h >= saturation_veh_per_h:
        return math.inf
    return flow_veh_per_h * red_s / (saturation_veh_per_h - flow_veh_per_h)


def incremental_delay_s(
    x: float,
    capacity_veh_per_h: float,
    period_h: float = ANALYSIS_H,
    k: float = FIXED_TIME_K,
    upstream_filter: float = 1.0,
) -> float:
    """HCM d2: delay of randomness and of overflow within the period."""
    if capacity_veh_per_h <= 0.0:
        return 3600.0 * period_h if x > 0.0 else 0.0
    excess = x - 1.0
    random = 8.0 * k * upstream_filter * x / (capacity_veh_per_h * period_h)
    return 900.0 * period_h * (excess + math.sqrt(excess * excess + random))


def initial_queue_delay_s(
    queue_veh: float, x: float, capacity_veh_per_h: float, period_h: float = ANALYSIS_H
) -> float:
    """HCM d3: mean delay in the period from the vehicles that stood there when it began."""
    if queue_veh <= 0.0 or capacity_veh_per_h <= 0.0:
        return 0.0
    spare = 1.0 - min(1.0, x)
    cleared_h = min(period_h, queue_veh / (capacity_veh_per_h * spare)) if spare > 0.0 else period_h
    u = 0.0 if cleared_h < period_h else 1.0 - capacity_veh_per_h * period_h * spare / queue_veh
    return 1800.0 * queue_veh * (1.0 + u) * cleared_h / (capacity_veh_per_h * period_h)


def progression_factor(arriving_on_green: float, green_share: float, platoon: float = 1.0) -> float:
    """HCM PF: what d1 is multiplied with where a share ``arriving_on_green`` comes during green."""
    return (1.0 - arriving_on_green) * platoon / (1.0 - green_share)


def webster_cycle_s(lost_s: float, flow_ratio_sum: float) -> float:
    """Webster's cycle of least delay, (1.5 L + 5) / (1 - Y); over-long where Y is high."""
    if flow_ratio_sum >= 1.0:
        return MAX_WEBSTER_CYCLE_S
    return min(MAX_WEBSTER_CYCLE_S, (1.5 * lost_s + 5.0) / (1.0 - flow_ratio_sum))


def webster_delay_s(cycle_s: float, green_s: float, flow_veh_per_h: float, x: float) -> float:
    """Webster's delay with his correction of a tenth, for x below 1."""
    q = flow_veh_per_h / 3600.0
    return 0.9 * (uniform_delay_s(cycle_s, green_s, x) + x * x / (2.0 * q * (1.0 - x)))

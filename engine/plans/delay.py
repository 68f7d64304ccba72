"""Delay beyond that of even arrivals, and Webster's cycle, in closed form.

Sources: Webster, "Traffic signal settings", Road Research Technical Paper 39, 1958; HCM 2000, equation 16-12 and
appendix F. ``x`` is the degree of saturation. The HCM's d1 and its progression factor are what the second-by-second
model of ``cycle_kernel`` gives: even arrivals, or platoons.
"""

from __future__ import annotations

import math

__all__ = ["incremental_delay_s", "initial_queue_delay_s", "webster_cycle_s"]

FIXED_TIME_K = 0.5
ANALYSIS_H = 0.25
MOST_WEBSTER_S = 300.0


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


def webster_cycle_s(lost_s: float, flow_ratio_sum: float) -> float:
    """Webster's cycle of least delay, (1.5 L + 5) / (1 - Y); over-long where Y is high."""
    if flow_ratio_sum >= 1.0:
        return MOST_WEBSTER_S
    return min(MOST_WEBSTER_S, (1.5 * lost_s + 5.0) / (1.0 - flow_ratio_sum))

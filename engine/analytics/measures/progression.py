"""Arrivals on green, yellow and red, approach delay and the Purdue coordination diagram, as UDOT defines them.

Sources: UDOT ATSPM component details, version 5; Day, Bullock and others 2014: Performance Measures for Traffic
Signal Systems (Purdue).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...events import BEGIN_GREEN, BEGIN_YELLOW, END_YELLOW
from ..log.events import DeviceLog
from .grouping import grouped
from .record import Rows, Setting
from .red_cycles import Arrivals, arrivals_in_cycles, plans, red_cycles

__all__ = [
    "approach_delay",
    "arrivals_by_colour",
    "pcd_cycles",
    "pcd_plans",
    "pcd_points",
    "udot_arrival_on_green",
]

MS_PER_S = 1000
S_PER_H = 3600
MIN_PER_H = 60


def arrivals_by_colour(
    device: DeviceLog, setting: Setting, *, latency_s: float = 0.0, decision_point_s: float = 0.0
) -> Rows:
    """Arrivals on green, yellow and red per bin and phase. They add up to the hits in whole cycles."""
    found = arrivals_in_cycles(device, latency_s, decision_point_s)
    (at, phase), group = grouped(setting.bins.index(found.t_ms), found.phase)
    on = {
        state: _count(group, found.state == state, len(at))
        for state in (BEGIN_GREEN, BEGIN_YELLOW, END_YELLOW)
    }
    total = np.bincount(group, minlength=len(at))
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phase,
        "hits": total,
        "on_green": on[BEGIN_GREEN],
        "on_yellow": on[BEGIN_YELLOW],
        "on_red": on[END_YELLOW],
        "percent_on_red": 100 * on[END_YELLOW] / np.maximum(total, 1),
    }


def udot_arrival_on_green(
    device: DeviceLog, setting: Setting, *, latency_s: float = 0.0, decision_point_s: float = 0.0
) -> Rows:
    """Share of hits in whole cycles that arrived on green, per bin and phase; a row also where none did."""
    rows = arrivals_by_colour(device, setting, latency_s=latency_s, decision_point_s=decision_point_s)
    return {
        "timestamp": rows["timestamp"],
        "phase": rows["phase"],
        "total_actuations": rows["hits"],
        "percent_aog": rows["on_green"] / np.maximum(rows["hits"], 1),
    }


def approach_delay(
    device: DeviceLog, setting: Setting, *, latency_s: float = 0.0, decision_point_s: float = 0.0
) -> Rows:
    """Wait of arrivals on red for green, without starting up and queues: in all, per vehicle, and per hour.

    ``delay_veh_h_per_h`` is the sum as vehicle hours per hour.
    """
    found = arrivals_in_cycles(device, latency_s, decision_point_s)
    (at, phase), group = grouped(setting.bins.index(found.t_ms), found.phase)
    delay_s = np.bincount(group, _delay_ms(device, found), minlength=len(at)) / MS_PER_S
    hits = np.bincount(group, minlength=len(at))
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phase,
        "hits": hits,
        "delay_s": delay_s,
        "delay_s_per_vehicle": delay_s / np.maximum(hits, 1),
        "delay_veh_h_per_h": delay_s * (MIN_PER_H / setting.bins.minutes) / S_PER_H,
    }


def _delay_ms(device: DeviceLog, found: Arrivals) -> npt.NDArray[np.int64]:
    wait_ms = red_cycles(device).green_ms[found.cycle] - found.t_ms
    return np.where(found.state == END_YELLOW, wait_ms, 0)


def pcd_points(
    device: DeviceLog, _setting: Setting, *, latency_s: float = 0.0, decision_point_s: float = 0.0
) -> Rows:
    """The dots of the diagram: each arrival with the seconds since its cycle's red began.

    ``signal_state`` is 1 green, 8 yellow, 9 red; ``start_time`` the begin of the cycle.
    """
    found = arrivals_in_cycles(device, latency_s, decision_point_s)
    begin_ms = red_cycles(device).begin_ms[found.cycle]
    return {
        "timestamp": found.t_ms,
        "start_time": begin_ms,
        "phase": found.phase,
        "detector": found.channel,
        "seconds_in_cycle": (found.t_ms - begin_ms) / MS_PER_S,
        "signal_state": found.state,
    }


def pcd_cycles(
    device: DeviceLog, _setting: Setting, *, latency_s: float = 0.0, decision_point_s: float = 0.0
) -> Rows:
    """The lines of the diagram: per whole cycle the seconds from red to green, yellow and the next red; its hits."""
    cycles = red_cycles(device)
    found = arrivals_in_cycles(device, latency_s, decision_point_s)
    return {
        "timestamp": cycles.begin_ms,
        "end_time": cycles.end_ms,
        "phase": cycles.phase,
        "green_s": (cycles.green_ms - cycles.begin_ms) / MS_PER_S,
        "yellow_s": (cycles.yellow_ms - cycles.begin_ms) / MS_PER_S,
        "cycle_s": (cycles.end_ms - cycles.begin_ms) / MS_PER_S,
        "hits": np.bincount(found.cycle, minlength=len(cycles.phase)),
    }


def pcd_plans(
    device: DeviceLog, _setting: Setting, *, latency_s: float = 0.0, decision_point_s: float = 0.0
) -> Rows:
    """Figures of the diagram for each time of a plan and phase: percent arrivals on green, percent green, their ratio.

    Both are rounded to whole percent before the platoon ratio, as UDOT does. A cycle belongs to the plan in which
    it begins.
    """
    cycles, times = red_cycles(device), plans(device)
    found = arrivals_in_cycles(device, latency_s, decision_point_s)
    (plan, phase), group = grouped(times.row_at(cycles.begin_ms), cycles.phase)
    count = len(plan)
    on_green = _count(group[found.cycle], found.state == BEGIN_GREEN, count)
    hits = np.bincount(group[found.cycle], minlength=count)
    green = np.bincount(group, cycles.yellow_ms - cycles.green_ms, minlength=count)
    span = np.bincount(group, cycles.end_ms - cycles.begin_ms, minlength=count)
    percent_aog = np.where(hits > 0, np.round(100 * on_green / np.maximum(hits, 1)), np.nan)
    percent_green = np.round(100 * green / np.maximum(span, 1))
    return {
        "start_time": times.begin_ms[plan],
        "end_time": times.end_ms[plan],
        "plan": times.number[plan],
        "phase": phase,
        "cycles": np.bincount(group, minlength=count),
        "hits": hits,
        "percent_aog": percent_aog,
        "percent_green": percent_green,
        "platoon_ratio": np.where(percent_green > 0, percent_aog / np.maximum(percent_green, 1), np.nan),
    }


def _count(group: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_], groups: int) -> npt.NDArray[np.int64]:
    return np.bincount(group[chosen], minlength=groups)

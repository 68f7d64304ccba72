"""Phase wait: from the call of a phase to its green, and how often it was passed over."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..log.events import DeviceLog
from .grouping import grouped, overlaps
from .record import Rows, Setting
from .timelines import of_class, timeline

__all__ = ["phase_wait"]

ACTUAL_CYCLE = 316


def phase_wait(
    device: DeviceLog,
    setting: Setting,
    *,
    preempt_recovery_seconds: float = 120,
    assumed_cycle_length: float = 140,
    skip_multiplier: float = 1.5,
    tsp_skip_multiplier: float = 2.0,
    actual_cycles: bool = True,
) -> Rows:
    """Mean and longest trusted wait, and waits that passed a green over, per bin in which they ended and phase.

    Waits in a preemption or ``preempt_recovery_seconds`` after it do not count. Passed over is a wait longer than
    ``skip_multiplier`` cycles (``tsp_skip_multiplier`` with a priority adjustment in it), by the longer of the cycles
    at its begin and end: the actual ones (316, MAXTIME) with ``actual_cycles``, else the planned (132);
    ``assumed_cycle_length`` seconds in free operation.
    """
    lines = timeline(device, setting, **setting.parameters.get("timeline", {}))
    waits = of_class(lines, ["Phase Wait"])
    preempts = of_class(lines, ["Preempt"])
    recovered = preempts["end_time"] + round(1000 * preempt_recovery_seconds)
    free = ~overlaps(waits["start_time"], waits["end_time"], preempts["start_time"], recovered)
    begin, end = waits["start_time"][free], waits["end_time"][free]
    duration, phase = waits["duration"][free], waits["event_value"][free].astype(np.int64)
    changes = _cycles(device, lines, actual_cycles)
    cycle = np.maximum(
        _in_force(*changes, begin, assumed_cycle_length), _in_force(*changes, end, assumed_cycle_length)
    )
    adjusted = np.sort(of_class(lines, ["TSP Adjustment"])["start_time"])
    inside = np.searchsorted(adjusted, end, side="right") > np.searchsorted(adjusted, begin, side="left")
    skipped = duration > cycle * np.where(inside, tsp_skip_multiplier, skip_multiplier)
    (at, phases), group = grouped(setting.bins.index(end), phase)
    count = np.bincount(group, minlength=len(at))
    longest = np.zeros(len(at), np.float32)
    np.maximum.at(longest, group, duration)
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phases,
        "avg_phase_wait": np.bincount(group, duration, minlength=len(at)) / np.maximum(count, 1),
        "max_phase_wait": longest,
        "total_skips": np.bincount(group, skipped, minlength=len(at)).astype(np.int64),
    }


def _cycles(
    device: DeviceLog, lines: Rows, actual: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """When the cycle changed, and to what, s."""
    if actual:
        events = device.of(ACTUAL_CYCLE)
        return events.t_ms, events.parameter.astype(np.float64)
    changes = of_class(lines, ["Cycle Length Change"])
    return changes["start_time"], changes["event_value"]


def _in_force(
    changed_ms: npt.NDArray[np.int64],
    cycle_s: npt.NDArray[np.float64],
    t_ms: npt.NDArray[np.int64],
    assumed_s: float,
) -> npt.NDArray[np.float64]:
    last = np.searchsorted(changed_ms, t_ms, side="right") - 1
    found = np.concatenate([cycle_s, np.zeros(1)])[last]
    return np.where(found > 0, found, assumed_s)

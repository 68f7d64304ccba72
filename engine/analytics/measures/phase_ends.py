"""How phases ended and how long their splits were, by plan: Purdue phase termination and split monitor.

Sources: UDOT ATSPM component details, version 5; Day, Bullock and others 2014: Performance Measures for Traffic
Signal Systems (Purdue).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...events import FORCE_OFF, GAP_OUT, GREEN_TERMINATION, MAX_OUT, PHASE_INACTIVE, PHASE_ON, WALK
from ..log.events import DeviceLog
from .grouping import grouped
from .record import Rows, Setting
from .red_cycles import by_phase_and_time, percentiles, plans, sequences

__all__ = ["Terminations", "phase_terminations", "split_monitor", "split_monitor_plans", "terminations_of"]

MS_PER_S = 1000
UNKNOWN = GREEN_TERMINATION
NAMES = {GAP_OUT: "GapOut", MAX_OUT: "MaxOut", FORCE_OFF: "ForceOff", UNKNOWN: "Unknown", WALK: "Walk"}
SPLIT_1, SPLIT_17, SPLITS = 134, 203, 16
MEDIAN, HIGH = 50, 85
Times = npt.NDArray[np.int64]


class Terminations(NamedTuple):
    """Ends of green in order of phase and time, (n,) each; ``kind`` is 4, 5, 6, or 7 where none of these was told.

    ``in_a_row`` counts ends of the same kind up to this one.
    """

    t_ms: Times
    phase: Times
    kind: Times
    in_a_row: Times


def terminations_of(device: DeviceLog) -> Terminations:
    """How each green of the device ended."""
    return device.once("terminations", lambda: _terminations(device))


def _terminations(device: DeviceLog) -> Terminations:
    events = device.of(GAP_OUT, MAX_OUT, FORCE_OFF, GREEN_TERMINATION)
    order = np.argsort(events.parameter, kind="stable")
    t_ms, phase = events.t_ms[order], events.parameter[order].astype(np.int64)
    kind = events.event[order].astype(np.int64)
    told_before = np.zeros(len(kind), np.bool_)
    told_before[1:] = (phase[1:] == phase[:-1]) & (kind[:-1] != GREEN_TERMINATION)
    ends = np.flatnonzero((kind != GREEN_TERMINATION) | ~told_before)
    t_ms, phase, kind = t_ms[ends], phase[ends], kind[ends]
    changed = np.ones(len(kind), np.bool_)
    changed[1:] = (phase[1:] != phase[:-1]) | (kind[1:] != kind[:-1])
    row = np.arange(len(kind))
    begin_of_run = np.maximum.accumulate(np.where(changed, row, 0))
    return Terminations(t_ms, phase, kind, row - begin_of_run + 1)


def phase_terminations(device: DeviceLog, _setting: Setting, *, consecutive: int = 1) -> Rows:
    """The dots of the termination diagram: gap-outs, max-outs, force-offs, ends of unknown kind, and walks.

    Ends come where they are at least the ``consecutive``-th of their kind in a row; walks always, with 0 in a row.
    """
    ends, walks = terminations_of(device), device.of(WALK)
    shown = ends.in_a_row >= consecutive
    t_ms = np.concatenate([ends.t_ms[shown], walks.t_ms])
    phase = np.concatenate([ends.phase[shown], walks.parameter])
    kind = np.concatenate([ends.kind[shown], walks.event])
    in_a_row = np.concatenate([ends.in_a_row[shown], np.zeros(len(walks.t_ms), np.int64)])
    order = np.lexsort((kind, phase, t_ms))
    return {
        "timestamp": t_ms[order],
        "phase": phase[order],
        "termination": _names(kind[order]),
        "in_a_row": in_a_row[order],
    }


def _names(kind: Times) -> npt.NDArray[np.object_]:
    return np.array([NAMES.get(int(one)) for one in kind], np.object_)


class Services(NamedTuple):
    """Services of phases from on (0) to inactive (12), (n,) each; ``kind`` is how green ended, 7 if unknown."""

    begin_ms: Times
    end_ms: Times
    phase: Times
    kind: Times
    has_walk: npt.NDArray[np.bool_]
    plan: Times
    programmed_s: npt.NDArray[np.float64]


def _services(device: DeviceLog) -> Services:
    phase, times = sequences(device, (PHASE_ON, PHASE_INACTIVE), (PHASE_ON, PHASE_INACTIVE))
    begin, end = times.T
    ends, walks = terminations_of(device), device.of(WALK)
    last = _last_within(by_phase_and_time(ends.phase, ends.t_ms), phase, begin, end)
    kind = np.append(ends.kind, UNKNOWN)[last]
    walk = np.sort(by_phase_and_time(walks.parameter, walks.t_ms))
    has_walk = _last_within(walk, phase, begin, end) >= 0
    return Services(
        begin, end, phase, kind, has_walk, plans(device).row_at(begin), _programmed_s(device, phase, begin)
    )


def _last_within(keys: Times, phase: Times, begin_ms: Times, end_ms: Times) -> Times:
    """The last of sorted ``keys`` of each phase within its time; -1 for none."""
    at = np.searchsorted(keys, by_phase_and_time(phase, end_ms), side="right") - 1
    first = np.searchsorted(keys, by_phase_and_time(phase, begin_ms), side="left")
    return np.where(at >= first, at, -1)


def _programmed_s(device: DeviceLog, phase: Times, t_ms: Times) -> npt.NDArray[np.float64]:
    """The split that was set last (134 to 149: phases 1 to 16, 203 to 218: 17 to 32); NaN before the first."""
    found = np.full(len(phase), np.nan)
    for one in np.unique(phase).tolist():
        code = SPLIT_1 + one - 1 if one <= SPLITS else SPLIT_17 + one - SPLITS - 1
        if not 1 <= one <= 2 * SPLITS:
            continue
        changes, own = device.of(code), phase == one
        last = np.searchsorted(changes.t_ms, t_ms[own], side="right") - 1
        found[own] = np.append(changes.parameter.astype(np.float64), np.nan)[last]
    return found


def split_monitor(device: DeviceLog, _setting: Setting) -> Rows:
    """Every service of a phase: how long, in which plan, how its green ended, and the split that was set, s."""
    services = device.once("services", lambda: _services(device))
    order = np.lexsort((services.phase, services.begin_ms))
    return {
        "timestamp": services.begin_ms[order],
        "end_time": services.end_ms[order],
        "phase": services.phase[order],
        "plan": plans(device).number[services.plan[order]],
        "duration_s": (services.end_ms - services.begin_ms)[order] / MS_PER_S,
        "programmed_s": services.programmed_s[order],
        "termination": _names(services.kind[order]),
        "has_walk": services.has_walk[order],
    }


def split_monitor_plans(device: DeviceLog, _setting: Setting, *, percentile: float = HIGH) -> Rows:
    """Splits of each phase in each time of a plan: mean, median and ``percentile``, and how the services ended.

    Percentiles lie linearly between the ordered durations. A phase skipped the cycles that it has fewer than the
    phase with most services in the same time. Shares of ends are of the services; a service is in the plan in which
    it begins.
    """
    services = device.once("services", lambda: _services(device))
    times = plans(device)
    (plan, phase), group = grouped(services.plan, services.phase)
    count = np.bincount(group, minlength=len(plan))
    duration_s = (services.end_ms - services.begin_ms) / MS_PER_S
    most = np.zeros(len(times.number), np.int64)
    np.maximum.at(most, plan, count)
    per_service = 100 / np.maximum(count, 1)
    return {
        "start_time": times.begin_ms[plan],
        "end_time": times.end_ms[plan],
        "plan": times.number[plan],
        "phase": phase,
        "services": count,
        "mean_s": np.bincount(group, duration_s, minlength=len(plan)) / np.maximum(count, 1),
        "median_s": percentiles(duration_s, group, len(plan), MEDIAN),
        "percentile_s": percentiles(duration_s, group, len(plan), percentile),
        "percent_skips": 100 * (most[plan] - count) / np.maximum(most[plan], 1),
        "percent_gap_outs": np.bincount(group[services.kind == GAP_OUT], minlength=len(plan)) * per_service,
        "percent_max_outs": np.bincount(group[services.kind == MAX_OUT], minlength=len(plan)) * per_service,
        "percent_force_offs": np.bincount(group[services.kind == FORCE_OFF], minlength=len(plan))
        * per_service,
    }

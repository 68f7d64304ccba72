"""Waits of pedestrians and vehicles for their green, and different pedestrians, as UDOT defines them.

Source: UDOT ATSPM component details, version 5 (pedestrian delay, wait time).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...events import BEGIN_GREEN, END_RED_CLEARANCE, PEDESTRIAN_CLEARANCE, WALK
from ..log.events import DeviceLog
from .grouping import grouped
from .record import Rows, Setting
from .red_cycles import by_phase_and_time, sequences

__all__ = ["udot_ped_delay", "udot_unique_ped", "wait_time"]

PRESS = 90
CALL, CALL_DROPPED = 43, 44
MS_PER_S = 1000
Times = npt.NDArray[np.int64]


def udot_ped_delay(device: DeviceLog, setting: Setting) -> Rows:
    """Mean wait from the first press to the walk, per bin in which the walk began and phase, s.

    A press after the clearance began (22) or during a walk that is followed by another (21) waits for the next walk;
    one during a walk that its clearance ends does not wait at all, and counts at the press. Further presses of the
    same wait change nothing.
    """
    number, event, t_ms = _without_repeats(device)
    count = max(len(event) - 2, 0)
    middle, after = slice(1, count + 1), slice(2, count + 2)
    same = (number[:count] == number[middle]) & (number[:count] == number[after]) & (event[middle] == PRESS)
    served = np.isin(event[:count], (WALK, PEDESTRIAN_CLEARANCE)) & (event[after] == WALK)
    at_once = (event[:count] == WALK) & (event[after] == PEDESTRIAN_CLEARANCE)
    chosen = same & (served | at_once)
    wait_ms = np.where(served, t_ms[after] - t_ms[middle], 0)[chosen]
    walk_ms = (t_ms[middle] + np.where(served, t_ms[after] - t_ms[middle], 0))[chosen]
    (at, phase), group = grouped(setting.bins.index(walk_ms), number[middle][chosen])
    samples = np.bincount(group, minlength=len(at))
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phase,
        "avg_ped_delay": np.bincount(group, wait_ms, minlength=len(at)) / MS_PER_S / np.maximum(samples, 1),
        "samples": samples,
    }


def _without_repeats(device: DeviceLog) -> tuple[Times, Times, Times]:
    """Phase, event and time of walks, clearances and presses by phase; of presses in a row only the first."""
    events = device.of(WALK, PEDESTRIAN_CLEARANCE, PRESS)
    order = np.argsort(events.parameter, kind="stable")
    number, event, t_ms = events.parameter[order], events.event[order], events.t_ms[order]
    repeated = np.zeros(len(event), np.bool_)
    repeated[1:] = (event[1:] == PRESS) & (event[:-1] == PRESS) & (number[1:] == number[:-1])
    return number[~repeated].astype(np.int64), event[~repeated].astype(np.int64), t_ms[~repeated]


def udot_unique_ped(device: DeviceLog, setting: Setting, *, seconds_between_actuations: int = 15) -> Rows:
    """Presses at least ``seconds_between_actuations`` after the last counted one, per bin and phase.

    A phase's first press counts.
    """
    presses = device.of(PRESS)
    kept = np.zeros(len(presses.t_ms), np.bool_)
    last_ms: dict[int, int] = {}
    rows = zip(presses.t_ms.tolist(), presses.parameter.tolist(), strict=True)
    for i, (t_ms, phase) in enumerate(rows):
        if phase not in last_ms or t_ms - last_ms[phase] >= MS_PER_S * seconds_between_actuations:
            kept[i] = True
            last_ms[phase] = t_ms
    (at, phases), group = grouped(setting.bins.index(presses.t_ms[kept]), presses.parameter[kept])
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phases,
        "unique_actuations": np.bincount(group, minlength=len(at)),
    }


def wait_time(device: DeviceLog, setting: Setting, *, longest_s: float = 360.0) -> Rows:
    """Wait of the first call in red for green, per bin in which green began and phase, s.

    Red runs from the end of red clearance (11) to green. Where the phase has presence detectors a dropped call (44)
    starts anew: the first call after the last drop counts. Waits above ``longest_s`` are left out.
    """
    codes = (END_RED_CLEARANCE, BEGIN_GREEN)
    phase, times = sequences(device, codes, codes)
    red, green = times.T
    begin = _last_drop(device, phase, red, green)
    calls = device.of(CALL)
    keys = np.sort(by_phase_and_time(calls.parameter, calls.t_ms))
    first = np.searchsorted(keys, by_phase_and_time(phase, begin), side="left")
    call = np.append(keys, np.iinfo(np.int64).max)[first]
    green_key = by_phase_and_time(phase, green)
    called = call <= green_key
    wait_ms = (green_key - call)[called]
    kept = wait_ms <= MS_PER_S * longest_s
    wait_s = wait_ms[kept] / MS_PER_S
    (at, phases), group = grouped(setting.bins.index(green[called][kept]), phase[called][kept])
    samples = np.bincount(group, minlength=len(at))
    longest = np.zeros(len(at))
    np.maximum.at(longest, group, wait_s)
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phases,
        "mean_wait_s": np.bincount(group, wait_s, minlength=len(at)) / np.maximum(samples, 1),
        "max_wait_s": longest,
        "samples": samples,
    }


def _last_drop(device: DeviceLog, phase: Times, red_ms: Times, green_ms: Times) -> Times:
    """When the last call was dropped in each red of phases with presence detectors; else when red began."""
    drops = device.of(CALL_DROPPED)
    order = np.argsort(by_phase_and_time(drops.parameter, drops.t_ms))
    keys, t_ms = by_phase_and_time(drops.parameter, drops.t_ms)[order], drops.t_ms[order]
    last = np.searchsorted(keys, by_phase_and_time(phase, green_ms), side="left") - 1
    first = np.searchsorted(keys, by_phase_and_time(phase, red_ms), side="left")
    detected = np.isin(phase, device.detectors_for("presence").phase)
    return np.where((last >= first) & detected, np.append(t_ms, 0)[last], red_ms)

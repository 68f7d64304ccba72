"""Split failures, and hits on yellow and red, as UDOT defines them.

Source: UDOT ATSPM component details, version 5. Split failures: Freije, Hainen, Stevens and others 2014, TRR 2438.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...events import BEGIN_GREEN, BEGIN_YELLOW, END_RED_CLEARANCE, END_YELLOW
from ..log.events import DeviceLog
from .grouping import grouped
from .phases import hits_with_state
from .record import Rows, Setting
from .red_cycles import Occupied, activations, by_phase_and_time, sequences

__all__ = ["udot_split_failures", "yellow_red_actuations"]

MS_PER_S = 1000
Times = npt.NDArray[np.int64]


class GreenCycle(NamedTuple):
    """Occupancies of whole cycles from green to green, (n,) each; ``detector`` is 0 for a whole approach."""

    begin_ms: Times
    detector: Times
    phase: Times
    green_s: npt.NDArray[np.float64]
    green_occupancy: npt.NDArray[np.float64]
    red_occupancy: npt.NDArray[np.float64]


def udot_split_failures(
    device: DeviceLog,
    setting: Setting,
    *,
    red_time: int = 5,
    red_occupancy_threshold: float = 0.79,
    green_occupancy_threshold: float = 0.79,
    by_approach: bool = True,
    by_cycle: bool = False,
) -> Rows:
    """Mean occupancies of green and of the first ``red_time`` seconds of red, and cycles that failed, per bin.

    A cycle runs from green to green, its red from the end of yellow; it belongs to the bin in which it begins. It
    fails where both occupancies are above their thresholds. The presence detectors of a phase count as one, or each
    on its own with ``by_approach`` False; with ``by_cycle`` a row per cycle.
    """
    cycles = _green_cycles(device, red_time, by_approach)
    failed = (cycles.red_occupancy > red_occupancy_threshold) & (
        cycles.green_occupancy > green_occupancy_threshold
    )
    if by_cycle:
        return {
            "timestamp": cycles.begin_ms,
            "detector": cycles.detector,
            "phase": cycles.phase,
            "green_time": cycles.green_s,
            "green_occupancy": cycles.green_occupancy,
            "red_occupancy": cycles.red_occupancy,
            "split_failure": failed.astype(np.int64),
        }
    (at, phase, detector), group = grouped(setting.bins.index(cycles.begin_ms), cycles.phase, cycles.detector)
    count = np.maximum(np.bincount(group, minlength=len(at)), 1)
    return {
        "timestamp": setting.bins.edges[at],
        "detector": detector,
        "phase": phase,
        "green_time": np.bincount(group, cycles.green_s, minlength=len(at)) / count,
        "green_occupancy": np.bincount(group, cycles.green_occupancy, minlength=len(at)) / count,
        "red_occupancy": np.bincount(group, cycles.red_occupancy, minlength=len(at)) / count,
        "split_failure": np.bincount(group[failed], minlength=len(at)),
    }


def _green_cycles(device: DeviceLog, red_time: int, by_approach: bool) -> GreenCycle:
    detectors = device.detectors_for("presence")
    phase, times = sequences(
        device,
        (BEGIN_GREEN, BEGIN_YELLOW, END_YELLOW, BEGIN_GREEN),
        (BEGIN_GREEN, BEGIN_YELLOW, END_YELLOW),
    )
    one = np.zeros_like(detectors.channel) if by_approach else detectors.channel
    groups = np.unique(np.stack([one, detectors.phase]).astype(np.int64), axis=1).T
    whole = activations(device)
    found = [_no_cycles()]
    for detector, of_phase in groups.tolist():
        own = (detectors.phase == of_phase) & (one == detector)
        chosen = np.isin(whole.channel, detectors.channel[own])
        occupied = Occupied(whole.begin_ms[chosen], whole.end_ms[chosen])
        begin, yellow, red, _ = times[phase == of_phase].T
        green_ms = yellow - begin
        found.append(
            GreenCycle(
                begin,
                np.full(len(begin), detector, np.int64),
                np.full(len(begin), of_phase, np.int64),
                green_ms / MS_PER_S,
                occupied.between(begin, yellow) / np.maximum(green_ms, 1),
                occupied.between(red, red + MS_PER_S * red_time) / (MS_PER_S * red_time),
            )
        )
    return GreenCycle(*(np.concatenate(columns) for columns in zip(*found, strict=True)))


def _no_cycles() -> GreenCycle:
    whole, part = np.zeros(0, np.int64), np.zeros(0, np.float64)
    return GreenCycle(whole, whole, whole, part, part, part)


def yellow_red_actuations(
    device: DeviceLog, setting: Setting, *, severe_after_s: float = 5.0, latency_s: float = 0.0
) -> Rows:
    """Hits on yellow and violations of red per bin and phase, over cycles from yellow to green.

    A cycle is yellow, its end, the end of red clearance and green, in this order; without red clearance there is
    none. A hit is on yellow up to its end, a violation after it, severe ``severe_after_s`` later. A cycle belongs to
    the bin in which its yellow begins. ``mean_yellow_s`` is how late into yellow its hits came.
    """
    codes = (BEGIN_YELLOW, END_YELLOW, END_RED_CLEARANCE, BEGIN_GREEN)
    phase, times = sequences(device, codes, codes)
    begin, yellow_end, _, end = times.T
    hits = hits_with_state(device, "yellow_red", latency_s)
    cycle = _yellow_cycle(phase, begin, end, hits.phase, hits.t_ms)
    there = np.flatnonzero(cycle >= 0)
    of_hit, t_ms = cycle[there], hits.t_ms[there]
    on_yellow = t_ms <= yellow_end[of_hit]
    severe = t_ms > yellow_end[of_hit] + round(MS_PER_S * severe_after_s)
    served = np.isin(phase, device.detectors_for("yellow_red").phase)
    (at, phases), group = grouped(setting.bins.index(begin), phase)
    into_yellow = np.bincount(group[of_hit[on_yellow]], (t_ms - begin[of_hit])[on_yellow], minlength=len(at))
    yellow = np.bincount(group[of_hit[on_yellow]], minlength=len(at))
    kept = np.isin(phases, phase[served])
    rows: Rows = {
        "timestamp": setting.bins.edges[at],
        "phase": phases,
        "cycles": np.bincount(group, minlength=len(at)),
        "yellow": yellow,
        "mean_yellow_s": np.where(yellow > 0, into_yellow / np.maximum(yellow, 1) / MS_PER_S, np.nan),
        "violations": np.bincount(group[of_hit[~on_yellow]], minlength=len(at)),
        "severe_violations": np.bincount(group[of_hit[severe]], minlength=len(at)),
    }
    return {name: column[kept] for name, column in rows.items()}


def _yellow_cycle(
    phase: Times, begin_ms: Times, end_ms: Times, of_phase: npt.NDArray[np.int32], t_ms: Times
) -> Times:
    """The cycle of each hit, -1 for none."""
    if not len(phase):
        return np.full(len(t_ms), -1, np.int64)
    order = by_phase_and_time(of_phase, t_ms)
    at = np.searchsorted(by_phase_and_time(phase, begin_ms), order, side="right") - 1
    inside = (at >= 0) & (phase[at] == of_phase) & (t_ms < end_ms[at])
    return np.where(inside, at, -1)

"""Split failures: was the stop bar occupied through green and still at the start of red?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...events import DETECTOR_OFF, DETECTOR_ON
from ..kernels.occupancy import DELTA_BITS, TIME_BITS, cycle_occupancy, occupancy_edges
from ..log.events import DeviceLog
from .phases import PHASES, channel_index, signal_events
from .record import Rows, Setting

__all__ = ["CycleOccupancy", "cycle_occupancies", "split_failures"]


class CycleOccupancy(NamedTuple):
    """Whole cycles in order of group and time, (n,) each; ``detector`` is 0 where a phase's detectors are one.

    ``end_ms`` is the end of the looked-at red; the rest are milliseconds of green, occupied green and occupied red.
    """

    end_ms: npt.NDArray[np.int64]
    detector: npt.NDArray[np.int64]
    phase: npt.NDArray[np.int64]
    green_ms: npt.NDArray[np.int64]
    green_on_ms: npt.NDArray[np.int64]
    red_on_ms: npt.NDArray[np.int64]


def split_failures(
    device: DeviceLog,
    setting: Setting,
    *,
    red_time: int = 5,
    red_occupancy_threshold: float = 0.8,
    green_occupancy_threshold: float = 0.8,
    by_approach: bool = True,
    by_cycle: bool = False,
) -> Rows:
    """Mean occupancies of green and of the first ``red_time`` seconds of red, and cycles that failed, per bin.

    A phase's presence detectors count as one, or each on its own with ``by_approach`` False; with ``by_cycle`` a row
    per cycle. A cycle belongs to the bin in which its looked-at red ends.
    """
    cycles = cycle_occupancies(device, setting, red_time, by_approach)
    red = (cycles.red_on_ms.astype(np.float32) / np.float32(red_time * 1000)).astype(np.float32)
    with np.errstate(invalid="ignore"):
        green = (cycles.green_on_ms.astype(np.float32) / cycles.green_ms.astype(np.float32)).astype(
            np.float32
        )
    failed = (red >= np.float32(red_occupancy_threshold)) & (green >= np.float32(green_occupancy_threshold))
    green_s = (cycles.green_ms.astype(np.float32) / np.float32(1000)).astype(np.float32)
    if by_cycle:
        rows: Rows = {"timestamp": cycles.end_ms, "detector": cycles.detector, "phase": cycles.phase}
        return rows | {
            "green_time": green_s,
            "green_occupancy": green,
            "red_occupancy": red,
            "split_failure": failed,
        }
    at = setting.bins.index(cycles.end_ms)
    keys = np.stack([cycles.detector, cycles.phase, at], axis=1)
    groups, group = np.unique(keys, axis=0, return_inverse=True)
    group = group.reshape(-1)
    return {
        "timestamp": setting.bins.edges[groups[:, 2]],
        "detector": groups[:, 0],
        "phase": groups[:, 1],
        "green_time": _mean(green_s, group, len(groups)),
        "green_occupancy": _mean(green, group, len(groups)),
        "red_occupancy": _mean(red, group, len(groups)),
        "split_failure": np.bincount(group, failed, minlength=len(groups)).astype(np.int64),
    }


def _mean(
    value: npt.NDArray[np.float32], group: npt.NDArray[np.int64], groups: int
) -> npt.NDArray[np.float32]:
    """Mean per group of what is there."""
    there = ~np.isnan(value)
    count = np.bincount(group[there], minlength=groups)
    total = np.bincount(group[there], value[there].astype(np.float64), minlength=groups)
    with np.errstate(invalid="ignore"):
        return (total / count).astype(np.float32)


def cycle_occupancies(
    device: DeviceLog, setting: Setting, red_time: int, by_approach: bool
) -> CycleOccupancy:
    """The cycles of each phase with presence detectors (or of each such detector) whose green and red are known."""
    detectors = device.detectors_for("presence")
    one = np.zeros_like(detectors.phase) if by_approach else detectors.channel
    groups, group_of = np.unique(np.stack([one, detectors.phase], axis=1), axis=0, return_inverse=True)
    if not len(groups):
        empty = np.zeros(0, np.int64)
        return CycleOccupancy(empty, empty, empty, empty, empty, empty)
    origin_ms = device.log_begin_ms - 2
    edges, bounds = _edges(device, detectors.channel, group_of.reshape(-1), len(groups), origin_ms)
    signals = signal_events(device)
    end = setting.bins.edges[int(setting.bins.index(np.array([device.log_end_ms]))[0]) + 1]
    found = []
    for i, (detector, phase) in enumerate(groups):
        own = signals.parameter == phase
        cycles = _cycles(
            2 * (signals.t_ms[own] - origin_ms),
            signals.event[own],
            edges[bounds[i] : bounds[i + 1]],
            2000 * red_time,
            2 * int(end - origin_ms),
        )
        count = len(cycles[0])
        found.append(
            CycleOccupancy(
                cycles[0] // 2 + origin_ms,
                np.full(count, detector, np.int64),
                np.full(count, phase, np.int64),
                cycles[2],
                cycles[1],
                cycles[3],
            )
        )
    return CycleOccupancy(*(np.concatenate(columns) for columns in zip(*found, strict=True)))


def _edges(
    device: DeviceLog,
    channel: npt.NDArray[np.int32],
    group_of: npt.NDArray[np.int64],
    groups: int,
    origin_ms: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Sorted edges of all groups, and where each group's begin."""
    events = device.of(DETECTOR_OFF, DETECTOR_ON)
    first, of_channel = channel_index(channel, group_of)
    most = int((first[events.parameter + 1] - first[events.parameter]).sum())
    out = np.empty(2 * most, np.int64)
    count = occupancy_edges(
        events.t_ms,
        events.event,
        events.parameter,
        first,
        of_channel,
        origin_ms,
        np.zeros(PHASES, np.int32),
        np.zeros(PHASES, np.int64),
        out,
    )
    edges = out[:count]
    edges.sort(kind="stable")
    starts = np.arange(groups + 1, dtype=np.int64) << (TIME_BITS + DELTA_BITS)
    return edges, np.searchsorted(edges, starts)


def _cycles(
    signal_t: npt.NDArray[np.int64],
    signal_event: npt.NDArray[np.int32],
    edges: npt.NDArray[np.int64],
    red_time: int,
    cutoff: int,
) -> tuple[npt.NDArray[np.int64], ...]:
    end, on, green, red, reds = (np.empty(len(signal_t), np.int64) for _ in range(5))
    count = cycle_occupancy(signal_t, signal_event, edges, red_time, cutoff, end, on, green, red, reds)
    return tuple(column[:count] for column in (end, on, green, red))

"""What the controller said of its phases and plans: terminations, splits, coordination, communications."""

from __future__ import annotations

import numpy as np

from ...events import FORCE_OFF, GAP_OUT, MAX_OUT
from ..log.events import DeviceLog
from .grouping import grouped
from .presence import has_data
from .record import Rows, Setting

__all__ = ["communications", "coordination", "coordination_agg", "splits", "terminations"]

TERMINATIONS = {GAP_OUT: "GapOut", MAX_OUT: "MaxOut", FORCE_OFF: "ForceOff"}
ACTUAL_SPLITS = range(300, 318)
PATTERN, CYCLE_LENGTH, ACTUAL_CYCLE, ACTUAL_OFFSET = 131, 132, 316, 318


def terminations(device: DeviceLog, setting: Setting) -> Rows:
    """How often each phase gapped out, maxed out and was forced off, per bin."""
    events = device.of(*TERMINATIONS)
    (at, phase, event), group = grouped(setting.bins.index(events.t_ms), events.parameter, events.event)
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phase,
        "performance_measure": np.array([TERMINATIONS[int(one)] for one in event], np.object_),
        "total": np.bincount(group, minlength=len(at)),
    }


def splits(device: DeviceLog, setting: Setting) -> Rows:
    """Number and mean of the actual splits that MAXTIME controllers log (300 to 317), per bin and code, s."""
    return _averages(device, setting, tuple(ACTUAL_SPLITS), "services", "average_split")


def communications(device: DeviceLog, setting: Setting, *, event_codes: str = "400,502,503") -> Rows:
    """Mean parameter of the communication events of a vendor, per bin and code."""
    codes = tuple(int(code) for code in event_codes.split(","))
    rows = _averages(device, setting, codes, "services", "average")
    del rows["services"]
    return rows


def _averages(device: DeviceLog, setting: Setting, codes: tuple[int, ...], count: str, mean: str) -> Rows:
    events = device.of(*codes)
    (at, event), group = grouped(setting.bins.index(events.t_ms), events.event)
    services = np.bincount(group, minlength=len(at))
    total = np.bincount(group, events.parameter, minlength=len(at))
    average = (total / np.maximum(services, 1)).astype(np.float32)
    return {"timestamp": setting.bins.edges[at], "event_id": event, count: services, mean: average}


def coordination(device: DeviceLog, setting: Setting) -> Rows:
    """Every change of pattern and cycle length, and every actual cycle and offset, with its bin."""
    events = device.of(PATTERN, CYCLE_LENGTH, ACTUAL_CYCLE, ACTUAL_OFFSET)
    return {
        "timestamp": setting.bins.start(events.t_ms),
        "raw_timestamp": events.t_ms,
        "event_id": events.event,
        "parameter": events.parameter,
    }


def coordination_agg(device: DeviceLog, setting: Setting) -> Rows:
    """Pattern, cycle length, actual cycle and actual offset at the end of each bin with data; 0 before the first.

    A change in a bin without data is not carried on, as in the package.
    """
    starts = has_data(device, setting, **setting.parameters.get("has_data", {}))["timestamp"]
    rows: Rows = {"timestamp": starts}
    for name, code in (
        ("pattern", PATTERN),
        ("cycle_length", CYCLE_LENGTH),
        ("actual_cycle_length", ACTUAL_CYCLE),
        ("actual_offset", ACTUAL_OFFSET),
    ):
        events = device.of(code)
        at = setting.bins.start(events.t_ms)
        there = np.isin(at, starts)
        last = np.searchsorted(at[there], starts, side="right") - 1
        values = np.concatenate([events.parameter[there], np.zeros(1, np.int32)])
        rows[name] = values[last]
    return rows

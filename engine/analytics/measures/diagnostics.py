"""What the diagnostics of a detector would say: stuck on, stuck off, chatter, no data.

Source: NTCIP 1202, vehicle detector diagnostics (maximum presence, no activity, erratic counts). The standard names
the three tests and leaves their limits to the site; the defaults here are ours.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...events import DETECTOR_OFF, DETECTOR_ON
from ..log.events import DeviceLog
from .bins import Bins
from .local_time import days_of
from .record import Rows, Setting

__all__ = ["detector_health"]

MS_PER_MIN = 60_000
BEGIN, END = -1, -2
Times = npt.NDArray[np.int64]


class Stretches(NamedTuple):
    """Time between neighbouring events of a channel, and from and to the ends of the log, (n,) each.

    ``present`` stretches lie between an on and its off, ``absent`` ones between an off and the next on. One that two
    events of the same kind enclose is neither: what happened between them was lost.
    """

    channel: Times
    begin_ms: Times
    end_ms: Times
    present: npt.NDArray[np.bool_]
    absent: npt.NDArray[np.bool_]


def detector_health(
    device: DeviceLog,
    setting: Setting,
    *,
    max_presence_min: float = 30.0,
    no_activity_min: float = 240.0,
    erratic_per_min: int = 60,
) -> Rows:
    """Actuations, occupancy and faults of each detector and local day that the log touches.

    Detectors are those with events, and those configured for vehicles. ``stuck_on``: a presence longer than
    ``max_presence_min``; ``stuck_off``: an absence longer than ``no_activity_min``; ``chatter``: a minute with more
    actuations than ``erratic_per_min``; ``no_data``: no event on the day. Presences and absences count on each day
    that they touch, with their length up to that day's end. Occupancy is of the day's time within the log. A device
    that is silent as a whole looks like stuck off: read with ``has_data``.
    """
    days = days_of(device, setting.bins.timezone)
    channels = _channels(device)
    first, last = days.index(np.array([device.log_begin_ms, device.log_end_ms])).tolist()
    shape = (len(channels), last - first + 1)
    events = device.of(DETECTOR_ON, DETECTOR_OFF)
    row, day = np.searchsorted(channels, events.parameter), days.index(events.t_ms) - first
    is_on = events.event == DETECTOR_ON
    seen, actuations = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    np.add.at(seen, (row, day), 1)
    np.add.at(actuations, (row[is_on], day[is_on]), 1)
    stretches = _stretches(device, channels)
    present_ms, longest_present_ms = _by_day(stretches, stretches.present, channels, days, first, shape)
    _, longest_absent_ms = _by_day(stretches, stretches.absent, channels, days, first, shape)
    busiest = _busiest_minute(events.t_ms[is_on], row[is_on], days, first, shape)
    edges = np.clip(days.edges[first : last + 2], device.log_begin_ms, device.log_end_ms)
    return {
        "timestamp": np.tile(days.edges[first : last + 1], shape[0]),
        "detector": np.repeat(channels, shape[1]),
        "actuations": actuations.ravel(),
        "occupancy_percent": (100 * present_ms / np.maximum(np.diff(edges), 1)).ravel(),
        "longest_presence_min": longest_present_ms.ravel() / MS_PER_MIN,
        "longest_absence_min": longest_absent_ms.ravel() / MS_PER_MIN,
        "most_per_min": busiest.ravel(),
        "stuck_on": longest_present_ms.ravel() > MS_PER_MIN * max_presence_min,
        "stuck_off": longest_absent_ms.ravel() > MS_PER_MIN * no_activity_min,
        "chatter": busiest.ravel() > erratic_per_min,
        "no_data": seen.ravel() == 0,
    }


def _channels(device: DeviceLog) -> Times:
    """Channels with events and those configured for vehicles, in order."""
    seen = device.of(DETECTOR_ON, DETECTOR_OFF).parameter
    configured = [
        rows.channel for function, rows in device.config.functions.items() if function != "pedestrian"
    ]
    return np.unique(np.concatenate([seen, *configured])).astype(np.int64)


def _stretches(device: DeviceLog, channels: Times) -> Stretches:
    events = device.of(DETECTOR_ON, DETECTOR_OFF)
    count = len(channels)
    channel = np.concatenate([channels, events.parameter, channels])
    kind = np.concatenate([np.full(count, BEGIN), events.event, np.full(count, END)])
    t_ms = np.concatenate(
        [np.full(count, device.log_begin_ms), events.t_ms, np.full(count, device.log_end_ms)]
    )
    order = np.argsort(channel, kind="stable")
    channel, kind, t_ms = channel[order].astype(np.int64), kind[order], t_ms[order]
    inside = channel[1:] == channel[:-1]
    before, after = kind[:-1], kind[1:]
    present = inside & (
        ((before == DETECTOR_ON) & (after != DETECTOR_ON)) | ((before == BEGIN) & (after == DETECTOR_OFF))
    )
    absent = inside & (
        ((before == DETECTOR_OFF) & (after != DETECTOR_OFF)) | ((before == BEGIN) & (after != DETECTOR_OFF))
    )
    return Stretches(channel[:-1], t_ms[:-1], t_ms[1:], present, absent)


def _by_day(
    stretches: Stretches,
    chosen: npt.NDArray[np.bool_],
    channels: Times,
    days: Bins,
    first: int,
    shape: tuple[int, int],
) -> tuple[Times, Times]:
    """Time of the chosen stretches within each day, and the longest of them up to its end, ms by channel and day."""
    channel, begin, end = stretches.channel[chosen], stretches.begin_ms[chosen], stretches.end_ms[chosen]
    first_day = days.index(begin)
    count = days.index(end) - first_day + 1
    each = np.repeat(np.arange(len(begin)), count)
    day = first_day[each] + np.arange(len(each)) - np.repeat(np.cumsum(count) - count, count)
    until = np.minimum(end[each], days.edges[day + 1])
    cell = (np.searchsorted(channels, channel[each]), day - first)
    within, longest = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    np.add.at(within, cell, until - np.maximum(begin[each], days.edges[day]))
    np.maximum.at(longest, cell, until - begin[each])
    return within, longest


def _busiest_minute(t_ms: Times, row: Times, days: Bins, first: int, shape: tuple[int, int]) -> Times:
    """Most actuations in a minute of the clock by channel and day."""
    most = np.zeros(shape, np.int64)
    if not len(t_ms):
        return most
    cells, counts = np.unique(np.stack([row, t_ms // MS_PER_MIN]), axis=1, return_counts=True)
    np.maximum.at(most, (cells[0], days.index(cells[1] * MS_PER_MIN) - first), counts)
    return most

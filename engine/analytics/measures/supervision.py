"""What a technician should look at: phases that only max out, stuck buttons, silent detectors, missing data.

Source: UDOT ATSPM component details, version 5 (watchdog, with its default limits).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ...events import BEGIN_GREEN, DETECTOR_ON, DONT_WALK, FORCE_OFF, MAX_OUT, WALK
from ..log.events import DeviceLog
from .bins import Bins
from .local_time import days_of, minute_of_day
from .phase_ends import terminations_of
from .phases import hits_with_state
from .record import Rows, Setting

__all__ = ["watchdog"]

MIN_PER_H = 60
Finding = tuple[int, str, int, float, float]
Times = npt.NDArray[np.int64]


def watchdog(
    device: DeviceLog,
    setting: Setting,
    *,
    night_from_hour: int = 1,
    night_to_hour: int = 5,
    peak_from_hour: int = 17,
    peak_to_hour: int = 18,
    most_percent: float = 90.0,
    least_terminations: int = 50,
    consecutive: int = 3,
    most_ped_events: int = 200,
    least_hits: int = 50,
    least_records: int = 500,
) -> Rows:
    """Findings per local day: which check, of which phase or channel (0: the device), its value and the limit.

    At night, of phases with more than ``least_terminations`` ends: ``max_out`` and ``force_off`` where more than
    ``most_percent`` are at least the ``consecutive``-th of their kind in a row; ``stuck_ped`` with more walks and
    don't walks than ``most_ped_events``. ``low_hits``: fewer hits of a phase's advance detectors than ``least_hits``
    in the evening peak, where the log covers it. ``few_records``: at most ``least_records`` events on a day, also of
    one that the log holds in part. ``unconfigured_phase`` and ``unconfigured_detector``, once for the log, where the
    device has a configuration.
    """
    days, zone = days_of(device, setting.bins.timezone), setting.bins.timezone
    night = (MIN_PER_H * night_from_hour, MIN_PER_H * night_to_hour)
    peak = (MIN_PER_H * peak_from_hour, MIN_PER_H * peak_to_hour)
    found = [
        *_ends(device, days, zone, night, most_percent, least_terminations, consecutive),
        *_stuck(device, days, zone, night, most_ped_events),
        *_low(device, days, zone, peak, least_hits),
        *_few(device, days, least_records),
        *_unconfigured(device, days),
    ]
    found.sort()
    return {
        "timestamp": np.array([one[0] for one in found], np.int64),
        "check": np.array([one[1] for one in found], np.object_),
        "number": np.array([one[2] for one in found], np.int64),
        "value": np.array([one[3] for one in found], np.float64),
        "limit": np.array([one[4] for one in found], np.float64),
    }


def _within(t_ms: Times, zone: str, minutes: tuple[int, int]) -> npt.NDArray[np.bool_]:
    minute = minute_of_day(t_ms, zone)
    return (minute >= minutes[0]) & (minute < minutes[1])


def _by_day_and_number(day: Times, number: npt.NDArray[np.integer]) -> dict[tuple[int, int], int]:
    cells, counts = np.unique(np.stack([day, number.astype(np.int64)], axis=1), axis=0, return_counts=True)
    return {(int(one), int(other)): int(n) for (one, other), n in zip(cells, counts, strict=True)}


def _ends(
    device: DeviceLog,
    days: Bins,
    zone: str,
    night: tuple[int, int],
    most_percent: float,
    least: int,
    consecutive: int,
) -> Iterator[Finding]:
    ends = terminations_of(device)
    at_night = _within(ends.t_ms, zone, night)
    day = days.index(ends.t_ms)
    total = _by_day_and_number(day[at_night], ends.phase[at_night])
    for check, kind in (("max_out", MAX_OUT), ("force_off", FORCE_OFF)):
        own = at_night & (ends.kind == kind) & (ends.in_a_row >= consecutive)
        for (one, phase), count in _by_day_and_number(day[own], ends.phase[own]).items():
            percent = 100 * count / total[one, phase]
            if total[one, phase] > least and percent > most_percent:
                yield int(days.edges[one]), check, phase, percent, most_percent


def _stuck(device: DeviceLog, days: Bins, zone: str, night: tuple[int, int], most: int) -> Iterator[Finding]:
    events = device.of(WALK, DONT_WALK)
    at_night = _within(events.t_ms, zone, night)
    counts = _by_day_and_number(days.index(events.t_ms[at_night]), events.parameter[at_night])
    for (one, phase), count in counts.items():
        if count > most:
            yield int(days.edges[one]), "stuck_ped", phase, count, most


def _low(device: DeviceLog, days: Bins, zone: str, peak: tuple[int, int], least: int) -> Iterator[Finding]:
    hits = hits_with_state(device, "advance")
    in_peak = _within(hits.t_ms, zone, peak)
    counts = _by_day_and_number(days.index(hits.t_ms[in_peak]), hits.phase[in_peak])
    ends = np.array([device.log_begin_ms, device.log_end_ms])
    first, last = days.index(ends).tolist()
    begins_before, ends_before = minute_of_day(ends, zone).tolist()
    covered = range(first + (begins_before >= peak[0]), last + (ends_before >= peak[1]))
    for one in covered:
        for phase in np.unique(device.detectors_for("advance").phase).tolist():
            count = counts.get((one, phase), 0)
            if count < least:
                yield int(days.edges[one]), "low_hits", phase, count, least


def _few(device: DeviceLog, days: Bins, least: int) -> Iterator[Finding]:
    first, last = days.index(np.array([device.log_begin_ms, device.log_end_ms])).tolist()
    counts = np.bincount(days.index(device.t_ms), minlength=last + 1)
    for one in range(first, last + 1):
        if counts[one] <= least:
            yield int(days.edges[one]), "few_records", 0, int(counts[one]), least


def _unconfigured(device: DeviceLog, days: Bins) -> Iterator[Finding]:
    rows = device.config.rows
    if rows.is_empty():
        return
    first = int(days.start(np.array([device.log_begin_ms]))[0])
    for check, code, column in (
        ("unconfigured_phase", BEGIN_GREEN, "phase"),
        ("unconfigured_detector", DETECTOR_ON, "channel"),
    ):
        numbers, counts = np.unique(device.of(code).parameter, return_counts=True)
        known = set(rows[column].to_list())
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            if number not in known:
                yield first, check, number, count, 0

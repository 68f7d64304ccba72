"""Timeline: what lasted from when to when, and whether the log can be trusted on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ..log.events import DeviceLog
from .grouping import Followed, followed, overlaps
from .presence import has_data
from .record import Rows, Setting

__all__ = ["SILENCES", "timeline"]

SILENCES: Mapping[str, float] = {"05:00": 300, "06:00": 120, "21:00": 300, "23:00": 900}
"""From this local time on, so many seconds without an event are a gap in the log."""
CLOCK_MS = 5000
LONGEST_CHANGE_MS = 10_000
NO_VALUE = np.nan


class Intervals(NamedTuple):
    """Intervals of one kind, (n,) each; ``value`` NaN where the kind has none."""

    begin_ms: npt.NDArray[np.int64]
    end_ms: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    valid: npt.NDArray[np.bool_]


class Pair(NamedTuple):
    """An event that begins and one that ends, of the same number."""

    name: str
    begin: int
    end: int
    longest_ms: int | None = None
    end_counts: bool = False


PAIRS = (
    Pair("Advance Warning Overlap", 71, 72),
    Pair("Advance Warning Phase", 55, 56),
    Pair("FYA", 32, 33),
    Pair("Green", 1, 7),
    Pair("Yellow", 8, 9, LONGEST_CHANGE_MS),
    Pair("Red", 10, 11, LONGEST_CHANGE_MS),
    Pair("Overlap Ped", 67, 65),
    Pair("Ped Service", 21, 23),
    Pair("Phase Call", 43, 44),
    Pair("Phase Hold", 41, 42),
    Pair("Phase Omit", 46, 47),
    Pair("Ped Omit", 48, 49),
    Pair("Ped Detector Failed", 91, 92),
    Pair("Preempt", 102, 104),
    Pair("Special Function", 176, 177),
    Pair("TSP Call", 112, 115),
    Pair("TSP Detector", 94, 93, end_counts=True),
    Pair("TSP Service", 118, 119, end_counts=True),
    Pair("Split", 0, 12),
)
SIGNALS = ("Green", "Yellow", "Red")
SWITCHES = {"Aux Switch": 202, "Stop Time Input": 180, "Manual Control": 178}
INSTANTS = {
    "Pattern Change": 131,
    "Interval Advance": 179,
    "Power Failure": 182,
    "Power Restored": 184,
    "Cycle Length Change": 132,
    "Offset Change": 133,
    "Clock Update": 181,
}
WITHOUT_VALUE = ("Power Failure", "Power Restored")
FAULTS = {84: "Other", 85: "Watchdog", 86: "Stuck Off", 87: "Stuck On", 88: "Erratic"}
RESTORED = 83
TRANSITIONS = {2: "Transition Longway", 3: "Transition Shortway", 4: "Transition Dwell"}
ALARM_BITS = {
    1: "Cycle Fault",
    2: "Coord Fault",
    4: "Coord Fail",
    8: "Cycle Fail",
    16: "MMU Flash",
    32: "Local Flash",
}
FLASH_KINDS = {
    1: "Flash - Other",
    2: "Flash - Not Flash",
    3: "Flash - Automatic",
    4: "Flash - Local Manual",
    5: "Flash - Fault Monitor",
    6: "Flash - MMU",
    7: "Flash - Startup",
    8: "Flash - Preempt",
}
ALARMS = [(name, 174, bit, True) for bit, name in ALARM_BITS.items()] + [
    (name, 173, kind, False) for kind, name in FLASH_KINDS.items()
]
Kinds = list[tuple[str, Intervals]]


def timeline(
    device: DeviceLog,
    setting: Setting,
    *,
    min_duration: float = 0.2,
    cushion_time: float = 60,
    max_event_gap_seconds: float | Mapping[str, float] | None = SILENCES,
) -> Rows:
    """Every interval that both ends of are in the log, with its class, its number and whether it is to be trusted.

    Not to be trusted: a begin that another begin follows; yellow or red over 10 s; what shares time with 5 s around
    a clock update, with a silence longer than ``max_event_gap_seconds`` (by local time of day at which it begins) or
    with a bin that ``has_data`` does not have. Instants last ``cushion_time`` seconds; shorter intervals than
    ``min_duration`` seconds are left out.
    """
    key = ("timeline", min_duration, cushion_time, repr(max_event_gap_seconds))
    return device.once(
        key, lambda: _timeline(device, setting, min_duration, cushion_time, max_event_gap_seconds)
    )


def _timeline(
    device: DeviceLog,
    setting: Setting,
    min_duration: float,
    cushion_time: float,
    silences: float | Mapping[str, float] | None,
) -> Rows:
    cushion_ms = round(1000 * cushion_time)
    lasting = [*_pairs(device), *_switches(device), *_phase_waits(device), *_transitions(device)]
    lasting += [*_adjustments(device), *_faults(device), *_ped_delays(device), *_overlaps(device)]
    lasting += _alarms(device, cushion_ms)
    windows = _untrusted(device, setting, silences)
    kinds = [
        (name, one._replace(valid=one.valid & ~overlaps(one.begin_ms, one.end_ms, *windows)))
        for name, one in lasting
    ] + _instants(device, cushion_ms)
    return _rows(device, setting, kinds, min_duration)


def _rows(device: DeviceLog, setting: Setting, kinds: Kinds, min_duration: float) -> Rows:
    begin_ms = np.concatenate([one.begin_ms for _, one in kinds])
    end_ms = np.concatenate([one.end_ms for _, one in kinds])
    duration = (end_ms - begin_ms).astype(np.float32) / np.float32(1000)
    kept = duration.astype(np.float64) >= min_duration
    names = np.concatenate([np.full(len(one.begin_ms), name, np.object_) for name, one in kinds])
    valid = np.concatenate([one.valid for _, one in kinds])
    valid &= ~_misses_data(device, setting, begin_ms, end_ms)
    value = np.concatenate([one.value for _, one in kinds])
    rows: Rows = {
        "start_time": begin_ms,
        "end_time": end_ms,
        "duration": duration,
        "is_valid": valid,
        "event_class": names,
        "event_value": value,
    }
    return {name: column[kept] for name, column in rows.items()}


def _misses_data(
    device: DeviceLog, setting: Setting, begin_ms: npt.NDArray[np.int64], end_ms: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    bins = setting.bins
    starts = has_data(device, setting, **setting.parameters.get("has_data", {}))["timestamp"]
    missing = np.ones(bins.count, np.int64)
    missing[bins.index(starts)] = 0
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(missing)])
    last = np.minimum(bins.index(end_ms), bins.count - 1)
    found: npt.NDArray[np.bool_] = before[last + 1] > before[bins.index(begin_ms)]
    return found


def _untrusted(
    device: DeviceLog, setting: Setting, silences: float | Mapping[str, float] | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Windows around clock updates and over silences."""
    updates = device.of(INSTANTS["Clock Update"]).t_ms
    schedule = _schedule(silences)
    if not schedule:
        return updates - CLOCK_MS, updates + CLOCK_MS
    gaps = np.diff(device.t_ms)
    zone = ZoneInfo(setting.bins.timezone)
    long = [
        i
        for i in np.flatnonzero(gaps > 1000 * min(seconds for _, seconds in schedule)).tolist()
        if gaps[i] > 1000 * _allowed_s(schedule, int(device.t_ms[i]), zone)
    ]
    return (
        np.concatenate([updates - CLOCK_MS, device.t_ms[long]]),
        np.concatenate([updates + CLOCK_MS, device.t_ms[[i + 1 for i in long]]]),
    )


def _schedule(silences: float | Mapping[str, float] | None) -> list[tuple[int, float]]:
    """Minute of the day and seconds allowed from then on, in order."""
    if silences is None:
        return []
    if not isinstance(silences, Mapping):
        return [(0, float(silences))]
    try:
        times = [(one.split(":"), seconds) for one, seconds in silences.items()]
        return sorted((60 * int(hour) + int(minute), float(seconds)) for (hour, minute), seconds in times)
    except ValueError as err:
        raise InputError(
            f"max_event_gap_seconds: expected HH:MM and seconds, found {dict(silences)}"
        ) from err


def _allowed_s(schedule: list[tuple[int, float]], t_ms: int, zone: ZoneInfo) -> float:
    local = datetime.fromtimestamp(t_ms / 1000, UTC).astimezone(zone)
    minute = 60 * local.hour + local.minute
    allowed = [seconds for begin, seconds in schedule if begin <= minute]
    return allowed[-1] if allowed else schedule[-1][1]


def _kept(events: Followed, where: npt.NDArray[np.bool_], valid: npt.NDArray[np.bool_]) -> Intervals:
    """The intervals from these events to the next; those that nothing follows are left out."""
    chosen = where & (events.next_event >= 0)
    return Intervals(
        events.t_ms[chosen], events.next_ms[chosen], events.number[chosen].astype(np.float64), valid[chosen]
    )


def _valueless(one: Intervals) -> Intervals:
    return one._replace(value=np.full(len(one.begin_ms), NO_VALUE))


def _pair(device: DeviceLog, pair: Pair) -> tuple[Followed, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Events of the pair, which of them begin an interval (an end that an end follows too), and which are whole."""
    events = followed(device.of(pair.begin, pair.end))
    begins = events.event == pair.begin
    whole = begins & (events.next_event == pair.end)
    if pair.longest_ms is not None:
        whole &= events.next_ms - events.t_ms <= pair.longest_ms
    return events, begins | ((events.event == pair.end) & (events.next_event == pair.end)), whole


def _pairs(device: DeviceLog) -> Kinds:
    kinds = []
    for pair in PAIRS:
        events, begins, whole = _pair(device, pair)
        shown = begins if pair.end_counts else begins & (events.event == pair.begin)
        kinds.append((pair.name, _kept(events, shown, whole)))
    return kinds


def _switches(device: DeviceLog) -> Kinds:
    """On is parameter 1, off is 0; each switch is one row of events whatever the parameter."""
    kinds = []
    for name, code in SWITCHES.items():
        events = device.of(code)
        on = events.parameter
        following = np.concatenate([on[1:], np.full(min(1, len(on)), -1, on.dtype)])
        ends = np.concatenate([events.t_ms[1:], events.t_ms[-1:]])
        shown = ((on == 1) | ((on == 0) & (following == 0))) & (following >= 0)
        valid = (on == 1) & (following == 0)
        kinds.append(
            (name, Intervals(events.t_ms[shown], ends[shown], on[shown].astype(np.float64), valid[shown]))
        )
    return kinds


def _instants(device: DeviceLog, cushion_ms: int) -> Kinds:
    kinds = []
    for name, code in INSTANTS.items():
        events = device.of(code)
        value = events.parameter.astype(np.float64)
        one = Intervals(events.t_ms, events.t_ms + cushion_ms, value, np.ones(len(value), np.bool_))
        kinds.append((name, _valueless(one) if name in WITHOUT_VALUE else one))
    return kinds


def _phase_waits(device: DeviceLog) -> Kinds:
    """From a call to green, and from the end of green to the next while the call stays."""
    events = followed(device.of(43, 44, 1, 7))
    index = np.arange(len(events.t_ms))
    change = np.maximum.accumulate(np.where((events.event == 43) | (events.event == 44), index, -1))
    called = (change >= 0) & (events.event[change] == 43) & (events.number[change] == events.number)
    waits = (events.next_event == 1) & ((events.event == 43) | ((events.event == 7) & called))
    one = _kept(events, waits, np.ones(len(index), np.bool_))
    valid = ~_in_broken_call(device, one)
    broken = [_broken(device, pair) for pair in PAIRS if pair.name in SIGNALS]
    begins, ends = (np.concatenate(times) for times in zip(*broken, strict=True))
    return [("Phase Wait", one._replace(valid=valid & ~overlaps(one.begin_ms, one.end_ms, begins, ends)))]


def _broken(device: DeviceLog, pair: Pair) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Intervals of the pair that are not whole."""
    events, begins, whole = _pair(device, pair)
    one = _kept(events, begins & ~whole, whole)
    return one.begin_ms, one.end_ms


def _in_broken_call(device: DeviceLog, waits: Intervals) -> npt.NDArray[np.bool_]:
    """Which waits begin within an interval of their phase's calls that is not whole."""
    events, begins, whole = _pair(device, next(pair for pair in PAIRS if pair.name == "Phase Call"))
    calls = _kept(events, begins, whole)
    found = np.zeros(len(waits.begin_ms), np.bool_)
    for phase in np.unique(waits.value):
        own, of_phase = calls.value == phase, waits.value == phase
        at = np.searchsorted(calls.begin_ms[own], waits.begin_ms[of_phase], side="right") - 1
        there = at >= 0
        at = np.maximum(at, 0)
        if own.any():
            inside = there & (waits.begin_ms[of_phase] < calls.end_ms[own][at])
            found[of_phase] = inside & ~calls.valid[own][at]
    return found


def _transitions(device: DeviceLog) -> Kinds:
    """Each state of the coordinator (0 to 4) until the next; at one time the larger comes first."""
    events = device.of(150)
    known = events.parameter <= 4
    t_ms, state = events.t_ms[known], events.parameter[known]
    order = np.lexsort((-state, t_ms))
    t_ms, state = t_ms[order], state[order]
    ends = t_ms[1:]
    kinds = []
    for code, name in TRANSITIONS.items():
        chosen = np.flatnonzero(state[:-1] == code)
        one = Intervals(
            t_ms[chosen], ends[chosen], np.full(len(chosen), NO_VALUE), np.ones(len(chosen), np.bool_)
        )
        kinds.append((name, one))
    return kinds


def _adjustments(device: DeviceLog) -> Kinds:
    """Priority: early or extended green until the next adjustment or check-out."""
    events = followed(device.of(113, 114, 115))
    one = _kept(events, events.event != 115, np.ones(len(events.event), np.bool_))
    return [("TSP Adjustment", one)]


def _faults(device: DeviceLog) -> Kinds:
    events = followed(device.of(RESTORED, *FAULTS))
    kinds = []
    for code, name in FAULTS.items():
        one = _kept(events, events.event == code, events.next_event == RESTORED)
        kinds.append((name, _valueless(one) if name == "Watchdog" else one))
    return kinds


def _ped_delays(device: DeviceLog) -> Kinds:
    """From the first press after a pedestrian clearance (or of the log) to the next walk or clearance."""
    events = followed(device.of(90, 21, 22))
    n = len(events.t_ms)
    served = np.where((events.event == 21) | (events.event == 22), np.arange(n), n)
    coming = np.minimum.accumulate(served[::-1])[::-1] if n else served
    inside = coming < n
    inside[inside] = events.number[coming[inside]] == events.number[inside]
    previous = np.concatenate([np.full(min(n, 1), -1), events.event[:-1]])
    first = np.concatenate([np.full(min(n, 1), True), events.number[1:] != events.number[:-1]])
    chosen = (events.event == 90) & inside & (first | (previous == 22))
    ends = events.t_ms[coming[chosen]]
    value = events.number[chosen].astype(np.float64)
    return [("Ped Delay", Intervals(events.t_ms[chosen], ends, value, np.ones(len(ends), np.bool_)))]


def _overlaps(device: DeviceLog) -> Kinds:
    events = followed(device.of(*range(61, 67)))
    dark = np.isin(events.number, events.number[events.event == 65])
    after = events.next_event
    whole = {
        "Overlap Green": (61, after != 61),
        "Overlap Trail Green": (62, after != 62),
        "Overlap Yellow": (63, np.ones(len(after), np.bool_)),
        "Overlap Red": (64, (after == 65) | ((after == 61) & ~dark)),
    }
    return [(name, _kept(events, events.event == code, valid)) for name, (code, valid) in whole.items()]


def _alarms(device: DeviceLog, cushion_ms: int) -> Kinds:
    """Alarms and kinds of flash until the next report of their code; the last for the cushion."""
    found = []
    for name, code, value, is_bit in ALARMS:
        events = device.of(code)
        order = np.lexsort((-events.parameter, events.t_ms))
        t_ms, report = events.t_ms[order], events.parameter[order]
        ends = np.concatenate([t_ms[1:], t_ms[-1:] + cushion_ms])
        chosen = (report & value) > 0 if is_bit else report == value
        nothing = np.full(int(chosen.sum()), NO_VALUE)
        found.append((name, Intervals(t_ms[chosen], ends[chosen], nothing, np.isnan(nothing))))
    return found


def of_class(rows: Rows, names: Iterable[str]) -> Rows:
    """The trusted intervals of these classes."""
    chosen = np.isin(rows["event_class"], list(names)) & rows["is_valid"]
    return {name: column[chosen] for name, column in rows.items()}

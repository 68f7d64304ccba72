"""What preemption and transit priority asked for and got, request by request.

Source: UDOT ATSPM component details, version 5 (preemption details, transit signal priority details); event codes of
the Purdue enumeration, 2020.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..log.events import DeviceLog
from .record import Rows, Setting

__all__ = ["preempt_details", "priority_details"]

CALL_ON, CALL_OFF, ENTRY, TRACK, DWELL, EXIT = 102, 104, 105, 106, 107, 111
CHECK_IN, EARLY_GREEN, EXTENSION, CHECK_OUT, SERVICE_BEGIN, SERVICE_END = 112, 113, 114, 115, 118, 119
MS_PER_S = 1000


@dataclass(slots=True)
class Request:
    """A request of one number: the first time of each of its events, and how often they came."""

    number: int
    begin_ms: int
    end_ms: int
    is_whole: bool = False
    first_ms: dict[int, int] = field(default_factory=dict)
    last_ms: dict[int, int] = field(default_factory=dict)
    count: dict[int, int] = field(default_factory=dict)

    def take(self, event: int, t_ms: int) -> None:
        """One more event."""
        self.first_ms.setdefault(event, t_ms)
        self.last_ms[event] = t_ms
        self.count[event] = self.count.get(event, 0) + 1
        self.end_ms = t_ms

    def between_s(self, one: int, other: int) -> float:
        """From the first of an event to the first of another; NaN unless both came in this order."""
        if one not in self.first_ms or self.first_ms.get(other, -1) < self.first_ms[one]:
            return np.nan
        return (self.first_ms[other] - self.first_ms[one]) / MS_PER_S


def preempt_details(device: DeviceLog, _setting: Setting) -> Rows:
    """Each preemption: its input, delay to entry, time to service, track clearance, dwell and exit, s.

    A preemption begins with its call (102) or, where that was lost, its entry (105), and ends with its exit (111);
    one that was never entered ends when the call does (104). Delay runs from call to entry, service from entry (or
    the call, where none was told) to track clearance or, without one, to dwell. ``is_complete`` is False where the
    log lacks the end. ``calls`` counts how often the input went on.
    """
    found = _preempts(device)
    return {
        "timestamp": np.array([one.begin_ms for one in found], np.int64),
        "end_time": np.array([one.end_ms for one in found], np.int64),
        "preempt": np.array([one.number for one in found], np.int64),
        "calls": np.array([one.count.get(CALL_ON, 0) for one in found], np.int64),
        "input_s": _column([_input_s(one) for one in found]),
        "delay_s": _column([one.between_s(CALL_ON, ENTRY) for one in found]),
        "time_to_service_s": _column([_service_s(one) for one in found]),
        "track_clear_s": _column([one.between_s(TRACK, DWELL) for one in found]),
        "dwell_s": _column([one.between_s(DWELL, EXIT) for one in found]),
        "duration_s": _column([(one.end_ms - one.begin_ms) / MS_PER_S for one in found]),
        "is_complete": np.array([one.is_whole for one in found], np.bool_),
    }


def _column(values: list[float]) -> np.ndarray:
    return np.array(values, np.float64)


def _input_s(one: Request) -> float:
    """From the first call to the last end of one."""
    if CALL_ON not in one.first_ms or one.last_ms.get(CALL_OFF, -1) < one.first_ms[CALL_ON]:
        return np.nan
    return (one.last_ms[CALL_OFF] - one.first_ms[CALL_ON]) / MS_PER_S


def _service_s(one: Request) -> float:
    begin = ENTRY if ENTRY in one.first_ms else CALL_ON
    return one.between_s(begin, TRACK if TRACK in one.first_ms else DWELL)


def _preempts(device: DeviceLog) -> list[Request]:
    events = device.of(CALL_ON, CALL_OFF, ENTRY, TRACK, DWELL, EXIT)
    open_ones: dict[int, Request] = {}
    found: list[Request] = []
    for t_ms, event, number in zip(
        events.t_ms.tolist(), events.event.tolist(), events.parameter.tolist(), strict=True
    ):
        current = open_ones.get(number)
        if event == ENTRY and current is not None and ENTRY in current.first_ms:
            current = None  # the exit between two entries was lost
        if current is None:
            if event not in (CALL_ON, ENTRY):
                continue
            current = open_ones[number] = Request(number, t_ms, t_ms)
            found.append(current)
        current.take(event, t_ms)
        if event == EXIT or (event == CALL_OFF and ENTRY not in current.first_ms):
            current.is_whole = True
            del open_ones[number]
    return sorted(found, key=lambda one: (one.begin_ms, one.number))


def priority_details(device: DeviceLog, _setting: Setting) -> Rows:
    """Each request for priority from check-in (112) to check-out (115): what was adjusted, and how soon, s.

    ``service_s`` is from begin to end of service (118, 119) where a controller logs them. A check-in during a
    request begins another; the one before it is not complete.
    """
    found = _priorities(device)
    return {
        "timestamp": np.array([one.begin_ms for one in found], np.int64),
        "end_time": np.array([one.end_ms for one in found], np.int64),
        "request": np.array([one.number for one in found], np.int64),
        "duration_s": _column([one.between_s(CHECK_IN, CHECK_OUT) for one in found]),
        "early_greens": np.array([one.count.get(EARLY_GREEN, 0) for one in found], np.int64),
        "extensions": np.array([one.count.get(EXTENSION, 0) for one in found], np.int64),
        "adjusted_after_s": _column([_adjusted_after_s(one) for one in found]),
        "service_s": _column([one.between_s(SERVICE_BEGIN, SERVICE_END) for one in found]),
        "is_complete": np.array([one.is_whole for one in found], np.bool_),
    }


def _adjusted_after_s(one: Request) -> float:
    return float(np.fmin(one.between_s(CHECK_IN, EARLY_GREEN), one.between_s(CHECK_IN, EXTENSION)))


def _priorities(device: DeviceLog) -> list[Request]:
    events = device.of(CHECK_IN, EARLY_GREEN, EXTENSION, CHECK_OUT, SERVICE_BEGIN, SERVICE_END)
    open_ones: dict[int, Request] = {}
    found: list[Request] = []
    for t_ms, event, number in zip(
        events.t_ms.tolist(), events.event.tolist(), events.parameter.tolist(), strict=True
    ):
        if event == CHECK_IN:
            open_ones[number] = Request(number, t_ms, t_ms)
            found.append(open_ones[number])
        if number not in open_ones:
            continue
        open_ones[number].take(event, t_ms)
        if event == CHECK_OUT:
            open_ones.pop(number).is_whole = True
    return sorted(found, key=lambda one: (one.begin_ms, one.number))

"""Building blocks of the UDOT dialect: cycles from red to red, arrivals in them, plans, occupied time.

Red begins at the end of yellow (event 9), so that a phase without red clearance has cycles too. Source: UDOT ATSPM
component details, version 5 (Utah DOT).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from ...events import BEGIN_GREEN, BEGIN_YELLOW, DETECTOR_OFF, DETECTOR_ON, END_YELLOW, PATTERN_CHANGE
from ..log.events import DeviceLog
from .phases import hits_with_state

__all__ = [
    "Activations",
    "Arrivals",
    "Occupied",
    "Plans",
    "RedCycles",
    "activations",
    "arrivals_in_cycles",
    "by_phase_and_time",
    "cycle_of",
    "moved_hits",
    "percentiles",
    "plans",
    "red_cycles",
    "sequences",
]

TIME_BITS = 42
MPS_PER_KMH = 1 / 3.6
Integers = npt.NDArray[np.integer[Any]]
Times = npt.NDArray[np.int64]


class RedCycles(NamedTuple):
    """Whole cycles of red, green and yellow in order of phase and time, (n,) each, UTC milliseconds."""

    phase: Times
    begin_ms: Times
    green_ms: Times
    yellow_ms: Times
    end_ms: Times


class Arrivals(NamedTuple):
    """Hits in whole cycles, (n,) each: when the vehicle reached the stop line, and what it met there.

    ``cycle`` is the row of ``red_cycles``; ``state`` is 1 green, 8 yellow, 9 red.
    """

    t_ms: Times
    channel: npt.NDArray[np.int32]
    phase: npt.NDArray[np.int32]
    cycle: Times
    state: Times


class Plans(NamedTuple):
    """Times of one plan in order, (n,) each; ``number`` is 0 before the first change in the log."""

    begin_ms: Times
    end_ms: Times
    number: Times

    def row_at(self, t_ms: Times) -> Times:
        """The row in force at each time; the first one also before it."""
        return np.maximum(np.searchsorted(self.begin_ms, t_ms, side="right") - 1, 0)


class Activations(NamedTuple):
    """An on of a detector with the off right after it, (n,) each, in order of channel and time."""

    channel: Times
    begin_ms: Times
    end_ms: Times


class Occupied:
    """Time during which any of some activations lasted."""

    __slots__ = ("_before_ms", "_begin_ms", "_end_ms")

    def __init__(self, begin_ms: Times, end_ms: Times) -> None:
        order = np.argsort(begin_ms, kind="stable")
        begin, latest = begin_ms[order], np.maximum.accumulate(end_ms[order])
        starts = np.ones(len(begin), np.bool_)
        starts[1:] = begin[1:] > latest[:-1]
        first = np.flatnonzero(starts)
        self._begin_ms = begin[first]
        self._end_ms = latest[np.append(first[1:], len(begin))[: len(first)] - 1]
        self._before_ms = np.concatenate([[0], np.cumsum(self._end_ms - self._begin_ms)])

    def between(self, begin_ms: Times, end_ms: Times) -> Times:
        """Occupied milliseconds of each window."""
        return self._until(end_ms) - self._until(begin_ms)

    def _until(self, t_ms: Times) -> Times:
        if not len(self._begin_ms):
            return np.zeros(len(t_ms), np.int64)
        at = np.searchsorted(self._begin_ms, t_ms, side="right") - 1
        known = np.maximum(at, 0)
        last = np.minimum(t_ms, self._end_ms[known]) - self._begin_ms[known]
        return np.where(at < 0, 0, self._before_ms[known] + last)


def by_phase_and_time(phase: Integers, t_ms: Times) -> Times:
    """One number that orders by phase, then time."""
    return (phase.astype(np.int64) << TIME_BITS) + t_ms


def sequences(device: DeviceLog, codes: tuple[int, ...], among: tuple[int, ...]) -> tuple[Times, Times]:
    """Where events ``codes`` of one parameter follow each other with no other of ``among`` between them.

    Returns the parameters (n,) and the times (n, len(codes)), in order of parameter and time.
    """
    events = device.of(*among)
    order = np.argsort(events.parameter, kind="stable")
    number, event, t_ms = events.parameter[order], events.event[order], events.t_ms[order]
    count = max(len(order) - len(codes) + 1, 0)
    fits = number[:count] == number[len(number) - count :]
    for step, code in enumerate(codes):
        fits &= event[step : step + count] == code
    first = np.flatnonzero(fits)
    times = [t_ms[first + step] for step in range(len(codes))]
    return number[first].astype(np.int64), np.stack(times, axis=1)


def red_cycles(device: DeviceLog) -> RedCycles:
    """The device's cycles: end of yellow, green, yellow, end of yellow."""
    return device.once("red cycles", lambda: _red_cycles(device))


def _red_cycles(device: DeviceLog) -> RedCycles:
    codes = (END_YELLOW, BEGIN_GREEN, BEGIN_YELLOW, END_YELLOW)
    phase, times = sequences(device, codes, (BEGIN_GREEN, BEGIN_YELLOW, END_YELLOW))
    return RedCycles(phase, *times.T)


def cycle_of(cycles: RedCycles, phase: Integers, t_ms: Times) -> Times:
    """The row of the cycle that a phase is in at each time; -1 where that is no whole one."""
    if not len(cycles.phase):
        return np.full(len(t_ms), -1, np.int64)
    begins = by_phase_and_time(cycles.phase, cycles.begin_ms)
    at = np.searchsorted(begins, by_phase_and_time(phase, t_ms), side="right") - 1
    inside = (at >= 0) & (cycles.phase[at] == phase) & (t_ms < cycles.end_ms[at])
    return np.where(inside, at, -1)


def moved_hits(
    device: DeviceLog, function: str, latency_s: float, decision_point_s: float
) -> tuple[Times, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Time at the stop line, channel and phase of each hit.

    Later by the way from the detector at its speed where both are configured, less ``decision_point_s``; and earlier
    by ``latency_s``.
    """
    hits = hits_with_state(device, function)
    shift_ms = np.full(int(hits.channel.max(initial=0)) + 1, -round(1000 * latency_s), np.int64)
    for channel, way_s in _ways_s(device.config.rows, function).items():
        if channel < len(shift_ms):
            shift_ms[channel] += round(1000 * (way_s - decision_point_s))
    return hits.t_ms + shift_ms[hits.channel], hits.channel, hits.phase


def _ways_s(rows: pl.DataFrame, function: str) -> dict[int, float]:
    """Time from each detector to the stop line where distance and speed are known."""
    if rows.is_empty():
        return {}
    known = rows.filter((pl.col("function") == function) & (pl.col("speed_kmh") > 0)).drop_nulls("distance_m")
    way_s = known["distance_m"] / (known["speed_kmh"] * MPS_PER_KMH)
    return dict(zip(known["channel"].to_list(), way_s.to_list(), strict=True))


def arrivals_in_cycles(device: DeviceLog, latency_s: float = 0.0, decision_point_s: float = 0.0) -> Arrivals:
    """Hits of advance detectors at the time they reach the stop line, in whole cycles only."""
    return device.once(
        ("arrivals", latency_s, decision_point_s), lambda: _arrivals(device, latency_s, decision_point_s)
    )


def _arrivals(device: DeviceLog, latency_s: float, decision_point_s: float) -> Arrivals:
    t_ms, channel, phase = moved_hits(device, "advance", latency_s, decision_point_s)
    cycles = red_cycles(device)
    cycle = cycle_of(cycles, phase, t_ms)
    there = np.flatnonzero(cycle >= 0)
    t_ms, channel, phase, cycle = t_ms[there], channel[there], phase[there], cycle[there]
    on_red, on_yellow = t_ms < cycles.green_ms[cycle], t_ms >= cycles.yellow_ms[cycle]
    state = np.where(on_red, END_YELLOW, np.where(on_yellow, BEGIN_YELLOW, BEGIN_GREEN)).astype(np.int64)
    return Arrivals(t_ms, channel, phase, cycle, state)


def plans(device: DeviceLog) -> Plans:
    """The plans of the log's time: a change to the plan in force is none."""
    return device.once("plans", lambda: _plans(device))


def _plans(device: DeviceLog) -> Plans:
    events = device.of(PATTERN_CHANGE)
    begin = np.concatenate([[device.log_begin_ms], events.t_ms])
    number = np.concatenate([[0], events.parameter]).astype(np.int64)
    last_at_its_time = np.append(begin[1:] > begin[:-1], True)
    begin, number = begin[last_at_its_time], number[last_at_its_time]
    changed = np.concatenate([[True], number[1:] != number[:-1]])
    begin, number = begin[changed], number[changed]
    return Plans(begin, np.append(begin[1:], device.log_end_ms), number)


def activations(device: DeviceLog) -> Activations:
    """All activations of all channels."""
    return device.once("activations", lambda: _activations(device))


def _activations(device: DeviceLog) -> Activations:
    codes = (DETECTOR_ON, DETECTOR_OFF)
    channel, times = sequences(device, codes, codes)
    return Activations(channel, *times.T)


def percentiles(
    value: npt.NDArray[np.float64], group: Integers, groups: int, percent: float
) -> npt.NDArray[np.float64]:
    """A percentile per group, linear between the ordered values; every group has one."""
    ordered = value[np.lexsort((value, group))]
    count = np.bincount(group, minlength=groups)
    place = np.cumsum(count) - count + (count - 1) * (percent / 100)
    low = np.floor(place).astype(np.int64)
    high = np.ceil(place).astype(np.int64)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)

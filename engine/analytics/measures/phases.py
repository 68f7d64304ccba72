"""Building blocks: signal events of phases, and detector hits with what their phase showed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...events import BEGIN_GREEN, BEGIN_RED_CLEARANCE, BEGIN_YELLOW, DETECTOR_ON
from ..kernels.arrivals import attach_states
from ..kernels.intervals import number_cycles
from ..log.events import DetectorRows, DeviceLog
from ..log.packing import PARAMETER_BITS

__all__ = ["Cycles", "Hits", "channel_index", "cycles_of_signals", "hits_with_state", "signal_events"]

PHASES = 1 << PARAMETER_BITS


class Hits(NamedTuple):
    """Detector hits in order of time, (n,) each: a hit counts once for every phase that its detector serves.

    ``state`` is 1 green, 8 yellow, 10 red, 0 not known yet; ``cycle`` counts the phase's greens in the log so far.
    """

    t_ms: npt.NDArray[np.int64]
    channel: npt.NDArray[np.int32]
    phase: npt.NDArray[np.int32]
    state: npt.NDArray[np.int32]
    cycle: npt.NDArray[np.int64]


class Cycles(NamedTuple):
    """Cycles by phase and number, (phases, cycles) each: one green, one yellow and one red? And when red began."""

    is_whole: npt.NDArray[np.bool_]
    red_ms: npt.NDArray[np.int64]


def cycles_of_signals(device: DeviceLog) -> Cycles:
    """Which cycles of which phase are whole; a cycle's number is that of ``Hits.cycle``."""
    return device.once("cycles", lambda: _cycles(signal_events(device)))


def _cycles(signals: DeviceLog) -> Cycles:
    number = np.zeros(len(signals.t_ms), np.int64)
    number_cycles(signals.event, signals.parameter, np.zeros(PHASES, np.int64), number)
    shape = (PHASES if not len(number) else int(signals.parameter.max()) + 1, int(number.max(initial=0)) + 1)
    counts = np.zeros((3, *shape), np.int64)
    kind = np.searchsorted((BEGIN_GREEN, BEGIN_YELLOW, BEGIN_RED_CLEARANCE), signals.event)
    np.add.at(counts, (kind, signals.parameter, number), 1)
    red_ms = np.zeros(shape, np.int64)
    red = kind == 2
    red_ms[signals.parameter[red], number[red]] = signals.t_ms[red]
    return Cycles((counts == 1).all(axis=0), red_ms)


def signal_events(device: DeviceLog) -> DeviceLog:
    """Begin of green, yellow and red of all phases."""
    return device.of(BEGIN_GREEN, BEGIN_YELLOW, BEGIN_RED_CLEARANCE)


def channel_index(
    channel: npt.NDArray[np.int32], value: npt.NDArray[np.integer[Any]]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Values by channel: those of channel c are ``value[first[c]:first[c + 1]]``."""
    order = np.argsort(channel, kind="stable")
    counts = np.bincount(channel, minlength=PHASES)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]), value[order].astype(np.int64)


def hits_with_state(device: DeviceLog, function: str, latency_s: float = 0.0) -> Hits:
    """Hits of the detectors of a function, moved ``latency_s`` back, with the state of each phase they serve."""
    return device.once(
        ("hits", function, latency_s), lambda: _hits(device, device.detectors_for(function), latency_s)
    )


def _hits(device: DeviceLog, detectors: DetectorRows, latency_s: float) -> Hits:
    hits = device.of(DETECTOR_ON)
    first, phases = channel_index(detectors.channel, detectors.phase)
    times = first[hits.parameter + 1] - first[hits.parameter]
    row = np.repeat(np.arange(len(times)), times)
    within = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    channel = hits.parameter[row]
    phase = phases[first[channel] + within].astype(np.int32)
    t_ms = hits.t_ms[row] - round(latency_s * 1000)
    signals = signal_events(device)
    state, cycle = np.zeros(len(t_ms), np.int32), np.zeros(len(t_ms), np.int64)
    attach_states(
        signals.t_ms,
        signals.event,
        signals.parameter,
        t_ms,
        phase,
        np.zeros(PHASES, np.int32),
        np.zeros(PHASES, np.int64),
        state,
        cycle,
    )
    return Hits(t_ms, channel, phase, state, cycle)

"""Arrivals: what the phase showed when vehicles passed its advance detectors or its stop line."""

from __future__ import annotations

import numpy as np

from ...events import BEGIN_GREEN, BEGIN_YELLOW
from ..kernels.counting import count_by_number
from ..kernels.intervals import cover_bins
from ..log.events import DeviceLog
from .grouping import followed, grouped, slots
from .phases import cycles_of_signals, hits_with_state
from .record import Rows, Setting

__all__ = ["arrival_on_green", "platoon_ratio", "yellow_red"]

ARRIVAL_TYPES = (0.50, 0.85, 1.15, 1.50, 2.00)
"""Platoon ratio up to which an arrival type goes, 1 to 5; 6 above (HCM, chapter 19)."""
HALF_SECOND_MS = 500


def arrival_on_green(device: DeviceLog, setting: Setting, *, latency_offset_seconds: float = 0.0) -> Rows:
    """Hits of advance detectors and the share of them on green, per bin and phase.

    A bin without a hit on green has no row, as in the package. ``latency_offset_seconds`` moves hits back.
    """
    hits = hits_with_state(device, "advance", latency_offset_seconds)
    phases, slot = slots(hits.phase)
    total = np.zeros((setting.bins.count, len(phases)), np.int64)
    green = np.zeros_like(total)
    count_by_number(hits.t_ms, slot, setting.bins.edges, total)
    on_green = hits.state == BEGIN_GREEN
    count_by_number(hits.t_ms[on_green], slot[on_green], setting.bins.edges, green)
    at, which = np.nonzero(green)
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phases[which],
        "total_actuations": total[at, which],
        "percent_aog": (green[at, which] / total[at, which]).astype(np.float32),
    }


def platoon_ratio(device: DeviceLog, setting: Setting) -> Rows:
    """Share of hits on green over share of time on green, its four parts and the arrival type, per bin and phase.

    To sum up bins add the parts and divide once. A green that the log does not end lasts to the end of its bin; one
    that it does not begin lasts from the start of the bin in which yellow comes.
    """
    hits = arrival_on_green(device, setting, **setting.parameters.get("arrival_on_green", {}))
    bins = setting.bins
    events = followed(device.of(BEGIN_GREEN, BEGIN_YELLOW))
    greens = events.event == BEGIN_GREEN
    first = np.concatenate([np.full(min(1, len(greens)), True), events.number[1:] != events.number[:-1]])
    previous = np.concatenate([np.full(min(1, len(greens)), -1), events.event[:-1]])
    opening = ~greens & (first | (previous == BEGIN_YELLOW))
    at = bins.index(events.t_ms)
    begin = np.where(greens, events.t_ms, bins.edges[at])
    end = np.where(greens, np.where(events.next_event >= 0, events.next_ms, bins.edges[at + 1]), events.t_ms)
    chosen = greens | opening
    phases, slot = slots(events.number)
    green_ms = np.zeros((bins.count, len(phases)), np.int64)
    cover_bins(begin[chosen], end[chosen], at[chosen], slot[chosen], bins.edges, green_ms)
    row = bins.index(hits["timestamp"])
    place = np.minimum(np.searchsorted(phases, hits["phase"]), max(len(phases) - 1, 0))
    seconds = green_ms[row, place] / 1000 if len(phases) else np.zeros(0)
    kept = seconds > 0
    hits = {name: column[kept] for name, column in hits.items()}
    ratio = seconds[kept] / (np.diff(bins.edges)[row[kept]] / 1000)
    platoon = (hits["percent_aog"] / ratio).astype(np.float32)
    return hits | {
        "green_actuations": np.rint(hits["percent_aog"].astype(np.float64) * hits["total_actuations"]).astype(
            np.int64
        ),
        "green_seconds": seconds[kept].astype(np.float32),
        "green_ratio": ratio.astype(np.float32),
        "platoon_ratio": platoon,
        "arrival_type": 1 + np.searchsorted(np.array(ARRIVAL_TYPES, np.float32), platoon, side="left"),
    }


def yellow_red(
    device: DeviceLog,
    setting: Setting,
    *,
    latency_offset_seconds: float = 0.0,
    min_red_offset: float | None = None,
) -> Rows:
    """Hits at the stop line by what the phase showed and by seconds since red began (to half a second).

    Only cycles with one green, one yellow and one red count; a cycle belongs to the bin in which its red begins.
    ``latency_offset_seconds`` moves hits back; hits earlier than ``min_red_offset`` are left out.
    """
    hits = hits_with_state(device, "yellow_red", latency_offset_seconds)
    cycles = cycles_of_signals(device)
    whole = cycles.is_whole[hits.phase, hits.cycle]
    red_ms = cycles.red_ms[hits.phase, hits.cycle][whole]
    since_ms = hits.t_ms[whole] - red_ms
    halves = np.sign(since_ms) * ((2 * np.abs(since_ms) + HALF_SECOND_MS) // (2 * HALF_SECOND_MS))
    kept = np.ones(len(halves), np.bool_) if min_red_offset is None else halves >= 2 * min_red_offset
    (at, phase, state, half), group = grouped(
        setting.bins.index(red_ms[kept]), hits.phase[whole][kept], hits.state[whole][kept], halves[kept]
    )
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phase,
        "signal_state": state,
        "red_offset": half / 2,
        "count": np.bincount(group, minlength=len(at)).astype(np.float32),
    }

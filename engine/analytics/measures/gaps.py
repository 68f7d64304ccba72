"""How green was used, gaps for opposing left turns, and queues that reach the advance detector.

Sources: UDOT ATSPM component details, version 5 (green time utilisation, left-turn gap analysis); Georgia DOT, SigOps
metrics (queue spillback).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...events import BEGIN_GREEN, BEGIN_RED_CLEARANCE, BEGIN_YELLOW
from ..log.events import DeviceLog
from .grouping import grouped
from .phases import hits_with_state
from .record import Rows, Setting
from .red_cycles import activations, by_phase_and_time, cycle_of, percentiles, red_cycles, sequences

__all__ = ["green_time_utilisation", "left_turn_gap", "queue_spillback"]

MS_PER_S = 1000
SPILLBACK_PERCENT = 95
Times = npt.NDArray[np.int64]


def green_time_utilisation(
    device: DeviceLog, setting: Setting, *, slice_s: float = 4.0, function: str = "count"
) -> Rows:
    """Hits per cycle in slices of green, counted from its begin, per bin in which green began and phase.

    Greens without a hit count in ``cycles``; slices without one have no row.
    """
    phase, begin, _end, hit_of, t_ms = _hits_in_greens(device, function, (BEGIN_GREEN, BEGIN_YELLOW))
    at = setting.bins.index(begin)
    (bin_of, phase_of), group = grouped(at, phase)
    cycles = np.bincount(group, minlength=len(bin_of))
    number = (t_ms - begin[hit_of]) // round(MS_PER_S * slice_s)
    (cell, slice_of), cell_group = grouped(group[hit_of], number)
    hits = np.bincount(cell_group, minlength=len(cell))
    return {
        "timestamp": setting.bins.edges[bin_of[cell]],
        "phase": phase_of[cell],
        "slice_begin_s": slice_of * slice_s,
        "hits": hits,
        "cycles": cycles[cell],
        "hits_per_cycle": hits / np.maximum(cycles[cell], 1),
    }


def left_turn_gap(
    device: DeviceLog,
    setting: Setting,
    *,
    function: str = "count",
    smallest_s: float = 1.0,
    short_s: float = 3.3,
    medium_s: float = 3.7,
    critical_s: float = 7.4,
) -> Rows:
    """Gaps in the traffic of each phase during its green, as opposing left turns find them, per bin and phase.

    Green runs to red clearance (10). A gap lies between hits, or between a hit and the begin or end of green, of all
    counting detectors of the phase together. Counted are gaps from each limit up to below the next;
    ``percent_turnable`` is the share of green in gaps of ``critical_s`` and more. A green belongs to the bin in which
    it begins.
    """
    served = np.unique(device.detectors_for(function).phase)
    phase, begin, end, hit_of, t_ms = _hits_in_greens(device, function, (BEGIN_GREEN, BEGIN_RED_CLEARANCE))
    every = np.arange(len(begin))
    green = np.concatenate([every, hit_of, every])
    times = np.concatenate([begin, t_ms, end])
    order = np.lexsort((times, green))
    green, times = green[order], times[order]
    inside = np.flatnonzero(green[1:] == green[:-1])
    gap_ms, of_green = times[inside + 1] - times[inside], green[inside]
    limits_ms = [round(MS_PER_S * one) for one in (smallest_s, short_s, medium_s, critical_s)]
    kind = np.searchsorted(limits_ms, gap_ms, side="right")
    (at, phases), group = grouped(setting.bins.index(begin), phase)
    counts = [
        np.bincount(group[of_green[kind == one]], minlength=len(at)) for one in range(1, len(limits_ms) + 1)
    ]
    wide = kind == len(limits_ms)
    turnable_ms = np.bincount(group[of_green[wide]], gap_ms[wide], minlength=len(at))
    green_ms = np.bincount(group, end - begin, minlength=len(at))
    rows: Rows = {
        "timestamp": setting.bins.edges[at],
        "phase": phases,
        "cycles": np.bincount(group, minlength=len(at)),
        "green_s": green_ms / MS_PER_S,
        "gaps_small": counts[0],
        "gaps_short": counts[1],
        "gaps_medium": counts[2],
        "gaps_turnable": counts[3],
        "percent_turnable": 100 * turnable_ms / np.maximum(green_ms, 1),
    }
    kept = np.isin(phases, served)
    return {name: column[kept] for name, column in rows.items()}


def _hits_in_greens(
    device: DeviceLog, function: str, codes: tuple[int, int]
) -> tuple[Times, Times, Times, Times, Times]:
    """Phase, begin and end of each green between two events; of each hit in one its green and time."""
    phase, times = sequences(device, codes, codes)
    begin, end = times.T
    hits = hits_with_state(device, function)
    keys = by_phase_and_time(phase, begin)
    at = np.searchsorted(keys, by_phase_and_time(hits.phase, hits.t_ms), side="right") - 1
    known = np.flatnonzero(at >= 0)
    row, t_ms = at[known], hits.t_ms[known]
    inside = (phase[row] == hits.phase[known]) & (t_ms < end[row])
    return phase, begin, end, row[inside], t_ms[inside]


def queue_spillback(
    device: DeviceLog, setting: Setting, *, longest_s: float = 3.0, percentile: float = SPILLBACK_PERCENT
) -> Rows:
    """Share of cycles in which advance detectors were held: the ``percentile`` of their on-times is above
    ``longest_s``.

    Per bin in which the cycle from red to red begins, and phase. An activation is of the cycle in which it begins;
    cycles without one do not count.
    """
    detectors, cycles = device.detectors_for("advance"), red_cycles(device)
    whole = activations(device)
    pair, row = np.nonzero(detectors.channel[:, None] == whole.channel[None, :])
    cycle = cycle_of(cycles, detectors.phase[pair], whole.begin_ms[row])
    row, cycle = row[cycle >= 0], cycle[cycle >= 0]
    (used,), of_cycle = grouped(cycle)
    on_s = (whole.end_ms - whole.begin_ms)[row] / MS_PER_S
    is_held = percentiles(on_s, of_cycle, len(used), percentile) > longest_s
    (at, phase), group = grouped(setting.bins.index(cycles.begin_ms[used]), cycles.phase[used])
    count = np.bincount(group, minlength=len(at))
    held = np.bincount(group[is_held], minlength=len(at))
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phase,
        "cycles": count,
        "spillback_cycles": held,
        "spillback_share": held / np.maximum(count, 1),
    }

"""How long a group of detectors was occupied in each cycle's green and in the first seconds of its red.

Times in half milliseconds, since an event that the log lost is put midway between its neighbours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import scan

__all__ = ["BARRIER", "DELTA_BITS", "RAPID_MS", "TIME_BITS", "cycle_occupancy", "occupancy_edges"]

BEGIN_GREEN, BEGIN_YELLOW, BEGIN_RED, BARRIER = 1, 8, 10, 11
DETECTOR_OFF, DETECTOR_ON = 81, 82
RAPID_MS = 2000
DELTA_BITS = 2
TIME_BITS = 46
NEVER = np.int64(1) << 62


@scan
def occupancy_edges(
    t_ms: npt.NDArray[np.int64],
    event: npt.NDArray[np.int32],
    channel: npt.NDArray[np.int32],
    first_of: npt.NDArray[np.int64],
    group_of: npt.NDArray[np.int64],
    begin_ms: int,
    previous_event: npt.NDArray[np.int32],
    previous_ms: npt.NDArray[np.int64],
    out: npt.NDArray[np.int64],
) -> int:
    """Write group, time and step (+1 on, -1 off) of every edge as one sortable number; how many.

    The groups of channel c are ``group_of[first_of[c]:first_of[c + 1]]``. Two on in a row: the off is at the second
    when they are RAPID_MS apart at most, else midway; two off in a row: the on is midway; a channel that begins with
    an off was on for the millisecond before. ``previous_event`` is 0 before a channel's first event.
    """
    n = 0
    for i in range(t_ms.shape[0]):
        c = channel[i]
        if first_of[c] == first_of[c + 1]:
            continue
        now = 2 * (t_ms[i] - begin_ms)
        is_lost = previous_event[c] == event[i]
        lost = now
        if is_lost:
            gap = t_ms[i] - previous_ms[c]
            if event[i] == DETECTOR_OFF or gap > RAPID_MS:
                lost = now - gap
        elif previous_event[c] == 0 and event[i] == DETECTOR_OFF:
            is_lost = True
            lost = now - 2
        step = 1 if event[i] == DETECTOR_ON else -1
        for k in range(first_of[c], first_of[c + 1]):
            base = group_of[k] << (TIME_BITS + DELTA_BITS)
            out[n] = base | (now << DELTA_BITS) | (step + 1)
            n += 1
            if is_lost:
                out[n] = base | (lost << DELTA_BITS) | (1 - step)
                n += 1
        previous_event[c] = event[i]
        previous_ms[c] = t_ms[i]
    return n


@scan
def cycle_occupancy(
    signal_t: npt.NDArray[np.int64],
    signal_event: npt.NDArray[np.int32],
    edge: npt.NDArray[np.int64],
    red_time: int,
    cutoff: int,
    out_t: npt.NDArray[np.int64],
    out_on: npt.NDArray[np.int64],
    out_green: npt.NDArray[np.int64],
    out_red: npt.NDArray[np.int64],
    reds: npt.NDArray[np.int64],
) -> int:
    """Write end, occupied green, green and occupied red (ms) of every whole cycle of one group; how many.

    ``signal_t`` and the times in ``edge`` are half milliseconds from one origin. A cycle begins with green, and is
    whole when it has one yellow, one barrier (``red_time`` after a red, and before ``cutoff``) and the occupancy is
    known from its start. Within a cycle the largest of 1, 8, 10 and the barrier is the state; a barrier after the
    next green counts for that cycle. ``reds`` (n_signals,) is room for barriers to come.
    """
    time_mask = (np.int64(1) << TIME_BITS) - 1
    delta_mask = (np.int64(1) << DELTA_BITS) - 1
    n = 0
    s = 0
    e = 0
    first_red = 0
    last_red = 0
    state = 0
    cycle = 0
    yellows = 0
    barriers = 0
    unknown = 0
    occupied = 0
    known = False
    on = np.int64(0)
    green = np.int64(0)
    red = np.int64(0)
    end = np.int64(0)
    before = np.int64(0)
    while True:
        t_signal = signal_t[s] if s < signal_t.shape[0] else NEVER
        t_barrier = reds[first_red] if first_red < last_red else NEVER
        t_edge = ((edge[e] >> DELTA_BITS) & time_mask) if e < edge.shape[0] else NEVER
        now = min(t_signal, t_barrier, t_edge)
        if now == NEVER:
            break
        span = now // 2 - before // 2
        if state == BEGIN_GREEN:
            if known:
                green += span
                if occupied > 0:
                    on += span
        elif state == BEGIN_RED and occupied > 0:
            red += span
        before = now
        if t_signal == now and (t_barrier != now or signal_event[s] < BARRIER):
            event = signal_event[s]
            s += 1
            if event == BEGIN_GREEN:
                if cycle > 0 and yellows == 1 and barriers == 1 and unknown == 0:
                    out_t[n], out_on[n], out_green[n], out_red[n] = end, on, green, red
                    n += 1
                cycle += 1
                state, yellows, barriers, unknown = BEGIN_GREEN, 0, 0, 0
                on, green, red = np.int64(0), np.int64(0), np.int64(0)
            else:
                if event == BEGIN_YELLOW:
                    yellows += 1
                elif now + red_time < cutoff:
                    reds[last_red] = now + red_time
                    last_red += 1
                state = max(state, event)
            if not known:
                unknown += 1
        elif t_barrier == now:
            first_red += 1
            barriers += 1
            end = now
            state = BARRIER
            if not known:
                unknown += 1
        else:
            while e < edge.shape[0] and ((edge[e] >> DELTA_BITS) & time_mask) == now:
                occupied += (edge[e] & delta_mask) - 1
                e += 1
            known = True
    if cycle > 0 and yellows == 1 and barriers == 1 and unknown == 0:
        out_t[n], out_on[n], out_green[n], out_red[n] = end, on, green, red
        n += 1
    return n

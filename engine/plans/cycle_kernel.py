"""The inner loop of planning: one signal cycle second by second, all lanes of a junction at once.

Point queues with the arrivals and greens of each second: with even arrivals this is the HCM's queue accumulation
polygon, with profiles the TRANSYT model (Robertson, RRL LR 253, 1969). Turns that yield wait for the queue of the
traffic that they yield to, then use its gaps; a vehicle that must wait holds up those behind it on a shared lane.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ..kernels.jit import inlined, kernel

__all__ = [
    "GO",
    "LOST_S",
    "STOP",
    "YIELD",
    "Lanes",
    "Scratch",
    "disperse_profile",
    "equalise_saturation",
    "run_lanes",
    "set_cycle",
]

F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]

STOP: Final = 0
YIELD: Final = 1
GO: Final = 2
LOST_S: Final = 2  # start-up lost time, and as much of the yellow is used: HCM 2000, exhibit 10-9
SNEAKERS_VEH: Final = 2.0  # turn at the end of a green through which they could not
STANDING_VEH: Final = 0.05
FULL: Final = 0.999
LEAST_FREE: Final = 0.02
SMOOTHING: Final = 0.5
FIRST_STEP_S: Final = 16


class Lanes(NamedTuple):
    """Lanes of one junction. Entry e of lane l, ``ptr[l] <= e < ptr[l + 1]``, is one of its groups."""

    ptr: I64  # (L + 1,)
    group: I64  # (E,) local group of the entry
    share: F64  # (E,) share of the lane's vehicles that belong to the group
    rate: F64  # (E,) veh/s discharged, protected
    gap_rate: F64  # (E,) veh/s discharged where the group yields and no queue opposes it
    flow: F64  # (L,) veh/s that arrive
    foe: U8  # (G, G) 1 where the group of the row yields to vehicles of the group of the column


class Scratch(NamedTuple):
    """What a run of a cycle leaves, and what it needs: nothing is allocated inside."""

    capacity: F64  # (L,) veh in a cycle
    delay: F64  # (L,) veh s in a cycle
    stops: F64  # (L,) veh in a cycle
    departed: F64  # (G, longest cycle) veh in each second
    queue: F64  # (L,)
    passed: F64  # (L,) veh since a vehicle of the lane has had to wait
    able: F64  # (L,)
    scale: F64  # (L,)
    moving: F64  # (L,) how much of the last seconds vehicles crossed


@kernel
def set_cycle(stage: U8, change: U8, change_ptr: I64, hold: I64, out: U8) -> int:
    """Write the lamps of one cycle into ``out`` (C, G), later by LOST_S; return its length, s.

    ``stage`` (n, G) shows while held ``hold`` (n,) s; rows ``change_ptr[k]:change_ptr[k + 1]`` of ``change`` follow.
    """
    length = int(change_ptr[len(hold)])
    for k in range(len(hold)):
        length += int(hold[k])
    t = LOST_S
    for k in range(len(hold)):
        for _ in range(hold[k]):
            _show(out, t % length, stage, k)
            t += 1
        for row in range(change_ptr[k], change_ptr[k + 1]):
            _show(out, t % length, change, row)
            t += 1
    return length


@inlined
def _show(out: U8, t: int, lamps: U8, row: int) -> None:
    for group in range(out.shape[1]):
        out[t, group] = lamps[row, group]


@inlined
def _opposition(lanes: Lanes, lamps: U8, group: int, t: int, to: Scratch) -> float:
    """How much of the time, 0 to 1, a queue that the group yields to is crossing."""
    most = 0.0
    for lane in range(len(lanes.flow)):
        if to.queue[lane] > STANDING_VEH:
            for e in range(lanes.ptr[lane], lanes.ptr[lane + 1]):
                other = lanes.group[e]
                if lanes.foe[group, other] and lamps[t, other] != STOP and lanes.share[e] > 0.0:
                    most = max(most, to.moving[lane])
    return min(most, 1.0)


@inlined
def _discharge(lanes: Lanes, lamps: U8, length: int, lane: int, t: int, to: Scratch) -> float:
    """Vehicles that the lane can discharge in second ``t``.

    Those that may go pass until, on average, one that may not stands in front.
    """
    go, go_s, slow, slow_s, shut, waiting, sneak = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for e in range(lanes.ptr[lane], lanes.ptr[lane + 1]):
        group, share = lanes.group[e], lanes.share[e]
        shown = lamps[t, group]
        if shown == GO:
            go += share
            go_s += share / lanes.rate[e]
        elif shown == YIELD:
            free = max(1.0 - _opposition(lanes, lamps, group, t, to), LEAST_FREE)
            slow += share
            slow_s += share / (free * lanes.gap_rate[e])
            waiting += share * (1.0 - free)
        else:
            shut += share
            if lamps[(t - 1) % length, group] == YIELD:
                sneak += SNEAKERS_VEH * share
    able = 0.0
    if go + slow > 0.0:
        able = (go + slow) / (go_s + slow_s)
        if go > 0.0 and slow > 0.0:
            before = go / max(shut + waiting, LEAST_FREE) - to.passed[lane]
            able = max(able, min(go / go_s, before))
        if shut > 0.0:
            able = min(able, max(0.0, (go + slow) / shut - to.passed[lane]))
    to.passed[lane] = to.passed[lane] + able if go + slow > 0.0 and shut + waiting > LEAST_FREE else 0.0
    return able + sneak


@inlined
def _headway(lanes: Lanes, lane: int) -> float:
    """Mean seconds between vehicles of a discharging queue."""
    mean_s = 0.0
    for e in range(lanes.ptr[lane], lanes.ptr[lane + 1]):
        mean_s += lanes.share[e] / lanes.rate[e]
    return mean_s


@kernel
def _run_once(lanes: Lanes, lamps: U8, length: int, arrival: F64, even: bool, to: Scratch) -> None:
    """One cycle from the queues that stand; sums of the cycle into ``to``."""
    lane_count = len(lanes.flow)
    for lane in range(lane_count):
        to.capacity[lane], to.delay[lane], to.stops[lane] = 0.0, 0.0, 0.0
    for group in range(to.departed.shape[0]):
        for t in range(length):
            to.departed[group, t] = 0.0
    for t in range(length):
        for lane in range(lane_count):
            to.able[lane] = _discharge(lanes, lamps, length, lane, t, to)
        for lane in range(lane_count):
            able = to.able[lane]
            come = to.scale[lane] * (lanes.flow[lane] if even else arrival[lane, t])
            waiting = to.queue[lane] + come
            served = min(waiting, able)
            to.stops[lane] += min(come, waiting - served)
            if to.queue[lane] > STANDING_VEH:
                to.stops[lane] += come - min(come, waiting - served)
            to.queue[lane] = waiting - served
            to.moving[lane] += SMOOTHING * (served * _headway(lanes, lane) - to.moving[lane])
            to.capacity[lane] += able
            to.delay[lane] += to.queue[lane]
            if served > 0.0:
                _share_out(lanes, lamps, lane, t, served, to.departed)


@inlined
def _share_out(lanes: Lanes, lamps: U8, lane: int, t: int, served: float, departed: F64) -> None:
    """Give the vehicles that left a lane to its groups, those that may go first of all."""
    go = 0.0
    for e in range(lanes.ptr[lane], lanes.ptr[lane + 1]):
        if lamps[t, lanes.group[e]] != STOP:
            go += lanes.share[e]
    for e in range(lanes.ptr[lane], lanes.ptr[lane + 1]):
        if go <= 0.0:
            departed[lanes.group[e], t] += served * lanes.share[e]
        elif lamps[t, lanes.group[e]] != STOP:
            departed[lanes.group[e], t] += served * lanes.share[e] / go


@inlined
def _clear(to: Scratch) -> None:
    for lane in range(len(to.scale)):
        to.scale[lane], to.queue[lane], to.passed[lane], to.moving[lane] = 1.0, 0.0, 0.0, 0.0


@kernel
def run_lanes(lanes: Lanes, lamps: U8, length: int, arrival: F64, even: bool, to: Scratch) -> None:
    """A cycle in its steady state; ``arrival`` (L, C) veh in each second, or ``lanes.flow`` where ``even``.

    Where more comes than can go, as much of it is taken as just fills the lane: the rest is for the HCM's d2.
    """
    _clear(to)
    _run_once(lanes, lamps, length, arrival, even, to)
    for lane in range(len(lanes.flow)):
        come = lanes.flow[lane] * length
        room = FULL * to.capacity[lane]
        to.scale[lane] = room / come if come > room else 1.0
        to.queue[lane] = 0.0
    _run_once(lanes, lamps, length, arrival, even, to)
    _run_once(lanes, lamps, length, arrival, even, to)


@kernel
def _worst_saturation(lanes: Lanes, lamps: U8, length: int, to: Scratch) -> float:
    """Highest degree of saturation of the lanes, with even arrivals; ``to.able`` (L,) has them all."""
    _clear(to)
    _run_once(lanes, lamps, length, to.departed, True, to)
    worst = 0.0
    for lane in range(len(lanes.flow)):
        come = lanes.flow[lane] * length
        to.able[lane] = come / max(to.capacity[lane], 1e-3)
        worst = max(worst, to.able[lane])
    return worst


@kernel
def equalise_saturation(
    lanes: Lanes,
    stage: U8,
    change: U8,
    change_ptr: I64,
    least: I64,
    hold: I64,
    lamps: U8,
    to: Scratch,
) -> float:
    """Move green between stages, ``hold`` (n,) s in place, until the worst degree of saturation, returned, is least.

    At least ``least`` (n,) s stay with each stage; the cycle stays as long as it is.
    """
    stages = len(hold)
    length = set_cycle(stage, change, change_ptr, hold, lamps)
    worst = _worst_saturation(lanes, lamps, length, to)
    lane = int(np.argmax(to.able))
    step = FIRST_STEP_S
    while step > 0:
        best, giver, taker = worst, -1, -1
        for b in range(stages):
            if not _is_open(lanes, stage, b, lane):
                continue
            for a in range(stages):
                if a == b or hold[a] - step < least[a]:
                    continue
                hold[a] -= step
                hold[b] += step
                set_cycle(stage, change, change_ptr, hold, lamps)
                found = _worst_saturation(lanes, lamps, length, to)
                hold[a] += step
                hold[b] -= step
                if found < best - 1e-6:
                    best, giver, taker = found, a, b
        if giver < 0:
            step //= 2
            continue
        hold[giver] -= step
        hold[taker] += step
        set_cycle(stage, change, change_ptr, hold, lamps)
        worst = _worst_saturation(lanes, lamps, length, to)
        lane = int(np.argmax(to.able))
    return worst


@inlined
def _is_open(lanes: Lanes, stage: U8, row: int, lane: int) -> bool:
    """May any of the lane's vehicles go?"""
    found = False
    for e in range(lanes.ptr[lane], lanes.ptr[lane + 1]):
        if stage[row, lanes.group[e]] != STOP and lanes.share[e] > 0.0:
            found = True
    return found


@kernel
def disperse_profile(departed: F64, lag_s: int, smoothing: float, out: F64) -> None:
    """Add to ``out`` (C,) what departs in (C,) and arrives from ``lag_s`` later on; cyclic, nothing is lost.

    ``smoothing`` is Robertson's F: q'(t + T) = F q(t) + (1 - F) q'(t + T - 1).
    """
    length = len(departed)
    kept = 1.0 - smoothing
    last = 0.0
    for t in range(length):
        last = smoothing * departed[t] + kept * last
    last /= 1.0 - kept**length
    for t in range(length):
        last = smoothing * departed[t] + kept * last
        out[(t + lag_s) % length] += last

"""Vehicles expected at each stop line in every second of the next two minutes, from what is seen nearest to it.

Nearest first: the lane's own advance loop; vehicles that passed an upstream source, spread on their way; upstream
plans; the lane's smoothed flow for all that nobody has seen. A ring per lane holds their sum. As a second passes,
what was expected of a source is exchanged for what left it, at the mean travel time; and what was expected at the own
advance loop is exchanged for what it saw. So nothing counts twice.

How many of a source's vehicles come to a lane is learned: every arrival is attributed to the sources, and to the
unseen rest, in proportion to what each let expect in that second (the EM step of a Poisson mixture). The base
flow beyond all sight is scaled to the lane's own smoothed count.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...model.compiled import Detection
from ...model.upstream import Links
from ..detectors import U16_MASK, Detectors, gained
from ..health.state import OWN
from ..jit import inlined, kernel
from ..state import NEVER_MS
from .calibration import renew_bases
from .dispersion import add_platoon, disperse
from .expectation import BY_NOTHING, COVERED_MS, LEAST_PER_S, MASK, Arrivals, new_arrivals
from .outflow import Outflow
from .travel import HORIZON_S, RING, Travel

__all__ = ["Arrivals", "adopt_plans", "new_arrivals", "update_arrivals"]

STOP_BAR_FACTOR = 1.0 / 45.0  # departures follow arrivals within about a cycle

F32 = npt.NDArray[np.float32]


@kernel
def update_arrivals(
    detection: Detection,
    links: Links,
    travel: Travel,
    detectors: Detectors,
    level: npt.NDArray[np.uint8],
    rate_per_s: F32,
    left_veh: F32,
    outflow: Outflow,
    arrivals: Arrivals,
    now_ms: int,
) -> None:
    """Advance every lane's forecast to ``now_ms``. ``arrivals`` is modified in place.

    ``level`` and ``rate_per_s`` (D,) are the detectors' substitution level and rate, ``left_veh`` (L,) vehicles that
    left each lane in this tick; ``outflow`` has taken this tick's departures already.
    """
    now_s = now_ms // 1000
    first_s = now_s if arrivals.second[0] == NEVER_MS else max(arrivals.second[0] + 1, now_s - RING)
    arrivals.second[0] = now_s
    _see(detection, travel, detectors, level, arrivals, now_ms)
    for second in range(first_s, now_s + 1):
        _pass_second(links, travel, outflow, arrivals, second)
    _take_departures(links, travel, outflow, arrivals, now_ms)
    _take_own(detection, links, travel, detectors, arrivals, now_ms)
    _take_left(detection, links, level, left_veh, arrivals)
    for second in range(first_s, now_s + 1):
        renew_bases(detection, links, travel, level, rate_per_s, outflow, arrivals, second, now_s)


@kernel
def _see(
    detection: Detection,
    travel: Travel,
    detectors: Detectors,
    level: npt.NDArray[np.uint8],
    arrivals: Arrivals,
    now_ms: int,
) -> None:
    """How far each lane's own loop looks ahead, and whether a queue covers it."""
    advance, own_s = detection.advance, travel.own_s
    on, on_ms = detectors.on, detectors.on_ms
    sight_s, is_covered = arrivals.sight_s, arrivals.is_covered
    for lane in range(len(advance)):
        loop = advance[lane]
        sees = loop >= 0 and level[loop] == OWN
        if sees != (sight_s[lane, 0] > 0):
            sight_s[lane, 0] = own_s[lane] if sees else 0
        is_covered[lane] = sees and on[loop] != 0 and now_ms - on_ms[loop] > COVERED_MS


@kernel
def _pass_second(links: Links, travel: Travel, outflow: Outflow, arrivals: Arrivals, second: int) -> None:
    """Second ``second`` is the present one: fill the horizon's end, take out what should be seen by now."""
    ring, base_per_s, unseen_per_s = arrivals.arrival_veh, arrivals.base_per_s, arrivals.unseen_per_s
    sight_s, is_covered, owed_veh = arrivals.sight_s, arrivals.is_covered, arrivals.owed_veh
    feed_ptr, told_veh = links.feed_ptr, arrivals.told_veh
    for lane in range(len(base_per_s)):
        ring[(second + HORIZON_S - 1) & MASK, lane] = base_per_s[lane]
        told = unseen_per_s[lane]
        if feed_ptr[lane] < feed_ptr[lane + 1]:
            told += _pass_feeds(links, travel, outflow, arrivals, lane, second)
        told_veh[lane] += told
        own_s = sight_s[lane, 0]
        if own_s > 0:
            at = (second + own_s) & MASK
            if is_covered[lane]:
                owed_veh[lane] += ring[at, lane]
            else:
                ring[at, lane] = 0.0


@inlined
def _pass_feeds(
    links: Links, travel: Travel, outflow: Outflow, arrivals: Arrivals, lane: int, second: int
) -> float:
    """Take out of the ring what was expected to leave now; vehicles that the feeds let expect at the lane now."""
    ring, departed_veh, plan_end_s = arrivals.arrival_veh, outflow.departed_veh, outflow.plan_end_s
    near_veh, feed_share, source_veh = arrivals.near_veh, arrivals.feed_share, arrivals.source_veh
    own_s, is_covered = arrivals.sight_s[lane, 0], arrivals.is_covered[lane]
    counts = arrivals.counter[lane] != BY_NOTHING
    has_plans, rows = len(plan_end_s) > 0, len(departed_veh)
    told = 0.0
    for feed in range(links.feed_ptr[lane], links.feed_ptr[lane + 1]):
        mean_s = travel.mean_s[feed]
        if mean_s >= 0:
            source = links.feed_source[feed]
            if mean_s > own_s:
                at = (second + mean_s) & MASK
                expected = arrivals.feed_per_s[feed]
                if has_plans and second + mean_s < plan_end_s[source]:
                    expected = arrivals.plan_share[feed] * outflow.plan_veh[source, second & MASK]
                ring[at, lane] = max(ring[at, lane] - expected, 0.0)
            ago_ms = travel.least_ms[feed]
            factor = travel.factor[feed]
            if own_s > 0:
                ago_ms -= travel.own_ms[lane]
            else:
                factor = min(factor, STOP_BAR_FACTOR)
            ago_s = max((ago_ms + 500) // 1000, 0)
            near = disperse(near_veh[feed], departed_veh[(second - ago_s) % rows, source], factor)
            near_veh[feed] = near
            if not is_covered:
                told += feed_share[feed] * near
                if counts:
                    source_veh[feed] += near
    return told


@kernel
def _take_departures(links: Links, travel: Travel, outflow: Outflow, arrivals: Arrivals, now_ms: int) -> None:
    """Vehicles that left upstream in this tick are on their way."""
    new_veh, feed_ptr, feed_source, feed_share = (
        outflow.new_veh,
        links.feed_ptr,
        links.feed_source,
        arrivals.feed_share,
    )
    now_s = now_ms // 1000
    for lane in range(len(feed_ptr) - 1):
        for feed in range(feed_ptr[lane], feed_ptr[lane + 1]):
            veh = new_veh[feed_source[feed]]
            if veh > 0.0 and feed_share[feed] > 0.0:
                add_platoon(
                    arrivals.arrival_veh,
                    lane,
                    veh * feed_share[feed],
                    travel.factor[feed],
                    (now_ms + travel.least_ms[feed]) // 1000,
                    now_s + arrivals.sight_s[lane, 0] + 1,
                    now_s + HORIZON_S - 1,
                )


@kernel
def _take_own(
    detection: Detection,
    links: Links,
    travel: Travel,
    detectors: Detectors,
    arrivals: Arrivals,
    now_ms: int,
) -> None:
    """Vehicles that own advance loops saw in this tick; those who were expected while one was covered are paid."""
    advance, actuations, taken = detection.advance, detectors.actuations, arrivals.taken
    ring, owed_veh, lane_share, sight_s = (
        arrivals.arrival_veh,
        arrivals.owed_veh,
        arrivals.lane_share,
        arrivals.sight_s,
    )
    on_ms, own_ms, came_veh, loop_sum_veh = (
        detectors.on_ms,
        travel.own_ms,
        arrivals.came_veh,
        arrivals.loop_sum_veh,
    )
    feed_ptr, feed_share, near_veh = links.feed_ptr, arrivals.feed_share, arrivals.near_veh
    feed_veh, unseen_per_s, unseen_veh = arrivals.feed_veh, arrivals.unseen_per_s, arrivals.unseen_veh
    now_s = now_ms // 1000
    for lane in range(len(advance)):
        loop = advance[lane]
        seen = gained(actuations[loop], taken[lane], U16_MASK) if loop >= 0 else 0
        if seen > 0:
            taken[lane] = actuations[loop] & U16_MASK
            if sight_s[lane, 0] > 0:
                came = seen * lane_share[lane]
                paid = min(came, owed_veh[lane])
                owed_veh[lane] -= paid
                loop_sum_veh[lane] += seen
                came_veh[lane] += came
                due_s = (on_ms[loop] + own_ms[lane]) // 1000
                ring[min(max(due_s, now_s), now_s + sight_s[lane, 0]) & MASK, lane] += came - paid
                _attribute(
                    feed_ptr, feed_share, near_veh, feed_veh, unseen_per_s, unseen_veh, lane, came - paid
                )


@kernel
def _take_left(
    detection: Detection,
    links: Links,
    level: npt.NDArray[np.uint8],
    left_veh: F32,
    arrivals: Arrivals,
) -> None:
    """Vehicles that left stand for arrivals where no advance loop counts."""
    feed_ptr, feed_share, near_veh = links.feed_ptr, arrivals.feed_share, arrivals.near_veh
    feed_veh, unseen_per_s, unseen_veh = arrivals.feed_veh, arrivals.unseen_per_s, arrivals.unseen_veh
    for lane in range(len(left_veh)):
        if left_veh[lane] > 0.0:
            arrivals.left_sum_veh[lane] += left_veh[lane]
            stop = detection.stop_bar[lane]
            if arrivals.sight_s[lane, 0] == 0 and stop >= 0 and level[stop] == OWN:
                paid = min(left_veh[lane], arrivals.owed_veh[lane])
                arrivals.owed_veh[lane] -= paid
                arrivals.came_veh[lane] += left_veh[lane] - paid
                _attribute(
                    feed_ptr, feed_share, near_veh, feed_veh, unseen_per_s, unseen_veh, lane, left_veh[lane]
                )


@kernel
def _attribute(
    feed_ptr: npt.NDArray[np.int32],
    feed_share: F32,
    near_veh: F32,
    feed_veh: F32,
    unseen_per_s: F32,
    unseen_veh: F32,
    lane: int,
    came: float,
) -> None:
    """Divide arrivals among the feeds and the unseen flow by what each let expect now."""
    unseen = unseen_per_s[lane] + LEAST_PER_S
    total = unseen
    for feed in range(feed_ptr[lane], feed_ptr[lane + 1]):
        total += feed_share[feed] * near_veh[feed]
    each = came / total
    for feed in range(feed_ptr[lane], feed_ptr[lane + 1]):
        feed_veh[feed] += each * feed_share[feed] * near_veh[feed]
    unseen_veh[lane] += each * unseen


@kernel
def adopt_plans(
    links: Links,
    travel: Travel,
    outflow: Outflow,
    arrivals: Arrivals,
    planned_veh: F32,
    junctions: npt.NDArray[np.bool_],
    now_ms: int,
) -> None:
    """Exchange what was expected of the sources of ``junctions`` (J,) for ``planned_veh`` (E, RING), in all rings.

    ``planned_veh`` covers the seconds after the present one, up to the horizon. ``outflow`` and ``arrivals`` are
    modified in place; where they were not made for plans, nothing is exchanged.
    """
    if len(outflow.plan_end_s) == 0:
        return
    second = now_ms // 1000
    for lane in range(len(links.feed_ptr) - 1):
        for feed in range(links.feed_ptr[lane], links.feed_ptr[lane + 1]):
            source = links.feed_source[feed]
            if junctions[links.source_junction[source]] and travel.mean_s[feed] >= 0:
                _adopt(travel, outflow, arrivals, planned_veh, lane, feed, source, second)
    for source in range(len(links.source_detector)):
        if junctions[links.source_junction[source]]:
            for at in range(RING):
                outflow.plan_veh[source, at] = planned_veh[source, at]
            outflow.plan_end_s[source] = second + HORIZON_S


@inlined
def _adopt(
    travel: Travel,
    outflow: Outflow,
    arrivals: Arrivals,
    planned_veh: F32,
    lane: int,
    feed: int,
    source: int,
    second: int,
) -> None:
    ring = arrivals.arrival_veh
    mean_s = travel.mean_s[feed]
    share = arrivals.feed_share[feed]
    for leaving_s in range(second + 1, second + HORIZON_S - mean_s):
        at = (leaving_s + mean_s) & MASK
        before = arrivals.feed_per_s[feed]
        if leaving_s + mean_s < outflow.plan_end_s[source]:
            before = arrivals.plan_share[feed] * outflow.plan_veh[source, leaving_s & MASK]
        if mean_s > arrivals.sight_s[lane, 0]:
            after = share * planned_veh[source, leaving_s & MASK]
            ring[at, lane] = max(ring[at, lane] + after - before, 0.0)
    arrivals.plan_share[feed] = share

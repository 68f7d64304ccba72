"""What the arrival forecasts learn: flows, shares, noise. Every lane has its turn once in PERIOD_S seconds.

The shares of the feeds come from what was attributed to them, the flow beyond all sight from the lane's own smoothed
count, to which the sum of all parts is scaled within bounds. The ring is corrected for every change at once.

A lane's flow is smoothed over a minute and over ten, and both are weighted as their forecasts of the lane's counts were
likely lately (Bayesian model averaging with forgetting, Raftery et al. 2010): steady streams are averaged for long,
platoons and peaks are followed.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ...model.compiled import Detection
from ...model.upstream import Links
from ..health.state import OWN, RECALL
from ..jit import inlined, kernel
from .expectation import (
    BY_ADVANCE,
    BY_NOTHING,
    BY_STOP_BAR,
    LEAST_PER_S,
    MASK,
    PERIOD_S,
    PRIOR_PER_S,
    Arrivals,
)
from .outflow import Outflow
from .travel import HORIZON_S, RING, Travel

__all__ = ["renew_bases"]

SHORT_KEEP = math.exp(-PERIOD_S / 60.0)
LONG_KEEP = math.exp(-PERIOD_S / 600.0)
ODDS_KEEP = math.exp(-PERIOD_S / 600.0)
LEAST_DOUBT = 50.0  # odds beyond its exponential are certainty
UNSEEN_KEEP = math.exp(-PERIOD_S / 600.0)
SHARE_KEEP = math.exp(-PERIOD_S / 900.0)
SHARE_PRIOR_VEH = 10.0
PRIOR_S = 10.0
FEED_MEMORY_VEH = 200.0
FEED_PRIOR_VEH = 3.0
MOST_BIAS = 2.0
OWN_NOISE = 0.1
NOISE_MEMORY = 0.95
NOISE_PRIOR_VEH = 10.0

F32 = npt.NDArray[np.float32]


@kernel
def renew_bases(
    detection: Detection,
    links: Links,
    travel: Travel,
    level: npt.NDArray[np.uint8],
    rate_per_s: F32,
    outflow: Outflow,
    arrivals: Arrivals,
    second: int,
    now_s: int,
) -> None:
    """Learn from the last PERIOD_S seconds, for the lanes whose turn is in ``second``, and correct their rings.

    ``second`` passed by ``now_s``, up to which the rings have been filled.
    """
    lanes = len(detection.advance)
    turn = second % PERIOD_S
    for lane in range(lanes * turn // PERIOD_S, lanes * (turn + 1) // PERIOD_S):
        counter = _counter(detection, level, lane)
        if counter != arrivals.counter[lane]:
            _forget(links, arrivals, lane, counter)
        elif counter != BY_NOTHING:
            _judge(arrivals, lane)
        _renew_flow(detection, arrivals, level, rate_per_s, lane, counter)
        _renew_lane_share(detection, travel, arrivals, level, lane)
        before_unseen = arrivals.base_per_s[lane]
        announced = 0.0
        nearest_s = HORIZON_S
        for feed in range(links.feed_ptr[lane], links.feed_ptr[lane + 1]):
            before_unseen -= arrivals.feed_per_s[feed]
            _renew_feed_share(links, travel, arrivals, feed)
            announced += arrivals.feed_share[feed] * outflow.rate_per_s[links.feed_source[feed]]
            if travel.mean_s[feed] >= 0:
                nearest_s = min(nearest_s, travel.mean_s[feed])
        arrivals.sight_s[lane, 1] = nearest_s % HORIZON_S
        short, long = _flow(arrivals, lane, 0), _flow(arrivals, lane, 1)
        flow = long + (short - long) / (1.0 + math.exp(min(-arrivals.flow_odds[lane], LEAST_DOUBT)))
        model = arrivals.unseen_per_s[lane] + announced
        bias = min(max(flow / max(model, LEAST_PER_S), 1.0 / MOST_BIAS), MOST_BIAS)
        unseen = max(flow - bias * announced, 0.0)
        _rebase(links, travel, outflow, arrivals, lane, now_s, bias, unseen, before_unseen)


@inlined
def _counter(detection: Detection, level: npt.NDArray[np.uint8], lane: int) -> int:
    """What counts the lane's arrivals: its advance loop, else what leaves it, else nothing."""
    loop, stop = detection.advance[lane], detection.stop_bar[lane]
    found = BY_NOTHING
    if loop >= 0 and level[loop] == OWN:
        found = BY_ADVANCE
    elif stop >= 0 and level[stop] == OWN:
        found = BY_STOP_BAR
    return found


@inlined
def _forget(links: Links, arrivals: Arrivals, lane: int, counter: int) -> None:
    """A loop that is given up has told wrong things for a while, one that is back nothing: start anew."""
    arrivals.counter[lane] = counter
    arrivals.came_veh[lane] = 0.0
    arrivals.told_veh[lane] = 0.0
    arrivals.flow_odds[lane] = 0.0
    for memory in range(2):
        arrivals.flow_veh[lane, memory] = 0.0
        arrivals.flow_s[lane, memory] = 0.0
    arrivals.unseen_veh[lane] = 0.0
    arrivals.unseen_s[lane] = 0.0
    for feed in range(links.feed_ptr[lane], links.feed_ptr[lane + 1]):
        arrivals.feed_veh[feed] = 0.0
        arrivals.source_veh[feed] = 0.0


@inlined
def _judge(arrivals: Arrivals, lane: int) -> None:
    """How far both kinds of forecast were off over the period, as variance per vehicle."""
    came = arrivals.came_veh[lane]
    by_feeds = came - arrivals.told_veh[lane]
    by_flow = came - arrivals.base_per_s[lane] * PERIOD_S
    arrivals.judged_veh[lane] = NOISE_MEMORY * arrivals.judged_veh[lane] + came
    arrivals.error_veh2[lane, 0] = NOISE_MEMORY * arrivals.error_veh2[lane, 0] + by_feeds * by_feeds
    arrivals.error_veh2[lane, 1] = NOISE_MEMORY * arrivals.error_veh2[lane, 1] + by_flow * by_flow
    judged = arrivals.judged_veh[lane] + NOISE_PRIOR_VEH
    arrivals.noise[1, lane] = (arrivals.error_veh2[lane, 0] + NOISE_PRIOR_VEH) / judged
    arrivals.noise[2, lane] = (arrivals.error_veh2[lane, 1] + NOISE_PRIOR_VEH) / judged


@inlined
def _renew_flow(
    detection: Detection,
    arrivals: Arrivals,
    level: npt.NDArray[np.uint8],
    rate_per_s: F32,
    lane: int,
    counter: int,
) -> None:
    """The lane's own flow and its unseen part; a lost loop's substitute rate, else what feeds told, stands in."""
    advance, stop = detection.advance[lane], detection.stop_bar[lane]
    came = arrivals.came_veh[lane]
    if counter == BY_NOTHING:
        came = arrivals.told_veh[lane]
        if advance >= 0 and level[advance] < RECALL:
            came = rate_per_s[advance] * arrivals.lane_share[lane] * PERIOD_S
        elif stop >= 0 and level[stop] < RECALL:
            came = rate_per_s[stop] * PERIOD_S
    if counter != BY_NOTHING:
        _weigh_memories(arrivals, lane, came)
        arrivals.unseen_veh[lane] *= UNSEEN_KEEP
        arrivals.unseen_s[lane] = UNSEEN_KEEP * arrivals.unseen_s[lane] + PERIOD_S
    _remember(arrivals, lane, 0, SHORT_KEEP, came)
    _remember(arrivals, lane, 1, LONG_KEEP, came)
    arrivals.unseen_per_s[lane] = (arrivals.unseen_veh[lane] + PRIOR_PER_S * PRIOR_S) / (
        arrivals.unseen_s[lane] + PRIOR_S
    )
    arrivals.came_veh[lane] = 0.0
    arrivals.told_veh[lane] = 0.0


@inlined
def _flow(arrivals: Arrivals, lane: int, memory: int) -> float:
    veh, since_s = arrivals.flow_veh[lane, memory], arrivals.flow_s[lane, memory]
    flow: float = (veh + PRIOR_PER_S * PRIOR_S) / (since_s + PRIOR_S)
    return flow


@inlined
def _weigh_memories(arrivals: Arrivals, lane: int, came: float) -> None:
    """How much likelier the short memory made what came than the long, for Poisson counts."""
    short, long = _flow(arrivals, lane, 0), _flow(arrivals, lane, 1)
    likelier = came * math.log(short / long) - PERIOD_S * (short - long)
    arrivals.flow_odds[lane] = ODDS_KEEP * arrivals.flow_odds[lane] + likelier


@inlined
def _remember(arrivals: Arrivals, lane: int, memory: int, keep: float, came: float) -> None:
    arrivals.flow_veh[lane, memory] = keep * arrivals.flow_veh[lane, memory] + came
    arrivals.flow_s[lane, memory] = keep * arrivals.flow_s[lane, memory] + PERIOD_S


@inlined
def _renew_lane_share(
    detection: Detection, travel: Travel, arrivals: Arrivals, level: npt.NDArray[np.uint8], lane: int
) -> None:
    """Vehicles that come to this lane for each that its loop sees.

    Between loops and stop line vehicles change lanes: those seen by the loops of an approach are divided as its lanes
    were left, with the static shares as the prior. Lanes whose departures nobody counts divide the rest.
    """
    arrivals.left_sum_veh[lane] *= SHARE_KEEP
    arrivals.loop_sum_veh[lane] *= SHARE_KEEP
    seen, left, counted, mine = 0.0, 0.0, 0.0, 0.0
    for i in range(travel.peer_ptr[lane], travel.peer_ptr[lane + 1]):
        other = travel.peer[i]
        loop, stop = detection.advance[other], detection.stop_bar[other]
        if loop >= 0 and level[loop] == OWN:
            passed = detection.advance_share[other] * arrivals.loop_sum_veh[other]
            seen += passed
            if other == lane:
                mine = passed
            if stop >= 0 and level[stop] == OWN:
                left += arrivals.left_sum_veh[other]
                counted += passed
    share = detection.advance_share[lane]
    if mine > 0.0:
        stop = detection.stop_bar[lane]
        whole = left
        if counted < seen:
            whole = max(seen, left)
        if stop >= 0 and level[stop] == OWN:
            veh = arrivals.left_sum_veh[lane] + SHARE_PRIOR_VEH * mine / seen
        else:
            others = left + SHARE_PRIOR_VEH * counted / seen
            veh = (whole + SHARE_PRIOR_VEH - others) * mine / (seen - counted)
        share = seen * veh / ((whole + SHARE_PRIOR_VEH) * arrivals.loop_sum_veh[lane])
    arrivals.lane_share[lane] = min(share, MOST_BIAS)
    arrivals.noise[0, lane] = max(1.0 - share, OWN_NOISE)


@inlined
def _renew_feed_share(links: Links, travel: Travel, arrivals: Arrivals, feed: int) -> None:
    if travel.mean_s[feed] >= 0:
        source = links.feed_source[feed]
        others = links.source_ptr[source + 1] - links.source_ptr[source]
        keep = min(1.0, FEED_MEMORY_VEH / max(arrivals.source_veh[feed], 1.0))
        arrivals.feed_veh[feed] *= keep
        arrivals.source_veh[feed] *= keep
        found = (arrivals.feed_veh[feed] + FEED_PRIOR_VEH / others) / (
            arrivals.source_veh[feed] + FEED_PRIOR_VEH
        )
        arrivals.feed_share[feed] = min(found, 1.0)


@inlined
def _rebase(
    links: Links,
    travel: Travel,
    outflow: Outflow,
    arrivals: Arrivals,
    lane: int,
    second: int,
    bias: float,
    unseen: float,
    before_unseen: float,
) -> None:
    """Exchange the base flow in the ring for the one known now, each feed's part beyond its travel time and plan."""
    ring = arrivals.arrival_veh
    total = unseen
    sight_s = int(arrivals.sight_s[lane, 0])
    end_s = second + HORIZON_S
    _raise(ring, lane, second + sight_s + 1, end_s, unseen - before_unseen)
    for feed in range(links.feed_ptr[lane], links.feed_ptr[lane + 1]):
        mean_s = travel.mean_s[feed]
        if mean_s >= 0:
            source = links.feed_source[feed]
            per_s = bias * arrivals.feed_share[feed] * outflow.rate_per_s[source]
            more = per_s - arrivals.feed_per_s[feed]
            from_s = second + 1 + max(mean_s, sight_s)
            if len(outflow.plan_end_s) > 0:
                from_s = max(from_s, outflow.plan_end_s[source])
            _raise(ring, lane, from_s, end_s, more)
            arrivals.feed_per_s[feed] = per_s
            total += per_s
    arrivals.base_per_s[lane] = total


@kernel
def _raise(ring: F32, lane: int, from_s: int, end_s: int, more: float) -> None:
    """Add ``more``, which may be negative, to the seconds from ``from_s`` to before ``end_s``; none falls below 0."""
    first, last = from_s & MASK, end_s & MASK
    step, none = np.float32(more), np.float32(0.0)
    if from_s >= end_s:
        return
    if first < last:
        for at in range(first, last):
            ring[at, lane] = max(ring[at, lane] + step, none)
    else:
        for at in range(first, RING):
            ring[at, lane] = max(ring[at, lane] + step, none)
        for at in range(last):
            ring[at, lane] = max(ring[at, lane] + step, none)

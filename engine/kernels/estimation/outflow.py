"""What leaves the junctions: vehicles seen at each source, their rate, and what published plans say will come.

A source with a healthy exit loop is counted there. One without takes its part of what left the lanes that lead to it,
by their turning shares. When one counter takes over from the other, what was counted before is forgotten.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...model.upstream import Links
from ..detectors import Detectors
from ..health.state import OWN
from ..jit import inlined, kernel
from ..state import NEVER_MS, Lamps
from .travel import HORIZON_S, RING, Travel
from .turning import Turning, is_way_open

__all__ = ["Outflow", "new_outflow", "plan_outflow", "take_departures"]

PRIOR_S = 10.0  # the prior rate counts like so many seconds
PRIOR_PER_S = 0.03
PERIOD_S = 32
LONGEST_TICK_S = 10
KEEP = math.exp(-PERIOD_S / 400.0)

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


class Outflow(NamedTuple):
    """Per source. Second s is at index s % RING, but in ``departed_veh`` at s % rows.

    It has as many rows as the longest way takes, and a tick of LONGEST_TICK_S. Where nobody publishes plans,
    ``plan_veh`` and ``plan_end_s`` have no rows.
    """

    seen_veh: F32  # (E,) at its healthy loop, in this tick
    new_veh: F32  # (E,) passed in this tick, seen or by turning shares
    departed_veh: F32  # (rows, E) passed in each second
    rate_per_s: F32  # (E,) smoothed
    counted_veh: F32  # (E,) as far as remembered
    counted_s: F32  # (E,)
    fresh_veh: F32  # (E,) since the rate was renewed
    plan_veh: F32  # (E, RING) or none: planned to pass in each second
    plan_end_s: I64  # (E,) or none: first second of arrival downstream that no plan covers
    is_seen: npt.NDArray[np.uint8]  # (E,) 1 where a healthy loop counts
    taken: npt.NDArray[np.int32]  # (E,) actuations taken so far
    second: I64  # (1,) that was counted last


def new_outflow(links: Links, travel: Travel, *, plans: bool = False) -> Outflow:
    """Nothing seen, nothing planned; ``plans`` tells whether anybody will publish any (``adopt_plans``)."""
    n = len(links.source_detector)
    planners = n if plans else 0
    longest_s = int(travel.least_ms[travel.mean_s >= 0].max(initial=0) + 500) // 1000
    return Outflow(
        seen_veh=np.zeros(n, np.float32),
        new_veh=np.zeros(n, np.float32),
        departed_veh=np.zeros((longest_s + LONGEST_TICK_S, n), np.float32),
        rate_per_s=np.full(n, PRIOR_PER_S, np.float32),
        counted_veh=np.zeros(n, np.float32),
        counted_s=np.zeros(n, np.float32),
        fresh_veh=np.zeros(n, np.float32),
        plan_veh=np.zeros((planners, RING), np.float32),
        plan_end_s=np.full(planners, NEVER_MS, np.int64),
        is_seen=np.zeros(n, np.uint8),
        taken=np.zeros(n, np.int32),
        second=np.full(1, NEVER_MS, np.int64),
    )


@kernel
def take_departures(
    links: Links,
    detectors: Detectors,
    lamps: Lamps,
    turning: Turning,
    level: npt.NDArray[np.uint8],
    left_veh: F32,
    outflow: Outflow,
    now_ms: int,
) -> None:
    """Count what left in this tick. ``outflow`` is modified in place.

    ``level`` (D,) is the detectors' substitution level, ``left_veh`` (L,) vehicles that left each lane.
    """
    second = now_ms // 1000
    rows = len(outflow.departed_veh)
    before_s = second - 1 if outflow.second[0] == NEVER_MS else max(outflow.second[0], second - RING)
    outflow.second[0] = second
    departed_veh, new_veh, fresh_veh = outflow.departed_veh, outflow.new_veh, outflow.fresh_veh
    sources = len(new_veh)
    for source in range(sources):
        new_veh[source] = 0.0
    for source in links.loop_source:
        _see_exit(links, detectors, level, outflow, source)
    for lane in range(len(left_veh)):
        if left_veh[lane] > 0.0:
            _leave_unseen(links, lamps, turning, outflow, lane, left_veh[lane], now_ms)
    for passed_s in range(before_s + 1, second + 1):
        departed_veh[passed_s % rows] = 0.0
        turn = passed_s % PERIOD_S
        for source in range(sources * turn // PERIOD_S, sources * (turn + 1) // PERIOD_S):
            _renew_rate(outflow, source)
    for source in range(len(new_veh)):
        departed_veh[second % rows, source] += new_veh[source]
        fresh_veh[source] += new_veh[source]


@inlined
def _see_exit(
    links: Links, detectors: Detectors, level: npt.NDArray[np.uint8], outflow: Outflow, source: int
) -> None:
    """Count what the source's loop saw, if it is healthy."""
    loop = links.source_detector[source]
    came = detectors.actuations[loop] - outflow.taken[source]
    outflow.taken[source] += came
    is_seen = level[loop] == OWN
    if is_seen != (outflow.is_seen[source] == 1):
        outflow.is_seen[source] = is_seen
        outflow.counted_veh[source] = 0.0
        outflow.counted_s[source] = 0.0
        outflow.fresh_veh[source] = 0.0
    seen = float(came) if is_seen else 0.0
    outflow.seen_veh[source] = seen
    outflow.new_veh[source] = seen


@inlined
def _leave_unseen(
    links: Links,
    lamps: Lamps,
    turning: Turning,
    outflow: Outflow,
    lane: int,
    veh: float,
    now_ms: int,
) -> None:
    """Spread vehicles that left a lane over those of its open ways whose source has no healthy loop."""
    total = 0.0
    for way in range(links.way_ptr[lane], links.way_ptr[lane + 1]):
        if is_way_open(lamps, links.way_group[way], now_ms):
            total += turning.way_share[way]
    for way in range(links.way_ptr[lane], links.way_ptr[lane + 1]):
        source = links.way_source[way]
        if not outflow.is_seen[source] and is_way_open(lamps, links.way_group[way], now_ms):
            outflow.new_veh[source] += veh * turning.way_share[way] / total


@inlined
def _renew_rate(outflow: Outflow, source: int) -> None:
    outflow.counted_veh[source] = KEEP * outflow.counted_veh[source] + outflow.fresh_veh[source]
    outflow.counted_s[source] = KEEP * outflow.counted_s[source] + PERIOD_S
    outflow.fresh_veh[source] = 0.0
    outflow.rate_per_s[source] = (outflow.counted_veh[source] + PRIOR_PER_S * PRIOR_S) / (
        outflow.counted_s[source] + PRIOR_S
    )


@kernel
def plan_outflow(
    links: Links,
    lane_ptr: npt.NDArray[np.int32],
    turning: Turning,
    planned_open: F32,
    queue_veh: F32,
    discharge_per_s: F32,
    arrival_veh: F32,
    junctions: npt.NDArray[np.int32],
    now_ms: int,
    planned_veh: F32,
) -> None:
    """What ``junctions`` (n,) will let pass, by the plans that they publish, into ``planned_veh`` (E, RING).

    ``planned_open`` (L, RING) is the share of each second in [now, now + HORIZON_S) that a lane will be open.
    A lane's queue of ``queue_veh`` (L,) and its ``arrival_veh`` (RING, L) leave at ``discharge_per_s`` (L,) at most.
    """
    second = now_ms // 1000
    for j in junctions:
        for lane in range(lane_ptr[j], lane_ptr[j + 1]):
            for way in range(links.way_ptr[lane], links.way_ptr[lane + 1]):
                planned_veh[links.way_source[way]] = 0.0
    for j in junctions:
        for lane in range(lane_ptr[j], lane_ptr[j + 1]):
            standing = float(queue_veh[lane])
            for s in range(second, second + HORIZON_S):
                at = s % RING
                standing += arrival_veh[at, lane]
                leaving = min(standing, discharge_per_s[lane] * planned_open[lane, at])
                standing -= leaving
                if leaving > 0.0:
                    for way in range(links.way_ptr[lane], links.way_ptr[lane + 1]):
                        planned_veh[links.way_source[way], at] += leaving * turning.way_share[way]

"""State of the arrival forecasts: what is expected at each stop line, and what was learned to expect."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...model.compiled import Detection
from ...model.upstream import Links
from ..state import NEVER_MS
from .travel import RING, Travel

__all__ = [
    "BY_ADVANCE",
    "BY_NOTHING",
    "BY_STOP_BAR",
    "COVERED_MS",
    "LEAST_PER_S",
    "MASK",
    "PERIOD_S",
    "PRIOR_PER_S",
    "Arrivals",
    "new_arrivals",
]

BY_ADVANCE, BY_STOP_BAR, BY_NOTHING = range(3)
COVERED_MS = 3000  # a vehicle that covers a loop for longer stands in a queue
MASK = RING - 1
PERIOD_S = 32
PRIOR_PER_S = 0.02
LEAST_PER_S = 1e-6

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]


class Arrivals(NamedTuple):
    """Per lane and feed. The ring holds second s in row s % RING: a tick needs a few seconds of all lanes.

    ``arrival_veh`` is what controllers and the queues read: vehicles expected at the stop line in second s, for s in
    [now, now + HORIZON_S). ``noise`` is the variance per expected vehicle of what came by each kind of sight.
    """

    arrival_veh: F32  # (RING, L)
    noise: F32  # (3, L) seen by the own loop, announced by feeds, neither
    sight_s: npt.NDArray[
        np.int16
    ]  # (L, 2) how far the own loop, and the nearest feed, look ahead; 0 not at all
    base_per_s: F32  # (L,) flow in the ring beyond all sight
    unseen_per_s: F32  # (L,) part of the flow that no feed announces
    lane_share: F32  # (L,) share of the advance loop's vehicles that come to this lane
    is_covered: npt.NDArray[np.uint8]  # (L,) a queue stands on the own loop
    owed_veh: F32  # (L,) expected behind a covered loop and not yet seen
    flow_veh: F32  # (L, 2) own count as far as the short and the long memory go
    flow_s: F32  # (L, 2)
    flow_odds: F32  # (L,) logarithm of the odds that the short memory tells more than the long
    came_veh: F32  # (L,) own count since the base was renewed
    told_veh: F32  # (L,) what feeds and the unseen flow let expect meanwhile
    unseen_veh: F32  # (L,) arrivals attributed to no feed, as far as remembered
    unseen_s: F32  # (L,)
    left_sum_veh: F32  # (L,) departures as far as remembered
    loop_sum_veh: F32  # (L,) vehicles at the advance loop as far as remembered
    error_veh2: F32  # (L, 2) squared errors of the last two kinds, as far as remembered
    judged_veh: F32  # (L,)
    counter: npt.NDArray[np.uint8]  # (L,) what counts the lane's arrivals
    taken: npt.NDArray[np.uint16]  # (L,) advance actuations taken so far, modulo 2**16
    feed_per_s: F32  # (K,) a feed's part of the base
    feed_share: F32  # (K,) share of the source's vehicles that come to this lane
    near_veh: F32  # (K,) the source's vehicles that may come in this second, were all for this lane
    feed_veh: F32  # (K,) arrivals attributed to the feed, as far as remembered
    source_veh: F32  # (K,) vehicles of the source that could have been those
    plan_share: F32  # (K,) or none: share that the ring's planned part was made with
    second: I64  # (1,) that passed last


def new_arrivals(detection: Detection, links: Links, travel: Travel, *, plans: bool = False) -> Arrivals:
    """Nothing known: the prior flow everywhere; ``plans`` tells whether anybody will publish any."""
    lanes, feeds = len(detection.stop_bar), len(links.feed_source)
    out = np.maximum(np.diff(links.source_ptr), 1)
    per_lane = np.zeros((9, lanes), np.float32)
    per_feed = np.zeros((4, feeds), np.float32)
    base = np.full(lanes, PRIOR_PER_S, np.float32)
    return Arrivals(
        arrival_veh=np.full((RING, lanes), PRIOR_PER_S, np.float32),
        noise=np.ones((3, lanes), np.float32),
        sight_s=np.zeros((lanes, 2), np.int16),
        base_per_s=base,
        unseen_per_s=base.copy(),
        lane_share=detection.advance_share.astype(np.float32),
        is_covered=np.zeros(lanes, np.uint8),
        owed_veh=per_lane[0],
        flow_veh=np.zeros((lanes, 2), np.float32),
        flow_s=np.zeros((lanes, 2), np.float32),
        flow_odds=per_lane[1],
        came_veh=per_lane[2],
        told_veh=per_lane[3],
        unseen_veh=per_lane[4],
        unseen_s=per_lane[5],
        left_sum_veh=per_lane[6],
        loop_sum_veh=per_lane[8],
        error_veh2=np.zeros((lanes, 2), np.float32),
        judged_veh=per_lane[7],
        counter=np.full(lanes, BY_NOTHING, np.uint8),
        taken=np.zeros(lanes, np.uint16),
        feed_per_s=per_feed[0],
        feed_share=(1.0 / out[links.feed_source]).astype(np.float32) * (travel.mean_s >= 0),
        near_veh=per_feed[1],
        feed_veh=per_feed[2],
        source_veh=per_feed[3],
        plan_share=np.zeros(feeds if plans else 0, np.float32),
        second=np.full(1, NEVER_MS, np.int64),
    )

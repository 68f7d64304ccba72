"""Expected arrivals at the stop line: the lane's own advance loop, and its smoothed flow where nobody sees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...model.compiled import Detection, Signals
from ..jit import inlined, kernel
from ..state import Detectors
from .traffic import RECALL, RING_S, Traffic

__all__ = ["announce_arrivals"]

APPROACH_SHARE = 0.9  # mean approach speed over the limit
LONGEST_TRAVEL_S = 60
FLOW_MEMORY_S = 180.0
BALANCE_MEMORY_S = 900.0
BALANCE_PRIOR_VEH = 15.0
LEAST_BALANCE = 0.7
EXCESS_FREE_VEH = 3.0
LEAST_FLOW_PER_S = 1.0 / 12.0  # behind a covered loop: a starved lane shows none
COVERED_MS = 3000
SEEN_SPREAD = 0.15
UNSEEN_SPREAD = 1.3


@kernel
def announce_arrivals(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    level: npt.NDArray[np.uint8],
    rate_per_s: npt.NDArray[np.float32],
    traffic: Traffic,
    step_ms: int,
    now_ms: int,
) -> None:
    """Add to the ring what the advance loops saw in this tick, and what flows unseen.

    ``level`` and ``rate_per_s`` (D,): 0 trusts the loop, 1 to 3 take the rate in its place, RECALL the lane's flow.
    """
    step_s = step_ms / 1000.0
    memory = min(1.0, step_s / FLOW_MEMORY_S)
    keep = max(0.0, 1.0 - step_s / BALANCE_MEMORY_S)
    for j in range(len(signals.device_id)):
        first, last = detection.lane_ptr[j], detection.lane_ptr[j + 1]
        for lane in range(first, last):
            traffic.announced_veh[lane] *= keep
            traffic.departed_veh[lane] = keep * traffic.departed_veh[lane] + traffic.left_veh[lane]
            d = detection.advance[lane]
            now_bin = (now_ms // 1000) % RING_S
            if d < 0 or level[d] == RECALL:
                flow = traffic.flow_per_s[lane]
                traffic.flow_per_s[lane] = flow + memory * (traffic.left_veh[lane] / max(step_s, 1e-3) - flow)
                traffic.arrival_veh[lane, now_bin] += flow * step_s
                traffic.spread[lane] = UNSEEN_SPREAD
                if d >= 0:
                    traffic.heard[lane] = detectors.actuations[d]
                continue
            came = detectors.actuations[d] - traffic.heard[lane]
            traffic.heard[lane] = detectors.actuations[d]
            if level[d]:
                share = _share(detection, traffic, lane, first, last)
                traffic.arrival_veh[lane, now_bin] += rate_per_s[d] * share * step_s
                traffic.flow_per_s[lane] += memory * (rate_per_s[d] * share - traffic.flow_per_s[lane])
                traffic.spread[lane] = UNSEEN_SPREAD
                continue
            flow = traffic.flow_per_s[lane]
            excess = traffic.departed_veh[lane] - traffic.announced_veh[lane] - EXCESS_FREE_VEH
            if excess > 0.0:
                passing_by = excess * step_s / min(max(now_ms / 1000.0, 300.0), BALANCE_MEMORY_S)
                traffic.arrival_veh[lane, now_bin] += passing_by
            if came > 0:
                share = _share(detection, traffic, lane, first, last)
                traffic.announced_veh[lane] += came * share
                balance = (BALANCE_PRIOR_VEH + traffic.departed_veh[lane]) / (
                    BALANCE_PRIOR_VEH + traffic.announced_veh[lane]
                )
                amount = came * share * min(max(balance, LEAST_BALANCE), 1.0)
                traffic.arrival_veh[lane, (now_ms // 1000 + _travel_s(detection, lane)) % RING_S] += amount
                traffic.flow_per_s[lane] = flow + memory * (amount / max(step_s, 1e-3) - flow)
                traffic.spread[lane] = SEEN_SPREAD + 1.0 - share
            elif detectors.on[d] and now_ms - detectors.on_ms[d] > COVERED_MS:
                unseen = max(flow, LEAST_FLOW_PER_S)
                traffic.arrival_veh[lane, now_bin] += unseen * step_s
            else:
                traffic.flow_per_s[lane] = flow - memory * flow


@inlined
def _travel_s(detection: Detection, lane: int) -> int:
    """Seconds from the advance loop to the stop line at approach speed."""
    speed_mps = APPROACH_SHARE * max(detection.speed_mps[lane], 1.0)
    return min(int(detection.advance_m[lane] / speed_mps), LONGEST_TRAVEL_S)


@kernel
def _share(detection: Detection, traffic: Traffic, lane: int, first: int, last: int) -> float:
    """Share of a shared advance loop's vehicles that come to this lane, from stop-line counts so far."""
    if detection.advance_share[lane] >= 1.0:
        return 1.0
    mine, total = 1.0 + traffic.departed_veh[lane], 0.0
    for other in range(first, last):
        if detection.advance[other] == detection.advance[lane]:
            total += 1.0 + traffic.departed_veh[other]
    return float(mine / total)

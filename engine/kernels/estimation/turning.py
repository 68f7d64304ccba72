"""Where vehicles turn: the share of each lane's departures that takes each of its ways, learned from the exits.

Discounted Bayesian counts. A vehicle that an exit loop sees came from one of the lanes that lead there: the more of
their vehicles left in the last seconds, and the more of those used to turn here, the more likely. It counts for each
lane in that proportion. A lane remembers its last vehicles, so that shares may change.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...model.aspects import GREEN, PERMISSIVE
from ...model.upstream import Links
from ..jit import inlined, kernel
from ..state import NEVER_MS, Lamps

__all__ = ["Turning", "is_way_open", "learn_turns", "new_turning", "turning_spread"]

MEMORY_VEH = 150.0
PRIOR_VEH = 1.0  # for each way
RECENT_MS = 4000.0
CLEARED_MS = 6000  # after the end of green, the last vehicles reach the exit

F32 = npt.NDArray[np.float32]


class Turning(NamedTuple):
    """Per way: vehicles counted, as far as remembered, and the share. Per lane: who left just now."""

    way_veh: F32  # (W,)
    way_share: F32  # (W,) of the lane's departures; 1 in sum over a lane
    recent_veh: F32  # (L,) departures, fading
    updated_ms: npt.NDArray[np.int64]  # (1,) when ``recent_veh`` was so


def new_turning(links: Links) -> Turning:
    """Nothing counted: every way of a lane is as likely."""
    ways = np.diff(links.way_ptr)
    lanes = len(ways)
    return Turning(
        way_veh=np.zeros(len(links.way_lane), np.float32),
        way_share=np.repeat(1.0 / np.maximum(ways, 1), ways).astype(np.float32),
        recent_veh=np.zeros(lanes, np.float32),
        updated_ms=np.full(1, NEVER_MS, np.int64),
    )


def turning_spread(links: Links, turning: Turning) -> F32:
    """(W,) standard deviation of each share: that of a Dirichlet distribution with the counts."""
    counted = np.zeros(len(turning.recent_veh), np.float64)
    np.add.at(counted, links.way_lane, turning.way_veh + PRIOR_VEH)
    share = turning.way_share.astype(np.float64)
    spread: F32 = np.sqrt(share * (1.0 - share) / (counted[links.way_lane] + 1.0)).astype(np.float32)
    return spread


@inlined
def is_way_open(lamps: Lamps, group: int, now_ms: int) -> bool:
    """Can vehicles of ``group`` be passing the exit?"""
    shown = lamps.aspect[group]
    return bool(shown == GREEN or shown == PERMISSIVE or now_ms - lamps.end_ms[group] <= CLEARED_MS)


@kernel
def learn_turns(
    links: Links, lamps: Lamps, left_veh: F32, seen_veh: F32, turning: Turning, now_ms: int
) -> None:
    """Count what exits saw. ``turning`` is modified in place.

    ``left_veh`` (L,) left each lane, ``seen_veh`` (E,) passed each source's healthy loop in this tick (0 elsewhere).
    Where no source has a loop there is nothing to learn.
    """
    if len(links.loop_source) == 0:
        return
    recent_veh, way_share, into_ptr = turning.recent_veh, turning.way_share, links.into_ptr
    into_way, way_lane, way_group = links.into_way, links.way_lane, links.way_group
    keep = np.float32(np.exp(-max(now_ms - turning.updated_ms[0], 0) / RECENT_MS))
    turning.updated_ms[0] = now_ms
    for lane in range(len(left_veh)):
        recent_veh[lane] = keep * recent_veh[lane] + left_veh[lane]
    for source in links.loop_source:
        if seen_veh[source] > 0.0:
            first, last = into_ptr[source], into_ptr[source + 1]
            total = 0.0
            for i in range(first, last):
                way = into_way[i]
                if is_way_open(lamps, way_group[way], now_ms):
                    total += recent_veh[way_lane[way]] * way_share[way]
            for i in range(first, last):
                way = into_way[i]
                likely = recent_veh[way_lane[way]] * way_share[way]
                if total > 0.0 and likely > 0.0 and is_way_open(lamps, way_group[way], now_ms):
                    _remember(links, turning, way, seen_veh[source] * likely / total)
            for i in range(first, last):
                _renew_shares(links, turning, way_lane[into_way[i]])


@inlined
def _remember(links: Links, turning: Turning, way: int, veh: float) -> None:
    """Count ``veh`` more; what the lane counted earlier fades by as much as its memory holds."""
    lane = links.way_lane[way]
    keep = max(0.0, 1.0 - veh / MEMORY_VEH)
    for other in range(links.way_ptr[lane], links.way_ptr[lane + 1]):
        turning.way_veh[other] *= keep
    turning.way_veh[way] += veh


@inlined
def _renew_shares(links: Links, turning: Turning, lane: int) -> None:
    first, last = links.way_ptr[lane], links.way_ptr[lane + 1]
    total = PRIOR_VEH * (last - first)
    for way in range(first, last):
        total += turning.way_veh[way]
    for way in range(first, last):
        turning.way_share[way] = (turning.way_veh[way] + PRIOR_VEH) / total

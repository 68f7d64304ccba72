"""Travel times to the stop lines, fixed for a site: from each lane's own advance loop, and over each feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...model.compiled import Detection
from ...model.site import Site
from ...model.upstream import Links
from .dispersion import least_travel_s, platoon_factor

__all__ = ["HORIZON_S", "RING", "Travel", "approach_lanes", "compile_travel"]

RING = 128
HORIZON_S = 120
SLOWNESS = 1.1  # mean travel time over a link, from the stop line before it, over that at the speed limit
OWN_SLOWNESS = 1.04  # the same from an advance loop, where vehicles have gained their speed
SPREAD = 0.12  # standard deviation of travel times over their mean
LEAST_SPREAD_S = 2.0
FARTHEST_S = 100  # a feed from farther away announces nothing within the horizon

I32 = npt.NDArray[np.int32]


class Travel(NamedTuple):
    """Times to the stop line. ``peer[peer_ptr[l]:peer_ptr[l + 1]]`` are the lanes of the approach of lane l."""

    own_ms: I32  # (L,) from the advance loop, 0 where there is none
    own_s: I32  # (L,) the same, rounded up
    mean_s: I32  # (K,) over a feed, rounded down; -1 where it is too long to tell anything
    least_ms: I32  # (K,) of the first of a platoon
    factor: npt.NDArray[np.float32]  # (K,) share F of a platoon that comes each second
    peer_ptr: I32  # (L + 1,)
    peer: I32


def compile_travel(
    detection: Detection,
    links: Links,
    approaches: Sequence[Sequence[int]],
) -> Travel:
    """Travel times of a site; ``approaches`` holds for each lane the lanes of its approach (``approach_lanes``)."""
    own_s = OWN_SLOWNESS * detection.advance_m / np.maximum(detection.speed_mps, 1.0)
    mean_s = SLOWNESS * links.feed_travel_ms / 1000.0
    factor = np.array([platoon_factor(max(SPREAD * mean, LEAST_SPREAD_S)) for mean in mean_s])
    least_s = [
        max(least_travel_s(mean, share), 0.0) for mean, share in zip(mean_s.tolist(), factor, strict=True)
    ]
    return Travel(
        own_ms=np.where(detection.advance >= 0, np.round(1000.0 * own_s), 0).astype(np.int32),
        own_s=np.where(detection.advance >= 0, np.ceil(own_s), 0).astype(np.int32),
        mean_s=np.where(mean_s <= FARTHEST_S, mean_s, -1.0).astype(np.int32),
        least_ms=np.round(1000.0 * np.array(least_s)).astype(np.int32),
        factor=factor.astype(np.float32),
        peer_ptr=np.concatenate([[0], np.cumsum([len(found) for found in approaches])]).astype(np.int32),
        peer=np.array([lane for found in approaches for lane in found], np.int32),
    )


def approach_lanes(site: Site) -> list[list[int]]:
    """For each lane, in the order of ``Detection``, all lanes of its approach."""
    approaches = [(j, lane.approach) for j, junction in enumerate(site.junctions) for lane in junction.lanes]
    members: dict[tuple[int, str], list[int]] = {}
    for lane, approach in enumerate(approaches):
        members.setdefault(approach, []).append(lane)
    return [members[approach] for approach in approaches]

"""Lanes of a junction with the traffic of a time of day: who uses which lane, and how fast it discharges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..model.aspects import GREEN, GREEN_FLASH, PERMISSIVE
from ..model.site import GroupKind, Junction, MeetingKind
from .cycle_kernel import GO, STOP, YIELD, Lanes, Scratch
from .saturation import LaneConditions, gap_flow_veh_per_h, saturation_veh_per_h

__all__ = ["LONGEST_CYCLE_S", "lamps_of", "lane_volumes", "new_scratch", "tabulate_lanes"]

F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
LONGEST_CYCLE_S = 400
PEDESTRIAN_FACTOR = 0.85
"""Of the saturation flow is left to turns that yield to people alone (HCM 2000, f_Rpb at moderate volumes)."""
BALANCING_ROUNDS = 40
THROUGH, LEFT = LaneConditions(), LaneConditions(left_share=1.0)


def lane_volumes(junction: Junction, flow: F64) -> F64:
    """(L, G) veh/h of each group on each lane, so that the lanes of a group are as full as each other.

    ``flow`` (G,) is in veh/h. Groups of shared lanes move to their other lanes until none would gain.
    """
    serves = _serves(junction)
    volume: F64 = serves / np.maximum(serves.sum(axis=0), 1.0) * flow
    for _ in range(BALANCING_ROUNDS):
        for g in np.flatnonzero(serves.sum(axis=0) > 1.0):
            lanes = np.flatnonzero(serves[:, g])
            others = volume[lanes].sum(axis=1) - volume[lanes, g]
            volume[lanes, g] = _filled(others, float(flow[g]))
    return volume


def _serves(junction: Junction) -> F64:
    serves = np.zeros((len(junction.lanes), len(junction.groups)))
    for row, lane in enumerate(junction.lanes):
        serves[row, [number - 1 for number in lane.groups]] = 1.0
    return serves


def _filled(levels: F64, amount: float) -> F64:
    """How ``amount`` spreads over vessels filled to ``levels`` so that the lowest rise to one level."""
    order = np.sort(levels)
    above = np.arange(1, len(order) + 1)
    level = (np.cumsum(order) + amount) / above
    count = int(np.flatnonzero(level >= order)[-1])
    found: F64 = np.maximum(level[count] - levels, 0.0)
    return found


def tabulate_lanes(junction: Junction, flow: F64) -> tuple[Lanes, F64]:
    """Lanes for the kernel with the flows (G,) veh/h of a time of day, and the (L, G) volumes behind them."""
    volume = lane_volumes(junction, flow)
    serves = _serves(junction) > 0.0
    foe, beside_people, left = _yielding(junction)
    entries = [(row, g) for row in range(len(serves)) for g in np.flatnonzero(serves[row])]
    total = volume.sum(axis=1)
    rate = np.array([saturation_veh_per_h(LEFT if left[g] else THROUGH) / 3600.0 for _, g in entries])
    gap_rate = [_gap_rate(foe[g], beside_people[g], flow, rate[e]) for e, (_, g) in enumerate(entries)]
    share = [
        volume[row, g] / total[row] if total[row] > 0.0 else 1.0 / serves[row].sum() for row, g in entries
    ]
    lanes = Lanes(
        ptr=np.concatenate([[0], np.cumsum(serves.sum(axis=1))]).astype(np.int64),
        group=np.array([g for _, g in entries], np.int64),
        share=np.array(share, np.float64),
        rate=rate,
        gap_rate=np.array(gap_rate, np.float64),
        flow=total / 3600.0,
        foe=foe,
    )
    return lanes, volume


def _yielding(junction: Junction) -> tuple[U8, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Groups that yield to vehicles (G, G), groups that yield to people (G,), and left turns (G,)."""
    count = len(junction.groups)
    foe = np.zeros((count, count), np.uint8)
    beside_people, left = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    for meeting in junction.meetings:
        if meeting.kind is MeetingKind.PERMISSIVE:
            a, b = meeting.first - 1, meeting.second - 1
            if junction.groups[b].kind in (GroupKind.PEDESTRIAN, GroupKind.CYCLE):
                beside_people[a] = True
            else:
                foe[a, b] = 1
            left[a] |= meeting.left_turn
    return foe, beside_people, left


def _gap_rate(foes: U8, beside_people: bool, flow: F64, rate: float) -> float:
    opposing = float(flow[foes.astype(np.bool_)].sum())
    through_gaps = min(rate, gap_flow_veh_per_h(opposing) / 3600.0) if foes.any() else rate
    return through_gaps * (PEDESTRIAN_FACTOR if beside_people else 1.0)


def lamps_of(aspects: U8) -> U8:
    """What aspects mean to a driver: STOP, YIELD or GO."""
    lamps = np.full(aspects.shape, STOP, np.uint8)
    lamps[(aspects == GREEN) | (aspects == GREEN_FLASH)] = GO
    lamps[aspects == PERMISSIVE] = YIELD
    return lamps


def new_scratch(lanes: Lanes, groups: int) -> Scratch:
    """Room for the kernel's results."""
    rows = [np.zeros(len(lanes.flow)) for _ in range(8)]
    return Scratch(rows[0], rows[1], rows[2], np.zeros((groups, LONGEST_CYCLE_S)), *rows[3:])

"""What really happened, from the sightings: who went to which approach lane, and the queues.

A visit is one vehicle's way to one stop line. A vehicle on a network lane that leads to several approach lanes counts
for the one whose stop line it crosses later; on any other it counts where it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .recording import Recording

__all__ = ["STANDING_MPS", "Truth", "Visits", "find_truth"]

STANDING_MPS = 1.4
QUEUE_GAP_M = 25.0  # between the fronts of neighbours, and from the stop line to the first: a bus has 12 m
UNSEEN_MS = -1

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]


class Visits(NamedTuple):
    """A row per vehicle and stop line that it was on the way to, in the order of vehicles. Times are -1 where unseen.

    ``enter_ms`` is the first sighting on the way, ``advance_ms`` when its front passed the advance position of its
    lane (of the lane's ``advance_m``), ``cross_ms`` when it passed the stop line; ``group`` -1 where it did not.
    """

    vehicle: I32  # (V,)
    lane: I32  # (V,) approach lane
    group: I32  # (V,) over the site
    enter_ms: I64  # (V,)
    enter_m: npt.NDArray[np.float32]  # (V,) distance to the stop line at the first sighting
    advance_ms: I64  # (V,)
    cross_ms: I64  # (V,)


class Truth(NamedTuple):
    """Per second and approach lane, and the visits."""

    queue_veh: npt.NDArray[np.int16]  # (T, L) standing, without a gap from the stop line on
    present_veh: npt.NDArray[np.int16]  # (T, L) anywhere on the way since the last signal
    visits: Visits


class _Rows(NamedTuple):
    """Sightings in the order of vehicle and time, each with the visit that it belongs to."""

    second: I64
    vehicle: I32
    lane: I32
    position_m: npt.NDArray[np.float32]
    speed_mps: npt.NDArray[np.float32]


def find_truth(recording: Recording, advance_m: npt.NDArray[np.float32]) -> Truth:
    """The truth of a recording; ``advance_m`` (L,) as in ``Detection``."""
    rows = _by_vehicle(recording)
    table = _Table(recording)
    starts = _segment_starts(rows, recording)
    visits: list[tuple[int, int, int, int, float, int, int]] = []
    place = np.full(len(rows.vehicle), -1, np.int32)
    distance_m = np.zeros(len(rows.vehicle), np.float32)
    ends = np.append(starts[1:], len(rows.vehicle))
    crossings = _crossings_by_vehicle(recording)
    for first, last in zip(starts, ends, strict=True):
        found = _Visit.of(rows, int(first), int(last), table, crossings)
        if found is None:
            continue
        place[found.first : last] = found.lanes
        distance_m[found.first : last] = found.distance_m
        visits.append(found.row(advance_m))
    queue, present = _counts(rows, place, distance_m, recording.seconds, len(advance_m))
    columns = list(zip(*visits, strict=True)) if visits else [()] * len(Visits._fields)
    types = (np.int32, np.int32, np.int32, np.int64, np.float32, np.int64, np.int64)
    arrays = [np.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    return Truth(queue, present, Visits(*arrays))


def _by_vehicle(recording: Recording) -> _Rows:
    seen = recording.sightings
    second = np.repeat(np.arange(len(seen.row_ptr) - 1), np.diff(seen.row_ptr))
    order = np.lexsort((second, seen.vehicle))
    return _Rows(
        second[order],
        seen.vehicle[order],
        seen.lane[order],
        seen.position_m[order],
        seen.speed_mps[order],
    )


class _Table:
    """Which network lanes lead to which approach, and how far they are from its stop line."""

    def __init__(self, recording: Recording) -> None:
        lanes = [lane for junction in recording.site.junctions for lane in junction.lanes]
        self.edge = [lane.id.rpartition("_")[0] for lane in lanes]
        self.leads_to: dict[int, list[int]] = {}
        self.end_m: dict[tuple[str, int], float] = {}
        """Distance to the stop line from the start of a network lane, per edge of approach lanes."""
        places = recording.places
        for approach, lane, offset_m, length_m in zip(*places, strict=True):
            self.leads_to.setdefault(int(lane), []).append(int(approach))
            self.end_m.setdefault((self.edge[approach], int(lane)), float(offset_m + length_m))


def _segment_starts(rows: _Rows, recording: Recording) -> I64:
    """Where a new visit begins: a new vehicle, or the first sighting at or after a crossing of the vehicle."""
    crossed = recording.crossings
    vehicles = max(int(rows.vehicle.max(initial=0)), int(crossed.vehicle.max(initial=0))) + 1
    span_ms = (recording.seconds + 2) * 1000
    at = rows.vehicle.astype(np.int64) * span_ms + rows.second * 1000
    cuts = crossed.vehicle.astype(np.int64) * span_ms + crossed.t_ms
    firsts = np.arange(vehicles, dtype=np.int64) * span_ms
    starts = np.unique(np.searchsorted(at, np.concatenate([cuts, firsts])))
    found: I64 = starts[starts < len(at)]
    return found


def _crossings_by_vehicle(recording: Recording) -> dict[int, list[tuple[int, int, int]]]:
    found: dict[int, list[tuple[int, int, int]]] = {}
    for t_ms, vehicle, lane, group in zip(*recording.crossings, strict=True):
        found.setdefault(int(vehicle), []).append((int(t_ms), int(lane), int(group)))
    return found


class _Visit(NamedTuple):
    """Sightings ``first`` to the end of a segment, with the approach lane of each and the distance to its stop line."""

    first: int
    second: I64
    lanes: I32
    distance_m: npt.NDArray[np.float32]
    vehicle: int
    lane: int
    group: int
    cross_ms: int
    enter_mps: float

    @staticmethod
    def of(
        rows: _Rows,
        first: int,
        last: int,
        table: _Table,
        crossings: dict[int, list[tuple[int, int, int]]],
    ) -> _Visit | None:
        """The visit that a segment of sightings makes; None where it leads to no stop line."""
        vehicle = int(rows.vehicle[first])
        seen_ms = int(rows.second[last - 1]) * 1000
        after = [crossing for crossing in crossings.get(vehicle, []) if crossing[0] >= seen_ms]
        here = table.leads_to[int(rows.lane[last - 1])]
        cross_ms, lane, group = after[0] if after else (UNSEEN_MS, here[0], -1)
        edge = table.edge[lane]
        while first < last and (edge, int(rows.lane[first])) not in table.end_m:
            first += 1
        ways = [table.end_m.get((edge, int(number))) for number in rows.lane[first:last]]
        if first == last or None in ways:
            return None
        distance_m = np.array(ways, np.float32) - rows.position_m[first:last]
        lanes = [_lane_at(table, int(number), lane) for number in rows.lane[first:last]]
        return _Visit(
            first,
            rows.second[first:last],
            np.array(lanes, np.int32),
            distance_m,
            vehicle,
            lane,
            group,
            cross_ms,
            float(rows.speed_mps[first]),
        )

    def row(self, advance_m: npt.NDArray[np.float32]) -> tuple[int, int, int, int, float, int, int]:
        """As a row of ``Visits``."""
        return (
            self.vehicle,
            self.lane,
            self.group,
            int(self.second[0]) * 1000,
            float(self.distance_m[0]),
            self._passed_ms(float(advance_m[self.lane])),
            self.cross_ms,
        )

    def _passed_ms(self, at_m: float) -> int:
        """When the front came to ``at_m`` before the stop line."""
        ahead_m = at_m - float(self.distance_m[0])
        if at_m <= 0.0 or ahead_m > self.enter_mps:
            return UNSEEN_MS
        if ahead_m > 0.0:
            return int(self.second[0]) * 1000 - round(1000.0 * ahead_m / self.enter_mps)
        nearer = np.flatnonzero(self.distance_m < at_m)
        times_ms = self.second * 1000
        if not len(nearer):
            if self.cross_ms == UNSEEN_MS:
                return UNSEEN_MS
            far_m, far_ms = float(self.distance_m[-1]), int(times_ms[-1])
            return far_ms + round((self.cross_ms - far_ms) * (far_m - at_m) / max(far_m, 0.1))
        i = int(nearer[0])
        far_m, near_m = float(self.distance_m[i - 1]), float(self.distance_m[i])
        share = (far_m - at_m) / (far_m - near_m)
        return int(times_ms[i - 1] + round(share * float(times_ms[i] - times_ms[i - 1])))


def _lane_at(table: _Table, number: int, goal: int) -> int:
    """The approach lane that a vehicle on a network lane counts for."""
    ways = table.leads_to[number]
    return goal if goal in ways else ways[0]


def _counts(
    rows: _Rows,
    place: I32,
    distance_m: npt.NDArray[np.float32],
    seconds: int,
    lanes: int,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Standing vehicles without a gap from the stop line on, and all vehicles, per second and lane."""
    queue, present = np.zeros((seconds, lanes), np.int16), np.zeros((seconds, lanes), np.int16)
    known = np.flatnonzero(place >= 0)
    np.add.at(present, (rows.second[known], place[known]), 1)
    order = known[np.lexsort((distance_m[known], place[known], rows.second[known]))]
    cell = rows.second[order] * lanes + place[order]
    is_first = np.diff(cell, prepend=-1) != 0
    gap_m = np.where(is_first, distance_m[order], np.diff(distance_m[order], prepend=0.0))
    breaks = np.cumsum(gap_m > QUEUE_GAP_M)
    before = np.maximum.accumulate(np.where(is_first, breaks - (gap_m > QUEUE_GAP_M), -1))
    counts = (breaks == before) & (rows.speed_mps[order] < STANDING_MPS)
    np.add.at(queue, (rows.second[order][counts], place[order][counts]), 1)
    return queue, present

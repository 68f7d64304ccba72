"""A small world to try controllers in: point queues behind stop lines, with loops that see them and may fail.

Vehicles arrive on each lane at random (a seed decides), pass the advance loop, drive to the stop line in 5 s, queue,
and leave at 2 s headway while their lane is green, after 2 s of start-up; the stop-bar loop is free for a second
after each. Nothing here knows how controllers think.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from greensplit.engine.loop import Controller, DetectorEvents, Loop, Truth
from greensplit.engine.model.aspects import GREEN, PERMISSIVE
from greensplit.engine.model.site import ApproachLane, DetectorKind, Junction, Site

TRAVEL_MS = 5000
START_UP_MS = 2000
HEADWAY_MS = 2000

Damage = Callable[[int, int, bool], bool]
"""From detector index, time and true state to what the detector reports."""


def healthy(_detector: int, _now_ms: int, on: bool) -> bool:
    return on


@dataclass
class Lane:
    """Times at which vehicles reach the stop line, oldest first; when its green began and when the last one left."""

    group: int
    rate_per_s: float
    arrivals_ms: list[int] = field(default_factory=list)
    passed_advance_ms: int = -(10**9)
    green_ms: int | None = None
    left_ms: int = -(10**9)
    waiting_since_ms: int | None = None
    longest_wait_ms: int = 0
    served: int = 0


def _lanes(site: Site) -> list[tuple[Junction, ApproachLane]]:
    return [(junction, lane) for junction in site.junctions for lane in junction.lanes]


class Street:
    """A port with one lane per vehicle group, in the order of the site's lanes."""

    drives_lamps = True

    def __init__(self, site: Site, rates_per_h: list[float], seed: int, damage: Damage = healthy) -> None:
        self._site = site
        self._rng = np.random.default_rng(seed)
        self._damage = damage
        first = np.cumsum([0, *(len(j.groups) for j in site.junctions)])
        groups = [
            int(first[j]) + g - 1
            for j, x in enumerate(site.junctions)
            for lane in x.lanes
            for g in lane.groups
        ]
        self.lanes = [Lane(g, rate / 3600.0) for g, rate in zip(groups, rates_per_h, strict=True)]
        self._kinds = [d.kind for j in site.junctions for d in j.detectors]
        place = {(j.id, lane.id): i for i, (j, lane) in enumerate(_lanes(site))}
        self._lane_of = [place[j.id, d.lanes[0]] for j in site.junctions for d in j.detectors]
        self._reported = [False] * len(self._kinds)
        self._aspect = np.zeros(int(first[-1]), np.uint8)
        self.fallen: list[int] = []

    def read(self, now_ms: int) -> DetectorEvents:
        """Move the world by one second and report what the stop-bar and advance loops say."""
        for lane in self.lanes:
            self._move(lane, now_ms)
        index, state = [], []
        for d, kind in enumerate(self._kinds):
            lane = self.lanes[self._lane_of[d]]
            told = self._damage(d, now_ms, self._covers(lane, kind, now_ms))
            if told != self._reported[d]:
                self._reported[d] = told
                index.append(d)
                state.append(told)
        return DetectorEvents(
            np.array(index, np.int32),
            np.full(len(index), now_ms, np.int64),
            np.array(state, np.uint8),
            len(index),
        )

    def _move(self, lane: Lane, now_ms: int) -> None:
        if self._rng.random() < lane.rate_per_s:
            lane.arrivals_ms.append(now_ms + TRAVEL_MS)
            lane.passed_advance_ms = now_ms
        is_green = self._aspect[lane.group] in (GREEN, PERMISSIVE)
        if is_green and lane.green_ms is None:
            lane.green_ms = now_ms
        if not is_green:
            lane.green_ms = None
        self._time_wait(lane, now_ms)
        if lane.green_ms is not None and lane.arrivals_ms and lane.arrivals_ms[0] <= now_ms:
            if now_ms - lane.green_ms >= START_UP_MS and now_ms - lane.left_ms >= HEADWAY_MS:
                lane.arrivals_ms.pop(0)
                lane.left_ms = now_ms
                lane.served += 1

    def _time_wait(self, lane: Lane, now_ms: int) -> None:
        """From the first vehicle at a red stop line to the next green."""
        if lane.green_ms is not None:
            lane.waiting_since_ms = None
        elif lane.waiting_since_ms is None and lane.arrivals_ms and lane.arrivals_ms[0] <= now_ms:
            lane.waiting_since_ms = now_ms
        if lane.waiting_since_ms is not None:
            lane.longest_wait_ms = max(lane.longest_wait_ms, now_ms - lane.waiting_since_ms)

    def _covers(self, lane: Lane, kind: DetectorKind, now_ms: int) -> bool:
        if kind is DetectorKind.ADVANCE:
            return now_ms - lane.passed_advance_ms < 1000 or self.queue(lane, now_ms) >= 9
        return self.queue(lane, now_ms) > 0 and lane.left_ms != now_ms

    def queue(self, lane: Lane, now_ms: int) -> int:
        return sum(t <= now_ms for t in lane.arrivals_ms)

    def observe(self, aspect: npt.NDArray[np.uint8]) -> None:
        """Not needed: this port shows what it was told."""

    def write(self, aspect: npt.NDArray[np.uint8], changed: npt.NDArray[np.uint8]) -> None:
        """Show the lamps."""
        if changed.any():
            self._aspect[:] = aspect

    def fall_back(self, junction: int) -> None:
        """Remember who fell."""
        self.fallen.append(junction)

    def look(self, now_ms: int) -> Truth:
        """Every vehicle: standing ones 7.5 m apart, the others on their way at 13.89 m/s."""
        group, index, distance_m, speed_mps, stopped, waited_s = [], [], [], [], [], []
        for number, lane in enumerate(self.lanes):
            for i, t_ms in enumerate(lane.arrivals_ms):
                stands = t_ms <= now_ms
                group.append(lane.group)
                index.append(number)
                distance_m.append(7.5 * i if stands else max(7.5 * i, (t_ms - now_ms) * 0.01389))
                speed_mps.append(0.0 if stands else 13.89)
                stopped.append(stands)
                waited_s.append(max(0, now_ms - t_ms) / 1000)
        return Truth(
            np.array(group, np.int32),
            np.array(index, np.int32),
            np.array(distance_m, np.float64),
            np.array(speed_mps, np.float64),
            np.array(stopped, np.uint8),
            np.array(waited_s, np.float32),
            np.zeros(len(self._aspect)),
        )


def drive(site: Site, street: Street, controller: Controller, seconds: int, *, perfect: bool) -> Loop:
    """Run the loop over the street, a tick a second."""
    now = [0]
    loop = Loop(site, street, controller, (lambda: street.look(now[0])) if perfect else None)
    for t in range(seconds):
        now[0] = t * 1000
        loop.tick(now[0], now[0])
    return loop

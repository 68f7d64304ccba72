"""The whole estimation of a city in plain Python, once a second: queues, where there is no room, forecasts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from greensplit.engine.model.compiled import Detection

from .naive import Loop, NaiveLane
from .naive_arrivals import NaiveArrivals


@dataclass
class Fullness:
    """Hardly ever free: occupancy over 4 s above 0.8, and until it is below a half."""

    occupancy: float = 0.0

    def watch(self, on: bool) -> None:
        self.occupancy += (1.0 - math.exp(-1.0 / 4.0)) * (on - self.occupancy)

    def is_over(self, was_full: bool) -> bool:
        return self.occupancy > (0.5 if was_full else 0.8)


@dataclass
class Room:
    """Of a lane: its advance loop while it is open. Of a group: all its sound exits, if there are any."""

    loops: list[Loop]
    watched: list[Fullness] = field(default_factory=list)
    is_full: bool = False

    def tick(self, is_open: bool) -> None:
        self.watched = self.watched or [Fullness() for _ in self.loops]
        sound = [
            (loop, fullness) for loop, fullness in zip(self.loops, self.watched, strict=True) if loop.sound
        ]
        for loop, fullness in sound:
            fullness.watch(loop.on)
        full = [fullness.is_over(self.is_full) for _, fullness in sound]
        self.is_full = is_open and bool(full) and all(full)


class NaiveTraffic:
    """Lanes with their loops, under the groups that open them."""

    def __init__(
        self, detection: Detection, groups: list[list[int]], loops: list[Loop], arrivals: NaiveArrivals
    ):
        self.arrivals, self.groups, self.loops = arrivals, groups, loops
        self.lanes = [
            NaiveLane(
                float(detection.advance_m[i]),
                float(detection.storage_m[i]),
                float(detection.speed_mps[i]),
                0,
                loop_share=float(detection.advance_share[i]),
                stop=self._loop(forecast.stop),
                advance=self._loop(forecast.loop),
                expected=forecast.expected,
            )
            for i, forecast in enumerate(arrivals.lanes)
        ]
        ptr = detection.exit_ptr
        self.exits = [
            Room([loops[d] for d in detection.exit_detector[first:last]]) for first, last in pairwise(ptr)
        ]
        self.ahead = [Room([lane.advance]) for lane in self.lanes]

    def _loop(self, detector: int | None) -> Loop:
        return Loop(sound=False, exists=False) if detector is None else self.loops[detector]

    def tick(
        self, now_ms: int, level: list[int], green_ms: dict[int, int], yielding: set[int]
    ) -> dict[int, float]:
        """Queues on a second; ``green_ms`` holds the start of green of open groups. Who left each lane."""
        if self.arrivals.now_s is None:
            self.arrivals.start(now_ms // 1000)
        for loop, worth in zip(self.loops, level, strict=True):
            loop.sound = worth == 0
        for lane, forecast, groups in zip(self.lanes, self.arrivals.lanes, self.groups, strict=True):
            shown = [g for g in groups if g in green_ms]
            lane.green_ms = max((green_ms[g] for g in shown), default=None)
            lane.gives_way = any(g in yielding for g in shown)
            lane.blocked = bool(shown) and all(self.exits[g].is_full for g in shown)
            lane.sight_s, lane.feed_sight_s = forecast.sight_s, forecast.feed_sight_s
            lane.noise = (forecast.noise[0], forecast.noise[1], forecast.noise[2])
            lane.owed = forecast.owed
            lane.tick(now_ms)
            forecast.owed = lane.owed
            forecast.came += lane.supposed
        self._watch(self.exits, [True] * len(self.exits))
        self._watch(self.ahead, [lane.green_ms is not None for lane in self.lanes])
        return {i: lane.left for i, lane in enumerate(self.lanes) if lane.left > 0.0}

    @staticmethod
    def _watch(rooms: Iterable[Room], is_open: list[bool]) -> None:
        for room, now_open in zip(rooms, is_open, strict=True):
            room.tick(now_open)

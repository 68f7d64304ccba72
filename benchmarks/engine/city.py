"""A city to measure with: eight-phase junctions with pedestrians on a grid of streets, and traffic on their loops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import FORCE_OFF
from greensplit.engine.loop import DetectorEvents, View
from greensplit.engine.model.dual_ring import Phase, dual_ring
from greensplit.engine.model.site import ApproachLane, Detector, DetectorKind, Junction, Link, Site

__all__ = ["EVENTS_PER_JUNCTION", "TICK_MS", "Rotation", "Street", "city"]

TICK_MS = 1000
EVENTS_PER_JUNCTION = 20
PATTERNS = 8
BLOCK_M = 300.0
SPEED_MPS = 13.9
STAGE_S = (12, 30)
THROUGH = {"from the south": 2, "from the north": 6, "from the west": 4, "from the east": 8}
UPSTREAM = {
    "from the south": (0, -1),
    "from the north": (0, 1),
    "from the west": (-1, 0),
    "from the east": (1, 0),
}


def city(junctions: int) -> Site:
    """A grid of junctions with 8 vehicle and 4 pedestrian groups, 8 lanes and 16 detectors each, joined by links."""
    side = max(1, round(junctions**0.5))
    pattern = _junction()
    made = tuple(
        replace(pattern, id=f"J{i}", device_id=i + 1, x_m=BLOCK_M * (i % side), y_m=BLOCK_M * (i // side))
        for i in range(junctions)
    )
    return Site("city", made, tuple(_links(made, side)))


def _junction() -> Junction:
    """Through phases with walk, left turns without; a lane for each, with a stop-bar and an advance loop."""
    phases = [Phase(n, walk_ms=7000, ped_clearance_ms=8000) if n % 2 == 0 else Phase(n) for n in range(1, 9)]
    bare = dual_ring("pattern", phases, start_red_ms=0)
    lanes = tuple(_lane(n, approach) for approach, through in THROUGH.items() for n in _phases(through))
    detectors = tuple(detector for lane in lanes for detector in _loops(lane))
    return replace(bare, lanes=lanes, detectors=detectors)


def _phases(through: int) -> tuple[int, int]:
    """A through phase and the left turn from the same approach: 2 and 5, 4 and 7, 6 and 1, 8 and 3."""
    return through, (through + 3 - 1) % 8 + 1


def _lane(group: int, approach: str) -> ApproachLane:
    return ApproachLane(f"lane {group}", approach, (group,), BLOCK_M, SPEED_MPS)


def _loops(lane: ApproachLane) -> tuple[Detector, Detector]:
    group = lane.groups[0]
    stop = DetectorKind.STOP_BAR
    return (
        Detector(f"stop {group}", group, stop, lane.id, BLOCK_M - 8.0, 6.0, 2.0, (group,), (lane.id,)),
        Detector(
            f"advance {group}",
            10 + group,
            DetectorKind.ADVANCE,
            lane.id,
            BLOCK_M - 82.0,
            2.0,
            80.0,
            (group,),
            (lane.id,),
        ),
    )


def _links(junctions: tuple[Junction, ...], side: int) -> Iterator[Link]:
    """Every lane is fed by the through movement of the junction upstream on its street."""
    for i, junction in enumerate(junctions):
        for lane in junction.lanes:
            dx, dy = UPSTREAM[lane.approach]
            x, y = i % side + dx, i // side + dy
            if 0 <= x < side and y >= 0 and y * side + x < len(junctions):
                yield Link(
                    junctions[y * side + x].id,
                    THROUGH[lane.approach],
                    junction.id,
                    lane.id,
                    BLOCK_M,
                    round(1000.0 * BLOCK_M / SPEED_MPS),
                    BLOCK_M / 7.0,
                )


class Street:
    """A port that plays EVENTS_PER_JUNCTION detector events per junction and tick, in order of time, drawn before."""

    drives_lamps = True

    def __init__(self, junctions: int, detectors: int, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self._patterns = [self._draw(rng, junctions, detectors // junctions) for _ in range(PATTERNS)]
        self._played = 0
        self.now = self._patterns[0]

    @staticmethod
    def _draw(rng: np.random.Generator, junctions: int, detectors: int) -> DetectorEvents:
        """Vehicles over random loops of every junction, each on and off within the tick."""
        vehicles = EVENTS_PER_JUNCTION // 2
        chosen = rng.permuted(np.tile(np.arange(detectors), (junctions, 1)), axis=1)[:, :vehicles]
        index = (chosen + detectors * np.arange(junctions)[:, None]).ravel()
        on_ms = rng.integers(0, TICK_MS // 2, len(index))
        off_ms = on_ms + rng.integers(100, TICK_MS // 2, len(index))
        t_ms = np.concatenate((on_ms, off_ms))
        order = np.argsort(t_ms, kind="stable")
        state = np.repeat(np.array([1, 0], np.uint8), len(index))
        both = np.concatenate((index, index)).astype(np.int32)
        return DetectorEvents(both[order], t_ms[order] - TICK_MS, state[order], 2 * len(index))

    def load(self, now_ms: int) -> None:
        """Make the events of the tick that ends at ``now_ms`` ready."""
        found = self._patterns[self._played % PATTERNS]
        self._played += 1
        self.now = found._replace(t_ms=found.t_ms + now_ms)

    def read(self, now_ms: int) -> DetectorEvents:
        """The events that are ready."""
        del now_ms
        return self.now

    def observe(self, aspect: npt.NDArray[np.uint8]) -> None:
        """Not asked for: the loop drives the lamps."""

    def write(self, aspect: npt.NDArray[np.uint8], changed: npt.NDArray[np.uint8]) -> None:
        """Nobody looks."""

    def fall_back(self, junction: int) -> None:
        """A refusal would make the measurement void."""
        raise AssertionError(f"junction {junction}: expected no refusal")


class Rotation:
    """Asks each junction for another stage every 12 to 30 s, on its own beat."""

    def __init__(self, seed: int = 2) -> None:
        self._rng = np.random.default_rng(seed)
        self._due_s: npt.NDArray[np.int64] = np.zeros(0, np.int64)

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        """See ``greensplit.engine.loop.Controller``."""
        del log
        junctions = len(request)
        if len(self._due_s) != junctions:
            self._due_s = self._rng.integers(*STAGE_S, junctions)
        due = np.flatnonzero(self._due_s <= view.now_ms // TICK_MS)
        stages = view.signals.stage_ptr[due + 1] - view.signals.stage_ptr[due]
        request[due] = self._rng.integers(0, stages)
        cause[due] = FORCE_OFF
        self._due_s[due] += self._rng.integers(*STAGE_S, len(due))
        return view.now_ms + TICK_MS

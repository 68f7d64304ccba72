"""Stand-ins on the streets of SUMO: its loops are their detectors, their lamps are its lights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from greensplit.bridges.registry import find_front
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.engine.loop import DetectorEvents
from greensplit.engine.model.compiled import compile_detection
from greensplit.engine.model.site import Site

from .port import TICK_MS, LoopReader, state_string
from .sumo import Simulator

__all__ = ["BACKUP_MS", "LocalPool", "Pool", "PoolSpec", "StandInHost"]

BACKUP_MS: Final = 10_000
Aspects = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """Which stand-ins, behind which front. ``epoch_s`` is UTC at 0 of the clock."""

    site: Site
    protocol: str
    options: Mapping[str, str]
    epoch_s: int


class Pool(Protocol):
    """Stand-ins of all junctions behind one front: in this process, or in another."""

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where each junction can be reached."""
        ...

    def sense(self, now_ms: int, seen: Sequence[DetectorEvents]) -> None:
        """Detector changes up to ``now_ms``, per junction."""
        ...

    def act(self, now_ms: int) -> list[Aspects]:
        """Advance, and tell the lamps of every junction."""
        ...

    def close(self) -> None:
        """Close the front."""
        ...


class LocalPool:
    """Stand-ins in this process, at the tick of SUMO: their lamps change on whole seconds only."""

    def __init__(self, spec: PoolSpec) -> None:
        """Raises InputError for an unknown protocol."""
        config = StandInConfig(
            tick_ms=TICK_MS,
            backup_ms=BACKUP_MS,
            red_revert_ms=spec.site.red_revert_ms,
            epoch_s=spec.epoch_s,
        )
        self.now_ms = 0
        self.stand_ins = tuple(StandIn(junction, config) for junction in spec.site.junctions)
        self._front = find_front(spec.protocol)(self.stand_ins, spec.options, lambda: self.now_ms)
        self.addresses = dict(self._front.open())

    def sense(self, now_ms: int, seen: Sequence[DetectorEvents]) -> None:
        """Detector changes up to ``now_ms``, per junction."""
        with self._front.lock:
            self.now_ms = now_ms
            for stand_in, events in zip(self.stand_ins, seen, strict=True):
                stand_in.sense(now_ms, events)

    def act(self, now_ms: int) -> list[Aspects]:
        """Advance, and tell the lamps of every junction."""
        with self._front.lock:
            self.now_ms = now_ms
            for stand_in in self.stand_ins:
                stand_in.advance(now_ms)
            return [stand_in.aspects for stand_in in self.stand_ins]

    def close(self) -> None:
        """Close the front."""
        self._front.close()


class StandInHost:
    """Brings stand-ins through SUMO's time: ``take`` what happened in a step, ``sense`` it bit by bit, ``act``."""

    def __init__(self, simulator: Simulator, site: Site, reader: LoopReader, pool: Pool) -> None:
        self._pool = pool
        self._reader = reader
        self._site = site
        self._set_state: Callable[[str, str], None] = simulator.api.trafficlight.setRedYellowGreenState
        self._ptr = compile_detection(site).detector_ptr.tolist()
        self._waiting = [_NOTHING] * len(site.junctions)
        self._shown = [""] * len(site.junctions)

    def take(self, now_ms: int) -> None:
        """What SUMO's loops saw in the step that ended at ``now_ms``."""
        found = self._reader.read(now_ms)
        order = np.argsort(found.t_ms[: found.size], kind="stable")
        detector, t_ms, on = found.detector[order], found.t_ms[order], found.on[order]
        for j, (first, last) in enumerate(zip(self._ptr[:-1], self._ptr[1:], strict=True)):
            own = (detector >= first) & (detector < last)
            self._waiting[j] = _events(detector[own] - first, t_ms[own], on[own])

    def sense(self, now_ms: int) -> None:
        """Let the stand-ins see what happened up to ``now_ms``."""
        seen = []
        for j, waiting in enumerate(self._waiting):
            known = int(np.searchsorted(waiting.t_ms, now_ms, side="right"))
            seen.append(_part(waiting, slice(0, known)))
            self._waiting[j] = _part(waiting, slice(known, waiting.size))
        self._pool.sense(now_ms, seen)

    def act(self, now_ms: int) -> None:
        """Advance the stand-ins and show their lamps."""
        for j, aspects in enumerate(self._pool.act(now_ms)):
            state = state_string(self._site.junctions[j], aspects)
            if state != self._shown[j]:
                self._shown[j] = state
                self._set_state(self._site.junctions[j].id, state)


def _events(
    detector: npt.NDArray[np.int32], t_ms: npt.NDArray[np.int64], on: npt.NDArray[np.uint8]
) -> DetectorEvents:
    return DetectorEvents(detector.astype(np.int32), t_ms, on, len(t_ms))


def _part(events: DetectorEvents, which: slice) -> DetectorEvents:
    return _events(events.detector[which], events.t_ms[which], events.on[which])


_NOTHING: Final = _events(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.uint8))

"""Stand-ins on the streets of SUMO: its loops are their detectors, their lamps are its lights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import RLock

import numpy as np
import numpy.typing as npt

from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.engine.loop import DetectorEvents
from greensplit.engine.model.compiled import compile_detection
from greensplit.engine.model.site import Site

from .port import TICK_MS, LoopReader, state_string
from .sumo import Simulator

__all__ = ["StandInHost", "stand_ins_of"]


def stand_ins_of(site: Site, backup_ms: int, epoch_s: int) -> list[StandIn]:
    """A stand-in for every junction of a site, at the tick of SUMO: its lamps change on whole seconds only."""
    config = StandInConfig(
        tick_ms=TICK_MS, backup_ms=backup_ms, red_revert_ms=site.red_revert_ms, epoch_s=epoch_s
    )
    return [StandIn(junction, config) for junction in site.junctions]


class StandInHost:
    """Brings stand-ins through SUMO's time: ``take`` what happened in a step, ``sense`` it bit by bit, ``act``.

    ``lock`` is that of the front, which answers in a thread of its own.
    """

    def __init__(
        self, simulator: Simulator, site: Site, reader: LoopReader, stand_ins: Sequence[StandIn]
    ) -> None:
        self.stand_ins = tuple(stand_ins)
        self.lock = RLock()
        self.now_ms = 0
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
        with self.lock:
            self.now_ms = now_ms
            for j, stand_in in enumerate(self.stand_ins):
                waiting = self._waiting[j]
                known = int(np.searchsorted(waiting.t_ms, now_ms, side="right"))
                stand_in.sense(now_ms, _part(waiting, slice(0, known)))
                self._waiting[j] = _part(waiting, slice(known, waiting.size))

    def act(self, now_ms: int) -> None:
        """Advance the stand-ins and show their lamps."""
        with self.lock:
            self.now_ms = now_ms
            for stand_in in self.stand_ins:
                stand_in.advance(now_ms)
            states = [state_string(s.junction, s.aspects) for s in self.stand_ins]
        for j, state in enumerate(states):
            if state != self._shown[j]:
                self._shown[j] = state
                self._set_state(self._site.junctions[j].id, state)


def _events(
    detector: npt.NDArray[np.int32], t_ms: npt.NDArray[np.int64], on: npt.NDArray[np.uint8]
) -> DetectorEvents:
    return DetectorEvents(detector.astype(np.int32), t_ms, on, len(t_ms))


def _part(events: DetectorEvents, which: slice) -> DetectorEvents:
    return _events(events.detector[which], events.t_ms[which], events.on[which])


_NOTHING = _events(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.uint8))

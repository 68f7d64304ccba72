"""The signal part of a tick in plain Python, one object per junction: the oracles that the kernels are tested by."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from greensplit.engine.loop import DetectorEvents
from greensplit.engine.model.site import Site
from tests.engine.kernels.naive import NaiveInterlock, NaiveMachine
from tests.engine.kernels.naive_detectors import NaiveDetector

__all__ = ["PythonTick"]


class PythonTick:
    """State of a city and its tick."""

    def __init__(self, site: Site) -> None:
        """Objects for every junction and detector."""
        self.machines = [NaiveMachine(junction, site.red_revert_ms) for junction in site.junctions]
        self.guards = [NaiveInterlock(junction, site.red_revert_ms) for junction in site.junctions]
        self.detectors = [NaiveDetector(j.device_id, d.channel) for j in site.junctions for d in j.detectors]
        self.odd: Counter[str] = Counter()

    def tick(self, events: DetectorEvents, request: npt.NDArray[np.int32], now_ms: int) -> list[list[str]]:
        """Detectors, machine, interlock; the aspects that are shown. A refusal is an error."""
        for d, t_ms, on in zip(events.detector, events.t_ms, events.on, strict=True):
            self.detectors[d].take(int(t_ms), bool(on), now_ms, self.odd)
        shown = []
        for j, (machine, guard) in enumerate(zip(self.machines, self.guards, strict=True)):
            aspects = machine.advance(int(request[j]), now_ms)
            if guard.judge(aspects, now_ms):
                raise AssertionError("expected no refusal")
            shown.append(aspects)
        return shown

"""The tick for controllers that have a signal machine of their own: the loop looks at lamps and asks for stages.

port.read -> detectors -> port.observe -> interlock (looks on) -> traffic -> controller -> port.ask
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .events import FREE_PATTERN, PATTERN_CHANGE
from .kernels.follow import follow_lamps
from .kernels.jit import settled
from .kernels.state import NEVER_MS
from .loop import Controller, Loop, Port, Truth
from .model.site import Site

__all__ = ["FieldLoop", "StagePort"]


class StagePort(Port, Protocol):
    """A port to controllers that are asked for stages. Its ``drives_lamps`` is False."""

    def aims(self, aim: npt.NDArray[np.int32]) -> None:
        """Fill (J,) local stages that the junctions show or are on their way to, -1 for none."""
        ...

    def ask(self, request: npt.NDArray[np.int32], now_ms: int) -> None:
        """Ask for (J,) local stages, -1 to stay."""
        ...


class FieldLoop(Loop):
    """Decides for controllers that may obey or not, and believes only what their lamps show.

    The signal machine that the policy sees follows those lamps. What the interlock would have refused is in
    ``refusals``; nothing is altered. The port checks every stage before it is sent.
    """

    def __init__(
        self,
        site: Site,
        port: StagePort,
        controller: Controller,
        look: Callable[[], Truth] | None = None,
        day_ms: int = 0,
    ) -> None:
        super().__init__(site, port, controller, look, day_ms=day_ms)
        self._asked = port
        self._aim = np.full(len(site.junctions), -1, np.int32)
        self._follow_lamps = settled(follow_lamps)

    def tick(self, read_ms: int, now_ms: int) -> None:
        """Read up to ``read_ms``, look at the lamps, decide, and ask at ``now_ms``: once."""
        now_ms = self._begin(now_ms)
        self._take(self.port.read(read_ms), read_ms)
        self._see(now_ms)
        self._estimate(now_ms)
        self._decide(now_ms)
        self._asked.ask(self._wish, now_ms)

    def see_lamps(self, now_ms: int) -> None:
        """Look at the lamps between two ticks, so that their changes get the time at which they were first seen."""
        self._see(self._begin(now_ms))

    def _begin(self, now_ms: int) -> int:
        if self._now_ms == NEVER_MS:
            for device in self.signals.device_id:
                self.events.append(now_ms, int(device), PATTERN_CHANGE, FREE_PATTERN)
        return self._forward(now_ms)

    def _see(self, now_ms: int) -> None:
        self.port.observe(self._observed)
        self._asked.aims(self._aim)
        found = self._check_lamps(
            self._guard, self._lamps, self._faults, self._observed, self._released, now_ms, True
        )
        if found:
            self._report(now_ms)
        self._log_lamps(now_ms)
        self._follow_lamps(self.signals, self.machine, self._lamps, self._aim, now_ms)

"""Stand-ins in the time of a clock that is handed in: what ``greensplit standin`` runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from greensplit.engine.loop import DetectorEvents

from .controller import StandIn
from .front import Front

__all__ = ["RealTime"]

NOTHING: Final = DetectorEvents(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.uint8), 0)


class RealTime:
    """Advances stand-ins tick by tick; a tick that comes late is made up for, one by one, up to a second of them.

    ``now_ms`` is the time to which they have been brought: the clock of their front.
    """

    def __init__(
        self, stand_ins: Sequence[StandIn], clock_ms: Callable[[], int], sleep_ms: Callable[[int], None]
    ) -> None:
        self.now_ms = 0
        self._stand_ins = tuple(stand_ins)
        self._tick_ms = stand_ins[0].config.tick_ms
        self._clock_ms = clock_ms
        self._sleep_ms = sleep_ms
        self._start_ms = clock_ms()

    def run(self, front: Front, for_ms: int | None = None) -> None:
        """Go on for ``for_ms``, None for ever."""
        while for_ms is None or self.now_ms < for_ms:
            elapsed_ms = self._clock_ms() - self._start_ms
            if elapsed_ms < self.now_ms + self._tick_ms:
                self._sleep_ms(self.now_ms + self._tick_ms - elapsed_ms)
                continue
            lost_ms = max(elapsed_ms - self.now_ms - 1000, 0)
            self.now_ms += self._tick_ms + lost_ms // self._tick_ms * self._tick_ms
            with front.lock:
                for stand_in in self._stand_ins:
                    stand_in.sense(self.now_ms, NOTHING)
                    stand_in.advance(self.now_ms)

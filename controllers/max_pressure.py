"""Max pressure: the stage with most vehicles queued before it and fewest behind it. Perfect vision.

Varaiya (2013), in the form that RESCO published: vehicles that have stopped, within range, less those that stand on
the lanes that the stage leads to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import FORCE_OFF
from greensplit.engine.loop import View

from .choice import seen, serve_heaviest

__all__ = ["Config", "MaxPressure"]


@dataclass(frozen=True, slots=True)
class Config:
    """``period_ms`` between decisions; ``range_m`` before the stop line that is seen, across edges."""

    period_ms: int = 1000
    min_green_ms: int = 5000
    range_m: float = 200.0
    keep_on_tie: bool = True


class MaxPressure:
    """Highest pressure first, without bound on red."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        """See ``greensplit.engine.loop.Controller``. Raises WorkError without perfect vision."""
        config = self._config
        truth = seen(view, "max-pressure")
        queued = (truth.distance_m <= config.range_m) & (truth.has_stopped == 1)
        weight = np.bincount(truth.group[queued], minlength=len(truth.out_queue_veh)) - truth.out_queue_veh
        score, chose = serve_heaviest(view, weight, config.min_green_ms, config.keep_on_tie, request)
        cause.fill(FORCE_OFF)
        log.declare("pressure, vehicles", lower_is_better=False)
        log.note(view, request, score, ("most queue before less queue behind",), None, chose)
        return view.now_ms + config.period_ms

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
from .switching import serve_most_earning

__all__ = ["TUNED", "Config", "MaxPressure"]


@dataclass(frozen=True, slots=True)
class Config:
    """``period_ms`` between decisions; ``range_m`` before the stop line that is seen, across edges.

    ``use_ms`` is the time over which a stage is weighed against the time that the change to it costs, by pressures
    of at least 0; 0, as published: changes cost nothing.
    """

    period_ms: int = 1000
    min_green_ms: int = 5000
    range_m: float = 200.0
    keep_on_tie: bool = True
    use_ms: int = 0


TUNED = Config(range_m=100.0, use_ms=4000)
"""Found on generated arterials and grids."""


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
        if config.use_ms:
            score, chose = serve_most_earning(
                view, np.maximum(weight, 0.0), config.min_green_ms, config.use_ms, request
            )
        else:
            score, chose = serve_heaviest(view, weight, config.min_green_ms, config.keep_on_tie, request)
        cause.fill(FORCE_OFF)
        log.declare("pressure, vehicles", lower_is_better=False)
        log.note(view, request, score, ("most queue before less queue behind",), None, chose)
        return view.now_ms + config.period_ms

"""Greedy: the stage with most vehicles within range. Perfect vision. The rule that RESCO calls MAXWAVE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import FORCE_OFF
from greensplit.engine.loop import View

from .choice import seen, serve_heaviest
from .switching import serve_most_earning

__all__ = ["TUNED", "Config", "Greedy"]


@dataclass(frozen=True, slots=True)
class Config:
    """``period_ms`` between decisions; ``range_m`` before the stop line that is seen, across edges.

    ``use_ms`` is the time over which a stage is weighed against the time that the change to it costs; 0, as
    published: changes cost nothing.
    """

    period_ms: int = 1000
    min_green_ms: int = 5000
    range_m: float = 60.0
    keep_on_tie: bool = True
    use_ms: int = 0


TUNED = Config(range_m=80.0, use_ms=4000)
"""Found on generated arterials and grids."""


class Greedy:
    """Most vehicles first, without memory and without bound on red."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        """See ``greensplit.engine.loop.Controller``. Raises WorkError without perfect vision."""
        config = self._config
        truth = seen(view, "greedy")
        near = truth.group[truth.distance_m <= config.range_m]
        weight = np.bincount(near, minlength=len(view.signals.min_green_ms)).astype(np.float64)
        if config.use_ms:
            score, chose = serve_most_earning(view, weight, config.min_green_ms, config.use_ms, request)
        else:
            score, chose = serve_heaviest(view, weight, config.min_green_ms, config.keep_on_tie, request)
        cause.fill(FORCE_OFF)
        log.declare("vehicles within range", lower_is_better=False)
        log.note(view, request, score, ("most vehicles within range",), None, chose)
        return view.now_ms + config.period_ms

"""Standard normal deviate (Dudek, Messer and Nuckles 1974, Transportation Research Record 495).

(x - mean) / standard deviation of the last minutes, over a threshold in two successive steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Config", "score"]

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Config:
    """``window`` steps before the current one; ``least_sd`` keeps still traffic from dividing by nothing."""

    window: int = 5
    threshold: float = 3.0
    least_sd: float = 1.0


def score(values: F64, config: Config | None = None) -> F64:
    """(steps, places): the smaller deviate of this step and the one before, in units of the threshold; at least 0.

    ``values`` (steps, places) are occupancies in percent, or any measure that an incident raises.
    """
    config = config or Config()
    steps = len(values)
    deviate = np.zeros_like(values)
    for t in range(config.window, steps):
        past = values[t - config.window : t]
        deviate[t] = (values[t] - past.mean(axis=0)) / np.maximum(past.std(axis=0, ddof=1), config.least_sd)
    before = np.vstack((np.zeros((1, values.shape[1])), deviate[:-1]))
    return np.maximum(np.minimum(deviate, before), 0.0) / config.threshold

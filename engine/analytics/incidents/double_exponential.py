"""Double exponential smoothing (Cook and Cleveland 1974, Transportation Research Record 495).

S1 and S2 smooth once and twice; the forecast is 2 S1 - S2. The tracking signal is the sum of forecast errors over their
mean absolute deviation, both since the start and with the same forgetting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Config", "score"]

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Config:
    """``alpha`` smooths the values, ``gamma`` the errors; ``least_deviation`` is in units of the values."""

    alpha: float = 0.1
    gamma: float = 0.1
    threshold: float = 6.0
    least_deviation: float = 1.0


def score(values: F64, config: Config | None = None) -> F64:
    """(steps, places): the tracking signal in units of the threshold; at least 0. ``values`` as for ``snd.score``."""
    config = config or Config()
    found = np.zeros_like(values)
    once, twice = values[0].copy(), values[0].copy()
    total, deviation = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for t in range(1, len(values)):
        error = values[t] - (2.0 * once - twice)
        total = (1.0 - config.gamma) * total + error
        deviation = (1.0 - config.gamma) * deviation + config.gamma * np.abs(error)
        found[t] = total / np.maximum(deviation, config.least_deviation)
        once = config.alpha * values[t] + (1.0 - config.alpha) * once
        twice = config.alpha * once + (1.0 - config.alpha) * twice
    return np.maximum(found, 0.0) / config.threshold

"""California algorithms 7 and 8 (Payne and Tignor 1978, Transportation Research Record 682).

With occupancies in percent up and downstream: OCCDF = O_up - O_down, OCCRDF = OCCDF / O_up, DOCCTD the relative
fall of O_down over two steps. #7: OCCDF >= T1, OCCRDF >= T2 and O_down < T3, confirmed where OCCRDF >= T2 in the
next step, goes on as long as that holds. #8: the same, but after a compression wave (DOCCTD below ``wave`` with
O_down of at least ``wave_down_pct``) nothing is reported for five steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .stations import StationSeries, fall, over_time, relative

__all__ = ["Config7", "Config8", "score7", "score8"]

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Config7:
    """T1 (percent), T2, T3 (percent): as published with the FT-AED data of I-24 (Coursey and others 2024)."""

    least_difference_pct: float = 8.1
    least_relative: float = 0.313
    most_down_pct: float = 16.8


@dataclass(frozen=True, slots=True)
class Config8(Config7):
    """As #7; ``wave`` and ``wave_down_pct`` tell a compression wave, ``suppress_steps`` follow it."""

    wave: float = -0.4
    wave_down_pct: float = 30.0
    suppress_steps: int = 5


def score7(series: StationSeries, config: Config7 | None = None) -> F64:
    """(steps, pairs): OCCDF of the entry in units of T1, while an incident is confirmed and goes on; else 0."""
    config = config or Config7()
    return _confirmed(series, config, np.zeros(series.up_pct.shape, np.bool_))


def score8(series: StationSeries, config: Config8 | None = None) -> F64:
    """As ``score7``, 0 during and after a compression wave."""
    config = config or Config8()
    wave = (fall(series.down_pct, 2) < config.wave) & (series.down_pct >= config.wave_down_pct)
    quiet = np.zeros(wave.shape, np.bool_)
    for after in range(config.suppress_steps + 1):
        quiet[after:] |= wave[: len(wave) - after]
    return _confirmed(series, config, quiet)


def _confirmed(series: StationSeries, config: Config7, quiet: npt.NDArray[np.bool_]) -> F64:
    difference = series.up_pct - series.down_pct
    goes_on = (relative(difference, series.up_pct) >= config.least_relative) & ~quiet
    enters = goes_on & (series.down_pct < config.most_down_pct)
    passed = np.where(enters, np.maximum(difference, 0.0) / config.least_difference_pct, 0.0)
    before = np.vstack((np.zeros((1, passed.shape[1])), passed[:-1]))
    return over_time(np.where(goes_on, before, 0.0), goes_on)

"""APID, all-purpose incident detection (Masters, Lam and Wong 1991, ASCE; used in COMPASS, Toronto).

In heavy traffic (O_up above ``heavy_pct``): OCCDF, OCCRDF and O_down as in the California algorithms, unless a
compression wave passes; in medium traffic: OCCRDF together with a fall of speed upstream over two steps; in light
traffic it does not look. Reported after it has lasted ``persistence_s`` with OCCRDF over ``persist_relative``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .stations import StationSeries, fall, over_time, relative

__all__ = ["Config", "score"]

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Config:
    """Values published for the tests; percent where the name says so. ``light_pct``: below it nothing is judged."""

    heavy_pct: float = 60.0
    light_pct: float = 5.0
    heavy_difference_pct: float = 10.2
    heavy_relative: float = 0.0
    heavy_down_pct: float = 20.8
    wave: float = -1.3
    medium_relative: float = 0.4
    medium_speed_fall: float = 0.1
    persist_relative: float = 0.1
    persistence_s: float = 300.0


def score(series: StationSeries, config: Config | None = None) -> F64:
    """(steps, pairs): how far the entry test was passed, in units of its threshold, once it has persisted; else 0."""
    config = config or Config()
    difference = series.up_pct - series.down_pct
    by_up = relative(difference, series.up_pct)
    goes_on = by_up > config.persist_relative
    entry = np.where(series.up_pct > config.heavy_pct, _heavy(series, config, difference, by_up), 0.0)
    medium = (series.up_pct > config.light_pct) & (series.up_pct <= config.heavy_pct)
    entry = np.where(medium, _medium(series, config, by_up), entry)
    entry = np.where(goes_on, entry, 0.0)
    steps = max(round(config.persistence_s / series.step_s), 1)
    lasted = _lasted(entry > 0.0, goes_on)
    return np.where(lasted >= steps, over_time(entry, goes_on), 0.0)


def _heavy(series: StationSeries, config: Config, difference: F64, by_up: F64) -> F64:
    wave = fall(series.down_pct, 2) < config.wave
    passed = (by_up > config.heavy_relative) & (series.down_pct < config.heavy_down_pct) & ~wave
    return np.where(passed, np.maximum(difference, 0.0) / config.heavy_difference_pct, 0.0)


def _medium(series: StationSeries, config: Config, by_up: F64) -> F64:
    slower = fall(series.up_speed(), 2)
    both = np.minimum(by_up / config.medium_relative, slower / config.medium_speed_fall)
    return np.maximum(both, 0.0)


def _lasted(entered: npt.NDArray[np.bool_], goes_on: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Steps since an entry from which it has gone on, that of the entry not counted."""
    since = np.full(entered.shape[1], -1)
    found = np.empty(entered.shape, np.int64)
    for t in range(len(entered)):
        since = np.where(goes_on[t] & (since >= 0), since + 1, -1)
        since = np.where((since < 0) & entered[t], 0, since)
        found[t] = since
    return found

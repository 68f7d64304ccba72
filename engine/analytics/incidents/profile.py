"""Anomalies against the profile of the day: median by time of day, and how far values usually lie from it.

The robust z of a residual, |x - median| / (1.4826 MAD), as in seasonal decomposition by medians; 1.4826 makes it a
standard deviation for normal data (Hampel 1974, JASA 69).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Config", "Profile", "learn", "score"]

TO_SD = 1.4826

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Config:
    """``period`` steps make a day; medians are taken over ``spread`` steps on either side too, and the z over the
    mean of the last ``smooth`` steps. ``least_deviation`` is in units of the values."""

    period: int
    spread: int = 15
    smooth: int = 3
    threshold: float = 3.5
    least_deviation: float = 1.0


class Profile(NamedTuple):
    """(period, places): the usual value and the usual distance from it, by time of day."""

    median: F64
    deviation: F64


def learn(days: Sequence[F64], config: Config) -> Profile:
    """The profile of ``days``, arrays (steps, places) that begin at the same time of day."""
    smoothed = [_smooth(day, config.smooth) for day in days]
    median = np.stack([np.median(_near(smoothed, at, config), axis=0) for at in range(config.period)])
    distance = [np.abs(day - _by_step(median, len(day))) for day in smoothed]
    deviation = np.stack([np.median(_near(distance, at, config), axis=0) for at in range(config.period)])
    return Profile(median, np.maximum(TO_SD * deviation, config.least_deviation))


def score(values: F64, profile: Profile, config: Config) -> F64:
    """(steps, places): the robust z, above the usual or below it, in units of the threshold."""
    median, deviation = (_by_step(part, len(values)) for part in profile)
    return np.abs(_smooth(values, config.smooth) - median) / deviation / config.threshold


def _near(days: Sequence[F64], at: int, config: Config) -> F64:
    """All values within ``spread`` of that step of the day, (n, places)."""
    steps = np.arange(at - config.spread, at + config.spread + 1) % config.period
    parts = [day[offset:][: config.period] for day in days for offset in range(0, len(day), config.period)]
    return np.concatenate([part[steps[steps < len(part)]] for part in parts])


def _by_step(profile: F64, steps: int) -> F64:
    return np.asarray(profile[np.arange(steps) % len(profile)])


def _smooth(values: F64, size: int) -> F64:
    """Mean of the last ``size`` steps, fewer at the start."""
    total = np.cumsum(values, axis=0)
    lagged = np.vstack((np.zeros((size, values.shape[1])), total[:-size]))[: len(values)]
    return np.asarray((total - lagged) / np.minimum(np.arange(1, len(values) + 1), size)[:, None])

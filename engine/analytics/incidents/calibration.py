"""A threshold for a budget of false alarms per network and hour, from scores of incident-free time.

The largest scores of separate episodes over a high level are close to exponential (peaks over threshold: Pickands
1975, Annals of Statistics 3; the sums of ``arterial`` have such tails by construction). The rate of episodes over h
is then rate(u) exp(-(h - u) / s), and the threshold is where that equals the budget. Where the budget lies beyond
what was seen, this is extrapolation: ``Threshold.seen`` says so, and only further incident-free time can confirm
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import InputError

__all__ = ["Threshold", "calibrate", "episode_peaks"]

PEAKS_USED = 30
LEAST_PEAKS = 5
MARGIN = 1e-9

F64 = npt.NDArray[np.float64]


class Threshold(NamedTuple):
    """A score ``value`` that is exceeded, by the fitted tail, ``budget_per_h`` times an hour in the network.

    ``level`` and ``scale`` are those of the tail, ``peaks`` how many made it, ``hours`` what they came from;
    ``largest`` is the largest score seen. ``seen`` is whether the budget lies within the hours seen.
    """

    value: float
    budget_per_h: float
    level: float
    scale: float
    peaks: int
    hours: float
    largest: float
    seen: bool


def calibrate(
    scores: Sequence[F64],
    devices: Sequence[int],
    bin_s: float,
    budget_per_h: float,
    *,
    apart_s: float = 600.0,
) -> Threshold:
    """The threshold for ``scores`` (bins, places) of incident-free days; episodes are counted per junction.

    Raises InputError for a budget that is not positive, or fewer than 5 episodes with a positive score.
    """
    if not budget_per_h > 0.0:
        raise InputError(f"false alarms: expected a budget above 0 an hour, found {budget_per_h:g}")
    hours = sum(len(score) for score in scores) * bin_s / 3600.0
    apart = max(round(apart_s / bin_s), 1)
    peaks = np.sort(
        np.concatenate([episode_peaks(score, devices, apart, PEAKS_USED + 1) for score in scores])
    )[::-1]
    peaks = peaks[peaks > 0.0][: PEAKS_USED + 1]
    if len(peaks) < LEAST_PEAKS:
        raise InputError(
            f"calibration: expected at least {LEAST_PEAKS} episodes with a score, found {len(peaks)} in {hours:g} h"
        )
    level, over = float(peaks[-1]), peaks[:-1]
    scale = max(float(np.mean(over - level)), MARGIN)
    value = level + scale * max(float(np.log(len(over) / (hours * budget_per_h))), 0.0)
    return Threshold(
        value, budget_per_h, level, scale, len(over), hours, float(peaks[0]), hours * budget_per_h >= 1.0
    )


def episode_peaks(score: F64, devices: Sequence[int], apart: int, most: int) -> F64:
    """The largest scores of each junction, up to ``most`` of them, at least ``apart`` bins from each other."""
    of_device = np.asarray(devices)
    found: list[float] = []
    for device in dict.fromkeys(devices):
        left = score[:, of_device == device].max(axis=1).copy()
        for _ in range(most):
            at = int(np.argmax(left))
            if left[at] <= 0.0:
                break
            found.append(float(left[at]))
            left[max(at - apart, 0) : at + apart + 1] = 0.0
    return np.array(found)

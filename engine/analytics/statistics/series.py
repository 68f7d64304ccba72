"""Interrupted time series: level and trend before, and how both change on the day of the change.

Segmented regression, Wagner et al. 2002, J. Clin. Pharm. Ther. 27. Errors by Newey and West 1987, Econometrica 55
(Bartlett weights), prewhitened by a first-order autoregression (Andrews and Monahan 1992, Econometrica 60): plain
Newey-West is too narrow for series of some months.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from ...errors import InputError
from .effect import CONFIDENCE, Effect
from .samples import Floats, checked, checked_confidence

__all__ = ["Interruption", "interrupted_series", "newey_west"]

LEAST_DAYS = 8
LARGEST_CORRELATION = 0.97


class Interruption(NamedTuple):
    """Change of level on the first day after, and change of trend per day."""

    level: Effect
    trend_per_day: Effect


def interrupted_series(
    values: npt.ArrayLike, first_after: int, days: npt.ArrayLike | None = None, confidence: float = CONFIDENCE
) -> Interruption:
    """Level and trend of daily ``values`` (n,) before and from index ``first_after`` on; ``days`` (n,) are whole days
    in order where some are missing.

    Raises InputError for fewer than 8 days on a side.
    """
    found = checked("series", values, 2 * LEAST_DAYS)
    day = np.arange(found.size, dtype=np.float64) if days is None else checked("days", days, 2 * LEAST_DAYS)
    if day.size != found.size or not (np.diff(day) > 0.0).all():
        raise InputError("days: expected one per value, in order, found others")
    if not LEAST_DAYS <= first_after <= found.size - LEAST_DAYS:
        raise InputError(
            f"series: expected {LEAST_DAYS} days before and after, found {first_after} and {found.size - first_after}"
        )
    since = day - day[first_after]
    is_after = (since >= 0.0).astype(np.float64)
    design = np.column_stack((np.ones(found.size), since, is_after, since * is_after))
    coefficients, covariance = newey_west(design, found)
    factor = float(stats.t.ppf(0.5 + checked_confidence(confidence) / 2.0, found.size - design.shape[1]))

    def effect(name: str, column: int) -> Effect:
        value, error = float(coefficients[column]), float(np.sqrt(covariance[column, column]))
        p_value = float(2.0 * stats.t.sf(abs(value) / error, found.size - design.shape[1])) if error else 0.0
        return Effect(
            name,
            value,
            value - factor * error,
            value + factor * error,
            first_after,
            found.size - first_after,
            p_value,
            confidence=confidence,
        )

    return Interruption(
        effect("change of level, interrupted series", 2), effect("change of trend per day, interrupted series", 3)
    )


def newey_west(
    design: Floats, values: Floats, lags: int | None = None, *, prewhitened: bool = True
) -> tuple[Floats, Floats]:
    """Least squares and its covariance, (k,) and (k, k), for ``design`` (n, k) and ``values`` (n,).

    ``lags``: of the Bartlett weights, None is 4 (n/100)^(2/9) (Newey and West 1994). Scaled by n / (n - k).
    """
    size, columns = design.shape
    coefficients = np.linalg.lstsq(design, values, rcond=None)[0]
    residuals = values - design @ coefficients
    reach = int(4 * (size / 100) ** (2 / 9)) if lags is None else lags
    correlation = _correlation(residuals, columns) if prewhitened else 0.0
    scores = design * residuals[:, None]
    if prewhitened:
        scores = design[1:] * (residuals[1:] - correlation * residuals[:-1])[:, None]
    spread = _long_run(scores, reach) * size / len(scores) / (1.0 - correlation) ** 2
    bread = np.linalg.inv(design.T @ design)
    return coefficients, bread @ spread @ bread * size / (size - columns)


def _correlation(residuals: Floats, columns: int) -> float:
    """First-order correlation of residuals, with the bias of short series taken off (Kendall 1954)."""
    total = float(residuals @ residuals)
    found = float(residuals[1:] @ residuals[:-1]) / total if total else 0.0
    corrected = found + (columns + 3.0 * max(found, 0.0)) / residuals.size
    return float(np.clip(corrected, 0.0, LARGEST_CORRELATION))


def _long_run(scores: Floats, lags: int) -> Floats:
    spread = scores.T @ scores
    for lag in range(1, lags + 1):
        shifted = scores[lag:].T @ scores[:-lag]
        spread = spread + (1.0 - lag / (lags + 1.0)) * (shifted + shifted.T)
    return np.asarray(spread)

"""Interrupted time series: level and trend before, and how both change on the day of the change.

Segmented regression, Wagner et al. 2002, J. Clin. Pharm. Ther. 27. Errors by Newey and West 1987, Econometrica 55
(Bartlett weights), prewhitened by a first-order autoregression (Andrews and Monahan 1992, Econometrica 60), residuals
over one less their leverage (MacKinnon and White 1985, J. Econometrics 29): plain Newey-West is too narrow for series
of some months.
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

LEAST_DAYS = 60
LAGS_LEFT = 1
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

    Raises InputError for fewer than 60 days on a side: with fewer, intervals of 95 % cover as little as 90 %.
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
    coefficients, covariance = _least_squares(design, found)
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
        effect("change of level, interrupted series", 2),
        effect("change of trend per day, interrupted series", 3),
    )


def newey_west(scores: Floats, lags: int) -> Floats:
    """The long-run sum of squares (k, k) of ``scores`` (n, k), lags up to ``lags`` with Bartlett weights."""
    spread = scores.T @ scores
    for lag in range(1, lags + 1):
        shifted = scores[lag:].T @ scores[:-lag]
        spread = spread + (1.0 - lag / (lags + 1.0)) * (shifted + shifted.T)
    return np.asarray(spread)


def _least_squares(design: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Coefficients (k,) and their covariance (k, k)."""
    size, columns = design.shape
    bread = np.linalg.inv(design.T @ design)
    coefficients = bread @ design.T @ values
    residuals = values - design @ coefficients
    correlation = _correlation(residuals, columns)
    unlevered = residuals / (1.0 - np.einsum("ij,jk,ik->i", design, bread, design))
    scores = design[1:] * (unlevered[1:] - correlation * unlevered[:-1])[:, None]
    spread = newey_west(scores, LAGS_LEFT) * size / (size - 1) / (1.0 - correlation) ** 2
    return coefficients, bread @ spread @ bread


def _correlation(residuals: Floats, columns: int) -> float:
    """First-order correlation of residuals, with the bias of short series taken off (Kendall 1954)."""
    total = float(residuals @ residuals)
    found = float(residuals[1:] @ residuals[:-1]) / total if total else 0.0
    corrected = found + (columns + 3.0 * max(found, 0.0)) / residuals.size
    return float(np.clip(corrected, 0.0, LARGEST_CORRELATION))

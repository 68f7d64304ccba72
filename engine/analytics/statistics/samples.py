"""What every statistic asks of its numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...errors import InputError

__all__ = ["Floats", "checked", "checked_confidence", "checked_pair"]

Floats = npt.NDArray[np.float64]


def checked(name: str, values: npt.ArrayLike, least: int = 2) -> Floats:
    """The values as float64 (n,), n at least ``least``, all finite. Raises InputError."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or found.size < least:
        raise InputError(f"{name}: expected at least {least} days or seeds, found shape {found.shape}")
    if not np.isfinite(found).all():
        raise InputError(
            f"{name}: expected finite numbers, found {int((~np.isfinite(found)).sum())} that are not"
        )
    return found


def checked_pair(before: npt.ArrayLike, after: npt.ArrayLike, least: int = 2) -> tuple[Floats, Floats]:
    """Two arrays of one length, checked as by ``checked``. Raises InputError."""
    first, second = checked("before", before, least), checked("after", after, least)
    if first.size != second.size:
        raise InputError(
            f"pairs: expected one value after per value before, found {first.size} and {second.size}"
        )
    return first, second


def checked_confidence(confidence: float) -> float:
    """A confidence between 0.5 and 1. Raises InputError."""
    if not 0.5 <= confidence < 1.0:
        raise InputError(f"confidence: expected at least 0.5 and below 1, found {confidence:g}")
    return confidence

"""Level of service, A to F, after the Highway Capacity Manual (TRB).

Signals: control delay in seconds per vehicle, upper bounds 10, 20, 35, 55, 80; F too where volume exceeds capacity
(HCM 2010 chapter 18, HCM 6th edition chapter 19). Urban streets: travel speed in percent of the base free-flow
speed (HCM 2010: over 85, 67, 50, 40, 30; HCM 6th and 7th edition: over 80, 67, 50, 40, 30), F too where volume
exceeds capacity; or by speed and street class as in HCM 2000 (exhibit 15-2), here class II. The bounds of the 6th
edition are quoted from secondary sources.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ...errors import InputError

__all__ = ["EDITIONS", "signal_level", "street_level"]

LEVELS = "ABCDE"
SIGNAL_BOUNDS_S = (10.0, 20.0, 35.0, 55.0, 80.0)
STREET_BOUNDS = {"2010": (85.0, 67.0, 50.0, 40.0, 30.0), "6": (80.0, 67.0, 50.0, 40.0, 30.0)}
CLASS_TWO_BOUNDS_MPH = (35.0, 28.0, 22.0, 17.0, 13.0)
MPS_PER_MPH = 0.44704
EDITIONS = ("2000", *STREET_BOUNDS)


def signal_level(delay_s: pl.Expr, volume_to_capacity: pl.Expr | None = None) -> pl.Expr:
    """Level from control delay, seconds per vehicle; null of null."""
    within = [delay_s <= bound_s for bound_s in SIGNAL_BOUNDS_S]
    return _over_capacity(_first_of(within, known=delay_s.is_not_null()), volume_to_capacity)


def street_level(
    speed_mps: pl.Expr,
    free_flow_mps: pl.Expr,
    *,
    edition: str = "6",
    volume_to_capacity: pl.Expr | None = None,
) -> pl.Expr:
    """Level from travel speed; ``free_flow_mps`` is the base free-flow speed, without meaning in edition 2000.

    Raises InputError for an edition that is not among ``EDITIONS``.
    """
    if edition not in EDITIONS:
        raise InputError(f"HCM edition: expected {', '.join(EDITIONS)}, found {edition}")
    if edition == "2000":
        value, bounds = speed_mps / MPS_PER_MPH, CLASS_TWO_BOUNDS_MPH
    else:
        value, bounds = 100.0 * speed_mps / free_flow_mps, STREET_BOUNDS[edition]
    within = [value > bound for bound in bounds]
    return _over_capacity(_first_of(within, known=value.is_not_null()), volume_to_capacity)


def _first_of(within: Sequence[pl.Expr], known: pl.Expr) -> pl.Expr:
    """The first letter whose test holds, F where none does, null where the value is not known."""
    letters = [pl.when(test).then(pl.lit(letter)) for test, letter in zip(within, LEVELS, strict=True)]
    return pl.when(known).then(pl.coalesce(*letters, pl.lit("F")))


def _over_capacity(level: pl.Expr, volume_to_capacity: pl.Expr | None) -> pl.Expr:
    if volume_to_capacity is None:
        return level
    return pl.when(volume_to_capacity > 1.0).then(pl.lit("F")).otherwise(level)

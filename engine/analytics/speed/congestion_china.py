"""Congestion levels as used in Chinese cities, 1 (free) to 5 (severe).

By the speed of a road of a class, by the time lost over free flow, and by the share of mileage that is severely
congested (the traffic performance index, 0 to 10, of Beijing's DB11/T 785-2011). The bounds are those that the
literature quotes. **The text of GB/T 33171-2016 was not at hand**: whether its cut points are these is not known,
and no conformity with it is claimed; so says ``STANDARD_NOTE``, which goes with every result. The map from mileage
share to index (0, 5, 8, 11, 14, 24 % to 0, 2, 4, 6, 8, 10, linear between) is recalled from secondary sources, not
checked either.
"""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from ...errors import InputError

__all__ = ["ROAD_CLASSES", "STANDARD_NOTE", "congestion_level", "mileage_index", "time_index_level"]

STANDARD_NOTE = "bounds as quoted in literature; GB/T 33171-2016 not read, no conformity claimed"
SPEED_BOUNDS_KMH = {
    "expressway": (65.0, 50.0, 35.0, 20.0),
    "arterial": (40.0, 30.0, 20.0, 15.0),
    "secondary": (35.0, 25.0, 15.0, 10.0),
    "branch": (35.0, 25.0, 15.0, 10.0),
}
ROAD_CLASSES = tuple(SPEED_BOUNDS_KMH)
EXTRA_TIME_BOUNDS = (0.2, 0.5, 0.8, 1.1)
SHARE_KNOTS_PCT = (0.0, 5.0, 8.0, 11.0, 14.0, 24.0)
INDEX_STEP = 2.0
KMH_PER_MPS = 3.6


def congestion_level(speed_mps: pl.Expr, road_class: str) -> pl.Expr:
    """Struct of ``level`` (1 to 5, null of null) and ``note``; a speed above the first bound is level 1.

    Raises InputError for a class that is not among ``ROAD_CLASSES``.
    """
    if road_class not in SPEED_BOUNDS_KMH:
        raise InputError(f"road class: expected {', '.join(ROAD_CLASSES)}, found {road_class}")
    speed_kmh = speed_mps * KMH_PER_MPS
    level = pl.lit(1) + sum(
        ((speed_kmh <= bound).cast(pl.Int32) for bound in SPEED_BOUNDS_KMH[road_class]), pl.lit(0)
    )
    return _noted(level)


def time_index_level(travel_s: pl.Expr, free_flow_s: pl.Expr) -> pl.Expr:
    """Struct of ``level`` and ``note`` from the time lost, in units of the free-flow time: 0.2, 0.5, 0.8, 1.1."""
    extra = travel_s / free_flow_s - 1.0
    return _noted(pl.lit(1) + sum(((extra > bound).cast(pl.Int32) for bound in EXTRA_TIME_BOUNDS), pl.lit(0)))


def mileage_index(congested_share_pct: pl.Expr) -> pl.Expr:
    """Struct of ``index`` (0 to 10) and ``note`` from the share of severely congested mileage, percent."""
    index = pl.lit(0.0)
    for low, high in pairwise(SHARE_KNOTS_PCT):
        index = index + INDEX_STEP * ((congested_share_pct - low) / (high - low)).clip(0.0, 1.0)
    return pl.struct(index=index, note=pl.lit(STANDARD_NOTE))


def _noted(level: pl.Expr) -> pl.Expr:
    return pl.struct(level=level, note=pl.lit(STANDARD_NOTE))

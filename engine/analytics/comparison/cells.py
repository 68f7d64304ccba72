"""The one table that every kind of input becomes: sums of a measure over a corridor and a bin of time."""

from __future__ import annotations

import polars as pl

__all__ = ["BIN", "CELLS", "NETWORK", "cells_of", "empty_cells", "network_cells", "record_cells"]

NETWORK = ""
"""The corridor that stands for all of them."""
BIN = "15m"
CELLS: dict[str, pl.DataType | type[pl.DataType]] = {
    "corridor": pl.String,
    "measure": pl.String,
    "seed": pl.String,
    "timestamp": pl.Datetime("ms", "UTC"),
    "numerator": pl.Float64,
    "denominator": pl.Float64,
    "volume_veh": pl.Float64,
}
"""``seed`` is empty where days are the units; ``timestamp`` is the start of the bin."""
KEYS = ("corridor", "measure", "seed", "timestamp")


def empty_cells() -> pl.DataFrame:
    """No cells."""
    return pl.DataFrame(schema=CELLS)


def cells_of(frame: pl.DataFrame, measure: str) -> pl.DataFrame:
    """Rows with corridor, seed, timestamp, numerator, denominator, volume_veh as cells of one measure."""
    return frame.with_columns(measure=pl.lit(measure)).select(*CELLS).cast(CELLS)  # type: ignore[arg-type]


def record_cells(records: pl.DataFrame, seed: str = "") -> pl.DataFrame:
    """Trips or probe records as cells, summed per corridor and bin.

    ``records``: corridor, timestamp, vehicles (weight), volume_veh and any of travel_s, free_flow_s, length_m, delay_s,
    speed_s (the time that speed counts; else travel_s), stops, fuel_l, co2_kg; null where a vehicle has none.
    """
    weight = pl.col("vehicles")
    pairs = {
        "delay": ("delay_s", None),
        "speed": ("length_m", "speed_s" if "speed_s" in records.columns else "travel_s"),
        "travel_time": ("travel_s", None),
        "stops": ("stops", None),
        "travel_time_index": ("travel_s", "free_flow_s"),
        "fuel": ("fuel_l", "length_m"),
        "co2": ("co2_kg", "length_m"),
    }
    found = [
        _summed(
            records, key, pl.col(upper) * weight, weight if lower is None else pl.col(lower) * weight, seed
        )
        for key, (upper, lower) in pairs.items()
        if upper in records.columns and (lower is None or lower in records.columns)
    ]
    return pl.concat(found) if found else empty_cells()


def _summed(records: pl.DataFrame, measure: str, upper: pl.Expr, lower: pl.Expr, seed: str) -> pl.DataFrame:
    known = upper.is_not_null() & lower.is_not_null()
    volume = pl.col("volume_veh")
    return cells_of(
        records.group_by("corridor", "timestamp")
        .agg(
            numerator=pl.when(known).then(upper).otherwise(0.0).sum(),
            denominator=pl.when(known).then(lower).otherwise(0.0).sum(),
            volume_veh=pl.when(volume.null_count() == 0).then(volume.sum()),
        )
        .with_columns(seed=pl.lit(seed)),
        measure,
    )


def network_cells(cells: pl.DataFrame) -> pl.DataFrame:
    """All corridors together, in bins of which every corridor with that measure has a row."""
    corridors = pl.col("corridor").n_unique().over("measure")
    return (
        cells.with_columns(corridors=corridors)
        .group_by("measure", "seed", "timestamp", "corridors")
        .agg(
            found=pl.len(),
            numerator=pl.col("numerator").sum(),
            denominator=pl.col("denominator").sum(),
            volume_veh=pl.when(pl.col("volume_veh").null_count() == 0).then(pl.col("volume_veh").sum()),
        )
        .filter(pl.col("found") == pl.col("corridors"))
        .with_columns(corridor=pl.lit(NETWORK))
        .select(*CELLS)
        .sort(KEYS)
    )

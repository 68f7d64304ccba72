"""The ``atspm`` package as an oracle: its tables, and the comparison of two tables row by row."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

__all__ = ["DEFAULTS", "differences", "oracle_tables"]

DEFAULTS: dict[str, dict[str, Any]] = {
    "has_data": {"no_data_min": 5, "min_data_points": 3},
    "actuations": {},
    "arrival_on_green": {"latency_offset_seconds": 0},
    "split_failures": {
        "red_time": 5,
        "red_occupancy_threshold": 0.80,
        "green_occupancy_threshold": 0.80,
        "by_approach": True,
        "by_cycle": False,
    },
    "platoon_ratio": {},
    "yellow_red": {"latency_offset_seconds": 0},
    "terminations": {},
    "splits": {},
    "coordination": {},
    "timeline": {"min_duration": 0.2, "cushion_time": 60, "maxtime": False},
    "coordination_agg": {},
    "ped": {},
    "unique_ped": {"seconds_between_actuations": 15},
    "full_ped": {"seconds_between_actuations": 15, "return_volumes": True},
    "ped_delay": {},
    "phase_wait": {},
    "communications": {"event_codes": "400,502,503"},
}
FLOATS_WITHIN = 1e-5


def oracle_tables(
    log: pl.DataFrame,
    detectors: pl.DataFrame,
    names: list[str],
    parameters: dict[str, dict[str, Any]] | None = None,
    bin_minutes: int = 15,
    **settings: Any,
) -> dict[str, pl.DataFrame]:
    """What the package computes, with its columns in our spelling."""
    from atspm import SignalDataProcessor

    chosen = [
        {"name": name, "params": {**DEFAULTS[name], **(parameters or {}).get(name, {})}} for name in names
    ]
    options = {"remove_incomplete": False, "controller_type": "maxtime", **settings}
    with SignalDataProcessor(
        raw_data=log,
        detector_config=detectors,
        bin_size=bin_minutes,
        verbose=0,
        aggregations=chosen,
        **options,
    ) as processor:
        processor.load()
        processor.aggregate()
        return {name: spelled(processor.conn.sql(f"SELECT * FROM {name}").pl()) for name in names}


def spelled(table: pl.DataFrame) -> pl.DataFrame:
    """CamelCase and Mixed_Case as snake_case, times as UTC milliseconds."""
    names = {
        name: re.sub(r"(?<=[a-z])_?(?=[A-Z])", "_", name).lower().replace("time_stamp", "timestamp")
        for name in table.columns
    }
    return table.rename(names).with_columns(
        pl.col(pl.Datetime).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")
    )


def differences(ours: pl.DataFrame, theirs: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Rows of a full outer join on ``keys`` that are on one side only or differ in a value."""
    shared = [name for name in theirs.columns if name not in keys]
    assert set(theirs.columns) <= set(ours.columns), f"missing {set(theirs.columns) - set(ours.columns)}"
    left = _plain(ours.select(*keys, *shared), keys).with_columns(pl.lit(True).alias("ours"))
    right = _plain(theirs, keys).with_columns(pl.lit(True).alias("theirs"))
    both = left.join(right, on=keys, how="full", suffix="_theirs", nulls_equal=True)
    unequal = [pl.col("ours").is_null(), pl.col("theirs").is_null()]
    for name in shared:
        mine, other = pl.col(name), pl.col(f"{name}_theirs")
        if left.schema[name].is_float():
            unequal.append(mine.is_null() != other.is_null())
            unequal.append((mine - other).abs() > FLOATS_WITHIN)
        else:
            unequal.append(mine.ne_missing(other))
    return both.filter(pl.any_horizontal(unequal))


def _plain(table: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Integers of one width and floats of one width, since the package stores small ones."""
    casts = [
        pl.col(name).cast(pl.Int64 if kind.is_integer() else pl.Float64)
        for name, kind in table.schema.items()
        if kind.is_numeric()
    ]
    plain = table.with_columns(casts)
    assert not plain.select(keys).is_duplicated().any(), f"{keys} are no key"
    return plain

"""What signals and detectors tell, as cells per junction: control delay, arrivals on green, split failures, walks.

Definitions are those of UDOT (``analytics.measures``); sums of cycles and hits, so that bins and days add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..log import open_log
from ..measures import calculate, calculation
from .cells import CELLS, cells_of

__all__ = ["SignalLog", "read_signals"]

MEASURES = ("arrivals_by_colour", "approach_delay", "split_failures", "ped_delay", "actuations", "has_data")
COUNTING = ("advance", "count", "presence")
SUMS = {
    "control_delay": ("approach_delay", pl.col("delay_s"), pl.col("hits")),
    "arrivals_on_green": ("arrivals_by_colour", pl.col("on_green"), pl.col("hits")),
    "split_failures": ("split_failures", pl.col("split_failure"), pl.lit(1)),
    "ped_delay": ("ped_delay", pl.col("avg_ped_delay") * pl.col("samples"), pl.col("samples")),
}


@dataclass(frozen=True, slots=True)
class SignalLog:
    """Cells by junction (corridor ``Junction N``), and the detector channels that spoke, by junction."""

    cells: pl.DataFrame
    channels: dict[str, frozenset[int]]


def read_signals(
    source: Sequence[Path],
    detectors: pl.DataFrame | None,
    *,
    bin_minutes: int = 15,
    timezone: str = "UTC",
    whole_bins: bool = False,
) -> SignalLog:
    """The cells of a log; with ``whole_bins`` only bins in which the junction logged throughout, and all of those.

    Raises InputError and StorageError as ``open_log`` does.
    """
    log = open_log(source)
    what = calculation(
        MEASURES,
        bin_minutes=bin_minutes,
        timezone=timezone,
        dialect="udot",
        parameters={"split_failures": {"by_cycle": True}},
    )
    tables = {
        name: _keyed(table, bin_minutes) for name, table in calculate(log, detectors, what, _silent).items()
    }
    volumes = _volumes(tables["actuations"], detectors)
    grid = tables["has_data"].select("device_id", "timestamp").unique() if whole_bins else None
    found = [
        _cells(name, tables[table], upper, lower, volumes, grid)
        for name, (table, upper, lower) in SUMS.items()
    ]
    cells = pl.concat([cells for cells in found if cells.height] or found[:1])
    return SignalLog(cells, {str(device): census.channels for device, census in log.census.items()})


def _silent(_share: float) -> None:
    """No progress is shown."""


def _keyed(table: pl.DataFrame, bin_minutes: int) -> pl.DataFrame:
    time = (
        pl.col("timestamp").dt.truncate(f"{bin_minutes}m").dt.convert_time_zone("UTC").dt.cast_time_unit("ms")
    )
    return table.with_columns(time, pl.col("device_id").cast(pl.String))


def _volumes(actuations: pl.DataFrame, detectors: pl.DataFrame | None) -> pl.DataFrame:
    """Vehicles per junction and bin, from the first kind of detector that the junction has; null without any."""
    keys = ["device_id", "timestamp"]
    if detectors is None:
        return actuations.group_by(keys).agg(volume_veh=pl.lit(None, pl.Float64))
    kinds = (
        detectors.filter(pl.col("function").is_in(COUNTING))
        .select(pl.col("device_id").cast(pl.String), detector="channel", rank=_rank())
        .unique()
        .filter(pl.col("rank") == pl.col("rank").min().over("device_id"))
    )
    counted = actuations.join(kinds, on=["device_id", "detector"], how="semi")
    return counted.group_by(keys).agg(volume_veh=pl.col("total").sum().cast(pl.Float64))


def _before_a_gap() -> pl.Expr:
    """The last bin before the junction fell silent: what waited then is told only when the log goes on."""
    wait = pl.col("timestamp").shift(-1) - pl.col("timestamp")
    return (wait > wait.min()).over("device_id").fill_null(value=False)


def _rank() -> pl.Expr:
    return pl.col("function").replace_strict(COUNTING, range(len(COUNTING)), return_dtype=pl.Int32)


def _cells(
    name: str,
    table: pl.DataFrame,
    upper: pl.Expr,
    lower: pl.Expr,
    volumes: pl.DataFrame,
    grid: pl.DataFrame | None,
) -> pl.DataFrame:
    keys = ["device_id", "timestamp"]
    sums = (
        table.with_columns(numerator=upper.cast(pl.Float64), denominator=lower.cast(pl.Float64))
        .group_by(keys)
        .agg(pl.col("numerator", "denominator").sum())
    )
    if grid is not None:
        measured = grid.join(sums.select("device_id").unique(), on="device_id", how="semi").sort(keys)
        sums = measured.join(sums, on=keys, how="left").with_columns(
            pl.when(_before_a_gap()).then(0.0).otherwise(pl.col(name).fill_null(0.0)).alias(name)
            for name in ("numerator", "denominator")
        )
    joined = sums.join(volumes, on=keys, how="left").with_columns(
        pl.col("volume_veh").fill_null(0.0)
        if volumes["volume_veh"].is_not_null().any()
        else pl.col("volume_veh"),
        corridor=pl.format("Junction {}", "device_id"),
        seed=pl.lit(""),
    )
    return cells_of(joined, name).select(*CELLS)

"""What SUMO measured on every edge, minute by minute, and whether anything stood still for too long."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from .additional import LINK_PERIOD_S
from .outputs import scan_output

__all__ = ["GRIDLOCK_S", "is_gridlocked", "read_links"]

GRIDLOCK_S = 300
STANDSTILL_MPS = 0.1
LINK_COLUMNS = {
    "begin_s": pl.Float64,
    "edge_id": pl.String,
    "time_loss_veh_s": pl.Float64,
    "halted_veh": pl.Float64,
    "entered_veh": pl.Int64,
    "sampled_veh_s": pl.Float64,
    "speed_mps": pl.Float64,
}


def read_links(path: Path) -> pl.DataFrame:
    """SUMO's edge data as rows per edge and minute in which a vehicle was there."""
    rows: list[dict[str, Any]] = []
    interval = [0.0, float(LINK_PERIOD_S)]

    def on_start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "interval":
            interval[0] = float(attributes["begin"])
            interval[1] = max(float(attributes["end"]) - interval[0], 1.0)
        elif tag == "edge":
            rows.append(_row(attributes, interval[0], interval[1]))

    scan_output(path, on_start)
    return pl.DataFrame(rows, schema=LINK_COLUMNS)


def _row(attributes: Mapping[str, str], begin_s: float, period_s: float) -> dict[str, Any]:
    return {
        "begin_s": begin_s,
        "edge_id": attributes["id"],
        "time_loss_veh_s": float(attributes.get("timeLoss", "0")),
        "halted_veh": float(attributes.get("waitingTime", "0")) / period_s,
        "entered_veh": int(float(attributes.get("entered", "0"))),
        "sampled_veh_s": float(attributes.get("sampledSeconds", "0")),
        "speed_mps": float(attributes.get("speed", "0")),
    }


def is_gridlocked(links: pl.DataFrame) -> bool:
    """Did the vehicles on any link all stand still through GRIDLOCK_S in whole minutes, with one there all the time?"""
    needed = GRIDLOCK_S // LINK_PERIOD_S
    still = links.filter(
        (pl.col("sampled_veh_s") >= LINK_PERIOD_S - 0.5) & (pl.col("speed_mps") < STANDSTILL_MPS)
    ).sort("edge_id", "begin_s")
    if still.is_empty():
        return False
    minute = (pl.col("begin_s") // LINK_PERIOD_S).cast(pl.Int64)
    runs = (
        still.with_columns(run=minute - pl.int_range(pl.len()).over("edge_id"))
        .group_by("edge_id", "run")
        .agg(pl.len().alias("minutes"))
    )
    return bool((runs["minutes"] >= needed).any())

"""Vehicle trajectories along the corridor, written by SUMO for its edges and the last quarter of an hour."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from .additional import TRAJECTORY_WINDOW_S as WINDOW_S
from .geometry import Corridor
from .outputs import scan_output

__all__ = ["read_trajectories"]

STEP_S = 1.0
"""SUMO stamps a position at the end of a step with the step's begin; loops and lamps tell the true time."""


def read_trajectories(corridor: Corridor, path: Path) -> pl.DataFrame:
    """Columns vehicle_id, time_s, distance_m (from the corridor's start), for WINDOW_S from the first record."""
    offsets_m: dict[str, float] = corridor["offsets_m"]
    rows: list[tuple[str, float, float]] = []
    clock = [0.0]

    def on_start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "timestep":
            clock[0] = float(attributes["time"]) + STEP_S
        elif tag == "vehicle":
            edge = attributes["lane"].rpartition("_")[0]
            if edge in offsets_m:
                distance_m = round(offsets_m[edge] + float(attributes["pos"]), 1)
                rows.append((attributes["id"], clock[0], distance_m))

    scan_output(path, on_start)
    frame = pl.DataFrame(
        rows, schema={"vehicle_id": pl.String, "time_s": pl.Float64, "distance_m": pl.Float64}, orient="row"
    )
    first = frame["time_s"].min()
    return frame.filter(pl.col("time_s") < float(first) + WINDOW_S) if isinstance(first, float) else frame

"""Vehicle trajectories along the corridor, written by SUMO for its edges and the last quarter of an hour."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from .geometry import Corridor
from .network import Network
from .outputs import scan_output

__all__ = ["PERIOD_S", "WINDOW_S", "arguments", "read_trajectories"]

WINDOW_S = 900
PERIOD_S = 2
STEP_S = 1.0
"""SUMO stamps a position at the end of a step with the step's begin; loops and lamps tell the true time."""


def arguments(corridor: Corridor, folder: Path, begin_s: int, end_s: int) -> list[str]:
    """SUMO options that record the corridor; writes the list of its edges into ``folder``."""
    edges = folder / "corridor-edges.txt"
    edges.write_text("".join(f"edge:{edge}\n" for edge in corridor["edges"]), encoding="utf-8")
    start_s = max(begin_s, end_s - WINDOW_S)
    return [
        "--fcd-output",
        str(folder / "fcd.xml"),
        "--fcd-output.attributes",
        "lane,pos",
        "--fcd-output.skip-empty",
        "--fcd-output.filter-edges.input-file",
        str(edges),
        "--device.fcd.begin",
        str(start_s),
        "--device.fcd.period",
        str(PERIOD_S),
    ]


def read_trajectories(network: Network, corridor: Corridor, path: Path) -> pl.DataFrame:
    """Columns vehicle_id, time_s, distance_m (from the corridor's start), for WINDOW_S from the first record."""
    offsets: dict[str, float] = {}
    total_m = 0.0
    for edge in corridor["edges"]:
        offsets[edge] = total_m
        total_m += network.edges[edge].lanes[0].length_m
    rows: list[tuple[str, float, float]] = []
    clock = [0.0]

    def on_start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "timestep":
            clock[0] = float(attributes["time"]) + STEP_S
        elif tag == "vehicle":
            edge = network.lanes[attributes["lane"]].edge if attributes["lane"] in network.lanes else ""
            if edge in offsets:
                distance_m = round(offsets[edge] + float(attributes["pos"]), 1)
                rows.append((attributes["id"], clock[0], distance_m))

    scan_output(path, on_start)
    frame = pl.DataFrame(
        rows, schema={"vehicle_id": pl.String, "time_s": pl.Float64, "distance_m": pl.Float64}, orient="row"
    )
    first = frame["time_s"].min()
    return frame.filter(pl.col("time_s") < float(first) + WINDOW_S) if isinstance(first, float) else frame

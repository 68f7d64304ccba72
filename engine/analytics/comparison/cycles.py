"""Arrivals in the cycle before and after, at the phase with most of them: what a coordination diagram draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from ...model.toml import read_site
from ..log import open_log, site_detectors
from ..measures import compute
from .findings import Findings

__all__ = ["Cycles", "arrivals_in_cycles"]

WINDOW = timedelta(minutes=15)
MORNING = time(8)
TABLES = ("pcd_points", "pcd_cycles")


@dataclass(frozen=True, slots=True)
class Cycles:
    """``pcd_points`` and ``pcd_cycles`` of one device and phase, and the window (UTC milliseconds) of each side."""

    device: Any
    phase: int
    tables: tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]
    windows: tuple[tuple[int, int], tuple[int, int]]


def arrivals_in_cycles(found: Findings) -> Cycles | None:
    """Fifteen minutes of the first matched seed, or of the first matched day from 8:00; None without event logs."""
    sources = _sources(found)
    if sources is None:
        return None
    sides = [
        compute(open_log(paths), table, TABLES, dialect="udot", timezone="UTC") for paths, table in sources
    ]
    windows = _windows(found)
    cut = [
        {name: table.filter(_within(window)) for name, table in side.items()}
        for side, window in zip(sides, windows, strict=True)
    ]
    busiest = _busiest(cut)
    if busiest is None:
        return None
    device, phase = busiest
    own = (pl.col("device_id") == device) & (pl.col("phase") == phase)
    chosen = [{name: table.filter(own) for name, table in side.items()} for side in cut]
    return Cycles(device, phase, (chosen[0], chosen[1]), windows)


def _sources(found: Findings) -> list[tuple[Sequence[Path], pl.DataFrame]] | None:
    runs = found.sides.runs
    if all(
        side and side[0].events() is not None and (side[0].folder / "model.toml").is_file() for side in runs
    ):
        return [([side[0].folder], site_detectors(read_site(side[0].folder / "model.toml"))) for side in runs]
    if all(found.sides.logs):
        return list(zip(found.sides.logs, found.sides.detectors, strict=True))
    return None


def _windows(found: Findings) -> tuple[tuple[int, int], tuple[int, int]]:
    length = int(WINDOW.total_seconds() * 1000)
    if found.sides.unit == "seed":
        run = found.sides.runs[0][0]
        middle = run.epoch_ms + max(round((run.end_s - run.begin_s) * 500) - length // 2, 0)
        return (middle, middle + length), (middle, middle + length)
    zone = ZoneInfo(found.question.timezone)
    begins = [
        round(datetime.combine(side["unit"][0], MORNING, zone).timestamp() * 1000)
        for side in (found.matched.before, found.matched.after)
    ]
    return (begins[0], begins[0] + length), (begins[1], begins[1] + length)


def _within(window: tuple[int, int]) -> pl.Expr:
    return pl.col("timestamp").dt.epoch("ms").is_between(*window, closed="left")


def _busiest(sides: Sequence[dict[str, pl.DataFrame]]) -> tuple[Any, int] | None:
    """The device and phase with most arrivals of those that both sides have."""
    counted = [side["pcd_points"].group_by("device_id", "phase").agg(hits=pl.len()) for side in sides]
    both = counted[0].join(counted[1], on=["device_id", "phase"], suffix="_after")
    if both.is_empty():
        return None
    ordered = both.with_columns(total=pl.col("hits") + pl.col("hits_after")).sort(
        "total", "device_id", "phase", descending=[True, False, False]
    )
    device, phase = ordered.select("device_id", "phase").row(0)
    return device, int(phase)

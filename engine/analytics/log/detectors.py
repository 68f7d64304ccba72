"""Detector configuration: which channel of which device serves which phase, and what for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from ...errors import InputError
from ...model.site import DetectorKind, Site
from .columns import ALIASES, named
from .events import DetectorRows, DeviceConfig

__all__ = [
    "DETECTOR_SCHEMA",
    "FUNCTIONS",
    "Detectors",
    "absent",
    "detectors_by_device",
    "read_detectors",
    "site_detectors",
]

Detectors = Path | str | pl.DataFrame | pl.LazyFrame
FUNCTIONS = ("advance", "presence", "yellow_red", "count", "speed", "pedestrian")
DETECTOR_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "channel": pl.Int32,
    "phase": pl.Int32,
    "function": pl.String,
    "lane": pl.String,
    "movement": pl.String,
    "distance_m": pl.Float64,
    "speed_kmh": pl.Float64,
}
NEEDED = {
    "device_id": ALIASES["device_id"],
    "channel": ("channel", "detector", "detectorchannel", "parameter"),
    "phase": ("phase", "protectedphase"),
    "function": ("function", "detectorfunction"),
}
OPTIONAL = {
    "lane": ("lane", "lanenumber"),
    "movement": ("movement", "movementtype"),
    "distance_m": ("distancem",),
    "speed_kmh": ("speedkmh",),
}


def read_detectors(source: Detectors) -> pl.DataFrame:
    """A configuration as ``device_id`` and DETECTOR_SCHEMA, each row once; optional columns may be null.

    ``source`` is a CSV or Parquet file or a frame with the columns device_id, channel (or Parameter), phase and
    function. Functions are lower case with underscores. Raises InputError for what is missing or no number.
    """
    frame, where = _table(source)
    columns = named(frame.columns, NEEDED, where)
    for name, spellings in OPTIONAL.items():
        try:
            columns |= named(frame.columns, {name: spellings}, where)
        except InputError:
            continue
    chosen = frame.select(pl.col(column).alias(name) for name, column in columns.items())
    missing = [pl.lit(None).alias(name) for name in OPTIONAL if name not in columns]
    function = (
        pl.col("function").cast(pl.String).str.strip_chars().str.to_lowercase().str.replace_all("[ -]", "_")
    )
    try:
        table = chosen.with_columns(*missing, function.alias("function")).cast(dict(DETECTOR_SCHEMA))  # type: ignore[arg-type]
    except pl.exceptions.PolarsError as err:
        raise InputError(f"{where}: expected numbers as channel and phase, found others") from err
    empty = table.filter(pl.any_horizontal(pl.col(*NEEDED).is_null())).height
    if empty:
        raise InputError(f"{where}: expected {', '.join(NEEDED)} in every row, found {empty} rows without")
    return table.select("device_id", *DETECTOR_SCHEMA).unique(maintain_order=True)


def _table(source: Detectors) -> tuple[pl.DataFrame, str]:
    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        return source.lazy().collect(), "detectors"
    path = Path(source)
    try:
        read = pl.read_parquet if path.suffix == ".parquet" else pl.read_csv
        return read(path), str(path)
    except (OSError, pl.exceptions.PolarsError) as err:
        raise InputError(f"{path}: expected a table of detectors, found: {str(err).splitlines()[0]}") from err


def site_detectors(site: Site) -> pl.DataFrame:
    """The configuration that a model implies: advance loops as advance, stop-bar loops as presence.

    A loop shared by several groups serves each of them. The red-running measure takes stop-bar loops too.
    """
    rows = [
        {
            "device_id": junction.device_id,
            "channel": detector.channel,
            "phase": group,
            "function": function,
            "lane": detector.lane,
            "movement": None,
            "distance_m": detector.distance_m,
            "speed_kmh": 3.6 * speeds[detector.lane] if detector.lane in speeds else None,
        }
        for junction in site.junctions
        for speeds in [{lane.id: lane.speed_mps for lane in junction.lanes}]
        for detector in junction.detectors
        for function in _functions(detector.kind)
        for group in detector.groups
    ]
    return pl.DataFrame(rows, schema={"device_id": pl.UInt32, **DETECTOR_SCHEMA})


def _functions(kind: DetectorKind) -> tuple[str, ...]:
    return {
        DetectorKind.ADVANCE: ("advance",),
        DetectorKind.STOP_BAR: ("presence", "yellow_red"),
        DetectorKind.PEDESTRIAN: ("pedestrian",),
    }.get(kind, ())


def detectors_by_device(table: pl.DataFrame | None) -> dict[str, DeviceConfig]:
    """Configurations by device as text: channel and phase of each function, each pair once."""
    if table is None:
        return {}
    return {
        str(device): DeviceConfig(_functions_of(rows), rows)
        for (device,), rows in table.group_by("device_id", maintain_order=True)
    }


def _functions_of(rows: pl.DataFrame) -> dict[str, DetectorRows]:
    pairs = rows.select("function", "channel", "phase").unique(maintain_order=True)
    return {
        str(function): DetectorRows(
            one["channel"].to_numpy().astype(np.int32), one["phase"].to_numpy().astype(np.int32)
        )
        for (function,), one in pairs.group_by("function", maintain_order=True)
    }


def absent(table: pl.DataFrame, seen: Mapping[str, set[int]]) -> list[str]:
    """Which configured channels never appear in the log, one line per device; ``seen`` are channels by device."""
    lines = []
    for (device,), rows in table.group_by("device_id", maintain_order=True):
        if str(device) not in seen:
            lines.append(f"device {device}: its detectors are configured, and it is not in the log")
            continue
        silent = sorted(set(rows["channel"].to_list()) - seen[str(device)])
        if silent:
            lines.append(f"device {device}: no event of detector channel {', '.join(map(str, silent))}")
    return lines

"""Trip tables and probe tables, however their columns are called, as records of one shape.

A row with a vehicle or trip id is one vehicle. A row with a volume stands for so many. A row with neither is a sample:
its volume is not known, and nothing measured from it is called a gain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from ...errors import InputError, StorageError
from ..log.columns import named, parsed_times
from .cells import BIN

__all__ = ["is_record_table", "read_records", "table_files", "with_free_flow"]

M_PER_MILE = 1609.344
FREE_FLOW_SHARE = 0.15
NEEDED = {
    "timestamp": (
        "timestamp",
        "time",
        "datetime",
        "measurementtstamp",
        "enter",
        "depart",
        "departure",
        "departuretime",
        "starttime",
        "begin",
    )
}
OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "corridor": (
        "corridor",
        "segment",
        "segmentid",
        "tmc",
        "tmccode",
        "link",
        "linkid",
        "route",
        "road",
        "edgeid",
    ),
    "vehicle_id": ("vehicleid", "tripid", "vehicle", "trip"),
    "volume_veh": ("volumeveh", "volume", "vehicles", "count"),
    "travel_s": ("travels", "traveltimes", "traveltime", "traveltimeseconds", "durations", "duration"),
    "speed_kmh": ("speedkmh", "speed"),
    "speed_mph": ("speedmph",),
    "length_m": ("lengthm", "length", "distancem", "routelengthm", "distance"),
    "length_mi": ("lengthmi", "miles", "distancemi"),
    "free_flow_s": ("freeflows", "freeflowtime", "freeflowtraveltime", "freeflow"),
    "delay_s": ("delays", "delay", "timelosss", "timeloss", "correcteddelays"),
    "stops": ("stops", "waitingcount"),
}
NUMBERS = tuple(name for name in OPTIONAL if name not in ("corridor", "vehicle_id"))


def table_files(path: Path) -> list[Path]:
    """The Parquet and CSV files of a path, in order. Raises InputError where there are none."""
    found = (
        [path]
        if path.is_file()
        else sorted(file for file in path.rglob("*") if file.suffix in (".parquet", ".csv"))
    )
    if not found:
        raise InputError(f"{path}: expected a run directory or tables (.parquet, .csv), found none")
    return found


def is_record_table(path: Path) -> bool:
    """Whether a file holds travel times or speeds and no events."""
    columns = _scan(path).collect_schema().names()
    return not _has(columns, ("eventid", "eventcode", "event")) and any(
        _has(columns, OPTIONAL[name]) for name in ("travel_s", "speed_kmh", "speed_mph", "delay_s")
    )


def read_records(paths: Sequence[Path], corridors: Mapping[str, str]) -> pl.DataFrame:
    """corridor, timestamp (start of the bin, UTC), vehicles, volume_veh (null where not known), and what there is of
    travel_s, free_flow_s, length_m, delay_s, stops.

    ``corridors`` renames segments; with it, segments that it does not name are left out. Raises InputError.
    """
    frames = [_read(file) for path in paths for file in table_files(path)]
    shared = [name for name in frames[0].columns if all(name in frame.columns for frame in frames)]
    found = pl.concat(frame.select(shared) for frame in frames)
    if corridors:
        found = found.with_columns(
            pl.col("corridor").replace_strict(
                list(corridors), list(corridors.values()), default=None, return_dtype=pl.String
            )
        ).filter(pl.col("corridor").is_not_null())
    if found.is_empty():
        raise InputError(f"{paths[0]}: expected records, found none of the corridors asked for")
    return found


def with_free_flow(before: pl.DataFrame, after: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both sides with free-flow times where they had none: per corridor the 15th percentile of all travel times.

    Delay, where there is none, is travel time over that.
    """
    if "travel_s" not in before.columns or "travel_s" not in after.columns:
        return before, after
    sides = [before, after]
    if any("free_flow_s" not in side.columns for side in sides):
        both = pl.concat(side.select("corridor", "travel_s") for side in sides)
        least = both.group_by("corridor").agg(free_flow_s=pl.col("travel_s").quantile(FREE_FLOW_SHARE))
        sides = [side.drop("free_flow_s", strict=False).join(least, on="corridor") for side in sides]
    if any("delay_s" not in side.columns for side in sides):
        sides = [side.with_columns(delay_s=pl.col("travel_s") - pl.col("free_flow_s")) for side in sides]
    return sides[0], sides[1]


def _scan(path: Path) -> pl.LazyFrame:
    try:
        return (
            pl.scan_parquet(path)
            if path.suffix == ".parquet"
            else pl.scan_csv(path, infer_schema_length=10_000)
        )
    except (OSError, pl.exceptions.PolarsError) as err:
        raise InputError(f"{path}: expected a table, found: {str(err).splitlines()[0]}") from err


def _has(columns: Sequence[str], spellings: Sequence[str]) -> bool:
    return any(column.replace("_", "").replace(" ", "").lower() in spellings for column in columns)


def _read(path: Path) -> pl.DataFrame:
    frame = _collected(path)
    columns = named(frame.columns, NEEDED, str(path))
    for name, spellings in OPTIONAL.items():
        if _has(frame.columns, spellings):
            columns |= named(frame.columns, {name: spellings}, str(path))
    chosen = frame.select(pl.col(column).alias(name) for name, column in columns.items())
    try:
        chosen = chosen.with_columns(pl.col(name).cast(pl.Float64) for name in NUMBERS if name in columns)
    except pl.exceptions.PolarsError as err:
        raise InputError(f"{path}: expected numbers in {', '.join(NUMBERS)}, found others") from err
    return _completed(_timed(chosen, str(path)), str(path))


def _collected(path: Path) -> pl.DataFrame:
    try:
        return _scan(path).collect()
    except pl.exceptions.PolarsError as err:
        raise StorageError(f"{path}: expected a table, found: {str(err).splitlines()[0]}") from err


def _timed(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    if frame.schema["timestamp"] == pl.String:
        frame = parsed_times(frame, "timestamp", where)
    if not isinstance(frame.schema["timestamp"], pl.Datetime):
        raise InputError(f"{where}: expected times, found {frame.schema['timestamp']}")
    if frame["timestamp"].null_count():
        raise InputError(
            f"{where}: expected a time in every row, found {frame['timestamp'].null_count()} without"
        )
    time = pl.col("timestamp").dt.cast_time_unit("ms")
    zoned = frame.schema["timestamp"].time_zone is not None
    utc = time.dt.convert_time_zone("UTC") if zoned else time.dt.replace_time_zone("UTC")
    return frame.with_columns(utc.dt.truncate(BIN))


def _completed(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """Lengths in metres, times in seconds, weights; rows without any measured value are left out."""
    names = set(frame.columns)
    if "length_mi" in names and "length_m" not in names:
        frame = frame.with_columns(length_m=pl.col("length_mi") * M_PER_MILE)
    speed = [name for name in ("speed_kmh", "speed_mph") if name in names]
    if "travel_s" not in names and speed and "length_m" in frame.columns:
        mps = pl.col(speed[0]) / 3.6 if speed[0] == "speed_kmh" else pl.col(speed[0]) * M_PER_MILE / 3600.0
        frame = frame.with_columns(travel_s=pl.when(mps > 0.0).then(pl.col("length_m") / mps))
    if "travel_s" not in frame.columns and "delay_s" not in frame.columns:
        raise InputError(
            f"{where}: expected travel times, delays, or speeds with lengths, found none of them"
        )
    one = pl.lit(1.0)
    if "vehicle_id" in names:
        weights = {"vehicles": one, "volume_veh": one}
    elif "volume_veh" in names:
        weights = {"vehicles": pl.col("volume_veh"), "volume_veh": pl.col("volume_veh")}
    else:
        weights = {"vehicles": one, "volume_veh": pl.lit(None, pl.Float64)}
    key = pl.col("corridor").cast(pl.String) if "corridor" in names else pl.lit("all")
    kept = [
        name for name in ("travel_s", "free_flow_s", "length_m", "delay_s", "stops") if name in frame.columns
    ]
    measured = pl.any_horizontal(pl.col("travel_s" if "travel_s" in kept else "delay_s").is_finite())
    return frame.filter(measured).select(key.alias("corridor"), "timestamp", *kept, **weights)

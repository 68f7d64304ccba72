"""Names and types of log columns: many spellings of four columns in, one typed table out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC

import polars as pl

from ...errors import InputError

__all__ = ["ALIASES", "LARGEST_CODE", "named", "normalised"]

LARGEST_CODE = 32767
"""Events and parameters are 15 bits, as in the enumeration and in every other reader."""

ALIASES: Mapping[str, tuple[str, ...]] = {
    "timestamp": ("timestamp", "time", "datetime"),
    "device_id": (
        "deviceid",
        "device",
        "signal",
        "signalid",
        "location",
        "locationidentifier",
        "intersection",
        "trafficsignal",
        "name",
        "devicename",
    ),
    "event_id": ("eventid", "eventcode", "event"),
    "parameter": ("parameter", "eventparameter", "eventparam", "param"),
}


def named(columns: Iterable[str], aliases: Mapping[str, tuple[str, ...]], where: str) -> dict[str, str]:
    """Standard name -> the column that holds it; case, blanks and underscores do not matter.

    The earlier of several spellings wins. Raises InputError naming what is missing.
    """
    present = list(columns)
    spelled = {_plain(column): column for column in reversed(present)}
    found = {
        name: next(spelled[spelling] for spelling in spellings if spelling in spelled)
        for name, spellings in aliases.items()
        if any(spelling in spelled for spelling in spellings)
    }
    missing = [name for name in aliases if name not in found]
    if missing:
        raise InputError(
            f"{where}: expected columns {', '.join(aliases)}, "
            f"found no {' and no '.join(missing)} among {', '.join(present)}"
        )
    return found


def _plain(column: str) -> str:
    return column.replace("_", "").replace(" ", "").lower()


def normalised(frame: pl.LazyFrame, where: str) -> tuple[pl.LazyFrame, bool]:
    """The log as ``device_id``, ``t_ms`` (int64, UTC milliseconds), ``event_id``, ``parameter`` (int64).

    Also: does it say its time zone? Times without one are UTC. Raises InputError for missing columns or types.
    """
    schema = frame.collect_schema()
    columns = named(schema.names(), ALIASES, where)
    time, zoned = _utc_ms(columns["timestamp"], schema[columns["timestamp"]], where)
    for name in ("event_id", "parameter"):
        kind = schema[columns[name]]
        if not kind.is_numeric():
            raise InputError(f"{where}: expected numbers in {columns[name]}, found {kind}")
    return frame.select(
        pl.col(columns["device_id"]).alias("device_id"),
        time.alias("t_ms"),
        pl.col(columns["event_id"]).cast(pl.Int64).alias("event_id"),
        pl.col(columns["parameter"]).cast(pl.Int64).alias("parameter"),
    ), zoned


def _utc_ms(column: str, kind: pl.DataType, where: str) -> tuple[pl.Expr, bool]:
    if isinstance(kind, pl.Datetime):
        return pl.col(column).dt.epoch("ms"), kind.time_zone is not None
    raise InputError(f"{where}: expected times in {column}, found {kind}")


def parsed_times(frame: pl.DataFrame, column: str, where: str) -> pl.DataFrame:
    """``column`` of text as times; with offsets (Z, +08:00) in all rows or in none.

    Raises InputError where some rows have an offset and others not, or where a row is no time.
    """
    text = frame[column].str.strip_chars().str.replace("T", " ", literal=True)
    zoned = text.str.contains(r"(Z|[+-]\d{2}:?\d{2})$")
    if zoned.any() and not zoned.all():
        raise InputError(
            f"{where}: expected one time zone in {column}, found rows with an offset and rows without"
        )
    try:
        if zoned.any():
            times = text.str.replace(r"Z$", "+00:00").str.to_datetime(
                "%Y-%m-%d %H:%M:%S%.f%:z", time_unit="us"
            )
            times = times.dt.convert_time_zone(str(UTC))
        else:
            times = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us")
    except pl.exceptions.PolarsError as err:
        raise InputError(
            f"{where}: expected times like 2024-04-15 12:00:00.1 in {column}, found others"
        ) from err
    return frame.with_columns(times.alias(column))

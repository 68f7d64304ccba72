"""A corridor as a person describes it, and the tables that need one: link pivot and time-space bands."""

from __future__ import annotations

import itertools
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import InputError
from .calculation import Tables
from .corridor import link_pivot, time_space_bands

__all__ = ["NEEDED", "Corridor", "Stop", "corridor_tables", "read_corridor"]

NEEDED = ("arrivals_by_shift", "phase_intervals")
"""Measures of the UDOT dialect that the corridor's tables are made from."""
STOP_KEYS = ("device_id", "phase", "opposite_phase", "distance_m")
NUMBERS = ("speed_kmh", "cycle_s")


@dataclass(frozen=True, slots=True)
class Stop:
    """A junction: the phases that serve traffic along the corridor and against it; ``distance_m`` from its begin."""

    device_id: int | str
    phase: int
    opposite_phase: int
    distance_m: float


@dataclass(frozen=True, slots=True)
class Corridor:
    """Junctions in driving order, the speed between them, and the cycle within which offsets are sought."""

    stops: tuple[Stop, ...]
    speed_kmh: float
    cycle_s: int


def read_corridor(path: Path) -> Corridor:
    """A corridor from TOML: ``speed_kmh``, ``cycle_s`` and a ``[[junction]]`` each with the fields of ``Stop``.

    Raises InputError for a file that cannot be read, and for keys that are missing, unknown or no such values.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as err:
        raise InputError(f"{path}: expected a corridor in TOML, found: {err}") from err
    where = str(path)
    _require_keys(given, (*NUMBERS, "junction"), where)
    junctions = given["junction"]
    if not isinstance(junctions, list) or not all(isinstance(one, dict) for one in junctions):
        raise InputError(f"{where}: expected [[junction]] tables, found {junctions!r}")
    if len(junctions) < 2:
        raise InputError(f"{where}: expected two junctions or more, found {len(junctions)}")
    stops = tuple(_stop(one, f"{where}: junction {i}") for i, one in enumerate(junctions, start=1))
    for i in range(1, len(stops)):
        if stops[i].distance_m <= stops[i - 1].distance_m:
            raise InputError(
                f"{where}: junction {i + 1}: expected a distance_m above {stops[i - 1].distance_m}, "
                f"found {stops[i].distance_m}"
            )
    return Corridor(stops, _above_zero(given, "speed_kmh", where), _whole(given, "cycle_s", where))


def _stop(given: dict[str, Any], where: str) -> Stop:
    _require_keys(given, STOP_KEYS, where)
    device = given["device_id"]
    if isinstance(device, bool) or not isinstance(device, int | str):
        raise InputError(f"{where}: expected a number or a text as device_id, found {device!r}")
    phase, opposite = _whole(given, "phase", where), _whole(given, "opposite_phase", where)
    return Stop(device, phase, opposite, _number(given, "distance_m", where))


def _require_keys(given: dict[str, Any], keys: tuple[str, ...], where: str) -> None:
    missing, unknown = [key for key in keys if key not in given], [key for key in given if key not in keys]
    if missing or unknown:
        found = f"no {missing[0]}" if missing else unknown[0]
        raise InputError(f"{where}: expected {', '.join(keys)}, found {found}")


def _number(given: dict[str, Any], key: str, where: str) -> float:
    value = given[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{where}: expected a number as {key}, found {value!r}")
    return float(value)


def _above_zero(given: dict[str, Any], key: str, where: str) -> float:
    value = _number(given, key, where)
    if value <= 0:
        raise InputError(f"{where}: expected a {key} above 0, found {value}")
    return value


def _whole(given: dict[str, Any], key: str, where: str) -> int:
    value = given[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{where}: expected a whole number above 0 as {key}, found {value!r}")
    return value


def corridor_tables(corridor: Corridor, tables: Tables) -> Tables:
    """``link_pivot`` and ``time_space_bands`` of a corridor, from the tables of NEEDED by the UDOT dialect.

    ``direction`` of a band is ``along`` the corridor or ``against`` it, with metres from the begin of the corridor
    both ways. Raises InputError where the log lacks whole cycles of a phase, or its arrivals.
    """
    shifted, intervals = (tables[name] for name in NEEDED)
    stops = _as_in_the_log(corridor.stops, intervals)
    links = pl.DataFrame(
        [
            {
                "upstream": one.device_id,
                "upstream_phase": one.opposite_phase,
                "downstream": other.device_id,
                "downstream_phase": other.phase,
            }
            for one, other in itertools.pairwise(stops)
        ]
    )
    return {
        "link_pivot": link_pivot(shifted, links, corridor.cycle_s),
        "time_space_bands": pl.concat(
            [_along(stops, intervals, corridor.speed_kmh), _against(stops, intervals, corridor.speed_kmh)]
        ),
    }


def _as_in_the_log(stops: tuple[Stop, ...], intervals: pl.DataFrame) -> list[Stop]:
    """The stops with their devices as the log spells them."""
    known = {str(device): device for device in intervals["device_id"].unique().to_list()}
    served = {
        (str(device), phase) for device, phase in intervals.select("device_id", "phase").unique().rows()
    }
    for stop in stops:
        for phase in (stop.phase, stop.opposite_phase):
            if (str(stop.device_id), phase) not in served:
                raise InputError(
                    f"corridor: expected whole cycles of device {stop.device_id}, phase {phase}, in the log, "
                    "found none"
                )
    return [Stop(known[str(one.device_id)], one.phase, one.opposite_phase, one.distance_m) for one in stops]


def _along(stops: list[Stop], intervals: pl.DataFrame, speed_kmh: float) -> pl.DataFrame:
    route = pl.DataFrame(
        [{"device_id": one.device_id, "phase": one.phase, "distance_m": one.distance_m} for one in stops]
    )
    return time_space_bands(intervals, route, speed_kmh).with_columns(direction=pl.lit("along"))


def _against(stops: list[Stop], intervals: pl.DataFrame, speed_kmh: float) -> pl.DataFrame:
    end_m = stops[-1].distance_m
    route = pl.DataFrame(
        [
            {"device_id": one.device_id, "phase": one.opposite_phase, "distance_m": end_m - one.distance_m}
            for one in reversed(stops)
        ]
    )
    bands = time_space_bands(intervals, route, speed_kmh)
    return bands.with_columns(
        from_m=end_m - pl.col("from_m"), to_m=end_m - pl.col("to_m"), direction=pl.lit("against")
    )

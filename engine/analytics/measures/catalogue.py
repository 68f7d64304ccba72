"""All measures by name. A record per measure; nothing is computed and nothing registered at import."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ...errors import InputError
from .arrivals import arrival_on_green
from .failures import split_failures
from .presence import has_data
from .record import Measure
from .volumes import actuations

__all__ = ["MEASURES", "measure", "measures_named"]

UDOT = "UDOT ATSPM component details (Utah DOT, version 5)"
FREIJE = (
    "Freije, Hainen, Stevens, Li, Smith, Summers, Day, Sturdevant, Bullock 2014, TRR 2438: split failures"
)
DAY = "Day, Bullock, Li and others 2014, Purdue: Performance Measures for Traffic Signal Systems"
TIME = pl.Datetime("ms", "UTC")

MEASURES: tuple[Measure, ...] = (
    Measure(
        "has_data",
        {"timestamp": TIME},
        "the atspm package, version 2.6.1: has_data",
        (),
        atspm=has_data,
        udot=has_data,
        complete=False,
    ),
    Measure(
        "actuations",
        {"timestamp": TIME, "detector": pl.Int32, "total": pl.Int32},
        DAY,
        (82,),
        atspm=actuations,
        udot=actuations,
    ),
    Measure(
        "arrival_on_green",
        {"timestamp": TIME, "phase": pl.Int32, "total_actuations": pl.Int32, "percent_aog": pl.Float32},
        DAY,
        (1, 8, 10, 82),
        atspm=arrival_on_green,
        functions=("advance",),
    ),
    Measure(
        "split_failures",
        {
            "timestamp": TIME,
            "detector": pl.Int32,
            "phase": pl.Int32,
            "green_time": pl.Float32,
            "green_occupancy": pl.Float32,
            "red_occupancy": pl.Float32,
            "split_failure": pl.Int32,
        },
        FREIJE,
        (1, 8, 10, 81, 82),
        atspm=split_failures,
        functions=("presence",),
    ),
)


def measure(name: str) -> Measure:
    """The measure of this name. Raises InputError naming those that there are."""
    for one in MEASURES:
        if one.name == name:
            return one
    raise InputError(f"expected a measure ({', '.join(one.name for one in MEASURES)}), found {name}")


def measures_named(names: Iterable[str | Measure] | None) -> list[Measure]:
    """Measures by name, each once, in the order of the catalogue; all of them for None."""
    if names is None:
        return list(MEASURES)
    wanted = [one if isinstance(one, Measure) else measure(one) for one in names]
    return [one for one in MEASURES if one in wanted] + [one for one in wanted if one not in MEASURES]

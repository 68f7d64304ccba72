"""All measures by name. A record per measure; nothing is computed and nothing registered at import."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ...errors import InputError
from .arrivals import arrival_on_green, platoon_ratio, yellow_red
from .calls import udot_ped_delay, udot_unique_ped
from .failures import split_failures
from .pedestrians import full_ped, ped, ped_delay, unique_ped
from .presence import has_data
from .progression import udot_arrival_on_green
from .record import Measure
from .services import communications, coordination, coordination_agg, splits, terminations
from .stop_bar import udot_split_failures
from .timelines import timeline
from .udot import TIME, UDOT, UDOT_MEASURES
from .volumes import actuations
from .waits import phase_wait

__all__ = ["MEASURES", "measure", "measures_named"]

PACKAGE = "the atspm package, version 2.6.1 (Oregon DOT)"
PEDESTRIANS = (
    "Singleton, Runa 2021, TRR 2675: pedestrian traffic signal data accurately estimates pedestrian volumes"
)
FREIJE = (
    "Freije, Hainen, Stevens, Li, Smith, Summers, Day, Sturdevant, Bullock 2014, TRR 2438: split failures"
)
DAY = "Day, Bullock, Li and others 2014, Purdue: Performance Measures for Traffic Signal Systems"

MEASURES: tuple[Measure, ...] = (
    Measure(
        "has_data",
        {"timestamp": TIME},
        PACKAGE,
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
        udot=udot_arrival_on_green,
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
        udot=udot_split_failures,
        functions=("presence",),
    ),
    Measure(
        "platoon_ratio",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "total_actuations": pl.Int32,
            "green_actuations": pl.Int32,
            "percent_aog": pl.Float32,
            "green_seconds": pl.Float32,
            "green_ratio": pl.Float32,
            "platoon_ratio": pl.Float32,
            "arrival_type": pl.Int32,
        },
        "Highway Capacity Manual, 7th edition, chapter 19",
        (1, 8, 10, 82),
        atspm=platoon_ratio,
        functions=("advance",),
    ),
    Measure(
        "yellow_red",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "signal_state": pl.Int32,
            "red_offset": pl.Float64,
            "count": pl.Float32,
        },
        UDOT,
        (1, 8, 10, 82),
        atspm=yellow_red,
        functions=("yellow_red",),
    ),
    Measure(
        "terminations",
        {"timestamp": TIME, "phase": pl.Int32, "performance_measure": pl.String, "total": pl.Int32},
        DAY,
        (4, 5, 6),
        atspm=terminations,
        udot=terminations,
    ),
    Measure(
        "splits",
        {"timestamp": TIME, "event_id": pl.Int32, "services": pl.Int32, "average_split": pl.Float32},
        PACKAGE,
        tuple(range(300, 318)),
        atspm=splits,
        udot=splits,
    ),
    Measure(
        "coordination",
        {"timestamp": TIME, "raw_timestamp": TIME, "event_id": pl.Int32, "parameter": pl.Int32},
        PACKAGE,
        (131, 132, 316, 318),
        atspm=coordination,
        udot=coordination,
    ),
    Measure(
        "coordination_agg",
        {
            "timestamp": TIME,
            "pattern": pl.Int32,
            "cycle_length": pl.Int32,
            "actual_cycle_length": pl.Int32,
            "actual_offset": pl.Int32,
        },
        PACKAGE,
        (131, 132, 316, 318),
        atspm=coordination_agg,
        udot=coordination_agg,
    ),
    Measure(
        "ped",
        {"timestamp": TIME, "phase": pl.Int32, "ped_services": pl.Int32, "ped_actuation": pl.Int32},
        PEDESTRIANS,
        (21, 67, 90),
        atspm=ped,
        udot=ped,
    ),
    Measure(
        "unique_ped",
        {"timestamp": TIME, "phase": pl.Int32, "unique_actuations": pl.Int32},
        PEDESTRIANS,
        (90,),
        atspm=unique_ped,
        udot=udot_unique_ped,
    ),
    Measure(
        "full_ped",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "ped_services": pl.Int32,
            "ped_actuation": pl.Int32,
            "unique_actuations": pl.Int32,
            "estimated_volumes": pl.Float32,
        },
        PEDESTRIANS,
        (21, 67, 90),
        atspm=full_ped,
    ),
    Measure(
        "ped_delay",
        {"timestamp": TIME, "phase": pl.Int32, "avg_ped_delay": pl.Float64, "samples": pl.Int32},
        DAY,
        (21, 22, 90),
        atspm=ped_delay,
        udot=udot_ped_delay,
    ),
    Measure(
        "phase_wait",
        {
            "timestamp": TIME,
            "phase": pl.Int32,
            "avg_phase_wait": pl.Float64,
            "max_phase_wait": pl.Float32,
            "total_skips": pl.Int32,
        },
        PACKAGE,
        (1, 7, 43, 44),
        atspm=phase_wait,
    ),
    Measure(
        "timeline",
        {
            "start_time": TIME,
            "end_time": TIME,
            "duration": pl.Float32,
            "is_valid": pl.Boolean,
            "event_class": pl.String,
            "event_value": pl.Int32,
        },
        PACKAGE,
        (),
        atspm=timeline,
        udot=timeline,
        complete=False,
    ),
    Measure(
        "communications",
        {"timestamp": TIME, "event_id": pl.Int32, "average": pl.Float32},
        PACKAGE,
        (400, 502, 503),
        atspm=communications,
        udot=communications,
    ),
    *UDOT_MEASURES,
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

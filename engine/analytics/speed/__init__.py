"""Speed and travel time: from detectors, trips and probe records to reliability and level of service.

Lazy frames in, lazy frames out; data stay in UTC, bins and periods are those of the time zone handed in. Every measure
names its definition; speeds over time or vehicles are space-mean (harmonic), never plain means.
"""

from __future__ import annotations

from .bins import local_bin
from .congestion_china import STANDARD_NOTE, congestion_level, mileage_index, time_index_level
from .loops import (
    LOOP_SPEED_COLUMNS,
    learn_effective_length_m,
    presences,
    single_loop_speed,
    trap_passages,
)
from .reliability import lottr, reliability, tttr
from .service import EDITIONS, signal_level, street_level
from .travel_time import (
    corridor_experienced,
    corridor_instantaneous,
    probe_passages,
    segment_travel_time,
    space_mean_speed,
    trip_passages,
)

__all__ = [
    "EDITIONS",
    "LOOP_SPEED_COLUMNS",
    "STANDARD_NOTE",
    "congestion_level",
    "corridor_experienced",
    "corridor_instantaneous",
    "learn_effective_length_m",
    "local_bin",
    "lottr",
    "mileage_index",
    "presences",
    "probe_passages",
    "reliability",
    "segment_travel_time",
    "signal_level",
    "single_loop_speed",
    "space_mean_speed",
    "street_level",
    "time_index_level",
    "trap_passages",
    "trip_passages",
    "tttr",
]

"""The demand of a scenario: read, checked against the network, resampled and written.

SUMO's ``--scale`` copies the same vehicles whatever the seed, so volumes and departures are resampled here.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from greensplit.engine.errors import ScenarioError

from .base import Scenario
from .reading import DemandReader
from .records import Demand, ScheduledPerson, ScheduledVehicle
from .resampling import resample
from .route_files import with_demand, write_routes

__all__ = [
    "Demand",
    "ScheduledPerson",
    "ScheduledVehicle",
    "read_demand",
    "resample",
    "scheduled_table",
    "with_demand",
    "write_routes",
]


def read_demand(scenario: Scenario, *, seed: int) -> Demand:
    """Everything a scenario schedules in its window; what is due before the window never departs, as in SUMO.

    ``seed`` only matters for flows with random departures, which are expanded here. Raises NetworkError for
    files that cannot be read, ids used twice and routes over edges that the network lacks, ScenarioError
    when no vehicle is due in the window.
    """
    reader = DemandReader(scenario, seed)
    for path in scenario.additional_files:
        reader.read(path, is_route_file=False)
    for path in scenario.route_files:
        reader.read(path, is_route_file=True)
    demand = reader.demand()
    if not demand.vehicles:
        raise ScenarioError(_nothing_due(scenario, reader.departs_s))
    return demand


def scheduled_table(demand: Demand) -> pl.DataFrame:
    """One row per scheduled vehicle, by departure.

    Columns: vehicle_id (String), kind (String), depart_s (Float64, seconds), public_transport (Boolean).
    """
    vehicles = demand.vehicles
    return pl.DataFrame(
        {
            "vehicle_id": [vehicle.vehicle_id for vehicle in vehicles],
            "kind": [vehicle.kind for vehicle in vehicles],
            "depart_s": [vehicle.depart_s for vehicle in vehicles],
            "public_transport": [vehicle.public_transport for vehicle in vehicles],
        },
        schema={
            "vehicle_id": pl.String,
            "kind": pl.String,
            "depart_s": pl.Float64,
            "public_transport": pl.Boolean,
        },
    )


def _nothing_due(scenario: Scenario, departs_s: Sequence[float]) -> str:
    files = ", ".join(str(path) for path in scenario.route_files) or str(scenario.net_file)
    window = f"{files}: expected a vehicle due in {scenario.begin_s}-{scenario.end_s} s, found none"
    if not departs_s:
        return f"{window} at any time"
    return f"{window}; the first departs at {min(departs_s):g} s, the last at {max(departs_s):g} s"

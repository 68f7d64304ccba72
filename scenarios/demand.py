"""The demand of a scenario: read, checked against the network, resampled and written.

SUMO's ``--scale`` copies the same vehicles whatever the seed, so volumes and departures are resampled here.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    "scheduled_rows",
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


def scheduled_rows(demand: Demand) -> list[tuple[str, str, float, bool]]:
    """One row per scheduled vehicle, by departure: id, kind, departure (seconds), whether it is public transport."""
    return [(v.vehicle_id, v.kind, v.depart_s, v.public_transport) for v in demand.vehicles]


def _nothing_due(scenario: Scenario, departs_s: Sequence[float]) -> str:
    files = ", ".join(str(path) for path in scenario.route_files) or str(scenario.net_file)
    window = f"{files}: expected a vehicle due in {scenario.begin_s}-{scenario.end_s} s, found none"
    if not departs_s:
        return f"{window} at any time"
    return f"{window}; the first departs at {min(departs_s):g} s, the last at {max(departs_s):g} s"

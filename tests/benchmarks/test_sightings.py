"""Which stop line a vehicle crossed, where the last edge is so short that nobody is ever seen on it."""

from __future__ import annotations

import os

import pytest

from greensplit.benchmarks.estimation.sightings import Watcher
from greensplit.engine.kernel_cache import cache_home
from greensplit.scenarios.catalogue import load
from greensplit.sim.derive.loops import upstream_chain
from greensplit.sim.derive.site import derive_site
from greensplit.sim.network import Lane, Network, read_network

SHORT = "124812856#1"
"""An approach of ingolstadt7 whose lanes are 0.8 m long."""


class _OneVehicle:
    """A vehicle as SUMO tells of it, and SUMO itself."""

    def __init__(self, route: list[str], lane: str) -> None:
        self.route, self.lane, self.edge = route, lane, 0
        self.vehicle = self.api = self

    def getIDList(self) -> list[str]:  # noqa: N802
        return ["v"]

    def getLaneID(self, _: str) -> str:  # noqa: N802
        return self.lane

    def getLanePosition(self, _: str) -> float:  # noqa: N802
        return 5.0

    def getSpeed(self, _: str) -> float:  # noqa: N802
        return 13.0

    def getRouteIndex(self, _: str) -> int:  # noqa: N802
        return self.edge

    def getRoute(self, _: str) -> list[str]:  # noqa: N802
        return self.route


NETWORK = "ingolstadt7"


@pytest.fixture(scope="module")
def network() -> Network:
    """The network of ingolstadt7."""
    return read_network(load(NETWORK, cache_dir=cache_home(os.environ) / "scenarios").net_file)


def _crossed(network: Network, vehicle: _OneVehicle, after: tuple[str, int]) -> list[str]:
    """Approach lanes whose stop lines the vehicle crosses when it is next seen on a lane, at an edge of its route."""
    site = derive_site(network, NETWORK)
    watcher = Watcher(vehicle, network, site)  # type: ignore[arg-type]
    watcher.look(1000)
    vehicle.lane, vehicle.edge = after
    watcher.look(2000)
    names = [each.id for junction in site.junctions for each in junction.lanes]
    return [names[crossed] for crossed in watcher.crossings().lane]


def _above(network: Network, approach: str) -> Lane:
    return upstream_chain(network, network.lanes[approach])[1].lane


@pytest.mark.parametrize("approach", [f"{SHORT}_1", f"{SHORT}_2"])
@pytest.mark.parametrize("is_seen_inside", [True, False])
def test_a_vehicle_that_skips_the_last_edge_keeps_its_lane(
    network: Network, approach: str, is_seen_inside: bool
) -> None:
    """From the lane above, in one step, into the junction or beyond: the stop line of its own lane was crossed."""
    above, way = _above(network, approach), network.outgoing[approach][0]
    assert network.lanes[approach].length_m < 1.0
    vehicle = _OneVehicle([above.edge, SHORT, way.target], above.id)
    beyond = network.lane_id(way.target, way.target_lane)
    assert _crossed(network, vehicle, (way.via, 1) if is_seen_inside else (beyond, 2)) == [approach]


def test_the_lane_inside_the_junction_tells_more_than_the_lane_above(network: Network) -> None:
    """Last seen above lane 1, then on the way of lane 2: it changed lanes between."""
    above, way = _above(network, f"{SHORT}_1"), network.outgoing[f"{SHORT}_2"][0]
    vehicle = _OneVehicle([above.edge, SHORT, way.target], above.id)
    assert _crossed(network, vehicle, (way.via, 1)) == [f"{SHORT}_2"]

"""What a scenario schedules, counted at the signal groups that it will pass: its true demand.

Routes are known or, for trips, found by SUMO's duarouter at free flow. A vehicle is counted when it would come to the
stop line at free flow.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from greensplit.engine.model.site import Site
from greensplit.engine.plans.demand import Demand, Turn
from greensplit.scenarios.base import Scenario
from greensplit.scenarios.demand import read_demand, write_routes
from greensplit.scenarios.records import Demand as Schedule
from greensplit.scenarios.records import ScheduledVehicle
from greensplit.scenarios.tools import run_tool
from greensplit.scenarios.xmlio import top_level

from .network import Network

__all__ = ["PERIOD_S", "count_scheduled"]

PERIOD_S = 900
Passed = list[tuple[int, int, float]]
"""Junction, group and share of the vehicle that uses it."""


def count_scheduled(
    scenario: Scenario, network: Network, site: Site, *, seed: int, period_s: int = PERIOD_S
) -> Demand:
    """Vehicles of every group in periods of ``period_s``, from the scenario's begin to its end.

    A last period that the window cuts short is left out where there is another. Raises SimulatorError when trips
    cannot be routed.
    """
    schedule = read_demand(scenario, seed=seed)
    periods = max(1, (scenario.end_s - scenario.begin_s) // period_s)
    length_s = min(period_s, scenario.end_s - scenario.begin_s)
    groups = {j.id: np.zeros((periods, len(j.groups))) for j in site.junctions}
    turns: dict[Turn, npt.NDArray[np.float64]] = defaultdict(lambda: np.zeros(periods))
    passes = _passes(network, site)
    for depart_s, edges in _routes(scenario, schedule):
        before: Passed = []
        for arrive_s, passed in _stop_lines(network, passes, depart_s, edges):
            period = int(arrive_s - scenario.begin_s) // length_s
            if period >= periods:
                break
            _count(site, groups, turns, period, before, passed)
            before = passed
    return Demand(scenario.begin_s, length_s, groups, dict(turns))


def _count(
    site: Site,
    groups: Mapping[str, npt.NDArray[np.float64]],
    turns: dict[Turn, npt.NDArray[np.float64]],
    period: int,
    before: Passed,
    passed: Passed,
) -> None:
    for junction, group, share in passed:
        name = site.junctions[junction].id
        groups[name][period, group - 1] += share
        for origin, origin_group, origin_share in before:
            turns[site.junctions[origin].id, origin_group, name, group][period] += share * origin_share


def _passes(network: Network, site: Site) -> dict[tuple[str, str], Passed]:
    """Groups that let vehicles from one edge to the next."""
    index = {junction.id: i for i, junction in enumerate(site.junctions)}
    group_of = {
        (junction.id, lamp): group.number
        for junction in site.junctions
        for group in junction.groups
        for lamp in group.lamps
    }
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for connection in network.connections:
        number = group_of.get((connection.light, connection.lamp))
        if number is not None:
            found[connection.source, connection.target].append((index[connection.light], number))
    return {
        edges: [(j, g, ways.count((j, g)) / len(ways)) for j, g in dict.fromkeys(ways)]
        for edges, ways in found.items()
    }


def _stop_lines(
    network: Network, passes: Mapping[tuple[str, str], Passed], depart_s: float, edges: list[str]
) -> Iterator[tuple[float, Passed]]:
    """When a vehicle comes to each stop line on its way, and the groups that it needs there."""
    arrive_s = depart_s
    for here, onward in pairwise(edges):
        lane = network.edges[here].lanes[0]
        arrive_s += lane.length_m / max(lane.speed_mps, 0.1)
        if (here, onward) in passes:
            yield arrive_s, passes[here, onward]


def _routes(scenario: Scenario, schedule: Schedule) -> Iterator[tuple[float, list[str]]]:
    """Departure, s, and edges of every scheduled vehicle."""
    named = _named_routes(scenario, schedule)
    unknown: list[ScheduledVehicle] = []
    for vehicle in schedule.vehicles:
        route = vehicle.element.find("route")
        edges = (
            route.get("edges", "") if route is not None else named.get(vehicle.element.get("route", ""), "")
        )
        if edges:
            yield vehicle.depart_s, edges.split()
        else:
            unknown.append(vehicle)
    if unknown:
        yield from _routed(scenario, replace(schedule, vehicles=tuple(unknown), persons=(), untimed=()))


def _named_routes(scenario: Scenario, schedule: Schedule) -> dict[str, str]:
    elements = [*schedule.definitions]
    for path in scenario.additional_files:
        elements += [element for element in top_level(path) if element.tag == "route"]
    return {e.get("id", ""): e.get("edges", "") for e in elements if e.tag == "route"}


def _routed(scenario: Scenario, schedule: Schedule) -> Iterator[tuple[float, list[str]]]:
    """Routes that duarouter finds for trips; what has none never enters, as in SUMO."""
    with tempfile.TemporaryDirectory(prefix="greensplit-") as name:
        folder = Path(name)
        write_routes(schedule, folder / "trips.rou.xml")
        command = ["--net-file", str(scenario.net_file), "--route-files", str(folder / "trips.rou.xml")]
        command += ["--output-file", str(folder / "routed.rou.xml")]
        if scenario.additional_files:
            command += ["--additional-files", ",".join(map(str, scenario.additional_files))]
        command += ["--ignore-errors", "--no-warnings", "--no-step-log"]
        run_tool("duarouter", command)
        for element in top_level(folder / "routed.rou.xml"):
            route = element.find("route")
            if element.tag == "vehicle" and route is not None:
                yield float(element.attrib["depart"]), route.attrib["edges"].split()

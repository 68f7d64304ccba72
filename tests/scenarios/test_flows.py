"""Flows expanded by our own code, held against SUMO's expansion and against theory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import numpy as np
import pytest

from greensplit.engine.errors import NetworkError
from greensplit.scenarios.base import Scenario
from greensplit.scenarios.demand import read_demand
from greensplit.scenarios.flows import expand_flow

WAY = 'from="west0_r0c0" to="r0c0_east0"'
REGULAR = [
    'begin="0" end="500" number="7"',
    'begin="50" end="400" vehsPerHour="300"',
    'begin="50" end="2000" period="13"',
    'begin="120" period="20" number="5"',
    'vehsPerHour="77"',
    'begin="0:01:00" end="0:05:00" perHour="100"',
    'end="200" number="5"',
]


@pytest.mark.parametrize("begin_s", [0, 100])
@pytest.mark.parametrize("timing", REGULAR)
def test_regular_flows_depart_when_sumo_lets_them_depart(
    timing: str,
    begin_s: int,
    make_scenario: Callable[..., Scenario],
    run_sumo: Callable[..., Element],
    tmp_path: Path,
) -> None:
    """Ids and intended departures are SUMO's own, also for flows that began before the window."""
    scenario = make_scenario(f'<flow id="f" {WAY} {timing}/>', begin_s=begin_s, end_s=600)
    output = tmp_path / "vehroutes.xml"
    run_sumo(
        scenario,
        f"--vehroute-output={output}",
        "--vehroute-output.intended-depart",
        "--vehroute-output.write-unfinished",
    )
    from_sumo = {
        vehicle.get("id"): float(vehicle.get("depart"))
        for vehicle in defusedxml.ElementTree.parse(output).getroot().iter("vehicle")
    }
    ours = {vehicle.vehicle_id: vehicle.depart_s for vehicle in read_demand(scenario, seed=1).vehicles}
    assert ours.keys() == from_sumo.keys()
    assert all(ours[name] == pytest.approx(from_sumo[name], abs=0.011) for name in ours)


def test_exponential_gaps_have_the_mean_and_spread_of_a_poisson_process() -> None:
    """exp(0.2): 0.2 * 50000 = 10000 departures (sd 100), gaps of mean 5 s and standard deviation 5 s."""
    flow = Element("flow", {"id": "f", "period": "exp(0.2)", "route": "r"})
    departs_s = np.array([depart_s for depart_s, _ in expand_flow(flow, 0, 50_000, seed=4)])
    gaps_s = np.diff(departs_s)
    assert len(departs_s) == pytest.approx(10_000, abs=400)
    assert gaps_s.std() == pytest.approx(5.0, abs=0.25)


def test_probability_is_a_chance_for_every_second() -> None:
    """p = 0.1 over 20000 s: 2000 departures (sd 42), all on whole seconds, none twice."""
    flow = Element("flow", {"id": "f", "probability": "0.1", "route": "r"})
    departs_s = [depart_s for depart_s, _ in expand_flow(flow, 0, 20_000, seed=4)]
    assert len(departs_s) == pytest.approx(2000, abs=170)
    assert len(set(departs_s)) == len(departs_s)
    assert all(depart_s == int(depart_s) for depart_s in departs_s)


def test_a_seed_fixes_a_flow_whatever_other_flows_there_are() -> None:
    """The same flow and seed give the same departures; another seed or another id gives others."""

    def departs_s(name: str, seed: int) -> list[float]:
        flow = Element("flow", {"id": name, "period": "exp(0.1)"})
        return [depart_s for depart_s, _ in expand_flow(flow, 0, 1000, seed)]

    assert departs_s("f", 1) == departs_s("f", 1)
    assert departs_s("f", 1) != departs_s("f", 2)
    assert departs_s("f", 1) != departs_s("g", 1)


def test_a_single_vehicle_keeps_everything_but_the_repetition() -> None:
    """Route, type, stops and lane choice stay; begin, end and rate go."""
    flow = Element("flow", {"id": "f", "begin": "5", "end": "9", "number": "1", "type": "van", "route": "r"})
    flow.append(Element("stop", {"busStop": "b"}))
    [(depart_s, vehicle)] = expand_flow(flow, 0, 100, seed=1)
    assert depart_s == 5.0
    assert vehicle.tag == "vehicle"
    assert vehicle.attrib == {"id": "f.0", "depart": "5.00", "type": "van", "route": "r"}
    assert [child.get("busStop") for child in vehicle] == ["b"]


@pytest.mark.parametrize(
    ("timing", "complaint"),
    [
        ({}, "expected number, period, vehsPerHour or probability, found none"),
        ({"vehsPerHour": "many"}, "vehsPerHour, found 'many'"),
        ({"period": "-3"}, "period, found '-3'"),
        ({"period": "exp(0)"}, r"period, found 'exp\(0\)'"),
        ({"period": "3", "number": "2", "end": "9"}, "an end or a number with a rate, found both"),
    ],
)
def test_a_flow_without_a_usable_rate_is_refused_by_name(timing: dict[str, str], complaint: str) -> None:
    """The message names the flow and the attribute."""
    with pytest.raises(NetworkError, match=f"flow 'f': .*{complaint}"):
        expand_flow(Element("flow", {"id": "f"} | timing), 0, 100, seed=1)

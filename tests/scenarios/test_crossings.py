"""RESCO networks with crossings: programs that serve them, traffic and people that move."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import pytest

from greensplit.engine.errors import ScenarioError
from greensplit.scenarios.base import Scenario
from greensplit.scenarios.catalogue import load
from greensplit.scenarios.walks import crossing_walks, signalised_crossings

# Signalised crossings counted with grep in netconvert's output.
CHEAP = {"cologne1": 6, "cologne3": 13, "ingolstadt1": 5, "grid4x4": 64}
Faults = Callable[[Path], tuple[int, list[str]]]


@pytest.mark.parametrize(("name", "crossings"), [*CHEAP.items(), ("ingolstadt21", 91), ("arterial4x4", 64)])
def test_every_crossing_gets_green_and_never_with_traffic_that_does_not_yield(
    name: str, crossings: int, cache_dir: Path, crossing_faults: Faults
) -> None:
    """Judged by a checker that knows the network file only."""
    net = load(f"{name}-crossings", cache_dir=cache_dir).net_file
    assert crossing_faults(net) == (crossings, [])
    assert sum(map(len, signalised_crossings(net).values())) == crossings


@pytest.mark.parametrize("name", CHEAP)
def test_vehicles_and_persons_move_for_ten_minutes(
    name: str, cache_dir: Path, run_sumo: Callable[..., Element]
) -> None:
    """Of those that entered more than half have arrived, nobody collided, and people do not get jammed."""
    root = run_sumo(load(f"{name}-crossings", cache_dir=cache_dir), seconds=600)
    vehicles, persons = root.find("vehicles"), root.find("persons")
    walked, safety = root.find("pedestrianStatistics"), root.find("safety")
    assert vehicles is not None
    assert persons is not None
    assert walked is not None
    assert safety is not None
    assert int(vehicles.attrib["running"]) < int(vehicles.attrib["inserted"]) / 2
    assert int(walked.attrib["number"]) > int(persons.attrib["loaded"]) / 2
    assert persons.attrib["jammed"] == "0"
    assert safety.attrib["collisions"] == "0"


def test_every_person_uses_a_signalised_crossing(
    cache_dir: Path, run_sumo: Callable[..., Element], tmp_path: Path
) -> None:
    """In SUMO's own trajectories, each person who arrived has been on a crossing with a signal."""
    scenario = load("ingolstadt1-crossings", cache_dir=cache_dir)
    trajectories, arrivals = tmp_path / "fcd.xml", tmp_path / "persons.xml"
    run_sumo(scenario, f"--fcd-output={trajectories}", f"--personinfo-output={arrivals}", seconds=600)
    crossings = {c for cs in signalised_crossings(scenario.net_file).values() for c in cs}
    crossed = {
        person.get("id")
        for person in defusedxml.ElementTree.parse(trajectories).getroot().iter("person")
        if person.get("edge") in crossings
    }
    arrived = {person.get("id") for person in defusedxml.ElementTree.parse(arrivals).getroot()}
    assert len(arrived) > 10
    assert arrived <= crossed


def test_a_seed_fixes_the_people_byte_for_byte(cache_dir: Path, tmp_path: Path) -> None:
    """Built in two places the files are equal; another seed gives other people on the same network."""

    def files(cache: Path, seed: int) -> tuple[bytes, bytes]:
        scenario = load("cologne1-crossings", cache_dir=cache, seed=seed)
        return scenario.net_file.read_bytes(), scenario.route_files[1].read_bytes()

    net, people = files(cache_dir, 0)
    assert files(tmp_path, 0) == (net, people)
    other_net, other_people = files(cache_dir, 5)
    assert other_net == net
    assert other_people != people


def test_pedestrian_volume_follows_the_parameter(cache_dir: Path) -> None:
    """6 crossings at 100 an hour are 600 persons, give or take four standard deviations of 24.5."""
    scenario = load("cologne1-crossings", cache_dir=cache_dir, params={"pedestrians_per_crossing_h": "100"})
    persons = list(defusedxml.ElementTree.parse(scenario.route_files[1]).getroot().iter("person"))
    departs_s = [float(person.attrib["depart"]) for person in persons]
    assert len(persons) == pytest.approx(600, abs=98)
    assert departs_s == sorted(departs_s)
    assert min(departs_s) >= scenario.begin_s
    assert max(departs_s) < scenario.end_s


def test_the_vehicles_are_those_of_the_original(cache_dir: Path) -> None:
    """The original route file is used where it lies, not copied."""
    original = load("cologne1", cache_dir=cache_dir)
    scenario = load("cologne1-crossings", cache_dir=cache_dir)
    assert scenario.route_files[0] == original.route_files[0]
    assert scenario.licence == original.licence


def test_an_absurd_pedestrian_volume_is_refused(cache_dir: Path) -> None:
    """The message names the parameter and its range."""
    with pytest.raises(ScenarioError, match="pedestrians_per_crossing_h: expected 0 to 1000, found -1"):
        load("cologne1-crossings", cache_dir=cache_dir, params={"pedestrians_per_crossing_h": "-1"})


def test_walks_join_two_sides_of_the_same_junction(crossroads: Scenario) -> None:
    """Four crossings, four corners with two pavements each: 8 x 6 ordered pairs of kerbs.

    At each corner one road in ends and one road out starts; a walk leads to another corner.
    """
    [(signal, walks)] = crossing_walks(crossroads.net_file).items()
    assert signal == "r0c0"
    assert len({(walk.start.edge, walk.goal.edge) for walk in walks}) == 8 * 6

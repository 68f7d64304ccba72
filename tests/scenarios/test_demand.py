"""Demand read from route and additional files, and written again."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import pytest

from greensplit.engine.errors import NetworkError, ScenarioError
from greensplit.scenarios.base import Scenario
from greensplit.scenarios.catalogue import load
from greensplit.scenarios.demand import read_demand, scheduled_rows, with_demand, write_routes

Make = Callable[..., Scenario]
WAY = 'from="west0_r0c0" to="r0c0_east0"'
EDGES = "west0_r0c0 west0_r0c0_bay r0c0_east0"


def departures(scenario: Scenario) -> dict[str, float]:
    """Ids and departures in seconds, in the order of the demand."""
    return {vehicle.vehicle_id: vehicle.depart_s for vehicle in read_demand(scenario, seed=1).vehicles}


def test_only_what_is_due_in_the_window_is_scheduled(make_scenario: Make) -> None:
    """SUMO drops what is due before begin; the end itself is outside."""
    trips = "".join(f'<trip id="t{t}" {WAY} depart="{t}"/>' for t in (0, 99.99, 100, 500, 599.99, 600))
    scenario = make_scenario(trips, begin_s=100, end_s=600)
    assert departures(scenario) == {"t100": 100.0, "t500": 500.0, "t599.99": 599.99}


def test_departures_may_be_clock_times(make_scenario: Make) -> None:
    """HH:MM:SS and D:HH:MM:SS, and the word begin."""
    routes = (
        f'<trip id="a" {WAY} depart="begin"/><trip id="b" {WAY} depart="0:30:00"/>'
        f'<trip id="c" {WAY} depart="0:00:45:30.5"/>'
    )
    assert departures(make_scenario(routes, begin_s=60)) == {"a": 60.0, "b": 1800.0, "c": 2730.5}


def test_vehicles_flows_and_types_of_additional_files_count_too(make_scenario: Make) -> None:
    """The files are read in SUMO's order: additional files first."""
    scenario = make_scenario(
        f'<trip id="t" {WAY} depart="7"/>',
        f'<vType id="tram" vClass="tram"/><flow id="f" type="tram" {WAY} begin="0" end="20" number="2"/>',
    )
    demand = read_demand(scenario, seed=1)
    assert demand.has_flows
    assert demand.must_be_written
    assert scheduled_rows(demand) == [
        ("f.0", "tram", 0.0, True),
        ("t", "DEFAULT_VEHTYPE", 7.0, False),
        ("f.1", "tram", 10.0, True),
    ]


@pytest.mark.parametrize(
    "vehicle",
    [
        f'<vehicle id="v" depart="1" line="12"><route edges="{EDGES}"/></vehicle>',
        f'<vehicle id="v" depart="1"><route edges="{EDGES}"/><stop busStop="s" duration="9"/></vehicle>',
        '<vehicle id="v" depart="1" route="calls"/>',
        f'<vehicle id="v" depart="1" type="citybus"><route edges="{EDGES}"/></vehicle>',
    ],
)
def test_a_line_a_stop_or_a_class_makes_public_transport(vehicle: str, make_scenario: Make) -> None:
    """A line attribute, stops of the vehicle or of its route, or a bus type; a car without them is private."""
    definitions = (
        '<vType id="citybus" vClass="bus"/>'
        f'<route id="calls" edges="{EDGES}"><stop busStop="s" duration="9"/></route>'
    )
    car = f'<trip id="car" {WAY} depart="2"><stop lane="r0c0_east0_1" duration="9"/></trip>'
    demand = read_demand(make_scenario(definitions + vehicle + car), seed=1)
    assert [entry.public_transport for entry in demand.vehicles] == [True, False]


def test_persons_and_containers_are_kept_apart_from_vehicles(make_scenario: Make) -> None:
    """They may even share an id with a vehicle, as in SUMO; a person flow is expanded."""
    routes = (
        f'<trip id="x" {WAY} depart="5"/>'
        '<person id="x" depart="6"><walk from="west0_r0c0" to="r0c0_east0"/></person>'
        '<container id="c" depart="7"><tranship from="west0_r0c0" to="r0c0_east0"/></container>'
        '<personFlow id="p" begin="8" end="28" number="2"><walk from="west0_r0c0" to="r0c0_east0"/></personFlow>'
    )
    demand = read_demand(make_scenario(routes), seed=1)
    assert [vehicle.vehicle_id for vehicle in demand.vehicles] == ["x"]
    assert [(person.person_id, person.depart_s) for person in demand.persons] == [
        ("x", 6.0),
        ("c", 7.0),
        ("p.0", 8.0),
        ("p.1", 18.0),
    ]


def test_what_departs_on_an_occasion_is_kept_and_not_counted(make_scenario: Make) -> None:
    """A triggered vehicle has no scheduled time; the notes say so."""
    routes = f'<trip id="taxi" {WAY} depart="triggered"/><trip id="t" {WAY} depart="5"/>'
    demand = read_demand(make_scenario(routes), seed=1)
    assert [row[0] for row in scheduled_rows(demand)] == ["t"]
    assert [element.get("id") for element in demand.untimed] == ["taxi"]
    assert demand.notes == ("1 without a scheduled time (triggered or split) are kept, not counted",)


def test_a_vehicle_after_a_later_one_is_found_and_reported(make_scenario: Make) -> None:
    """SUMO would ignore b; the demand holds it, in its place, and must be written to take effect."""
    routes = "".join(
        f'<trip id="{name}" {WAY} depart="{t}"/>' for name, t in (("a", 20), ("b", 10), ("c", 30))
    )
    demand = read_demand(make_scenario(routes), seed=1)
    assert [vehicle.vehicle_id for vehicle in demand.vehicles] == ["b", "a", "c"]
    assert demand.unsorted_ids == ("b",)
    assert demand.must_be_written
    assert "SUMO would ignore" in demand.notes[0]


@pytest.mark.parametrize(
    ("routes", "complaint"),
    [
        ('<trip id="t" from="west0_r0c0" to="nowhere" depart="5"/>', "trip 't' uses edge 'nowhere'"),
        (
            '<vehicle id="v" depart="5"><route edges="west0_r0c0 gone"/></vehicle>',
            "vehicle 'v' uses edge 'gone'",
        ),
        ('<route id="r" edges="gone"/>', "route 'r' uses edge 'gone'"),
        (
            '<person id="p" depart="5"><walk from="gone" to="west0_r0c0"/></person>',
            "person 'p' uses edge 'gone'",
        ),
        (
            f'<trip id="t" {WAY} depart="5"><stop lane="gone_1" duration="1"/></trip>',
            "trip 't' uses edge 'gone'",
        ),
        (f'<trip id="t" {WAY} depart="soon"/>', "'t': expected seconds or HH:MM:SS, found 'soon'"),
        (f'<trip id="t" {WAY}/>', "expected a depart time for trip 't', found none"),
        (f'<trip {WAY} depart="5"/>', "expected an id for every trip"),
        (
            f'<trip id="t" {WAY} depart="5"/><trip id="t" {WAY} depart="6"/>',
            "every id once, found trip 't' again",
        ),
        (f'<flow id="f" {WAY} begin="5"/>', "flow 'f': expected number, period, vehsPerHour or probability"),
        ('<include href="more.rou.xml"/>', "found <include>, not supported"),
        (f'<trip id="t" {WAY} depart="5">', "expected well-formed XML"),
        ('<!DOCTYPE r [<!ENTITY a "b">]><x>&a;</x>', "expected well-formed XML"),
    ],
)
def test_a_broken_file_is_refused_naming_file_and_element(
    routes: str, complaint: str, make_scenario: Make
) -> None:
    """One line: the file, who, what was expected and what was found."""
    with pytest.raises(NetworkError) as caught:
        read_demand(make_scenario(routes), seed=1)
    assert complaint in str(caught.value)
    assert "some.rou.xml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_window_names_file_window_and_what_there_is(make_scenario: Make) -> None:
    """Whoever mistook the hour sees which hours the file has."""
    trips = f'<trip id="a" {WAY} depart="20"/><trip id="b" {WAY} depart="90"/>'
    with pytest.raises(ScenarioError) as caught:
        read_demand(make_scenario(trips, begin_s=100, end_s=200), seed=1)
    message = str(caught.value)
    assert "some.rou.xml" in message
    assert "100-200 s" in message
    assert message.endswith("the first departs at 20 s, the last at 90 s")


def test_a_file_without_vehicles_says_so(make_scenario: Make) -> None:
    """No first and last departure to name."""
    with pytest.raises(ScenarioError, match="found none at any time"):
        read_demand(make_scenario(""), seed=1)


def test_written_demand_is_sorted_complete_and_understood_by_sumo(
    make_scenario: Make, run_sumo: Callable[..., Element], tmp_path: Path
) -> None:
    """Types, routes, flows, persons and an unsorted vehicle: SUMO inserts all seven vehicles and both persons."""
    scenario = make_scenario(
        '<vType id="van" maxSpeed="12"/>'
        f'<route id="r" edges="{EDGES}"/>'
        '<vTypeDistribution id="mix"><vType id="m1" probability="0.5"/><vType id="m2" probability="0.5"/>'
        "</vTypeDistribution>"
        '<vehicle id="b" type="van" route="r" depart="50"/>'
        f'<trip id="a" type="mix" {WAY} depart="10"/>'
        f'<flow id="f" {WAY} begin="0" end="90" number="3"/>'
        '<personFlow id="p" begin="0" end="20" number="2"><walk from="west0_r0c0" to="r0c0_east0"/></personFlow>',
        f'<vType id="old" maxSpeed="9"/><flow id="g" type="old" {WAY} begin="5" end="25" number="2"/>'
        '<inductionLoop id="loop" lane="r0c0_east0_1" pos="9" period="60" file="NUL"/>',
        end_s=900,
    )
    demand = read_demand(scenario, seed=1)
    written = with_demand(scenario, demand, tmp_path / "run")
    statistics = run_sumo(written)
    vehicles, persons = statistics.find("vehicles"), statistics.find("persons")
    assert vehicles is not None
    assert persons is not None
    assert vehicles.attrib["inserted"] == "7"
    assert persons.attrib["loaded"] == "2"
    root = defusedxml.ElementTree.fromstring(gzip.decompress(written.route_files[0].read_bytes()))
    departs_s = [float(element.attrib["depart"]) for element in root if element.get("depart")]
    assert departs_s == sorted(departs_s)
    assert len(departs_s) == 9


def test_additional_files_without_demand_stay_where_they_are(make_scenario: Make, tmp_path: Path) -> None:
    """Only a file that holds vehicles must be replaced by a copy without them."""
    scenario = make_scenario(f'<trip id="t" {WAY} depart="5"/>', '<vType id="x"/>')
    written = with_demand(scenario, read_demand(scenario, seed=1), tmp_path / "run")
    assert written.additional_files == scenario.additional_files


def test_equal_demand_gives_equal_bytes_compressed_or_not(make_scenario: Make, tmp_path: Path) -> None:
    """No time stamp is in the archive, and it holds what the plain file holds."""
    demand = read_demand(make_scenario(f'<trip id="t" {WAY} depart="5"/>'), seed=1)
    for name in ("a.rou.xml.gz", "b.rou.xml.gz", "c.rou.xml"):
        write_routes(demand, tmp_path / name)
    assert (tmp_path / "a.rou.xml.gz").read_bytes() == (tmp_path / "b.rou.xml.gz").read_bytes()
    unpacked = gzip.decompress((tmp_path / "a.rou.xml.gz").read_bytes())
    assert unpacked == (tmp_path / "c.rou.xml").read_bytes()


def test_cologne3_schedules_what_is_due_after_its_early_vehicles(cache_dir: Path) -> None:
    """4494 vehicles in the file, of which 1638 are due before 25200 s: 2856 remain."""
    demand = read_demand(load("cologne3", cache_dir=cache_dir), seed=0)
    assert len(demand.vehicles) == 2856
    assert demand.vehicles[0].depart_s >= 25200
    assert not demand.must_be_written

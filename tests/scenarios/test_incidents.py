"""Lists of incidents, written, read and refused, and surges of demand."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import pytest

from greensplit.engine.errors import ScenarioError
from greensplit.scenarios.incidents import (
    Incident,
    IncidentKind,
    read_incidents,
    with_surges,
    write_incidents,
)
from greensplit.scenarios.records import Demand, ScheduledVehicle

STALLED = Incident("0", IncidentKind.STALLED, "ab_0", 40.0, 60, 400, "xa ab bc", 45)
SURGE = Incident("1", IncidentKind.SURGE, "", 0.0, 100, 200, "ab", 100, 3.0)


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    """CSV, with a heading."""
    write_incidents([STALLED, SURGE], tmp_path / "list.csv")
    assert read_incidents(tmp_path / "list.csv") == (STALLED, SURGE)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("stalled", "exploded", "line 2: expected an incident"),
        ("40.0", "far", "line 2: expected an incident"),
        ("60,400", "400,60", "expected start_s before end_s, found 400, 60"),
        ("position_m", "position", "expected columns id, kind, lane, position_m"),
        (",1.0", ",-1.0", "factor of 0 or more"),
    ],
)
def test_a_broken_list_is_refused_with_its_line(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    """And what was expected."""
    path = tmp_path / "list.csv"
    write_incidents([STALLED], path)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ScenarioError, match=complaint):
        read_incidents(path)


def test_a_missing_list_is_refused(tmp_path: Path) -> None:
    """By path."""
    with pytest.raises(ScenarioError, match=r"none\.csv: expected a list"):
        read_incidents(tmp_path / "none.csv")


def vehicle(name: str, depart_s: float, edges: str) -> ScheduledVehicle:
    """A car."""
    element = Element("vehicle", {"id": name, "depart": f"{depart_s:.2f}"})
    SubElement(element, "route", {"edges": edges})
    return ScheduledVehicle(name, depart_s, "car", False, element)


def demand() -> Demand:
    """Ten cars a second apart from 100 s on from ab, one from cd, one before the time."""
    cars = [vehicle("early", 50.0, "ab bc"), vehicle("other", 150.0, "cd")]
    cars += [vehicle(f"v{i}", 100.0 + i, "ab bc") for i in range(10)]
    return Demand(0, 300, tuple(sorted(cars, key=lambda v: v.depart_s)), (), (), (), False, (), ())


def test_a_surge_of_three_makes_three_of_each_vehicle_of_that_entry_and_time() -> None:
    """30 cars, due within the time, in order, with ids of their own; the other two are as they were."""
    found = with_surges(demand(), [SURGE], seed=0).vehicles
    surged = [v for v in found if v.vehicle_id not in ("early", "other")]
    assert len(surged) == 30
    assert len({v.vehicle_id for v in found}) == 32
    assert all(100.0 <= v.depart_s < 200.0 for v in surged)
    assert [v.depart_s for v in found] == sorted(v.depart_s for v in found)
    assert all(float(v.element.attrib["depart"]) == v.depart_s for v in found)
    assert all(v.element.attrib["id"] == v.vehicle_id for v in found)


def test_a_surge_of_nothing_keeps_everybody_out_and_a_seed_decides_the_same() -> None:
    """Factor 0: nobody of that entry; the same seed, the same times."""
    none = with_surges(
        demand(), [Incident("1", IncidentKind.SURGE, "", 0.0, 100, 200, "ab", 100, 0.0)], seed=0
    )
    assert [v.vehicle_id for v in none.vehicles] == ["early", "other"]
    twice = [[v.depart_s for v in with_surges(demand(), [SURGE], seed=s).vehicles] for s in (3, 3, 4)]
    assert twice[0] == twice[1] != twice[2]

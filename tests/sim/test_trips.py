"""Trip figures: from hand-made tables, and against what SUMO itself wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import polars as pl
import pytest

from greensplit.sim.spec import RunSpec
from greensplit.sim.trips import read_tripinfo, summarise, trip_table

END_S = 25_500
PETROL_KG_PER_L = 0.742

TRIPINFO = """<tripinfos>
    <tripinfo id="a" depart="10.00" departDelay="2.50" arrival="60.00" duration="50.00" routeLength="500.00"
              waitingTime="12.00" waitingCount="2" timeLoss="20.00" vType="car">
        <emissions CO2_abs="200000.00" fuel_abs="74200.00"/>
    </tripinfo>
    <tripinfo id="b" depart="-1" departDelay="80.00" arrival="-1.00" duration="0.00" routeLength="0.00"
              waitingTime="0.00" waitingCount="0" timeLoss="0.00" vType="car" vaporized="end">
        <emissions CO2_abs="0.00" fuel_abs="0.00"/>
    </tripinfo>
    <tripinfo id="c" depart="40.00" departDelay="0.00" arrival="-1.00" duration="60.00" routeLength="300.00"
              waitingTime="30.00" waitingCount="1" timeLoss="45.00" vType="truck" vaporized="end">
        <emissions CO2_abs="500000.00" fuel_abs="167200.00"/>
    </tripinfo>
    <tripinfo id="unplanned" depart="1.00" departDelay="0.00" arrival="9.00" duration="8.00" routeLength="80.00"
              waitingTime="0.00" waitingCount="0" timeLoss="1.00" vType="car">
        <emissions CO2_abs="1.00" fuel_abs="1.00"/>
    </tripinfo>
</tripinfos>"""
CLASSES = {"car": "HBEFA4/PC_petrol_Euro-4", "truck": "HBEFA3/HDV_D_EU4"}


@pytest.fixture
def tripinfo(tmp_path: Path) -> Path:
    """Three planned vehicles, of which b never entered and c is still under way, and one that was not planned."""
    path = tmp_path / "tripinfo.xml"
    path.write_text(TRIPINFO)
    return path


@pytest.fixture
def table(tripinfo: Path) -> pl.DataFrame:
    """The hand-made trips, for a run that ended at 100 s."""
    scheduled = pl.DataFrame(
        {"vehicle_id": ["a", "b", "c"], "kind": ["car", "car", "truck"], "depart_s": [7.5, 20.0, 40.0]}
    )
    return trip_table(scheduled, read_tripinfo(tripinfo), 100.0, CLASSES)


def test_a_vehicle_that_never_entered_leaves_the_fuel_of_others_alone(tripinfo: Path) -> None:
    """SUMO writes zero emissions for b, right behind those of a."""
    trips = read_tripinfo(tripinfo)
    assert trips["vehicle_id"].to_list() == ["a", "c", "unplanned"]
    assert trips["fuel_mg"].to_list() == [74200.0, 167200.0, 1.0]


def test_corrected_delay_charges_everything_after_the_planned_departure(table: pl.DataFrame) -> None:
    """a: 20 s lost + 2.5 s late; b: due at 20 s, never entered until 100 s; c: 45 s lost so far."""
    assert table["vehicle_id"].to_list() == ["a", "b", "c"]
    assert table["corrected_delay_s"].to_list() == [22.5, 80.0, 45.0]
    assert table["arrival_s"].to_list() == [60.0, None, None]


def test_fuel_is_litres_by_the_density_of_petrol_or_diesel(table: pl.DataFrame) -> None:
    """74.2 g of petrol at 0.742 kg/l and 167.2 g of diesel at 0.836 kg/l are 0.1 and 0.2 l; b burnt none."""
    assert table["fuel_l"].to_list() == pytest.approx([0.1, 0.0, 0.2])
    assert table["co2_kg"].to_list() == pytest.approx([0.2, 0.0, 0.5])


def test_the_summary_of_a_hand_made_table(table: pl.DataFrame) -> None:
    """Delay (22.5 + 80 + 45) / 3; trip time (50 + 60) / 2; speed 800 m in 50 + 2.5 + 60 + 80 s."""
    assert summarise(table, 100.0) == {
        "scheduled": 3,
        "departed": 2,
        "arrived": 1,
        "never_departed": 1,
        "corrected_delay_s": pytest.approx(49.1667, abs=1e-4),
        "trip_time_s": 55.0,
        "waiting_s": 21.0,
        "stops": 1.5,
        "speed_kmh": pytest.approx(3.6 * 800.0 / 192.5, abs=1e-3),
        "fuel_l": pytest.approx(0.3),
        "co2_kg": pytest.approx(0.7),
    }


@pytest.mark.parametrize(
    ("emission_class", "litres"),
    [
        ("HBEFA3/PC_G_EU4", 1 / 0.742),
        ("HBEFA3/PC_D_EU4", 1 / 0.836),
        ("HBEFA4/PC_diesel_Euro-6ab", 1 / 0.836),
        ("HBEFA3/Bus", 1 / 0.836),
        ("HBEFA4/PC_BEV", 0.0),
        ("Energy/unknown", 0.0),
        ("Zero/default", 0.0),
    ],
)
def test_one_kilogram_of_fuel_in_litres(tmp_path: Path, emission_class: str, litres: float) -> None:
    """Petrol 0.742 kg/l, diesel 0.836 kg/l, none where the vehicle runs on electricity."""
    path = tmp_path / "t.xml"
    path.write_text(TRIPINFO.replace('fuel_abs="74200.00"', 'fuel_abs="1000000.00"'))
    scheduled = pl.DataFrame({"vehicle_id": ["a"], "kind": ["car"], "depart_s": [7.5]})
    table = trip_table(scheduled, read_tripinfo(path), 100.0, {"car": emission_class, "truck": "Zero"})
    assert table["fuel_l"].item() == pytest.approx(litres)


def test_nothing_scheduled_gives_zeros_and_no_division_by_zero(tripinfo: Path) -> None:
    """After a warm-up in which everything departed nothing is left to measure."""
    none = pl.DataFrame(schema={"vehicle_id": pl.String, "kind": pl.String, "depart_s": pl.Float64})
    summary = summarise(trip_table(none, read_tripinfo(tripinfo), 100.0, CLASSES), 100.0)
    assert set(summary.values()) == {0}


@pytest.fixture(scope="module")
def overloaded(close_loop: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Five minutes of Cologne with five times its demand: not everybody gets in."""
    spec = RunSpec("cologne1", "lookahead", seed=3, demand_seed=1, scale=5.0, end_s=END_S)
    return close_loop(spec, tmp_path_factory.mktemp("overloaded"))


@pytest.fixture(scope="module")
def written(overloaded: Any) -> list[Element]:
    """SUMO's trip output, read by the standard parser."""
    root = defusedxml.ElementTree.parse(overloaded.folder / "tripinfo.xml").getroot()
    return list(root.iter("tripinfo"))


def test_sumo_agrees_on_who_never_departed(overloaded: Any, written: list[Element]) -> None:
    """SUMO's own entries of vehicles due before the end and not inserted (depart -1) are the ones we charge."""
    table = overloaded.trips()
    never = set(table.filter(pl.col("depart_s").is_null())["vehicle_id"])
    due = {row["vehicle_id"]: row["depart_s"] for row in overloaded.scheduled().iter_rows(named=True)}
    undeparted = {trip.attrib["id"] for trip in written if float(trip.attrib["depart"]) < 0}
    assert len(never) > 50
    assert undeparted <= never
    # SUMO has not yet tried to insert those due in the very last second
    assert all(due[name] > END_S - 1 for name in never - undeparted)


def test_metrics_follow_from_the_trip_output_alone(overloaded: Any, written: list[Element]) -> None:
    """Every figure again, from SUMO's entries and the list of departures, in plain Python."""
    due = {row["vehicle_id"]: row["depart_s"] for row in overloaded.scheduled().iter_rows(named=True)}
    entered = [trip for trip in written if float(trip.attrib["depart"]) >= 0]
    outside_s = [END_S - due[name] for name in set(due) - {trip.attrib["id"] for trip in entered}]

    def total(name: str) -> float:
        return sum(float(trip.attrib[name]) for trip in entered)

    def burnt(name: str) -> float:
        return sum(float(e.attrib[name]) for trip in entered for e in trip.iter("emissions"))

    found = summarise(overloaded.trips(), END_S)
    time_s = total("duration") + total("departDelay") + sum(outside_s)
    assert found == {
        "scheduled": len(due),
        "departed": len(entered),
        "arrived": sum(float(trip.attrib["arrival"]) >= 0 for trip in entered),
        "never_departed": len(outside_s),
        "corrected_delay_s": pytest.approx(
            (total("timeLoss") + total("departDelay") + sum(outside_s)) / len(due), abs=1e-3
        ),
        "trip_time_s": pytest.approx(total("duration") / len(entered), abs=1e-3),
        "waiting_s": pytest.approx(total("waitingTime") / len(entered), abs=1e-3),
        "stops": pytest.approx(total("waitingCount") / len(entered), abs=1e-3),
        "speed_kmh": pytest.approx(3.6 * total("routeLength") / time_s, abs=1e-3),
        "fuel_l": pytest.approx(burnt("fuel_abs") * 1e-6 / PETROL_KG_PER_L, abs=1e-3),
        "co2_kg": pytest.approx(burnt("CO2_abs") * 1e-6, abs=1e-3),
    }


def test_everybody_is_counted_once(overloaded: Any) -> None:
    """Arrived, under way and outside together are all that were scheduled."""
    table = overloaded.trips()
    assert table["vehicle_id"].is_unique().all()
    assert set(table["vehicle_id"]) == set(overloaded.scheduled()["vehicle_id"])


def test_the_planned_departure_is_the_moment_from_which_sumo_counts(overloaded: Any) -> None:
    """Departure minus SUMO's delay is the scheduled time, to SUMO's hundredth of a second."""
    table = overloaded.trips().filter(pl.col("depart_s").is_not_null())
    gap = table["depart_s"] - table["depart_delay_s"] - table["scheduled_depart_s"]
    assert abs(gap).max() <= 0.011


def test_the_warm_up_is_run_and_not_measured(
    close_loop: Callable[..., Any], tmp_path: Path, written: list[Element]
) -> None:
    """With a minute of warm-up, vehicles due before its end are absent from the measures."""
    spec = RunSpec("cologne1", "fixed", end_s=25_320, warmup_s=60)
    closed = close_loop(spec, tmp_path)
    table = closed.trips()
    planned = closed.scheduled()["depart_s"]
    assert planned.min() < 25_260
    assert table.height == int((planned >= 25_260).sum())
    assert written

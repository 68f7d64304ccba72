"""Resampled demand: expected volume, profile over time, and what must not change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greensplit.engine.errors import ScenarioError
from greensplit.scenarios.base import Scenario
from greensplit.scenarios.demand import Demand, ScheduledPerson, ScheduledVehicle, read_demand, resample

BINS_S = np.arange(0, 3601, 600)


def demand_of(departs_s: list[float], *, public: bool = False) -> Demand:
    """Vehicles v0, v1 ... at given seconds in an hour from 0."""
    vehicles = tuple(
        ScheduledVehicle(f"v{n}", t, "car", public, Element("trip", {"id": f"v{n}", "depart": str(t)}))
        for n, t in enumerate(departs_s)
    )
    return Demand(0, 3600, vehicles, (), (), (), has_flows=False, unsorted_ids=(), notes=())


def peaked(number: int) -> Demand:
    """``number`` vehicles whose density falls linearly from the begin to nothing at the end."""
    quantiles = (np.arange(number) + 0.5) / number
    return demand_of((3600 * (1 - np.sqrt(1 - quantiles))).tolist())


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.3])
def test_the_expected_volume_is_scale_times_the_original(scale: float) -> None:
    """The sum of n Poisson(scale) is Poisson(n scale): mean and variance over 60 seeds are both n scale."""
    demand = peaked(1000)
    volumes = [len(resample(demand, demand_seed=seed, scale=scale).vehicles) for seed in range(60)]
    expected = 1000 * scale
    assert np.mean(volumes) == pytest.approx(expected, abs=4 * np.sqrt(expected / 60))
    # The variance of 60 draws has a relative standard deviation of sqrt(2/59) = 0.18.
    assert np.var(volumes) / expected == pytest.approx(1.0, abs=0.74)


def test_the_profile_over_time_is_preserved() -> None:
    """A linear fall from 0 to 3600 s puts 11, 9, 7, 5, 3 and 1 thirty-sixths into the six ten-minute bins.

    Jitter of 150 s, reflected at the ends, does not change a linear density inside; at the begin it folds
    150 s onto themselves, which stays within the first bin.
    """
    demand = peaked(2000)
    departs_s = np.concatenate(
        [[v.depart_s for v in resample(demand, demand_seed=s, scale=1.0).vehicles] for s in range(40)]
    )
    counts = np.histogram(departs_s, BINS_S)[0] / 40
    expected = 2000 * np.array([11, 9, 7, 5, 3, 1]) / 36
    assert np.abs(counts - expected).max() < 4 * np.sqrt(expected.max() / 40) + 0.01 * expected.max()


def test_departures_move_evenly_within_150_seconds() -> None:
    """In mid-window: uniform on 1650 to 1950, so mean 1800 and standard deviation 300 / sqrt(12) = 86.6 s."""
    demand = demand_of([1800.0] * 4000)
    departs_s = np.array([v.depart_s for v in resample(demand, demand_seed=1, scale=1.0).vehicles])
    assert departs_s.min() >= 1650
    assert departs_s.max() <= 1950
    assert departs_s.mean() == pytest.approx(1800, abs=6)
    assert departs_s.std() == pytest.approx(86.6, abs=3)


@pytest.mark.parametrize(
    ("original_s", "lowest_s", "highest_s"), [(0.0, 0.0, 150.0), (3599.99, 3449.9, 3600.0)]
)
def test_departures_are_reflected_at_the_ends(original_s: float, lowest_s: float, highest_s: float) -> None:
    """At the very end of the window |uniform(-150, 150)| remains: mean 75 s from the end, none outside."""
    copies = resample(demand_of([original_s] * 4000), demand_seed=1, scale=1.0).vehicles
    departs_s = np.array([vehicle.depart_s for vehicle in copies])
    assert departs_s.min() >= lowest_s
    assert departs_s.max() < highest_s
    assert np.abs(departs_s - original_s).mean() == pytest.approx(75, abs=4)


@given(
    st.lists(st.floats(0, 3599.99), min_size=1, max_size=40),
    st.integers(0, 2**32),
    st.floats(0.1, 4.0),
    st.sampled_from([1, 60, 200, 3600]),
)
def test_copies_are_sorted_unique_inside_the_window_and_near_their_original(
    departs_s: list[float], seed: int, scale: float, length_s: int
) -> None:
    """Also for windows shorter than the jitter; the XML element says the same as the record."""
    demand = replace(demand_of([t % length_s for t in departs_s]), end_s=length_s)
    copies = resample(demand, demand_seed=seed, scale=scale).vehicles
    times_s = [copy.depart_s for copy in copies]
    originals = {vehicle.vehicle_id: vehicle.depart_s for vehicle in demand.vehicles}
    assert times_s == sorted(times_s)
    assert len({copy.vehicle_id for copy in copies}) == len(copies)
    for copy in copies:
        assert 0 <= copy.depart_s < length_s
        assert abs(copy.depart_s - originals[copy.vehicle_id.split("#")[0]]) <= 150.02
        assert copy.element.get("id") == copy.vehicle_id
        assert float(copy.element.attrib["depart"]) == pytest.approx(copy.depart_s, abs=1e-6)


def test_a_seed_fixes_the_result_and_another_changes_it() -> None:
    """Ids and times agree for equal seeds only, and the original is left as it was."""

    def drawn(seed: int) -> list[tuple[str, float]]:
        return [(v.vehicle_id, v.depart_s) for v in resample(demand, demand_seed=seed, scale=1.0).vehicles]

    demand = peaked(50)
    before = [(v.vehicle_id, v.depart_s, dict(v.element.attrib)) for v in demand.vehicles]
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert [(v.vehicle_id, v.depart_s, dict(v.element.attrib)) for v in demand.vehicles] == before


def test_public_transport_keeps_its_timetable() -> None:
    """Whatever the scale, every bus is there once, at its time."""
    demand = demand_of([100.0, 700.0, 1300.0], public=True)
    assert resample(demand, demand_seed=9, scale=3.0).vehicles == demand.vehicles


def test_persons_are_resampled_the_same_way() -> None:
    """2000 persons at scale 1.2 are 2400, give or take four standard deviations of 49, within 150 s."""
    persons = tuple(
        ScheduledPerson(f"p{n}", 1800.0, Element("person", {"id": f"p{n}", "depart": "1800"}))
        for n in range(2000)
    )
    drawn = resample(replace(demand_of([1.0]), persons=persons), demand_seed=3, scale=1.2).persons
    assert len(drawn) == pytest.approx(2400, abs=196)
    assert all(1650 <= person.depart_s <= 1950 for person in drawn)


def test_a_vehicle_that_a_person_rides_by_name_stays_with_its_person(
    make_scenario: Callable[..., Scenario],
) -> None:
    """Neither is renamed, so the ride still finds its car; the other car is drawn anew."""
    way = 'from="west0_r0c0" to="r0c0_east0"'
    routes = (
        f'<trip id="mine" {way} depart="5"/><trip id="other" {way} depart="5"/>'
        f'<person id="me" depart="4"><ride {way} lines="mine"/></person>'
    )
    demand = read_demand(make_scenario(routes), seed=1)
    for seed in range(20):
        drawn = resample(demand, demand_seed=seed, scale=1.0)
        assert ("mine", 5.0) in [(v.vehicle_id, v.depart_s) for v in drawn.vehicles]
        assert [(p.person_id, p.depart_s) for p in drawn.persons] == [("me", 4.0)]
        assert "other" not in [v.vehicle_id for v in drawn.vehicles]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_no_positive_number_is_refused(scale: float) -> None:
    """The message gives the number."""
    with pytest.raises(ScenarioError, match=f"scale: expected a positive number, found {scale}"):
        resample(peaked(3), demand_seed=1, scale=scale)

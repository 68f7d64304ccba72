"""From demand to plans: valid, better than what was there, at the right times of day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.engine.errors import ModelError
from greensplit.engine.model.site import Ring, RingStep, Site
from greensplit.engine.model.toml import site_from_toml, site_to_toml
from greensplit.engine.model.validate import validate
from greensplit.engine.plans.approaches import lane_volumes
from greensplit.engine.plans.changes import StageMachine, plan_aspects
from greensplit.engine.plans.demand import Demand, spread_turns
from greensplit.engine.plans.retime import Retiming, retime
from greensplit.engine.plans.sequences import candidate_sequences
from greensplit.engine.plans.summary import summarise_plans
from greensplit.engine.plans.timing import JunctionTimer

from ..kernels.sites import left_turn, site
from .streets import CROSS, EAST, F64, arterial, crossing

QUARTERS = 16


def demand_of(city: Site, main: F64, side: F64) -> Demand:
    """(P,) vehicles a quarter of an hour on each main approach and on each side street, from 6:00."""
    counts = np.column_stack([main, main, side])
    groups = {junction.id: counts for junction in city.junctions}
    return Demand(21_600, 900, groups, spread_turns(city, groups))


@pytest.fixture(scope="module")
def morning() -> tuple[Site, Retiming]:
    """Three junctions: two quiet hours, then two busy ones; the deployed plan favours the side street."""
    city = arterial(3)
    main = np.repeat([60.0, 150.0], QUARTERS // 2)
    return city, retime(city, demand_of(city, main, main / 3.0))


def test_the_day_is_cut_where_the_demand_changes(morning: tuple[Site, Retiming]) -> None:
    """Two hours from 6:00, and the rest."""
    assert morning[1].day_plan == ((21_600, "P1"), (28_800, "P2"))


def test_plans_are_valid_and_are_what_the_machine_shows(morning: tuple[Site, Retiming]) -> None:
    """The site passes validation and TOML with its plans behind the deployed one; each cycle is what its steps take."""
    made = morning[1].site
    assert validate(made) == []
    assert site_from_toml(site_to_toml(made)) == made
    for junction in made.junctions:
        assert [plan.name for plan in junction.plans] == ["0", "P1", "P2"]
        for plan in junction.plans[1:]:
            assert len(plan_aspects(made, junction, plan)) * 1000 == plan.cycle_ms
            assert plan.coordinated == plan.steps[0].stage
            assert 0 <= plan.offset_ms < plan.cycle_ms


def test_plans_cost_less_than_a_bad_one(morning: tuple[Site, Retiming]) -> None:
    """The deployed plan gives three quarters of the green to a quarter of the traffic."""
    for part in summarise_plans(morning[1])["parts"]:
        assert part["delay_after_s"] < 0.5 * part["delay_before_s"]
        assert all(row["saturation_after"] < row["saturation_before"] for row in part["junctions"])
        assert all(row["saturation_after"] < 0.9 for row in part["junctions"])


def test_the_same_demand_gives_the_same_plans(morning: tuple[Site, Retiming]) -> None:
    """Bit for bit."""
    city, made = morning
    main = np.repeat([60.0, 150.0], QUARTERS // 2)
    assert retime(city, demand_of(city, main, main / 3.0)).site == made.site


def test_demand_of_other_groups_is_refused() -> None:
    """Two columns for three groups."""
    city = arterial(2)
    demand = Demand(0, 900, {j.id: np.ones((4, 2)) for j in city.junctions}, {})
    with pytest.raises(ModelError, match="junction J1: expected demand of its 3 groups, found 2"):
        retime(city, demand)


def test_a_junction_with_several_rings_is_refused() -> None:
    """Its plans name ring steps, not stages."""
    city = arterial(1)
    rings = tuple(Ring((RingStep(name, (n,)),)) for name, n in (("A", 1), ("B", 2)))
    ringed = replace(city, junctions=(replace(city.junctions[0], rings=rings),))
    with pytest.raises(ModelError, match="junction J1: expected a junction that runs stages, found 2 rings"):
        retime(ringed, demand_of(ringed, np.ones(4), np.ones(4)))


def test_without_any_traffic_there_are_still_plans() -> None:
    """Nobody comes: every group keeps its minimum green."""
    city = arterial(2)
    made = retime(city, demand_of(city, np.zeros(4), np.zeros(4)))
    assert validate(made.site) == []


def test_a_plan_whose_cycle_is_not_what_its_steps_take_is_refused() -> None:
    """The deployed plan says 90 s, as it is; 80 it is not."""
    city = arterial(1)
    junction = city.junctions[0]
    assert len(plan_aspects(city, junction, junction.plans[0])) == 90
    wrong = replace(junction.plans[0], cycle_ms=80_000)
    with pytest.raises(ModelError, match="expected a cycle of 80000 ms, found that its steps take 90000"):
        plan_aspects(city, junction, wrong)


def test_sequences_serve_every_group() -> None:
    """A left turn that no program serves: derived stages are taken in; else only the deployed ones."""
    turn = left_turn().junctions[0]
    timer = JunctionTimer(StageMachine(site(turn), turn), np.full(3, 100.0))
    for order in candidate_sequences(turn, timer.lanes):
        assert {n for i in order for n in turn.stages[i].green} == {1, 2, 3}
    stages = tuple(replace(stage, deployed=stage.name == "C") for stage in turn.stages)
    bare = replace(turn, stages=stages)
    orders = candidate_sequences(bare, timer.lanes)
    assert orders
    assert all({n for i in order for n in bare.stages[i].green} == {1, 2, 3} for order in orders)


def test_a_long_minimum_green_is_kept() -> None:
    """The side street's 20 s, though hardly anybody comes."""
    city = arterial(1)
    slow = replace(city.junctions[0].groups[CROSS - 1], min_green_ms=20_000)
    junction = replace(city.junctions[0], groups=(*city.junctions[0].groups[:2], slow))
    made = retime(replace(city, junctions=(junction,)), demand_of(city, np.full(4, 150.0), np.ones(4)))
    steps = {step.stage: step.green_ms for step in made.site.junctions[0].plans[-1].steps}
    assert steps["S2"] == 20_000


def test_lanes_of_a_group_share_its_vehicles() -> None:
    """Group 1 on two lanes, one of them shared with group 2: 600 and 200 vehicles make 400 on each."""
    base = crossing(1)
    lanes = (
        replace(base.lanes[0], groups=(1,)),
        replace(base.lanes[1], groups=(1, 2)),
        base.lanes[2],
    )
    volume = lane_volumes(replace(base, lanes=lanes), np.array([600.0, 200.0, 50.0]))
    assert volume.sum(axis=1) == pytest.approx([400.0, 400.0, 50.0])
    assert volume.sum(axis=0) == pytest.approx([600.0, 200.0, 50.0])


def test_turns_are_spread_in_proportion_where_only_groups_are_counted() -> None:
    """All eastbound of J1 goes to the lane of J2's eastbound group, no more than comes there."""
    city = arterial(2)
    groups = {"J1": np.array([[100.0, 0.0, 0.0]]), "J2": np.array([[80.0, 40.0, 0.0]])}
    turns = spread_turns(city, groups)
    assert turns["J1", EAST, "J2", EAST] == pytest.approx([80.0])

"""Timing plans in the real SUMO: it takes the programs, changes between them, and the interlock finds nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from greensplit.engine.model.site import Site
from greensplit.engine.plans.demand import Demand, spread_turns
from greensplit.engine.plans.retime import Retiming, retime
from greensplit.scenarios.xmlio import tree
from greensplit.sim.network import Network, read_network
from greensplit.sim.plan_files import write_plan_programs
from greensplit.sim.prepare import load_scenario, load_site
from greensplit.sim.scheduled_demand import count_scheduled
from greensplit.sim.spec import RunSpec

from .conftest import CloseLoop

STARTED_MS = 120_000
CHANGE_S, END_S = 400, 900


def town_spec(town: Path, routes: Path, *additional: Path) -> RunSpec:
    """The town of the tests of sim, under its own programs or those of ``additional``."""
    return RunSpec(
        "town", controller="fixed", net=town, routes=(routes,), additional=additional, begin_s=0, end_s=END_S
    )


def plan_town(spec: RunSpec) -> tuple[Site, Network, Retiming]:
    """Two plans for traffic that is busy on one street, then on the other."""
    scenario = load_scenario(spec)
    network = read_network(scenario.net_file)
    site = load_site(spec, scenario, network)
    waves = np.repeat([[1.0], [0.2]], 4, axis=0)
    groups = {}
    for junction in site.junctions:
        counts = np.tile(50.0 * waves, (1, len(junction.groups)))
        counts[:, ::2] = counts[::-1, ::2]
        groups[junction.id] = counts
    return site, network, retime(site, Demand(0, 900, groups, spread_turns(site, groups)))


def test_sumo_runs_the_plans_and_changes_between_them_safely(
    close_loop: CloseLoop, town: Path, routes: Path, tmp_path: Path
) -> None:
    """From the second minute on, lamps and the change from P1 to P2 keep every rule that the interlock knows."""
    spec = town_spec(town, routes)
    site, _, made = plan_town(spec)
    assert len(made.parts) == 2
    path = tmp_path / "plans.add.xml"
    write_plan_programs(made.site, ((0, "P1"), (CHANGE_S, "P2")), path)
    closed = close_loop(town_spec(town, routes, path), tmp_path / "run")
    late = [refusal for refusal in closed.outcome.loop.refusals if refusal.t_ms > STARTED_MS]
    assert late == []
    assert not closed.outcome.partial
    assert len(closed.outcome.loop.events.rows()) > 100 * len(site.junctions)


def test_programs_hold_every_plan_once_with_its_cycle(town: Path, routes: Path, tmp_path: Path) -> None:
    """A program per junction and plan, as long as its cycle; nothing conflicts in any state."""
    _, _, made = plan_town(town_spec(town, routes))
    path = tmp_path / "plans.add.xml"
    write_plan_programs(made.site, made.day_plan, path)
    logics = tree(path).findall("tlLogic")
    plans = {(j.id, p.name): p for j in made.site.junctions for p in j.plans}
    assert [(logic.get("id"), logic.get("programID")) for logic in logics] == [
        (junction.id, part.name) for junction in made.site.junctions for part in made.parts
    ]
    for logic in logics:
        phases = logic.findall("phase")
        plan = plans[logic.attrib["id"], logic.attrib["programID"]]
        assert sum(int(phase.attrib["duration"]) for phase in phases) * 1000 == plan.cycle_ms
        junction = next(j for j in made.site.junctions if j.id == logic.get("id"))
        assert {len(phase.attrib["state"]) for phase in phases} == {len(junction.idle_lamps)}
        _must_not_conflict(made.site, logic.attrib["id"], [phase.attrib["state"] for phase in phases])


def _must_not_conflict(site: Site, name: str, states: list[str]) -> None:
    junction = next(j for j in site.junctions if j.id == name)
    lamp = {group.number: group.lamps[0] for group in junction.groups}
    for meeting in junction.meetings:
        if meeting.kind == "conflict":
            for state in states:
                shown = {state[lamp[meeting.first]], state[lamp[meeting.second]]}
                assert not shown <= {"G", "g"}, (meeting, state)


def test_one_plan_needs_no_timetable(town: Path, routes: Path, tmp_path: Path) -> None:
    """SUMO runs the only one."""
    _, _, made = plan_town(town_spec(town, routes))
    path = tmp_path / "plans.add.xml"
    write_plan_programs(made.site, made.day_plan[:1], path)
    assert tree(path).findall("WAUT") == []


def test_scheduled_vehicles_are_counted_at_the_groups_that_they_pass(town: Path, routes: Path) -> None:
    """Ten cars on each of six ways in 200 s, flows without routes: all 60 pass the light c."""
    spec = town_spec(town, routes)
    scenario = load_scenario(spec)
    network = read_network(scenario.net_file)
    site = load_site(spec, scenario, network)
    demand = count_scheduled(scenario, network, site, seed=0)
    counted = next(counts for name, counts in demand.groups.items() if name == "c")
    vehicles = [g.number - 1 for j in site.junctions if j.id == "c" for g in j.groups if g.kind == "vehicle"]
    assert counted[:, vehicles].sum() == pytest.approx(60.0)
    assert demand.period_s == 900
    later = count_scheduled(replace(scenario, end_s=100), network, site, seed=0)
    assert later.groups["c"][:, vehicles].sum() < 60.0

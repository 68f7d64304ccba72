"""Derived plans fit their junctions: what the program makes too short is made up for, and said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from greensplit.engine.model.site import Junction, Plan, PlanStep, Site
from greensplit.engine.model.validate import validate
from greensplit.sim.derive.fit import fit_plans

from ...engine.kernels.sites import crossroads


def with_plan(cycle_ms: int, *greens_ms: int) -> Junction:
    """The crossroads (minimum greens 5 s, changes of 5 and 7 s) with a plan of stages S1 and S2."""
    steps = tuple(PlanStep(f"S{i}", ms) for i, ms in enumerate(greens_ms, start=1))
    return replace(crossroads().junctions[0], plans=(Plan("day", cycle_ms, 0, steps),))


@pytest.mark.parametrize(
    ("cycle_ms", "greens_ms", "fitted_cycle_ms", "fitted_greens_ms", "note"),
    [
        (60_000, (30_000, 18_000), 60_000, [30_000, 18_000], ""),
        (60_000, (30_000, 20_000), 60_000, [28_000, 20_000], "2 s of the green of S1 taken"),
        (15_000, (6000, 6000), 24_000, [6000, 6000], "cycle of 24 s instead of 15 s"),
        (60_000, (40_000, 3000), 60_000, [40_000, 5000], "minimum green of group 2 given"),
    ],
)
def test_a_plan_that_does_not_fit_is_made_to(
    cycle_ms: int, greens_ms: tuple[int, int], fitted_cycle_ms: int, fitted_greens_ms: list[int], note: str
) -> None:
    """Two seconds too much come off the longest green; where that is too short, the cycle grows; minimums are kept."""
    junction, notes = fit_plans(with_plan(cycle_ms, *greens_ms))
    (plan,) = junction.plans
    assert plan.cycle_ms == fitted_cycle_ms
    assert [step.green_ms for step in plan.steps] == fitted_greens_ms
    assert len(notes) == bool(note)
    assert note in "".join(notes)
    assert validate(Site("fitted", (junction,))) == []


def test_a_plan_without_steps_stays_as_it_is() -> None:
    """A program of which no state is a stage."""
    junction = with_plan(30_000)
    assert fit_plans(junction) == (junction, [])

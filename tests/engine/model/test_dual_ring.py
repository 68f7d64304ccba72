"""NEMA junctions: who meets whom, worked out on paper for a crossing, and rules that hold for any set of phases."""

from __future__ import annotations

import doctest
from itertools import combinations, permutations
from typing import Any

import pytest

from greensplit.engine.errors import ModelError
from greensplit.engine.model import dual_ring as module
from greensplit.engine.model import nema_phases
from greensplit.engine.model.dual_ring import Overlap, Phase, dual_ring, ring_order
from greensplit.engine.model.site import (
    GroupKind,
    Junction,
    Meeting,
    MeetingKind,
    Plan,
    PlanStep,
    Preempt,
    Site,
)
from greensplit.engine.model.toml import site_from_toml, site_to_toml
from greensplit.engine.model.validate import validate

from .nema import random_junction

CONFLICT, PERMISSIVE = MeetingKind.CONFLICT, MeetingKind.PERMISSIVE
EIGHT = [Phase(n) for n in range(1, 9)]


def kinds(junction: Junction) -> dict[tuple[str, str], MeetingKind]:
    """Kind of each meeting by the names of its groups, the yielding one first."""
    names = {group.number: group.name.removeprefix("phase ") for group in junction.groups}
    return {(names[m.first], names[m.second]): m.kind for m in junction.meetings}


def meeting(junction: Junction, first: str, second: str) -> Meeting:
    """The meeting of two groups by name."""
    numbers = {group.name: group.number for group in junction.groups}
    return next(m for m in junction.meetings if (m.first, m.second) == (numbers[first], numbers[second]))


def shown(junction: Junction, stage: str) -> dict[str, str]:
    """Letter of each group that is green in a stage: G, or g where it yields."""
    found = next(s for s in junction.stages if s.name == stage)
    names = {group.number: group.name.removeprefix("phase ") for group in junction.groups}
    return {names[n]: "g" if n in found.permissive else "G" for n in found.green}


def test_the_examples_in_the_docstrings_hold() -> None:
    """They are the first thing that people copy."""
    for each in (module, nema_phases):
        found = doctest.testmod(each)
        assert found.attempted > 0
        assert found.failed == 0


def test_eight_phases_run_in_pairs_on_either_side_of_the_barrier() -> None:
    """1 or 2 with 5 or 6; 3 or 4 with 7 or 8; all other pairs conflict."""
    junction = dual_ring("J", EIGHT)
    together = {(1, 5), (1, 6), (2, 5), (2, 6), (3, 7), (3, 8), (4, 7), (4, 8)}
    assert {stage.green for stage in junction.stages} == together
    assert {(m.first, m.second) for m in junction.meetings} == set(combinations(range(1, 9), 2)) - together
    assert {m.kind for m in junction.meetings} == {CONFLICT}
    assert [[(s.name, s.groups, s.barrier) for s in ring.steps] for ring in junction.rings] == [
        [("1", (1,), 1), ("2", (2,), 1), ("3", (3,), 2), ("4", (4,), 2)],
        [("5", (5,), 1), ("6", (6,), 1), ("7", (7,), 2), ("8", (8,), 2)],
    ]


@pytest.mark.parametrize(
    ("phases", "stages"),
    [
        ((2, 4), {"2", "4"}),
        ((2, 4, 6, 8), {"2+6", "4+8"}),
        ((1, 2, 4, 5, 6, 8), {"1+5", "1+6", "2+5", "2+6", "4+8"}),
        ((1, 2, 4, 6), {"1+6", "2+6", "4"}),
    ],
)
def test_a_part_of_the_phases_has_the_stages_that_are_left(phases: tuple[int, ...], stages: set[str]) -> None:
    """Where a ring has no phase on one side, it rests in red there."""
    assert {stage.name for stage in dual_ring("J", [Phase(n) for n in phases]).stages} == stages


def test_split_phasing_serves_one_approach_after_the_other() -> None:
    """Phases 3 and 4 in one ring, nothing beside them: either alone."""
    order = (((1, 2), (3, 4)), ((5, 6), ()))
    junction = dual_ring("J", [Phase(n) for n in range(1, 7)], order=order)
    assert [stage.name for stage in junction.stages[-2:]] == ["3", "4"]
    assert kinds(junction)["3", "4"] is CONFLICT


def test_three_rings_and_three_barriers() -> None:
    """A frontage road as third ring beside the main street; two sides after it."""
    order = (((1, 2), (3,), (4,)), ((5, 6), (7,), (8,)), ((9, 10), (), ()))
    junction = dual_ring("J", [Phase(n) for n in range(1, 11)], order=order)
    assert len(junction.stages) == 8 + 1 + 1
    assert [step.barrier for step in junction.rings[0].steps] == [1, 1, 2, 3]
    assert [step.barrier for step in junction.rings[2].steps] == [1, 1]


def test_sixteen_sequences_are_all_orders_of_leading_and_lagging_lefts() -> None:
    """1: all lead, 2: phase 1 lags, 3: phase 3, 5: phase 5, 9: phase 7, 16: all lag."""
    orders = [ring_order(sequence=n) for n in range(1, 17)]
    assert len(set(orders)) == 16
    assert orders[0] == (((1, 2), (3, 4)), ((5, 6), (7, 8)))
    assert orders[1] == (((2, 1), (3, 4)), ((5, 6), (7, 8)))
    assert orders[2] == (((1, 2), (4, 3)), ((5, 6), (7, 8)))
    assert orders[4] == (((1, 2), (3, 4)), ((6, 5), (7, 8)))
    assert orders[8] == (((1, 2), (3, 4)), ((5, 6), (8, 7)))
    assert orders[15] == (((2, 1), (4, 3)), ((6, 5), (8, 7)))


def test_the_order_of_a_ring_is_that_of_its_steps() -> None:
    """Phase 1 lags, 5 leads."""
    junction = dual_ring("J", EIGHT, order=ring_order(sequence=2))
    assert [step.name for step in junction.rings[0].steps] == ["2", "1", "3", "4"]
    assert [step.name for step in junction.rings[1].steps] == ["5", "6", "7", "8"]


def test_intergreens_are_yellow_and_red_or_the_way_over_the_street() -> None:
    """Phase 2: 4 + 1.5 s; phase 4: 3 + 1 s; people of phase 2: 12 s."""
    junction = dual_ring(
        "J", [Phase(2, yellow_ms=4000, red_ms=1500, walk_ms=7000, ped_clearance_ms=12_000), Phase(4)]
    )
    cars = meeting(junction, "phase 2", "phase 4")
    assert (cars.intergreen_ms, cars.reverse_ms) == (5500, 4000)
    people = meeting(junction, "phase 4", "phase 2 walk")
    assert (people.kind, people.intergreen_ms, people.reverse_ms) == (CONFLICT, 4000, 12_000)
    turning = meeting(junction, "phase 2", "phase 2 walk")
    assert (turning.kind, turning.intergreen_ms, turning.reverse_ms) == (PERMISSIVE, 5500, 12_000)
    assert [(g.name, g.kind, g.min_green_ms, g.phase) for g in junction.groups][-1] == (
        "phase 2 walk",
        GroupKind.PEDESTRIAN,
        7000,
        2,
    )


def test_a_permissive_left_turn_is_green_with_the_phase_that_it_opposes() -> None:
    """1 yields to 2 and is shown with it, whatever the other ring does; it meets all others as a protected one."""
    phases = [Phase(n, permissive=n == 1) for n in range(1, 9)]
    junction = dual_ring("J", phases)
    assert shown(junction, "1+5") == {"1": "G", "5": "G"}
    assert shown(junction, "1+6") == {"1": "G", "6": "G"}
    assert shown(junction, "2+5") == {"1": "g", "2": "G", "5": "G"}
    assert shown(junction, "2+6") == {"1": "g", "2": "G", "6": "G"}
    assert shown(junction, "4+8") == {"4": "G", "8": "G"}
    left = meeting(junction, "phase 1", "phase 2")
    assert (left.kind, left.left_turn) == (PERMISSIVE, True)
    assert kinds(junction)["1", "3"] is CONFLICT
    assert kinds(junction)["5", "6"] is CONFLICT


def test_people_meet_whom_their_phase_meets() -> None:
    """On the leg to the right of phase 2: its own right turns and the left turn 1 cross it, 5 and 6 do not."""
    phases = [
        Phase(n, permissive=n == 1, walk_ms=7000 * (n == 2), ped_clearance_ms=9000 * (n == 2))
        for n in range(1, 9)
    ]
    found = {a: kind for (a, b), kind in kinds(dual_ring("J", phases)).items() if b == "2 walk"}
    assert found == {"1": PERMISSIVE, "2": PERMISSIVE, **dict.fromkeys(("3", "4", "7", "8"), CONFLICT)}


def test_people_may_stop_walking_while_their_phase_stays_green() -> None:
    """For every combination one stage for each choice of those who still walk; only the first counts as deployed."""
    phases = [Phase(n, walk_ms=7000 * (n < 4), ped_clearance_ms=9000 * (n < 4)) for n in (2, 3, 4, 6)]
    stages = dual_ring("J", phases, order=(((2, 4),), ((6, 3),))).stages
    assert [(s.name, s.green, s.deployed) for s in stages if s.name.startswith("2+3")] == [
        ("2+3", (1, 2, 5, 6), True),
        ("2+3 without walk 2", (1, 2, 6), False),
        ("2+3 without walk 3", (1, 2, 5), False),
        ("2+3 without walk 2+3", (1, 2), False),
    ]
    assert [s.name for s in stages if s.name.startswith("4+6")] == ["4+6"]


def test_an_overlap_meets_what_can_be_on_with_none_of_its_parents() -> None:
    """Right turns from the approach of 8, with 8 and with the left turn 1 of the street that they join.

    They merge with 2 (straight on that street) and with 7 (which turns into it), and cross the people of 8.
    """
    walks = {n: {"walk_ms": 7000, "ped_clearance_ms": 9000} for n in (2, 4, 6, 8)}
    phases = [Phase(n, **walks.get(n, {})) for n in range(1, 9)]
    junction = dual_ring("J", phases, overlaps=[Overlap(1, (1, 8))])
    met = {
        frozenset(pair) - {"overlap A"}: kind for pair, kind in kinds(junction).items() if "overlap A" in pair
    }
    assert met == {
        frozenset({"2"}): CONFLICT,
        frozenset({"7"}): CONFLICT,
        frozenset({"2 walk"}): CONFLICT,
        frozenset({"8 walk"}): PERMISSIVE,
    }
    with_overlap = {stage.name for stage in junction.stages if 9 in stage.green and stage.deployed}
    assert with_overlap == {"1+5", "1+6", "3+8", "4+8"}
    overlap = junction.groups[8]
    assert (overlap.overlap, overlap.phase, overlap.parents) == (1, 0, (1, 8))


def test_an_overlap_of_the_opposed_phase_is_yielded_to_as_well() -> None:
    """A second lane of phase 2, signalled apart: the permissive left turn 1 waits for it too."""
    phases = [Phase(n, permissive=n == 1) for n in (1, 2, 4)]
    junction = dual_ring("J", phases, overlaps=[Overlap(1, (2,))])
    left = meeting(junction, "phase 1", "overlap A")
    assert (left.kind, left.left_turn) == (PERMISSIVE, True)
    assert shown(junction, "2") == {"1": "g", "2": "G", "overlap A": "G"}
    assert shown(junction, "1") == {"1": "G"}


def test_an_overlap_of_a_left_turn_is_not_green_where_that_only_yields() -> None:
    """As the phase is not on then; so it conflicts with the phase that the left turn opposes."""
    phases = [Phase(n, permissive=n == 1) for n in (1, 2, 4)]
    junction = dual_ring("J", phases, overlaps=[Overlap(1, (1,))])
    assert shown(junction, "2") == {"1": "g", "2": "G"}
    assert kinds(junction)["2", "overlap A"] is CONFLICT


def test_two_overlaps_conflict_where_no_parents_run_together() -> None:
    """A with 1 and 8, B with 2: never; C with 6 runs beside A's parent 1."""
    junction = dual_ring("J", EIGHT, overlaps=[Overlap(1, (1, 8)), Overlap(2, (2,)), Overlap(3, (6,))])
    found = kinds(junction)
    assert found["overlap A", "overlap B"] is CONFLICT
    assert ("overlap A", "overlap C") not in found
    assert ("overlap B", "overlap C") not in found


def test_an_overlap_clears_as_long_as_its_longest_parent_unless_told() -> None:
    """Parents with 4 + 1 and 3 + 2 s: 4 + 2 s; with times of its own: 5 + 0 s."""
    phases = [Phase(2, yellow_ms=4000, red_ms=1000), Phase(4, red_ms=2000), Phase(8)]
    order = (((2,), (4,), (8,)),)
    for overlap, clear_ms in (
        (Overlap(1, (2, 4)), 6000),
        (Overlap(1, (2, 4), yellow_ms=5000, red_ms=0), 5000),
    ):
        junction = dual_ring("J", phases, order=order, overlaps=[overlap])
        assert meeting(junction, "phase 8", "overlap A").reverse_ms == clear_ms


def test_plans_and_preempts_speak_of_phases_and_stages() -> None:
    """Splits by phase, ring 1 first; a railway beside the side street."""
    splits = tuple(PlanStep(str(n), ms) for n, ms in ((2, 40_000), (4, 12_000), (6, 40_000), (8, 12_000)))
    junction = dual_ring(
        "J",
        [Phase(n) for n in (2, 4, 6, 8)],
        plans=(Plan("am", 60_000, 0, splits, coordinated="2"),),
        preempts=(Preempt(1, "2+6", 10_000, track="4+8", track_ms=12_000),),
    )
    assert validate(Site("s", (junction,))) == []


@pytest.mark.parametrize(
    ("phases", "extra", "message"),
    [
        ([], {}, "expected at least one phase, found none"),
        ([Phase(17)], {}, "phase 17: expected a number from 1 to 16"),
        ([Phase(2), Phase(2)], {}, "phase 2: expected once, found 2 times"),
        ([Phase(2, red_ms=-1)], {}, "phase 2: expected red_ms of 0 or more, found -1"),
        (
            [Phase(2, walk_ms=7000)],
            {},
            "phase 2: expected both walk_ms and ped_clearance_ms, or none; found 7000 and 0",
        ),
        (
            [Phase(2, permissive=True)],
            {},
            "phase 2: expected permissive left turns only, which have odd numbers",
        ),
        (
            [Phase(1, permissive=True), Phase(6)],
            {},
            "phase 1: expected phase 2, which it opposes and yields to, in its ring and on its side of the barrier",
        ),
        ([Phase(2), Phase(9)], {}, "rings: expected each of phases [2, 9] once, found [2]"),
        (
            [Phase(2), Phase(4)],
            {"order": (((2,),), ((4,), ()))},
            "rings: expected as many sides of barriers in each, found [1, 2]",
        ),
        ([Phase(2)], {"overlaps": [Overlap(17, (2,))]}, "overlap 17: expected a number from 1 to 16"),
        (
            [Phase(2)],
            {"overlaps": [Overlap(1, (2,)), Overlap(1, (2,))]},
            "overlap 1: expected once, found 2 times",
        ),
        ([Phase(2)], {"overlaps": [Overlap(1, (4,))]}, "overlap 1: expected parents of [2], found (4,)"),
        ([Phase(2)], {"overlaps": [Overlap(1, ())]}, "overlap 1: expected parents of [2], found ()"),
        ([Phase(2, yellow_ms=0)], {}, "group 1: expected yellow from 1 to 600000 ms, found 0"),
    ],
)
def test_what_makes_no_junction_is_refused_in_words(
    phases: list[Phase], extra: dict[str, Any], message: str
) -> None:
    """With the junction's name; the last one by validation of the whole."""
    with pytest.raises(ModelError) as caught:
        dual_ring("Main & 1st", phases, **extra)
    assert str(caught.value) == f"junction Main & 1st: {message}"


@pytest.mark.parametrize(("phases", "sequence"), [((2, 9), 1), ((2, 4), 0), ((2, 4), 17)])
def test_a_ring_order_that_is_not_defined_is_refused(phases: tuple[int, ...], sequence: int) -> None:
    """Phases beyond 8 need an order of their own; sequences are 1 to 16."""
    with pytest.raises(ModelError, match=r"^ring order: expected"):
        ring_order(phases, sequence)


@pytest.mark.parametrize("seed", range(60))
def test_any_junction_shows_what_its_words_say(seed: int) -> None:
    """Phases that never meet are green together in some stage, those in conflict in none; overlaps follow parents."""
    junction, overlaps = random_junction(seed)
    phases = [group for group in junction.groups if group.phase and group.kind is GroupKind.VEHICLE]
    met = {frozenset((m.first, m.second)): m.kind for m in junction.meetings}
    greens = [set(stage.green) for stage in junction.stages]
    for one, other in combinations(phases, 2):
        pair = {one.number, other.number}
        assert (met.get(frozenset(pair)) is not CONFLICT) == any(pair <= green for green in greens)
    for stage in junction.stages:
        on = {int(name) for name in stage.name.split(" ")[0].split("+")}
        for overlap in overlaps:
            assert (len(phases) + overlap.number in stage.green) == bool(on & set(overlap.parents))


@pytest.mark.parametrize("seed", range(60))
def test_the_stage_of_any_steps_is_found_by_their_groups(seed: int) -> None:
    """The smallest stage that holds the groups of the steps, the first of equals, is the one of their names."""
    junction, _ = random_junction(seed)
    groups = {step.name: set(step.groups) for ring in junction.rings for step in ring.steps}
    for stage in (s for s in junction.stages if s.deployed):
        wanted = set().union(*(groups[name] for name in stage.name.split("+")))
        holding = [s for s in junction.stages if wanted <= set(s.green)]
        assert min(holding, key=lambda s: len(s.green)) is stage


@pytest.mark.parametrize("seed", range(20))
def test_a_junction_comes_back_from_its_file(seed: int) -> None:
    """As TOML and back."""
    site = Site("s", (random_junction(seed)[0],))
    assert site_from_toml(site_to_toml(site)) == site


def test_the_order_in_which_phases_are_given_does_not_matter() -> None:
    """They are sorted by number."""
    junctions = {dual_ring("J", listed) for listed in permutations([Phase(2), Phase(4), Phase(6)])}
    assert len(junctions) == 1

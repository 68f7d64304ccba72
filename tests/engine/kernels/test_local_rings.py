"""Two rings by hand: lefts odd, rings 1 2 | 3 4 and 5 6 | 7 8. Minimum 5 s, passage 3 s, intergreens 5 s.

At the start everybody is called once.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from greensplit.engine.errors import ModelError
from greensplit.engine.kernels.local.state import Orders
from greensplit.engine.model.compiled_local import compile_local
from greensplit.engine.model.dual_ring import Overlap, Phase, dual_ring
from greensplit.engine.model.site import Plan, PlanStep, Preempt, Site

from .local_drive import run
from .local_sites import checked, eight_groups, street_with_people, streets, with_groups, with_junction


def letters(strip: str, letter: str = "G") -> tuple[int, int]:
    """First second of the first run of a letter and the first after it."""
    start = strip.index(letter)
    return start, start + len(strip[start:]) - len(strip[start:].lstrip(letter))


def test_the_rings_pass_the_barrier_together() -> None:
    """Nobody but the calls of the start: 1+5, 2+6, 3+7, 4+8 for 5 s each, 10 s apart; then 4+8 rest."""
    strips = run(checked(eight_groups()), 45).strips
    for left, through in ((0, 4), (2, 6)):
        offset = 10 * left
        assert letters(strips[left]) == letters(strips[left + 4]) == (offset, offset + 5)
        assert letters(strips[through - 3 if through == 4 else 3])[0] == (10 if through == 4 else 30)
    assert strips[3] == strips[7] == "r" * 30 + "G" * 15


def test_left_turns_end_independently() -> None:
    """Group 1 is occupied to 9 s: gap at 12 s, group 2 from 17 s. Group 5 gaps at 5 s, group 6 from 10 s."""
    strips = run(eight_groups(), 20, {1: [(0, 9)]}).strips
    assert strips[0] == "G" * 12 + "yyy" + "rrrrr"
    assert strips[1] == "r" * 17 + "GGG"
    assert strips[4] == "G" * 5 + "yyy" + "r" * 12
    assert strips[5] == "r" * 10 + "G" * 10


def test_a_lagging_left_turn_follows_the_opposing_through() -> None:
    """Ring 2 is 6 5 | 7 8: 1 with 6, then 2 (from 17 s) with 5 (from 10 s)."""
    strips = run(checked(eight_groups(lagging=True)), 20, {1: [(0, 9)]}).strips
    assert strips[0] == "G" * 12 + "yyy" + "rrrrr"
    assert strips[5] == "G" * 5 + "yyy" + "r" * 12
    assert strips[4] == "r" * 10 + "G" * 10
    assert strips[1] == "r" * 17 + "GGG"


def test_both_rings_must_have_gapped_at_the_same_time_to_cross() -> None:
    """Group 2 is green from 17 s and might end at 22 s. Group 6, green from 10 s, is occupied from 21 to 23 s: gap at
    26 s. Meanwhile group 2 is occupied from 24 to 26 s, so that it has not gapped at 26 s: both cross at 29 s."""
    strips = run(eight_groups(), 35, {1: [(0, 9)], 6: [(21, 23)], 2: [(24, 26)]}).strips
    assert letters(strips[1]) == (17, 29)
    assert letters(strips[5]) == (10, 29)
    assert letters(strips[2]) == letters(strips[6]) == (34, 35)


def test_a_ring_at_its_maximum_does_not_wait_for_a_gap() -> None:
    """Maximum 15 s; group 2 is always occupied: 17 to 32 s. Group 6 rests from 10 s and goes with it."""
    site = with_groups(eight_groups(), max_green_ms=15_000)
    strips = run(site, 40, {1: [(0, 9)], 2: [(0, 100)]}).strips
    assert letters(strips[1]) == (17, 32)
    assert letters(strips[5]) == (10, 32)


def test_a_ring_that_nobody_calls_goes_along_with_its_through() -> None:
    """At 40 s, in 4+8, a call for 1 only: 1 with 6 at 45 s. Group 2 is not called: 1 rests."""
    strips = run(eight_groups(), 60, {1: [(40, 41)]}).strips
    assert strips[0][40:] == "r" * 5 + "G" * 15
    assert strips[5][40:] == "r" * 5 + "G" * 15
    assert "G" not in strips[1][40:] + strips[4][40:]


def test_a_side_that_nobody_calls_is_passed_over() -> None:
    """In 4+8 at 40 s a call for 3: ring 1 goes back to its left turn, ring 2 stays green."""
    strips = run(eight_groups(), 50, {3: [(40, 41)]}).strips
    assert strips[2][40:] == "r" * 5 + "G" * 5
    assert strips[3][38:] == "GG" + "yyy" + "r" * 7
    assert strips[7][38:] == "G" * 12


def test_after_red_rest_the_own_side_comes_first() -> None:
    """4+8 end at 35 s. At 50 s calls for 3 and for 1: 3 at once, and 8 with it; 1 and 6 after 5 s and 5 s."""

    def rest(orders: Orders, _: int) -> None:
        orders.red_rest[:] = 1

    strips = run(eight_groups(), 65, {1: [(50, 51)], 3: [(50, 51)]}, rest).strips
    assert strips[3][30:50] == "GGGGG" + "yyy" + "r" * 12
    assert strips[2][50:] == strips[7][50:] == "GGGGG" + "yyy" + "r" * 7
    assert strips[0][50:] == strips[5][50:] == "r" * 10 + "GGGGG"


def test_people_of_one_ring_keep_only_their_own_ring() -> None:
    """Called at the start: 9 walks with 2 and 10 with 6, from 10 to 17 s, clear to 25 s; then both rings cross."""
    strips = run(checked(eight_groups(with_people=True)), 40).strips
    for through, people in ((1, 8), (5, 9)):
        assert strips[people] == "r" * 10 + "G" * 7 + "c" * 8 + "r" * 15
        assert letters(strips[through]) == (10, 25)


def test_the_nema_front_end_is_understood() -> None:
    """Eight phases, people with 2 and 4, overlap A of 1 and 2: every pair has its stage, people may end early."""
    phases = [Phase(n, walk_ms=7000, ped_clearance_ms=8000) if n in (2, 4) else Phase(n) for n in range(1, 9)]
    site = Site("nema", (dual_ring("N", phases, overlaps=[Overlap(1, (1, 2))]),))
    local = compile_local(site)
    greens = {s.name: s.green for s in site.junctions[0].stages}
    assert (local.stage_of >= 0).sum() == 8
    assert local.people_end_early.tolist() == [1]
    assert local.step_groups[0] == sum(1 << (n - 1) for n in (set(greens["1+5"]) - {5}))


def test_without_a_stage_of_their_own_people_end_with_their_step() -> None:
    """As above, but the stages know people only with their street: they walk to its end at 17 s, and the intergreen of
    9 s from people to the side street counts."""
    strips = run(checked(eight_groups(with_people=True, early_end=False)), 40).strips
    assert letters(strips[1]) == letters(strips[8]) == (10, 17)
    assert strips[8][17:26] == "c" * 8 + "r"
    assert letters(strips[2]) == (26, 31)


def test_rings_without_a_stage_for_two_steps_are_refused() -> None:
    only = eight_groups().junctions[0]
    site = with_junction(eight_groups(), stages=tuple(s for s in only.stages if s.green != (1, 6)))
    with pytest.raises(ModelError, match="junction J: expected a stage for ring steps 1 and 6, found none"):
        compile_local(site)


def test_sizes_beyond_the_masks_are_refused() -> None:
    site = with_junction(streets(2), preempts=(Preempt(63, "A", 0),))
    with pytest.raises(ModelError, match="junction J: preempt number: expected at most 62, found 63"):
        compile_local(site)


def test_a_preempt_for_no_stage_is_refused() -> None:
    site = with_junction(streets(2), preempts=(Preempt(1, "nowhere", 0),))
    with pytest.raises(ModelError, match=r"junction J: preempt 1: expected stages of .*, found nowhere"):
        compile_local(site)


@pytest.mark.parametrize(
    ("steps", "coordinated", "finding"),
    [
        ((PlanStep("Z", 9000),), "", "expected ring steps of .*, found Z"),
        ((PlanStep("A", 9000),), "B", "expected a step with green as coordinated, found B"),
        ((PlanStep("A", 0),), "", "expected a step with green, found none"),
        ((), "", "expected a step with green, found none"),
    ],
)
def test_a_plan_for_no_step_is_refused(steps: tuple[PlanStep, ...], coordinated: str, finding: str) -> None:
    site = with_junction(streets(2), plans=(Plan("P", 60_000, 0, steps, coordinated),))
    with pytest.raises(ModelError, match=f"junction J: plan P: {finding}"):
        compile_local(site)


def test_an_overlap_is_served_with_its_parents() -> None:
    """Group 3 is an overlap of group 1: a call for it brings the step of group 1."""
    only = street_with_people().junctions[0]
    groups = tuple(replace(g, overlap=1, parents=(1,)) if g.number == 3 else g for g in only.groups)
    rings = tuple(
        replace(ring, steps=tuple(replace(s, groups=s.groups[:1]) for s in ring.steps)) for ring in only.rings
    )
    local = compile_local(with_junction(street_with_people(), groups=groups, rings=rings))
    assert local.step_groups.tolist() == [0b101, 0b010]

"""Turns and cycles by hand: a left turn beside its through movement, and two junctions that share a cycle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.controllers.rotation import Rotation
from greensplit.controllers.turns import compile_turns, share_out
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.site import Link, Plan, PlanStep, Site

from ..engine.kernels.sites import crossroads, group, junction, left_turn, site

MIN_GREEN_MS = 5000


def planned(cycle_s: int, offset_s: int, greens_s: tuple[int, int]) -> Site:
    """The crossroads (changes of 7 s into S1, 5 s into S2) on a plan."""
    (one,) = crossroads().junctions
    steps = tuple(PlanStep(f"S{k}", 1000 * green_s) for k, green_s in enumerate(greens_s, 1))
    return replace(
        crossroads(),
        junctions=(replace(one, plans=(Plan("0", 1000 * cycle_s, 1000 * offset_s, steps),)),),
    )


def rotation_of(where: Site, now_ms: int = 0) -> Rotation:
    return Rotation(where, compile_signals(where), compile_detection(where), MIN_GREEN_MS, now_ms)


def two_near() -> Site:
    """Two crossroads 300 m apart, cycles of 60 s (greens of 30 and 18 s) and 48 s (24 and 12 s)."""
    (first,) = planned(60, 7, (30, 18)).junctions
    (second,) = planned(48, 7, (24, 12)).junctions
    second = replace(second, id="K", device_id=2)
    return replace(
        crossroads(),
        junctions=(first, second),
        links=(Link("J", 1, "K", "in1_0", 300.0, 22_000, 40.0),),
    )


def test_turns_of_a_left_turn_know_changes_flows_and_who_needs_them() -> None:
    """A: both (left yields), B: left alone, C: side street, D: through alone; nobody needs A, B has the left turn."""
    where = left_turn()
    (turns,), (length_ms,), _ = compile_turns(
        where, compile_signals(where), compile_detection(where), MIN_GREEN_MS
    )
    assert turns.change_ms.tolist() == [0, 0, 5000, 5000]
    assert turns.least_ms.tolist() == [5000, 5000, 10_000, 10_000]
    assert turns.flows.tolist() == [[1.0, 0.0, 0.0, 1.0], [0.4, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
    assert turns.starts.tolist() == [[False] * 3 + [True], [True] + [False] * 3, [False, False, True, False]]
    assert turns.needs.tolist() == [[False] * 4, [False, True, False, False], [False, False, True, False]]
    assert turns.green_ms(np.array([10_000, 8000, 15_000, 12_000])).tolist() == [
        [10_000, 0, 0, 7000],
        [10_000, 8000, 0, 0],
        [0, 0, 10_000, 0],
    ]
    assert length_ms.sum() == 70_000


def test_share_out_keeps_proportions_of_what_is_to_spare() -> None:
    """20 s and 40 s with 10 s each at least have 10 and 30 s to spare: of 24 s, 6 and 18 s."""
    length_ms, least_ms = np.array([20_000, 40_000]), np.array([10_000, 10_000])
    assert share_out(length_ms, least_ms, 44_000).tolist() == [16_000, 28_000]
    assert share_out(length_ms, least_ms, 15_000).tolist() == [10_000, 10_000]
    assert share_out(least_ms, least_ms, 30_000).tolist() == [15_000, 15_000]
    assert share_out(np.array([1, 1, 1]), np.zeros(3, np.int64), 100).sum() == 100


@pytest.mark.parametrize(("now_s", "turn", "end_s"), [(0, 1, 23), (22, 1, 23), (23, 0, 60), (60, 1, 83)])
def test_a_plan_is_entered_where_it_would_be(now_s: int, turn: int, end_s: int) -> None:
    """Green of S1 from 30 s of a 60 s cycle: its turn of 37 s begins at 23 s, that of S2 at 60 s."""
    rotation = rotation_of(planned(60, 30, (30, 18)), 1000 * now_s)
    assert rotation.length_ms[0].tolist() == [37_000, 23_000]
    assert (int(rotation.position[0]), int(rotation.end_ms[0])) == (turn, 1000 * end_s)


def test_a_region_runs_its_longest_cycle_and_changes_it_together() -> None:
    """60 s for both; 80 s are announced for the cycle after the next and come with it, at either junction."""
    rotation = rotation_of(two_near())
    assert rotation.region.tolist() == [0, 0]
    assert [int(each.sum()) for each in rotation.length_ms] == [60_000, 60_000]
    rotation.announce(0, 80_000)
    starts: list[list[int]] = [[], []]
    for now_ms in range(0, 300_000, 1000):
        rotation.keep_time(now_ms)
        for j in (0, 1):
            if now_ms >= rotation.end_ms[j]:
                rotation.leave(j)
                if rotation.position[j] == 0:
                    starts[j].append(int(rotation.begun_ms[j]))
    assert starts == [[60_000, 120_000, 200_000, 280_000]] * 2
    assert rotation.cycle_ms(0) == 80_000


def test_a_moved_end_lasts_only_by_its_lasting_part() -> None:
    """4 s more now, 1 s more from the next cycle on; the last turn takes the cycle's end along."""
    rotation = rotation_of(planned(60, 7, (30, 18)))
    rotation.move_end(0, 4000, 1000)
    assert rotation.end_ms[0] == 41_000
    rotation.leave(0)
    assert rotation.end_ms[0] == 60_000
    rotation.move_end(0, -4000, -1000)
    assert rotation.end_ms[0] == 56_000
    rotation.leave(0)
    assert rotation.begun_ms[0] == 59_000
    assert rotation.length_ms[0].tolist() == [39_000, 21_000]
    assert rotation.end_ms[0] == 98_000


def test_half_and_own_cycles_begin_with_the_next() -> None:
    """Half of 60 s twice in one cycle of the region; then 44 s of its own."""
    rotation = rotation_of(planned(60, 7, (30, 18)))
    rotation.halved[0] = True
    lengths = []
    for _ in range(3):
        rotation.leave(0)
        rotation.leave(0)
        lengths.append(int(rotation.length_ms[0].sum()))
    assert lengths == [30_000, 30_000, 30_000]
    assert rotation.begun_ms[0] == 120_000
    rotation.own_cycle_ms[0] = 44_000
    for _ in range(2):
        rotation.leave(0)
        rotation.leave(0)
    assert rotation.length_ms[0].sum() == 44_000


def test_a_site_without_plan_shares_a_cycle_among_its_stages() -> None:
    """Greens of 30 s each, after their changes."""
    where = site(junction((group(1),), (), crossroads().junctions[0].stages[:1]))
    rotation = rotation_of(where)
    assert rotation.length_ms[0].tolist() == [60_000]

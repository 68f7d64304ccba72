"""The fixed part of the game, by hand on drawn junctions and as the words say on random ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.engine.model.site import ApproachLane, Meeting, Site

from ...engine.kernels.sites import CONFLICT, SHARED, crossroads, left_turn, site
from .table import Table, cell, lay
from .test_against_naive import shared_site, words_of


def openings(table: Table, a: int, b: int) -> list[int]:
    """Seconds until each lane is open, on the only junction."""
    lanes, stages = len(table.demand.queue_veh), len(table.signals.stage_deployed)
    at = (a * stages + b) * lanes
    found: list[int] = table.board.opening_s[at : at + lanes].tolist()
    return found


def left_turn_from_one_lane() -> Site:
    """The left turn's junction, but the through group and the left turn have one lane."""
    drawn = left_turn().junctions[0]
    lane = ApproachLane("in1_0", "from 1", (1, 2), 200.0, 13.89)
    return site(replace(drawn, lanes=(lane, drawn.lanes[2]), detectors=()))


def test_a_lane_opens_after_the_intergreen_of_its_pair() -> None:
    table = lay(crossroads())
    assert openings(table, 0, 1) == [0, 5]
    assert openings(table, 1, 0) == [7, 0]
    assert openings(table, 0, 0) == [0, 0]
    assert table.board.change_s.tolist() == [0, 5, 7, 0]


def test_parts_of_a_second_count_as_whole_ones() -> None:
    drawn = crossroads().junctions[0]
    table = lay(site(replace(drawn, meetings=(Meeting(1, 2, CONFLICT, 5001, 6999),))))
    assert table.board.change_s.tolist() == [0, 6, 7, 0]


def test_only_groups_that_end_are_waited_for() -> None:
    """Stages A through and left, B left, C side street, D through; intergreens 5 s, 6 s from through to left."""
    table = lay(left_turn())
    assert openings(table, 0, 2) == [0, 0, 5]
    assert openings(table, 0, 1) == [0, 0, 0]
    assert openings(table, 3, 1) == [0, 6, 0]
    assert openings(table, 1, 3) == [5, 0, 0]
    assert openings(table, 3, 0) == [0, 0, 0]
    assert openings(table, 2, 0) == [5, 5, 0]


def test_the_longest_of_several_intergreens_counts() -> None:
    """Out of A, the through street needs 8 s, the left turn 4 s before the side street may go."""
    drawn = left_turn().junctions[0]
    yields, *_ = drawn.meetings
    slow = (yields, Meeting(1, 3, CONFLICT, 8000, 5000), Meeting(2, 3, CONFLICT, 4000, 9000))
    table = lay(site(replace(drawn, meetings=slow)))
    assert openings(table, 0, 2) == [0, 0, 8]
    assert openings(table, 1, 2) == [0, 0, 4]
    assert openings(table, 2, 0) == [5, 9, 0]
    stages = 4
    assert table.board.change_s[2 * stages + 0] == 9


def test_a_pair_that_may_change_at_once_opens_at_once() -> None:
    drawn = crossroads().junctions[0]
    table = lay(site(replace(drawn, meetings=(Meeting(1, 2, SHARED, 0, 0),))))
    assert table.board.change_s.tolist() == [0, 0, 0, 0]


def test_a_lane_with_two_groups_is_served_in_part() -> None:
    table = lay(left_turn_from_one_lane())
    assert [float(table.board.share[cell(table, stage, 0)]) for stage in range(4)] == [1.0, 0.5, 0.0, 0.5]
    assert [float(table.board.share[cell(table, stage, 1)]) for stage in range(4)] == [0.0, 0.0, 1.0, 0.0]


def test_a_lane_yields_where_its_movement_is_permissive() -> None:
    """Lane 1 to lane 0 in stage A, nobody elsewhere."""
    table = lay(left_turn())
    found = {(s, i): int(table.board.yields[cell(table, s, i)]) for s in range(4) for i in range(3)}
    assert {at: foes for at, foes in found.items() if foes} == {(0, 1): 0b001}


@pytest.mark.parametrize("seed", range(3))
def test_boards_of_random_junctions_are_as_the_words_say(seed: int) -> None:
    """And no stage shows in full before the last of its lanes."""
    table = lay(shared_site(np.random.default_rng(seed), 12))
    for j, junction in enumerate(table.where.junctions):
        words, stages, lanes = words_of(table, j), len(junction.stages), len(junction.lanes)
        for b in range(stages):
            for lane in words.lanes:
                at = cell(table, b, lane, j)
                assert table.board.share[at] == words.share(b, lane)
                assert table.board.yields[at] == sum(1 << foe for foe in words.foes(b, lane))
            for a in range(stages):
                expected = [words.opening_s(a, b, lane) for lane in words.lanes]
                first = table.board.opening_ptr[j] + (a * stages + b) * lanes
                assert table.board.opening_s[first : first + lanes].tolist() == expected
                assert words.change_s[a, b] >= max(expected, default=0)
    assert table.board.yields.any()

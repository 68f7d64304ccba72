"""One game, worked out by hand.

Crossroads: stage 0 is lane 0, stage 1 lane 1; 5 s from leaving the first until the second is green, 7 s back. A lane
lets half a vehicle pass each second.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from greensplit.controllers.lookahead.playout import (
    FREE_VEH,
    GAP_PER_S,
    HEADWAY_VEH,
    LONE_VEH,
    SATURATION_PER_S,
    Rules,
)
from greensplit.controllers.lookahead.rates import STUCK_PER_S

from ...engine.kernels.sites import crossroads, left_turn, site
from .table import cell, cost_of, lay
from .test_board import left_turn_from_one_lane

RULES = Rules(
    min_green_s=5,
    horizon_s=30,
    start_up_s=1.0,
    lone_stop_s=4.0,
    stop_s=1.0,
    tail_s=10.0,
    look_s=6,
    use_s=4.0,
    candidates=5,
    holds=5,
)
FOR_EVER_S = 1000


def test_nobody_costs_nothing() -> None:
    assert cost_of(lay(crossroads()), RULES, 0, 0, 1) == 0.0


def test_a_lone_vehicle_at_red_waits_for_the_change_the_start_up_and_its_turn() -> None:
    """It stands 5 s until green, 1 s of start-up, and half of it one more second: 6.5."""
    assert cost_of(lay(crossroads(), queue_veh=[0, 1]), RULES, 0, 0, 1) == pytest.approx(6.5)


@pytest.mark.parametrize("hold_s", [1, 4, 9])
def test_every_second_of_holding_costs_whoever_stands_a_second(hold_s: int) -> None:
    assert cost_of(lay(crossroads(), queue_veh=[0, 1]), RULES, 0, hold_s, 1) == pytest.approx(6.5 + hold_s)


def test_the_rule_leaves_at_once_for_the_only_one_who_stands() -> None:
    """After the second that is held."""
    assert cost_of(lay(crossroads(), queue_veh=[0, 1]), RULES, 0, 1) == pytest.approx(7.5)


@pytest.mark.parametrize(("others", "cost"), [(2.9, None), (3.1, 6.5)])
def test_the_rule_weighs_those_at_red_less_by_what_the_change_loses(
    others: float, cost: float | None
) -> None:
    """One on lane 0, ``use_s`` 4 and 8 s lost by a change to it: worth 1/3. So who is green needs not much."""
    rules = RULES._replace(horizon_s=1, tail_s=0.0)
    table = lay(crossroads(), queue_veh=[others, 1])
    stay = cost_of(table, rules, 1, FOR_EVER_S)
    leave = cost_of(table, rules, 1, 0, 0)
    assert stay == pytest.approx(others + 0.5)
    assert leave == pytest.approx(others + 1 - SATURATION_PER_S)
    assert cost_of(table, rules, 1, 0) == pytest.approx(stay if cost is None else leave)


def test_a_lone_vehicle_that_comes_to_red_stops_for_a_price() -> None:
    """It comes in second 10, pays 4 for the stop, and the rule has opened for it by then: nobody else is there.

    The rule counts 6 s ahead: it sees it from second 5 on, green from 10, moving from 11, gone by 12.
    """
    table = lay(crossroads(), come={1: {10: 1}})
    assert cost_of(table, RULES, 0, 0) == pytest.approx(4.0 + 1.0 + 0.5)


def test_the_second_who_stops_pays_less() -> None:
    """Red for ever: 4 for the first, 1 for the other; they stand 30 and 28 s, and 10 each at the end."""
    table = lay(crossroads(), come={1: {0: 1, 2: 1}})
    assert cost_of(table, RULES, 0, FOR_EVER_S) == pytest.approx(4 + 1 + 30 + 28 + 20)


def test_what_stands_already_has_paid_for_its_stop() -> None:
    assert cost_of(lay(crossroads(), queue_veh=[0, 3]), RULES, 0, FOR_EVER_S) == pytest.approx(
        3 * 30 + 3 * 10
    )


def test_a_queue_at_green_leaves_at_the_rate_of_its_lane() -> None:
    """D/D/1: four leave, half a vehicle a second: 3.5 + 3 + 2.5 + ... + 0.5 = 14."""
    assert cost_of(lay(crossroads(), queue_veh=[4]), RULES, 0, FOR_EVER_S) == pytest.approx(14.0)


def test_a_queue_to_which_others_come_empties_more_slowly() -> None:
    """Two stand, 0.25 come each second for 12 s: all of them stop, at 1 each but the last, who find 0.5 or less.

    The queue shrinks by 0.25 a second: 1.75 + 1.5 + ... + 0.25 = 7 in 8 s. At its start a second finds 2 down to
    0.25; from a queue of 0.25, a free lane, they pass at once.
    """
    table = lay(crossroads(), queue_veh=[2], come={0: dict.fromkeys(range(12), 0.25)})
    assert FREE_VEH > 0.25
    assert LONE_VEH == 0.5
    stops = 7 * 0.25 * RULES.stop_s
    assert cost_of(table, RULES, 0, FOR_EVER_S) == pytest.approx(7.0 + stops)


def test_a_platoon_that_finds_green_passes_without_cost() -> None:
    """A vehicle every 2 s."""
    table = lay(crossroads(), come={0: dict.fromkeys(range(0, 20, 2), 1.0)})
    assert cost_of(table, RULES, 0, FOR_EVER_S) == 0.0


def test_a_dense_platoon_is_stretched_to_its_headway() -> None:
    """Two in the same second: what is over the headway stops, as the first of a queue, and passes next.

    It passes at the lane's half a vehicle a second if it is more than a short queue.
    """
    over = 2.0 - HEADWAY_VEH
    cost = cost_of(lay(crossroads(), come={0: {0: 2.0}}), RULES, 0, FOR_EVER_S)
    assert over > 0.5
    assert cost == pytest.approx(RULES.lone_stop_s * over + over + (over - 0.5))


def test_one_a_second_is_more_than_a_lane_can_pass() -> None:
    """The first passes; of the second, a second later, all but the lane's rate stops."""
    cost = cost_of(lay(crossroads(), come={0: {0: 1.0, 1: 1.0}}), RULES, 0, FOR_EVER_S)
    assert HEADWAY_VEH - 1.0 < 0.5
    assert cost == pytest.approx(0.5 * RULES.lone_stop_s + 0.5)


def test_the_first_second_of_yellow_is_used() -> None:
    """Two stand on lane 0 when it is left: what passes in that second is gone, the others stand to the end."""
    rules = RULES._replace(horizon_s=4, tail_s=0.0)
    cost = cost_of(lay(crossroads(), queue_veh=[2]), rules, 0, 0, 1)
    assert cost == pytest.approx(4 * (2 - SATURATION_PER_S))


def test_who_comes_in_the_second_of_yellow_after_the_first_stops() -> None:
    rules = RULES._replace(horizon_s=4, tail_s=0.0)
    assert cost_of(lay(crossroads(), come={0: {0: 0.5}}), rules, 0, 0, 1) == 0.0
    assert cost_of(lay(crossroads(), come={0: {1: 0.5}}), rules, 0, 0, 1) == pytest.approx(0.5 * 4 + 3 * 0.5)


def test_a_stage_stays_for_its_minimum_green_and_the_change() -> None:
    """Left at 0 for lane 1, green from 5; the rule may leave at 10, and lane 0 is green from 17, moving from 18.

    One on lane 0, who comes in second 1: 4, 17 s from 1 to 18, and half a second.
    """
    table = lay(crossroads(), come={0: {1: 1}})
    assert cost_of(table, RULES, 0, 0, 1) == pytest.approx(4 + 17 + 0.5)
    longer = RULES._replace(min_green_s=8)
    assert cost_of(table, longer, 0, 0, 1) == pytest.approx(4 + 20 + 0.5)


def test_start_up_may_last_a_part_of_a_second_or_several() -> None:
    """1.5 s: nothing in the first second, a quarter in the next, half, then the last quarter."""
    table = lay(crossroads(), queue_veh=[0, 1])
    cost = cost_of(table, RULES._replace(start_up_s=1.5), 0, 0, 1)
    assert 0.25 < FREE_VEH < 0.5
    assert cost == pytest.approx(5 + 1 + 0.75 + 0.25)


def test_who_is_left_at_the_end_counts_as_the_tail_says() -> None:
    table = lay(crossroads(), queue_veh=[0, 2])
    costs = [cost_of(table, RULES._replace(tail_s=tail_s), 0, FOR_EVER_S) for tail_s in (0.0, 10.0, 25.0)]
    assert costs == pytest.approx([60.0, 80.0, 110.0])


@pytest.mark.parametrize("horizon_s", [1, 30, 60])
def test_a_game_lasts_for_the_horizon(horizon_s: int) -> None:
    rules = RULES._replace(horizon_s=horizon_s)
    assert cost_of(lay(crossroads(), queue_veh=[0, 1]), rules, 0, FOR_EVER_S) == pytest.approx(horizon_s + 10)


def test_a_game_that_costs_too_much_is_not_played_out() -> None:
    """Two stand: 2 a second; past the limit of 5 after 3 s. A limit that holds changes nothing."""
    table = lay(crossroads(), queue_veh=[0, 2])
    assert cost_of(table, RULES, 0, FOR_EVER_S, limit=5.0) == pytest.approx(6.0)
    assert cost_of(table, RULES, 0, FOR_EVER_S, limit=81.0) == pytest.approx(80.0)


def test_a_left_turn_that_yields_passes_at_its_rate_while_the_others_flow() -> None:
    """Stage A, three of lane 1 against a long queue of lane 0: what was learned, a tenth a second."""
    table = lay(left_turn(), queue_veh=[40, 3])
    table.rate[cell(table, 0, 1)] = 0.1
    rules = RULES._replace(horizon_s=4, tail_s=0.0)
    through = sum(40 - 0.5 * t for t in range(1, 5))
    left = sum(3 - 0.1 * t for t in range(1, 5))
    assert cost_of(table, rules, 0, FOR_EVER_S) == pytest.approx(through + left)


def test_a_left_turn_goes_while_nobody_comes_the_other_way() -> None:
    table = lay(left_turn(), queue_veh=[0, 3])
    table.rate[cell(table, 0, 1)] = 0.1
    rules = RULES._replace(horizon_s=4, tail_s=0.0)
    assert cost_of(table, rules, 0, FOR_EVER_S) == pytest.approx(sum(3 - GAP_PER_S * t for t in range(1, 5)))


def test_a_left_turn_that_shares_its_lane_goes_for_its_share() -> None:
    """Groups 2 and 3 have lane 1, of which A serves the left turn."""
    drawn = left_turn().junctions[0]
    through, left, side = drawn.lanes
    where = site(replace(drawn, lanes=(through, replace(left, groups=(2, 3)), side)))
    table = lay(where, queue_veh=[0, 3])
    table.rate[cell(table, 0, 1)] = 0.1
    rules = RULES._replace(horizon_s=4, tail_s=0.0)
    expected = sum(3 - GAP_PER_S / 2 * t for t in range(1, 5))
    assert cost_of(table, rules, 0, FOR_EVER_S) == pytest.approx(expected)


@pytest.mark.parametrize(("on_side_street", "leaves"), [(2.1, False), (2.9, True)])
def test_the_rule_counts_of_a_lane_what_the_stage_serves(on_side_street: float, leaves: bool) -> None:
    """B runs and serves half of the lane where two stand: worth 1. C opens in 5 s: worth 4 of 10 of those there."""
    rules = RULES._replace(horizon_s=1, tail_s=0.0)
    table = lay(left_turn_from_one_lane(), queue_veh=[2, on_side_street])
    stay, leave = cost_of(table, rules, 1, FOR_EVER_S), cost_of(table, rules, 1, 0, 2)
    assert stay != pytest.approx(leave)
    assert cost_of(table, rules, 1, 0, options=[1, 2]) == pytest.approx(leave if leaves else stay)


def test_a_left_turn_does_not_wait_for_those_at_red() -> None:
    """Stage B: the left turn alone, at its own rate, whatever stands on lane 0."""
    table = lay(left_turn(), queue_veh=[5, 3])
    rules = RULES._replace(horizon_s=2, tail_s=0.0)
    assert cost_of(table, rules, 1, FOR_EVER_S) == pytest.approx(2 * 5 + 2.5 + 2.0)


def test_a_lane_that_stays_open_notices_nothing_of_a_change() -> None:
    """From A to D lane 0 goes on without start-up; lane 1 has one second of yellow."""
    table = lay(left_turn(), queue_veh=[4, 2])
    rules = RULES._replace(horizon_s=3, tail_s=0.0)
    assert cost_of(table, rules, 0, 0, 3) == pytest.approx(3.5 + 3 + 2.5 + 3 * (2 - SATURATION_PER_S))


def test_a_stuck_lane_passes_nobody_and_draws_no_green() -> None:
    """Lane 0 runs and is stuck, with ten; one on lane 1: the rule leaves for the one and does not count the ten."""
    table = lay(crossroads(), queue_veh=[10, 1])
    table.rate[cell(table, 0, 0)] = STUCK_PER_S
    rules = RULES._replace(horizon_s=10, tail_s=0.0)
    assert cost_of(table, rules, 0, FOR_EVER_S) == pytest.approx(100 + 10, abs=1e-3)
    assert cost_of(table, rules, 0, 1) == pytest.approx(10 + 9 * (10 - SATURATION_PER_S) + 7.5, abs=1e-3)


def test_a_lane_with_a_full_exit_is_as_good_as_red() -> None:
    """Rate 0: nobody passes, not even in yellow, and the rule leaves for the one on lane 1."""
    table = lay(crossroads(), queue_veh=[10, 1])
    table.rate[cell(table, 0, 0)] = 0.0
    rules = RULES._replace(horizon_s=10, tail_s=0.0)
    assert cost_of(table, rules, 0, 1) == pytest.approx(100 + 7.5)

"""The first move on the crossroads, by hand: stage 0 runs, stage 1 is green 5 s after it is left; 7 s back."""

from __future__ import annotations

import numpy as np
import pytest

from ...engine.kernels.sites import crossroads, left_turn
from .table import choice, cost_of, lay
from .test_game import RULES


def test_a_lone_vehicle_at_red_is_served_at_once() -> None:
    """6.5 now, a second more for each second of waiting."""
    request, cost = choice(lay(crossroads(), queue_veh=[0, 1]), RULES, [0])
    assert request == [1]
    assert cost == pytest.approx([7.5, 6.5])


def test_with_nobody_about_the_running_stage_stays() -> None:
    for now in (0, 1):
        request, cost = choice(lay(crossroads()), RULES, [now])
        assert request == [now]
        assert cost == pytest.approx([0.0, 0.0])


def test_a_queue_at_green_is_served_before_one_vehicle_at_red() -> None:
    """Six leave in 12 s: to make them wait for 22 s costs more than the one does."""
    assert choice(lay(crossroads(), queue_veh=[6, 1]), RULES, [0])[0] == [0]


def test_a_long_queue_at_red_is_served_before_a_lone_vehicle_that_comes() -> None:
    assert choice(lay(crossroads(), queue_veh=[0, 8], come={0: {12: 1}}), RULES, [0])[0] == [1]


def test_a_platoon_close_to_the_stop_line_is_let_through_first() -> None:
    """Four come in 2 to 8 s: one that stands at red waits for them. It does not if they are 20 s away."""
    near = lay(crossroads(), queue_veh=[0, 1], come={0: dict.fromkeys((2, 4, 6, 8), 1.0)})
    far = lay(crossroads(), queue_veh=[0, 1], come={0: dict.fromkeys((22, 24, 26, 28), 1.0)})
    assert choice(near, RULES, [0])[0] == [0]
    assert choice(far, RULES, [0])[0] == [1]


def test_the_running_stage_is_worth_its_best_hold() -> None:
    """It stays 1, 3, 6, 10 or 15 s, or for 1 s and then as the rule goes."""
    table = lay(crossroads(), queue_veh=[4, 3], come={0: {4: 1, 12: 1}, 1: {6: 1}})
    _, cost = choice(table, RULES, [0])
    games = [cost_of(table, RULES, 0, 1), *(cost_of(table, RULES, 0, hold, 1) for hold in (1, 3, 6, 10, 15))]
    assert cost[0] == pytest.approx(min(games))
    assert cost[1] == pytest.approx(cost_of(table, RULES, 0, 0, 1))
    _, one = choice(table, RULES._replace(holds=1), [0])
    assert one[0] == pytest.approx(min(games[:2]))


def test_the_stages_that_could_serve_most_are_weighed() -> None:
    """Two candidates: the running stage C, and A, which serves lanes 0 and 1, not B or D with one of them."""
    table = lay(left_turn(), queue_veh=[2, 3, 0])
    request, cost = choice(table, RULES._replace(candidates=2), [2])
    assert np.isnan(cost).tolist() == [False, True, False, True]
    assert request == [0]

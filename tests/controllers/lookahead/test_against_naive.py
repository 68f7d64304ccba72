"""Games and choices on random junctions against the account in plain words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from greensplit.controllers.lookahead.demand import SIGHT_S
from greensplit.controllers.lookahead.playout import ANY, Rules
from greensplit.controllers.lookahead.rates import STUCK_PER_S
from greensplit.engine.model.site import ApproachLane, Junction, Site

from ...engine.kernels.sites import random_site
from .naive import Words, told_cost, told_costs, told_options
from .table import Table, choice, cost_of, lay

CLOSE = 1e-3
JUNCTIONS = 6


def random_rules(rng: np.random.Generator) -> Rules:
    return Rules(
        min_green_s=int(rng.integers(1, 10)),
        horizon_s=int(rng.integers(20, 61)),
        start_up_s=float(rng.uniform(0, 3)),
        lone_stop_s=float(rng.uniform(0, 6)),
        stop_s=float(rng.uniform(0, 3)),
        tail_s=float(rng.uniform(0, 20)),
        look_s=int(rng.integers(1, 15)),
        use_s=float(rng.uniform(1, 10)),
        candidates=int(rng.integers(2, 6)),
        holds=int(rng.integers(1, 6)),
    )


def shared_site(rng: np.random.Generator, junctions: int) -> Site:
    """Random junctions on which a part of the lanes belongs to two groups."""

    def drawn(lane: ApproachLane, junction: Junction) -> ApproachLane:
        other = junction.groups[rng.integers(len(junction.groups))].number
        return replace(lane, groups=tuple({*lane.groups, other})) if rng.random() < 0.5 else lane

    where = random_site(rng, junctions)
    return replace(
        where,
        junctions=tuple(replace(j, lanes=tuple(drawn(lane, j) for lane in j.lanes)) for j in where.junctions),
    )


def random_table(rng: np.random.Generator) -> Table:
    """Some lanes are stuck, some have a full exit; queues, lone vehicles and platoons."""
    table = lay(shared_site(rng, JUNCTIONS))
    cells = len(table.rate)
    table.rate[:] *= rng.uniform(0.2, 1.4, cells)
    table.rate[(rng.random(cells) < 0.1) & (table.rate > 0)] = STUCK_PER_S
    table.rate[rng.random(cells) < 0.1] = 0.0
    lanes = len(table.demand.queue_veh)
    table.demand.queue_veh[:] = (
        rng.integers(0, 8, lanes) * rng.uniform(0, 1, lanes) * rng.integers(0, 2, lanes)
    )
    busy = rng.uniform(0, 0.4, lanes)
    for lane in range(lanes):
        comes = (rng.random(SIGHT_S) < busy[lane]) * rng.uniform(0.1, 1.8, SIGHT_S)
        table.demand.coming_veh[lane, 1:] = np.cumsum(comes)
    return table


def words_of(table: Table, j: int) -> Words:
    junction = table.where.junctions[j]
    lanes, stages = len(junction.lanes), len(junction.stages)
    first = int(table.detection.lane_ptr[j])
    coming = table.demand.coming_veh[first : first + lanes].astype(float)
    rate = table.rate[table.board.cell_ptr[j] : table.board.cell_ptr[j + 1]]
    change_s = table.board.change_s[table.board.change_ptr[j] : table.board.change_ptr[j + 1]]
    return Words(
        junction,
        {(s, i): float(rate[s * lanes + i]) for s in range(stages) for i in range(lanes)},
        {(a, b): int(change_s[a * stages + b]) for a in range(stages) for b in range(stages)},
        table.demand.queue_veh[first : first + lanes].tolist(),
        np.diff(coming, axis=1).tolist(),
    )


@pytest.mark.parametrize("seed", range(6))
def test_random_games_cost_what_the_words_say(seed: int) -> None:
    """Each junction, a few first moves: into another stage or as the rule goes, at once or after a while."""
    rng = np.random.default_rng(seed)
    table, costs = random_table(rng), []
    for j, junction in enumerate(table.where.junctions):
        words, rules, stages = words_of(table, j), random_rules(rng), len(junction.stages)
        for _ in range(4):
            options = rng.permutation(stages)[: rng.integers(1, stages + 1)].tolist()
            start, hold_s = int(rng.integers(stages)), int(rng.integers(0, 20))
            target = None if rng.random() < 0.3 else int(rng.integers(stages))
            found = cost_of(
                table, rules, start, hold_s, ANY if target is None else target, j=j, options=options
            )
            assert found == pytest.approx(
                told_cost(words, rules, options, start, hold_s, target), rel=1e-5, abs=CLOSE
            )
            costs.append(found)
    assert len({round(cost) for cost in costs}) > 10


@pytest.mark.parametrize("seed", range(100, 105))
def test_random_junctions_choose_the_stage_that_brute_force_finds(seed: int) -> None:
    """Every first move played to the end gives the same costs of stages, and the same request but for close calls."""
    rng = np.random.default_rng(seed)
    table, rules = random_table(rng), random_rules(rng)
    now = [int(rng.integers(len(junction.stages))) for junction in table.where.junctions]
    request, cost = choice(table, rules, now)
    close_calls = 0
    for j, running in enumerate(now):
        first, end = table.signals.stage_ptr[j : j + 2]
        words = words_of(table, j)
        expected = told_costs(words, rules, told_options(words, rules, running))
        assert_costs(cost[first:end], expected)
        least = sorted(expected.values())
        if len(least) > 1 and least[1] - least[0] < 5 * CLOSE:
            close_calls += 1
        else:
            assert request[j] == min(expected, key=lambda stage: expected[stage])
    assert close_calls <= JUNCTIONS // 2


def assert_costs(cost: npt.NDArray[np.float64], expected: dict[int, float]) -> None:
    """The weighed stages and no others."""
    assert set(np.flatnonzero(~np.isnan(cost))) == set(expected)
    for stage, told in expected.items():
        assert cost[stage] == pytest.approx(told, rel=1e-5, abs=CLOSE)

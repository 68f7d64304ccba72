"""One game: a junction is played forward, second by second, and the delay of everybody is added up.

After its first move the game goes on by a plain rule, as other junctions are run: the stage that serves most of those
who stand or are about to come, less what the change costs. Better play is what the search finds; a continuation that
knew only one habit, such as to empty every queue, would make every change look dear.

A queue leaves at the learned rate of its lane. Whoever comes to an open lane without a queue passes at once, at least
a headway after the one before; a lane that yields is as fast as a protected one while nobody comes the other way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.jit import kernel

from .board import Board
from .demand import SIGHT_S, Demand
from .rates import STUCK_PER_S

__all__ = ["ANY", "Game", "Rules", "new_game", "play"]

ANY = -1
NEVER_S = 1 << 20
SATURATION_PER_S = 0.53
GAP_PER_S = 0.42  # of a lane that yields, while it need not
FREE_VEH = 0.3  # a queue too short to stop anybody
LONE_VEH = 0.5
HEADWAY_VEH = 1.05  # in two seconds, without a queue
FLOWING_VEH = 0.2

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]


class Rules(NamedTuple):
    """What holds for every junction. Costs of stopping are beyond the time spent in the queue."""

    min_green_s: int = 5
    horizon_s: int = 60
    start_up_s: float = 0.5  # of a queue
    lone_stop_s: float = 3.5  # cost of stopping as the first: brakes, and starts at the stop line
    stop_s: float = 0.7  # cost of stopping behind others, who have started by the stop line
    tail_s: float = 0.0  # cost of each who is left at the end
    look_s: int = 6  # the rule counts those who come within
    use_s: float = 8.0  # and weighs the cost of a change over
    candidates: int = 5
    holds: int = 5


class Game(NamedTuple):
    """Room for one game."""

    queue_veh: F32  # per lane
    passed_veh: F32  # in this second
    lost_s: F32  # start-up still to come
    near_veh: F32
    open_s: I32  # when the lane turned green, NEVER_S while red
    shut_s: I32  # when it turns red
    option: I32  # stages that may be played
    worth: npt.NDArray[np.float64]  # per stage


def new_game(lanes: int, stages: int) -> Game:
    """Room for junctions of up to so many lanes and stages."""
    f, i = np.zeros((4, lanes), np.float32), np.zeros((2, lanes), np.int32)
    return Game(f[0], f[1], f[2], f[3], i[0], i[1], np.zeros(stages, np.int32), np.zeros(stages))


@kernel
def play(
    rules: Rules,
    board: Board,
    demand: Demand,
    rate: F32,
    game: Game,
    j: int,
    first: int,
    lanes: int,
    stages: int,
    options: int,
    start: int,
    hold_s: int,
    target: int,
    limit: float,
) -> float:
    """Delay, vehicle seconds, if stage ``start`` stays for ``hold_s`` and is then left for ``target``.

    With ``target`` ANY the rule goes on after ``hold_s``. A game that costs more than ``limit`` is not played out.
    ``first`` is the junction's first lane; ``options`` is how many stages of ``game.option`` may be played.
    """
    _deal(board, demand, rate, game, j, first, lanes, start)
    stage, free_s, cost = start, hold_s, 0.0
    for t in range(rules.horizon_s):
        if t >= free_s:
            wanted = target
            if t != hold_s or target == ANY:
                wanted = _rule(rules, board, demand, rate, game, j, first, lanes, stages, options, stage, t)
            if wanted != stage:
                _change(rules, board, rate, game, j, lanes, stages, stage, wanted, t)
                change_s = board.change_s[board.change_ptr[j] + stage * stages + wanted]
                free_s = t + change_s + rules.min_green_s
                stage = wanted
        cost += _pass_second(rules, board, demand, rate, game, j, first, lanes, stage, t)
        if cost > limit:
            return cost
    for lane in range(lanes):
        cost += rules.tail_s * game.queue_veh[lane]
    return cost


@kernel
def _deal(
    board: Board, demand: Demand, rate: F32, game: Game, j: int, first: int, lanes: int, start: int
) -> None:
    for lane in range(lanes):
        game.queue_veh[lane] = demand.queue_veh[first + lane]
        game.passed_veh[lane] = 0.0
        game.lost_s[lane] = 0.0
        is_open = rate[board.cell_ptr[j] + start * lanes + lane] > 0.0
        game.open_s[lane] = 0 if is_open else NEVER_S
        game.shut_s[lane] = NEVER_S


@kernel
def _change(
    rules: Rules,
    board: Board,
    rate: F32,
    game: Game,
    j: int,
    lanes: int,
    stages: int,
    before: int,
    after: int,
    t: int,
) -> None:
    """Lanes that stay open notice nothing; those that end use the first second of yellow."""
    opening = board.opening_ptr[j] + (before * stages + after) * lanes
    for lane in range(lanes):
        if rate[board.cell_ptr[j] + after * lanes + lane] > 0.0:
            if game.open_s[lane] == NEVER_S or game.shut_s[lane] != NEVER_S:
                game.open_s[lane] = t + board.opening_s[opening + lane]
                game.shut_s[lane] = NEVER_S
                game.lost_s[lane] = rules.start_up_s
        elif game.open_s[lane] != NEVER_S and game.shut_s[lane] == NEVER_S:
            game.shut_s[lane] = t + 1


@kernel
def _pass_second(
    rules: Rules,
    board: Board,
    demand: Demand,
    rate: F32,
    game: Game,
    j: int,
    first: int,
    lanes: int,
    stage: int,
    t: int,
) -> float:
    """Let pass who can, from ``t`` to ``t`` + 1; what it costs those who cannot."""
    cost = 0.0
    for lane in range(lanes):
        come = demand.coming_veh[first + lane, t + 1] - demand.coming_veh[first + lane, t]
        before = game.queue_veh[lane]
        if before + come <= 0.0:
            game.passed_veh[lane] = 0.0
            continue
        may = _may_pass(board, rate, game, j, lanes, stage, lane, t)
        if before <= FREE_VEH and may > FREE_VEH:
            may = max(may, HEADWAY_VEH - game.passed_veh[lane])
        through = min(may, before + come)
        game.passed_veh[lane] = through
        game.queue_veh[lane] = before + come - through
        stopped = come - max(0.0, through - before)
        cost += stopped * (rules.lone_stop_s if before < LONE_VEH else rules.stop_s)
        cost += game.queue_veh[lane]
    return cost


@kernel
def _may_pass(
    board: Board, rate: F32, game: Game, j: int, lanes: int, stage: int, lane: int, t: int
) -> float:
    """Vehicles that the lane can let pass in this second."""
    if game.open_s[lane] > t:
        return 0.0
    if game.shut_s[lane] <= t:
        game.open_s[lane] = NEVER_S
        game.shut_s[lane] = NEVER_S
        return 0.0
    cell = board.cell_ptr[j] + stage * lanes + lane
    if rate[cell] <= 0.0:
        return SATURATION_PER_S
    moving = 1.0
    if game.lost_s[lane] > 0.0:
        moving = max(0.0, 1.0 - game.lost_s[lane])
        game.lost_s[lane] = max(0.0, game.lost_s[lane] - 1.0)
    may = float(rate[cell])
    foes = board.yields[cell]
    if foes != 0 and may > STUCK_PER_S and not _any_flows(game, lanes, foes, t):
        may = max(may, GAP_PER_S * board.share[cell])
    return moving * may


@kernel
def _any_flows(game: Game, lanes: int, foes: int, t: int) -> bool:
    """Does anybody come on these lanes, as bits?"""
    for lane in range(lanes):
        if foes >> lane & 1:
            if game.passed_veh[lane] > FLOWING_VEH:
                return True
            if game.queue_veh[lane] > LONE_VEH and game.open_s[lane] <= t:
                return True
    return False


@kernel
def _rule(
    rules: Rules,
    board: Board,
    demand: Demand,
    rate: F32,
    game: Game,
    j: int,
    first: int,
    lanes: int,
    stages: int,
    options: int,
    stage: int,
    t: int,
) -> int:
    """The option that serves most of those who stand or come soon; lanes that are not open yet count for less.

    Of equals the stage of the game stays, else the first is taken.
    """
    until = min(t + rules.look_s, SIGHT_S)
    for lane in range(lanes):
        coming = demand.coming_veh[first + lane, until] - demand.coming_veh[first + lane, t]
        game.near_veh[lane] = game.queue_veh[lane] + coming
    most, found = -1.0, stage
    for i in range(-1, options):
        option = stage if i < 0 else game.option[i]
        cell = board.cell_ptr[j] + option * lanes
        opening = board.opening_ptr[j] + (stage * stages + option) * lanes
        total = 0.0
        for lane in range(lanes):
            if rate[cell + lane] > STUCK_PER_S:
                share = board.share[cell + lane] * game.near_veh[lane]
                if rate[board.cell_ptr[j] + stage * lanes + lane] <= 0.0:
                    lost_s = board.opening_s[opening + lane] + rules.start_up_s
                    share *= rules.use_s / (rules.use_s + lost_s)
                total += share
        if total > most + 1e-6:
            most, found = total, option
    return int(found)

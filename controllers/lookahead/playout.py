"""Plays a junction forward, second by second: what a first move costs if play goes on sensibly after it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.jit import kernel
from greensplit.engine.kernels.state import Machine
from greensplit.engine.model.compiled import Detection, Signals

from .board import Board
from .demand import SIGHT_S, Demand

__all__ = ["Game", "Rules", "new_game", "plan"]

NEVER_S = 1 << 20
SATURATION_PER_S = 0.53
LOOK_S = 8


class Rules(NamedTuple):
    """What holds for every junction."""

    min_green_s: int
    horizon_s: int
    start_up_s: float
    lone_stop_s: float
    stop_s: float
    tail_s: float
    margin: float
    candidates: int
    holds: int
    index_every_s: int


class Game(NamedTuple):
    """Scratch for one junction."""

    queue: npt.NDArray[np.float32]
    open_s: npt.NDArray[np.int32]
    shut_s: npt.NDArray[np.int32]
    near: npt.NDArray[np.float32]
    passed: npt.NDArray[np.float32]
    started: npt.NDArray[np.float32]
    option: npt.NDArray[np.int32]
    value: npt.NDArray[np.float64]


def new_game(lanes: int, stages: int) -> Game:
    f = np.zeros((4, lanes), np.float32)
    return Game(f[0], np.zeros(lanes, np.int32), np.zeros(lanes, np.int32), f[1], f[2], f[3], np.zeros(stages, np.int32),
                np.zeros(stages))


@kernel
def play(
    rules: Rules, board: Board, j: int, lanes: int, stages: int, first: int, options: int,
    rate: npt.NDArray[np.float32], demand: Demand, start: int, hold_s: int, target: int, bound: float, game: Game,
) -> float:
    """Delay, vehicle seconds, if ``start`` is held for ``hold_s`` and left for ``target`` (-1: as the rule says)."""
    queue, open_s, shut_s, passed, started = game.queue, game.open_s, game.shut_s, game.passed, game.started
    coming = demand.coming_veh
    cells, openings, changes = board.cell_ptr[j], board.opening_ptr[j], board.change_ptr[j]
    stage = start
    cost = 0.0
    for l in range(lanes):
        queue[l] = demand.queue_veh[first + l]
        open_s[l] = 0 if rate[cells + stage * lanes + l] > 0.0 else NEVER_S
        shut_s[l] = NEVER_S
        passed[l] = 0.0
        started[l] = 0.0
    free_s = hold_s
    for t in range(rules.horizon_s):
        if t >= free_s:
            wanted = stage
            if t == hold_s and target >= 0:
                wanted = target
            elif (t - free_s) % rules.index_every_s == 0:
                wanted = best_index(rules, board, j, lanes, stages, first, options, rate, coming, stage, t, game)
            if wanted != stage:
                change = openings + (stage * stages + wanted) * lanes
                for l in range(lanes):
                    if rate[cells + wanted * lanes + l] > 0.0:
                        if open_s[l] == NEVER_S or shut_s[l] != NEVER_S:
                            open_s[l] = t + board.opening_s[change + l]
                            started[l] = rules.start_up_s
                            shut_s[l] = NEVER_S
                    elif open_s[l] != NEVER_S and shut_s[l] == NEVER_S:
                        shut_s[l] = t + 1
                free_s = t + board.change_s[changes + stage * stages + wanted] + rules.min_green_s
                stage = wanted
        for l in range(lanes):
            come = coming[first + l, t + 1] - coming[first + l, t]
            before = queue[l]
            if before + come <= 0.0:
                passed[l] = 0.0
                continue
            passing = 0.0
            if open_s[l] <= t:
                if t < shut_s[l]:
                    if started[l] >= 1.0:
                        started[l] -= 1.0
                        lost = 1.0
                    else:
                        lost = started[l]
                        started[l] = 0.0
                    passing = (1.0 - lost) * rate[cells + stage * lanes + l]
                    if rate[cells + stage * lanes + l] <= 0.0:
                        passing = SATURATION_PER_S
                    else:
                        foes = board.yields[cells + stage * lanes + l]
                        if foes != 0 and passing > 0.01 and lost == 0.0:
                            busy = False
                            for o in range(lanes):
                                if foes >> o & 1 and (passed[o] > 0.2 or (queue[o] > 0.5 and open_s[o] <= t)):
                                    busy = True
                            if not busy:
                                passing = max(passing, 0.8 * SATURATION_PER_S * board.share[cells + stage * lanes + l])
                else:
                    open_s[l] = NEVER_S
                    shut_s[l] = NEVER_S
            if before <= 0.3 and passing > 0.3:
                through = min(before + come, max(passing, 1.05 - passed[l]))
            else:
                through = min(passing, before + come)
            passed[l] = through
            queue[l] = before + come - through
            stopped = come - max(0.0, through - before)
            if stopped > 0.0:
                cost += stopped * (rules.lone_stop_s if before < 0.5 else rules.stop_s)
            cost += queue[l]
        if cost > bound:
            return cost
    for l in range(lanes):
        cost += rules.tail_s * queue[l]
    return cost


@kernel
def best_index(
    rules: Rules, board: Board, j: int, lanes: int, stages: int, first: int, options: int,
    rate: npt.NDArray[np.float32], coming: npt.NDArray[np.float32], stage: int, t: int, game: Game,
) -> int:
    """The option that clears most per second."""
    queue, near = game.queue, game.near
    cells, changes = board.cell_ptr[j], board.change_ptr[j]
    until = min(t + LOOK_S + 4, SIGHT_S)
    for l in range(lanes):
        near[l] = queue[l] + coming[first + l, until] - coming[first + l, t]
    running = 0.0
    soon = 0.0
    for l in range(lanes):
        r = rate[cells + stage * lanes + l]
        if r > 0.0:
            running += min(r * 4, queue[l] + coming[first + l, min(t + 4, SIGHT_S)] - coming[first + l, t])
            soon += min(r * (LOOK_S + 4), near[l])
    best, found = max(running / 4.0, soon / (LOOK_S + 4)), stage
    for k in range(options):
        s = game.option[k]
        if s == stage:
            continue
        change = board.change_s[changes + stage * stages + s] + rules.start_up_s
        total = 0.0
        for l in range(lanes):
            r = rate[cells + s * lanes + l]
            if r > 0.0:
                total += min(r * LOOK_S, near[l])
        value = total / (LOOK_S + change)
        if value > best + 1e-6:
            best, found = value, s
    return found


@kernel
def pick_options(
    rules: Rules, lanes: int, stages: int, first: int, cell: int, usable: npt.NDArray[np.uint8],
    rate: npt.NDArray[np.float32], demand: Demand, stage: int, game: Game,
) -> int:
    """The running stage, and those that could clear most within a while: how many."""
    count = 0
    for s in range(stages):
        total = 0.0
        for l in range(lanes):
            r = rate[cell + s * lanes + l]
            if r > 0.0:
                total += min(r * 15.0, demand.queue_veh[first + l] + demand.coming_veh[first + l, 15])
                total += 0.05 * demand.coming_veh[first + l, 60]
        game.value[s] = total if usable[s] else -1.0
    game.value[stage] = 1e9
    while count < min(rules.candidates, stages):
        best = -1
        for s in range(stages):
            if game.value[s] >= 0.0 and (best < 0 or game.value[s] > game.value[best]):
                best = s
        if best < 0:
            break
        game.option[count] = best
        game.value[best] = -1.0
        count += 1
    return count


@kernel
def plan(
    signals: Signals, detection: Detection, machine: Machine, rules: Rules, board: Board,
    rate: npt.NDArray[np.float32], demand: Demand, usable: npt.NDArray[np.uint8], ready: npt.NDArray[np.bool_],
    game: Game, cost: npt.NDArray[np.float64], request: npt.NDArray[np.int32],
) -> None:
    """Ask every ready junction for the stage with which play costs least; (S,) ``cost``, NaN where not weighed."""
    for j in range(len(signals.device_id)):
        head = signals.stage_ptr[j]
        stages = signals.stage_ptr[j + 1] - head
        for s in range(stages):
            cost[head + s] = np.nan
        if not ready[j]:
            continue
        first = detection.lane_ptr[j]
        lanes = detection.lane_ptr[j + 1] - first
        now = machine.stage[j]
        options = pick_options(rules, lanes, stages, first, board.cell_ptr[j], usable[head : head + stages], rate,
                               demand, now, game)
        stay = play(rules, board, j, lanes, stages, first, options, rate, demand, now, 1, -1, 1e12, game)
        for k in range(1, options):
            target = game.option[k]
            for h in range(rules.holds):
                hold = 1 + h * (h + 3) // 2
                c = play(rules, board, j, lanes, stages, first, options, rate, demand, now, hold, target, stay, game)
                stay = min(stay, c)
        best, found = stay + rules.margin, now
        cost[head + now] = stay
        for k in range(1, options):
            target = game.option[k]
            c = play(rules, board, j, lanes, stages, first, options, rate, demand, now, 0, target, 1e12, game)
            cost[head + target] = c
            if c < best - 1e-3:
                best, found = c, target
        request[j] = found

"""A table to play at: a site, how fast its lanes empty, and who wants to pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.controllers.lookahead.board import Board, new_board
from greensplit.controllers.lookahead.demand import Demand, new_demand
from greensplit.controllers.lookahead.playout import ANY, Game, Rules, new_game, play
from greensplit.controllers.lookahead.search import choose_stages
from greensplit.engine.kernels.state import new_machine
from greensplit.engine.model.compiled import Detection, Signals, compile_detection, compile_signals
from greensplit.engine.model.site import Site

NO_LIMIT = 1e12

Come = Mapping[int, Mapping[int, float]]
"""Per lane, vehicles that would reach the stop line in the second that begins so long after now."""


class Table(NamedTuple):
    """What ``play`` and ``choose_stages`` take."""

    where: Site
    signals: Signals
    detection: Detection
    board: Board
    demand: Demand
    rate: npt.NDArray[np.float32]
    game: Game


def lay(
    where: Site,
    rate_per_s: float = 0.5,
    queue_veh: Sequence[float] = (),
    come: Come | None = None,
) -> Table:
    """Lanes empty at that rate times their share in every stage."""
    signals, detection = compile_signals(where), compile_detection(where)
    board = new_board(signals, detection)
    demand = new_demand(len(detection.stop_bar))
    demand.queue_veh[: len(queue_veh)] = queue_veh
    for lane, seconds in (come or {}).items():
        for second, vehicles in seconds.items():
            demand.coming_veh[lane, second + 1 :] += vehicles
    lanes, stages = np.diff(detection.lane_ptr).max(), np.diff(signals.stage_ptr).max()
    return Table(
        where, signals, detection, board, demand, rate_per_s * board.share, new_game(int(lanes), int(stages))
    )


def cell(table: Table, stage: int, lane: int, j: int = 0) -> int:
    """Position of a local stage and lane in the tables of the board."""
    lanes = table.detection.lane_ptr[j + 1] - table.detection.lane_ptr[j]
    return int(table.board.cell_ptr[j] + stage * lanes + lane)


def cost_of(
    table: Table,
    rules: Rules,
    start: int,
    hold_s: int,
    target: int = ANY,
    *,
    j: int = 0,
    options: Sequence[int] | None = None,
    limit: float = NO_LIMIT,
) -> float:
    """One game; all stages may be played, the first one first, unless ``options`` says otherwise."""
    first = int(table.detection.lane_ptr[j])
    lanes = int(table.detection.lane_ptr[j + 1]) - first
    stages = int(table.signals.stage_ptr[j + 1] - table.signals.stage_ptr[j])
    allowed = list(options) if options is not None else [start, *(s for s in range(stages) if s != start)]
    table.game.option[: len(allowed)] = allowed
    return float(
        play(
            rules, table.board, table.demand, table.rate, table.game, j, first, lanes, stages, len(allowed),
            start, hold_s, target, limit,
        )
    )  # fmt: skip


def choice(table: Table, rules: Rules, now: Sequence[int]) -> tuple[list[int], npt.NDArray[np.float64]]:
    """Requests of junctions that run these local stages, and the cost of every stage."""
    machine = new_machine(table.signals)
    machine.stage[:] = now
    size = len(table.signals.stage_deployed)
    cost, request = np.zeros(size), np.full(len(now), -1, np.int32)
    choose_stages(
        table.signals,
        table.detection,
        machine,
        rules,
        table.board,
        table.demand,
        table.rate,
        np.ones(len(now), np.bool_),
        table.game,
        cost,
        request,
    )
    return request.tolist(), cost

"""The first move: every option now, or after a while, each played out; the one whose game costs least."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.jit import kernel
from greensplit.engine.kernels.state import Machine
from greensplit.engine.model.compiled import Detection, Signals

from .board import Board
from .demand import Demand
from .playout import ANY, Game, Rules, play

__all__ = ["choose_stages"]

NO_LIMIT = 1e12
SAME_VEH_S = 1e-3
SOON_S = 15
LATER_S = 60
LATER_WEIGHT = 0.05
RATE_PER_S = 15.0


@kernel
def choose_stages(
    signals: Signals,
    detection: Detection,
    machine: Machine,
    rules: Rules,
    board: Board,
    demand: Demand,
    rate: npt.NDArray[np.float32],
    ready: npt.NDArray[np.bool_],
    game: Game,
    cost: npt.NDArray[np.float64],
    request: npt.NDArray[np.int32],
) -> None:
    """Request, for every ``ready`` junction (J,), the stage with which its game costs least.

    ``cost`` (S,), vehicle seconds, is that of the best game with the stage as the next, NaN where it was not weighed;
    for the running stage, of the best that does not leave it at once.
    """
    for j in range(len(signals.device_id)):
        head = signals.stage_ptr[j]
        stages = signals.stage_ptr[j + 1] - head
        cost[head : head + stages] = np.nan
        if not ready[j]:
            continue
        first = detection.lane_ptr[j]
        lanes = detection.lane_ptr[j + 1] - first
        now = machine.stage[j]
        options = _pick_options(rules, board, demand, rate, game, j, first, lanes, stages, now)
        stay = play(rules, board, demand, rate, game, j, first, lanes, stages, options, now, 1, ANY, NO_LIMIT)
        for i in range(1, options):
            for k in range(rules.holds):
                hold_s = 1 + k * (k + 3) // 2
                found = play(
                    rules, board, demand, rate, game, j, first, lanes, stages, options, now, hold_s,
                    game.option[i], stay,
                )  # fmt: skip
                stay = min(stay, found)
        cost[head + now] = stay
        least = stay - SAME_VEH_S
        request[j] = now
        for i in range(1, options):
            option = game.option[i]
            found = play(
                rules, board, demand, rate, game, j, first, lanes, stages, options, now, 0, option, NO_LIMIT
            )
            cost[head + option] = found
            if found < least:
                least = found
                request[j] = option


@kernel
def _pick_options(
    rules: Rules,
    board: Board,
    demand: Demand,
    rate: npt.NDArray[np.float32],
    game: Game,
    j: int,
    first: int,
    lanes: int,
    stages: int,
    now: int,
) -> int:
    """The running stage, then those that could serve most; into ``game.option``, how many."""
    for stage in range(stages):
        worth = 0.0
        for lane in range(lanes):
            may = rate[board.cell_ptr[j] + stage * lanes + lane]
            if may > 0.0:
                soon = demand.queue_veh[first + lane] + demand.coming_veh[first + lane, SOON_S]
                worth += min(may * RATE_PER_S, soon)
                worth += LATER_WEIGHT * demand.coming_veh[first + lane, LATER_S]
        game.worth[stage] = worth
    game.worth[now] = NO_LIMIT
    count = 0
    while count < min(rules.candidates, stages):
        best = -1
        for stage in range(stages):
            if game.worth[stage] >= 0.0 and (best < 0 or game.worth[stage] > game.worth[best]):
                best = stage
        if best < 0:
            break
        game.option[count] = best
        game.worth[best] = -1.0
        count += 1
    return count

"""The controller: each second, for every junction that may choose, the next stage by look-ahead."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import FORCE_OFF, MAX_OUT
from greensplit.engine.kernels.state import NEVER_MS
from greensplit.engine.loop import View

from ..choice import may_choose
from ..urgency import due_stages
from .board import new_board
from .calls import note_calls
from .demand import demand_from_loops, demand_from_truth, new_demand
from .modes import MODES, SIGHT, tell_modes
from .playout import Rules, new_game
from .rates import fill_rates
from .search import choose_stages

__all__ = ["Config", "Lookahead"]

REASONS = ("least expected delay", "called and red for as long as is allowed")


@dataclass(frozen=True, slots=True)
class Config:
    """Times in ms. ``range_m`` is how far perfect vision reaches, in runs that have it."""

    period_ms: int = 1000
    min_green_ms: int = 5000
    max_red_ms: int = 120_000
    range_m: float = 150.0
    rules: Rules = field(default_factory=Rules)


class Lookahead:
    """Adaptive control without cycle: what each stage would cost over the next minute."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._rules = config.rules._replace(min_green_s=-(-config.min_green_ms // 1000))
        self._is_new = True

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        """See ``greensplit.engine.loop.Controller``."""
        if self._is_new:
            self._start(view, log)
        config, signals, detection = self._config, view.signals, view.detection
        self._look(view)
        able = may_choose(view, config.min_green_ms)
        fill_rates(
            signals,
            detection,
            view.detectors,
            view.health.level,
            view.machine,
            view.traffic.discharge,
            view.traffic.exit_full,
            self._board,
            able,
            view.now_ms,
            self._rate,
        )
        choose_stages(
            signals,
            detection,
            view.machine,
            self._rules,
            self._board,
            self._demand,
            self._rate,
            able,
            self._game,
            self._cost,
            request,
        )
        forced = self._force(view, able, request)
        cause[:] = np.where(forced, MAX_OUT, FORCE_OFF)
        self._tell_mode(view)
        log.note(view, request, self._cost, REASONS, forced.astype(np.uint8), able, self._mode)
        return view.now_ms + config.period_ms

    def _start(self, view: View, log: DecisionLog) -> None:
        signals, detection = view.signals, view.detection
        self._is_new = False
        log.declare("expected delay, vehicle seconds", lower_is_better=True, modes=MODES)
        self._board = new_board(signals, detection)
        self._demand = new_demand(len(detection.stop_bar))
        self._rate = np.zeros(len(self._board.share), np.float32)
        most_lanes = int(np.diff(detection.lane_ptr).max(initial=1))
        most_stages = int(np.diff(signals.stage_ptr).max(initial=1))
        self._game = new_game(most_lanes, most_stages)
        self._cost = np.full(len(signals.stage_deployed), np.nan)
        self._call_ms = np.full(len(signals.min_green_ms), NEVER_MS, np.int64)
        self._served = np.zeros(len(signals.min_green_ms), np.bool_)
        self._due = np.zeros(len(signals.device_id), np.int32)
        self._mode = np.zeros(len(signals.device_id), np.uint8)

    def _look(self, view: View) -> None:
        arrivals = view.traffic.arrivals.arrival_veh
        if view.truth is None:
            demand_from_loops(view.traffic, view.now_ms, self._demand)
        else:
            demand_from_truth(
                view.detection, view.truth, arrivals, self._config.range_m, view.now_ms, self._demand
            )

    def _tell_mode(self, view: View) -> None:
        if view.truth is None:
            tell_modes(view.detection, view.health.level, self._mode)
        else:
            self._mode.fill(SIGHT)

    def _force(
        self, view: View, able: npt.NDArray[np.bool_], request: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.bool_]:
        """Put stages that are due, so that the bound on red holds, in place of the request; (J,) where."""
        config = self._config
        note_calls(
            view.signals,
            view.detection,
            view.detectors,
            view.health.level,
            view.machine,
            self._demand,
            view.now_ms,
            self._call_ms,
        )
        due_stages(
            view.signals,
            self._call_ms,
            config.max_red_ms,
            config.min_green_ms,
            view.now_ms,
            self._served,
            self._due,
        )
        forced: npt.NDArray[np.bool_] = able & (self._due >= 0)
        np.copyto(request, self._due, where=forced)
        return forced

"""The controller: each second, for every junction that may choose, the next stage by look-ahead."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import FORCE_OFF, MAX_OUT
from greensplit.engine.kernels.detectors import Detectors
from greensplit.engine.kernels.jit import kernel
from greensplit.engine.kernels.state import NEVER_MS, Machine
from greensplit.engine.loop import View
from greensplit.engine.model.compiled import Detection, Signals

from ..choice import eligible, may_choose
from ..switching import is_green
from ..urgency import due_stages
from .board import new_board
from .demand import Demand, demand_from_loops, demand_from_truth, new_demand
from .playout import Rules, new_game
from .rates import fill_rates
from .search import choose_stages

__all__ = ["Config", "Lookahead"]

REASONS = ("least expected delay", "called and red for as long as is allowed")
CALLS_VEH = 0.5


@dataclass(frozen=True, slots=True)
class Config:
    """Times in ms. ``range_m`` is how far perfect vision reaches, in runs that have it."""

    period_ms: int = 1000
    min_green_ms: int = 5000
    max_red_ms: int = 120_000
    range_m: float = 150.0
    all_stages: bool = True
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
            self._usable,
            able,
            self._game,
            self._cost,
            request,
        )
        forced = self._force(view, able, request)
        cause[:] = np.where(forced, MAX_OUT, FORCE_OFF)
        log.note(view, request, self._cost, REASONS, forced.astype(np.uint8), able)
        return view.now_ms + config.period_ms

    def _start(self, view: View, log: DecisionLog) -> None:
        signals, detection = view.signals, view.detection
        self._is_new = False
        log.declare("expected delay, vehicle seconds", lower_is_better=True)
        self._board = new_board(signals, detection)
        self._demand = new_demand(len(detection.stop_bar))
        self._rate = np.zeros(len(self._board.share), np.float32)
        most_lanes = int(np.diff(detection.lane_ptr).max(initial=1))
        most_stages = int(np.diff(signals.stage_ptr).max(initial=1))
        self._game = new_game(most_lanes, most_stages)
        self._cost = np.full(len(signals.stage_deployed), np.nan)
        self._usable = np.ones(len(signals.stage_deployed), np.uint8)
        if not self._config.all_stages:
            self._usable[:] = eligible(signals)
        self._call_ms = np.full(len(signals.min_green_ms), NEVER_MS, np.int64)
        self._served = np.zeros(len(signals.min_green_ms), np.bool_)
        self._due = np.zeros(len(signals.device_id), np.int32)

    def _look(self, view: View) -> None:
        arrivals = view.traffic.arrivals.arrival_veh
        if view.truth is None:
            demand_from_loops(view.traffic, view.now_ms, self._demand)
        else:
            demand_from_truth(
                view.detection, view.truth, arrivals, self._config.range_m, view.now_ms, self._demand
            )

    def _force(
        self, view: View, able: npt.NDArray[np.bool_], request: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.bool_]:
        """Put stages that are due, so that the bound on red holds, in place of the request; (J,) where."""
        config = self._config
        _note_calls(
            view.signals,
            view.detection,
            view.detectors,
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


@kernel
def _note_calls(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    machine: Machine,
    demand: Demand,
    now_ms: int,
    call_ms: npt.NDArray[np.int64],
) -> None:
    """When each red group was first called since its green ended, NEVER_MS while nobody waits: (G,) ``call_ms``.

    Pedestrians always call, and so does a lane without any loop.
    """
    for j in range(len(signals.device_id)):
        first = signals.group_ptr[j]
        for group in range(first, signals.group_ptr[j + 1]):
            if is_green(machine.lamps.aspect[group]):
                call_ms[group] = NEVER_MS
            elif signals.is_pedestrian[group] and call_ms[group] == NEVER_MS:
                call_ms[group] = now_ms
        for lane in range(detection.lane_ptr[j], detection.lane_ptr[j + 1]):
            stop = detection.stop_bar[lane]
            calls = demand.queue_veh[lane] > CALLS_VEH
            calls = calls or (stop < 0 and detection.advance[lane] < 0)
            if not (calls or (stop >= 0 and detectors.on[stop])):
                continue
            for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
                group = first + detection.lane_group[i]
                if not is_green(machine.lamps.aspect[group]) and call_ms[group] == NEVER_MS:
                    call_ms[group] = now_ms

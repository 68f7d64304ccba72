"""The controller."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from greensplit.engine.events import FORCE_OFF, GAP_OUT, MAX_OUT
from greensplit.engine.kernels.detectors import Detectors
from greensplit.engine.kernels.estimation.discharge import Discharge, discharge_cell, headway_s
from greensplit.engine.kernels.jit import kernel
from greensplit.engine.kernels.state import NEVER_MS, Machine
from greensplit.engine.decisions import DecisionLog
from greensplit.engine.loop import View
from greensplit.engine.model.aspects import GREEN, PERMISSIVE, RED
from greensplit.engine.model.compiled import Detection, Signals

from ..choice import may_choose
from ..inside import clear_turners, hold_starting
from ..urgency import due_stages
from .board import Board, new_board
from .demand import Demand, from_loops, from_truth, new_demand
from .playout import Rules, new_game, plan

__all__ = ["Config", "Lookahead"]

REASONS = ("least expected delay", "lets left-turners out of the junction", "called and red for as long as is allowed")
E_ = os.environ.get
HORIZON = int(E_("LA_H", "60"))
STOP = float(E_("LA_STOP", "0.7"))
TAIL = float(E_("LA_TAIL", "10"))
RANGE = float(E_("LA_RANGE", "150"))
DERIVED = int(E_("LA_DERIVED", "1"))
INSIDE = int(E_("LA_INSIDE", "1"))
LEARN = int(E_("LA_LEARN", "1"))
MARGIN = float(E_("LA_MARGIN", "0"))
BLOCKED_MS = 4000


@dataclass(frozen=True, slots=True)
class Config:
    """Times in ms."""

    period_ms: int = 1000
    min_green_ms: int = 5000
    max_red_ms: int = 120_000


class Lookahead:
    """Re-plans each second."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._ready = False

    def _start(self, view: View, log: DecisionLog) -> None:
        signals, detection = view.signals, view.detection
        self._ready = True
        log.declare("expected delay, vehicle seconds", lower_is_better=True)
        self._board = new_board(signals, detection)
        self._demand = new_demand(len(detection.stop_bar))
        self._rate = np.zeros(len(self._board.share), np.float32)
        self._game = new_game(int(np.diff(detection.lane_ptr).max(initial=1)), int(np.diff(signals.stage_ptr).max(initial=1)))
        self._cost = np.full(len(signals.stage_deployed), np.nan)
        self._rules = Rules(self._config.min_green_ms // 1000, HORIZON, float(E_("LA_UP", "1")), float(E_("LA_LONE", "3.5")),
                            STOP, TAIL, MARGIN, int(E_("LA_CAND", "5")), int(E_("LA_HOLDS", "5")), int(E_("LA_EVERY", "1")))
        self._usable = np.ones(len(signals.stage_deployed), np.uint8)
        if not DERIVED:
            self._usable[:] = signals.stage_deployed
        self._call_ms = np.full(len(signals.min_green_ms), NEVER_MS, np.int64)
        self._served = np.zeros(len(signals.min_green_ms), np.bool_)
        self._due = np.zeros(len(signals.device_id), np.int32)
        self._cleared = np.zeros(len(signals.device_id), np.bool_)

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        """See ``greensplit.engine.loop.Controller``."""
        if not self._ready:
            self._start(view, log)
        config = self._config
        if view.truth is not None:
            truth = view.truth
            from_truth(view.detection, truth.lane, truth.distance_m, truth.speed_mps, RANGE,
                       view.traffic.arrivals.arrival_veh, view.now_ms, self._demand)
        else:
            from_loops(view.traffic.queue_veh, view.traffic.arrivals.arrival_veh, view.now_ms, self._demand)
        able = may_choose(view, config.min_green_ms)
        ready = able.copy()
        place = (view.signals, view.detection, view.detectors, view.machine, view.now_ms)
        if INSIDE:
            hold_starting(*place, ready)
        _note_calls(view.signals, view.detection, view.detectors, view.machine, self._demand, self._call_ms, view.now_ms)
        _fill_rates(view.signals, view.detection, view.detectors, view.machine, view.traffic.discharge,
                    view.traffic.exit_full, self._board, self._rate, view.now_ms, LEARN)
        plan(view.signals, view.detection, view.machine, self._rules, self._board, self._rate, self._demand, self._usable,
             ready, self._game, self._cost, request)
        if INSIDE:
            clear_turners(*place, request, self._cleared)
        due_stages(view.signals, self._call_ms, config.max_red_ms, config.min_green_ms, view.now_ms, self._served, self._due)
        forced = able & (self._due >= 0)
        np.copyto(request, self._due, where=forced)
        cause[:] = np.where(forced, MAX_OUT, FORCE_OFF)
        rule = np.where(forced, 2, self._cleared.astype(np.uint8))
        log.note(view, request, self._cost, REASONS, rule, able)
        return view.now_ms + config.period_ms


@kernel
def _note_calls(
    signals: Signals, detection: Detection, detectors: Detectors, machine: Machine, demand: Demand,
    call_ms: npt.NDArray[np.int64], now_ms: int,
) -> None:
    for j in range(len(signals.device_id)):
        first = signals.group_ptr[j]
        for g in range(first, signals.group_ptr[j + 1]):
            a = machine.lamps.aspect[g]
            if a == GREEN or a == PERMISSIVE:
                call_ms[g] = NEVER_MS
            elif signals.is_pedestrian[g] and call_ms[g] == NEVER_MS:
                call_ms[g] = now_ms
        for lane in range(detection.lane_ptr[j], detection.lane_ptr[j + 1]):
            stop = detection.stop_bar[lane]
            calls = (stop < 0 and detection.advance[lane] < 0) or demand.queue_veh[lane] > 0.5
            calls = calls or (stop >= 0 and detectors.on[stop])
            if not calls:
                continue
            for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
                g = first + detection.lane_group[i]
                a = machine.lamps.aspect[g]
                if not (a == GREEN or a == PERMISSIVE) and call_ms[g] == NEVER_MS:
                    call_ms[g] = now_ms


@kernel
def _fill_rates(
    signals: Signals, detection: Detection, detectors: Detectors, machine: Machine, discharge: Discharge,
    exit_full: npt.NDArray[np.uint8], board: Board, rate: npt.NDArray[np.float32], now_ms: int, learn: int,
) -> None:
    for j in range(len(signals.device_id)):
        first, last = detection.lane_ptr[j], detection.lane_ptr[j + 1]
        lanes = last - first
        for s in range(signals.stage_ptr[j + 1] - signals.stage_ptr[j]):
            shown = signals.stage_aspect_ptr[signals.stage_ptr[j] + s]
            for l in range(lanes):
                at = board.cell_ptr[j] + s * lanes + l
                rate[at] = 0.0
                if board.share[at] <= 0.0:
                    continue
                lane = first + l
                served, count = 0, 0
                for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
                    count += 1
                    local = detection.lane_group[i]
                    if signals.stage_aspect[shown + local] != RED and not exit_full[signals.group_ptr[j] + local]:
                        served += 1
                if served == 0:
                    continue
                cell = discharge_cell(discharge, lane, s)
                head = headway_s(discharge.served_veh[cell], discharge.served_s[cell]) if learn else 2.0
                rate[at] = served / count / head
                if s == machine.stage[j] and machine.settled[j]:
                    d = detection.stop_bar[lane]
                    if d >= 0 and detectors.on[d]:
                        green_ms = NEVER_MS
                        for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
                            green_ms = max(green_ms, machine.lamps.green_ms[signals.group_ptr[j] + detection.lane_group[i]])
                        if now_ms - max(detectors.on_ms[d], green_ms) > BLOCKED_MS:
                            rate[at] = 1e-6

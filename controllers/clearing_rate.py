"""Clearing rate with perfect vision: the stage that gets most vehicles over the stop line per second.

After Laemmer and Helbing (2008, J. Stat. Mech. P04019): a stage's index is the largest, over the green g, of the
vehicles that can pass within set-up time plus g, divided by that time. Vehicles that have waited count up to double,
a running lane whose head does not move counts nothing. A called group that is red for too long forces its stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import FORCE_OFF
from greensplit.engine.kernels.jit import inlined, kernel
from greensplit.engine.kernels.state import Machine
from greensplit.engine.loop import Truth, View
from greensplit.engine.model.aspects import GREEN, PERMISSIVE, RED
from greensplit.engine.model.compiled import Detection, Signals

from .choice import best_stages, eligible, may_choose, only, seen
from .switching import is_green, time_to_green_ms

__all__ = ["ClearingRate", "Config", "Queues", "forced_stages", "queues", "rate_stages"]

BIN_MS = 1000
HORIZON_S = 40
STANDING_MPS = 0.1
SAME_VEHICLE_MS = 500  # a head that stopped at another time is another vehicle: the last one has left
WAIT_CAP_S = 60.0
PEDESTRIAN_WEIGHT = 0.5
REASONS = ("clears most vehicles per second", "called and red for as long as is allowed")


@dataclass(frozen=True, slots=True)
class Config:
    """``range_m`` before the stop line is seen, across edges; a vehicle slower than ``slow_mps`` counts as there.

    ``least_run_ms`` is the shortest further green that the running stage is rated over: with little, one vehicle that
    comes holds the green.
    """

    period_ms: int = 1000
    min_green_ms: int = 5000
    max_red_ms: int = 120_000
    range_m: float = 150.0
    slow_mps: float = 2.0
    headway_ms: int = 2100
    least_run_ms: int = 3000
    blocked_ms: int = 4000


class Queues(NamedTuple):
    """Vehicles by lane, nearest the stop line first: those of lane l are at ``lane_ptr[l]:lane_ptr[l + 1]``."""

    lane_ptr: npt.NDArray[np.int64]  # (L + 1,)
    group: npt.NDArray[np.int32]  # (V,) index over the site
    arrival_ms: npt.NDArray[np.int64]  # (V,) from now to the stop line at free flow, 0 for slow ones
    weight: npt.NDArray[np.float64]  # (V,) 1, and up to 1 more for the time waited
    stands: npt.NDArray[np.bool_]  # (V,)
    waited_ms: npt.NDArray[np.int64]  # (V,)


class ClearingRate:
    """Looks one stage ahead, knows no neighbours, serves deployed stages only."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._moved_ms = np.zeros(0, np.int64)
        self._stopped_ms = np.zeros(0, np.int64)
        self._bins = np.zeros(HORIZON_S + 1)

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        """See ``greensplit.engine.loop.Controller``. Raises WorkError without perfect vision."""
        config, signals, machine = self._config, view.signals, view.machine
        waiting = queues(seen(view, "clearing-rate"), view.detection, config)
        index = np.zeros(len(signals.stage_deployed))
        rate_stages(
            signals,
            view.detection.lane_ptr,
            machine,
            waiting,
            self._blocked(view, waiting),
            config.headway_ms,
            config.least_run_ms,
            view.now_ms,
            self._bins,
            index,
        )
        ready = may_choose(view, config.min_green_ms)
        best_stages(signals, index, machine.stage, ready, True, request)
        due = np.full(len(request), -1, np.int32)
        called = np.bincount(waiting.group, minlength=len(signals.min_green_ms)) > 0
        forced_stages(signals, machine, called, index, config.max_red_ms, view.now_ms, due)
        forced = ready & (due >= 0)
        np.copyto(request, due, where=forced)
        cause.fill(FORCE_OFF)
        log.declare("vehicles cleared per second", lower_is_better=False)
        log.note(view, request, only(index, eligible(signals)), REASONS, forced.astype(np.uint8), ready)
        return view.now_ms + config.period_ms

    def _blocked(self, view: View, waiting: Queues) -> npt.NDArray[np.bool_]:
        """(L,) where the same head of a lane has stood for a while though it is green."""
        lanes = len(waiting.lane_ptr) - 1
        if len(self._moved_ms) != lanes:
            self._moved_ms = np.full(lanes, view.now_ms)
            self._stopped_ms = np.full(lanes, view.now_ms)
        head = waiting.lane_ptr[:-1][np.diff(waiting.lane_ptr) > 0]
        head = head[waiting.stands[head]]
        lane = np.searchsorted(waiting.lane_ptr, head, side="right") - 1
        stopped_ms = view.now_ms - waiting.waited_ms[head]
        is_same = np.abs(stopped_ms - self._stopped_ms[lane]) < SAME_VEHICLE_MS
        stood_since_ms = np.where(is_same, self._moved_ms[lane], view.now_ms)
        self._moved_ms[:] = view.now_ms
        self._moved_ms[lane] = stood_since_ms
        self._stopped_ms[lane] = stopped_ms
        lamps, group = view.machine.lamps, waiting.group[head]
        is_open = (lamps.aspect[group] == GREEN) | (lamps.aspect[group] == PERMISSIVE)
        still_ms = view.now_ms - np.maximum(self._moved_ms[lane], lamps.green_ms[group])
        blocked = np.zeros(lanes, np.bool_)
        blocked[lane] = is_open & (still_ms > self._config.blocked_ms)
        return blocked


def queues(truth: Truth, detection: Detection, config: Config) -> Queues:
    """The vehicles within range, in the order in which they pass."""
    near = np.flatnonzero(truth.distance_m <= config.range_m)
    order = near[np.lexsort((truth.distance_m[near], truth.lane[near]))]
    lane, speed_mps = truth.lane[order], truth.speed_mps[order]
    free_ms = 1000.0 * truth.distance_m[order] / detection.speed_mps[lane]
    waited = np.minimum(truth.waited_s[order], WAIT_CAP_S) / WAIT_CAP_S
    return Queues(
        lane_ptr=np.searchsorted(lane, np.arange(len(detection.speed_mps) + 1)),
        group=truth.group[order],
        arrival_ms=np.where(speed_mps < config.slow_mps, 0, free_ms).astype(np.int64),
        weight=1.0 + waited.astype(np.float64),
        stands=speed_mps < STANDING_MPS,
        waited_ms=(1000.0 * truth.waited_s[order]).astype(np.int64),
    )


@kernel
def rate_stages(
    signals: Signals,
    lane_ptr: npt.NDArray[np.int32],
    machine: Machine,
    waiting: Queues,
    blocked: npt.NDArray[np.bool_],
    headway_ms: int,
    least_run_ms: int,
    now_ms: int,
    bins: npt.NDArray[np.float64],
    index: npt.NDArray[np.float64],
) -> None:
    """Clearing rate of every stage, vehicles per second, into ``index`` (S,). ``bins`` (seconds,) is overwritten.

    The lanes of junction j are ``lane_ptr[j]:lane_ptr[j + 1]``; (L,) ``blocked`` says whose head does not move.
    """
    aspect = machine.lamps.aspect
    for j in range(len(signals.device_id)):
        for stage in range(signals.stage_ptr[j], signals.stage_ptr[j + 1]):
            shown = signals.stage_aspect_ptr[stage] - signals.group_ptr[j]
            set_up_ms = _set_up_ms(signals, aspect, j, stage)
            bins[:] = 0.0
            for lane in range(lane_ptr[j], lane_ptr[j + 1]):
                _add_lane(
                    signals.stage_aspect,
                    shown,
                    aspect,
                    waiting.group,
                    waiting.arrival_ms,
                    waiting.weight,
                    waiting.lane_ptr[lane],
                    waiting.lane_ptr[lane + 1],
                    blocked[lane],
                    set_up_ms,
                    headway_ms,
                    bins,
                )
            for g in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
                if signals.is_pedestrian[g] and aspect[g] == RED and signals.stage_aspect[shown + g] != RED:
                    red_s = (now_ms - max(machine.lamps.red_ms[g], 0)) / 1000.0
                    bins[0] += PEDESTRIAN_WEIGHT * (1.0 + min(red_s, WAIT_CAP_S) / WAIT_CAP_S)
            runs = stage - signals.stage_ptr[j] == machine.stage[j]
            index[stage] = _best_rate(bins, set_up_ms, least_run_ms if runs else BIN_MS)


@inlined
def _set_up_ms(signals: Signals, aspect: npt.NDArray[np.uint8], j: int, stage: int) -> int:
    """Until the last group of the stage moves, 0 for the one that is shown."""
    longest_ms = 0
    for local in range(signals.group_ptr[j + 1] - signals.group_ptr[j]):
        if signals.stage_aspect[signals.stage_aspect_ptr[stage] + local] != RED:
            longest_ms = max(longest_ms, time_to_green_ms(signals, aspect, j, stage, local))
    return longest_ms


@kernel
def _add_lane(
    stage_aspect: npt.NDArray[np.uint8],
    shown: int,
    aspect: npt.NDArray[np.uint8],
    group: npt.NDArray[np.int32],
    arrival_ms: npt.NDArray[np.int64],
    weight: npt.NDArray[np.float64],
    begin: int,
    end: int,
    is_blocked: bool,
    set_up_ms: int,
    headway_ms: int,
    bins: npt.NDArray[np.float64],
) -> None:
    """Put the vehicles ``begin:end`` of a lane into the seconds, after the set-up, in which they pass.

    ``shown`` plus a group is the place of its aspect in the stage. The first that the stage does not serve holds up
    those behind.
    """
    free_ms = 0
    for v in range(begin, end):
        if stage_aspect[shown + group[v]] == RED:
            return
        is_open = is_green(aspect[group[v]])
        if is_open and is_blocked:
            return
        pass_ms = max(free_ms, arrival_ms[v], 0 if is_open else set_up_ms)
        second = max(pass_ms - set_up_ms, 0) // BIN_MS
        if second >= len(bins):
            return
        bins[second] += weight[v]
        free_ms = pass_ms + headway_ms


@kernel
def _best_rate(bins: npt.NDArray[np.float64], set_up_ms: int, least_run_ms: int) -> float:
    """Largest of cumulated ``bins`` (by second after the set-up) over the time taken, in vehicles per second."""
    best, total = 0.0, 0.0
    for second in range(len(bins)):
        total += bins[second]
        run_ms = max(BIN_MS * second, least_run_ms)
        best = max(best, 1000.0 * total / (set_up_ms + run_ms))
    return best


@kernel
def forced_stages(
    signals: Signals,
    machine: Machine,
    called: npt.NDArray[np.bool_],
    index: npt.NDArray[np.float64],
    max_red_ms: int,
    now_ms: int,
    due: npt.NDArray[np.int32],
) -> None:
    """Local stage that must come now at each junction into ``due`` (J,), -1 where none.

    Of the (G,) ``called`` groups that are red for longer than ``max_red_ms``, the one that waits longest; of the
    stages that serve it the deployed one with the largest ``index`` (S,). Pedestrians always call.
    """
    lamps = machine.lamps
    for j in range(len(signals.device_id)):
        longest, since_ms = -1, now_ms - max_red_ms
        for g in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
            calls = called[g] or signals.is_pedestrian[g] == 1
            if calls and lamps.aspect[g] == RED and max(lamps.red_ms[g], 0) < since_ms:
                longest, since_ms = g, max(lamps.red_ms[g], 0)
        due[j] = -1
        if longest >= 0:
            due[j] = _best_server(signals, index, j, longest)


@inlined
def _best_server(signals: Signals, index: npt.NDArray[np.float64], j: int, group: int) -> int:
    """Local stage that serves the group: a deployed one if there is any, the one with the largest index; -1 none."""
    best, best_is_deployed = -1, 0
    for stage in range(signals.stage_ptr[j], signals.stage_ptr[j + 1]):
        place = signals.stage_aspect_ptr[stage] + group - signals.group_ptr[j]
        is_deployed = signals.stage_deployed[stage]
        if signals.stage_aspect[place] != RED and is_deployed >= best_is_deployed:
            if best < 0 or is_deployed > best_is_deployed or index[stage] > index[best]:
                best, best_is_deployed = stage, is_deployed
    return best - signals.stage_ptr[j] if best >= 0 else -1

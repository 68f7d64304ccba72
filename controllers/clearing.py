"""Clearing rate: serves the stage that clears most waiting vehicles per second, from loops alone.

After Laemmer and Helbing (2008, J. Stat. Mech. P04019): a stage's index is the largest, over the green g, of the
vehicles that can pass within set-up time plus g, divided by that time; vehicles that have waited count up to double.
A stage that has to come now for the bound on red (``urgency``) comes. Lanes whose exit is full count for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import FORCE_OFF, GAP_OUT, MAX_OUT
from greensplit.engine.kernels.detectors import Detectors
from greensplit.engine.kernels.jit import kernel
from greensplit.engine.kernels.state import NEVER_MS, Machine
from greensplit.engine.loop import View
from greensplit.engine.model.aspects import RED
from greensplit.engine.model.compiled import Detection, Signals

from .choice import best_stages, eligible, may_choose, only
from .inside import clear_turners, hold_starting, is_lane_open
from .switching import is_green
from .urgency import due_stages
from .vehicles import CAPACITY, SATURATION_MS, Vehicles, new_vehicles, update_vehicles

__all__ = ["Clearing", "Config"]

WAIT_CAP_MS = 60_000.0
START_UP_MS = 1000
LEAST_RUN_MS = 3000
HORIZON_MS = 40_000
BLOCKED_MS = 4000
EXIT_FULL_MS = 6000
PEDESTRIAN_WEIGHT = 0.5
REASONS = (
    "clears most vehicles per second",
    "lets left-turners out of the junction",
    "called and red for as long as is allowed",
    "a queue is still starting",
)
CLEARS_TURNERS, IS_DUE, LETS_START = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Config:
    """Times in ms."""

    period_ms: int = 1000
    min_green_ms: int = 5000
    max_red_ms: int = 120_000


class Clearing:
    """Detector-only adaptive control without cycle and without look-ahead beyond one stage."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._vehicles: Vehicles | None = None
        self._index = np.zeros(0)
        self._call_ms = np.zeros(0, np.int64)
        self._served = np.zeros(0, np.bool_)
        self._due = np.zeros(0, np.int32)
        self._cleared = np.zeros(0, np.bool_)
        self._eligible = np.zeros(0, np.bool_)
        self._bins = np.zeros(HORIZON_MS // 1000 + 1)

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        """See ``greensplit.engine.loop.Controller``."""
        if self._vehicles is None:
            self._vehicles = new_vehicles(view.detection)
            self._index = np.zeros(len(view.signals.stage_deployed))
            self._call_ms = np.full(len(view.signals.min_green_ms), NEVER_MS, np.int64)
            self._served = np.zeros(len(view.signals.min_green_ms), np.bool_)
            self._due = np.zeros(len(view.signals.device_id), np.int32)
            self._cleared = np.zeros(len(view.signals.device_id), np.bool_)
            self._eligible = eligible(view.signals)
            log.declare("vehicles cleared per second", lower_is_better=False)
        update_vehicles(
            view.signals, view.detection, view.detectors, view.machine.lamps, self._vehicles, view.now_ms
        )
        able = may_choose(view, self._config.min_green_ms)
        ready = able.copy()
        place = (view.signals, view.detection, view.detectors, view.machine, view.now_ms)
        hold_starting(*place, ready)
        _rate_stages(
            view.signals,
            view.detection,
            view.detectors,
            view.machine,
            self._vehicles,
            self._call_ms,
            view.now_ms,
            self._bins,
            self._index,
        )
        best_stages(view.signals, self._index, view.machine.stage, ready, True, request)
        clear_turners(*place, request, self._cleared)
        forced = self._force(view, able, request)
        _name_causes(view.signals, view.machine, self._index, forced, request, cause)
        rule = np.select(
            (forced, self._cleared, ~ready),
            (np.uint8(IS_DUE), np.uint8(CLEARS_TURNERS), np.uint8(LETS_START)),
        )
        log.note(view, request, only(self._index, self._eligible), REASONS, rule, able)
        return view.now_ms + self._config.period_ms

    def _force(
        self, view: View, able: npt.NDArray[np.bool_], request: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.bool_]:
        """Put stages that are due, so that the bound on red holds, in place of the request; (J,) where."""
        config = self._config
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
def _name_causes(
    signals: Signals,
    machine: Machine,
    index: npt.NDArray[np.float64],
    forced: npt.NDArray[np.bool_],
    request: npt.NDArray[np.int32],
    cause: npt.NDArray[np.uint8],
) -> None:
    """Why a green ends: its bound on red (max-out), nobody left (gap-out), or more to clear elsewhere (force-off)."""
    for j in range(len(signals.device_id)):
        if request[j] < 0 or request[j] == machine.stage[j]:
            continue
        if forced[j]:
            cause[j] = MAX_OUT
        elif index[signals.stage_ptr[j] + machine.stage[j]] <= 0.0:
            cause[j] = GAP_OUT
        else:
            cause[j] = FORCE_OFF


@kernel
def _rate_stages(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    machine: Machine,
    vehicles: Vehicles,
    call_ms: npt.NDArray[np.int64],
    now_ms: int,
    bins: npt.NDArray[np.float64],
    index: npt.NDArray[np.float64],
) -> None:
    """Clearing rate of every stage, vehicles per second, into ``index`` (S,). ``bins`` (seconds,) is overwritten."""
    for j in range(len(signals.device_id)):
        _note_calls(signals, detection, detectors, machine, vehicles, call_ms, j, now_ms)
        for stage in range(signals.stage_ptr[j], signals.stage_ptr[j + 1]):
            index[stage] = _rate_stage(
                signals, detection, detectors, machine, vehicles, j, stage, now_ms, bins
            )


@kernel
def _note_calls(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    machine: Machine,
    vehicles: Vehicles,
    call_ms: npt.NDArray[np.int64],
    j: int,
    now_ms: int,
) -> None:
    """When each red group was first called since its green ended, NEVER_MS while nobody waits.

    Pedestrians always call.
    """
    first = signals.group_ptr[j]
    for g in range(first, signals.group_ptr[j + 1]):
        if is_green(machine.lamps.aspect[g]):
            call_ms[g] = NEVER_MS
        elif signals.is_pedestrian[g] and call_ms[g] == NEVER_MS:
            call_ms[g] = now_ms
    for lane in range(detection.lane_ptr[j], detection.lane_ptr[j + 1]):
        if not _calls(detection, detectors, vehicles, lane):
            continue
        for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
            g = first + detection.lane_group[i]
            if not is_green(machine.lamps.aspect[g]) and call_ms[g] == NEVER_MS:
                call_ms[g] = now_ms


@kernel
def _calls(detection: Detection, detectors: Detectors, vehicles: Vehicles, lane: int) -> bool:
    """Does anybody wait on the lane? A lane without any detector always calls."""
    stop = detection.stop_bar[lane]
    if stop < 0 and detection.advance[lane] < 0:
        return True
    return bool(vehicles.size[lane] > 0 or (stop >= 0 and detectors.on[stop]))


@kernel
def _set_up_ms(signals: Signals, machine: Machine, j: int, stage: int) -> int:
    """Time until the stage's last group can be green: longest intergreen from the groups that have to end."""
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    longest = 0
    for a in range(n):
        stays = signals.stage_aspect[signals.stage_aspect_ptr[stage] + a] != RED
        if stays or not is_green(machine.lamps.aspect[first + a]):
            continue
        for b in range(n):
            starts = signals.stage_aspect[signals.stage_aspect_ptr[stage] + b] != RED
            if starts and signals.meeting[signals.pair_ptr[j] + a * n + b] != 0:
                longest = max(longest, signals.intergreen_ms[signals.pair_ptr[j] + a * n + b])
    return longest


@kernel
def _rate_stage(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    machine: Machine,
    vehicles: Vehicles,
    j: int,
    stage: int,
    now_ms: int,
    bins: npt.NDArray[np.float64],
) -> float:
    runs = stage - signals.stage_ptr[j] == machine.stage[j]
    tau_ms = 0 if runs else _set_up_ms(signals, machine, j, stage) + START_UP_MS
    first = signals.group_ptr[j]
    bins[:] = 0.0
    for lane in range(detection.lane_ptr[j], detection.lane_ptr[j + 1]):
        share = _served_share(signals, detection, detectors, j, stage, lane, now_ms)
        if share <= 0.0:
            continue
        open_now = runs or is_lane_open(signals, detection, machine, j, lane)
        if open_now and _is_blocked(detection, detectors, machine, first, lane, now_ms):
            continue
        _add_lane(vehicles, lane, share, 0 if open_now else tau_ms, now_ms, bins)
    for g in range(first, signals.group_ptr[j + 1]):
        if signals.is_pedestrian[g] and not is_green(machine.lamps.aspect[g]):
            if signals.stage_aspect[signals.stage_aspect_ptr[stage] + g - first] != RED:
                waited = min(now_ms - max(machine.lamps.red_ms[g], 0), WAIT_CAP_MS) / WAIT_CAP_MS
                bins[0] += PEDESTRIAN_WEIGHT * (1.0 + waited)
    return _best_rate(bins, tau_ms, runs)


@kernel
def _best_rate(bins: npt.NDArray[np.float64], tau_ms: int, runs: bool) -> float:
    """Largest of cumulated ``bins`` (by second after the set-up) over the time taken."""
    best, total = 0.0, 0.0
    for second in range(len(bins)):
        total += bins[second]
        run_ms = max(second * 1000, LEAST_RUN_MS if runs else 1000)
        best = max(best, total * 1000.0 / (tau_ms + run_ms))
    return best


@kernel
def _served_share(
    signals: Signals, detection: Detection, detectors: Detectors, j: int, stage: int, lane: int, now_ms: int
) -> float:
    """Share of the lane's groups that the stage serves and whose exit is free."""
    served, count = 0, 0
    for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
        local = detection.lane_group[i]
        count += 1
        if signals.stage_aspect[signals.stage_aspect_ptr[stage] + local] == RED:
            continue
        if not _is_exit_full(detection, detectors, signals.group_ptr[j] + local, now_ms):
            served += 1
    return served / count


@kernel
def _is_exit_full(detection: Detection, detectors: Detectors, group: int, now_ms: int) -> bool:
    """Do vehicles stand on every exit loop of the group?"""
    first, last = detection.exit_ptr[group], detection.exit_ptr[group + 1]
    if first == last:
        return False
    for i in range(first, last):
        d = detection.exit_detector[i]
        if not detectors.on[d] or now_ms - detectors.on_ms[d] < EXIT_FULL_MS:
            return False
    return True


@kernel
def _is_blocked(
    detection: Detection, detectors: Detectors, machine: Machine, first: int, lane: int, now_ms: int
) -> bool:
    """Has the head of a green lane not moved for a while?"""
    d = detection.stop_bar[lane]
    if d < 0:
        return False
    green_ms = NEVER_MS
    for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
        green_ms = max(green_ms, machine.lamps.green_ms[first + detection.lane_group[i]])
    return bool(detectors.on[d]) and now_ms - max(detectors.on_ms[d], green_ms) > BLOCKED_MS


@kernel
def _add_lane(
    vehicles: Vehicles, lane: int, share: float, tau_ms: int, now_ms: int, bins: npt.NDArray[np.float64]
) -> None:
    """Put the lane's vehicles into the seconds, after the set-up, in which they can pass."""
    free_ms = float(now_ms + tau_ms)
    for i in range(vehicles.size[lane]):
        at = (vehicles.head[lane] + i) % CAPACITY
        weight = vehicles.weight[lane, at]
        pass_ms = max(free_ms, float(vehicles.arrival_ms[lane, at]))
        second = int((pass_ms - now_ms - tau_ms) / 1000.0)
        if second >= len(bins):
            return
        waited = max(0.0, min(now_ms - vehicles.arrival_ms[lane, at], WAIT_CAP_MS))
        bins[max(second, 0)] += share * weight * (1.0 + waited / WAIT_CAP_MS)
        free_ms = pass_ms + weight * SATURATION_MS

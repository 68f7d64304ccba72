"""A recorded run through the kernels that forecast arrivals, without SUMO."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.estimation.arrivals import Arrivals, new_arrivals, update_arrivals
from greensplit.engine.kernels.estimation.forecast import forecast_window
from greensplit.engine.kernels.estimation.outflow import new_outflow, take_departures
from greensplit.engine.kernels.estimation.travel import Travel
from greensplit.engine.kernels.estimation.turning import learn_turns, new_turning
from greensplit.engine.kernels.state import new_detectors, new_lamps
from greensplit.engine.model.compiled import Detection, compile_detection, compile_signals
from greensplit.engine.model.upstream import Links

from .recording import Recording
from .replay import Damage, replay, show_lamps, sound_events, take_events

__all__ = ["Forecasts", "forecast_recording"]

LEVEL_NEIGHBOUR, LEVEL_UNKNOWN = 1, 4
SUBSTITUTE_S = 300


@dataclass(frozen=True, slots=True)
class Forecasts:
    """(N, W, L) expected vehicles and bounds, made at ``made_s`` (N,) for each of W windows."""

    made_s: npt.NDArray[np.int64]
    mean_veh: npt.NDArray[np.float64]
    low_veh: npt.NDArray[np.float64]
    high_veh: npt.NDArray[np.float64]


def forecast_recording(
    recording: Recording,
    links: Links,
    travel: Travel,
    made_s: npt.NDArray[np.int64],
    windows: tuple[tuple[int, int], ...],
    damage: Damage,
) -> tuple[Forecasts, Arrivals]:
    """Forecasts for ``windows`` (start, length in s) made at ``made_s``, and the state at the end of the run.

    Dead loops count as healthy until they are found; then the mean of the living advance loops of their approach stands
    for them (level 1), and where there is none, nothing (level 4).
    """
    detection, signals = compile_detection(recording.site), compile_signals(recording.site)
    detectors, lamps = new_detectors(detection), new_lamps(len(signals.min_green_ms))
    turning, outflow = new_turning(links), new_outflow(links)
    arrivals = new_arrivals(detection, links, travel)
    departures = replay(recording, damage)[0].left_veh
    level = np.zeros(len(damage.dead), np.uint8)
    rate_per_s = np.zeros(len(damage.dead), np.float32)
    rows = np.zeros((3, len(made_s), len(windows), len(detection.stop_bar)))
    counted = np.zeros(len(damage.dead), np.int64)
    made = {int(second): i for i, second in enumerate(made_s)}
    stuck = np.flatnonzero(damage.stuck_on).astype(np.int32)
    take_events(
        signals, detection, detectors, stuck, np.zeros(len(stuck), np.int64), np.ones(len(stuck), np.uint8)
    )
    for second in range(recording.seconds):
        now_ms = second * 1000
        take_events(signals, detection, detectors, *sound_events(recording.tape, second, damage))
        if now_ms >= damage.found_ms and second % SUBSTITUTE_S == 0:
            recent = (detectors.actuations - counted) / SUBSTITUTE_S
            counted = detectors.actuations.copy()
            _substitute(detection, travel, damage.dead, recent, level, rate_per_s)
        left_veh = departures[second]
        take_departures(links, detectors, lamps, turning, level, left_veh, outflow, now_ms)
        learn_turns(links, lamps, left_veh, outflow.seen_veh, turning, now_ms)
        update_arrivals(
            detection, links, travel, detectors, level, rate_per_s, left_veh, outflow, arrivals, now_ms
        )
        show_lamps(lamps, recording.tape.aspect[second], now_ms)
        if second in made:
            for w, (start_s, length_s) in enumerate(windows):
                window = forecast_window(arrivals, now_ms, start_s, length_s)
                rows[0, made[second], w] = window.mean_veh
                rows[1, made[second], w], rows[2, made[second], w] = window.interval()
    return Forecasts(made_s, rows[0], rows[1], rows[2]), arrivals


def _substitute(
    detection: Detection,
    travel: Travel,
    dead: npt.NDArray[np.bool_],
    counted_per_s: npt.NDArray[np.float64],
    level: npt.NDArray[np.uint8],
    rate_per_s: npt.NDArray[np.float32],
) -> None:
    level[dead] = LEVEL_UNKNOWN
    for lane, loop in enumerate(detection.advance):
        peers = travel.peer[travel.peer_ptr[lane] : travel.peer_ptr[lane + 1]]
        loops = np.unique(detection.advance[peers])
        living = loops[(loops >= 0) & ~dead[loops]]
        if loop >= 0 and dead[loop] and len(living):
            level[loop] = LEVEL_NEIGHBOUR
            rate_per_s[loop] = counted_per_s[living].mean()

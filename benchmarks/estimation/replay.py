"""A recording fed to the estimation, tick by tick, as the loop feeds it: loops up to now, lamps as shown until now."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.kernels.detectors import take_detections
from greensplit.engine.kernels.estimation.traffic import RECALL, Traffic, new_traffic
from greensplit.engine.kernels.estimation.update import update_traffic
from greensplit.engine.kernels.state import Detectors, Lamps, new_detectors, new_lamps
from greensplit.engine.model.aspects import GREEN, PERMISSIVE, RED
from greensplit.engine.model.compiled import Detection, Signals, compile_detection, compile_signals

from .recording import Recording, Tape

__all__ = [
    "Damage",
    "Estimates",
    "damaged",
    "no_damage",
    "replay",
    "show_lamps",
    "sound_events",
    "take_events",
]

FOUND_MS = 300_000


class Damage(NamedTuple):
    """Loops that are dead from the start, and when that is noticed."""

    dead: npt.NDArray[np.bool_]  # (D,)
    stuck_on: npt.NDArray[np.bool_]  # (D,) of the dead
    found_ms: int


class Estimates(NamedTuple):
    """What the estimation said, second by second."""

    queue_veh: npt.NDArray[np.float32]  # (T, L)
    queue_var: npt.NDArray[np.float32]  # (T, L)
    left_veh: npt.NDArray[np.float32]  # (T, L)
    covered: npt.NDArray[np.uint8]  # (T, L)


def no_damage(detectors: int) -> Damage:
    """All loops sound."""
    return Damage(np.zeros(detectors, np.bool_), np.zeros(detectors, np.bool_), 0)


def damaged(detectors: int, share: float, seed: int) -> Damage:
    """That share of the loops dead, at random, half of them stuck on; noticed after FOUND_MS."""
    rng = np.random.default_rng(seed)
    dead = np.zeros(detectors, np.bool_)
    dead[rng.permutation(detectors)[: round(share * detectors)]] = True
    return Damage(dead, dead & (rng.random(detectors) < 0.5), FOUND_MS)


def replay(recording: Recording, damage: Damage | None = None) -> tuple[Estimates, Traffic]:
    """Estimates for every second of a recording, and the state at its end."""
    signals, detection = compile_signals(recording.site), compile_detection(recording.site)
    detectors, lamps = new_detectors(detection), new_lamps(len(signals.min_green_ms))
    traffic, tape = new_traffic(signals, detection), recording.tape
    damage = damage or no_damage(len(detection.channel))
    level = np.zeros(len(detection.channel), np.uint8)
    rate_per_s = np.zeros(len(detection.channel), np.float32)
    stage = np.zeros(len(signals.device_id), np.int32)
    estimates = Estimates(
        *(np.zeros((recording.seconds, *value.shape), value.dtype) for value in _told(traffic))
    )
    stuck = np.flatnonzero(damage.stuck_on).astype(np.int32)
    take_events(
        signals, detection, detectors, stuck, np.zeros(len(stuck), np.int64), np.ones(len(stuck), np.uint8)
    )
    for t in range(recording.seconds):
        now_ms = 1000 * t
        take_events(signals, detection, detectors, *sound_events(tape, t, damage))
        if now_ms == damage.found_ms:
            level[damage.dead] = RECALL
        update_traffic(signals, detection, detectors, lamps, stage, level, rate_per_s, traffic, now_ms)
        for i, value in enumerate(_told(traffic)):
            estimates[i][t] = value
        show_lamps(lamps, tape.aspect[t], now_ms)
        stage = np.maximum(tape.stage[t], 0).astype(np.int32)
    return estimates, traffic


def _told(traffic: Traffic) -> tuple[npt.NDArray[Any], ...]:
    return traffic.queue_veh, traffic.queue_var, traffic.left_veh, traffic.covered


def sound_events(
    tape: Tape, t: int, damage: Damage
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Detector, time and state of the events of second ``t`` at loops that are not dead."""
    rows = slice(tape.event_ptr[t], tape.event_ptr[t + 1])
    sound = ~damage.dead[tape.event_detector[rows]]
    return tape.event_detector[rows][sound], tape.event_ms[rows][sound], tape.event_on[rows][sound]


def take_events(
    signals: Signals,
    detection: Detection,
    detectors: Detectors,
    index: npt.NDArray[np.int32],
    t_ms: npt.NDArray[np.int64],
    on: npt.NDArray[np.uint8],
) -> None:
    """Hand events to the detectors; nothing is logged."""
    out = np.zeros(len(index), EVENT_DTYPE)
    take_detections(signals, detection, detectors, index, t_ms, on, len(index), out)


def show_lamps(lamps: Lamps, aspect: npt.NDArray[np.uint8], now_ms: int) -> None:
    """Note what is shown from now on, and since when."""
    changed = lamps.aspect != aspect
    was_green = (lamps.aspect == GREEN) | (lamps.aspect == PERMISSIVE)
    is_green = (aspect == GREEN) | (aspect == PERMISSIVE)
    lamps.since_ms[changed] = now_ms
    lamps.green_ms[is_green & ~was_green] = now_ms
    lamps.end_ms[was_green & ~is_green] = now_ms
    lamps.red_ms[changed & (aspect == RED)] = now_ms
    lamps.aspect[:] = aspect

"""Queues judged: the estimate at every start of green beside the vehicles that really stood there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from greensplit.engine.model.aspects import GREEN, PERMISSIVE
from greensplit.engine.model.compiled import Detection, Signals, compile_detection, compile_signals
from greensplit.sim.spec import RunSpec

from .recording import Recording
from .replay import damaged, judge_recordings, replay
from .truth import find_truth

__all__ = ["judge_queues"]

CLASSES = ("stop+advance", "stop only", "shared advance", "beyond advance")
JAM_M = 7.5
NINETY = 1.645
DEAD_SEED = 1
WARM_S, DEAD_WARM_S = 300, 600  # the tests of health need some minutes to find dead loops
LIMIT_VEH, LIMIT_SHARE = 1.5, 0.2


def judge_queues(specs: Iterable[RunSpec]) -> dict[str, Any]:
    """Per recording, with all loops sound and with some dead: errors and coverage, in all and by class of lane."""
    return judge_recordings(specs, _judge)


def _judge(recording: Recording, dead: float) -> dict[str, Any]:
    signals, detection = compile_signals(recording.site), compile_detection(recording.site)
    truth = find_truth(recording, detection.advance_m)
    told = np.zeros((2, *truth.queue_veh.shape), np.float64)
    for second, traffic in replay(
        recording, damaged(len(detection.channel), dead, DEAD_SEED) if dead else None
    ):
        told[:, second] = traffic.queue_veh, traffic.queue_var
    starts = _green_starts(recording, signals, detection)
    starts[: DEAD_WARM_S if dead else WARM_S] = False
    lane = np.nonzero(starts)[1]
    queue = truth.queue_veh[starts].astype(np.float64)
    estimate, half = told[0][starts], NINETY * np.sqrt(told[1][starts])
    kind = _classes(detection, lane, queue)
    result = {"all": _figures(queue, estimate, half)}
    for i, name in enumerate(CLASSES):
        if (kind == i).any():
            result[name] = _figures(queue[kind == i], estimate[kind == i], half[kind == i])
    return result


def _green_starts(recording: Recording, signals: Signals, detection: Detection) -> npt.NDArray[np.bool_]:
    """(T, L) True where the first group of a lane turns green."""
    junction = np.repeat(np.arange(len(signals.device_id)), np.diff(detection.lane_ptr))
    green = (recording.tape.aspect == GREEN) | (recording.tape.aspect == PERMISSIVE)
    is_open = np.zeros((recording.seconds, len(junction)), np.bool_)
    for lane, j in enumerate(junction):
        local = detection.lane_group[detection.lane_group_ptr[lane] : detection.lane_group_ptr[lane + 1]]
        is_open[:, lane] = green[:, signals.group_ptr[j] + local].any(axis=1)
    starts = np.zeros_like(is_open)
    starts[1:] = is_open[1:] & ~is_open[:-1]
    return starts


def _classes(
    detection: Detection, lane: npt.NDArray[np.int64], queue: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Position in CLASSES; a true queue that reaches the advance loop is a class of its own."""
    has_advance = detection.advance[lane] >= 0
    is_beyond = has_advance & (queue >= detection.advance_m[lane] / JAM_M)
    is_shared = has_advance & (detection.advance_share[lane] < 1.0)
    return np.select([is_beyond, is_shared, ~has_advance], [3, 2, 1], 0)


def _figures(
    queue: npt.NDArray[np.float64], estimate: npt.NDArray[np.float64], half: npt.NDArray[np.float64]
) -> dict[str, float | int | bool]:
    """``holds``: the mean error is within the limit; ``covered``: share of truths in the nominal 90 % interval."""
    error = estimate - queue
    limit = max(LIMIT_VEH, LIMIT_SHARE * float(queue.mean()))
    return {
        "green_starts": len(queue),
        "mean_queue_veh": round(float(queue.mean()), 3),
        "mean_abs_error_veh": round(float(np.abs(error).mean()), 3),
        "bias_veh": round(float(error.mean()), 3),
        "limit_veh": round(limit, 3),
        "holds": bool(np.abs(error).mean() <= limit),
        "covered": round(float((np.abs(error) <= half).mean()), 3),
    }

"""What every stage-choosing controller does alike: when a junction may choose, and which stage scores best."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.errors import WorkError
from greensplit.engine.kernels.jit import kernel
from greensplit.engine.loop import Truth, View
from greensplit.engine.model.aspects import RED
from greensplit.engine.model.compiled import Signals

__all__ = ["best_stages", "eligible", "may_choose", "only", "seen", "serve_heaviest", "stage_sums"]


def seen(view: View, who: str) -> Truth:
    """What perfect vision shows; WorkError, naming the controller, in a run without it."""
    if view.truth is None:
        raise WorkError(f"{who}: expected perfect vision, found detectors only (--vision perfect)")
    return view.truth


def serve_heaviest(
    view: View,
    weight: npt.NDArray[np.float64],
    min_green_ms: int,
    keep_on_tie: bool,
    request: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Request the stage whose groups weigh most, (G,) ``weight`` each, where a junction may choose.

    Returns the sums of the stages that were weighed, (S,), NaN for others; and which junctions chose, (J,).
    """
    score = np.zeros(len(view.signals.stage_deployed))
    stage_sums(view.signals, weight, score)
    ready = may_choose(view, min_green_ms)
    best_stages(view.signals, score, view.machine.stage, ready, keep_on_tie, request)
    return only(score, eligible(view.signals)), ready


def eligible(signals: Signals) -> npt.NDArray[np.bool_]:
    """(S,) True for the stages among which ``best_stages`` chooses: deployed ones, or all where none is deployed."""
    deployed = signals.stage_deployed == 1
    junction = np.repeat(np.arange(len(signals.device_id)), np.diff(signals.stage_ptr))
    has_deployed = np.bincount(junction[deployed], minlength=len(signals.device_id)) > 0
    found: npt.NDArray[np.bool_] = deployed | ~has_deployed[junction]
    return found


def only(score: npt.NDArray[np.float64], weighed: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """(S,) ``score`` where a stage was weighed, NaN elsewhere."""
    return np.where(weighed, score, np.nan)


def may_choose(view: View, min_green_ms: int) -> npt.NDArray[np.bool_]:
    """(J,) True where the stage shows in full and has done so for the minimum green."""
    machine = view.machine
    ready: npt.NDArray[np.bool_] = (machine.settled == 1) & (view.now_ms - machine.since_ms >= min_green_ms)
    return ready


@kernel
def stage_sums(signals: Signals, weight: npt.NDArray[np.float64], out: npt.NDArray[np.float64]) -> None:
    """Sum of (G,) ``weight`` over the groups that are green in each stage, into ``out`` (S,)."""
    for j in range(len(signals.device_id)):
        first = signals.group_ptr[j]
        for stage in range(signals.stage_ptr[j], signals.stage_ptr[j + 1]):
            total = 0.0
            for g in range(first, signals.group_ptr[j + 1]):
                if signals.stage_aspect[signals.stage_aspect_ptr[stage] + g - first] != RED:
                    total += weight[g]
            out[stage] = total


@kernel
def best_stages(
    signals: Signals,
    score: npt.NDArray[np.float64],
    current: npt.NDArray[np.int32],
    ready: npt.NDArray[np.bool_],
    keep_on_tie: bool,
    request: npt.NDArray[np.int32],
) -> None:
    """The deployed stage with the highest (S,) ``score`` of each ready junction, as a local index, into ``request``.

    Of equal scores the running stage wins with ``keep_on_tie``, else the first.
    """
    for j in range(len(signals.device_id)):
        if not ready[j]:
            continue
        first = signals.stage_ptr[j]
        has_deployed = False
        for stage in range(first, signals.stage_ptr[j + 1]):
            has_deployed |= signals.stage_deployed[stage] == 1
        best = -1
        for stage in range(first, signals.stage_ptr[j + 1]):
            if has_deployed and not signals.stage_deployed[stage]:
                continue
            if best < 0 or score[stage] > score[best]:
                best = stage
        running = first + current[j]
        if keep_on_tie and score[running] >= score[best]:
            best = running
        request[j] = best - first

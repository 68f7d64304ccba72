"""The bound on red: which stage has to come now, so that nobody who waits is red for longer than is allowed.

Called groups are taken in the order of their calls, each with the stage that serves it and most others. Were one
more stage put before this queue of stages, and each took its longest change and its minimum green, would the last
still be in time? If not, the first of the queue is due (earliest deadline first: Liu and Layland 1973).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.jit import kernel
from greensplit.engine.kernels.state import NEVER_MS
from greensplit.engine.model.aspects import RED
from greensplit.engine.model.compiled import Signals

__all__ = ["due_stages"]

ROUNDING_MS = 1000  # a start of green waits for a tick


@kernel
def due_stages(
    signals: Signals,
    call_ms: npt.NDArray[np.int64],
    max_red_ms: int,
    min_green_ms: int,
    now_ms: int,
    served: npt.NDArray[np.bool_],
    due: npt.NDArray[np.int32],
) -> None:
    """The local stage that is due at each junction, or -1, into ``due`` (J,).

    ``call_ms`` (G,) is when each red group was called, NEVER_MS while nobody waits. ``served`` (G,) is overwritten.
    """
    for j in range(len(signals.device_id)):
        due[j] = _due(signals, call_ms, max_red_ms, min_green_ms, now_ms, served, j)


@kernel
def _due(
    signals: Signals,
    call_ms: npt.NDArray[np.int64],
    max_red_ms: int,
    min_green_ms: int,
    now_ms: int,
    served: npt.NDArray[np.bool_],
    j: int,
) -> int:
    served[signals.group_ptr[j] : signals.group_ptr[j + 1]] = False
    ahead_ms = _longest_stage_ms(signals, min_green_ms, j)
    first = -1
    while True:
        group = _first_call(signals, call_ms, served, j)
        if group < 0:
            return -1
        stage = _best_server(signals, call_ms, served, j, group)
        served[group] = True
        if stage < 0:
            continue
        if first < 0:
            first = stage - signals.stage_ptr[j]
        if now_ms + ahead_ms + _change_ms(signals, j, stage) > call_ms[group] + max_red_ms:
            return int(first)
        ahead_ms += _stage_ms(signals, min_green_ms, j, stage)
        for local in range(signals.group_ptr[j + 1] - signals.group_ptr[j]):
            if signals.stage_aspect[signals.stage_aspect_ptr[stage] + local] != RED:
                served[signals.group_ptr[j] + local] = True


@kernel
def _first_call(
    signals: Signals, call_ms: npt.NDArray[np.int64], served: npt.NDArray[np.bool_], j: int
) -> int:
    """The unserved group that was called first, or -1."""
    found = -1
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        if call_ms[group] != NEVER_MS and not served[group]:
            if found < 0 or call_ms[group] < call_ms[found]:
                found = group
    return found


@kernel
def _best_server(
    signals: Signals,
    call_ms: npt.NDArray[np.int64],
    served: npt.NDArray[np.bool_],
    j: int,
    group: int,
) -> int:
    """The stage that serves the group and most other calls, a deployed one if there is any; -1 none."""
    first = signals.group_ptr[j]
    best, most = -1, -1
    for stage in range(signals.stage_ptr[j], signals.stage_ptr[j + 1]):
        shown = signals.stage_aspect_ptr[stage]
        if signals.stage_aspect[shown + group - first] == RED:
            continue
        calls = 1000 if signals.stage_deployed[stage] else 0
        for other in range(first, signals.group_ptr[j + 1]):
            if signals.stage_aspect[shown + other - first] != RED:
                calls += call_ms[other] != NEVER_MS and not served[other]
        if calls > most:
            best, most = stage, calls
    return best


@kernel
def _change_ms(signals: Signals, j: int, stage: int) -> int:
    """Longest time from the request of a stage to the start of its last green."""
    n = signals.group_ptr[j + 1] - signals.group_ptr[j]
    longest = signals.revert_ms
    for b in range(n):
        if signals.stage_aspect[signals.stage_aspect_ptr[stage] + b] != RED:
            for a in range(n):
                longest = max(longest, signals.intergreen_ms[signals.pair_ptr[j] + a * n + b])
    return int(longest + ROUNDING_MS)


@kernel
def _stage_ms(signals: Signals, min_green_ms: int, j: int, stage: int) -> int:
    """Longest change to a stage and its least green."""
    green_ms = min_green_ms
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        local = group - signals.group_ptr[j]
        if signals.stage_aspect[signals.stage_aspect_ptr[stage] + local] != RED:
            green_ms = max(green_ms, signals.min_green_ms[group])
    return int(_change_ms(signals, j, stage) + green_ms)


@kernel
def _longest_stage_ms(signals: Signals, min_green_ms: int, j: int) -> int:
    """Of the stages that a controller chooses of its own accord: the deployed ones, if there are any."""
    deployed, derived = 0, 0
    for stage in range(signals.stage_ptr[j], signals.stage_ptr[j + 1]):
        if signals.stage_deployed[stage]:
            deployed = max(deployed, _stage_ms(signals, min_green_ms, j, stage))
        else:
            derived = max(derived, _stage_ms(signals, min_green_ms, j, stage))
    return deployed if deployed > 0 else derived

"""What a switch costs: groups that are not green yet earn nothing while the change to their stage lasts.

Queue rules flap between stages when changes are free. Weighed over a time of use T, a group that is green after t
earns T of T + t seconds, and so that share of its weight. After Hsieh et al. (2017, MobiHoc), where switching costs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.jit import inlined, kernel
from greensplit.engine.kernels.state import Machine
from greensplit.engine.loop import View
from greensplit.engine.model.aspects import GREEN, PERMISSIVE, RED
from greensplit.engine.model.compiled import NO_MEETING, Signals

from .choice import best_stages, eligible, may_choose, only

__all__ = ["is_green", "serve_most_earning", "stage_earnings", "time_to_green_ms"]

START_UP_MS = 1000


def serve_most_earning(
    view: View,
    weight: npt.NDArray[np.float64],
    min_green_ms: int,
    use_ms: int,
    request: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Request the stage that earns most of (G,) ``weight`` over ``use_ms``, where a junction may choose.

    Returns what the weighed stages earn, (S,), NaN for others; and which junctions chose, (J,).
    """
    earned = np.zeros(len(view.signals.stage_deployed))
    stage_earnings(view.signals, view.machine, weight, use_ms, earned)
    ready = may_choose(view, min_green_ms)
    best_stages(view.signals, earned, view.machine.stage, ready, True, request)
    return only(earned, eligible(view.signals)), ready


@kernel
def stage_earnings(
    signals: Signals,
    machine: Machine,
    weight: npt.NDArray[np.float64],
    use_ms: int,
    out: npt.NDArray[np.float64],
) -> None:
    """What each stage earns over ``use_ms``, into ``out`` (S,): (G,) ``weight`` less what the change costs."""
    aspect = machine.lamps.aspect
    for j in range(len(signals.device_id)):
        first = signals.group_ptr[j]
        for stage in range(signals.stage_ptr[j], signals.stage_ptr[j + 1]):
            total = 0.0
            for local in range(signals.group_ptr[j + 1] - first):
                if signals.stage_aspect[signals.stage_aspect_ptr[stage] + local] != RED:
                    lost_ms = time_to_green_ms(signals, aspect, j, stage, local)
                    total += weight[first + local] * use_ms / (use_ms + lost_ms)
            out[stage] = total


@inlined
def is_green(aspect: int) -> bool:
    """Does a group with this aspect let vehicles go?"""
    return aspect == GREEN or aspect == PERMISSIVE


@inlined
def time_to_green_ms(signals: Signals, aspect: npt.NDArray[np.uint8], j: int, stage: int, local: int) -> int:
    """Until a local group moves if junction ``j`` leaves for ``stage`` now: 0 where it is green already.

    Else the longest intergreen from the green groups that must end, and the start-up. ``aspect`` (G,) is shown now.
    """
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    longest_ms = 0
    if not is_green(aspect[first + local]):
        longest_ms = START_UP_MS
        for other in range(n):
            ends = signals.stage_aspect[signals.stage_aspect_ptr[stage] + other] == RED
            pair = signals.pair_ptr[j] + other * n + local
            if ends and is_green(aspect[first + other]) and signals.meeting[pair] != NO_MEETING:
                longest_ms = max(longest_ms, START_UP_MS + signals.intergreen_ms[pair])
    return longest_ms

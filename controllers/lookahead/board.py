"""The fixed part of the game: which lanes each stage serves, how long they take to open, and to whom they yield."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.jit import kernel
from greensplit.engine.model.aspects import PERMISSIVE, RED
from greensplit.engine.model.compiled import NO_MEETING, YIELDS, Detection, Signals

__all__ = ["Board", "new_board"]

I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]


class Board(NamedTuple):
    """Tables of every junction. Lanes and stages are local, L and S their numbers at the junction.

    A cell is a stage by a lane, ``cell_ptr[j] + s * L + l``; a change two stages, ``change_ptr[j] + a * S + b``; an
    opening two stages by a lane, ``opening_ptr[j] + (a * S + b) * L + l``.
    """

    cell_ptr: I32  # (J + 1,)
    share: npt.NDArray[np.float32]  # (C,) of the lane's groups that the stage serves
    yields: npt.NDArray[np.int64]  # (C,) bits of the lanes to which the lane yields in the stage
    change_ptr: I32  # (J + 1,)
    change_s: U8  # from leaving stage a until b shows in full
    opening_ptr: I32  # (J + 1,)
    opening_s: U8  # from leaving stage a until the lane is green in b


def new_board(signals: Signals, detection: Detection) -> Board:
    """Tables of a site."""
    lanes, stages = np.diff(detection.lane_ptr), np.diff(signals.stage_ptr)
    ptrs = [
        np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        for sizes in (lanes * stages, stages * stages, lanes * stages * stages)
    ]
    board = Board(
        ptrs[0],
        np.zeros(int(ptrs[0][-1]), np.float32),
        np.zeros(int(ptrs[0][-1]), np.int64),
        ptrs[1],
        np.zeros(int(ptrs[1][-1]), np.uint8),
        ptrs[2],
        np.zeros(int(ptrs[2][-1]), np.uint8),
    )
    _fill(signals, detection, board)
    return board


@kernel
def _fill(signals: Signals, detection: Detection, board: Board) -> None:
    for j in range(len(signals.device_id)):
        first = detection.lane_ptr[j]
        lanes = detection.lane_ptr[j + 1] - first
        stages = signals.stage_ptr[j + 1] - signals.stage_ptr[j]
        for b in range(stages):
            for a in range(stages):
                board.change_s[board.change_ptr[j] + a * stages + b] = _change_s(signals, j, a, b)
            for lane in range(lanes):
                at = board.cell_ptr[j] + b * lanes + lane
                board.share[at] = _share(signals, detection, j, b, first + lane)
                for other in range(min(lanes, 62)):
                    if _yields(signals, detection, j, b, first + lane, first + other):
                        board.yields[at] |= 1 << other
                for a in range(stages):
                    seconds = min(255, (_opening_ms(signals, detection, j, a, b, first + lane) + 999) // 1000)
                    board.opening_s[board.opening_ptr[j] + (a * stages + b) * lanes + lane] = seconds


@kernel
def _share(signals: Signals, detection: Detection, j: int, stage: int, lane: int) -> float:
    shown = signals.stage_aspect_ptr[signals.stage_ptr[j] + stage]
    count, served = 0, 0
    for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
        count += 1
        served += signals.stage_aspect[shown + detection.lane_group[i]] != RED
    return served / max(count, 1)


@kernel
def _yields(signals: Signals, detection: Detection, j: int, stage: int, lane: int, other: int) -> bool:
    """Has a movement of the lane, green in the stage, to wait for one of the other lane that is green too?"""
    shown = signals.stage_aspect_ptr[signals.stage_ptr[j] + stage]
    n = signals.group_ptr[j + 1] - signals.group_ptr[j]
    for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
        a = detection.lane_group[i]
        if signals.stage_aspect[shown + a] != PERMISSIVE:
            continue
        for k in range(detection.lane_group_ptr[other], detection.lane_group_ptr[other + 1]):
            b = detection.lane_group[k]
            if signals.stage_aspect[shown + b] != RED:
                if signals.meeting[signals.pair_ptr[j] + a * n + b] == YIELDS:
                    return True
    return False


@kernel
def _change_s(signals: Signals, j: int, a: int, b: int) -> int:
    """From leaving stage a until the last group of b is green, whole seconds."""
    longest = 0
    for local in range(signals.group_ptr[j + 1] - signals.group_ptr[j]):
        longest = max(longest, _start_ms(signals, j, a, b, local))
    return min(255, (longest + 999) // 1000)


@kernel
def _opening_ms(signals: Signals, detection: Detection, j: int, a: int, b: int, lane: int) -> int:
    """From leaving stage a until all groups of the lane that b serves are green."""
    longest = 0
    for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
        longest = max(longest, _start_ms(signals, j, a, b, detection.lane_group[i]))
    return longest


@kernel
def _start_ms(signals: Signals, j: int, a: int, b: int, local: int) -> int:
    """Longest intergreen from groups that end between the stages to one that starts; 0 for one that does not."""
    n = signals.group_ptr[j + 1] - signals.group_ptr[j]
    before = signals.stage_aspect_ptr[signals.stage_ptr[j] + a]
    after = signals.stage_aspect_ptr[signals.stage_ptr[j] + b]
    if signals.stage_aspect[after + local] == RED or signals.stage_aspect[before + local] != RED:
        return 0
    longest = 0
    for ends in range(n):
        if signals.stage_aspect[before + ends] == RED or signals.stage_aspect[after + ends] != RED:
            continue
        pair = signals.pair_ptr[j] + ends * n + local
        if signals.meeting[pair] != NO_MEETING:
            longest = max(longest, signals.intergreen_ms[pair])
    return longest

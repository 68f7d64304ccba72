"""The turns of a junction: its stages in the deployed order, and what each of them does for its lanes.

A *turn* lasts from the request of a stage to that of the next: the change and the green. Order, first lengths and
offset are those of the junction's last plan; without one its deployed stages share FIRST_CYCLE_MS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from greensplit.engine.loop import View
from greensplit.engine.model.aspects import PERMISSIVE, RED
from greensplit.engine.model.compiled import Detection, Signals
from greensplit.engine.model.site import Junction, Site

__all__ = ["Turns", "compile_turns", "is_any_called", "share_out"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
FIRST_CYCLE_MS = 60_000
GIVE_WAY_SHARE = 0.4
LEAST_CALL_VEH = 0.5


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of one junction; ``stage`` (n,) are local indices; groups and lanes those of the junction.

    ``shown`` (n, G) is where a group is green.

    ``least_ms`` (n,) is the longest change into the turn, ``change_ms`` (n,), and the longest minimum green after it.
    ``flows`` (L, n) is the share of its saturation flow that the lane has in each turn: a group that yields to others
    counts GIVE_WAY_SHARE. ``starts`` (L, n) is where it had none before; ``needs`` (L, n) where a group of the lane
    has more right than in the turns before and after; ``walks`` (n,) where people begin to walk.
    """

    stage: npt.NDArray[np.int32]
    shown: npt.NDArray[np.bool_]
    change_ms: I64
    least_ms: I64
    flows: F64
    starts: npt.NDArray[np.bool_]
    needs: npt.NDArray[np.bool_]
    walks: npt.NDArray[np.bool_]

    def green_ms(self, length_ms: I64) -> F64:
        """Green (L, n) of each lane in each of the turns of ``length_ms`` (n,)."""
        shown: F64 = (self.flows > 0.0) * (length_ms - self.starts * self.change_ms)
        return shown


def compile_turns(
    site: Site, signals: Signals, detection: Detection, min_green_ms: int
) -> tuple[list[Turns], list[I64], I64]:
    """Turns of every junction, their first lengths, and the offset (J,) of the first turn's request, ms."""
    turns, lengths, offsets = [], [], []
    for j, junction in enumerate(site.junctions):
        stages, shares_ms = _deployed_order(junction)
        own = _turns_of(signals, detection, j, np.array(stages, np.int32), min_green_ms)
        wanted_ms = own.change_ms + np.array(shares_ms, np.int64)
        cycle_ms = max(int(wanted_ms.sum()), int(own.least_ms.sum()))
        turns.append(own)
        lengths.append(share_out(wanted_ms, own.least_ms, cycle_ms))
        offset_ms = junction.plans[-1].offset_ms if junction.plans else 0
        offsets.append(offset_ms - int(own.change_ms[0]))
    return turns, lengths, np.array(offsets, np.int64)


def _deployed_order(junction: Junction) -> tuple[list[int], list[int]]:
    """Stages and their greens, ms, the coordinated one first."""
    names = {stage.name: i for i, stage in enumerate(junction.stages)}
    steps = junction.plans[-1].steps if junction.plans else ()
    if not steps:
        stages = [i for i, stage in enumerate(junction.stages) if stage.deployed] or [*names.values()]
        return stages, [FIRST_CYCLE_MS // len(stages)] * len(stages)
    first = next((i for i, s in enumerate(steps) if s.stage == junction.plans[-1].coordinated), 0)
    ordered = [*steps[first:], *steps[:first]]
    return [names[step.stage] for step in ordered], [step.green_ms for step in ordered]


def _turns_of(
    signals: Signals, detection: Detection, j: int, stages: npt.NDArray[np.int32], min_green_ms: int
) -> Turns:
    first, last = int(signals.group_ptr[j]), int(signals.group_ptr[j + 1])
    n = last - first
    aspect = np.array(
        [
            signals.stage_aspect[signals.stage_aspect_ptr[row] : signals.stage_aspect_ptr[row] + n]
            for row in signals.stage_ptr[j] + stages
        ]
    )
    shown = aspect != RED
    before = np.roll(shown, 1, axis=0)
    pairs = signals.intergreen_ms[signals.pair_ptr[j] : signals.pair_ptr[j + 1]].reshape(n, n)
    meets = signals.meeting[signals.pair_ptr[j] : signals.pair_ptr[j + 1]].reshape(n, n) != 0
    change, least = [], []
    for here, gone in zip(shown, before, strict=True):
        crossed = np.outer(gone & ~here, here & ~gone) & meets
        change.append(int(pairs[crossed].max(initial=0)))
        greens = signals.min_green_ms[first:last][here & ~gone]
        least.append(change[-1] + max(min_green_ms, int(greens.max(initial=0))))
    share = np.where(aspect == PERMISSIVE, GIVE_WAY_SHARE, shown.astype(np.float64))
    flows = _lane_shares(detection, j, share)
    return Turns(
        stages,
        shown,
        np.array(change, np.int64),
        np.array(least, np.int64),
        flows,
        (flows > 0.0) & (np.roll(flows, 1, axis=1) == 0.0),
        _lane_shares(detection, j, _peaks(share)) > 0.0,
        ((shown & ~before) & (signals.is_pedestrian[first:last] == 1)).any(axis=1),
    )


def _lane_shares(detection: Detection, j: int, share: F64) -> F64:
    """Mean (L, n) over the groups of each lane of what they may discharge in each turn, ``share`` (n, G)."""
    lanes = range(detection.lane_ptr[j], detection.lane_ptr[j + 1])
    found = np.zeros((len(lanes), len(share)))
    for row, lane in enumerate(lanes):
        groups = detection.lane_group[detection.lane_group_ptr[lane] : detection.lane_group_ptr[lane + 1]]
        if len(groups):
            found[row] = share[:, groups].mean(axis=1)
    return found


def _peaks(share: F64) -> F64:
    """1 (n, G) where a group may discharge more than in the turns before and after."""
    around = np.maximum(np.roll(share, 1, axis=0), np.roll(share, -1, axis=0))
    return (share > around).astype(np.float64)


def share_out(length_ms: I64, least_ms: I64, cycle_ms: int) -> I64:
    """The turns stretched or pressed into a cycle, none below its least; their spare time keeps its proportions.

    A cycle that is too short for them becomes as long as they need.
    """
    spare = np.maximum(length_ms - least_ms, 0).astype(np.float64)
    left_ms = max(cycle_ms - int(least_ms.sum()), 0)
    shares = spare / spare.sum() if spare.any() else np.full(len(spare), 1.0 / len(spare))
    found: I64 = least_ms + np.floor(shares * left_ms).astype(np.int64)
    found[int(np.argmax(shares))] += int(least_ms.sum()) + left_ms - int(found.sum())
    return found


def is_any_called(view: View, turns: Turns, lanes: slice, turn: int) -> bool:
    """Does anybody wait who needs this turn? People, and lanes without a stop-bar loop, always do."""
    needs = turns.needs[:, turn]
    stop = view.detection.stop_bar[lanes][needs]
    if turns.walks[turn] or not needs.any() or (stop < 0).any():
        return True
    waits = (view.detectors.on[stop] == 1) | (view.traffic.queue_veh[lanes][needs] >= LEAST_CALL_VEH)
    return bool(waits.any())

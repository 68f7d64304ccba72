"""Cyclic flow profiles, as SCOOT keeps them: who comes to each stop line in each second of the region's cycle.

Vehicles are counted at the advance loop and put where they will reach the stop line; each second of the cycle is
smoothed over cycles. How much of its time a loop stands covered is kept too: SCOOT's measure of congestion.
A queue served at saturation flow turns a profile into delay and stops (Hunt, Robertson, Bretherton and Winton, TRL
LR1014, 1981).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.jit import kernel
from greensplit.engine.loop import View
from greensplit.engine.model.compiled import Detection

from .rotation import MOST_CYCLE_MS, Rotation

__all__ = ["Profiles", "profile_cost"]

F64 = npt.NDArray[np.float64]
BIN_MS = 1000
ROOM = 2 * MOST_CYCLE_MS // BIN_MS
MEMORY = 0.2
COVERED_MS = 4000
COVERED_MEMORY = 1.0 / 180.0
UNSEEN_VEH_PER_S = 0.05
CRUISE_SHARE = 0.9


class Profiles:
    """The profile of every lane, and how much of its time its advance loop has been covered."""

    def __init__(self, detection: Detection, region: npt.NDArray[np.int32]) -> None:
        """``region`` (J,) of each junction. A lane without any loop is taken to have a little traffic."""
        lanes = len(detection.stop_bar)
        self.come = np.full((lanes, ROOM), UNSEEN_VEH_PER_S)
        self.lane_region = np.repeat(region, np.diff(detection.lane_ptr))
        self._loop = np.where(detection.advance >= 0, detection.advance, detection.stop_bar)
        self._share = np.where(detection.advance >= 0, detection.advance_share, 1.0)
        cruise_mps = CRUISE_SHARE * np.maximum(detection.speed_mps, 1.0)
        self._travel_ms = np.where(detection.advance >= 0, 1000.0 * detection.advance_m / cruise_mps, 0.0)
        self.covered = np.zeros(lanes)
        self._counted = np.zeros(lanes, np.int64)
        self._has_loop = self._loop >= 0

    def count(self, view: View, rotation: Rotation) -> None:
        """Take the last second into the profiles."""
        if not self._has_loop.any():
            return
        loop = self._loop
        came = np.where(self._has_loop, view.detectors.actuations[loop], 0)
        is_covered = (view.detectors.on[loop] == 1) & (view.now_ms - view.detectors.on_ms[loop] > COVERED_MS)
        self.covered += COVERED_MEMORY * (is_covered - self.covered)
        found = self._share * (came - self._counted)
        self._counted = came
        cycle_ms = np.array([rotation.cycle_ms(r) for r in range(len(rotation.number))])[self.lane_region]
        base_ms = rotation.base_ms[self.lane_region]
        at = ((view.now_ms - base_ms + self._travel_ms) % cycle_ms).astype(np.int64) // BIN_MS
        weight = np.maximum(MEMORY, 1.0 / (1.0 + rotation.number[self.lane_region]))
        rows = np.flatnonzero(self._has_loop)
        old = self.come[rows, at[rows]]
        self.come[rows, at[rows]] = old + weight[rows] * (found[rows] - old)

    def resize(self, region: int, before_s: int, after_s: int) -> None:
        """A longer cycle: its new seconds begin with the mean of the others."""
        rows = np.flatnonzero(self.lane_region == region)
        if after_s > before_s:
            self.come[rows, before_s:after_s] = self.come[rows, :before_s].mean(axis=1)[:, None]

    def flow(self, lanes: slice, cycle_s: int) -> F64:
        """Mean flow of lanes of one region, veh/s."""
        found: F64 = self.come[lanes, :cycle_s].mean(axis=1)
        return found


@kernel
def profile_cost(come: F64, later_s: int, leave: F64, cycle_s: int, stop_s: float) -> float:
    """Delay of a cycle, veh s, with ``stop_s`` for each stop, of ``come`` (cycle_s,) veh in each second.

    They come later by ``later_s``; ``leave`` (cycle_s,) may leave in each second. The first cycle only fills the queue.
    """
    queue = cost = 0.0
    for second in range(2 * cycle_s):
        at = second % cycle_s
        arriving = come[(at - later_s) % cycle_s]
        if second == cycle_s:
            cost = 0.0
        if queue > 0.0 or leave[at] <= arriving:
            cost += stop_s * arriving
        queue = max(0.0, queue + arriving - leave[at])
        cost += queue
    return cost

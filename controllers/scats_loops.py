"""What SCATS learns from stop-line loops in green: vehicles, and the space between them.

Of the green, the part is used that is not space beyond what a stream at maximum flow leaves between its vehicles; each
lane learns that from its own densest greens (Lowrie, "SCATS: a traffic adaptive method of controlling urban traffic",
1990).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.detectors import U32_MASK
from greensplit.engine.loop import View
from greensplit.engine.model.aspects import GREEN, PERMISSIVE
from greensplit.engine.model.compiled import Detection, Signals

__all__ = ["FIRST_SPACE_S", "StopLines", "used_green_s"]

F64 = npt.NDArray[np.float64]
FIRST_SPACE_S = 0.8
SPACE_RANGE_S = (0.3, 1.2)
SPACE_MEMORY = 0.2
DENSE_HEADWAY_S = 2.4
LEAST_DENSE_VEH = 5


class StopLines:
    """Per lane (L,): green, space and vehicles since the junction's cycle began, and the space at maximum flow."""

    def __init__(self, signals: Signals, detection: Detection) -> None:
        lanes = len(detection.stop_bar)
        owner = np.repeat(np.arange(len(signals.device_id)), np.diff(detection.lane_ptr))
        entries = np.repeat(np.arange(lanes), np.diff(detection.lane_group_ptr))
        self._group = detection.lane_group + signals.group_ptr[owner[entries]]
        self._entry_lane = entries
        self.has_loop = detection.stop_bar >= 0
        self._loop = np.maximum(detection.stop_bar, 0)
        self._counted = np.zeros(lanes, np.int64)
        self._occupied_ms = np.zeros(lanes, np.int64)
        self.green_s = np.zeros(lanes)
        self.space_s = np.zeros(lanes)
        self.vehicles = np.zeros(lanes)
        self.least_space_s = np.full(lanes, FIRST_SPACE_S)

    def watch(self, view: View, elapsed_s: float) -> None:
        """Take in what has happened since the last call, ``elapsed_s`` ago."""
        if not len(view.detection.channel):
            return
        detectors, loop = view.detectors, self._loop
        running_ms = np.where(detectors.on[loop] == 1, view.now_ms - detectors.on_ms[loop], 0)
        occupied_ms = detectors.occupied_ms[loop].astype(np.int64) + np.maximum(running_ms, 0)
        is_green = self._is_green(view.machine.lamps.aspect)
        covered_s = np.minimum(((occupied_ms - self._occupied_ms) & U32_MASK) / 1000.0, elapsed_s)
        self.green_s += is_green * elapsed_s
        self.space_s += is_green * (elapsed_s - covered_s)
        self.vehicles += is_green * (detectors.actuations[loop] - self._counted)
        self._counted = detectors.actuations[loop].astype(np.int64)
        self._occupied_ms = occupied_ms

    def _is_green(self, aspect: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Lanes (L,) that any group lets go."""
        shown = np.isin(aspect[self._group], (GREEN, PERMISSIVE))
        return np.bincount(self._entry_lane, shown, len(self.green_s)) > 0

    def take(self, lanes: slice) -> tuple[F64, F64, F64]:
        """Green used, green shown, s, and vehicles of a junction's lanes in the cycle that ends; the next begins."""
        green_s, space_s, vehicles = self.green_s[lanes], self.space_s[lanes], self.vehicles[lanes]
        dense = (vehicles >= LEAST_DENSE_VEH) & (green_s <= DENSE_HEADWAY_S * vehicles)
        sample_s = np.clip(space_s / np.maximum(vehicles, 1.0), *SPACE_RANGE_S)
        self.least_space_s[lanes] += SPACE_MEMORY * dense * (sample_s - self.least_space_s[lanes])
        found = (
            np.where(
                self.has_loop[lanes], used_green_s(green_s, space_s, vehicles, self.least_space_s[lanes]), 0.0
            ),
            green_s.copy(),
            vehicles.copy(),
        )
        for sums in (self.green_s, self.space_s, self.vehicles):
            sums[lanes] = 0.0
        return found


def used_green_s(green_s: F64, space_s: F64, vehicles: F64, least_space_s: F64) -> F64:
    """Green less the space that a dense stream of as many vehicles would not have left."""
    found: F64 = np.maximum(green_s - np.maximum(space_s - vehicles * least_space_s, 0.0), 0.0)
    return found

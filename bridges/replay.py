"""A recorded log as a bridge's port: what the detectors told and the lamps showed, at any speed.

The loop that reads it looks on: nobody obeys. Time is that of the log, ms since its start; how fast it passes is the
business of who ticks.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from greensplit.engine.events import (
    BEGIN_GREEN,
    BEGIN_YELLOW,
    DETECTOR_OFF,
    DETECTOR_ON,
    DONT_WALK,
    END_YELLOW,
    EVENT_DTYPE,
    FLASH_STATUS,
    FLASHES_NOT,
    PEDESTRIAN_CLEARANCE,
    WALK,
)
from greensplit.engine.loop import DetectorEvents
from greensplit.engine.model.aspects import CLEARANCE, DARK, GREEN, RED, YELLOW
from greensplit.engine.model.site import Site

__all__ = ["MachinePort", "ReplayPort", "StagesPort"]

SHOWN = {
    BEGIN_GREEN: GREEN,
    BEGIN_YELLOW: YELLOW,
    END_YELLOW: RED,
    WALK: GREEN,
    PEDESTRIAN_CLEARANCE: CLEARANCE,
    DONT_WALK: RED,
}


class ReplayPort:
    """Plays the rows of a log, (n,) of ``EVENT_DTYPE``, to a ``Loop`` that observes.

    Rows may come in any order. Those of devices, detectors and groups that the site does not have are counted in
    ``unknown`` and left out; ``shown_rows`` counts those that told of lamps. Logs do not tell protected from
    permissive greens: they are green.
    """

    drives_lamps = False

    def __init__(self, site: Site, rows: npt.NDArray[np.void]) -> None:
        self.unknown = 0
        self.shown_rows = 0
        self._rows = np.sort(np.asarray(rows, EVENT_DTYPE), order="t_ms", kind="stable")
        self._at = 0
        self._detectors: dict[tuple[int, int], int] = {}
        self._groups: dict[tuple[int, int], int] = {}
        self._span: dict[int, tuple[int, int]] = {}
        detector = group = 0
        for junction in site.junctions:
            device = junction.device_id
            for each in junction.detectors:
                self._detectors[device, each.channel] = detector
                detector += 1
            self._span[device] = (group, group + len(junction.groups))
            for number in range(1, len(junction.groups) + 1):
                self._groups[device, number] = group
                group += 1
        self._shown = np.zeros(group, np.uint8)

    @property
    def end_ms(self) -> int:
        """Time of the last row, 0 in an empty log."""
        return int(self._rows["t_ms"][-1]) if len(self._rows) else 0

    def read(self, now_ms: int) -> DetectorEvents:
        """Detector changes since the last call, up to ``now_ms``."""
        found = []
        self._at, due = self._due(self._at, now_ms)
        for t_ms, device, event, parameter in due:
            if event in (DETECTOR_ON, DETECTOR_OFF):
                detector = self._detectors.get((device, parameter))
                if detector is None:
                    self.unknown += 1
                else:
                    found.append((detector, t_ms, int(event == DETECTOR_ON)))
            else:
                self._show(device, event, parameter)
        columns = np.array(found, np.int64).reshape(-1, 3)
        return DetectorEvents(
            columns[:, 0].astype(np.int32), columns[:, 1], columns[:, 2].astype(np.uint8), len(found)
        )

    def observe(self, aspect: npt.NDArray[np.uint8]) -> None:
        """Lamps after the last row that was read."""
        aspect[:] = self._shown

    def write(self, aspect: npt.NDArray[np.uint8], changed: npt.NDArray[np.uint8]) -> None:
        """Nobody is there to obey."""

    def fall_back(self, junction: int) -> None:
        """Nobody is there to obey."""

    def _due(self, at: int, now_ms: int) -> tuple[int, Iterable[tuple[int, int, int, int]]]:
        end = int(np.searchsorted(self._rows["t_ms"], now_ms, side="right"))
        return max(at, end), self._rows[at:end].tolist()

    def _show(self, device: int, event: int, parameter: int) -> None:
        if event == FLASH_STATUS and device in self._span:
            first, last = self._span[device]
            self._shown[first:last] = RED if parameter == FLASHES_NOT else DARK
        elif event in SHOWN:
            group = self._groups.get((device, parameter))
            if group is None:
                self.unknown += 1
            else:
                self._shown[group] = SHOWN[event]
                self.shown_rows += 1


class MachinePort(ReplayPort):
    """Detectors of a log; the lamps are those of the loop's own signal machine."""

    drives_lamps = True


class StagesPort(ReplayPort):
    """Detectors and lamps of a log, for a ``FieldLoop``: it asks for stages, and nobody is there to obey."""

    def __init__(self, site: Site, rows: npt.NDArray[np.void]) -> None:
        super().__init__(site, rows)
        self._greens = [
            [sum(1 << number - 1 for number in stage.green) for stage in junction.stages]
            for junction in site.junctions
        ]
        self._first = [self._span[junction.device_id][0] for junction in site.junctions]
        self._aim = np.full(len(site.junctions), -1, np.int32)

    def aims(self, aim: npt.NDArray[np.int32]) -> None:
        """The stage of which all greens show and no others, the first of such; the last one while none does."""
        for j, greens in enumerate(self._greens):
            first = self._first[j]
            shown = self._shown[first : self._span_end(j)]
            green = sum(1 << int(g) for g in np.flatnonzero(shown == GREEN))
            self._aim[j] = next((s for s, mask in enumerate(greens) if mask == green), int(self._aim[j]))
        aim[:] = self._aim

    def ask(self, request: npt.NDArray[np.int32], now_ms: int) -> None:
        """Nobody is there to obey."""

    def _span_end(self, j: int) -> int:
        return self._first[j + 1] if j + 1 < len(self._first) else len(self._shown)

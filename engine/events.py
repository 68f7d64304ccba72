"""Event codes and the log schema: the Purdue/Indiana enumeration of high-resolution controller events (2020).

A log has four columns: ``timestamp`` (UTC, milliseconds), ``device_id``, ``event_id``, ``parameter`` (the group
number or the detector channel), sorted by device and time.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["EVENT_DTYPE", "EventBuffer"]

PHASE_ON: Final = 0
BEGIN_GREEN: Final = 1
GAP_OUT: Final = 4
MAX_OUT: Final = 5
FORCE_OFF: Final = 6
GREEN_TERMINATION: Final = 7
BEGIN_YELLOW: Final = 8
END_YELLOW: Final = 9
BEGIN_RED_CLEARANCE: Final = 10
END_RED_CLEARANCE: Final = 11
PHASE_INACTIVE: Final = 12
WALK: Final = 21
PEDESTRIAN_CLEARANCE: Final = 22
DONT_WALK: Final = 23
DETECTOR_OFF: Final = 81
DETECTOR_ON: Final = 82
DETECTOR_RESTORED: Final = 83
DETECTOR_FAULT: Final = 84  # of a kind without a code of its own
DETECTOR_WATCHDOG: Final = 85
DETECTOR_ERRATIC: Final = 88  # excessive change
PATTERN_CHANGE: Final = 131  # parameter: a plan, or FREE_PATTERN
FLASH_STATUS: Final = 173  # parameter: FLASHES or FLASHES_NOT (NTCIP 1202, unitFlashStatus)
ALARM_ON: Final = 200

DEPLOYED_PATTERN: Final = 1
FLASHES_NOT: Final = 2
FLASHES: Final = 3
FREE_PATTERN: Final = 254  # no plan: NTCIP 1202, coordPatternStatus

EVENT_DTYPE: Final = np.dtype([("t_ms", "<i8"), ("device", "<u4"), ("event", "<u2"), ("parameter", "<u2")])


class EventBuffer:
    """Events of a run in order of arrival, in one array that doubles when full."""

    __slots__ = ("_rows", "count")

    def __init__(self, capacity: int = 1 << 14) -> None:
        self._rows = np.empty(capacity, EVENT_DTYPE)
        self.count = 0

    def room(self, rows: int) -> npt.NDArray[np.void]:
        """A writable view of at least ``rows`` free rows; tell ``commit`` how many were written."""
        if self.count + rows > len(self._rows):
            grown = np.empty(max(2 * len(self._rows), self.count + rows), EVENT_DTYPE)
            grown[: self.count] = self._rows[: self.count]
            self._rows = grown
        return self._rows[self.count :]

    def commit(self, rows: int) -> None:
        """The first ``rows`` rows of the last ``room`` are events now."""
        self.count += rows

    def append(self, t_ms: int, device: int, event: int, parameter: int) -> None:
        """One event, ``t_ms`` since the start of the run."""
        self.room(1)[0] = (t_ms, device, event, parameter)
        self.count += 1

    def clear(self) -> None:
        """Begin again with what room there is, once somebody has the events."""
        self.count = 0

    def rows(self) -> npt.NDArray[np.void]:
        """The events so far, (n,) of ``EVENT_DTYPE``; a view."""
        return self._rows[: self.count]

"""Rows in memory until they are written; bounded, the oldest go first. Safe between two threads."""

from __future__ import annotations

from threading import Lock

import numpy as np
import numpy.typing as npt

from ..events import EVENT_DTYPE

__all__ = ["WAITING_ROWS", "Waiting"]

WAITING_ROWS = 2_000_000
"""32 MB: ten seconds of a large city, or hours of a small one, while a disk is full."""

Rows = npt.NDArray[np.void]


class Waiting:
    """Rows of ``EVENT_DTYPE`` in order of arrival."""

    def __init__(self, most: int = WAITING_ROWS) -> None:
        self.dropped = 0
        self._most = most
        self._lock = Lock()
        self._pieces: list[Rows] = []
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def put(self, rows: Rows) -> None:
        """Take rows, which the caller must not change any more."""
        with self._lock:
            self._pieces.append(rows)
            self._bound(len(rows))

    def take(self) -> Rows:
        """All rows; none wait any more."""
        with self._lock:
            pieces, self._pieces, self._rows = self._pieces, [], 0
        return np.concatenate(pieces) if pieces else np.empty(0, EVENT_DTYPE)

    def give_back(self, rows: Rows) -> None:
        """Rows that were taken and could not be written: they wait before those that came since."""
        with self._lock:
            self._pieces.insert(0, rows)
            self._bound(len(rows))

    def _bound(self, more: int) -> None:
        self._rows += more
        while self._rows > self._most:
            excess = min(self._rows - self._most, len(self._pieces[0]))
            self._pieces[0] = self._pieces[0][excess:]
            if not len(self._pieces[0]):
                self._pieces.pop(0)
            self._rows -= excess
            self.dropped += excess

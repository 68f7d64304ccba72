"""Writes messages to segments whatever the disk does: makes room, begins another segment, or says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .journal import Segment
from .places import number_of, rolled_files, segments
from .retention import Shed, free_bytes, shed_until
from .rolling import FULL

__all__ = ["Writer"]

_TRIES = 4
_UNITS_AT_ONCE = 8


class Writer:
    """The segment that is open, if any, and the number of the last one that ended and is not Parquet yet (or 0)."""

    def __init__(self, folder: Path, min_free_bytes: int) -> None:
        """Go on behind the highest number in the store; what is there has ended. Raises OSError."""
        self.shed = Shed()
        self.trouble: str | None = None
        left = [number_of(path) for path in segments(folder)]
        self.ended = max(left, default=0)
        self._number = max([0, *left, *map(number_of, rolled_files(folder))])
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._segment: Segment | None = None

    def written(self, message: bytes, rows: int, now_ms: int) -> bool:
        """Whether the message is in a segment and on the disk. Makes room first where too little is free."""
        self._make_room()
        self.trouble = None
        if not rows:
            return True
        for _ in range(_TRIES):
            try:
                self._open(now_ms).append(message, rows)
            except OSError as err:
                self.trouble = f"{self._folder}: expected to write events, found: {err.strerror or err}"
                if not self._helped(err):
                    return False
            else:
                self.trouble = None
                return True
        return False

    def due(self, now_ms: int, segment_s: float, segment_rows: int) -> bool:
        """Whether the segment is to end, by age (also where the clock was set back) or rows."""
        segment = self._segment
        if segment is None:
            return False
        return segment.rows >= segment_rows or not 0 <= now_ms - segment.begun_ms < segment_s * 1000

    def end_segment(self) -> None:
        """Write no more to the segment."""
        if self._segment is not None:
            self._segment.close()
            if self._segment.rows:
                self.ended = self._number
            self._segment = None

    def forget_ended(self, last: int) -> None:
        """The segments up to number ``last`` are Parquet now."""
        if self.ended <= last:
            self.ended = 0

    def _open(self, now_ms: int) -> Segment:
        if self._segment is None:
            self._number += 1
            self._segment = Segment(self._folder, self._number, now_ms)
        return self._segment

    def _helped(self, err: OSError) -> bool:
        """Whether another try may go better: with the oldest data gone, or in another segment."""
        if err.errno not in FULL:
            self.end_segment()
            return True
        return self._shed(lambda shed: shed.size > 0).size > 0

    def _make_room(self) -> None:
        with suppress(OSError):
            if free_bytes(self._folder) < self._min_free_bytes:
                self._shed(lambda _: free_bytes(self._folder) >= self._min_free_bytes)

    def _shed(self, enough: Callable[[Shed], bool]) -> Shed:
        """Take the oldest away; what went."""
        writing = self._segment.path if self._segment else None
        ended = [path for path in segments(self._folder) if path != writing]
        try:
            shed = shed_until(self._folder, enough, ended, _UNITS_AT_ONCE)
        except OSError:
            return Shed()
        self.shed = self.shed.plus(shed)
        return shed

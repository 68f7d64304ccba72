"""The segment that is being written, and what a crash left of older ones."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from .places import delete, segment_path, segments, sync_folder, write_all
from .stream import scanned, schema_message

__all__ = ["Segment", "mend"]


class Segment:
    """A segment open for appending. One that had an error is ended by its owner, and a new one begun."""

    def __init__(self, folder: Path, number: int, begun_ms: int) -> None:
        """Create the segment; nothing of it is durable before the first ``append``. Raises OSError."""
        self.path = segment_path(folder, number)
        self.begun_ms = begun_ms
        self.rows = 0
        self._end = 0
        self.path.parent.mkdir(exist_ok=True)
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)

    def append(self, message: bytes, rows: int) -> None:
        """Append a message and flush file and folder. Raises OSError: then the message is not in the segment."""
        content = message if self._end else schema_message() + message
        try:
            write_all(self._fd, content, self._end)
            os.fsync(self._fd)
            sync_folder(self.path.parent)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._fd, self._end)
            raise
        self._end += len(content)
        self.rows += rows

    def close(self) -> None:
        """End the segment; an empty one is deleted. Never raises."""
        with suppress(OSError):
            os.close(self._fd)
        if not self.rows:
            with suppress(OSError):
                self.path.unlink()


def mend(folder: Path) -> int:
    """Cut the torn tail of every segment, as a crash leaves it; delete empty ones. Returns the bytes cut.

    Bytes that are damaged with whole messages behind them stay: only a tail is cut. Raises OSError.
    """
    return sum(_cut(path) for path in segments(folder))


def _cut(path: Path) -> int:
    data = path.read_bytes()
    scan = scanned(data)
    if not scan.rows:
        delete(path)
    elif scan.end < len(data):
        _truncate(path, scan.end)
    return len(data) - scan.end


def _truncate(path: Path, length: int) -> None:
    fd = os.open(path, os.O_RDWR)
    try:
        os.ftruncate(fd, length)
        os.fsync(fd)
    finally:
        os.close(fd)

"""Frames on a stream (TCP, RS-232): escapes, and finding the next frame after rubbish.

0x5C stands before each 0x7E, 0x7D and 0x5C inside a frame, which stay as they are; datagrams have no escapes.
"""

from __future__ import annotations

import re
from typing import Final

from .errors import FrameError
from .frame import END, MAX_FRAME_BYTES, START, Frame, decode

__all__ = ["ESCAPE", "StreamDecoder", "escape"]

ESCAPE: Final = 0x5C
SPECIAL: Final = re.compile(rb"[\x5c\x7d\x7e]")
PLAIN_RUN: Final = re.compile(rb"[^\x5c\x7d\x7e]+")


def escape(frame: bytes) -> bytes:
    """A frame, from its start to its end, as it goes on a stream."""
    return frame[:1] + SPECIAL.sub(rb"\\\g<0>", frame[1:-1]) + frame[-1:]


class StreamDecoder:
    """Takes bytes as they come and gives the frames in them.

    Memory is bounded by one frame of ``limit`` bytes. What is no frame is dropped up to the next start byte;
    ``dropped`` counts such frames and ``last_error`` tells the latest in one line.
    """

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self.dropped = 0
        self.last_error = ""
        self._limit = limit
        self._frame = bytearray()  # empty between frames
        self._escaped = False

    def feed(self, data: bytes) -> list[Frame]:
        """Frames that end in ``data``."""
        frames: list[Frame] = []
        at = 0
        while at < len(data):
            if not self._frame:
                at = self._find_start(data, at)
            elif not self._escaped and (run := PLAIN_RUN.match(data, at)):
                self._append(run.group())
                at = run.end()
            else:
                self._take(data[at], frames)
                at += 1
        return frames

    def _find_start(self, data: bytes, at: int) -> int:
        start = data.find(START, at)
        if start < 0:
            return len(data)
        self._frame.append(START)
        return start + 1

    def _take(self, byte: int, frames: list[Frame]) -> None:
        if self._escaped:
            self._escaped = False
            self._append(bytes((byte,)))
        elif byte == ESCAPE:
            self._escaped = True
        elif byte == START:
            self._drop("frame: a new one starts before its end")
            self._frame.append(START)
        elif byte == END:
            self._append(b"\x7d")
            self._finish(frames)
        else:
            self._append(bytes((byte,)))

    def _append(self, run: bytes) -> None:
        if len(self._frame) + len(run) > self._limit:
            self._drop(f"frame: expected at most {self._limit} bytes, found more")
        elif self._frame:
            self._frame += run

    def _finish(self, frames: list[Frame]) -> None:
        if not self._frame:
            return
        try:
            frames.append(decode(bytes(self._frame)))
        except FrameError as err:
            self._drop(str(err))
        self._frame.clear()

    def _drop(self, reason: str) -> None:
        self.dropped += 1
        self.last_error = reason
        self._frame.clear()

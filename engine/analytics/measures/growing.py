"""Measures of a log that grows: chunks in any order, the tables of all that came so far."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..log.detectors import Detectors, read_detectors
from ..log.source import EventLog, Piece, Source, merged, open_log
from .calculation import Calculation, Tables, calculate

__all__ = ["GrowingLog"]


class GrowingLog(EventLog):
    """Keeps the events of each device sorted, each once, in 12 bytes; computes them when asked.

    The tables are those of the whole log in one pass, bit for bit, however it was cut: an event may change what came
    before it (the off that a detector lost lies midway to its next on), so nothing is settled before it is asked for.
    """

    __slots__ = ("_events",)

    def __init__(self) -> None:
        super().__init__("log", [], None)
        self._events: dict[Any, Piece] = {}

    def add(self, chunk: Source) -> None:
        """More of the log: what ``open_log`` takes. Raises what that raises; the log is then as it was."""
        opened = open_log(chunk)
        came = {device: merged(pieces) for device, pieces in opened.pieces()}
        first = not self._events
        for device, piece in came.items():
            known = [self._events[device]] if device in self._events else []
            self._events[device] = merged([*known, piece])
        self.begin_ms = opened.begin_ms if first else min(self.begin_ms, opened.begin_ms)
        self.end_ms = max(self.end_ms, opened.end_ms)
        self.dropped += opened.dropped

    @property
    def rows(self) -> int:
        """Events so far, each once."""
        return sum(len(times) for times, _ in self._events.values())

    def pieces(self) -> Iterator[tuple[Any, list[Piece]]]:
        """Each device with its events, devices in order."""
        for device in sorted(self._events):
            self.found[device] = len(self._events[device][0])
            yield device, [self._events[device]]

    def tables(self, detectors: Detectors | None, what: Calculation) -> Tables:
        """The tables of all events so far."""
        return calculate(
            self, None if detectors is None else read_detectors(detectors), what, lambda _share: None
        )

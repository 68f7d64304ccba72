"""The detector side of a simulated controller: active bits, and volume and occupancy per period."""

from __future__ import annotations

from greensplit.engine.loop import DetectorEvents

from ..field import FULL_OCCUPANCY, SEQUENCE_NUMBERS, VOLUME_OVERFLOW, Periods

__all__ = ["LoopCards"]


class LoopCards:
    """Takes changes of detectors in the order of time and counts per period, exactly to the millisecond."""

    def __init__(self, detectors: int, period_ms: int) -> None:
        self.period_ms = period_ms
        self.on_mask = 0
        self.alarm_mask = 0
        self.last: Periods | None = None
        self._n = detectors
        self._sequence = 0
        self._ends_ms: int | None = None
        self._since_ms = [0] * detectors
        self._volume = [0] * detectors
        self._occupied_ms = [0] * detectors

    def take(self, events: DetectorEvents, now_ms: int) -> None:
        """Changes up to ``now_ms``, local detector numbers; those of no detector are dropped."""
        if self._ends_ms is None:
            self._ends_ms = now_ms - now_ms % self.period_ms + self.period_ms
        order = sorted(range(events.size), key=lambda i: int(events.t_ms[i]))
        for i in order:
            d, t_ms = int(events.detector[i]), int(events.t_ms[i])
            if 0 <= d < self._n and t_ms <= now_ms:
                self._close_periods(t_ms)
                self._change(d, t_ms, bool(events.on[i]))
        self._close_periods(now_ms)

    def _change(self, d: int, t_ms: int, is_on: bool) -> None:
        was_on = bool(self.on_mask >> d & 1)
        if is_on and not was_on:
            self._since_ms[d] = t_ms
            self._volume[d] += 1
        elif was_on and not is_on:
            self._occupied_ms[d] += max(t_ms - self._since_ms[d], 0)
        self.on_mask = self.on_mask | 1 << d if is_on else self.on_mask & ~(1 << d)

    def _close_periods(self, now_ms: int) -> None:
        while self._ends_ms is not None and now_ms >= self._ends_ms:
            self._close(self._ends_ms)
            self._ends_ms += self.period_ms

    def _close(self, end_ms: int) -> None:
        occupancy = []
        for d in range(self._n):
            occupied_ms = self._occupied_ms[d]
            if self.on_mask >> d & 1:
                occupied_ms += end_ms - self._since_ms[d]
                self._since_ms[d] = end_ms
            share = (FULL_OCCUPANCY * occupied_ms + self.period_ms // 2) // self.period_ms
            occupancy.append(min(max(share, 0), FULL_OCCUPANCY))
        volume = tuple(min(count, VOLUME_OVERFLOW) for count in self._volume)
        self._sequence = (self._sequence + 1) % SEQUENCE_NUMBERS
        self.last = Periods(self._sequence, self.period_ms, volume, tuple(occupancy))
        self._volume = [0] * self._n
        self._occupied_ms = [0] * self._n

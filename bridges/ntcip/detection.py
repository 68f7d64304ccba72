"""Detector events out of what NTCIP tells: active bits polled at 5 to 10 Hz, volume and occupancy per period.

A poll sees a state, not its changes: an event lies between two polls, and a pulse shorter than that is not seen at all.
Volume and occupancy know of every pulse but not when. Together they give the number right and the times to within a
poll; each event says how well it is known. Sequence numbers tell a period that was missed or is told twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from ..field import FULL_OCCUPANCY, SEQUENCE_NUMBERS, VOLUME_OVERFLOW, Periods

__all__ = ["DetectorChange", "Quality", "Reconstruction"]

LEAST_PULSE_MS: Final = 50


class Quality(IntEnum):
    """How well a change is known."""

    SEEN = 0  # between two polls no further apart than the polling interval allows
    LATE = 1  # between two polls further apart, one at least was lost
    COUNTED = 2  # only counted: it lies somewhere in the period
    GUESSED = 3  # of a period that was missed, or that counted more than it can tell


class DetectorChange(NamedTuple):
    """Detector (position), time, new state, how well known."""

    detector: int
    t_ms: int
    on: bool
    quality: Quality


class Reconstruction:
    """The changes of one controller's detectors, in order of time per detector.

    ``poll_ms`` is the interval at which bits are asked for. Changes come when their period is known: at most one period
    after they happened.
    """

    def __init__(self, detectors: int, poll_ms: int) -> None:
        self._n = detectors
        self._poll_ms = poll_ms
        self._on = 0
        self._seen_ms: int | None = None
        self._rises = [0] * detectors
        self._sequence: int | None = None
        self.missed_periods = 0
        self.repeated_periods = 0

    def take_bits(self, t_ms: int, on: int) -> list[DetectorChange]:
        """A look at the active bits, asked for at ``t_ms``: changes lie halfway since the look before."""
        before_ms, self._seen_ms = self._seen_ms, t_ms
        if before_ms is None:
            self._on = on
            return []
        gap_ms = t_ms - before_ms
        quality = Quality.SEEN if gap_ms <= 3 * self._poll_ms // 2 else Quality.LATE
        changed, self._on = on ^ self._on, on
        found = []
        for d in range(self._n):
            if changed >> d & 1:
                is_on = bool(on >> d & 1)
                self._rises[d] += is_on
                found.append(DetectorChange(d, t_ms - gap_ms // 2, is_on, quality))
        return found

    def take_periods(self, periods: Periods, end_ms: int) -> list[DetectorChange]:
        """A period that ended at ``end_ms``: pulses that were counted and not seen, evenly over the period."""
        if periods.sequence == self._sequence:
            self.repeated_periods += 1
            return []
        missed = 0 if self._sequence is None else (periods.sequence - self._sequence - 1) % SEQUENCE_NUMBERS
        self.missed_periods += missed
        is_first, self._sequence = self._sequence is None, periods.sequence
        found: list[DetectorChange] = []
        for d in range(self._n):
            unseen = 0 if is_first or missed else periods.volume[d] - self._rises[d]
            if unseen > 0 and not self._on >> d & 1 and periods.occupancy[d] <= FULL_OCCUPANCY:
                quality = Quality.GUESSED if periods.volume[d] == VOLUME_OVERFLOW else Quality.COUNTED
                found += self._pulses(d, unseen, periods, end_ms, quality)
            self._rises[d] = 0
        return found

    def _pulses(
        self, d: int, unseen: int, periods: Periods, end_ms: int, quality: Quality
    ) -> Sequence[DetectorChange]:
        """Pulses that share the occupied time of the period."""
        width_ms = periods.period_ms * periods.occupancy[d] // FULL_OCCUPANCY // max(periods.volume[d], 1)
        step_ms = periods.period_ms // unseen
        pulses: list[DetectorChange] = []
        for k in range(unseen):
            start_ms = end_ms - periods.period_ms + k * step_ms + step_ms // 2
            stop_ms = start_ms + min(max(width_ms, LEAST_PULSE_MS), max(step_ms // 2 - 1, 1))
            pulses += (DetectorChange(d, start_ms, True, quality), DetectorChange(d, stop_ms, False, quality))
        return pulses

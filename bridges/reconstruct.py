"""Detector events from what a protocol tells: active bits polled some times a second, volume and occupancy per period.

A poll gives each change to within the time between two polls; what begins and ends between two polls it misses. The
volume says how many were missed, the occupancy how long they and the others lasted. A change that was seen stays
between the polls that saw it, wherever occupancy would put it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from .base import DetectorBits
from .field import FULL_OCCUPANCY, SEQUENCE_NUMBERS, VOLUME_OVERFLOW, FieldStatus, Periods

__all__ = ["Change", "Quality", "Reconstruction"]

SHORTEST_MS: Final = 50  # of a pulse or a gap that is put in
MOST_OWED: Final = 2  # changes seen before their period is told


class Quality(IntEnum):
    """How a change came to be known."""

    SEEN = 0
    RESTORED = 1


class Change(NamedTuple):
    """One change of a detector. A SEEN one is exact to the time between two polls."""

    t_ms: int
    detector: int
    on: bool
    quality: Quality


class _Edge(NamedTuple):
    """A change and the time between which it happened."""

    t_ms: int
    on: bool
    least_ms: int
    most_ms: int
    quality: Quality


class Reconstruction:
    """The detectors of one controller. ``take`` every poll, ``finish`` with every status.

    ``lost_periods`` counts reports that never came, ``unplaced`` actuations for which no time was left.
    """

    def __init__(self, detectors: int) -> None:
        self.lost_periods = 0
        self.unplaced = 0
        self._n = detectors
        self._polls: list[DetectorBits] = []
        self._sequence = -1
        self._owed = [0] * detectors

    def take(self, bits: DetectorBits) -> None:
        """One poll; those that are not later than the last are dropped."""
        if not self._polls or bits.t_ms > self._polls[-1].t_ms:
            self._polls.append(bits)

    def forget(self) -> None:
        """The controller was out of reach: what comes next begins anew."""
        self._polls.clear()
        self._sequence = -1
        self._owed = [0] * self._n

    def finish(self, status: FieldStatus) -> list[Change]:
        """The changes up to this status, in the order of time."""
        is_first = not self._polls
        self.take(DetectorBits(status.t_ms, status.detector_on, status.detector_alarm))
        periods = self._new_periods(status.periods)
        polls = self._polls
        if is_first:
            changes = [Change(polls[0].t_ms, d, True, Quality.SEEN) for d in _bits(polls[0].on)]
        else:
            changes = [change for d in self._concerned(periods) for change in self._changes(d, periods)]
        self._polls = [polls[-1]]
        return sorted(changes)

    def _new_periods(self, periods: Periods | None) -> Periods | None:
        """The report, if it is new and none was lost before it."""
        if periods is None or periods.sequence == self._sequence:
            return None
        grown = (periods.sequence - self._sequence) % SEQUENCE_NUMBERS
        is_next = self._sequence >= 0 and grown == 1
        if self._sequence >= 0:
            self.lost_periods += grown - 1
        self._sequence = periods.sequence
        if not is_next:
            self._owed = [0] * self._n
        return periods if is_next else None

    def _concerned(self, periods: Periods | None) -> list[int]:
        """Detectors that changed, or that counted."""
        first = self._polls[0].on
        mask = 0
        for poll in self._polls:
            mask |= poll.on ^ first
        counted = () if periods is None else periods.volume
        return [d for d in range(self._n) if mask >> d & 1 or (counted and counted[d])]

    def _changes(self, d: int, periods: Periods | None) -> Iterator[Change]:
        states = [bool(poll.on >> d & 1) for poll in self._polls]
        times = [poll.t_ms for poll in self._polls]
        edges = [
            _Edge((t + u) // 2, later, t, u, Quality.SEEN)
            for (was, t), (later, u) in zip(
                zip(states, times, strict=True), zip(states[1:], times[1:], strict=True), strict=False
            )
            if was != later
        ]
        if periods is not None and periods.occupancy[d] <= FULL_OCCUPANCY:
            edges = self._fit(d, edges, states, times, periods)
        for edge in edges:
            yield Change(edge.t_ms, d, edge.on, edge.quality)

    def _fit(
        self, d: int, edges: list[_Edge], states: Sequence[bool], times: Sequence[int], periods: Periods
    ) -> list[_Edge]:
        """Put in what the polls missed, then move what they saw, so that volume and occupancy come out right."""
        missed = self._missed(d, sum(edge.on for edge in edges), periods.volume[d])
        occupied_ms = periods.occupancy[d] * periods.period_ms // FULL_OCCUPANCY
        spare_ms = occupied_ms - _occupied_ms(edges, states[0], times[0], times[-1])
        put_in = _put_in(missed, spare_ms, states, times)
        self.unplaced += missed - len(put_in) // 2
        fitted = sorted([*edges, *put_in])
        if abs(times[-1] - times[0] - periods.period_ms) > periods.period_ms // 2:
            return fitted
        return _moved(fitted, occupied_ms - _occupied_ms(fitted, states[0], times[0], times[-1]))

    def _missed(self, d: int, seen: int, volume: int) -> int:
        """Actuations that were counted and not seen. A period may end before the poll that tells of it."""
        if volume == VOLUME_OVERFLOW:
            return 0
        balance = self._owed[d] + volume - seen
        self._owed[d] = max(min(balance, 0), -MOST_OWED)
        return max(balance, 0)


def _occupied_ms(edges: Sequence[_Edge], is_on: bool, begin_ms: int, end_ms: int) -> int:
    total_ms, since_ms = 0, begin_ms
    for edge in edges:
        if is_on:
            total_ms += edge.t_ms - since_ms
        is_on, since_ms = edge.on, edge.t_ms
    return total_ms + (end_ms - since_ms if is_on else 0)


def _put_in(missed: int, spare_ms: int, states: Sequence[bool], times: Sequence[int]) -> list[_Edge]:
    """Pulses between two polls that saw nothing, then gaps between two that saw the loop occupied; one in each."""
    spans = [(states[i], times[i], times[i + 1]) for i in range(len(times) - 1) if states[i] == states[i + 1]]
    spans = sorted(spans, key=lambda span: span[0])[:missed]
    pulses = sum(not is_on for is_on, _, _ in spans)
    found: list[_Edge] = []
    for is_on, t, u in spans:
        length_ms = SHORTEST_MS if is_on else spare_ms // max(pulses, 1)
        length_ms = max(min(length_ms, u - t - SHORTEST_MS), min(SHORTEST_MS, (u - t) // 2))
        begin_ms = (t + u - length_ms) // 2
        for t_ms, on in ((begin_ms, not is_on), (begin_ms + length_ms, is_on)):
            found.append(_Edge(t_ms, on, t_ms, t_ms, Quality.RESTORED))
    return found


def _moved(edges: list[_Edge], spare_ms: int) -> list[_Edge]:
    """Move edges within their bounds, and never past another, until the occupancy is right or none can move."""
    moved = list(edges)
    for i, edge in enumerate(moved):
        least_ms = max(edge.least_ms, moved[i - 1].t_ms) if i else edge.least_ms
        most_ms = min(edge.most_ms, moved[i + 1].t_ms) if i + 1 < len(moved) else edge.most_ms
        wanted_ms = edge.t_ms - spare_ms if edge.on else edge.t_ms + spare_ms
        t_ms = min(max(wanted_ms, least_ms), most_ms)
        spare_ms -= edge.t_ms - t_ms if edge.on else t_ms - edge.t_ms
        moved[i] = edge._replace(t_ms=t_ms)
    return moved


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low

"""The malfunction monitor of a simulated controller: looks at the lamps only, knows no program, latches, and flashes.

It is written apart from the engine's signal machine and interlock. Thresholds are those of conflict monitors
(NEMA TS 2 MMU; EDI and Reno A&E manuals), as far as they make sense at the tick; where a country's program is
shorter than a threshold, the program's own time is held instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from greensplit.engine.model.site import GroupKind, Junction, MeetingKind

__all__ = ["Lights", "Malfunction", "Monitor"]

CONFLICT_MS: Final = 300
CONFLICT_RESET_MS: Final = 666
RED_FAIL_MS: Final = 800
DUAL_MS: Final = 350
LEAST_YELLOW_MS: Final = 2700
LEAST_CLEARANCE_MS: Final = 2700
LONG_AGO_MS: Final = -(10**9)


class Lights(NamedTuple):
    """Burning lamps of all groups, as masks. Walk is green, flashing don't walk is yellow."""

    red: int
    yellow: int
    green: int


class Malfunction(NamedTuple):
    """What the monitor latched: when, what, and the numbers of the groups."""

    t_ms: int
    fault: str
    groups: tuple[int, ...]


class Monitor:
    """Judges the lamps of one junction at every tick of its controller.

    ``latched`` is the fault for which the junction flashes, until somebody resets the monitor at the cabinet; ``log``
    keeps all of them.
    """

    def __init__(self, junction: Junction) -> None:
        n = len(junction.groups)
        self.latched: Malfunction | None = None
        self.log: list[Malfunction] = []
        self._n = n
        self._everybody = (1 << n) - 1
        self._apart, self._gap_ms = _separations(junction)
        self._people = sum(
            1 << g for g, group in enumerate(junction.groups) if group.kind is GroupKind.PEDESTRIAN
        )
        self._red_amber = sum(1 << g for g, group in enumerate(junction.groups) if group.sequence.start)
        self._least_yellow_ms = [
            min(LEAST_YELLOW_MS, sum(step.ms for step in group.sequence.stop if step.aspect == "yellow"))
            for group in junction.groups
        ]
        self.reset()

    def reset(self) -> None:
        """What a person at the cabinet does. The monitor forgets what it saw, but not its log."""
        self.latched = None
        self._before = Lights(self._everybody, 0, 0)
        self._green_end_ms = [LONG_AGO_MS] * self._n
        self._yellow_ms = [LONG_AGO_MS] * self._n
        self._since_ms: dict[tuple[str, int, int], int] = {}
        self._last_ms: dict[tuple[str, int, int], int] = {}

    def lose_power(self, now_ms: int) -> None:
        """The cabinet has been without power: what was green has ended without a yellow, and nobody is to blame.

        What latched stays, and so does the time from which the clearance of those greens is counted.
        """
        for g in _bits(self._before.green):
            self._green_end_ms[g] = now_ms
        self._before = Lights(self._everybody, 0, 0)
        self._since_ms.clear()
        self._last_ms.clear()

    def judge(self, lights: Lights, now_ms: int, stays_ms: int) -> Malfunction | None:
        """Judge lamps that burn from ``now_ms`` on for at least ``stays_ms``; the fault that is latched, if any."""
        if self.latched is None:
            for fault, groups in self._findings(lights, now_ms, stays_ms):
                self.latched = Malfunction(now_ms, fault, tuple(g + 1 for g in groups))
                self.log.append(self.latched)
                break
            self._note(lights, now_ms)
        return self.latched

    def _findings(self, lights: Lights, now_ms: int, stays_ms: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        for a, b in self._conflicts(lights):
            if self._lasts(("conflict", a, b), now_ms, stays_ms, CONFLICT_MS, CONFLICT_RESET_MS):
                yield "conflict", (a, b)
        for g in _bits(self._everybody & ~(lights.red | lights.yellow | lights.green)):
            if self._lasts(("red fail", g, g), now_ms, stays_ms, RED_FAIL_MS, stays_ms):
                yield "red fail", (g,)
        for g in _bits(self._dual(lights)):
            if self._lasts(("dual", g, g), now_ms, stays_ms, DUAL_MS, stays_ms):
                yield "dual indication", (g,)
        if lights != self._before:
            yield from self._changes(lights, now_ms)

    def _conflicts(self, lights: Lights) -> Iterator[tuple[int, int]]:
        """Pairs of groups that must not both be on; people only count while they may walk."""
        active = lights.green | lights.yellow & ~self._people & ~lights.red
        for a in _bits(lights.green):
            for b in _bits(active & self._apart[a]):
                if a < b or not lights.green >> b & 1:
                    yield a, b

    def _dual(self, lights: Lights) -> int:
        """Groups that show two colours at once, red with amber aside where that is the custom."""
        red_with_yellow = lights.red & lights.yellow & ~self._red_amber
        return lights.green & (lights.red | lights.yellow) | red_with_yellow

    def _lasts(
        self, key: tuple[str, int, int], now_ms: int, stays_ms: int, for_ms: int, reset_ms: int
    ) -> bool:
        """Has this been so for long enough, counting on through gaps shorter than ``reset_ms``?"""
        if now_ms - self._last_ms.get(key, LONG_AGO_MS) > max(reset_ms, stays_ms):
            self._since_ms[key] = now_ms
        self._last_ms[key] = now_ms
        return now_ms + stays_ms - self._since_ms[key] >= for_ms

    def _changes(self, lights: Lights, now_ms: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Greens that end without yellow, yellows that are short, greens that come too early after another."""
        before = self._before
        cars = self._everybody & ~self._people
        ended = before.green & ~lights.green & lights.red & ~lights.yellow & cars
        for g in _bits(ended):
            if self._least_yellow_ms[g]:
                yield "skipped yellow", (g,)
        for g in _bits(before.yellow & ~before.red & ~lights.yellow & cars):
            if now_ms - self._yellow_ms[g] < self._least_yellow_ms[g]:
                yield "short yellow", (g,)
        for b in _bits(lights.green & ~before.green):
            for a in _bits(self._apart[b] & ~lights.green):
                ended_ms = now_ms if before.green >> a & 1 else self._green_end_ms[a]
                if now_ms - ended_ms < self._gap_ms[a, b]:
                    yield "short clearance", (a, b)

    def _note(self, lights: Lights, now_ms: int) -> None:
        if lights != self._before:
            for g in _bits(self._before.green & ~lights.green):
                self._green_end_ms[g] = now_ms
            for g in _bits(lights.yellow & ~self._before.yellow):
                self._yellow_ms[g] = now_ms
            self._before = lights


def _separations(junction: Junction) -> tuple[list[int], dict[tuple[int, int], int]]:
    """Groups that each group must never be green with, and the least time from end to start of each such pair, ms."""
    apart = [0] * len(junction.groups)
    gap_ms: dict[tuple[int, int], int] = {}
    for meeting in junction.meetings:
        if meeting.kind is MeetingKind.CONFLICT:
            a, b = meeting.first - 1, meeting.second - 1
            apart[a] |= 1 << b
            apart[b] |= 1 << a
            gap_ms[a, b] = min(LEAST_CLEARANCE_MS, meeting.intergreen_ms)
            gap_ms[b, a] = min(LEAST_CLEARANCE_MS, meeting.reverse_ms)
    return apart, gap_ms


def _bits(mask: int) -> Iterator[int]:
    """Positions of the bits that are set."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low

"""Stages in turn, as SCOOT and SCATS drive them: a cycle that junctions share, turns whose lengths move.

Junctions that lie close together form a region and run its cycle, or half of it, or one of their own. A new cycle of a
region is announced two cycles ahead, so that all of its junctions change in the same one and their offsets stay.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from greensplit.engine.loop import View
from greensplit.engine.model.compiled import Detection, Signals
from greensplit.engine.model.site import Site
from greensplit.engine.plans.arterials import connected

from .turns import compile_turns, is_any_called, share_out

__all__ = ["MOST_CYCLE_MS", "Rotation"]

MOST_CYCLE_MS = 120_000
KNOWN_CYCLES = 8
AHEAD = 2
STAY = -1
PASSING_CYCLE_MS = 90_000
"""In longer cycles no turn is passed over: who comes just too late for it would wait for too long."""


class Rotation:
    """Where each junction is in its turns and when its turn is to end; the cycles of the regions.

    ``halved`` (J,) junctions run half the region's cycle, those with ``own_cycle_ms`` (J,) that, from their next on.
    """

    def __init__(
        self, site: Site, signals: Signals, detection: Detection, min_green_ms: int, now_ms: int
    ) -> None:
        """Every junction at the point of its cycle that its plan has for ``now_ms``; regions on their longest cycle."""
        self.turns, self.length_ms, offset_ms = compile_turns(site, signals, detection, min_green_ms)
        names = [junction.id for junction in site.junctions]
        sets = connected(names, site.links)
        region_of = {name: r for r, members in enumerate(sets) for name in members}
        self.region = np.array([region_of[name] for name in names], np.int32)
        self.lane_ptr = detection.lane_ptr
        count = len(names)
        self.least_cycle_ms = np.zeros(len(sets), np.int64)
        longest_ms = np.zeros(len(sets), np.int64)
        for j, r in enumerate(self.region):
            self.least_cycle_ms[r] = max(self.least_cycle_ms[r], self.turns[j].least_ms.sum())
            longest_ms[r] = max(longest_ms[r], self.length_ms[j].sum())
        self.number = np.zeros(len(sets), np.int64)
        self.base_ms = np.full(len(sets), now_ms, np.int64)
        self._cycles_ms = np.repeat(longest_ms[:, None], KNOWN_CYCLES, axis=1)
        self.halved = np.zeros(count, np.bool_)
        self._is_half = np.zeros(count, np.bool_)
        self._second = np.zeros(count, np.bool_)
        self.own_cycle_ms = np.zeros(count, np.int64)
        self._passed = [np.zeros(len(turns.stage), np.bool_) for turns in self.turns]
        self._own_number = np.zeros(count, np.int64)
        self.begun_ms = np.zeros(count, np.int64)
        self.position = np.zeros(count, np.int32)
        self.end_ms = np.zeros(count, np.int64)
        for j, r in enumerate(self.region):
            self._begin(j, now_ms, int(longest_ms[r]), int(offset_ms[j]))

    def _begin(self, j: int, now_ms: int, cycle_ms: int, offset_ms: int) -> None:
        self.length_ms[j] = share_out(self.length_ms[j], self.turns[j].least_ms, cycle_ms)
        gone_ms = (now_ms - offset_ms) % cycle_ms
        self.begun_ms[j] = now_ms - gone_ms
        self._own_number[j] = -1 if gone_ms else 0
        ends = np.cumsum(self.length_ms[j])
        self.position[j] = int(np.searchsorted(ends, gone_ms, side="right"))
        self.end_ms[j] = self.begun_ms[j] + ends[self.position[j]]

    def cycle_ms(self, region: int) -> int:
        """The cycle of a region now."""
        return int(self._cycles_ms[region, self.number[region] % KNOWN_CYCLES])

    def coming_cycle_ms(self, region: int) -> int:
        """The last cycle of a region that was announced."""
        return int(self._cycles_ms[region, (self.number[region] + AHEAD) % KNOWN_CYCLES])

    def keep_time(self, now_ms: int) -> list[int]:
        """Move the regions' clocks on; the regions that begin a cycle."""
        begun = []
        for r in np.flatnonzero(
            now_ms >= self.base_ms + self._cycles_ms[range(len(self.number)), self.number % KNOWN_CYCLES]
        ):
            self.base_ms[r] += self.cycle_ms(int(r))
            self.number[r] += 1
            announced = self._cycles_ms[r, (self.number[r] + AHEAD - 1) % KNOWN_CYCLES]
            self._cycles_ms[r, (self.number[r] + AHEAD) % KNOWN_CYCLES] = announced
            begun.append(int(r))
        return begun

    def announce(self, region: int, cycle_ms: int) -> None:
        """A new cycle from the one after the next on."""
        least_ms = int(self.least_cycle_ms[region])
        wanted_ms = max(least_ms, min(cycle_ms, MOST_CYCLE_MS))
        self._cycles_ms[region, (self.number[region] + AHEAD) % KNOWN_CYCLES] = wanted_ms

    def stage(self, j: int) -> int:
        """The stage (local index) whose turn it is."""
        return int(self.turns[j].stage[self.position[j]])

    def next_turn(self, j: int) -> int:
        """The position that follows."""
        return int((self.position[j] + 1) % len(self.turns[j].stage))

    def leave(self, j: int) -> None:
        """Go to the next turn; after the last one the next cycle begins, with the length that was announced."""
        self.position[j] = self.next_turn(j)
        if self.position[j] == 0:
            self._wrap(j)
        self.end_ms[j] = self.begun_ms[j] + self.length_ms[j][: self.position[j] + 1].sum()

    def _wrap(self, j: int) -> None:
        self.begun_ms[j] += self.length_ms[j].sum()
        if self._is_half[j] and not self._second[j]:
            self._second[j] = True
            return
        self._second[j] = False
        self._own_number[j] += 1
        self._is_half[j] = self.halved[j]
        whole_ms = int(self._cycles_ms[self.region[j], self._own_number[j] % KNOWN_CYCLES])
        cycle_ms = int(self.own_cycle_ms[j]) or (whole_ms // 2 if self._is_half[j] else whole_ms)
        if cycle_ms != self.length_ms[j].sum():
            self.length_ms[j] = share_out(self.length_ms[j], self.turns[j].least_ms, cycle_ms)

    def go_on(self, view: View, j: int, at_end: Callable[[int], None] | None = None) -> bool:
        """Go on to the next turn that somebody needs; False where there is none and the first turn stays.

        ``at_end`` is called with ``j`` when the cycle ends, before the next begins.
        """
        goal = self._goal(view, j)
        while goal != STAY:
            if self.next_turn(j) == 0 and at_end is not None:
                at_end(j)
            self.leave(j)
            self._passed[j][self.position[j]] = self.position[j] != goal
            if self.position[j] == goal:
                break
        return goal != STAY

    def _goal(self, view: View, j: int) -> int:
        """The next turn that is called and has time left, or was passed over the last time; else the first.

        The first turn is nobody's to call. It stays as long as its cycle lasts if no other is called.
        """
        here = int(self.position[j])
        turns, ends_ms = self.turns[j], self.begun_ms[j] + np.cumsum(self.length_ms[j])
        lanes = slice(int(self.lane_ptr[j]), int(self.lane_ptr[j + 1]))
        may_pass = int(ends_ms[-1] - self.begun_ms[j]) <= PASSING_CYCLE_MS
        for turn in range(here + 1, len(turns.stage)):
            has_time = ends_ms[turn] - view.now_ms >= turns.least_ms[turn]
            if (
                not may_pass
                or self._passed[j][turn]
                or (has_time and is_any_called(view, turns, lanes, turn))
            ):
                return turn
        return STAY if here == 0 and view.now_ms < ends_ms[-1] else 0

    def move_end(self, j: int, now_only_ms: int, lasting_ms: int) -> None:
        """Move the end of the turn, in this cycle by ``now_only_ms``, from the next on by ``lasting_ms``."""
        here, onward = int(self.position[j]), self.next_turn(j)
        self.end_ms[j] += now_only_ms
        self.length_ms[j][here] += lasting_ms
        self.length_ms[j][onward] -= lasting_ms
        if onward == 0:
            self.begun_ms[j] += lasting_ms

    def shift(self, j: int, by_ms: int) -> None:
        """Move the offset: all that follows comes later by ``by_ms``."""
        self.begun_ms[j] += by_ms
        self.end_ms[j] += by_ms

    def offset_ms(self, j: int) -> int:
        """When the junction's cycle begins in that of its region."""
        r = int(self.region[j])
        return int((self.begun_ms[j] - self.base_ms[r]) % self.cycle_ms(r))

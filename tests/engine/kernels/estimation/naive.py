"""The rules of the queue of one lane in plain Python, from their words: slow, one vehicle count, no arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

JAM_M = 7.5


@dataclass
class Loop:
    """A loop as the street shows it, times in ms."""

    on: bool = False
    on_ms: int = -(10**9)
    off_ms: int = -(10**9)
    entered: int = 0
    sound: bool = True
    exists: bool = True

    def switch(self, on: bool, t_ms: int) -> None:
        if on == self.on:
            return
        self.on = on
        if on:
            self.on_ms = t_ms
            self.entered += 1
        else:
            self.off_ms = t_ms


@dataclass
class NaiveLane:
    """A lane of one group, its loops its own; ``expected`` maps a second to vehicles, seen for ``sight_s`` ahead.

    ``told`` are those of them who count as queued already, the first ones; ``owed`` those who were expected behind the
    covered advance loop and have not passed it, or were ``supposed`` to stand there when a green was too short and
    have not left. ``var`` is the variance of ``queue``; ``noise`` what each arrival adds
    to it, seen by the own loop, announced within ``feed_sight_s``, or neither. ``served`` is, for either cell, how
    many left a queue and the time they took; ``yields`` whether the lane gives way in its stages, None if they are not
    its own; ``gives_way`` what the lamp shows.
    """

    advance_m: float
    storage_m: float
    speed_mps: float
    sight_s: int
    feed_sight_s: int = 0
    noise: tuple[float, float, float] = (1.0, 1.0, 1.0)
    loop_share: float = 1.0
    stop: Loop = field(default_factory=Loop)
    advance: Loop = field(default_factory=Loop)
    expected: dict[int, float] = field(default_factory=dict)
    queue: float = 0.0
    age_s: float = 0.0
    waited: float = 0.0
    green_ms: int | None = None
    was_green: bool = False
    blocked: bool = False
    start_up_s: float = 2.0
    served: list[list[float]] = field(default_factory=lambda: [[5.0, 10.0], [5.0, 10.0]])
    yields: tuple[bool | None, ...] = (False, None)
    cell: int = 0
    last_cell: int = 0
    gives_way: bool = False
    left_ms: int = -(10**9)
    is_first: bool = False
    var: float = 0.0
    left: float = 0.0
    ahead: float = 0.0
    told: float = 0.0
    owed: float = 0.0
    gone: float = 0.0
    supposed: float = 0.0
    paired: float = 0.0
    freed: int = 0
    seen: int = 0
    covered: bool = False
    started_ms: int | None = None
    longest_m: float = 0.0

    @property
    def headway_s(self) -> float:
        """Between 1.2 and 12 s."""
        vehicles, took_s = self.served[self.cell]
        return min(max(took_s / max(vehicles, 0.1), 1.2), 12.0)

    def tick(self, now_ms: int) -> None:
        """One second, to ``now_ms``."""
        if self.green_ms is not None and not self.was_green:
            self.gone = self.paired = 0.0
        self.waited = self.waited + self.queue
        self.age_s = self.age_s + 1.0 if self.queue > 0.0 else 0.0
        self._arrivals(now_ms)
        if self.stop.sound:
            self._counted_departures(now_ms)
        else:
            self.freed = self.stop.entered - self.stop.on
            self._modelled_departures(now_ms)
        if self.advance.sound:
            self._end_of_queue(now_ms)
        else:
            self.seen = self.advance.entered
            self.owed = 0.0 if self.covered else self.owed
            self.covered = False
        self.supposed = 0.0
        if self.stop.sound:
            self._head_of_queue(now_ms)
            ends = self.was_green and self.green_ms is None
            if ends and self.stop.on and self.gone >= 2.0 and self.advance.exists and not self.advance.sound:
                self.supposed = 4.0
                self.queue += 4.0
                self.var += 4.0
                self.owed += 4.0
        room = max(self.storage_m / JAM_M, 1.0)
        self._leave(max(self.queue - room, 0.0))
        self.var = min(self.var, room**2 / 12.0)
        self.was_green = self.green_ms is not None

    def _arrivals(self, now_ms: int) -> None:
        """Those due, and at red those who reach the end of a queue of vehicles 7.5 m apart, less 2 s for braking.

        Of those ahead only who is seen: 8 s at most, and as far as the loop shows where it is sound, or else a feed.
        """
        lead_s, sight_s = 0, self.sight_s or self.feed_sight_s
        noise = self.noise[0 if self.sight_s else (1 if self.feed_sight_s else 2)]
        if self.green_ms is None and self.queue > 0.5:
            lead_s = min(
                max(int(self.queue * JAM_M / self.speed_mps) - 2, 0),
                8,
                sight_s - 1 if sight_s else 8,
            )
        now_s = now_ms // 1000
        passed = sum(self.expected.pop(s) for s in sorted(self.expected) if s < now_s)
        near = sum(veh for s, veh in self.expected.items() if s <= now_s + lead_s)
        came = max(passed + near - self.told, 0.0)
        self.told = max(near, self.told - passed)
        came = came if came > 1e-4 else 0.0
        gone = min(came, self.ahead)
        self.ahead -= gone
        self.queue += came - gone
        self.var += (came - gone) * (noise + self.covered)

    def _leave(self, vehicles: float) -> None:
        """The first ones go; a rest below 1e-4 is nobody.

        Waits fall on a straight line from the head's to the tail's, whose mean is known.
        """
        if vehicles >= self.queue - 1e-4:
            self.queue = self.age_s = self.waited = 0.0
        elif vehicles > 0.0:
            share = vehicles / self.queue
            tail_s = min(max(2.0 * self.waited / self.queue - self.age_s, 0.0), self.age_s)
            last_gone_s = self.age_s + share * (tail_s - self.age_s)
            self.waited = max(self.waited - vehicles * (self.age_s + last_gone_s) / 2, 0.0)
            self.age_s = last_gone_s
            self.queue -= vehicles

    def _counted_departures(self, now_ms: int) -> None:
        """One whenever the loop is free again; one more, once, when it was covered for over 3.25 s of green."""
        total = self.stop.entered - self.stop.on
        freed, self.freed = total - self.freed, total
        left, before = float(freed), self.queue
        if self.stop.on and freed:
            self.paired = 0.0
        if self.green_ms is not None and not self.blocked and (self.stop.on or freed == 1):
            until_ms = now_ms if self.stop.on else self.stop.off_ms
            if until_ms - max(self.stop.on_ms, self.green_ms) > 3250:
                pair = min(1.0, self.queue)
                left += max(pair - self.paired, 0.0)
                self.paired = max(self.paired, pair)
        if not self.stop.on and freed:
            self.paired = 0.0
        self._learn(now_ms, left, self.stop.off_ms if freed else now_ms)
        self.gone += left
        self.left = left
        self.ahead = min(self.ahead + max(left - before, 0.0), 2.0)
        self._leave(left)
        self.var += 0.05 * freed + 0.3 * (left - freed)

    def _learn(self, now_ms: int, left: float, at_ms: int) -> None:
        """Headways from the third of a queue on, unless the loop was free for over 1.7 s, with a memory of 50 vehicles.

        They belong to the cell of the stage, once the lamp shows whether the lane yields as it does in the stage; the
        first after that does not count. A protected lane is not obstructed: over 4 s are no headway. The start-up is
        what the first four took beyond their headways. A yielding head that stood for over 7.5 s until the stage or
        the green ended took that time.
        """
        settled = self.green_ms is not None and self.gives_way == self.yields[self.cell]
        since_ms = max(self.left_ms, self.green_ms or -(10**9))
        following = self.stop.on or self.stop.on_ms - self.left_ms <= 1700
        if self.was_green and (not settled or self.cell != self.last_cell):
            self.is_first = True
            stood_s = min((now_ms - since_ms) / 1000, 60.0)
            if left == 0.0:
                if self.yields[self.last_cell] and self.gone >= 2.0 and self.stop.on:
                    if not self.blocked and stood_s > 7.5:
                        self.served[self.last_cell][1] += stood_s
                self.left_ms = now_ms
            is_counted = False
        else:
            is_counted = not self.is_first
            self.is_first = self.is_first and left == 0.0
        self.last_cell = self.cell
        if settled and left > 0.0 and self.gone >= 2.0 and self.queue > 0.5:
            assert self.green_ms is not None
            took_s = (at_ms - since_ms) / 1000
            is_free = self.gives_way or took_s < 4.0 * left
            if following and since_ms == self.left_ms and is_free and is_counted:
                served = self.served[self.cell]
                served[:] = [0.98 * served[0] + left, 0.98 * served[1] + min(took_s, 60.0)]
            if self.gone < 4.0 <= self.gone + left:
                lost_s = (at_ms - self.green_ms) / 1000 - (self.gone + left) * self.headway_s
                self.start_up_s += 0.1 * (min(max(lost_s, 0.0), 5.0) - self.start_up_s)
        if left > 0.0:
            self.left_ms = at_ms

    def _modelled_departures(self, now_ms: int) -> None:
        self.left = 0.0
        if self.green_ms is not None and now_ms - self.green_ms > 1000 * self.start_up_s:
            self.left = min(self.queue, 1.0 / self.headway_s)
            self.gone += self.left
            self._leave(self.left)
            self.var += 0.5 * self.left
            if self.left > 0.0 and self.queue == 0.0:
                self.var *= 0.5

    def _end_of_queue(self, now_ms: int) -> None:
        """A loop covered for over 3 s is the end of the queue; free for 3 s, or crossed in under 0.9 s, it is not."""
        came, self.seen = self.advance.entered - self.seen, self.advance.entered
        stands = self.advance.on and now_ms - self.advance.on_ms > 3000
        fast = not self.advance.on and came > 0 and self.advance.off_ms - self.advance.on_ms < 900
        if self.covered:
            if self.started_ms is None and not self.advance.on:
                self.started_ms = self.advance.off_ms
            if fast or (not self.advance.on and now_ms - self.advance.off_ms > 3000):
                assert self.started_ms is not None
                took_s = max(self.advance.off_ms - self.started_ms, 0) / 1000
                self.longest_m = self.advance_m + took_s / (1 / 5 + 1 / 8)
                self._give_up_owed(now_ms // 1000)
                self.covered = False
                self.var = min(self.var, 1.0 + 0.1 * self.queue)
        if stands and (not self.covered or self.started_ms is not None):
            self.covered, self.started_ms = True, None
            green_s = 0.0 if self.green_ms is None else (now_ms - self.green_ms) / 1000
            if self.loop_share == 1.0 and (self.green_ms is None or green_s < self.advance_m / 5.0):
                gone = 0.0 if self.green_ms is None else self.gone
                for s in range(now_ms // 1000, now_ms // 1000 + self.sight_s):
                    self.expected.pop(s, None)
                self.owed = self.ahead = self.told = 0.0
                missing = self.advance_m / JAM_M + 1.0 - gone - self.queue
                if missing > 0.0:
                    self.queue += missing
                else:
                    self._leave(-missing)
                self.var = 1.5
        if not self.covered and fast and self.green_ms is None:
            beyond = self.queue - max(self.advance_m / JAM_M - 1.0, 1.0)
            if beyond > 1e-4:
                self._leave(beyond)
                self.var = min(self.var, 1.0)

    def _give_up_owed(self, now_s: int) -> None:
        """Who has not passed by now is not there: the last of the expected go first, then the last of the queue."""
        seen = [s for s in self.expected if now_s <= s < now_s + self.sight_s]
        coming = min(self.owed, max(sum(self.expected[s] for s in seen) - self.told, 0.0))
        self.owed -= coming
        for s in sorted(seen, reverse=True):
            gone = min(coming, self.expected[s])
            self.expected[s] -= gone
            coming -= gone
        self._leave(self.owed)
        self.owed = 0.0

    def _head_of_queue(self, now_ms: int) -> None:
        if self.stop.on:
            stood_s = (now_ms - self.stop.on_ms) / 1000
            if self.queue < 1.0 - 1e-4 and (self.green_ms is not None or stood_s >= 1.0):
                if self.green_ms is not None:
                    self.ahead = min(self.ahead + 1.0 - self.queue, 2.0)
                self.waited += (1.0 - self.queue) * stood_s
                self.queue = 1.0
                self.age_s = max(self.age_s, stood_s)
                self.var = max(min(self.var, 1.0), 0.15)
            return
        if self.green_ms is not None:
            free_ms = now_ms - max(self.stop.off_ms, self.green_ms)
            empty = free_ms >= (10_000 if self.covered else 3000)
            if empty:
                self.ahead = self.owed = 0.0
            late_s = 1.0
        else:
            empty, late_s = now_ms - self.stop.off_ms >= 4000, 4.0
        if empty and self.age_s >= late_s:
            self._leave(self.queue)
            self.ahead = 0.0
            self.var = 0.05

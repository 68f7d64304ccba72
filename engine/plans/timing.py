"""Timing of one junction: stage sequence, cycle and splits of least delay, as the signal machine will show them.

Splits make the worst degree of saturation least (equal saturation, Webster 1958) above minimum greens. The cycle is
searched on HCM delay: Webster's own formula gives cycles that are too long at high flow (Cheng et al., "Modified
Webster's minimum delay cycle length equation", TRR 1844, 2003).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..model.site import Junction
from .approaches import LONGEST_CYCLE_S, lamps_of, new_scratch, tabulate_lanes
from .changes import StageMachine
from .cycle_kernel import GO, STOP, YIELD, equalise_saturation, run_lanes, set_cycle
from .delay import incremental_delay_s, initial_queue_delay_s, webster_cycle_s
from .sequences import candidate_sequences, changes_s, critical_ratio

__all__ = ["CYCLES_S", "STOP_LOSS_S", "Cost", "JunctionTimer", "Timing"]

F64 = npt.NDArray[np.float64]
U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
CYCLES_S = tuple(range(30, 125, 5))
LONG_PROBE_S = 90
KEPT_SEQUENCES = 2
LEAST_HOLD_S = 3
STOP_LOSS_S = 4.0
"""Delay of braking from 50 km/h and starting again, beyond the time stood: v/2 (1/2.6 + 1/4.5) at SUMO's car."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Stages (local indices) held ``hold_s`` s in turn, each followed by a change of ``change_s`` s.

    ``lamps`` (C, G) of the cycle are for the kernel: later than the real ones by the start-up loss.
    """

    stages: tuple[int, ...]
    hold_s: tuple[int, ...]
    change_s: tuple[int, ...]
    lamps: U8

    @property
    def cycle_s(self) -> int:
        """Length of the cycle, s."""
        return len(self.lamps)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a timing costs: delay in veh s per hour, ``saturation`` (L,) and the worst of it, stops per hour."""

    delay: float
    stops: float
    saturation: F64

    @property
    def index(self) -> float:
        """Performance index, veh s per hour: delay, and what each stop loses besides."""
        return self.delay + STOP_LOSS_S * self.stops

    @property
    def worst(self) -> float:
        """Highest degree of saturation."""
        return float(self.saturation.max(initial=0.0))


class JunctionTimer:
    """One junction at one time of day: its lanes with their flows, and the timings that serve them."""

    def __init__(self, machine: StageMachine, flow: F64, queue_veh: F64 | None = None) -> None:
        """``flow`` (G,) in veh/h; ``queue_veh`` (L,) stand there when the time of day begins."""
        junction = machine.junction
        self.junction = junction
        self.lanes, self.volume = tabulate_lanes(junction, flow)
        self.machine = machine
        self._queue_veh = np.zeros(len(junction.lanes)) if queue_veh is None else queue_veh
        self._scratch = new_scratch(self.lanes, len(junction.groups))
        self._stage_lamps = _stage_lamps(junction)
        self._intergreen_s = _intergreens_s(junction)
        self._room = np.zeros((LONGEST_CYCLE_S, len(junction.groups)), np.uint8)

    def timings(self, cycles_s: Iterable[int] = CYCLES_S) -> dict[int, Timing]:
        """The best timing for each cycle that the junction can run, s."""
        wanted = tuple(cycles_s)
        orders = self._best_orders()
        found: dict[int, Timing] = {}
        for cycle_s in wanted:
            options = [option for order in orders if (option := self.fit(order, cycle_s)) is not None]
            ranked = sorted(options, key=lambda option: self.cost(option).index)
            best = next((option for option in ranked if self._is_shown(option)), None)
            if best is not None:
                found[cycle_s] = best
        return found

    def _is_shown(self, timing: Timing) -> bool:
        """Does the signal machine, in its steady state, take the cycle that was reckoned with?"""
        return len(self.machine.cycle(timing.stages, timing.hold_s)) == timing.cycle_s

    def _best_orders(self) -> list[tuple[int, ...]]:
        """The sequences that do best at Webster's cycle or at a long one."""
        orders = candidate_sequences(self.junction, self.lanes)

        def least(order: tuple[int, ...]) -> float:
            probes = (self._webster_s(order), LONG_PROBE_S)
            options = [option for cycle_s in probes if (option := self.fit(order, cycle_s)) is not None]
            return min((self.cost(option).index for option in options), default=np.inf)

        return sorted(orders, key=least)[:KEPT_SEQUENCES]

    def _webster_s(self, order: tuple[int, ...]) -> int:
        """Webster's cycle, to the nearest that is considered."""
        wanted_s = webster_cycle_s(
            changes_s(self.junction, order), critical_ratio(self.junction, self.lanes, order)
        )
        return min(CYCLES_S, key=lambda cycle_s: abs(cycle_s - wanted_s))

    def fit(self, order: tuple[int, ...], cycle_s: int) -> Timing | None:
        """Stages in this order within the cycle, splits at equal saturation; None where minimum greens do not fit."""
        change, ptr = self._change_rows(order)
        least = self._least_holds(order, ptr)
        spare_s = cycle_s - int(ptr[-1]) - int(least.sum())
        if spare_s < 0:
            return None
        hold = least + spare_s // len(order)
        hold[: spare_s % len(order)] += 1
        equalise_saturation(
            self.lanes, self._stage_lamps[list(order)], change, ptr, least, hold, self._room, self._scratch
        )
        return self.timing(order, tuple(int(s) for s in hold))

    def timing(self, order: tuple[int, ...], hold_s: tuple[int, ...]) -> Timing:
        """The timing of stages held for given times."""
        change, ptr = self._change_rows(order)
        hold = np.array(hold_s, np.int64)
        length = set_cycle(self._stage_lamps[list(order)], change, ptr, hold, self._room)
        return Timing(order, hold_s, tuple(int(s) for s in np.diff(ptr)), self._room[:length].copy())

    def cost(self, timing: Timing, arrival: F64 | None = None) -> Cost:
        """What the timing costs with even arrivals, or with ``arrival`` (L, C) veh in each second of the cycle."""
        self.run(timing.lamps, arrival)
        return self.last_cost(timing.cycle_s)

    def run(self, lamps: U8, arrival: F64 | None = None) -> F64:
        """Departures (G, C) of a cycle, veh in each second; a view that the next run overwrites."""
        even = arrival is None
        run_lanes(
            self.lanes,
            lamps,
            len(lamps),
            self._scratch.departed if arrival is None else arrival,
            even,
            self._scratch,
        )
        departed: F64 = self._scratch.departed[:, : len(lamps)]
        return departed

    def lane_delays(self) -> F64:
        """Delay on each lane (L,) in the last run's cycle, veh s."""
        found: F64 = self._scratch.delay / self._scratch.scale
        return found

    def last_cost(self, cycle_s: int) -> Cost:
        """What the last run, through ``cycle_s`` s, cost."""
        per_h = 3600.0 / cycle_s
        scratch, flow_veh_h = self._scratch, 3600.0 * self.lanes.flow
        capacity = scratch.capacity * per_h
        saturation = flow_veh_h / np.maximum(capacity, 1e-3)
        late = [
            incremental_delay_s(x, c) + initial_queue_delay_s(q, x, c)
            for x, c, q in zip(saturation, capacity, self._queue_veh, strict=True)
        ]
        delay = float(self.lane_delays().sum()) * per_h + float(flow_veh_h @ np.array(late))
        return Cost(delay, float((scratch.stops / scratch.scale).sum()) * per_h, saturation)

    def _change_rows(self, order: tuple[int, ...]) -> tuple[U8, I64]:
        """Lamps of the changes after each stage of the order, one after the other, and where each begins."""
        rows = [
            lamps_of(self.machine.change(a, b)) for a, b in zip(order, (*order[1:], order[0]), strict=True)
        ]
        if len(order) == 1:
            rows = [rows[0][:0]]
        ptr = np.concatenate([[0], np.cumsum([len(each) for each in rows])]).astype(np.int64)
        return np.vstack(rows), ptr

    def _least_holds(self, order: tuple[int, ...], ptr: I64) -> I64:
        """Least hold of each stage, s: every green lasts its minimum, every intergreen is over in time."""
        greens = [set(self.junction.stages[i].green) for i in order]
        change_s = np.diff(ptr)
        least = np.full(len(order), LEAST_HOLD_S, np.int64)
        for _ in range(2):
            for end in range(len(order)):
                for number in greens[end] - greens[(end + 1) % len(order)]:
                    least_s = -(-self.junction.groups[number - 1].min_green_ms // 1000)
                    _lengthen_green(least, greens, change_s, end, number, least_s)
                    self._lengthen_clearance(least, greens, change_s, end, number)
        return least

    def _lengthen_clearance(
        self, least: I64, greens: list[set[int]], change_s: I64, end: int, number: int
    ) -> None:
        """Lengthen the stages between the end of a group and the start of those that must wait for it."""
        gone_s = int(change_s[end])
        for later in range(2, len(least)):
            before = (end + later - 1) % len(least)
            gone_s += int(least[before])
            starts = greens[(before + 1) % len(least)] - greens[before]
            wait_s = max((self._intergreen_s.get((number, other), 0) for other in starts), default=0)
            if wait_s > gone_s:
                least[before] += wait_s - gone_s
                gone_s = wait_s
            gone_s += int(change_s[before])


def _lengthen_green(
    least: I64, greens: list[set[int]], change_s: I64, end: int, number: int, min_green_s: int
) -> None:
    """Lengthen the stage at ``end``, with which the green of a group ends, until that green is long enough."""
    shown_s = 0
    for back in range(len(least)):
        k = (end - back) % len(least)
        if number not in greens[k]:
            break
        shown_s += int(least[k]) + (int(change_s[k]) if back else 0)
    least[end] += max(0, min_green_s - shown_s)


def _stage_lamps(junction: Junction) -> U8:
    """Lamps (S, G) of every stage."""
    lamps = np.full((len(junction.stages), len(junction.groups)), STOP, np.uint8)
    for row, stage in enumerate(junction.stages):
        for number in stage.green:
            lamps[row, number - 1] = YIELD if number in stage.permissive else GO
    return lamps


def _intergreens_s(junction: Junction) -> dict[tuple[int, int], int]:
    there = {(m.first, m.second): -(-m.intergreen_ms // 1000) for m in junction.meetings}
    return there | {(m.second, m.first): -(-m.reverse_ms // 1000) for m in junction.meetings}

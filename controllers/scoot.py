"""SCOOT-like control: split, offset and cycle move in small steps, on cyclic flow profiles measured by loops.

Three optimisers (Hunt, Robertson, Bretherton and Winton, "SCOOT: a traffic responsive method of coordinating
signals", TRL LR1014, 1981). Shortly before a turn ends its end is moved by 4 s either way, or not, so that the worst
degree of saturation is least; 1 s of it lasts. Once a cycle each junction's offset is moved by 4 s either way, or
not, so that delay and stops on the links around it are least. Every few minutes each region's cycle goes a step up or
down, so that the worst junction stays at 90 % and delay is least; junctions that lose less so run half of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import FORCE_OFF
from greensplit.engine.kernels.estimation.discharge import LEAST_HEADWAY_S, PRIOR_HEADWAY_S
from greensplit.engine.loop import View
from greensplit.engine.model.site import Site
from greensplit.engine.model.upstream import compile_links
from greensplit.engine.plans.delay import incremental_delay_s

from .choice import may_choose
from .rotation import MOST_CYCLE_MS, Rotation
from .scoot_profiles import Profiles, profile_cost
from .turns import Turns, share_out

__all__ = [
    "Config",
    "Scoot",
    "best_move_ms",
    "best_shift_s",
    "capacity_per_s",
    "cycle_step_ms",
    "lane_delay_s",
    "leave_profile",
]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Stream = tuple[F64, F64]
"""Of a lane, who comes and who may leave in each second of the cycle, vehicles."""
JUDGE_MS = 5000
SPLIT_STEP_MS = 4000
LASTING_MS = 1000
OFFSET_STEP_S = 4
STOP_S = 4.0
IDEAL_SATURATION = 0.9
CYCLE_PERIOD_MS = 300_000
RISING_PERIOD_MS = 150_000
START_UP_S = 2
HALF_SATURATION = 0.8
"""Below this a junction may begin to run half the cycle."""
ANALYSIS_H = 0.25
CONGESTED = 1.2
LEAST_RED = 0.2
REASONS = ("", "its turn has ended", "its turn lasts")


@dataclass(frozen=True, slots=True)
class Config:
    """Times in ms."""

    period_ms: int = 1000
    min_green_ms: int = 5000


class Scoot:
    """Fixed order of stages; lengths, offsets and cycles follow the profiles."""

    def __init__(self, config: Config, site: Site) -> None:
        self._config = config
        self._site = site
        self._rotation: Rotation | None = None

    def _set_up(self, view: View) -> Rotation:
        config, detection = self._config, view.detection
        found = Rotation(self._site, view.signals, detection, config.min_green_ms, view.now_ms)
        self._profiles = Profiles(detection, found.region)
        count = len(found.position)
        self._lanes = [
            slice(int(detection.lane_ptr[j]), int(detection.lane_ptr[j + 1])) for j in range(count)
        ]
        self._judged = np.zeros(count, np.bool_)
        self._fed = self._downstream(count)
        self._cycle_due_ms = np.full(len(found.number), view.now_ms + CYCLE_PERIOD_MS, np.int64)
        self._cycle_s = [int(found.cycle_ms(r)) // 1000 for r in range(len(found.number))]
        self._lane_junction = np.repeat(np.arange(count), np.diff(detection.lane_ptr))
        return found

    def _downstream(self, count: int) -> list[list[int]]:
        """Lanes of other junctions that each junction feeds."""
        links = compile_links(self._site)
        owner = [j for j, junction in enumerate(self._site.junctions) for _ in junction.lanes]
        found: list[set[int]] = [set() for _ in range(count)]
        for lane, target in enumerate(owner):
            for source in links.feed_source[links.feed_ptr[lane] : links.feed_ptr[lane + 1]]:
                origin = int(links.source_junction[source])
                if origin != target:
                    found[origin].add(lane)
        return [sorted(lanes) for lanes in found]

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        """See ``greensplit.engine.loop.Controller``."""
        if self._rotation is None:
            self._rotation = self._set_up(view)
        rotation = self._rotation
        for region in rotation.keep_time(view.now_ms):
            cycle_s = int(rotation.cycle_ms(region)) // 1000
            self._profiles.resize(region, self._cycle_s[region], cycle_s)
            self._cycle_s[region] = cycle_s
        self._profiles.count(view, rotation)
        for due in np.flatnonzero(view.now_ms >= self._cycle_due_ms):
            self._set_cycle(view, rotation, int(due))
        for j in np.flatnonzero(~self._judged & (view.now_ms >= rotation.end_ms - JUDGE_MS)):
            self._judged[j] = True
            self._set_split(view, rotation, int(j))
        ready = may_choose(view, self._config.min_green_ms)
        for j in np.flatnonzero(ready & (view.now_ms >= rotation.end_ms)):
            self._go_on(view, rotation, int(j))
        request[:] = [rotation.stage(j) for j in range(len(request))]
        cause.fill(FORCE_OFF)
        self._explain(view, ready, request, log)
        return view.now_ms + self._config.period_ms

    def _explain(
        self, view: View, ready: npt.NDArray[np.bool_], request: npt.NDArray[np.int32], log: DecisionLog
    ) -> None:
        """Stages follow the turns: no stage is weighed against another."""
        log.declare("none: stages in turn", lower_is_better=True)
        value = np.full(len(view.signals.stage_deployed), np.nan)
        changes = request != view.machine.stage
        log.note(view, request, value, REASONS, np.where(changes, 1, 2).astype(np.uint8), ready | changes)

    def _go_on(self, view: View, rotation: Rotation, j: int) -> None:
        """To the next turn that is called; in the longest turn the offset is set."""
        if rotation.go_on(view, j):
            self._judged[j] = False
            if rotation.position[j] == int(np.argmax(rotation.length_ms[j])):
                self._set_offset(view, rotation, j)

    def _rate(self, view: View, rotation: Rotation, j: int) -> F64:
        """Vehicles per s (L, n) that a lane discharges in each turn while it is open: at most as the loops show."""
        discharge, lanes, turns = view.traffic.discharge, self._lanes[j], rotation.turns[j]
        known = discharge.stage_cell[discharge.stage_ptr[lanes][:, None] + turns.stage]
        cells = discharge.cell_ptr[lanes][:, None] + known
        took_s = discharge.served_s[cells] / np.maximum(discharge.served_veh[cells], 0.1)
        found: F64 = np.minimum(1.0 / np.maximum(took_s, LEAST_HEADWAY_S), turns.flows / PRIOR_HEADWAY_S)
        return found

    def _demand(self, view: View, rotation: Rotation, j: int) -> F64:
        """Vehicles per s (L,) that want to use the junction's lanes.

        Behind a queue that stands over the loop no more are counted than leave: how much of the red it stands there
        tells how much more they are than that.
        """
        lanes, length_ms = self._lanes[j], rotation.length_ms[j]
        red = 1.0 - rotation.turns[j].green_ms(length_ms).sum(axis=1) / length_ms.sum()
        standing = np.minimum(self._profiles.covered[lanes] / np.maximum(red, LEAST_RED), 1.0)
        hidden = (
            CONGESTED * standing * capacity_per_s(rotation.turns[j], length_ms, self._rate(view, rotation, j))
        )
        found: F64 = np.maximum(self._profiles.flow(lanes, self._cycle_s[rotation.region[j]]), hidden)
        return found

    def _set_split(self, view: View, rotation: Rotation, j: int) -> None:
        """Move the end of the turn to where the worst degree of saturation is least."""
        step_ms = best_move_ms(
            rotation.turns[j],
            rotation.length_ms[j],
            int(rotation.position[j]),
            self._demand(view, rotation, j),
            self._rate(view, rotation, j),
        )
        if step_ms:
            rotation.move_end(j, step_ms, LASTING_MS if step_ms > 0 else -LASTING_MS)

    def _set_offset(self, view: View, rotation: Rotation, j: int) -> None:
        """Move the offset to where delay and stops on the lanes of the junction and behind it are least."""
        region = int(rotation.region[j])
        cycle_s = self._cycle_s[region]
        own = range(self._lanes[j].start, self._lanes[j].stop)
        fed = [lane for lane in self._fed[j] if self._profiles.lane_region[lane] == region]

        def streams(lanes: Iterable[int]) -> list[Stream]:
            come = self._profiles.come
            return [(come[lane], self._leave(view, rotation, lane, cycle_s)) for lane in lanes]

        shift_s = best_shift_s(streams(own), streams(fed), cycle_s)
        if shift_s:
            rotation.shift(j, 1000 * shift_s)

    def _leave(self, view: View, rotation: Rotation, lane: int, cycle_s: int) -> F64:
        """Vehicles that may leave a lane in each second of the region's cycle."""
        j = int(self._lane_junction[lane])
        row = lane - self._lanes[j].start
        rate = self._rate(view, rotation, j)[row]
        return leave_profile(
            rotation.turns[j], row, rotation.length_ms[j], rate, rotation.offset_ms(j), cycle_s
        )

    def _set_cycle(self, view: View, rotation: Rotation, region: int) -> None:
        """A step up or down for a region, and who runs half of it."""
        now_ms = rotation.coming_cycle_ms(region)
        step_ms = cycle_step_ms(now_ms)
        least_ms = int(rotation.least_cycle_ms[region])
        members = np.flatnonzero(rotation.region == region)
        options = {}
        for wanted_ms in (now_ms, now_ms - step_ms, now_ms + step_ms):
            cycle_ms = max(least_ms, min(wanted_ms, MOST_CYCLE_MS))
            options[cycle_ms] = [self._judge_cycle(view, rotation, int(j), cycle_ms) for j in members]
        fit = {c: each for c, each in options.items() if max(x for _, x, _ in each) <= IDEAL_SATURATION}
        best_ms = min(fit, key=lambda c: sum(cost for cost, _, _ in fit[c])) if fit else max(options)
        rotation.halved[members] = [half for _, _, half in options[best_ms]]
        period_ms = RISING_PERIOD_MS if best_ms > now_ms else CYCLE_PERIOD_MS
        self._cycle_due_ms[region] = view.now_ms + period_ms
        rotation.announce(region, best_ms)

    def _judge_cycle(
        self, view: View, rotation: Rotation, j: int, cycle_ms: int
    ) -> tuple[float, float, bool]:
        """Delay, veh s per s, and worst saturation of a junction, and whether half the cycle is better.

        A junction without others in its region has a cycle of its own and needs no half of it.
        """
        cost, worst = self._try_cycle(view, rotation, j, cycle_ms)
        has_others = np.count_nonzero(rotation.region == rotation.region[j]) > 1
        if has_others and rotation.turns[j].least_ms.sum() <= cycle_ms // 2:
            half_cost, half_worst = self._try_cycle(view, rotation, j, cycle_ms // 2)
            most = IDEAL_SATURATION if rotation.halved[j] else HALF_SATURATION
            if half_worst <= most and half_cost < cost:
                return half_cost, half_worst, True
        return cost, worst, False

    def _try_cycle(self, view: View, rotation: Rotation, j: int, cycle_ms: int) -> tuple[float, float]:
        turns = rotation.turns[j]
        length_ms = share_out(rotation.length_ms[j], turns.least_ms, cycle_ms)
        demand = self._demand(view, rotation, j)
        capacity = capacity_per_s(turns, length_ms, self._rate(view, rotation, j))
        saturation = _ratio(demand, capacity)
        share = np.minimum(turns.green_ms(length_ms).sum(axis=1) / length_ms.sum(), 1.0)
        cost = sum(
            q * lane_delay_s(cycle_ms / 1000.0, g, x, c)
            for q, g, x, c in zip(demand, share, saturation, capacity, strict=True)
            if g > 0.0
        )
        return float(cost), float(saturation.max(initial=0.0))


def capacity_per_s(turns: Turns, length_ms: I64, rate: F64) -> F64:
    """Vehicles per s (L,) through turns of this length at ``rate`` (L, n) while open; 0 where a lane never is."""
    found: F64 = (turns.green_ms(length_ms) * rate).sum(axis=1) / length_ms.sum()
    return found


def _ratio(demand: F64, capacity: F64) -> F64:
    """Degree of saturation; 0 where there is no capacity."""
    found: F64 = np.divide(demand, capacity, out=np.zeros(len(demand)), where=capacity > 0.0)
    return found


def best_move_ms(turns: Turns, length_ms: I64, here: int, demand: F64, rate: F64) -> int:
    """By how much the end of the turn ``here`` moves so that the worst saturation is least; of equals, not at all.

    ``demand`` (L,) in vehicles per s, ``rate`` (L, n). No turn falls below its least.
    """
    onward = (here + 1) % len(length_ms)
    best_ms, worst = 0, np.inf
    for step_ms in (0, -SPLIT_STEP_MS, SPLIT_STEP_MS):
        trial_ms = length_ms.copy()
        trial_ms[here] += step_ms
        trial_ms[onward] -= step_ms
        if step_ms and (trial_ms < turns.least_ms)[[here, onward]].any():
            continue
        found = float(_ratio(demand, capacity_per_s(turns, trial_ms, rate)).max(initial=0.0))
        if found < worst - 1e-9:
            best_ms, worst = step_ms, found
    return best_ms


def best_shift_s(own: list[Stream], fed: list[Stream], cycle_s: int) -> int:
    """By how much a junction's greens move so that delay and stops around it are least; of equals, not at all.

    To its ``own`` lanes everybody comes earlier by that, to those that it has ``fed`` later.
    """

    def cost(shift_s: int) -> float:
        here = sum(profile_cost(come, -shift_s, leave, cycle_s, STOP_S) for come, leave in own)
        return here + sum(profile_cost(come, shift_s, leave, cycle_s, STOP_S) for come, leave in fed)

    return min((0, -OFFSET_STEP_S, OFFSET_STEP_S), key=cost)


def leave_profile(turns: Turns, row: int, length_ms: I64, rate: F64, offset_ms: int, cycle_s: int) -> F64:
    """Vehicles that may leave lane ``row`` in each second of a region's cycle; ``rate`` (n,) while it is open.

    The junction's cycle, of which the region's may hold two, begins at ``offset_ms``; greens act START_UP_S later.
    """
    ends_s = np.cumsum(length_ms) / 1000.0
    into_s = (np.arange(cycle_s) - offset_ms / 1000.0 - START_UP_S) % ends_s[-1]
    turn = np.minimum(np.searchsorted(ends_s, into_s, side="right"), len(ends_s) - 1)
    since_s = into_s - (ends_s - length_ms / 1000.0)[turn]
    is_changing = turns.starts[row, turn] & (since_s < turns.change_ms[turn] / 1000.0)
    found: F64 = np.where(is_changing, 0.0, rate[turn])
    return found


def cycle_step_ms(cycle_ms: int) -> int:
    """By how much a cycle goes up or down."""
    return 4000 if cycle_ms < 64_000 else 8000 if cycle_ms < 128_000 else 16_000


def lane_delay_s(cycle_s: float, green_share: float, saturation: float, capacity_veh_per_s: float) -> float:
    """Mean delay: of even arrivals (Webster) and of chance and overflow (HCM d2), s per vehicle."""
    even = 0.5 * cycle_s * (1.0 - green_share) ** 2 / (1.0 - min(saturation, 1.0) * min(green_share, 0.99))
    return even + incremental_delay_s(saturation, 3600.0 * capacity_veh_per_s, ANALYSIS_H)

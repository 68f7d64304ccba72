"""SCATS-like control: cycle, splits and offsets once a cycle, from how full the greens were at the stop line.

Strategic (Lowrie, "SCATS: a traffic adaptive method of controlling urban traffic", 1990): the degree of saturation is
the share of its green that a lane used. Each subsystem moves its cycle by up to 6 s towards a saturation of 90 % on its
worst lane. Each junction votes for the split, among those that move SPLIT_SHARE of the cycle from one turn to another,
whose projected worst saturation is least; two votes of three install it. Subsystems whose cycles differ little marry:
they run the longest of their cycles, with offsets for the direction in which most vehicles go; others run alone.
Tactical: a turn that finds no more vehicles ends, one that nobody called is passed over, and the first turn, the
stretch, gets what is left.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import FORCE_OFF, GAP_OUT
from greensplit.engine.loop import View
from greensplit.engine.model.site import Site

from .choice import may_choose
from .rotation import MOST_CYCLE_MS, Rotation
from .scats_loops import StopLines
from .scats_offsets import LinkPlans
from .turns import Turns

__all__ = ["Config", "Scats", "best_split", "next_cycle_ms"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
IDEAL_SATURATION = 0.9
MOST_STEP_MS = 6000
LEAST_CYCLE_MS = 60_000
SPLIT_SHARE = 0.04
VOTES = 3
NEEDED_VOTES = 2
MEMORY = 0.4
GAP_MS = 3000
MARRIED_MS = 9000
OFFSET_SHARE = 6
"""An offset moves by at most this part of a cycle, one in OFFSET_SHARE, in each."""
FEW_VEH = 2.0
LINK_PERIOD_MS = 300_000
REASONS = ("", "its turn has ended", "its turn lasts", "no more vehicles in its turn")


@dataclass(frozen=True, slots=True)
class Config:
    """Times in ms."""

    period_ms: int = 1000
    min_green_ms: int = 5000


class Scats:
    """Fixed order of stages; turns end at their time or, but for the first, at a gap."""

    def __init__(self, config: Config, site: Site) -> None:
        self._config = config
        self._site = site
        self._rotation: Rotation | None = None

    def _set_up(self, view: View) -> Rotation:
        found = Rotation(self._site, view.signals, view.detection, self._config.min_green_ms, view.now_ms)
        count = len(found.position)
        ptr = view.detection.lane_ptr
        self._lanes = [slice(int(ptr[j]), int(ptr[j + 1])) for j in range(count)]
        self._stop_lines = StopLines(view.signals, view.detection)
        self._saturation = [np.full(len(turns.flows), np.nan) for turns in found.turns]
        self._votes: list[deque[tuple[int, int]]] = [deque(maxlen=VOTES) for _ in range(count)]
        self._wanted_ms = np.array([length.sum() for length in found.length_ms], np.int64)
        self._links = LinkPlans(self._site, found)
        self._links_due_ms = view.now_ms + LINK_PERIOD_MS
        self._seen_ms = view.now_ms
        return found

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        """See ``greensplit.engine.loop.Controller``."""
        if self._rotation is None:
            self._rotation = self._set_up(view)
        rotation = self._rotation
        self._stop_lines.watch(view, (view.now_ms - self._seen_ms) / 1000.0)
        self._seen_ms = view.now_ms
        rotation.keep_time(view.now_ms)
        if view.now_ms >= self._links_due_ms:
            self._links_due_ms += LINK_PERIOD_MS
            self._links.choose(rotation)
        cause.fill(FORCE_OFF)
        end_cycle = partial(self._end_cycle, rotation)
        ready = may_choose(view, self._config.min_green_ms)
        for j in np.flatnonzero(ready):
            is_over = view.now_ms >= rotation.end_ms[j]
            if is_over or self._has_gap(view, rotation, int(j)):
                cause[j] = FORCE_OFF if is_over else GAP_OUT
                rotation.go_on(view, int(j), end_cycle)
        request[:] = [rotation.stage(j) for j in range(len(request))]
        self._explain(view, ready, request, cause, log)
        return view.now_ms + self._config.period_ms

    def _explain(
        self,
        view: View,
        ready: npt.NDArray[np.bool_],
        request: npt.NDArray[np.int32],
        cause: npt.NDArray[np.uint8],
        log: DecisionLog,
    ) -> None:
        """Stages follow the turns: no stage is weighed against another."""
        log.declare("none: stages in turn", lower_is_better=True)
        value = np.full(len(view.signals.stage_deployed), np.nan)
        changes = request != view.machine.stage
        rule = np.where(changes, np.where(cause == GAP_OUT, 3, 1), 2).astype(np.uint8)
        log.note(view, request, value, REASONS, rule, ready | changes)

    def _has_gap(self, view: View, rotation: Rotation, j: int) -> bool:
        """Has nobody crossed the loops of the lanes that the turn closes for a while? Never in the stretch turn."""
        turn, turns = int(rotation.position[j]), rotation.turns[j]
        if turn == 0 or turns.walks[turn]:
            return False
        closes = (turns.flows[:, turn] > 0.0) & (turns.flows[:, rotation.next_turn(j)] < turns.flows[:, turn])
        stop = view.detection.stop_bar[self._lanes[j]][closes]
        if not len(stop) or (stop < 0).any():
            return False
        quiet = (view.detectors.on[stop] == 0) & (view.now_ms - view.detectors.off_ms[stop] >= GAP_MS)
        return bool(quiet.all())

    def _end_cycle(self, rotation: Rotation, j: int) -> None:
        """Saturation of the cycle that ends; split, cycle and offset of the next."""
        turns, lanes = rotation.turns[j], self._lanes[j]
        used_s, green_s, vehicles = self._stop_lines.take(lanes)
        planned_s = turns.green_ms(rotation.length_ms[j]).sum(axis=1) / 1000.0
        found = used_s / np.maximum(np.maximum(planned_s, green_s), 1.0)
        found[vehicles < FEW_VEH] = np.minimum(found[vehicles < FEW_VEH], IDEAL_SATURATION)
        old = self._saturation[j]
        self._saturation[j] = np.where(np.isnan(old), found, old + MEMORY * (found - old))
        self._links.count(lanes, vehicles, float(rotation.length_ms[j].sum()))
        self._vote(rotation, j)
        least_ms = max(int(turns.least_ms.sum()), LEAST_CYCLE_MS)
        worst = float(self._saturation[j].max(initial=0.0))
        self._wanted_ms[j] = next_cycle_ms(int(self._wanted_ms[j]), worst, least_ms)
        self._marry(rotation, j)

    def _vote(self, rotation: Rotation, j: int) -> None:
        """Vote for a split; NEEDED_VOTES of VOTES install it."""
        turns, length_ms = rotation.turns[j], rotation.length_ms[j]
        vote = best_split(turns, length_ms, self._saturation[j])
        votes = self._votes[j]
        votes.append(vote)
        giver, taker = vote
        if giver != taker and votes.count(vote) >= NEEDED_VOTES:
            step_ms = int(SPLIT_SHARE * length_ms.sum())
            length_ms[giver] -= step_ms
            length_ms[taker] += step_ms
            votes.clear()

    def _marry(self, rotation: Rotation, j: int) -> None:
        """The region's cycle and the offset in it, or the junction's own."""
        region = int(rotation.region[j])
        members = rotation.region == region
        longest_ms = int(self._wanted_ms[members].max())
        rotation.announce(region, longest_ms)
        common_ms = rotation.cycle_ms(region)
        if np.count_nonzero(members) == 1 or common_ms - self._wanted_ms[j] > MARRIED_MS:
            rotation.own_cycle_ms[j] = self._wanted_ms[j]
            return
        ends_ms = int(rotation.begun_ms[j] + rotation.length_ms[j].sum())
        begin_ms = int(rotation.base_ms[region] + self._links.offset_ms[j])
        late_ms = (begin_ms - ends_ms) % common_ms
        if late_ms > common_ms // 2:
            late_ms -= common_ms
        most_ms = common_ms // OFFSET_SHARE
        rotation.own_cycle_ms[j] = common_ms + max(-most_ms, min(late_ms, most_ms))


def next_cycle_ms(cycle_ms: int, saturation: float, least_ms: int) -> int:
    """A cycle nearer to that in which the worst lane would use IDEAL_SATURATION of its green."""
    wanted_ms = cycle_ms * saturation / IDEAL_SATURATION
    step_ms = max(-MOST_STEP_MS, min(round(wanted_ms - cycle_ms), MOST_STEP_MS))
    return max(least_ms, min(cycle_ms + step_ms, max(MOST_CYCLE_MS, least_ms)))


def best_split(turns: Turns, length_ms: I64, saturation: F64) -> tuple[int, int]:
    """Giver and taker of SPLIT_SHARE of the cycle that make the projected worst saturation (L,) least; equal: none."""
    step_ms = int(SPLIT_SHARE * length_ms.sum())
    green_ms = turns.green_ms(length_ms).sum(axis=1)
    best, worst = (0, 0), float(saturation.max(initial=0.0))
    for giver in range(len(length_ms)):
        if length_ms[giver] - step_ms < turns.least_ms[giver]:
            continue
        for taker in range(len(length_ms)):
            trial_ms = length_ms.copy()
            trial_ms[giver] -= step_ms
            trial_ms[taker] += step_ms
            after_ms = np.maximum(turns.green_ms(trial_ms).sum(axis=1), 1.0)
            found = float((saturation * green_ms / after_ms).max(initial=0.0))
            if found < worst - 1e-9:
                best, worst = (giver, taker), found
    return best

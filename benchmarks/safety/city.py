"""A city under test: signal machine, interlock and judge side by side, and everything that is found wrong.

*Obedient*: a sound machine under hostile controllers. Nothing may be unsafe, nothing refused, no promise to the
controllers broken, and whatever is asked for steadily must come. *Sabotaged*: a machine with spoilt tables and
scrambled lamps. The interlock must refuse exactly what the judge objects to, and what is shown must be safe.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.interlock import check_lamps
from greensplit.engine.kernels.machine import advance_machine
from greensplit.engine.kernels.state import Machine, new_faults, new_lamps, new_machine
from greensplit.engine.model.compiled import Signals, compile_rules, compile_signals
from greensplit.engine.model.site import Site

from .hostile import Orders, calm_orders, hostile_orders, sabotage, scramble, tick_lengths
from .judge import OBJECTIONS, judge_lamps, judge_release, keep_notes, new_notes, open_book, starts_despite
from .promises import Promises

__all__ = ["Guard", "run_obedient", "run_sabotaged"]

HOSTILE_TICKS: Final = 1000
HELD_BACK_MS: Final = 60_000
CALM_MS: Final = 240_000
CALM_TICK_MS: Final = 1000
RELEASE_MS: Final = 120_000
ALL_GROUPS: Final = -1


class Guard:
    """The interlock of a city, and the judge who looks at what it is offered and at what it shows."""

    def __init__(self, site: Site) -> None:
        self.rules = compile_rules(site)
        self.book = open_book(site)
        self.notes = new_notes(self.book)
        junctions = len(site.junctions)
        self.lamps = new_lamps(len(self.book.least_green_ms))
        self.faults = new_faults(junctions)
        self.released = np.zeros(junctions, np.uint8)
        self.tally = np.zeros((junctions, len(OBJECTIONS)), np.int64)
        self.refusals = 0
        self.found: Counter[str] = Counter()
        self._refused_ms = np.zeros(junctions, np.int64)
        self._nobody = np.zeros(junctions, np.uint8)

    def show(self, proposed: npt.NDArray[np.uint8], now_ms: int, *, compare: bool) -> None:
        """One tick. ``compare`` the refusals with the judge's opinion of what is proposed."""
        latched = self.faults.code != 0
        wrong = np.zeros_like(self.tally)
        if compare:
            judge_lamps(self.book, self.notes, proposed, self._nobody, now_ms, wrong)
        check_lamps(self.rules, self.lamps, self.faults, proposed, self.released, now_ms, False)
        refused = (self.faults.code != 0) & ~latched
        self.refusals += int(refused.sum())
        if compare:
            is_wrong = wrong.any(axis=1)
            self.found["unsafe proposal accepted"] += int((is_wrong & ~refused & ~latched).sum())
            self.found["safe proposal refused"] += int((refused & ~is_wrong).sum())
        self._judge_shown(latched, refused, now_ms)

    def _judge_shown(
        self, latched: npt.NDArray[np.bool_], refused: npt.NDArray[np.bool_], now_ms: int
    ) -> None:
        retreats = (self.faults.code != 0).astype(np.uint8)
        shown = self.lamps.aspect
        judge_lamps(self.book, self.notes, shown, retreats, now_ms, self.tally)
        if latched.any() or refused.any():
            barred = np.where(latched | refused, ALL_GROUPS, 0)
            starts = starts_despite(self.book, self.notes.shown, shown, barred)
            self.found["start after a refusal"] += starts
            self.found["refusal forgotten"] += int((latched & (retreats == 0)).sum())
            self._refused_ms[refused] = now_ms
            late = latched & (self.released == 0) & (now_ms - self._refused_ms > RELEASE_MS)
            self.found["never released"] += int(late.sum())
            self.found["fault without its time"] += int((refused & (self.faults.at_ms != now_ms)).sum())
        keep_notes(self.notes, shown, now_ms)
        judge_release(self.book, self.notes, self.released, now_ms, self.tally)
        self.found["released without a refusal"] += int(((self.released != 0) & (retreats == 0)).sum())

    def objections(self) -> Counter[str]:
        """What the judge said about the lamps shown, and what else was wrong; empty when all is well."""
        said = dict(zip(OBJECTIONS, self.tally.sum(axis=0).tolist(), strict=True))
        return +(Counter(said) + self.found)

    def restart(self, junction: int) -> None:
        """Let a released junction start again."""
        self.faults.code[junction] = 0
        self.released[junction] = 0


def run_obedient(site: Site, seed: int, ticks: int, *, first_only: bool = False) -> tuple[Counter[str], int]:
    """What was found wrong, and how many junction-ticks were run (at least ``ticks`` ticks).

    ``first_only`` ends at the first finding.
    """
    rng = np.random.default_rng(seed)
    signals, guard = compile_signals(site), Guard(site)
    machine = new_machine(signals)
    promises = Promises(site, guard.book)
    now_ms = done = 0
    while done < ticks and not (first_only and _found(guard, promises)):
        steps_ms = tick_lengths(rng, HOSTILE_TICKS)
        for orders, step_ms in zip(
            hostile_orders(rng, signals, len(steps_ms)), steps_ms.tolist(), strict=True
        ):
            _tick(signals, machine, guard, promises, orders, now_ms)
            now_ms += step_ms
            done += 1
            if first_only and _found(guard, promises):
                break
        orders = calm_orders(rng, signals)
        for calm, until_ms in ((orders, now_ms + HELD_BACK_MS), (orders.unhindered(), now_ms + CALM_MS)):
            while now_ms < until_ms:
                _tick(signals, machine, guard, promises, calm, now_ms)
                now_ms += CALM_TICK_MS
                done += 1
        promises.expect(orders.request, guard.lamps.aspect)
    return _found(guard, promises), done * len(site.junctions)


def _tick(
    signals: Signals, machine: Machine, guard: Guard, promises: Promises, orders: Orders, now_ms: int
) -> None:
    promises.before(machine)
    _advance(signals, machine, orders, now_ms)
    promises.after(machine, orders, now_ms)
    guard.show(machine.lamps.aspect, now_ms, compare=False)


def _advance(signals: Signals, machine: Machine, orders: Orders, now_ms: int) -> None:
    advance_machine(signals, machine, orders.request, orders.withheld, orders.urgent, now_ms)


def _renew(signals: Signals, machine: Machine, fresh: Machine, j: int) -> None:
    """A machine that has just been switched on, for one junction."""
    first, last = signals.group_ptr[j], signals.group_ptr[j + 1]
    groups = len(signals.min_green_ms)
    for mine, new in zip(_arrays(machine), _arrays(fresh), strict=True):
        rows = slice(first, last) if len(mine) == groups else slice(j, j + 1)
        mine[rows] = new[rows]


def _arrays(machine: Machine) -> list[npt.NDArray[Any]]:
    return [*machine.lamps, *(part for part in machine if isinstance(part, np.ndarray))]


def _found(guard: Guard, promises: Promises) -> Counter[str]:
    refused = Counter({"safe proposal refused": guard.refusals})
    return +(guard.objections() + promises.broken + refused)


def run_sabotaged(
    site: Site, seed: int, ticks: int, *, first_only: bool = False
) -> tuple[Counter[str], int, int]:
    """What was found wrong, how many junction-ticks were run and how many proposals were refused."""
    rng = np.random.default_rng(seed)
    guard = Guard(site)
    signals = sabotage(rng, compile_signals(site))
    machine, fresh = new_machine(signals), new_machine(signals)
    now_ms = done = 0
    while done < ticks:
        steps_ms = tick_lengths(rng, min(HOSTILE_TICKS, ticks - done))
        for orders, step_ms in zip(
            hostile_orders(rng, signals, len(steps_ms)), steps_ms.tolist(), strict=True
        ):
            _advance(signals, machine, orders, now_ms)
            proposed = machine.lamps.aspect.copy()
            scramble(rng, signals, proposed)
            guard.show(proposed, now_ms, compare=True)
            for junction in np.flatnonzero(guard.released).tolist():
                guard.restart(junction)
                _renew(signals, machine, fresh, junction)
            now_ms += step_ms
            done += 1
            if first_only and guard.objections():
                return guard.objections(), done * len(site.junctions), guard.refusals
    return guard.objections(), done * len(site.junctions), guard.refusals

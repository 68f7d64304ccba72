"""What the signal machine promises to controllers beyond safety, checked from outside in every tick.

Nobody starts who is withheld, or before the red after power-up and after flash is over. An urgent request is taken at
once (red-amber is finished first), another one only when it breaks nothing off, nonsense never. A countdown that is
shown runs to its end unless an urgent request breaks it off. And what is asked for steadily is shown in the end.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.machine import ALL_RED, FLASH, IN_FLASH, IN_RED, IN_STAGE
from greensplit.engine.kernels.state import NEVER_MS, Machine
from greensplit.engine.model.aspects import DARK, GREEN, PERMISSIVE, RED, RED_AMBER
from greensplit.engine.model.site import Site

from .hostile import Orders
from .judge import Book, starts_despite

__all__ = ["Promises"]

EVERYBODY = -1

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]


class Promises:
    """Call ``before`` and ``after`` each advance of the machine; ``broken`` counts what was not kept."""

    def __init__(self, site: Site, book: Book) -> None:
        self.broken: Counter[str] = Counter()
        self._book = book
        groups = [group for junction in site.junctions for group in junction.groups]
        self._junction = np.repeat(np.arange(len(site.junctions)), np.diff(book.group_ptr))
        self._bit = np.int64(1) << (np.arange(len(groups)) - book.group_ptr[self._junction])
        self._stages = np.array([len(junction.stages) for junction in site.junctions], np.int64)
        self._first_stage = np.cumsum(self._stages) - self._stages
        self._greens = _masks([stage.green for junction in site.junctions for stage in junction.stages])
        self._waits = _masks([stage.permissive for junction in site.junctions for stage in junction.stages])
        self._countdown_ms = np.array([group.commit_ms for group in groups], np.int64)
        self._start_red_ms = np.array([junction.start_red_ms for junction in site.junctions], np.int64)
        self._red_from_ms: I64 | None = None
        self._announced_ms = np.full(len(groups), NEVER_MS, np.int64)
        self._in_hurry = np.zeros(len(groups), np.bool_)

    def before(self, machine: Machine) -> None:
        """Remember where the machine is."""
        self._shown = machine.lamps.aspect.copy()
        self._ends_ms = machine.ends_ms.copy()
        self._stage = machine.stage.copy()
        self._rest = machine.rest.copy()
        self._settled = machine.settled != 0
        self._dragged = machine.drag != 0
        self._held = (machine.withheld[self._junction] & self._bit) != 0
        rising = self._shown == RED_AMBER
        self._free = np.ones(len(self._stages), np.bool_)
        self._free[self._junction[rising]] = False

    def after(self, machine: Machine, orders: Orders, now_ms: int) -> None:
        """Compare with where it is now."""
        self._check_starts(machine, orders, now_ms)
        self._check_aim(machine, orders)
        self._check_countdowns(machine, now_ms)

    def expect(self, request: npt.NDArray[np.int32], shown: U8) -> None:
        """After a long time of the same request: is it shown?"""
        stage = self._first_stage + np.maximum(request, 0)
        green = (self._greens[stage][self._junction] & self._bit) != 0
        waits = (self._waits[stage][self._junction] & self._bit) != 0
        wanted = np.where(green, np.where(waits, PERMISSIVE, GREEN), RED)
        wanted[(request == ALL_RED)[self._junction]] = RED
        wanted[(request == FLASH)[self._junction]] = DARK
        self.broken["never shown"] += int((shown != wanted).sum())

    def _check_starts(self, machine: Machine, orders: Orders, now_ms: int) -> None:
        shown = machine.lamps.aspect
        left_flash = np.zeros(len(self._stages), np.bool_)
        left_flash[self._junction[(self._shown == DARK) & (shown != DARK)]] = True
        if self._red_from_ms is None:
            self._red_from_ms = np.full(len(self._stages), now_ms, np.int64)
        self._red_from_ms[left_flash] = now_ms
        early = now_ms < self._red_from_ms + self._start_red_ms
        self.broken["withheld group started"] += starts_despite(
            self._book, self._shown, shown, orders.withheld
        )
        self.broken["start before the first red is over"] += starts_despite(
            self._book, self._shown, shown, np.where(early, EVERYBODY, 0)
        )

    def _check_aim(self, machine: Machine, orders: Orders) -> None:
        request = orders.request
        is_stage = (request >= 0) & (request < self._stages)
        rest = np.select([request == ALL_RED, request == FLASH], [IN_RED, IN_FLASH], IN_STAGE)
        is_known = is_stage | (rest != IN_STAGE)
        taken = (machine.rest == rest) & (~is_stage | (machine.stage == request))
        kept = (machine.rest == self._rest) & (machine.stage == self._stage)
        self.broken["urgent request not taken"] += int(
            (is_known & (orders.urgent != 0) & self._free & ~taken).sum()
        )
        self.broken["request not taken when settled"] += int(
            (is_known & self._settled & self._free & ~taken).sum()
        )
        self.broken["aim changed by nonsense"] += int((~is_known & ~kept).sum())
        self.broken["aim changed to something else"] += int((~taken & ~kept).sum())
        early = ~kept & (orders.urgent == 0) & ~self._settled
        if early.any():
            self.broken["broken off"] += int((early & self._breaks_off(machine)).sum())

    def _breaks_off(self, machine: Machine) -> npt.NDArray[np.bool_]:
        """Does the new aim leave out a group that was to start, or take back one that was to end?"""
        old = (self._greens[self._first_stage + self._stage][self._junction] & self._bit) != 0
        new = (self._greens[self._first_stage + machine.stage][self._junction] & self._bit) != 0
        green = (self._shown == GREEN) | (self._shown == PERMISSIVE)
        left_out = old & ~green & ~self._held & ~self._dragged & ~new
        taken_back = green & ~old & new
        found: npt.NDArray[np.bool_] = (machine.rest != IN_STAGE) | (self._rest != IN_STAGE)
        found[self._junction[left_out | taken_back]] = True
        return found

    def _check_countdowns(self, machine: Machine, now_ms: int) -> None:
        """A green with a countdown ends as long as that after its end was fixed, unless that was in a hurry."""
        news = (machine.ends_ms != self._ends_ms) & (machine.ends_ms != NEVER_MS)
        self._announced_ms[news] = now_ms
        self._in_hurry[news] = machine.urgent[self._junction[news]] != 0
        green_before = (self._shown == GREEN) | (self._shown == PERMISSIVE)
        green = (machine.lamps.aspect == GREEN) | (machine.lamps.aspect == PERMISSIVE)
        short = now_ms - self._announced_ms < self._countdown_ms
        in_hurry = self._in_hurry | (machine.urgent[self._junction] != 0)
        self.broken["countdown broken off"] += int((green_before & ~green & short & ~in_hurry).sum())


def _masks(sets: list[tuple[int, ...]]) -> I64:
    return np.array([sum(1 << number - 1 for number in numbers) for numbers in sets], np.int64)

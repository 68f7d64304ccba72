"""The last check before an order leaves: by tables of its own, and timers that only the lamps seen from outside set.

What must never be green together is never asked for together; no green is forced off before its minimum is over; who
calls is not left red without end. A refusal latches: the junction is given back, and its controller runs its own plan.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.state import NEVER_MS
from greensplit.engine.model.aspects import DARK, GREEN, PERMISSIVE
from greensplit.engine.model.compiled import CONFLICT, YIELDS, compile_rules
from greensplit.engine.model.site import Site

from .field import Masks, Order, StageRequest

__all__ = ["LONGEST_RED_MS", "Guard", "Objection"]

LONGEST_RED_MS: Final = 300_000
"""Beyond the longest red of any controller of ours: who comes here has been forgotten."""


class Objection(NamedTuple):
    """An order that was not sent, and the numbers of the groups for which it was not."""

    t_ms: int
    junction: str
    fault: str
    groups: tuple[int, ...]


class Guard:
    """Judges orders; ``objections`` are those it refused, ``refused`` (J,) is 1 where one latched.

    A group that has called and been red for ``longest_red_ms`` under our orders must be asked for.
    """

    def __init__(self, site: Site, longest_red_ms: int = LONGEST_RED_MS) -> None:
        self.objections: list[Objection] = []
        self.refused = np.zeros(len(site.junctions), np.uint8)
        self._site = site
        self._rules = compile_rules(site)
        self._aspect = np.zeros(len(self._rules.min_green_ms), np.uint8)
        self._green_ms = np.full(len(self._aspect), NEVER_MS, np.int64)
        self._served_ms = np.full(len(self._aspect), NEVER_MS, np.int64)
        self._longest_red_ms = longest_red_ms
        self._stages = [
            [(frozenset(stage.green), frozenset(stage.permissive)) for stage in junction.stages]
            for junction in site.junctions
        ]

    def see(
        self, aspect: npt.NDArray[np.uint8], now_ms: int, waits: npt.NDArray[np.uint8] | None = None
    ) -> None:
        """Lamps (G,) as they show now; ``waits`` (G,) is 1 for groups that call while the junction is under our orders.

        Where nobody calls, or somebody else decides, the time in red begins anew.
        """
        served = _goes(aspect) if waits is None else _goes(aspect) | (aspect == DARK) | (waits == 0)
        self._served_ms[served | (self._served_ms == NEVER_MS)] = now_ms
        begins = _goes(aspect) & ~_goes(self._aspect)
        self._green_ms[begins] = now_ms
        self._aspect[:] = aspect

    def has_had_minimum(self, j: int, now_ms: int) -> int:
        """Mask of the groups of junction ``j`` whose green may be forced off now."""
        first, last = self._rules.group_ptr[j], self._rules.group_ptr[j + 1]
        ripe = _goes(self._aspect[first:last]) & (
            now_ms - self._green_ms[first:last] >= self._rules.min_green_ms[first:last]
        )
        return sum(1 << int(g) for g in np.flatnonzero(ripe))

    def allows(self, j: int, order: Order, now_ms: int) -> bool:
        """May the order go to junction ``j`` at ``now_ms``? A refusal latches."""
        if self.refused[j]:
            return False
        found = self._fault(j, order, now_ms)
        if found is not None:
            self.refused[j] = 1
            fault, groups = found
            self.objections.append(Objection(now_ms, self._site.junctions[j].id, fault, groups))
        return found is None

    def _fault(self, j: int, order: Order, now_ms: int) -> tuple[str, tuple[int, ...]] | None:
        match order:
            case StageRequest(stage):
                if not 0 <= stage < len(self._stages[j]):
                    return "unknown stage", ()
                green, permissive = self._stages[j][stage]
                return self._clash(j, green, permissive) or self._forgotten(j, green, now_ms)
            case Masks(hold, force_off, omit, call):
                early = force_off & ~hold & self._greens(j) & ~self.has_had_minimum(j, now_ms)
                if early:
                    return "short minimum green", _numbers(early)
                wanted = frozenset(_numbers(hold | call & ~omit))
                return self._clash(j, wanted, wanted) or self._forgotten(j, wanted, now_ms)
        return None

    def _forgotten(self, j: int, asked: frozenset[int], now_ms: int) -> tuple[str, tuple[int, ...]] | None:
        """Groups that have waited too long, when none of them is asked for."""
        first, last = self._rules.group_ptr[j], self._rules.group_ptr[j + 1]
        late = np.flatnonzero(now_ms - self._served_ms[first:last] > self._longest_red_ms)
        groups = tuple(int(g) + 1 for g in late)
        return ("red for too long", groups) if groups and asked.isdisjoint(groups) else None

    def _greens(self, j: int) -> int:
        first, last = self._rules.group_ptr[j], self._rules.group_ptr[j + 1]
        return sum(1 << int(g) for g in np.flatnonzero(_goes(self._aspect[first:last])))

    def _clash(
        self, j: int, green: frozenset[int], permissive: frozenset[int]
    ) -> tuple[str, tuple[int, ...]] | None:
        """Two groups that must not be green together as asked for."""
        n = int(self._rules.group_ptr[j + 1] - self._rules.group_ptr[j])
        for a in sorted(green):
            for b in sorted(green):
                relation = self._rules.meeting[self._rules.pair_ptr[j] + (a - 1) * n + b - 1]
                if relation == CONFLICT or (relation == YIELDS and a not in permissive):
                    return "conflicting greens", (a, b)
        return None


def _goes(aspect: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (aspect == GREEN) | (aspect == PERMISSIVE)
    return found


def _numbers(mask: int) -> tuple[int, ...]:
    return tuple(g + 1 for g in range(mask.bit_length()) if mask >> g & 1)

"""In which order stages may follow each other: sequences that serve every group, shortest critical ones first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, permutations

import numpy as np
import numpy.typing as npt

from ..model.site import Junction
from .cycle_kernel import Lanes

__all__ = ["candidate_sequences", "changes_s", "critical_ratio"]

F64 = npt.NDArray[np.float64]
Order = tuple[int, ...]
MOST_SUBSETS = 3000
MOST_STAGES = 6
MOST_ORDERED = 4
KEPT = 7
USUAL_CYCLE_S = 90.0


def candidate_sequences(junction: Junction, lanes: Lanes) -> list[Order]:
    """Cyclic orders of stages (local indices), the deployed one first, then the ones with least critical flow.

    Stages that no program deploys are taken in only where the deployed ones leave a group unserved. No order gives a
    group green, takes it away and gives it back within one cycle.
    """
    usable = _usable(junction)
    deployed = _deployed_order(junction, usable)
    found = [order for subset in _subsets(junction, usable) for order in _orders(junction, subset)]
    ranked = sorted(set(found), key=lambda order: (_bound(junction, lanes, order), order))
    best = [order for order in ranked if order != deployed][:KEPT]
    return [deployed, *best] if deployed else best


def _usable(junction: Junction) -> list[int]:
    deployed = [i for i, stage in enumerate(junction.stages) if stage.deployed]
    if _covers(junction, deployed):
        return deployed
    return list(range(len(junction.stages)))


def _covers(junction: Junction, stages: Iterable[int]) -> bool:
    served = {number for i in stages for number in junction.stages[i].green}
    return len(served) == len(junction.groups)


def _deployed_order(junction: Junction, usable: Sequence[int]) -> Order:
    if not junction.plans:
        return ()
    index = {stage.name: i for i, stage in enumerate(junction.stages)}
    order = tuple(dict.fromkeys(index[step.stage] for step in junction.plans[-1].steps))
    return order if set(order) <= set(usable) and _covers(junction, order) else ()


def _subsets(junction: Junction, usable: Sequence[int]) -> Iterator[Order]:
    """Subsets of the stages that serve every group, smallest first."""
    seen = 0
    for size in range(1, min(len(usable), MOST_STAGES) + 1):
        for subset in combinations(usable, size):
            seen += 1
            if seen > MOST_SUBSETS:
                return
            if _covers(junction, subset):
                yield subset


def _orders(junction: Junction, subset: Order) -> Iterator[Order]:
    """Cyclic orders: as the stages are numbered, and others where there are few stages."""
    others = permutations(subset[1:]) if len(subset) <= MOST_ORDERED else [subset[1:]]
    for rest in others:
        order = (subset[0], *rest)
        if not _is_any_green_split(junction, order):
            yield order


def _is_any_green_split(junction: Junction, order: Order) -> bool:
    greens = [set(junction.stages[i].green) for i in order]
    return any(
        sum(
            group.number in here and group.number not in before
            for before, here in zip(greens[-1:] + greens, greens, strict=False)
        )
        > 1
        for group in junction.groups
    )


def _bound(junction: Junction, lanes: Lanes, order: Order) -> float:
    """Critical flow ratio of the order plus its changes, as shares of a usual cycle."""
    return critical_ratio(junction, lanes, order) + changes_s(junction, order) / USUAL_CYCLE_S


def critical_ratio(junction: Junction, lanes: Lanes, order: Order) -> float:
    """Sum over the stages of the highest flow ratio of the lanes that only this stage serves: Webster's Y at least."""
    ratio = _flow_ratios(lanes)
    opened = np.array([_opens(junction, lanes, i) for i in order])
    alone = opened & (opened.sum(axis=0) == 1)
    return float(np.where(alone, ratio, 0.0).max(axis=1, initial=0.0).sum())


def _flow_ratios(lanes: Lanes) -> F64:
    need_s = np.add.reduceat(lanes.share / lanes.rate, lanes.ptr[:-1])
    ratio: F64 = lanes.flow * need_s
    return ratio


def _opens(junction: Junction, lanes: Lanes, stage: int) -> npt.NDArray[np.bool_]:
    """Lanes (L,) of which a group is green in the stage."""
    green = np.isin(lanes.group + 1, junction.stages[stage].green)
    return np.logical_or.reduceat(green, lanes.ptr[:-1])


def changes_s(junction: Junction, order: Order) -> float:
    """Time that the intergreens between the stages take, s of a cycle."""
    intergreen = {(m.first, m.second): m.intergreen_ms for m in junction.meetings}
    intergreen |= {(m.second, m.first): m.reverse_ms for m in junction.meetings}
    total_ms = 0
    for before, after in zip(order, (*order[1:], order[0]), strict=True):
        ends = set(junction.stages[before].green) - set(junction.stages[after].green)
        starts = set(junction.stages[after].green) - set(junction.stages[before].green)
        total_ms += max((intergreen.get((a, b), 0) for a in ends for b in starts), default=0)
    return total_ms / 1000.0

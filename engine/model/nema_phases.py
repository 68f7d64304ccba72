"""The words in which a NEMA junction is described: phases, overlaps, the order of the rings; and what they may say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..errors import ModelError
from .site import Recall

__all__ = ["Order", "Overlap", "Phase", "places", "questions", "ring_order", "yields_to"]

Order = tuple[tuple[tuple[int, ...], ...], ...]
"""Phases of each ring, on each side of the barriers, in the order of service: ``order[ring][side]``."""

RINGS = (((1, 2), (3, 4)), ((5, 6), (7, 8)))
SEQUENCES = 16
MAX_PHASE = 16
MAX_OVERLAP = 16


@dataclass(frozen=True, slots=True)
class Phase:
    """One NEMA phase. Times in ms; a phase with ``walk_ms`` has a pedestrian group.

    A ``permissive`` left turn (odd number) is also green, yielding, as long as the phase that it opposes is: what a
    flashing yellow arrow shows. Its opposing traffic never outlasts it, so there is no yellow trap.
    """

    number: int
    name: str = ""
    min_green_ms: int = 5000
    max_green_ms: int = 60_000
    passage_ms: int = 3000
    yellow_ms: int = 3000
    red_ms: int = 1000
    walk_ms: int = 0
    ped_clearance_ms: int = 0
    recall: Recall = Recall.NONE
    ped_recall: Recall = Recall.NONE
    permissive: bool = False


@dataclass(frozen=True, slots=True)
class Overlap:
    """Overlap ``number`` (1 is A): green with any of the phases ``parents``; yellow and red of -1: their longest."""

    number: int
    parents: tuple[int, ...]
    name: str = ""
    yellow_ms: int = -1
    red_ms: int = -1


def ring_order(phases: Iterable[int] = range(1, 9), sequence: int = 1) -> Order:
    """The order of the rings of an eight-phase junction or of a part of its phases.

    ``sequence`` is 1 to 16. In 1 every left turn leads; bits 0 to 3 of ``sequence - 1`` let phases 1, 3, 5 and 7 lag,
    so that in 16 all lag. NTCIP 1202 numbers the sequences and leaves to the controller what they hold.

    >>> ring_order((2, 4, 5, 6, 8), sequence=5)
    (((2,), (4,)), ((6, 5), (8,)))
    """
    wanted = set(phases)
    if not wanted <= set(range(1, 9)):
        raise ModelError(
            f"ring order: expected phases of 1 to 8, found {sorted(wanted)}; give the order itself"
        )
    if not 1 <= sequence <= SEQUENCES:
        raise ModelError(f"ring order: expected a sequence from 1 to {SEQUENCES}, found {sequence}")
    lags = {left for bit, left in enumerate((1, 3, 5, 7)) if (sequence - 1) >> bit & 1}
    return tuple(
        tuple(tuple(p for p in (side[::-1] if side[0] in lags else side) if p in wanted) for side in ring)
        for ring in RINGS
    )


def places(order: Order) -> dict[int, tuple[int, int]]:
    """Ring and side of each phase."""
    return {p: (r, s) for r, ring in enumerate(order) for s, side in enumerate(ring) for p in side}


def yields_to(left: Phase, other: Phase) -> bool:
    """Is ``left`` a permissive left turn against ``other``?"""
    return left.permissive and other.number == left.number + 1


def questions(phases: list[Phase], order: Order, overlaps: list[Overlap]) -> Iterator[str]:
    """Everything that is wrong with phases, order and overlaps, each sorted by number, in words."""
    yield from _phase_findings(phases)
    yield from _order_findings(phases, order)
    yield from _overlap_findings({phase.number for phase in phases}, overlaps)


def _phase_findings(phases: list[Phase]) -> Iterator[str]:
    numbers = [phase.number for phase in phases]
    if not phases:
        yield "expected at least one phase, found none"
    for phase in phases:
        if not 1 <= phase.number <= MAX_PHASE:
            yield f"phase {phase.number}: expected a number from 1 to {MAX_PHASE}"
        if numbers.count(phase.number) > 1:
            yield f"phase {phase.number}: expected once, found {numbers.count(phase.number)} times"
        if phase.red_ms < 0:
            yield f"phase {phase.number}: expected red_ms of 0 or more, found {phase.red_ms}"
        if (phase.walk_ms > 0) != (phase.ped_clearance_ms > 0):
            yield (
                f"phase {phase.number}: expected both walk_ms and ped_clearance_ms, or none; "
                f"found {phase.walk_ms} and {phase.ped_clearance_ms}"
            )
        if phase.permissive and phase.number % 2 == 0:
            yield f"phase {phase.number}: expected permissive left turns only, which have odd numbers"


def _order_findings(phases: list[Phase], order: Order) -> Iterator[str]:
    found = places(order)
    listed = sorted(number for ring in order for side in ring for number in side)
    if listed != [phase.number for phase in phases]:
        yield f"rings: expected each of phases {[phase.number for phase in phases]} once, found {listed}"
    elif len({len(ring) for ring in order}) > 1:
        yield f"rings: expected as many sides of barriers in each, found {[len(ring) for ring in order]}"
    else:
        for number in (phase.number for phase in phases if phase.permissive):
            if found.get(number + 1) != found[number]:
                yield (
                    f"phase {number}: expected phase {number + 1}, which it opposes and yields to, in its ring and "
                    "on its side of the barrier"
                )


def _overlap_findings(phases: set[int], overlaps: list[Overlap]) -> Iterator[str]:
    numbers = [overlap.number for overlap in overlaps]
    for overlap in overlaps:
        if not 1 <= overlap.number <= MAX_OVERLAP:
            yield f"overlap {overlap.number}: expected a number from 1 to {MAX_OVERLAP}"
        if numbers.count(overlap.number) > 1:
            yield f"overlap {overlap.number}: expected once, found {numbers.count(overlap.number)} times"
        if not overlap.parents or not set(overlap.parents) <= phases:
            yield f"overlap {overlap.number}: expected parents of {sorted(phases)}, found {overlap.parents}"

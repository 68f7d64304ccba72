"""NEMA numbers of imported groups, from the headings of the approaches and the turns of their groups.

Phases 2 and 6 are the through movements of the main street, 4 and 8 those of the side street, in the order 2, 4, 6, 8
clockwise; odd phases are left turns, each opposing the next even one: 1 opposes 2, 3 opposes 4, 5 opposes 6, 7
opposes 8. Right turns are part of the through movement, or an overlap where they are a group of their own. Pedestrians
have the phase of the vehicles that go along beside them.

A further group of an approach becomes an overlap of phases that together are green exactly when it is; where there
are none, it becomes a phase from 9 up. A junction with other than one or two streets is numbered in the order of its
groups.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from greensplit.engine.model.site import GroupKind, Plan, Stage

from ..network import Edge, Network
from .groups import Bundle
from .meetings import OPPOSITE_DEG

__all__ = ["Number", "number_groups"]

SAME_APPROACH_DEG = 30.0
FIRST_HEADING_DEG = 315.0
"""North-west: far from the headings of most streets, so that phase 2 does not change sides along one of them."""
LEFTS = frozenset("lLt")
LEFT_OF = {2: 5, 6: 1, 4: 7, 8: 3}
"""Phase of the left turn that comes from the same approach as the through phase."""
OPPOSITE = {2: 6, 6: 2, 4: 8, 8: 4}
CLOCKWISE = (2, 4, 6, 8)
MAX_PHASE = 16
MAX_OVERLAP = 16
FIRST_FREE_PHASE = 9


@dataclass(frozen=True, slots=True)
class Number:
    """Phase, or overlap with the numbers of its parent groups; 0 and () where there is none."""

    phase: int = 0
    overlap: int = 0
    parents: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Approach:
    """Vehicle groups that come from one direction; ``heading_deg`` is clockwise from north."""

    heading_deg: float
    bundles: tuple[Bundle, ...]

    def lanes(self) -> int:
        return len({way.lane.id for bundle in self.bundles for way in bundle.ways})

    def speed_mps(self) -> float:
        return max(way.lane.speed_mps for bundle in self.bundles for way in bundle.ways)


def number_groups(
    network: Network, bundles: tuple[Bundle, ...], stages: tuple[Stage, ...], plans: tuple[Plan, ...]
) -> tuple[dict[int, Number], list[str]]:
    """The number of each group, and what was assumed, in words.

    The main street is the one with more lanes, then the faster one, then the one with more green in the last plan.
    """
    vehicles = [bundle for bundle in bundles if bundle.kind is not GroupKind.PEDESTRIAN]
    approaches = _approaches(vehicles)
    streets = _streets(approaches)
    shown = _stages_of(bundles, stages)
    if len(streets) > 2:
        notes = [
            f"{len(approaches)} approaches on {len(streets)} streets: phases are numbered in the order of groups"
        ]
        phases = {bundle.number: i for i, bundle in enumerate(vehicles[:MAX_PHASE], start=1)}
        return _complete(vehicles, phases, {}, shown, notes), notes
    notes = []
    throughs = _through_phases(streets, stages, plans)
    phases = {}
    for through, approach in throughs.items():
        phases.update(_phases_of(approach, through, OPPOSITE[through] in throughs, shown))
    origin = {bundle.number: through for through, approach in throughs.items() for bundle in approach.bundles}
    numbers = _complete(vehicles, phases, origin, shown, notes)
    for bundle in bundles:
        if bundle.kind is GroupKind.PEDESTRIAN:
            numbers[bundle.number] = Number(_walking_phase(network, bundle, throughs))
    return numbers, notes


def _approaches(vehicles: list[Bundle]) -> list[_Approach]:
    """Groups by the direction they come from; edges that are nearly parallel are one approach."""
    by_edge: dict[str, list[Bundle]] = {}
    for bundle in vehicles:
        by_edge.setdefault(bundle.ways[0].connection.source, []).append(bundle)
    found: list[_Approach] = []
    for members in by_edge.values():
        heading_deg = _mean_deg(way.heading_deg for bundle in members for way in bundle.ways)
        near = [a for a in found if _apart_deg(a.heading_deg, heading_deg) < SAME_APPROACH_DEG]
        if near:
            found.remove(near[0])
            heading_deg, members = near[0].heading_deg, [*near[0].bundles, *members]
        found.append(_Approach(heading_deg, tuple(members)))
    return sorted(found, key=lambda approach: approach.bundles[0].number)


def _mean_deg(headings_deg: Iterable[float]) -> float:
    radians = [math.radians(heading) for heading in headings_deg]
    return math.degrees(math.atan2(sum(map(math.sin, radians)), sum(map(math.cos, radians)))) % 360.0


def _apart_deg(one_deg: float, other_deg: float) -> float:
    apart = abs(one_deg - other_deg) % 360.0
    return min(apart, 360.0 - apart)


def _streets(approaches: list[_Approach]) -> list[tuple[_Approach, ...]]:
    """Opposite approaches paired, the straightest pairs first; the others are streets of one approach."""
    rest = list(approaches)
    streets: list[tuple[_Approach, ...]] = []
    while rest:
        pairs = [(a, b) for i, a in enumerate(rest) for b in rest[i + 1 :]]
        best = max(pairs, key=lambda p: _apart_deg(p[0].heading_deg, p[1].heading_deg), default=None)
        if best is None or _apart_deg(best[0].heading_deg, best[1].heading_deg) <= OPPOSITE_DEG:
            return [*streets, *((approach,) for approach in rest)]
        streets.append(best)
        rest = [approach for approach in rest if approach not in best]
    return streets


def _through_phases(
    streets: list[tuple[_Approach, ...]], stages: tuple[Stage, ...], plans: tuple[Plan, ...]
) -> dict[int, _Approach]:
    """The even phase of each approach: 2 for the main traffic that goes north or east, the others clockwise."""
    green_ms = _green_of(stages, plans)

    def rank(street: tuple[_Approach, ...]) -> tuple[int, float, int, int]:
        numbers = [bundle.number for approach in street for bundle in approach.bundles]
        return (
            sum(approach.lanes() for approach in street),
            max(approach.speed_mps() for approach in street),
            sum(green_ms.get(number, 0) for number in numbers),
            -min(numbers),
        )

    main, *side = sorted(streets, key=rank, reverse=True)
    pair = sorted(main, key=lambda approach: (approach.heading_deg - FIRST_HEADING_DEG) % 360.0)
    phases = dict(zip((2, 6), pair, strict=False))
    for street in side:
        turned = sorted(((a.heading_deg - phases[2].heading_deg) % 360.0, i) for i, a in enumerate(street))
        free = (4, 8) if len(street) == 2 or turned[0][0] < 180.0 else (8,)
        phases.update({phase: street[i] for phase, (_, i) in zip(free, turned, strict=False)})
    return dict(sorted(phases.items()))


def _green_of(stages: tuple[Stage, ...], plans: tuple[Plan, ...]) -> dict[int, int]:
    """Green of each group in one cycle of the last plan, ms."""
    green_ms: dict[int, int] = {}
    held = {stage.name: stage.green for stage in stages}
    for step in plans[-1].steps if plans else ():
        for number in held[step.stage]:
            green_ms[number] = green_ms.get(number, 0) + step.green_ms
    return green_ms


def _stages_of(bundles: tuple[Bundle, ...], stages: tuple[Stage, ...]) -> dict[int, frozenset[str]]:
    """Deployed stages in which each group is green; all stages where none is deployed."""
    shown = [stage for stage in stages if stage.deployed] or list(stages)
    return {b.number: frozenset(s.name for s in shown if b.number in s.green) for b in bundles}


def _phases_of(
    approach: _Approach, through: int, is_opposed: bool, shown: dict[int, frozenset[str]]
) -> dict[int, int]:
    """Groups of an approach that get its through phase and its left-turn phase.

    Of several, those for all vehicles that go straight on, or really left, come first, then those that are green in
    fewest stages: the others may be overlaps of them. Where nothing but left turns comes from an approach that
    nobody opposes, they have its even phase.
    """
    lefts = [bundle for bundle in approach.bundles if _directions(bundle) <= LEFTS]
    others = [bundle for bundle in approach.bundles if bundle not in lefts]
    if not others and not is_opposed:
        lefts, others = others, lefts

    def rank(bundle: Bundle) -> tuple[bool, bool, int, int]:
        return (
            bundle.kind is not GroupKind.VEHICLE,
            not _directions(bundle) & set("slL" if bundle in lefts else "s"),
            len(shown[bundle.number]),
            bundle.number,
        )

    claims = ((through, others), (LEFT_OF[through], lefts))
    return {min(found, key=rank).number: phase for phase, found in claims if found}


def _directions(bundle: Bundle) -> frozenset[str]:
    return frozenset(way.connection.direction for way in bundle.ways)


def _complete(
    vehicles: list[Bundle],
    phases: dict[int, int],
    origin: dict[int, int],
    shown: dict[int, frozenset[str]],
    notes: list[str],
) -> dict[int, Number]:
    """Numbers of all vehicle groups, given those that have a phase and the through phase that each comes from."""
    numbers = {number: Number(phase) for number, phase in phases.items()}
    overlaps = iter(range(1, MAX_OVERLAP + 1))
    free = iter(range(max(FIRST_FREE_PHASE, 1 + max(phases.values())), MAX_PHASE + 1))
    for bundle in vehicles:
        if bundle.number in numbers:
            continue
        parents = _parents(bundle.number, phases, origin, shown)
        overlap = next(overlaps, 0) if parents else 0
        numbers[bundle.number] = Number(0, overlap, parents) if overlap else Number(next(free, 0))
        if numbers[bundle.number] == Number():
            notes.append(
                f"group {bundle.number} ({bundle.name}) has no number: expected at most {MAX_PHASE} phases and "
                f"{MAX_OVERLAP} overlaps"
            )
    return numbers


def _parents(
    number: int, phases: dict[int, int], origin: dict[int, int], shown: dict[int, frozenset[str]]
) -> tuple[int, ...]:
    """Groups with a phase, those of the same approach first, that together are green exactly when the group is."""
    uncovered = shown[number]
    candidates = sorted(
        (g for g in phases if shown[g] and shown[g] <= uncovered),
        key=lambda g: (origin.get(g) != origin.get(number), phases[g]),
    )
    chosen = []
    for candidate in candidates:
        if shown[candidate] & uncovered:
            chosen.append(candidate)
            uncovered = uncovered - shown[candidate]
    return () if uncovered else tuple(sorted(chosen))


def _walking_phase(network: Network, bundle: Bundle, throughs: dict[int, _Approach]) -> int:
    """The through phase beside the crossing: the one that leaves it on its right, else the one opposite.

    A crossing of the leg that phase 2 comes from is to the right of phase 4, and so on around.
    """
    heading_deg = _mean_deg(_leg_headings(network, bundle))
    leg = min(CLOCKWISE, key=lambda p: _apart_deg(_heading_of(p, throughs), heading_deg))
    right = CLOCKWISE[(CLOCKWISE.index(leg) + 1) % 4]
    return right if right in throughs or OPPOSITE[right] not in throughs else OPPOSITE[right]


def _leg_headings(network: Network, bundle: Bundle) -> Iterator[float]:
    """Headings, towards the junction, of the edges that the group's crossings cross."""
    for way in bundle.ways:
        for name in network.edges[way.connection.target].crossed:
            edge = network.edges[name]
            yield _end_heading(edge) if edge.target == way.node.id else (_start_heading(edge) + 180.0) % 360.0


def _end_heading(edge: Edge) -> float:
    return _direction(edge.lanes[0].shape[-2:])


def _start_heading(edge: Edge) -> float:
    return _direction(edge.lanes[0].shape[:2])


def _direction(piece: tuple[tuple[float, float], ...]) -> float:
    if len(piece) < 2:
        return 0.0
    (x0, y0), (x1, y1) = piece
    return math.degrees(math.atan2(x1 - x0, y1 - y0)) % 360.0


def _heading_of(phase: int, throughs: dict[int, _Approach]) -> float:
    """Heading of a through phase; where nobody comes from there, opposite to the one across, or a quarter turn on."""
    if phase in throughs:
        return throughs[phase].heading_deg
    if OPPOSITE[phase] in throughs:
        return (throughs[OPPOSITE[phase]].heading_deg + 180.0) % 360.0
    return (throughs[2].heading_deg + 90.0 * CLOCKWISE.index(phase)) % 360.0

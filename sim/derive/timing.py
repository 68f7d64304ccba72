"""Times of a light: sequences and intergreens from the program's own yellows and reds, defaults where it has none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from greensplit.engine.model.site import GroupKind, Meeting, MeetingKind, Sequence, Step

from ..network import Phase
from .groups import Bundle
from .light import OPEN, Light
from .meetings import Relation

__all__ = ["Timing", "derive_timing"]

MIN_GREEN_MS = 5000
LEAST_GREEN_MS = 1000
WALKING_MPS = 1.2
"""Walking speed at which a crossing is cleared (RiLSA 2015 and HCM: 1.0 to 1.2 m/s)."""
ALL_RED_MS = 1000
MAX_RED_CLEARANCE_MS = 10_000


@dataclass(frozen=True, slots=True)
class Timing:
    """Sequences and minimum greens per group (in order), meetings, and what was assumed, in words."""

    sequences: tuple[Sequence, ...]
    min_green_ms: tuple[int, ...]
    meetings: tuple[Meeting, ...]
    assumptions: tuple[str, ...]


def derive_timing(light: Light, bundles: tuple[Bundle, ...], relations: tuple[Relation, ...]) -> Timing:
    """The times of a light."""
    assumptions: list[str] = []
    sequences = tuple(_sequence(light, bundle, bundles, assumptions) for bundle in bundles)
    min_green = tuple(_min_green(light, bundle, assumptions) for bundle in bundles)
    meetings = tuple(_meetings(light, bundles, relations, sequences, assumptions))
    return Timing(sequences, min_green, meetings, tuple(assumptions))


def _sequence(light: Light, bundle: Bundle, bundles: tuple[Bundle, ...], assumptions: list[str]) -> Sequence:
    if bundle.kind is GroupKind.PEDESTRIAN:
        return Sequence(stop=(Step("clearance", _clearance_ms(bundle)),))
    yellow = max(_runs(light, bundle, "yY"), default=0)
    amber = max(_runs(light, bundle, "u"), default=0)
    if not yellow:
        yellow = _usual_yellow(light, bundle, bundles)
        if _ends(light, bundle):
            assumptions.append(
                f"group {bundle.number} ({bundle.name}) goes from green to red without yellow in its program: "
                f"{yellow / 1000:g} s of yellow taken"
            )
    start = (Step("red_amber", amber),) if amber else ()
    return Sequence(start=start, stop=(Step("yellow", yellow),))


def _clearance_ms(bundle: Bundle) -> int:
    length_m = max(way.crossing_m for way in bundle.ways)
    return 1000 * math.ceil(length_m / WALKING_MPS)


def _ends(light: Light, bundle: Bundle) -> bool:
    """Does the group's green ever end in a program?"""
    return bool(set(light.columns[bundle.lamps[0]]) - set(OPEN))


def _usual_yellow(light: Light, bundle: Bundle, bundles: tuple[Bundle, ...]) -> int:
    """The longest yellow of the light's other groups, else by speed limit (RiLSA 2015: 3 s to 50 km/h, 4 to 60, 5)."""
    others = [ms for other in bundles for ms in _runs(light, other, "yY")]
    if others:
        return max(others)
    kmh = max(way.lane.speed_mps for way in bundle.ways) * 3.6
    return 3000 if kmh <= 51 else 4000 if kmh <= 61 else 5000


def _runs(light: Light, bundle: Bundle, letters: str) -> Iterator[int]:
    """Times for which the group shows one of ``letters`` without a break, in all programs (cyclic)."""
    lamp = bundle.lamps[0]
    for program in light.programs:
        yield from _cyclic_runs(program.phases, lamp, letters)


def _cyclic_runs(phases: tuple[Phase, ...], lamp: int, letters: str) -> Iterator[int]:
    shown = [phase.state[lamp] in letters for phase in phases]
    if all(shown):
        return
    start = shown.index(False)
    run = 0
    for offset in range(1, len(phases) + 1):
        i = (start + offset) % len(phases)
        if shown[i]:
            run += phases[i].duration_ms
        elif run:
            yield run
            run = 0


def _min_green(light: Light, bundle: Bundle, assumptions: list[str]) -> int:
    shortest = min(_runs(light, bundle, OPEN), default=MIN_GREEN_MS)
    if shortest < MIN_GREEN_MS:
        assumptions.append(
            f"group {bundle.number} ({bundle.name}): minimum green {shortest / 1000:g} s, the shortest of its program"
        )
    return max(LEAST_GREEN_MS, min(MIN_GREEN_MS, shortest))


def _meetings(
    light: Light,
    bundles: tuple[Bundle, ...],
    relations: tuple[Relation, ...],
    sequences: tuple[Sequence, ...],
    assumptions: list[str],
) -> Iterator[Meeting]:
    observed = _observed_gaps(light, bundles)
    usual = _usual_red(observed, sequences, relations, assumptions)

    def intergreen(first: int, second: int) -> int:
        stop = sequences[first - 1].stop_ms
        gap = observed.get((first, second), stop + usual)
        return max(stop, min(gap, stop + MAX_RED_CLEARANCE_MS))

    for relation in relations:
        shared = relation.kind is MeetingKind.SHARED and not relation.mutual
        there = 0 if shared else intergreen(relation.first, relation.second)
        back = 0 if shared else intergreen(relation.second, relation.first)
        yield Meeting(relation.first, relation.second, relation.kind, there, back, relation.left_turn)


def _observed_gaps(light: Light, bundles: tuple[Bundle, ...]) -> dict[tuple[int, int], int]:
    """Shortest time in any program from the end of green of one group to the start of green of another.

    Only where no other stage comes between the two.
    """
    gaps: dict[tuple[int, int], int] = {}
    for program in light.programs:
        phases = program.phases
        for i in range(len(phases)):
            ended = [b for b in bundles if _closes(phases, i, b.lamps[0])]
            if ended:
                _follow(light, bundles, phases, i, ended, gaps)
    return gaps


def _closes(phases: tuple[Phase, ...], i: int, lamp: int) -> bool:
    return phases[i - 1].state[lamp] in OPEN and phases[i].state[lamp] not in OPEN


def _follow(
    light: Light,
    bundles: tuple[Bundle, ...],
    phases: tuple[Phase, ...],
    i: int,
    ended: list[Bundle],
    gaps: dict[tuple[int, int], int],
) -> None:
    """Walk on from phase ``i``, where ``ended`` end, to the next stage, and note who starts how long after."""
    elapsed = 0
    for step in range(len(phases)):
        k = (i + step) % len(phases)
        for b in bundles:
            starts = phases[k].state[b.lamps[0]] in OPEN and phases[k - 1].state[b.lamps[0]] not in OPEN
            if starts and elapsed:
                for a in ended:
                    gaps[a.number, b.number] = min(gaps.get((a.number, b.number), elapsed), elapsed)
        if light.is_stage(phases[k].state):
            return
        elapsed += phases[k].duration_ms


def _usual_red(
    observed: dict[tuple[int, int], int],
    sequences: tuple[Sequence, ...],
    relations: tuple[Relation, ...],
    assumptions: list[str],
) -> int:
    """The longest red clearance of the program, for pairs that it never shows one after the other, ms."""
    pairs = [(r.first, r.second) for r in relations if r.kind is not MeetingKind.SHARED or r.mutual]
    pairs += [(b, a) for a, b in pairs]
    seen = [observed[pair] - sequences[pair[0] - 1].stop_ms for pair in pairs if pair in observed]
    usual = max(0, *seen) if seen else ALL_RED_MS
    usual = min(usual, MAX_RED_CLEARANCE_MS)
    missing = sum(1 for pair in pairs if pair not in observed)
    if missing:
        source = "as long as the program's longest" if seen else "since no program shows one"
        assumptions.append(
            f"{missing} of {len(pairs)} intergreens are not in the program: red clearance of {usual / 1000:g} s taken, "
            f"{source}"
        )
    return usual

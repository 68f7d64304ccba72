"""Junctions drawn at random for the stress: two to four arms with turns, people and trams, times off the tick."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from greensplit.engine.model.site import (
    GroupKind,
    Junction,
    Meeting,
    MeetingKind,
    Sequence,
    SignalGroup,
    Site,
    Stage,
    Step,
)
from greensplit.engine.model.validate import check

__all__ = ["draw_site"]

MOST_GROUPS = 8
MOST_STAGES = 6


def draw_site(seed: int, junctions: int) -> Site:
    """A valid site; every seed draws another one."""
    rng = np.random.default_rng(seed)
    site = Site(
        "drawn",
        tuple(_junction(rng, number + 1) for number in range(junctions)),
        red_revert_ms=int(rng.integers(20, 31)) * 100,
    )
    check(site)
    return site


def _junction(rng: np.random.Generator, number: int) -> Junction:
    groups = tuple(_group(rng, g + 1) for g in range(int(rng.integers(2, MOST_GROUPS + 1))))
    meetings = tuple(
        met for one, two in combinations(groups, 2) if (met := _meeting(rng, one, two)) is not None
    )
    return Junction(
        id=f"J{number}",
        device_id=number,
        x_m=0.0,
        y_m=0.0,
        idle_lamps="." * len(groups),
        groups=groups,
        meetings=meetings,
        stages=_stages(rng, len(groups), meetings),
        plans=(),
        lanes=(),
        detectors=(),
        start_red_ms=int(rng.choice([0, 0, 4000, 6500])),
    )


def _tenths_ms(rng: np.random.Generator, least_s: float, most_s: float) -> int:
    """A time in tenths of a second; now and then one that no tick of 100 ms divides."""
    odd_ms = 50 if rng.random() < 0.1 else 0
    return int(rng.integers(round(least_s * 10), round(most_s * 10) + 1)) * 100 + odd_ms


def _group(rng: np.random.Generator, number: int) -> SignalGroup:
    kind = GroupKind(rng.choice(["vehicle", "vehicle", "vehicle", "pedestrian", "tram"]))
    last = "clearance" if kind is GroupKind.PEDESTRIAN else "yellow"
    longest_s = 9.0 if kind is GroupKind.PEDESTRIAN else 5.0
    stop: tuple[Step, ...] = (Step(last, _tenths_ms(rng, 2.0, longest_s)),)
    if rng.random() < 0.25:
        stop = (Step("green_flash", _tenths_ms(rng, 0.5, 4.0)), *stop)
    start = (Step("red_amber", _tenths_ms(rng, 0.5, 2.5)),) if rng.random() < 0.3 else ()
    countdown_ms = _tenths_ms(rng, 1.0, 5.0) if rng.random() < 0.15 else 0
    least_green_ms = _tenths_ms(rng, 0.0, 8.0)
    return SignalGroup(
        number,
        f"group {number}",
        kind,
        (number - 1,),
        Sequence(start, stop),
        least_green_ms,
        commit_ms=countdown_ms,
    )


def _meeting(rng: np.random.Generator, one: SignalGroup, two: SignalGroup) -> Meeting | None:
    kind = rng.choice(
        ["none", "conflict", "permissive", "shared", "shared at once"], p=[0.25, 0.4, 0.25, 0.05, 0.05]
    )
    if kind == "none":
        return None
    if rng.random() < 0.5:
        one, two = two, one
    if kind == "shared at once":
        return Meeting(one.number, two.number, MeetingKind.SHARED, 0, 0)
    there_ms = one.sequence.stop_ms + _tenths_ms(rng, 0.0, 6.0)
    back_ms = two.sequence.stop_ms + _tenths_ms(rng, 0.0, 6.0)
    is_left_turn = kind == "permissive" and rng.random() < 0.7
    return Meeting(one.number, two.number, MeetingKind(kind), there_ms, back_ms, bool(is_left_turn))


def _stages(rng: np.random.Generator, groups: int, meetings: tuple[Meeting, ...]) -> tuple[Stage, ...]:
    """Each starts with one group, and takes in others at random as long as nothing conflicts."""
    apart = {frozenset((met.first, met.second)) for met in meetings if met.kind is MeetingKind.CONFLICT}
    greens: list[tuple[int, ...]] = []
    for seed_group in (*range(1, groups + 1), *rng.integers(1, groups + 1, 2).tolist()):
        green = {seed_group}
        for other in (rng.permutation(groups) + 1).tolist():
            if rng.random() < 0.6 and not any(frozenset((other, one)) in apart for one in green):
                green.add(other)
        chosen = tuple(sorted(green))
        if chosen not in greens and (len(greens) < MOST_STAGES or not set(chosen) <= set().union(*greens)):
            greens.append(chosen)
    return tuple(Stage(f"S{i}", green, _waiting(rng, green, meetings)) for i, green in enumerate(greens))


def _waiting(
    rng: np.random.Generator, green: tuple[int, ...], meetings: tuple[Meeting, ...]
) -> tuple[int, ...]:
    """Those that yield within the stage, and now and then one that need not."""
    must = {
        met.first
        for met in meetings
        if met.kind is MeetingKind.PERMISSIVE and met.first in green and met.second in green
    }
    return tuple(group for group in green if group in must or rng.random() < 0.1)

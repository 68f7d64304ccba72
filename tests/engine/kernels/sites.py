"""Sites for the tests of the engine: a few drawn by hand, any number drawn at random. All of them are valid."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from greensplit.engine.model.site import (
    ApproachLane,
    Detector,
    DetectorKind,
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
from greensplit.engine.model.validate import validate

CONFLICT, PERMISSIVE, SHARED = MeetingKind.CONFLICT, MeetingKind.PERMISSIVE, MeetingKind.SHARED
WALK = (Step("clearance", 8000),)


def group(
    number: int,
    *,
    kind: GroupKind = GroupKind.VEHICLE,
    stop: tuple[Step, ...] = (Step("yellow", 3000),),
    start: tuple[Step, ...] = (),
    min_green_ms: int = 5000,
) -> SignalGroup:
    """A group with the lamp of its number less one."""
    return SignalGroup(number, f"group {number}", kind, (number - 1,), Sequence(start, stop), min_green_ms)


def junction(
    groups: tuple[SignalGroup, ...],
    meetings: tuple[Meeting, ...],
    stages: tuple[Stage, ...],
    *,
    name: str = "J",
    device_id: int = 1,
    with_loops: bool = True,
) -> Junction:
    """A junction; each vehicle group has a lane with a stop-bar loop (channel 1 up) and an advance loop (101 up)."""
    vehicles = [g.number for g in groups if g.kind is not GroupKind.PEDESTRIAN] if with_loops else []
    return Junction(
        id=name,
        device_id=device_id,
        x_m=0.0,
        y_m=0.0,
        idle_lamps="." * len(groups),
        groups=groups,
        meetings=meetings,
        stages=stages,
        plans=(),
        lanes=tuple(ApproachLane(f"in{n}_0", f"from {n}", (n,), 200.0, 13.89) for n in vehicles),
        detectors=tuple(
            d
            for n in vehicles
            for d in (
                Detector(
                    f"stop{n}", n, DetectorKind.STOP_BAR, f"in{n}_0", 190.0, 8.0, 2.0, (n,), (f"in{n}_0",)
                ),
                Detector(
                    f"far{n}",
                    100 + n,
                    DetectorKind.ADVANCE,
                    f"in{n}_0",
                    130.0,
                    2.0,
                    68.0,
                    (n,),
                    (f"in{n}_0",),
                ),
            )
        ),
    )


def site(*junctions: Junction, red_revert_ms: int = 2000) -> Site:
    """A valid site; anything else is a mistake in the test."""
    made = Site("test", junctions, red_revert_ms=red_revert_ms)
    assert validate(made) == []
    return made


def crossroads() -> Site:
    """Two streets that conflict: yellow 3 s each; intergreen 5 s from group 1 to 2 and 7 s from 2 to 1."""
    return site(
        junction(
            (group(1), group(2)),
            (Meeting(1, 2, CONFLICT, 5000, 7000),),
            (Stage("S1", (1,)), Stage("S2", (2,))),
        )
    )


def left_turn() -> Site:
    """Group 1 through, 2 its opposing left turn (yields to 1), 3 the side street.

    Stages: A both (left permissive), B the left alone (protected), C the side street, D the through alone.
    """
    return site(
        junction(
            (group(1), group(2), group(3)),
            (
                Meeting(2, 1, PERMISSIVE, 5000, 6000, left_turn=True),
                Meeting(1, 3, CONFLICT, 5000, 5000),
                Meeting(2, 3, CONFLICT, 5000, 5000),
            ),
            (Stage("A", (1, 2), (2,)), Stage("B", (2,)), Stage("C", (3,)), Stage("D", (1,))),
        )
    )


def crossing() -> Site:
    """Group 1 a street; group 2 the people who cross it: walk 7 s, clearance 8 s, intergreens 10 s and 4 s."""
    people = group(2, kind=GroupKind.PEDESTRIAN, stop=WALK, min_green_ms=7000)
    return site(
        junction(
            (group(1), people),
            (Meeting(2, 1, CONFLICT, 10_000, 4000),),
            (Stage("street", (1,)), Stage("people", (2,))),
        )
    )


def random_site(rng: np.random.Generator, junctions: int, *, most_groups: int = 6) -> Site:
    """Junctions of 2 to ``most_groups`` groups with random kinds, sequences, meetings, intergreens and stages."""
    drawn = [_random_junction(rng, i + 1, most_groups) for i in range(junctions)]
    return site(*drawn, red_revert_ms=int(rng.choice([2000, 2500, 3000])))


def _random_junction(rng: np.random.Generator, number: int, most_groups: int) -> Junction:
    n = int(rng.integers(2, most_groups + 1))
    groups = tuple(_random_group(rng, i + 1) for i in range(n))
    meetings = tuple(
        m
        for a, b in combinations(range(1, n + 1), 2)
        if (m := _random_meeting(rng, groups, a, b)) is not None
    )
    stages = _stages(rng, n, meetings)
    start_red_ms = int(rng.integers(0, 80)) * 100
    return replace(
        junction(groups, meetings, stages, name=f"J{number}", device_id=number), start_red_ms=start_red_ms
    )


def _random_group(rng: np.random.Generator, number: int) -> SignalGroup:
    if rng.random() < 0.25:
        stop: tuple[Step, ...] = (Step("clearance", int(rng.integers(10, 90)) * 100),)
        kind = GroupKind.PEDESTRIAN
    else:
        yellow = Step("yellow", int(rng.integers(20, 55)) * 100)
        flash = Step("green_flash", int(rng.integers(5, 35)) * 100)
        stop = (flash, yellow) if rng.random() < 0.25 else (yellow,)
        kind = GroupKind.VEHICLE
    start = (Step("red_amber", int(rng.integers(5, 25)) * 100),) if rng.random() < 0.25 else ()
    min_green_ms = int(rng.integers(10, 80)) * 100
    commit_ms = int(rng.integers(10, 60)) * 100 if rng.random() < 0.15 else 0
    return replace(
        group(number, kind=kind, stop=stop, start=start, min_green_ms=min_green_ms), commit_ms=commit_ms
    )


def _random_meeting(
    rng: np.random.Generator, groups: tuple[SignalGroup, ...], a: int, b: int
) -> Meeting | None:
    choice = rng.choice(["none", "conflict", "permissive", "shared"], p=[0.25, 0.4, 0.25, 0.1])
    if choice == "none":
        return None
    first, second = (a, b) if rng.random() < 0.5 else (b, a)
    if choice == "shared" and rng.random() < 0.5:
        return Meeting(first, second, SHARED, 0, 0)
    there, back = (groups[i - 1].sequence.stop_ms + int(rng.integers(0, 60)) * 100 for i in (first, second))
    kind = MeetingKind(choice)
    return Meeting(first, second, kind, there, back, kind is PERMISSIVE and rng.random() < 0.7)


def _stages(rng: np.random.Generator, n: int, meetings: tuple[Meeting, ...]) -> tuple[Stage, ...]:
    """Every set of groups without a conflict is a candidate; enough are taken to serve every group."""
    apart = {frozenset((m.first, m.second)) for m in meetings if m.kind is CONFLICT}
    sets = [
        chosen
        for size in range(1, n + 1)
        for chosen in combinations(range(1, n + 1), size)
        if not any(pair <= set(chosen) for pair in apart)
    ]
    taken: list[tuple[int, ...]] = []
    for i in rng.permutation(len(sets)):
        missing = set(range(1, n + 1)) - {g for green in taken for g in green}
        if missing & set(sets[i]) or len(taken) < 4:
            taken.append(sets[i])
    return tuple(
        Stage(f"S{i}", green, _permissive(rng, green, meetings), deployed=bool(rng.random() < 0.7) or i == 0)
        for i, green in enumerate(taken)
    )


def _permissive(
    rng: np.random.Generator, green: tuple[int, ...], meetings: tuple[Meeting, ...]
) -> tuple[int, ...]:
    """Those that must yield, and now and then one that need not."""
    must = {m.first for m in meetings if m.kind is PERMISSIVE and {m.first, m.second} <= set(green)}
    return tuple(g for g in green if g in must or rng.random() < 0.1)

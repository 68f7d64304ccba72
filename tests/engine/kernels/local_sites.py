"""Junctions for the tests of local control: a street with people, stages, two rings with left turns, random ones."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from greensplit.engine.model.site import (
    Detector,
    DetectorKind,
    GroupKind,
    Junction,
    Meeting,
    Plan,
    PlanStep,
    Preempt,
    Recall,
    Ring,
    RingStep,
    SignalGroup,
    Site,
    Stage,
    Step,
)
from greensplit.engine.model.validate import validate

from .sites import CONFLICT, group, junction, random_site

INTERGREEN_MS = 5000


def with_groups(site: Site, **changes: object) -> Site:
    """The only junction, every group changed alike."""
    only = site.junctions[0]
    groups = tuple(replace(g, **changes) for g in only.groups)  # type: ignore[arg-type]
    return replace(site, junctions=(replace(only, groups=groups),))


def with_junction(site: Site, **changes: object) -> Site:
    """The only junction, changed."""
    return replace(site, junctions=(replace(site.junctions[0], **changes),))  # type: ignore[arg-type]


def streets(count: int) -> Site:
    """As many streets that all conflict, 5 s from each to each, one stage each: the ring A, B, C ..."""
    groups = tuple(group(i + 1) for i in range(count))
    meetings = tuple(
        Meeting(a, b, CONFLICT, INTERGREEN_MS, INTERGREEN_MS)
        for a in range(1, count + 1)
        for b in range(a + 1, count + 1)
    )
    stages = tuple(Stage("ABCDEFGH"[i], (i + 1,)) for i in range(count))
    return Site("streets", (junction(groups, meetings, stages),))


def planned(
    site: Site, cycle_s: int, offset_s: int, *greens_s: tuple[str, int], coordinated: str = ""
) -> Site:
    """The only junction with one more plan."""
    plan = Plan(
        f"plan {len(site.junctions[0].plans)}",
        cycle_s * 1000,
        offset_s * 1000,
        tuple(PlanStep(name, s * 1000) for name, s in greens_s),
        coordinated,
    )
    return with_junction(site, plans=(*site.junctions[0].plans, plan))


def with_button(site: Site, number: int) -> Site:
    """A push button for group ``number``, channel 200 and the number."""
    only = site.junctions[0]
    button = Detector(
        f"button{number}", 200 + number, DetectorKind.PEDESTRIAN, "", 0.0, 0.0, 0.0, (number,), ()
    )
    return with_junction(site, detectors=(*only.detectors, button))


def street_with_people() -> Site:
    """Ring: group 1 with people 3 alongside (walk 7 s, clearance 8 s), or group 2. People have a button (203).

    Stages: main with people, main alone, side. People and side street: 9 s and 5 s of intergreen.
    """
    people = group(3, kind=GroupKind.PEDESTRIAN, stop=(Step("clearance", 8000),), min_green_ms=7000)
    made = junction(
        (group(1), group(2), people),
        (
            Meeting(1, 2, CONFLICT, INTERGREEN_MS, INTERGREEN_MS),
            Meeting(3, 2, CONFLICT, 9000, INTERGREEN_MS),
        ),
        (Stage("walk", (1, 3)), Stage("main", (1,)), Stage("side", (2,))),
    )
    rings = (Ring((RingStep("1", (1, 3)), RingStep("2", (2,)))),)
    return with_button(Site("people", (replace(made, rings=rings),)), 3)


def eight_groups(*, with_people: bool = False, lagging: bool = False, early_end: bool = True) -> Site:
    """Eight groups in two rings: 1 2 | 3 4 and 5 6 | 7 8, lefts odd; optionally people 9 with group 2, 10 with 6.

    Intergreen 5 s between any two groups that are not on the same side of the barrier in different rings. The
    stages are all pairs, with every subset of their people if ``early_end``.
    """
    first = (RingStep("1", (1,)), RingStep("2", (2, 9) if with_people else (2,)))
    second = (RingStep("5", (5,)), RingStep("6", (6, 10) if with_people else (6,)))
    if lagging:
        second = (second[1], second[0])
    rings = (
        Ring((*first, RingStep("3", (3,), 2), RingStep("4", (4,), 2))),
        Ring((*second, RingStep("7", (7,), 2), RingStep("8", (8,), 2))),
    )
    groups = tuple(replace(group(i), phase=i) for i in range(1, 9))
    if with_people:
        groups += tuple(
            group(i, kind=GroupKind.PEDESTRIAN, stop=(Step("clearance", 8000),), min_green_ms=7000)
            for i in (9, 10)
        )
    return Site("dual", (_ringed(groups, rings, early_end),))


def _ringed(groups: tuple[SignalGroup, ...], rings: tuple[Ring, ...], early_end: bool) -> Junction:
    """Stages are all combinations of steps on a side; groups that are in none of them together conflict."""
    people = {g.number for g in groups if g.kind is GroupKind.PEDESTRIAN}
    sides = list(dict.fromkeys(step.barrier for ring in rings for step in ring.steps))
    sets: list[tuple[int, ...]] = []
    for side in sides:
        for steps in product(
            *([s for s in ring.steps if s.barrier == side] or [RingStep("", ())] for ring in rings)
        ):
            green = tuple(sorted(g for step in steps for g in step.groups))
            walking = [g for g in green if g in people]
            for chosen in product((True, False), repeat=len(walking) if early_end else 0):
                left_out = {g for g, kept in zip(walking, chosen, strict=False) if not kept}
                sets.append(tuple(g for g in green if g not in left_out))
    sets = [s for s in dict.fromkeys(sets) if s]
    together = {frozenset((a, b)) for green in sets for a in green for b in green}
    stop_ms = {g.number: g.sequence.stop_ms for g in groups}
    meetings = tuple(
        Meeting(
            a.number,
            b.number,
            CONFLICT,
            max(INTERGREEN_MS, stop_ms[a.number] + 1000),
            max(INTERGREEN_MS, stop_ms[b.number] + 1000),
        )
        for a in groups
        for b in groups
        if a.number < b.number and frozenset((a.number, b.number)) not in together
    )
    stages = tuple(Stage("+".join(map(str, green)), green) for green in sets)
    return replace(junction(groups, meetings, stages), rings=rings)


def checked(site: Site) -> Site:
    """The site; anything that validation finds, but about plans, which may want too much, is a mistake in the test."""
    findings = [text for text in validate(site) if "plan" not in text]
    assert findings == []
    return site


def random_local_site(rng: np.random.Generator, junctions: int) -> Site:
    """Random stages or random dual rings, with recalls, passages, maxima, buttons, plans and preempts."""
    drawn = random_site(rng, junctions)
    made = tuple(
        _random_control(rng, base if rng.random() < 0.5 else _random_rings(rng, i + 1))
        for i, base in enumerate(drawn.junctions)
    )
    return checked(replace(drawn, junctions=made))


def _random_rings(rng: np.random.Generator, number: int) -> Junction:
    """Two or three rings, one or two sides, one or two steps of a ring on each, here and there people."""
    groups: list[SignalGroup] = []
    rings = []
    count = int(rng.integers(2, 4))
    complete = int(rng.integers(count))
    for r in range(count):
        steps: list[RingStep] = []
        for side in (1, 2) if r == complete else ((1,), (2,), (1, 2))[rng.integers(3)]:
            for _ in range(int(rng.integers(1, 3))):
                groups.append(group(len(groups) + 1, min_green_ms=int(rng.integers(10, 60)) * 100))
                own: tuple[int, ...] = (groups[-1].number,)
                if rng.random() < 0.25:
                    walk = (Step("clearance", int(rng.integers(10, 60)) * 100),)
                    groups.append(
                        group(len(groups) + 1, kind=GroupKind.PEDESTRIAN, stop=walk, min_green_ms=4000)
                    )
                    own = (*own, groups[-1].number)
                steps.append(RingStep(f"{r}.{len(steps)}", own, side))
        rings.append(Ring(tuple(steps)))
    made = _ringed(tuple(groups), tuple(rings), bool(rng.random() < 0.7))
    return replace(made, id=f"J{number}", device_id=number)


def _random_control(rng: np.random.Generator, base: Junction) -> Junction:
    groups = tuple(
        replace(
            g,
            max_green_ms=max(g.min_green_ms, int(rng.integers(50, 300)) * 100),
            passage_ms=int(rng.integers(0, 50)) * 100,
            recall=Recall(rng.choice(list(Recall), p=[0.8, 0.1, 0.1])),
        )
        for g in base.groups
    )
    buttons = tuple(
        Detector(f"b{g.number}", 200 + g.number, DetectorKind.PEDESTRIAN, "", 0.0, 0.0, 0.0, (g.number,), ())
        for g in groups
        if g.kind is GroupKind.PEDESTRIAN and rng.random() < 0.8
    )
    made = replace(base, groups=groups, detectors=(*base.detectors, *buttons))
    return replace(made, plans=_random_plans(rng, made), preempts=_random_preempts(rng, made))


def step_names(made: Junction) -> list[str]:
    """Names of the ring steps; without rings of the deployed stages, or of all."""
    if made.rings:
        return [step.name for ring in made.rings for step in ring.steps]
    return [s.name for s in made.stages if s.deployed] or [s.name for s in made.stages]


def _random_plans(rng: np.random.Generator, made: Junction) -> tuple[Plan, ...]:
    plans = []
    for i in range(int(rng.integers(1, 3))):
        names = [name for name in step_names(made) if rng.random() < 0.9]
        if names:
            steps = tuple(PlanStep(name, int(rng.integers(40, 200)) * 100) for name in names)
            cycle_ms = int(rng.integers(300, 1200)) * 100
            offset_ms = int(rng.integers(0, cycle_ms // 100)) * 100
            plans.append(Plan(f"P{i}", cycle_ms, offset_ms, steps, str(rng.choice([*names, ""]))))
    return tuple(plans)


def _random_preempts(rng: np.random.Generator, made: Junction) -> tuple[Preempt, ...]:
    names = [stage.name for stage in made.stages]

    def drawn(number: int) -> Preempt:
        track = str(rng.choice(names)) if rng.random() < 0.5 else ""
        return Preempt(
            number,
            str(rng.choice(names)),
            int(rng.integers(0, 100)) * 100,
            int(rng.integers(0, 50)) * 100,
            track,
            int(rng.integers(1, 100)) * 100 if track else 0,
            str(rng.choice(names)) if rng.random() < 0.5 else "",
        )

    count = int(rng.integers(0, 3))
    return tuple(drawn(int(n)) for n in rng.choice(np.arange(1, 6), count, replace=False))

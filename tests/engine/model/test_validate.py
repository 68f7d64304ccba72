"""Every question that a site must answer, each asked of a site that fails just that one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from greensplit.engine.errors import ModelError
from greensplit.engine.model.dual_ring import Overlap, Phase, dual_ring
from greensplit.engine.model.site import (
    GroupKind,
    Junction,
    Link,
    Meeting,
    MeetingKind,
    Plan,
    PlanStep,
    Preempt,
    Ring,
    RingStep,
    Sequence,
    Site,
    Stage,
    Step,
)
from greensplit.engine.model.validate import check, validate

from ..kernels.sites import CONFLICT, crossing, crossroads, group, junction, left_turn, random_site


def changed(site: Site, **fields: Any) -> Site:
    """The site with its first junction changed."""
    return replace(site, junctions=(replace(site.junctions[0], **fields), *site.junctions[1:]))


def group_changed(site: Site, number: int, **fields: Any) -> Site:
    """The site with one group of its first junction changed."""
    groups = tuple(replace(g, **fields) if g.number == number else g for g in site.junctions[0].groups)
    return changed(site, groups=groups)


def first(site: Site) -> Junction:
    return site.junctions[0]


BASE = crossroads()
TURN = left_turn()
FAR = first(BASE).detectors[1]
NEMA = Site(
    "t",
    (
        dual_ring(
            "J", [Phase(n, walk_ms=7000 * (n == 2), ped_clearance_ms=9000 * (n == 2)) for n in range(1, 9)]
        ),
    ),
)
"""Groups 1 to 8 are the phases, 9 are the people of phase 2; yellow and red 4 s, rings 1 2 | 3 4 and 5 6 | 7 8."""
LAP = Site("t", (dual_ring("J", [Phase(2), Phase(4)], overlaps=[Overlap(1, (2, 4)), Overlap(2, (2, 4))]),))
"""Groups 1 and 2 are phases 2 and 4, groups 3 and 4 overlaps A and B of both."""
FREE = Site("t", (junction(tuple(group(n) for n in range(1, 6)), (), (Stage("S1", (1, 2, 3, 4, 5)),)),))
"""Five groups that do not meet."""


def step_changed(which: str, **fields: Any) -> Site:
    """NEMA with one ring step changed."""
    rings = tuple(
        Ring(tuple(replace(step, **fields) if step.name == which else step for step in ring.steps))
        for ring in first(NEMA).rings
    )
    return changed(NEMA, rings=rings)


def split(*greens: tuple[str, int], cycle_ms: int = 100_000, coordinated: str = "") -> Site:
    """NEMA with a plan of these greens; a ring changes four times, 4 s each; ring 1 needs 5 s more for people."""
    steps = tuple(PlanStep(name, ms) for name, ms in greens)
    return changed(NEMA, plans=(Plan("day", cycle_ms, 0, steps, coordinated),))


FIRST = (("1", 10_000), ("2", 37_000), ("3", 10_000), ("4", 22_000))
SECOND = (("5", 10_000), ("6", 41_000), ("7", 10_000), ("8", 22_000))
TRAIN = Preempt(1, "S1", 10_000, track="S2", track_ms=8000)


def preempted(*preempts: Preempt) -> Site:
    return changed(BASE, preempts=preempts)


CASES: dict[str, tuple[Site, str]] = {
    "a junction id twice": (
        replace(BASE, junctions=(first(BASE), replace(first(BASE), device_id=2))),
        "junction id J: expected once, found 2 times",
    ),
    "a device id twice": (
        replace(BASE, junctions=(first(BASE), replace(first(BASE), id="K"))),
        "device_id 1: expected once, found 2 times",
    ),
    "a device id that logs cannot hold": (
        changed(BASE, device_id=-1),
        "junction J: expected a device_id from 0 to 2147483647, found -1",
    ),
    "no red revert": (
        replace(BASE, red_revert_ms=0),
        "red_revert_ms: expected 2000 to 600000 ms, found 0",
    ),
    "more groups than the kernels allow": (
        Site(
            "t",
            (junction(tuple(group(n) for n in range(1, 64)), (), (Stage("S1", tuple(range(1, 64))),)),),
        ),
        "junction J: expected 1 to 62 signal groups, found 63",
    ),
    "groups not numbered in order": (
        Site("t", (junction((group(2), group(1)), (), (Stage("S1", (1, 2)),)),)),
        "junction J: expected groups numbered 1 to 2 in order, found [2, 1]",
    ),
    "a negative minimum green": (
        group_changed(BASE, 1, min_green_ms=-1),
        "junction J: group 1: expected min_green_ms from 0 to 600000 ms, found -1",
    ),
    "a commit time without end": (
        group_changed(BASE, 2, commit_ms=600_001),
        "junction J: group 2: expected commit_ms from 0 to 600000 ms, found 600001",
    ),
    "a yellow of no length": (
        group_changed(BASE, 1, sequence=Sequence(stop=(Step("yellow", 0),))),
        "junction J: group 1: expected yellow from 1 to 600000 ms, found 0",
    ),
    "green before red-amber is over": (
        group_changed(BASE, 1, sequence=Sequence(start=(Step("yellow", 1000),))),
        "junction J: group 1: expected nothing or red_amber between red and green, found ['yellow']",
    ),
    "a vehicle group without yellow": (
        group_changed(BASE, 1, sequence=Sequence(stop=(Step("green_flash", 3000),))),
        "junction J: group 1: expected yellow, or green_flash and yellow, between green and red, "
        "found ['green_flash']",
    ),
    "yellow twice": (
        group_changed(BASE, 1, sequence=Sequence(stop=(Step("yellow", 1000), Step("yellow", 1000)))),
        "junction J: group 1: expected yellow, or green_flash and yellow, between green and red, "
        "found ['yellow', 'yellow']",
    ),
    "people who see yellow": (
        group_changed(BASE, 2, kind=GroupKind.PEDESTRIAN),
        "junction J: group 2: expected clearance, or green_flash and clearance, between green and red, "
        "found ['yellow']",
    ),
    "a lamp in two groups": (
        group_changed(BASE, 2, lamps=(0, 1)),
        "junction J: lamp 0: expected in one group, found in 2",
    ),
    "a lamp that is not there": (
        group_changed(BASE, 2, lamps=(1, 2)),
        "junction J: lamp 2: expected 0 to 1, as many as idle_lamps has letters",
    ),
    "a lamp that also idles": (
        changed(BASE, idle_lamps=".G"),
        "junction J: lamp 1: expected '.' in idle_lamps, since a group shows there",
    ),
    "contradictory meetings": (
        changed(
            BASE,
            meetings=(*first(BASE).meetings, Meeting(2, 1, CONFLICT, 9000, 9000)),
        ),
        "junction J: groups (1, 2): expected one meeting, found 2 that contradict or repeat each other",
    ),
    "a group that meets itself": (
        changed(BASE, meetings=(Meeting(1, 1, MeetingKind.SHARED, 0, 0),)),
        "junction J: meeting of 1 and 1: expected two different groups of 1 to 2",
    ),
    "an intergreen shorter than the yellow": (
        changed(BASE, meetings=(Meeting(1, 2, CONFLICT, 2999, 7000),)),
        "junction J: intergreen from group 1 to 2: expected at least 3000 ms, the time that group 1 takes to red, "
        "and at most 600000; found 2999",
    ),
    "a way back shorter than the pedestrian clearance": (
        changed(crossing(), meetings=(Meeting(1, 2, CONFLICT, 5000, 7999),)),
        "junction J: intergreen from group 2 to 1: expected at least 8000 ms, the time that group 2 takes to red, "
        "and at most 600000; found 7999",
    ),
    "two stages of one name": (
        changed(BASE, stages=(*first(BASE).stages, Stage("S1", (2,)))),
        "junction J: stage S1: expected one of that name, found 2",
    ),
    "a stage with a strange group": (
        changed(BASE, stages=(*first(BASE).stages, Stage("S3", (3,)))),
        "junction J: stage S3: expected groups of 1 to 2, found 3",
    ),
    "a permissive group that is red": (
        changed(BASE, stages=(Stage("S1", (1,), (2,)), Stage("S2", (2,)))),
        "junction J: stage S1: expected its permissive groups to be green in it, found (2,)",
    ),
    "a stage with conflicting groups": (
        changed(BASE, stages=(*first(BASE).stages, Stage("S3", (1, 2)))),
        "junction J: stage S3: expected no conflict, found groups 1 and 2 green together",
    ),
    "a yielding group shown protected": (
        changed(TURN, stages=(Stage("A", (1, 2)), *first(TURN).stages[1:])),
        "junction J: stage A: expected group 2 permissive, since it yields to group 1",
    ),
    "a group in no stage": (
        changed(BASE, stages=(Stage("S1", (1,)),)),
        "junction J: group 2 (group 2): expected in at least one stage, found in none",
    ),
    "a channel twice": (
        changed(BASE, detectors=(FAR, replace(FAR, id="again"))),
        "junction J: detector channel 101: expected once, found 2 times",
    ),
    "a channel that logs cannot hold": (
        changed(BASE, detectors=(replace(FAR, channel=65_536),)),
        "junction J: detector far1: expected a channel from 1 to 65535, found 65536",
    ),
    "a detector assigned to nothing": (
        changed(BASE, detectors=(replace(FAR, groups=()),)),
        "junction J: detector far1: expected at least one group that it serves, found none",
    ),
    "a detector for a strange group": (
        changed(BASE, detectors=(replace(FAR, groups=(1, 3)),)),
        "junction J: detector far1: expected groups of 1 to 2, found (1, 3)",
    ),
    "a lane without a group": (
        changed(BASE, lanes=(replace(first(BASE).lanes[0], groups=()),), detectors=()),
        "junction J: lane in1_0: expected groups of 1 to 2, found ()",
    ),
    "a lane of no known length": (
        changed(BASE, lanes=(replace(first(BASE).lanes[0], storage_m=float("nan")),), detectors=()),
        "junction J: lane in1_0: expected storage_m of 0 or more, found nan",
    ),
    "a plan with a strange stage": (
        changed(BASE, plans=(Plan("day", 60_000, 0, (PlanStep("S9", 1000),)),)),
        "junction J: plan day: expected stages of ['S1', 'S2'], found S9",
    ),
    "a link to nowhere": (
        replace(BASE, links=(Link("J", 1, "K", "in1_0", 1.0, 1, 1.0),)),
        "link J to K: expected known junctions, found K",
    ),
    "a link from a strange group": (
        replace(BASE, links=(Link("J", 3, "J", "in1_0", 1.0, 1, 1.0),)),
        "link from J: expected a group of it, found 3",
    ),
    "an endless place": (
        changed(BASE, y_m=float("inf")),
        "junction J: expected a finite y_m, found inf",
    ),
    "a start in red without end": (
        changed(BASE, start_red_ms=600_001),
        "junction J: expected start_red_ms from 0 to 600000 ms, found 600001",
    ),
    "a maximum below the minimum": (
        group_changed(BASE, 1, max_green_ms=4999),
        "junction J: group 1: expected max_green_ms of at least its min_green_ms, 5000; found 4999",
    ),
    "a maximum without end": (
        group_changed(BASE, 1, max_green_ms=600_001),
        "junction J: group 1: expected max_green_ms from 0 to 600000 ms, found 600001",
    ),
    "a passage time that no controller takes": (
        group_changed(BASE, 1, passage_ms=25_501),
        "junction J: group 1: expected passage_ms from 0 to 25500 ms, found 25501",
    ),
    "a phase beyond 16": (
        group_changed(BASE, 1, phase=17),
        "junction J: group 1: expected phase from 0 to 16, found 17",
    ),
    "an overlap beyond P": (
        group_changed(LAP, 3, overlap=17),
        "junction J: group 3: expected overlap from 0 to 16, found 17",
    ),
    "a phase and an overlap": (
        group_changed(LAP, 3, phase=6),
        "junction J: group 3: expected a phase or an overlap, found phase 6 and overlap 1",
    ),
    "a phase twice": (
        group_changed(NEMA, 2, phase=1),
        "junction J: phase 1: expected one group with it (and its pedestrians), found 2",
    ),
    "an overlap twice": (
        group_changed(LAP, 4, overlap=1),
        "junction J: overlap 1: expected one group with it, found 2",
    ),
    "an overlap of nothing": (
        group_changed(BASE, 2, overlap=1),
        "junction J: group 2: expected parents of overlap 1, found none",
    ),
    "parents of no overlap": (
        group_changed(group_changed(BASE, 1, phase=2), 2, parents=(1,)),
        "junction J: group 2: expected parents of overlaps only, found (1,)",
    ),
    "an overlap of itself": (
        group_changed(LAP, 3, parents=(1, 3)),
        "junction J: group 3: expected other groups as parents, found itself",
    ),
    "an overlap of an unknown phase": (
        group_changed(LAP, 3, parents=(1, 7)),
        "junction J: group 3: expected parents of [1, 2], the groups with a phase; found 7",
    ),
    "five rings": (
        changed(FREE, rings=tuple(Ring((RingStep(str(n), (n,)),)) for n in range(1, 6))),
        "junction J: expected at most 4 rings, found 5",
    ),
    "more combinations than a controller has": (
        changed(
            FREE,
            rings=tuple(
                Ring(tuple(RingStep(f"{r}.{k}", (r,) if r < 4 else (4, 5)) for k in range(9)))
                for r in (1, 2, 3, 4)
            ),
        ),
        "junction J: rings: expected at most 4096 combinations of steps, found 6561",
    ),
    "a ring of nothing": (
        changed(NEMA, rings=(*first(NEMA).rings, Ring(()))),
        "junction J: ring 3: expected at least one step, found none",
    ),
    "two steps of one name": (
        step_changed("6", name="2"),
        "junction J: ring step 2: expected one of that name, found 2",
    ),
    "a step of nothing": (
        changed(BASE, rings=(Ring((RingStep("S1", (1,)), RingStep("S2", (2,)), RingStep("S3", ()))),)),
        "junction J: ring 1, step S3: expected groups of 1 to 2, found ()",
    ),
    "a step of a strange group": (
        changed(BASE, rings=(Ring((RingStep("S1", (1,)), RingStep("S2", (2, 3)))),)),
        "junction J: ring 1, step S2: expected groups of 1 to 2, found (2, 3)",
    ),
    "a group in two rings": (
        changed(FREE, rings=(Ring((RingStep("a", (1, 2, 3, 4)),)), Ring((RingStep("b", (4, 5)),)))),
        "junction J: group 4: expected in steps of one ring, found in rings 1 and 2",
    ),
    "a group in no step": (
        step_changed("2", groups=(2,)),
        "junction J: group 9 (phase 2 walk): expected in a step of a ring, or as an overlap of one, found in none",
    ),
    "barriers in another order": (
        changed(
            NEMA,
            rings=(
                first(NEMA).rings[0],
                Ring(first(NEMA).rings[1].steps[2:] + first(NEMA).rings[1].steps[:2]),
            ),
        ),
        "junction J: ring 2: expected its steps in the order of the barriers, found sides [2, 2, 1, 1]",
    ),
    "a side that is left out": (
        changed(BASE, rings=(Ring((RingStep("S1", (1,), 1), RingStep("S2", (2,), 3))),)),
        "junction J: rings: expected sides of barriers numbered from 1, found [1, 3]",
    ),
    "conflicting steps of two rings": (
        changed(BASE, rings=(Ring((RingStep("S1", (1,)),)), Ring((RingStep("S2", (2,)),)))),
        "junction J: ring steps S1 and S2: expected no conflict on one side of the barriers, found groups 1 and 2",
    ),
    "steps without a stage": (
        changed(NEMA, stages=tuple(s for s in first(NEMA).stages if s.name != "2+5")),
        "junction J: ring steps 2 and 5: expected a stage that holds groups [2, 5, 9], found none",
    ),
    "a split that holds no step": (
        split(("9", 10_000)),
        "junction J: plan day: expected ring steps of ['1', '2', '3', '4', '5', '6', '7', '8'], found 9",
    ),
    "a negative split": (
        changed(BASE, plans=(Plan("day", 60_000, 0, (PlanStep("S1", -1),)),)),
        "junction J: plan day, step S1: expected green_ms from 0 to 600000 ms, found -1",
    ),
    "another step coordinated": (
        split(*FIRST, *SECOND, coordinated="9"),
        "junction J: plan day: expected its coordinated step of ['1', '2', '3', '4', '5', '6', '7', '8'], found 9",
    ),
    "no cycle": (
        split(*FIRST, *SECOND, cycle_ms=0),
        "junction J: plan day: expected cycle_ms from 1 to 3600000 ms, found 0",
    ),
    "the second ring first": (
        split(*SECOND, *FIRST),
        "junction J: plan day: expected all steps of ring 1 first, then those of ring 2; "
        "found rings [2, 2, 2, 2, 1, 1, 1, 1]",
    ),
    "splits longer than the cycle": (
        split(*FIRST, *SECOND, cycle_ms=99_999),
        "junction J: plan day, ring 1: expected greens and changes within the cycle of 99999 ms, "
        "found 79000 + 21000",
    ),
    "a split below the minimum green": (
        split(*FIRST, ("5", 4999), *SECOND[1:]),
        "junction J: plan day: expected at least the minimum green of group 5, 5000 ms; found 4999",
    ),
    "a split below the walk": (
        split(("1", 10_000), ("2", 6999), *FIRST[2:], *SECOND),
        "junction J: plan day: expected at least the minimum green of group 9, 7000 ms; found 6999",
    ),
    "a preempt twice": (
        preempted(TRAIN, TRAIN),
        "junction J: preempt 1: expected once, found 2 times",
    ),
    "a preempt of no number": (
        preempted(replace(TRAIN, number=33)),
        "junction J: preempt 33: expected a number from 1 to 32",
    ),
    "a preempt that dwells nowhere": (
        preempted(replace(TRAIN, dwell="")),
        "junction J: preempt 1: expected dwell to be one of the stages ['S1', 'S2'], found ''",
    ),
    "a preempt with a strange track": (
        preempted(replace(TRAIN, track="S9")),
        "junction J: preempt 1: expected track to be one of the stages ['S1', 'S2'], found 'S9'",
    ),
    "a preempt with a strange exit": (
        preempted(replace(TRAIN, exit="S9")),
        "junction J: preempt 1: expected exit to be one of the stages ['S1', 'S2'], found 'S9'",
    ),
    "a preempt that waits for ever": (
        preempted(replace(TRAIN, delay_ms=600_001)),
        "junction J: preempt 1: expected delay_ms from 0 to 600000 ms, found 600001",
    ),
    "a preempt that dwells a negative time": (
        preempted(replace(TRAIN, dwell_ms=-1)),
        "junction J: preempt 1: expected dwell_ms from 0 to 600000 ms, found -1",
    ),
    "a track that is not cleared": (
        preempted(replace(TRAIN, track_ms=0)),
        "junction J: preempt 1: expected both a track stage and track_ms, or none; found 'S2' and 0",
    ),
    "a detector beyond the end": (
        changed(BASE, detectors=(replace(FAR, distance_m=float("nan")),)),
        "junction J: detector far1: expected distance_m of 0 or more, found nan",
    ),
    "a detector on a strange lane": (
        changed(BASE, detectors=(replace(FAR, lanes=("in9_0",)),)),
        "junction J: detector far1: expected approach lanes of the junction, found in9_0",
    ),
    "a detector for a group of another lane": (
        changed(BASE, detectors=(replace(FAR, groups=(1, 2)),)),
        "junction J: detector far1: expected groups of its lanes [1], found 2",
    ),
    "a lane twice": (
        changed(BASE, lanes=(*first(BASE).lanes, first(BASE).lanes[0])),
        "junction J: lane in1_0: expected one of that name, found 2",
    ),
    "a link to a strange lane": (
        replace(BASE, links=(Link("J", 1, "J", "in9_0", 1.0, 1, 1.0),)),
        "link to J: expected an approach lane of it, found in9_0",
    ),
    "a link in no time": (
        replace(BASE, links=(Link("J", 1, "J", "in1_0", 1.0, 0, 1.0),)),
        "link J group 1 to in1_0: expected travel_ms above 0, found 0",
    ),
    "a link that stores less than nothing": (
        replace(BASE, links=(Link("J", 1, "J", "in1_0", 1.0, 1, -0.1),)),
        "link J group 1 to in1_0: expected storage_veh of 0 or more, found -0.1",
    ),
    "a link of unknown length": (
        replace(BASE, links=(Link("J", 1, "J", "in1_0", float("nan"), 1, 1.0),)),
        "link J group 1 to in1_0: expected length_m of 0 or more, found nan",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_site_that_fails_one_question_gets_that_one_answer(case: str) -> None:
    """The answer names the place, what was expected and what was found, and nothing else is said."""
    site, finding = CASES[case]
    assert validate(site) == [finding]


def test_a_junction_without_stages_is_told_so() -> None:
    """Then no group is in a stage either, which is said too."""
    findings = validate(changed(BASE, stages=()))
    assert findings[0] == "junction J: expected at least one stage, found none"
    assert len(findings) == 3


@pytest.mark.parametrize(
    "site", [crossroads(), left_turn(), crossing()], ids=["crossroads", "turn", "people"]
)
def test_a_good_site_raises_no_question(site: Site) -> None:
    """The sites by hand that the other tests use."""
    assert validate(site) == []


def test_check_raises_the_first_finding_and_counts_the_rest() -> None:
    """One line, even when much is wrong."""
    bad = group_changed(group_changed(BASE, 1, min_green_ms=-1), 2, min_green_ms=-1)
    with pytest.raises(ModelError, match=r"group 1: expected min_green_ms .* found -1 \(1 more findings\)$"):
        check(bad)
    check(BASE)


@pytest.mark.parametrize("seed", range(20))
def test_no_nonsense_makes_validate_itself_fail(seed: int) -> None:
    """Numbers that point nowhere are answered in words, not by an exception."""
    rng = np.random.default_rng(seed)
    site = random_site(rng, 1)
    wild = [int(x) for x in rng.integers(-3, 90, 40)]
    bad = changed(
        site,
        groups=tuple(
            replace(g, number=wild[i], lamps=(wild[i + 9],)) for i, g in enumerate(first(site).groups)
        ),
        meetings=tuple(replace(m, first=wild[i + 18]) for i, m in enumerate(first(site).meetings)),
        stages=tuple(replace(s, green=(wild[i + 25],)) for i, s in enumerate(first(site).stages)),
        rings=tuple(
            Ring(tuple(RingStep(f"S{k}", (wild[r + k], wild[k]), wild[r]) for k in range(3)))
            for r in range(6)
        ),
        plans=(Plan("wild", wild[0], wild[1], (PlanStep("S1", wild[2]), PlanStep("S0", wild[3])), "S2"),),
        preempts=(Preempt(wild[4], "S1", wild[5]),),
        lanes=tuple(replace(lane, groups=(wild[7],)) for lane in first(site).lanes),
    )
    assert validate(bad)

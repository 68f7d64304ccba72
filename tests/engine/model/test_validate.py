"""Every question that a site must answer, each asked of a site that fails just that one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from greensplit.engine.errors import ModelError
from greensplit.engine.model.site import (
    GroupKind,
    Junction,
    Link,
    Meeting,
    MeetingKind,
    Plan,
    PlanStep,
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
    )
    assert validate(bad)

"""The fast judge itself: it accepts good lamps drawn by hand and objects to bad ones, each for the right reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.benchmarks.safety.judge import (
    OBJECTIONS,
    judge_lamps,
    judge_release,
    keep_notes,
    new_notes,
    open_book,
    starts_despite,
)
from greensplit.engine.model.site import Meeting, Site, Step

from ..engine.kernels.drive import LETTERS
from ..engine.kernels.sites import SHARED, crossing, crossroads, group, left_turn, site

Steps = list[tuple[float, str]]


def flashing() -> Site:
    """The crossroads; group 1 flashes green for 2 s before yellow."""
    base = crossroads().junctions[0]
    first = group(1, stop=(Step("green_flash", 2000), Step("yellow", 3000)))
    return site(replace(base, groups=(first, base.groups[1])))


def with_red_amber() -> Site:
    """The crossroads; group 1 shows red-amber for 1 s."""
    base = crossroads().junctions[0]
    return site(replace(base, groups=(group(1, start=(Step("red_amber", 1000),)), base.groups[1])))


def shared(there_ms: int, back_ms: int) -> Site:
    """The crossroads, as if a program showed both greens together."""
    base = crossroads().junctions[0]
    return site(replace(base, meetings=(Meeting(1, 2, SHARED, there_ms, back_ms),)))


def aspects(letters: str) -> np.ndarray:
    return np.array([LETTERS.index(letter) for letter in letters], np.uint8)


def said(made: Site, steps: Steps, *, retreats: bool = False) -> list[str]:
    """Everything that is said about a film of lamps, in order."""
    book = open_book(made)
    notes = new_notes(book)
    found = []
    for at_s, letters in steps:
        tally = np.zeros((1, len(OBJECTIONS)), np.int64)
        now_ms = round(at_s * 1000)
        judge_lamps(book, notes, aspects(letters), np.array([retreats], np.uint8), now_ms, tally)
        keep_notes(notes, aspects(letters), now_ms)
        found += [name for name, count in zip(OBJECTIONS, tally[0], strict=True) for _ in range(count)]
    return found


GOOD: dict[str, tuple[Site, Steps]] = {
    "a change there and back, just long enough": (
        crossroads(),
        [(0, "Gr"), (5, "yr"), (8, "rr"), (10, "rG"), (15, "ry"), (18, "rr"), (22, "Gr")],
    ),
    "a walk, just long enough": (
        crossing(),
        [(0, "rG"), (7, "rc"), (15, "rr"), (17, "Gr"), (22, "yr"), (25, "rr"), (26, "rG")],
    ),
    "green flash and yellow": (flashing(), [(0, "Gr"), (5, "Fr"), (7, "yr"), (10, "rr"), (12, "Gr")]),
    "red-amber": (with_red_amber(), [(0, "ur"), (1, "Gr"), (6, "yr"), (9, "rr"), (11, "ur"), (12, "Gr")]),
    "a turn that ends with its opposing traffic": (left_turn(), [(0, "Ggr"), (5, "yyr"), (8, "rrr")]),
    "a turn that outlasts its opposing traffic and is promoted after 6 s": (
        left_turn(),
        [(0, "Ggr"), (5, "ygr"), (8, "rgr"), (11, "rGr"), (12, "ryr"), (15, "rrr")],
    ),
    "a turn demoted as its opposing traffic starts": (left_turn(), [(0, "rGr"), (9, "Ggr")]),
    "a shared pair in one tick": (shared(0, 0), [(0, "Gr"), (9, "yG"), (12, "rG")]),
    "flash from all red and back": (
        crossroads(),
        [(0, "rG"), (5, "ry"), (8, "rr"), (12, "--"), (13, "rr"), (15, "Gr")],
    ),
}

BAD: dict[str, tuple[Site, Steps, str]] = {
    "two greens that conflict": (crossroads(), [(0, "GG")], "conflicting greens"),
    "permissive is no excuse": (crossroads(), [(0, "gg")], "conflicting greens"),
    "a protected turn beside what it yields to": (left_turn(), [(0, "GGr")], "conflicting greens"),
    "a green of 4.9 s": (crossroads(), [(0, "Gr"), (4.9, "yr")], "short green"),
    "a green that is short, permissive in between": (
        left_turn(),
        [(0, "rGr"), (3, "rgr"), (4.9, "ryr")],
        "short green",
    ),
    "green to red": (crossroads(), [(0, "Gr"), (9, "rr")], "skipped yellow or clearance"),
    "green flash to red": (flashing(), [(0, "Gr"), (9, "Fr"), (11, "rr")], "skipped yellow or clearance"),
    "a green flash of 1.9 s": (flashing(), [(0, "Gr"), (9, "Fr"), (10.9, "yr")], "short yellow or clearance"),
    "a yellow of 2.9 s": (crossroads(), [(0, "Gr"), (9, "yr"), (11.9, "rr")], "short yellow or clearance"),
    "a yellow of 2.9 s after green flash": (
        flashing(),
        [(0, "Gr"), (9, "Fr"), (11, "yr"), (13.9, "rr")],
        "short yellow or clearance",
    ),
    "yellow to green": (crossroads(), [(0, "Gr"), (9, "yr"), (12, "Gr")], "out of order"),
    "red to yellow": (crossroads(), [(0, "yr")], "out of order"),
    "an intergreen of 4.9 s": (
        crossroads(),
        [(0, "Gr"), (9, "yr"), (12, "rr"), (13.9, "rG")],
        "short intergreen",
    ),
    "an intergreen of 6.9 s the other way": (
        crossroads(),
        [(0, "rG"), (9, "ry"), (12, "rr"), (15.9, "Gr")],
        "short intergreen",
    ),
    "in one tick": (crossroads(), [(0, "Gr"), (9, "yG")], "short intergreen"),
    "a promotion after 5.9 s": (
        left_turn(),
        [(0, "Ggr"), (5, "ygr"), (8, "rgr"), (10.9, "rGr")],
        "short intergreen",
    ),
    "a shared pair, one after the other": (
        shared(5000, 5000),
        [(0, "Gr"), (9, "yr"), (12, "rr"), (13.9, "rG")],
        "short intergreen",
    ),
    "a red of 1.9 s": (
        crossroads(),
        [(0, "Gr"), (9, "yr"), (12, "rr"), (13.9, "Gr")],
        "short red or red-amber",
    ),
    "a red-amber of 0.9 s": (with_red_amber(), [(0, "ur"), (0.9, "Gr")], "short red or red-amber"),
    "no red-amber": (with_red_amber(), [(0, "Gr")], "out of order"),
    "red-amber where there is none": (crossroads(), [(0, "ur")], "out of order"),
    "red-amber broken off": (with_red_amber(), [(0, "ur"), (1, "rr")], "out of order"),
    "a yellow trap": (left_turn(), [(0, "Ggr"), (9, "Gyr")], "yellow trap"),
    "one dark, one not": (crossroads(), [(0, "-r")], "out of order"),
    "dark from yellow": (crossroads(), [(0, "Gr"), (9, "yr"), (12, "--")], "out of order"),
    "dark before all is clear": (
        crossroads(),
        [(0, "rG"), (5, "ry"), (8, "rr"), (11.9, "--")],
        "short intergreen",
    ),
    "dark to green": (crossroads(), [(0, "--"), (9, "Gr")], "out of order"),
    "green at once after flash": (
        crossroads(),
        [(0, "--"), (9, "rr"), (10.9, "Gr")],
        "short red or red-amber",
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_good_lamps_are_accepted(case: str) -> None:
    """Nothing to object to, on the near side of every limit."""
    assert said(*GOOD[case]) == []


@pytest.mark.parametrize("case", BAD)
def test_bad_lamps_are_objected_to(case: str) -> None:
    """For the reason that was broken, and for no other."""
    made, steps, reason = BAD[case]
    assert set(said(made, steps)) == {reason}


def test_every_objection_has_a_case() -> None:
    """None of the eight is there in name only."""
    assert {reason for _, _, reason in BAD.values()} == set(OBJECTIONS)


def test_only_a_junction_that_retreats_breaks_off_red_amber() -> None:
    """The same film, in retreat."""
    assert said(with_red_amber(), [(0, "ur"), (1, "rr")], retreats=True) == []


@pytest.mark.parametrize(("at_s", "early"), [(17.9, True), (18.0, False)])
def test_a_junction_is_released_when_everybody_is_cleared(at_s: float, early: bool) -> None:
    """Walk until 8 s, clearance until 16 s; the street may follow 10 s after the walk, at 18 s."""
    book = open_book(crossing())
    notes = new_notes(book)
    for now_s, letters in [(0, "rG"), (8, "rc"), (16, "rr")]:
        keep_notes(notes, aspects(letters), now_s * 1000)
    tally = np.zeros((1, len(OBJECTIONS)), np.int64)
    judge_release(book, notes, np.ones(1, np.uint8), round(at_s * 1000), tally)
    assert bool(tally.any()) == early


def test_starts_of_barred_groups_are_counted() -> None:
    """Of two junctions, group 2 of the second is barred; starts of 1 and of the first junction are free."""
    base = crossroads().junctions[0]
    book = open_book(site(base, replace(base, id="K", device_id=2)))
    red, barred = aspects("rrrr"), np.array([0, 0b10], np.int64)
    assert starts_despite(book, red, aspects("GGGr"), barred) == 0
    assert starts_despite(book, red, aspects("rrrG"), barred) == 1
    assert starts_despite(book, red, aspects("rrru"), barred) == 1
    assert starts_despite(book, aspects("rrrG"), aspects("rrrg"), barred) == 0

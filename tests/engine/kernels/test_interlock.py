"""The interlock: each fault provoked alone by lamps drawn by hand, what it then shows, and when it lets go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.engine.kernels.interlock import FAULT_NAMES, check_lamps
from greensplit.engine.kernels.state import new_faults, new_lamps
from greensplit.engine.model.compiled import compile_rules
from greensplit.engine.model.site import Meeting, MeetingKind, Site, Stage, Step

from .drive import LETTERS
from .sites import CONFLICT, crossing, crossroads, group, left_turn, site


class Guard:
    """An interlock and what it lets through, in the letters of ``drive.LETTERS``."""

    def __init__(self, made: Site, *, observe: bool = False) -> None:
        self.rules = compile_rules(made)
        self.lamps = new_lamps(len(self.rules.min_green_ms))
        self.faults = new_faults(len(made.junctions))
        self.released = np.zeros(len(made.junctions), np.uint8)
        self.observe = observe

    def show(self, at_s: float, letters: str) -> str:
        """What is shown after ``letters`` were proposed."""
        proposed = np.array([LETTERS.index(letter) for letter in letters], np.uint8)
        now_ms = round(at_s * 1000)
        check_lamps(self.rules, self.lamps, self.faults, proposed, self.released, now_ms, self.observe)
        return "".join(LETTERS[a] for a in self.lamps.aspect)

    def fault(self, j: int = 0) -> tuple[str, int, int]:
        """Name, and both groups by number; 0 for none."""
        f = self.faults
        return FAULT_NAMES[f.code[j]], int(f.first[j]) + 1, int(f.second[j]) + 1


def flashing() -> Site:
    """The crossroads; group 1 flashes green for 2 s before yellow."""
    base = crossroads().junctions[0]
    first = group(1, stop=(Step("green_flash", 2000), Step("yellow", 3000)))
    return site(replace(base, groups=(first, base.groups[1])))


def with_red_amber() -> Site:
    base = crossroads().junctions[0]
    return site(replace(base, groups=(group(1, start=(Step("red_amber", 1000),)), base.groups[1])))


CASES: dict[str, tuple[Site, list[tuple[float, str]], tuple[str, int, int]]] = {
    "two greens that conflict, one after the other": (
        crossroads(),
        [(0, "Gr"), (30, "GG")],
        ("conflicting greens", 1, 2),
    ),
    "two greens that conflict, in one tick": (crossroads(), [(0, "GG")], ("conflicting greens", 1, 2)),
    "permissive is no excuse for a conflict": (
        crossroads(),
        [(0, "gr"), (30, "gg")],
        ("conflicting greens", 1, 2),
    ),
    "a yielding turn shown protected": (left_turn(), [(0, "GGr")], ("conflicting greens", 2, 1)),
    "a permissive turn promoted against open traffic": (
        left_turn(),
        [(0, "Ggr"), (9, "GGr")],
        ("conflicting greens", 2, 1),
    ),
    "a green of 4.9 s": (crossroads(), [(0, "Gr"), (4.9, "yr")], ("short minimum green", 1, 0)),
    "a walk of 6.9 s": (crossing(), [(0, "rG"), (6.9, "rc")], ("short minimum green", 2, 0)),
    "green to red": (crossroads(), [(0, "Gr"), (9, "rr")], ("skipped yellow or pedestrian clearance", 1, 0)),
    "walk to don't walk": (
        crossing(),
        [(0, "rG"), (9, "rr")],
        ("skipped yellow or pedestrian clearance", 2, 0),
    ),
    "yellow where green flash comes first": (
        flashing(),
        [(0, "Gr"), (9, "yr")],
        ("skipped yellow or pedestrian clearance", 1, 0),
    ),
    "green flash to red": (
        flashing(),
        [(0, "Gr"), (9, "Fr"), (12, "rr")],
        ("skipped yellow or pedestrian clearance", 1, 0),
    ),
    "a yellow of 2.9 s": (
        crossroads(),
        [(0, "Gr"), (9, "yr"), (11.9, "rr")],
        ("short yellow or pedestrian clearance", 1, 0),
    ),
    "a pedestrian clearance of 7.9 s": (
        crossing(),
        [(0, "rG"), (9, "rc"), (16.9, "rr")],
        ("short yellow or pedestrian clearance", 2, 0),
    ),
    "a green flash of 1.9 s": (
        flashing(),
        [(0, "Gr"), (9, "Fr"), (10.9, "yr")],
        ("short yellow or pedestrian clearance", 1, 0),
    ),
    "a yellow of 2.9 s after a green flash": (
        flashing(),
        [(0, "Gr"), (9, "Fr"), (11, "yr"), (13.9, "rr")],
        ("short yellow or pedestrian clearance", 1, 0),
    ),
    "an intergreen of 4.9 s instead of 5 s": (
        crossroads(),
        [(0, "Gr"), (9, "yr"), (12, "rr"), (13.9, "rG")],
        ("short intergreen", 1, 2),
    ),
    "an intergreen of 6.9 s instead of 7 s the other way": (
        crossroads(),
        [(0, "rG"), (9, "ry"), (12, "rr"), (15.9, "Gr")],
        ("short intergreen", 2, 1),
    ),
    "a street 9.9 s after the walk": (
        crossing(),
        [(0, "rG"), (9, "rc"), (17, "rr"), (18.9, "Gr")],
        ("short intergreen", 2, 1),
    ),
    "a turn promoted 5.9 s after its opposing traffic": (
        left_turn(),
        [(0, "Ggr"), (9, "ygr"), (12, "rgr"), (14.9, "rGr")],
        ("short intergreen", 1, 2),
    ),
    "one starts as the other ends": (crossroads(), [(0, "Gr"), (9, "yG")], ("short intergreen", 1, 2)),
    "green again after 1.9 s of red": (
        crossroads(),
        [(0, "Gr"), (9, "yr"), (12, "rr"), (13.9, "Gr")],
        ("re-green before the red-revert time", 1, 0),
    ),
    "red-amber again after 1.9 s of red": (
        with_red_amber(),
        [(0, "ur"), (1, "Gr"), (9, "yr"), (12, "rr"), (13.9, "ur")],
        ("re-green before the red-revert time", 1, 0),
    ),
    "a red-amber of 0.9 s": (
        with_red_amber(),
        [(0, "ur"), (0.9, "Gr")],
        ("short red-amber", 1, 0),
    ),
    "a left turn that ends before its opposing traffic": (
        left_turn(),
        [(0, "Ggr"), (9, "Gyr")],
        ("yellow trap", 2, 1),
    ),
    "one dark, one red": (crossroads(), [(0, "-r")], ("aspect out of sequence", 1, 0)),
    "dark from green": (
        crossroads(),
        [(0, "Gr"), (9, "--")],
        ("aspect out of sequence", 1, 0),
    ),
    "green from dark": (crossroads(), [(0, "--"), (9, "Gr")], ("aspect out of sequence", 1, 0)),
    "dark 1.9 s after yellow, where 2 s clear": (
        crossroads(),
        [(0, "Gr"), (9, "yr"), (12, "rr"), (13.9, "--")],
        ("short intergreen", 1, 0),
    ),
    "red straight to yellow": (crossroads(), [(0, "yr")], ("aspect out of sequence", 1, 0)),
    "red-amber where there is none": (crossroads(), [(0, "ur")], ("aspect out of sequence", 1, 0)),
    "green without its red-amber": (with_red_amber(), [(0, "Gr")], ("aspect out of sequence", 1, 0)),
    "red-amber back to red": (with_red_amber(), [(0, "ur"), (1, "rr")], ("aspect out of sequence", 1, 0)),
    "yellow back to green": (
        crossroads(),
        [(0, "Gr"), (9, "yr"), (12, "Gr")],
        ("aspect out of sequence", 1, 0),
    ),
    "green flash back to green": (
        flashing(),
        [(0, "Gr"), (9, "Fr"), (12, "Gr")],
        ("aspect out of sequence", 1, 0),
    ),
    "lamps switched off under our control": (
        crossroads(),
        [(0, "Gr"), (9, "-r")],
        ("aspect out of sequence", 1, 0),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_fault_is_found_alone_named_and_kept_from_the_lamps(case: str) -> None:
    """Everything up to the last step passes; that step is refused, with one finding and the groups it is about."""
    made, steps, expected = CASES[case]
    guard = Guard(made)
    for at_s, letters in steps[:-1]:
        assert guard.show(at_s, letters) == letters
        assert guard.faults.findings[0] == 0
    at_s, letters = steps[-1]
    shown = guard.show(at_s, letters)
    assert shown != letters or case == "red-amber back to red"  # which is also the way back
    assert guard.fault() == expected
    assert guard.faults.at_ms[0] == round(at_s * 1000)
    assert guard.faults.findings[0] == (2 if case.startswith(("two", "perm")) and "conflict" in case else 1)


GOOD: dict[str, tuple[Site, list[tuple[float, str]]]] = {
    "the change, each time just long enough": (
        crossroads(),
        [(0, "Gr"), (5, "yr"), (8, "rr"), (10, "rG"), (15, "ry"), (18, "rr"), (22, "Gr")],
    ),
    "the walk, each time just long enough": (
        crossing(),
        [(0, "rG"), (7, "rc"), (15, "rr"), (17, "Gr"), (22, "yr"), (25, "rr"), (26, "rG")],
    ),
    "green flash and yellow": (flashing(), [(0, "Gr"), (5, "Fr"), (7, "yr"), (10, "rr"), (12, "Gr")]),
    "red-amber": (with_red_amber(), [(0, "ur"), (1, "Gr"), (6, "yr"), (9, "rr"), (11, "ur"), (12, "Gr")]),
    "a left turn that ends with its opposing traffic": (left_turn(), [(0, "Ggr"), (5, "yyr"), (8, "rrr")]),
    "a left turn that outlasts its opposing traffic": (
        left_turn(),
        [(0, "Ggr"), (5, "ygr"), (8, "rgr"), (11, "rGr"), (12, "ryr"), (15, "rrr")],
    ),
    "a left turn demoted as its opposing traffic starts": (left_turn(), [(0, "rGr"), (9, "Ggr")]),
    "a longer yellow than needed": (crossroads(), [(0, "Gr"), (5, "yr"), (30, "rr")]),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_is_just_long_enough_passes_unchanged(case: str) -> None:
    """The other side of every limit."""
    made, steps = GOOD[case]
    guard = Guard(made)
    for at_s, letters in steps:
        assert guard.show(at_s, letters) == letters
    assert guard.fault() == ("none", 0, 0)


def test_a_pair_that_the_program_shows_may_be_green_together_and_change_freely() -> None:
    """A shared pair has no intergreen, but each keeps its own yellow."""
    base = crossroads().junctions[0]
    guard = Guard(site(replace(base, meetings=(Meeting(1, 2, MeetingKind.SHARED, 0, 0),))))
    for at_s, letters in [(0, "Gr"), (9, "yG"), (12, "rG"), (14, "GG")]:
        assert guard.show(at_s, letters) == letters
    assert guard.fault() == ("none", 0, 0)


def test_a_shared_pair_with_an_intergreen_is_held_to_it() -> None:
    """Green together passes; one 4.9 s after the other does not where 5 s are asked for."""
    base = crossroads().junctions[0]
    made = site(replace(base, meetings=(Meeting(1, 2, MeetingKind.SHARED, 5000, 5000),)))
    guard = Guard(made)
    for at_s, letters in [(0, "GG"), (9, "yG"), (12, "ry"), (15, "rr"), (17, "rG")]:
        assert guard.show(at_s, letters) == letters
    guard = Guard(made)
    assert [guard.show(t, s) for t, s in [(0, "Gr"), (9, "yr"), (12, "rr")]] == ["Gr", "yr", "rr"]
    assert guard.show(13.9, "rG") == "rr"
    assert guard.fault() == ("short intergreen", 1, 2)


def test_a_refused_junction_goes_to_red_by_its_own_sequences_and_is_released_when_cleared() -> None:
    """Conflict at 6 s: yellow at once, red at 9 s; group 1 clears in 2 s, so free at 11 s."""
    guard = Guard(crossroads())
    shown, released = [], []
    for t in range(14):
        shown.append(guard.show(t, "Gr" if t < 6 else "GG"))
        released.append(int(guard.released[0]))
    assert shown == ["Gr"] * 6 + ["yr"] * 3 + ["rr"] * 5
    assert released == [0] * 11 + [1] * 3


def test_a_retreat_ends_all_greens_together_after_the_last_minimum() -> None:
    """Left turn since 0 s, its opposing traffic since 4 s, fault at 6 s: both yellow at 9 s, so no yellow trap."""
    guard = Guard(left_turn())
    plan = {0: "rgr", 4: "Ggr", 6: "GgG"}
    shown = [guard.show(t, plan[max(k for k in plan if k <= t)]) for t in range(13)]
    assert shown == ["rgr"] * 4 + ["Ggr"] * 5 + ["yyr"] * 3 + ["rrr"]


def test_a_retreat_waits_for_the_longest_red_clearance_and_at_least_the_red_revert() -> None:
    """Group 2 clears in 4 s (7 s less 3 s of yellow): conflict at 6 s, red at 9 s, free at 13 s."""
    guard = Guard(crossroads())
    released_at = next(t for t in range(30) if (guard.show(t, "rG" if t < 6 else "GG"), guard.released[0])[1])
    assert released_at == 13
    short = crossroads().junctions[0]
    close = site(replace(short, meetings=(Meeting(1, 2, CONFLICT, 3000, 3000),)))
    guard = Guard(close)
    released_at = next(t for t in range(30) if (guard.show(t, "rG" if t < 6 else "GG"), guard.released[0])[1])
    assert released_at == 11  # no red clearance at all: red revert


def test_a_retreat_passes_green_flash_yellow_and_people_s_clearance() -> None:
    """Flash 2 s then yellow 3 s; clearance 8 s; red-amber drops straight to red. Faults come at 1 s."""
    guard = Guard(flashing())
    assert "".join(guard.show(t, "Gr" if t < 1 else "GG")[0] for t in range(12)) == "GGGGGFFyyyrr"
    guard = Guard(crossing())
    assert "".join(guard.show(t, "rG" if t < 1 else "GG")[1] for t in range(17)) == "GGGGGGGccccccccrr"
    guard = Guard(with_red_amber())
    assert [guard.show(t, "ur" if t < 1 else "uy") for t in range(2)] == ["ur", "rr"]


def test_a_retreat_finishes_a_yellow_that_has_begun() -> None:
    """Yellow since 9 s, fault at 10 s: red at 12 s as if nothing had happened."""
    guard = Guard(crossroads())
    plan = {0: "Gr", 9: "yr", 10: "yG"}
    shown = [guard.show(t, plan[max(k for k in plan if k <= t)])[0] for t in range(14)]
    assert "".join(shown) == "G" * 9 + "yyy" + "rr"


def test_a_refusal_latches() -> None:
    """Flawless proposals do not lift it, and later faults do not replace the first."""
    guard = Guard(crossroads())
    guard.show(0, "Gr")
    guard.show(9, "GG")
    for t in range(10, 60):
        assert guard.show(t, "rr") in ("yr", "rr")
    assert guard.show(60, "Gr") == "rr"
    assert guard.fault() == ("conflicting greens", 1, 2)
    assert guard.faults.at_ms[0] == 9000


def test_other_junctions_go_on() -> None:
    """Junction J faults at 9 s; K changes stage as if nothing had happened."""
    k = replace(crossroads().junctions[0], id="K", device_id=2)
    guard = Guard(site(crossroads().junctions[0], k))
    assert guard.show(0, "GrGr") == "GrGr"
    assert guard.show(9, "GGyr") == "yryr"
    assert guard.show(12, "GGrr") == "rrrr"
    assert guard.show(14, "GGrG") == "rrrG"
    assert guard.faults.code.tolist() == [1, 0]
    assert guard.fault(1) == ("none", 0, 0)


def test_observing_counts_and_alters_nothing() -> None:
    """Conflict, short yellow, short green, red-amber out of nowhere, dark: all shown as proposed, faults counted."""
    guard = Guard(crossroads(), observe=True)
    steps = [(0, "Gr"), (9, "GG"), (10, "yG"), (11, "rG"), (12, "uG"), (13, "--"), (40, "rr")]
    counts = []
    for at_s, letters in steps:
        assert guard.show(at_s, letters) == letters
        counts.append(int(guard.faults.findings[0]))
    # 9 s: conflict from both sides. 11 s: yellow of 1 s. 12 s: red-amber where there is none. Dark is no fault.
    assert counts == [0, 2, 2, 3, 4, 4, 4]
    assert guard.released[0] == 0


def test_observing_keeps_the_times_of_what_was_shown() -> None:
    """A green that came by a fault still has its own minimum."""
    guard = Guard(crossroads(), observe=True)
    guard.show(0, "Gr")
    guard.show(9, "GG")
    before = int(guard.faults.findings[0])
    guard.show(13.9, "Gy")
    assert guard.faults.findings[0] == before + 1


def test_every_fault_has_a_case() -> None:
    """All nine codes are provoked above."""
    assert {name for _, _, (name, _, _) in CASES.values()} == set(FAULT_NAMES) - {"none"}


def test_a_turn_that_yields_may_not_start_green_beside_open_traffic_that_it_meets() -> None:
    """Permissive beside it is fine; the through may not start while the turn is still protected."""
    base = left_turn().junctions[0]
    guard = Guard(site(replace(base, stages=(*base.stages, Stage("E", (1, 2), (2,))))))
    assert guard.show(0, "rGr") == "rGr"
    assert guard.show(9, "GGr") != "GGr"
    assert guard.fault() == ("conflicting greens", 2, 1)

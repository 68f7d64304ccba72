"""Timings of the signal machine, worked out by hand. A strip has one letter a tick: see ``drive.LETTERS``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from greensplit.engine.model.site import GroupKind, Meeting, MeetingKind, Site, Stage, Step

from .drive import strips, switch_at
from .sites import CONFLICT, PERMISSIVE, crossing, crossroads, group, junction, left_turn, site


def test_everything_starts_red_and_the_first_stage_opens_at_once() -> None:
    """Nothing was green before, so nothing has to be cleared."""
    assert strips(crossroads(), switch_at({}), 3000) == ("GGG", "rrr")


def test_a_change_takes_yellow_and_intergreen() -> None:
    """Request at 8 s: yellow 3 s (8, 9, 10), red from 11, the other green 5 s after 8, at 13."""
    one, two = strips(crossroads(), switch_at({8000: 1}), 16_000)
    assert one == "GGGGGGGG" + "yyy" + "rrrrr"
    assert two == "rrrrrrrr" + "rrrrr" + "GGG"


def test_each_direction_of_change_has_its_own_intergreen() -> None:
    """1 to 2 takes 5 s (8 to 13), 2 to 1 takes 7 s (20 to 27)."""
    one, two = strips(crossroads(), switch_at({8000: 1, 20_000: 0}), 30_000)
    assert two == "r" * 13 + "G" * 7 + "yyy" + "r" * 7
    assert one == "G" * 8 + "yyy" + "r" * 16 + "GGG"


def test_minimum_green_is_honoured_however_early_the_request() -> None:
    """Asked from the first tick: group 1 still shows 5 s, then group 2 (from 10 s) 5 s as well."""
    one, two = strips(crossroads(), switch_at({0: 1, 11_000: 0}), 20_000)
    assert one == "GGGGG" + "yyy" + "r" * 12
    assert two == "r" * 10 + "GGGGG" + "yyy" + "rr"


def test_a_request_is_taken_only_when_the_stage_shows_in_full() -> None:
    """At 9 s, in mid-change to group 2, group 1 is asked for: group 2 still gets its minimum green first."""
    one, two = strips(crossroads(), switch_at({8000: 1, 9000: 0}), 26_000)
    assert two == "r" * 13 + "GGGGG" + "yyy" + "r" * 5
    assert one == "G" * 8 + "yyy" + "r" * 14 + "G"


@pytest.mark.parametrize("nonsense", [2, 99, -7])
def test_a_request_for_no_stage_changes_nothing(nonsense: int) -> None:
    """Beyond the stages or below -1."""
    assert strips(crossroads(), switch_at({}, nonsense), 12_000)[0] == "G" * 12


def test_times_are_rounded_up_to_the_tick() -> None:
    """Yellow 2.5 s takes 3 ticks of 1 s, an intergreen of 4.1 s takes 5, a minimum green of 5.2 s takes 6."""
    odd = group(1, stop=(Step("yellow", 2500),), min_green_ms=5200)
    made = site(
        junction(
            (odd, group(2)),
            (Meeting(1, 2, CONFLICT, 4100, 7000),),
            (Stage("S1", (1,)), Stage("S2", (2,))),
        )
    )
    one, two = strips(made, switch_at({0: 1}), 13_000)
    assert one == "GGGGGG" + "yyy" + "rrrr"
    assert two == "r" * 11 + "GG"


def test_times_are_exact_where_the_tick_divides_them() -> None:
    """The same in ticks of 100 ms: 52 green, 25 yellow, green 41 after the end of green."""
    odd = group(1, stop=(Step("yellow", 2500),), min_green_ms=5200)
    made = site(
        junction(
            (odd, group(2)),
            (Meeting(1, 2, CONFLICT, 4100, 7000),),
            (Stage("S1", (1,)), Stage("S2", (2,))),
        )
    )
    one, two = strips(made, switch_at({0: 1}), 10_000, 100)
    assert one == "G" * 52 + "y" * 25 + "r" * 23
    assert two == "r" * 93 + "G" * 7


def with_red_amber(ms: int) -> Site:
    """The crossroads, group 2 with red-amber."""
    base = crossroads().junctions[0]
    second = group(2, start=(Step("red_amber", ms),))
    return site(replace(base, groups=(base.groups[0], second)))


def test_red_amber_is_the_end_of_the_intergreen() -> None:
    """Green comes 5 s after the other's end as before, its last 1 s red-amber (RiLSA 2015: intergreen to green)."""
    one, two = strips(with_red_amber(1000), switch_at({8000: 1}), 16_000)
    assert one == "G" * 8 + "yyy" + "r" * 5
    assert two == "r" * 12 + "u" + "GGG"


def test_red_amber_is_rounded_up_too() -> None:
    """1.5 s of red-amber: starts at 12 s (11.5 s would be early enough), shows 2 ticks."""
    assert strips(with_red_amber(1500), switch_at({8000: 1}), 16_000)[1] == "r" * 12 + "uu" + "GG"


def test_green_flash_comes_before_yellow_and_counts_from_the_end_of_green() -> None:
    """2 s of flash and 3 s of yellow within an intergreen of 6 s: the next green 6 s after the flash began."""
    base = crossroads().junctions[0]
    flashing = group(1, stop=(Step("green_flash", 2000), Step("yellow", 3000)))
    made = site(
        replace(
            base,
            groups=(flashing, base.groups[1]),
            meetings=(Meeting(1, 2, CONFLICT, 6000, 7000),),
        )
    )
    one, two = strips(made, switch_at({8000: 1}), 16_000)
    assert one == "G" * 8 + "FF" + "yyy" + "rrr"
    assert two == "r" * 14 + "GG"


def test_people_get_their_walk_and_their_clearance() -> None:
    """Walk 7 s from 9 s (street ends at 5 s, 4 s intergreen), clearance 8 s, street again 10 s after the walk."""
    street, people = strips(crossing(), switch_at({0: 1, 9000: 0}), 28_000)
    assert people == "r" * 9 + "G" * 7 + "c" * 8 + "r" * 4
    assert street == "G" * 5 + "yyy" + "r" * 18 + "GG"


def test_a_group_that_is_green_in_both_stages_stays_green() -> None:
    """From A (through and left) to D (through alone) only the left turn would end; here it may: nobody opposes."""
    base = left_turn().junctions[0]
    harmless = replace(base.meetings[0], left_turn=False)
    one, two, _ = strips(
        site(replace(base, meetings=(harmless, *base.meetings[1:]))), switch_at({8000: 3}), 14_000
    )
    assert one == "G" * 14
    assert two == "g" * 8 + "yyy" + "rrr"


def test_a_left_turn_that_yields_takes_its_opposing_traffic_through_red() -> None:
    """A to D at 8 s. Both end at 8; the through needs 6 s - intergreen from 2 to 1 is 5 s, red revert is over."""
    one, two, _ = strips(left_turn(), switch_at({8000: 3}), 18_000)
    assert two == "g" * 8 + "yyy" + "r" * 7
    assert one == "G" * 8 + "yyy" + "rr" + "GGGGG"


def test_red_revert_holds_back_a_green_that_the_intergreen_would_allow() -> None:
    """As above with an intergreen of 3 s from 2 to 1: red begins at 11 s, green at 13 s and not at 11 s."""
    base = left_turn().junctions[0]
    short = Meeting(2, 1, PERMISSIVE, 3000, 6000, left_turn=True)
    one, _, _ = strips(
        site(replace(base, meetings=(short, *base.meetings[1:]))), switch_at({8000: 3}), 16_000
    )
    assert one == "G" * 8 + "yyy" + "rr" + "GGG"


def test_a_left_turn_waits_for_the_minimum_green_of_what_it_is_dragged_with() -> None:
    """From B (left alone) to A at 0: the through starts at once; to C at 6 s: its minimum of 20 s holds both."""
    base = left_turn().junctions[0]
    slow = replace(base.groups[0], min_green_ms=20_000)
    made = site(replace(base, groups=(slow, *base.groups[1:])))
    one, two, three = strips(made, switch_at({6000: 2}), 27_000)
    assert one == "G" * 20 + "yyy" + "rrrr"
    assert two == "g" * 20 + "yyy" + "rrrr"
    assert three == "r" * 25 + "GG"


def test_a_permissive_turn_becomes_protected_when_its_opposing_traffic_is_cleared() -> None:
    """A to B at 8 s: the through ends at 8, intergreen from 1 to 2 is 6 s, so protected from 14 s."""
    one, two, _ = strips(left_turn(), switch_at({8000: 1}), 17_000)
    assert one == "G" * 8 + "yyy" + "r" * 6
    assert two == "g" * 14 + "GGG"


def test_a_protected_turn_becomes_permissive_at_once() -> None:
    """B from 0 (via A) to A at 20 s: permissive at 20 s, and the through, long cleared, starts in the same tick."""
    one, two, _ = strips(left_turn(), switch_at({0: 1, 20_000: 0}), 23_000)
    assert two == "g" * 11 + "G" * 9 + "ggg"
    assert one == "GGGGG" + "yyy" + "r" * 12 + "GGG"


def test_a_chain_of_yielding_left_turns_ends_together_or_not_at_all() -> None:
    """3 yields to 2, 2 to 1, all must end; 1 has a minimum green of 9 s: nobody ends before 9 s."""
    made = site(
        junction(
            (group(1, min_green_ms=9000), group(2), group(3), group(4)),
            (
                Meeting(2, 1, PERMISSIVE, 5000, 5000, left_turn=True),
                Meeting(3, 2, PERMISSIVE, 5000, 5000, left_turn=True),
                *(Meeting(n, 4, CONFLICT, 5000, 5000) for n in (1, 2, 3)),
            ),
            (Stage("A", (1, 2, 3), (2, 3)), Stage("B", (4,))),
        )
    )
    one, two, three, four = strips(made, switch_at({0: 1}), 16_000)
    assert one == "G" * 9 + "yyy" + "rrrr"
    assert two == three == "g" * 9 + "yyy" + "rrrr"
    assert four == "r" * 14 + "GG"


def test_a_shared_pair_does_not_wait_for_each_other() -> None:
    """The program itself shows both green: the new one starts as the old one ends."""
    base = crossroads().junctions[0]
    pair = Meeting(1, 2, MeetingKind.SHARED, 0, 0)
    one, two = strips(site(replace(base, meetings=(pair,))), switch_at({8000: 1}), 12_000)
    assert one == "G" * 8 + "yyy" + "r"
    assert two == "r" * 8 + "GGGG"


def test_a_shared_pair_with_intergreens_keeps_them_when_one_follows_the_other() -> None:
    """Both yield to each other: green together, but one after the other only after 5 s."""
    base = crossroads().junctions[0]
    pair = Meeting(1, 2, MeetingKind.SHARED, 5000, 5000)
    stages = (Stage("S1", (1,)), Stage("S2", (2,)), Stage("S3", (1, 2), (1, 2)))
    made = site(replace(base, meetings=(pair,), stages=stages))
    one, two = strips(made, switch_at({8000: 1, 20_000: 2}), 22_000)
    assert one == "G" * 8 + "yyy" + "r" * 9 + "gg"
    assert two == "r" * 13 + "G" * 7 + "gg"


def test_people_walk_while_a_turn_yields_to_them() -> None:
    """The turn is permissive before people start, and people wait while it is protected."""
    people = group(2, kind=GroupKind.PEDESTRIAN, stop=(Step("clearance", 4000),))
    made = site(
        junction(
            (group(1), people),
            (Meeting(1, 2, PERMISSIVE, 4000, 4000),),
            (Stage("turn", (1,)), Stage("both", (1, 2), (1,))),
        )
    )
    turn, walk = strips(made, switch_at({6000: 1, 14_000: 0}), 22_000)
    assert turn == "G" * 6 + "g" * 12 + "G" * 4
    assert walk == "r" * 6 + "G" * 8 + "cccc" + "rrrr"

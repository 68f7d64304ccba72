"""What may be asked of the signal machine beyond a stage, by hand. A strip has one letter a tick: ``drive.LETTERS``."""

from __future__ import annotations

from dataclasses import replace

from greensplit.engine.model.site import Meeting, Site, Stage

from .drive import strips, switch_at
from .sites import CONFLICT, crossroads, group, junction, left_turn, site

ALL_RED, FLASH = -2, -3


def two_rings() -> Site:
    """Groups 1 then 2 in one ring, 3 then 4 in the other; a stage for each pair; intergreens of 4 s within a ring."""
    return site(
        junction(
            (group(1), group(2), group(3), group(4)),
            (Meeting(1, 2, CONFLICT, 4000, 4000), Meeting(3, 4, CONFLICT, 4000, 4000)),
            (Stage("1+3", (1, 3)), Stage("2+3", (2, 3)), Stage("1+4", (1, 4)), Stage("2+4", (2, 4))),
        )
    )


def counting_down() -> Site:
    """The crossroads; group 1 shows the last 6 s of its green."""
    base = crossroads().junctions[0]
    return site(replace(base, groups=(replace(base.groups[0], commit_ms=6000), base.groups[1])))


def test_rings_change_independently() -> None:
    """Ring 1 leaves at 8 s; ring 2, asked at 10 s while ring 1 is in change, leaves at 10 s and not at 12 s."""
    one, two, three, four = strips(two_rings(), switch_at({8000: 1, 10_000: 3}), 16_000)
    assert one == "G" * 8 + "yyy" + "r" * 5
    assert two == "r" * 12 + "GGGG"
    assert three == "G" * 10 + "yyy" + "rrr"
    assert four == "r" * 14 + "GG"


def test_what_has_begun_is_not_broken_off() -> None:
    """Ring 1 goes from 1 to 2 from 8 s; asked for 1+4 at 9 s, 2+3 shows at 12 s before that is taken at 13 s."""
    one, two, three, four = strips(two_rings(), switch_at({8000: 1, 9000: 2}), 24_000)
    assert two == "r" * 12 + "G" * 5 + "yyy" + "rrrr"
    assert three == "G" * 13 + "yyy" + "r" * 8
    assert four == "r" * 17 + "G" * 7
    assert one == "G" * 8 + "yyy" + "r" * 10 + "GGG"


def test_an_urgent_request_is_taken_in_mid_change() -> None:
    """From 8 s on the way to group 2; group 1, asked for urgently at 9 s, comes back after yellow and red revert."""
    one, two = strips(crossroads(), switch_at({8000: 1, 9000: 0}), 16_000, urgent=lambda ms: ms >= 9000)
    assert one == "G" * 8 + "yyy" + "rr" + "GGG"
    assert two == "r" * 16


def test_a_withheld_group_stays_red_until_it_is_released() -> None:
    """Both rings; group 2 is withheld till 20 s and starts then, in the stage that has been running."""
    one, two, three, _ = strips(
        two_rings(), switch_at({8000: 1}), 24_000, withheld=lambda ms: 0b10 if ms < 20_000 else 0
    )
    assert one == "G" * 8 + "yyy" + "r" * 13
    assert two == "r" * 20 + "GGGG"
    assert three == "G" * 24


def test_withholding_ends_no_green() -> None:
    """Group 1 is green when it is withheld, and stays so."""
    assert strips(crossroads(), switch_at({}), 12_000, withheld=lambda ms: ms >= 4000)[0] == "G" * 12


def test_a_shown_countdown_runs_to_its_end() -> None:
    """Asked at 8 s, the end is announced for 14 s; group 2 follows 5 s later."""
    one, two = strips(counting_down(), switch_at({8000: 1}), 21_000)
    assert one == "G" * 14 + "yyy" + "rrrr"
    assert two == "r" * 19 + "GG"


def test_a_countdown_takes_no_new_request() -> None:
    """Asked back at 10 s: group 1 ends at 14 s all the same."""
    assert strips(counting_down(), switch_at({8000: 1, 10_000: 0}), 17_000)[0] == "G" * 14 + "yyy"


def test_an_urgent_request_breaks_a_countdown_off() -> None:
    """Asked at 8 s, urgently from 10 s for all red: yellow at once."""
    plan = switch_at({8000: 1, 10_000: ALL_RED})
    assert strips(counting_down(), plan, 14_000, urgent=lambda ms: ms >= 10_000)[0] == "G" * 10 + "yyy" + "r"


def test_a_left_turn_that_counts_down_ends_with_its_opposing_traffic() -> None:
    """Group 2, a yielding turn, shows 6 s: asked at 8 s for the side street, both end at 14 s."""
    base = left_turn().junctions[0]
    counted = (base.groups[0], replace(base.groups[1], commit_ms=6000), base.groups[2])
    one, two, three = strips(site(replace(base, groups=counted)), switch_at({8000: 2}), 21_000)
    assert one == "G" * 14 + "yyy" + "rrrr"
    assert two == "g" * 14 + "yyy" + "rrrr"
    assert three == "r" * 19 + "GG"


def test_all_red_and_back() -> None:
    """Asked at 8 s, rests in red from 11 s; asked for stage 0 at 20 s, starts at once."""
    one, two = strips(crossroads(), switch_at({8000: ALL_RED, 20_000: 0}), 24_000)
    assert one == "G" * 8 + "yyy" + "r" * 9 + "GGGG"
    assert two == "r" * 24


def test_flash_comes_after_clearance_for_all_and_ends_in_red() -> None:
    """Yellow from 8 s, red from 11 s, 2 s of clearance; back at 20 s, 3 s of red for everybody."""
    base = crossroads().junctions[0]
    made = site(replace(base, start_red_ms=3000))
    one, two = strips(made, switch_at({8000: FLASH, 20_000: 1}), 25_000)
    assert one == "rrr" + "G" * 5 + "yyy" + "rr" + "-" * 7 + "rrrrr"
    assert two == "r" * 13 + "-" * 7 + "rrr" + "GG"


def test_flash_comes_after_a_red_that_is_seen_where_nothing_has_to_be_cleared() -> None:
    """An intergreen no longer than yellow leaves no red to clear: one tick of red at 11 s all the same."""
    base = crossroads().junctions[0]
    close = site(replace(base, meetings=(Meeting(1, 2, CONFLICT, 3000, 3000),)))
    assert strips(close, switch_at({8000: FLASH}), 14_000) == ("G" * 8 + "yyy" + "r--", "r" * 12 + "--")

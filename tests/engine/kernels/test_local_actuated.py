"""Free running by hand: calls, gaps, maxima, skips, orders, people, rest. A strip has one letter a second.

At the start everybody is called once. Times are as in ``sites.group``: minimum 5 s, passage 3 s, yellow 3 s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from greensplit.engine.events import FORCE_OFF, GAP_OUT, MAX_OUT
from greensplit.engine.kernels.local.state import Orders
from greensplit.engine.model.site import GroupKind, Meeting, Recall, Ring, RingStep, Site, Stage, Step

from .local_drive import Street, run
from .local_sites import checked, street_with_people, streets, with_button, with_groups, with_junction
from .sites import CONFLICT, crossroads, group, junction

ALWAYS = [(0, 10_000)]


def ordered(field: str, mask: int, from_s: int, until_s: int) -> Callable[[Orders, int], None]:
    """The order ``field`` is ``mask`` in an interval, else 0."""

    def order(orders: Orders, now_s: int) -> None:
        getattr(orders, field)[:] = mask if from_s <= now_s < until_s else 0

    return order


def recalled(site: Site, number: int, recall: Recall) -> Site:
    only = site.junctions[0]
    groups = tuple(replace(g, recall=recall) if g.number == number else g for g in only.groups)
    return with_junction(site, groups=groups)


def test_a_green_ends_a_passage_time_after_the_last_vehicle() -> None:
    """Group 1 is occupied to 3 s: gap at 6 s; group 2 from 11 s, 5 s of intergreen."""
    shown = run(crossroads(), 14, {1: [(0, 3)]})
    assert shown.strips == ("GGGGGG" + "yyy" + "r" * 5, "r" * 11 + "GGG")
    assert shown.causes == [(6, GAP_OUT)]


def test_without_traffic_a_green_lasts_for_its_minimum() -> None:
    assert run(crossroads(), 12).strips == ("GGGGG" + "yyy" + "rrrr", "r" * 10 + "GG")


def test_a_maximum_green_runs_from_the_first_competing_call() -> None:
    """Maximum 10 s, group 1 always occupied. Group 2 is called at the start: to 10 s. It is green 15 to 20 s, group 1
    again from 27 s; the next call of group 2 comes at 40 s, so that group 1 ends at 50 s and not at 37 s."""
    shown = run(with_groups(crossroads(), max_green_ms=10_000), 60, {1: ALWAYS, 2: [(40, 41)]})
    assert shown.strips[0] == "G" * 10 + "yyy" + "r" * 14 + "G" * 23 + "yyy" + "r" * 7
    assert shown.strips[1] == "r" * 15 + "GGGGG" + "yyy" + "r" * 32 + "GGGGG"
    assert shown.causes == [(10, MAX_OUT), (20, GAP_OUT), (50, MAX_OUT)]


def test_a_stage_that_nobody_calls_is_skipped() -> None:
    """A, B, C once each; at 40 s a call for B only: from C straight to B, 5 s later."""
    one, two, three = run(streets(3), 50, {2: [(40, 41)]}).strips
    assert one == "GGGGG" + "yyy" + "r" * 42
    assert two == "r" * 10 + "GGGGG" + "yyy" + "r" * 27 + "GGGGG"
    assert three == "r" * 20 + "G" * 20 + "yyy" + "r" * 7


def test_a_call_is_kept_until_it_is_served() -> None:
    """B is called at 30 s, while A starts, and the loop is free again at 31 s: green 5 s after A's gap at 43 s."""
    shown = run(streets(2), 50, {1: [(25, 40)], 2: [(30, 31)]})
    assert shown.strips == (
        "GGGGG" + "yyy" + "r" * 22 + "G" * 13 + "yyy" + "rrrr",
        "r" * 10 + "G" * 15 + "yyy" + "r" * 20 + "GG",
    )


def test_a_vehicle_between_two_ticks_calls() -> None:
    """B rests from 10 s. The loop of A is occupied from 20.2 to 20.6 s only: A is asked for at 21 s."""
    street = Street(streets(2))
    street.orders.mode[:] = 1
    asked = []
    for now_s in range(24):
        if now_s == 21:
            street.detectors.on_ms[0], street.detectors.off_ms[0] = 20_200, 20_600
        street.tick(now_s * 1000)
        asked.append(int(street.request[0]))
    assert asked == [0] * 5 + [1] * 16 + [0] * 3


def test_a_group_with_minimum_recall_is_where_the_junction_rests() -> None:
    """A comes back at 30 s without any traffic and stays."""
    assert run(recalled(streets(3), 1, Recall.MINIMUM), 45).strips[0] == "GGGGG" + "yyy" + "r" * 22 + "G" * 15


def test_a_group_with_maximum_recall_takes_its_maximum() -> None:
    """Maximum 10 s: group 1 to 10 s without any vehicle, as group 2 is called; then group 2 its minimum."""
    site = recalled(with_groups(crossroads(), max_green_ms=10_000), 1, Recall.MAXIMUM)
    shown = run(site, 30)
    assert shown.strips == ("G" * 10 + "yyy" + "r" * 14 + "GGG", "r" * 15 + "GGGGG" + "yyy" + "r" * 7)
    assert shown.causes == [(10, MAX_OUT), (20, GAP_OUT)]


def test_a_detector_at_the_recall_level_counts_as_occupied() -> None:
    """Maximum 10 s; both detectors of group 1 have failed: it is served to its maximum, and called again."""
    street = Street(with_groups(crossroads(), max_green_ms=10_000))
    street.orders.mode[:] = 1
    street.level[:2] = 4
    greens = []
    for now_s in range(40):
        street.tick(now_s * 1000)
        greens.append(int(street.machine.lamps.aspect[0] == 2))
    assert np.flatnonzero(greens).tolist() == [*range(10), *range(27, 40)]


def test_a_group_without_detectors_is_always_called() -> None:
    """Without loops group 1 and 2 alternate, each to its maximum of 10 s."""
    blind = with_junction(with_groups(crossroads(), max_green_ms=10_000), detectors=(), lanes=())
    assert run(blind, 35).strips[0] == "G" * 10 + "yyy" + "r" * 19 + "GGG"[:3]


def test_a_group_that_goes_on_in_the_next_stage_holds_nothing_up() -> None:
    """Stages: through 1 with left turn 2, then through 1 with 3. Group 1 is always occupied: group 2 ends after its
    minimum all the same, and group 1 stays green."""
    left_first = checked(
        Site(
            "left first",
            (
                junction(
                    (group(1), group(2), group(3)),
                    (Meeting(2, 3, CONFLICT, 5000, 5000),),
                    (Stage("A", (1, 2)), Stage("B", (1, 3))),
                ),
            ),
        )
    )
    assert run(left_first, 13, {1: ALWAYS}).strips == ("G" * 13, "GGGGG" + "yyy" + "r" * 5, "r" * 10 + "GGG")


def test_a_held_green_stays() -> None:
    """Held to 20 s; group 2 waits."""
    shown = run(crossroads(), 27, order=ordered("hold", 1, 0, 20))
    assert shown.strips == ("G" * 20 + "yyy" + "rrrr", "r" * 25 + "GG")


def test_an_omitted_group_is_skipped_and_keeps_its_call() -> None:
    """B is omitted to 30 s: A to C at 10 s, where the junction stays until B may come."""
    one, two, three = run(streets(3), 40, order=ordered("omit", 2, 0, 30)).strips
    assert one == "GGGGG" + "yyy" + "r" * 32
    assert three == "r" * 10 + "G" * 20 + "yyy" + "r" * 7
    assert two == "r" * 35 + "GGGGG"


def test_a_force_off_ends_a_green_that_traffic_extends() -> None:
    """Group 1 is occupied for ever; forced off at 12 s."""
    shown = run(crossroads(), 18, {1: ALWAYS}, ordered("force_off", 1, 12, 13))
    assert shown.strips == ("G" * 12 + "yyy" + "rrr", "r" * 17 + "G")
    assert shown.causes == [(12, FORCE_OFF)]


def test_a_force_off_does_not_cut_the_minimum_green() -> None:
    assert (
        run(crossroads(), 12, {1: ALWAYS}, ordered("force_off", 1, 0, 20)).strips[0]
        == "GGGGG" + "yyy" + "rrrr"
    )


def test_a_call_from_outside_is_served_like_one_of_a_detector() -> None:
    """C rests from 20 s; an order calls A at 30 s."""
    assert (
        run(streets(3), 37, order=ordered("call", 1, 30, 31)).strips[0] == "GGGGG" + "yyy" + "r" * 27 + "GG"
    )


def resting(orders: Orders, _: int) -> None:
    orders.red_rest[:] = 1


def test_red_rest_when_nobody_calls() -> None:
    """All red from 15 s, when group 2 has had its minimum; a call of group 1 at 30 s is served at once, for 5 s."""
    shown = run(crossroads(), 40, {1: [(30, 31)]}, resting)
    assert shown.strips == (
        "GGGGG" + "yyy" + "r" * 22 + "GGGGG" + "yyy" + "rr",
        "r" * 10 + "GGGGG" + "yyy" + "r" * 22,
    )
    assert shown.causes == [(5, GAP_OUT), (15, GAP_OUT), (35, GAP_OUT)]


def test_a_junction_with_a_recall_does_not_rest_in_red() -> None:
    """Group 1 has minimum recall: it comes back at 22 s and stays."""
    assert run(recalled(crossroads(), 1, Recall.MINIMUM), 35, None, resting).strips[0][20:] == "rr" + "G" * 13


def test_red_revert_holds_back_the_same_green() -> None:
    """Group 2 ends at 15 s for red rest and is called again at 16 s: red from 18 s, green 2 s later."""
    shown = run(crossroads(), 24, {2: [(16, 17)]}, resting)
    assert shown.strips[1] == "r" * 10 + "GGGGG" + "yyy" + "rr" + "GGGG"


def test_the_start_is_red_and_then_the_first_step() -> None:
    """4 s of red after power-up."""
    site = checked(with_junction(crossroads(), start_red_ms=4000))
    assert run(site, 12).strips == ("rrrr" + "GGGGG" + "yyy", "r" * 12)


def test_the_first_step_need_not_be_the_first_stage() -> None:
    """The ring is B, A: B is green from 0 s, A from 10 s."""
    site = with_junction(streets(2), rings=(Ring((RingStep("B", (2,)), RingStep("A", (1,)))),))
    assert run(checked(site), 12).strips == ("r" * 10 + "GG", "GGGGG" + "yyy" + "rrrr")


def test_flash_in_and_out() -> None:
    """Off from 12 s, on the way to group 2, which still gets its minimum (14 to 19 s). It is red at 22 s, dark 4 s
    later (7 s of intergreen less 3 s of yellow). On again at 40 s: red for 4 s, then the first step."""
    site = checked(with_junction(crossroads(), start_red_ms=4000))

    def order(orders: Orders, now_s: int) -> None:
        orders.mode[:] = 4 if 12 <= now_s < 40 else 1

    one, two = run(site, 50, order=order).strips
    assert one == "rrrr" + "GGGGG" + "yyy" + "r" * 14 + "-" * 14 + "rrrr" + "GGGGG" + "y"
    assert two == "r" * 14 + "GGGGG" + "yyy" + "rrrr" + "-" * 14 + "r" * 10


def test_people_walk_and_clear_within_the_green_of_their_street() -> None:
    """Called at the start: walk 0 to 7 s, clearance to 15 s, and only then the street ends; side street from 20 s."""
    one, two, people = run(street_with_people(), 24).strips
    assert people == "GGGGGGG" + "cccccccc" + "r" * 9
    assert one == "G" * 15 + "yyy" + "r" * 6
    assert two == "r" * 20 + "GGGG"


def test_people_start_with_their_step_though_its_street_is_green_already() -> None:
    """Stages: street 1 with people 2 (walk 7 s, clearance 8 s), street 1 with 3, which the people cross: 9 s and 5 s.
    Group 1 is green throughout, its maximum of 10 s shorter than walk and clearance. The button is pushed at 18 s, in
    the second stage from 16 to 21 s: people walk again at 26 s, though group 3 calls at 22 s."""
    people = group(2, kind=GroupKind.PEDESTRIAN, stop=(Step("clearance", 8000),), min_green_ms=7000)
    made = junction(
        (group(1), people, group(3)),
        (Meeting(2, 3, CONFLICT, 9000, 5000),),
        (Stage("A", (1, 2)), Stage("B", (1, 3))),
    )
    site = with_button(Site("shared street", (made,)), 2)
    shown = run(with_groups(site, max_green_ms=10_000), 28, {1: ALWAYS, 3: [(22, 23)], 202: [(18, 19)]})
    assert shown.strips == (
        "G" * 28,
        "GGGGGGG" + "cccccccc" + "r" * 11 + "GG",
        "r" * 16 + "GGGGG" + "yyy" + "rrrr",
    )


def test_people_who_do_not_call_stay_red() -> None:
    """The street is called again at 40 s, green from 45 s; nobody pushes the button."""
    one, _, people = run(street_with_people(), 60, {1: [(40, 41)]}).strips
    assert one[45:] == "G" * 15
    assert people[15:] == "r" * 45


def test_people_may_come_late_when_nobody_competes() -> None:
    """As above with the button at 60 s."""
    _, _, people = run(street_with_people(), 78, {1: [(40, 41)], 203: [(60, 61)]}).strips
    assert people[60:] == "GGGGGGG" + "cccccccc" + "rrr"


@pytest.mark.parametrize(("button_s", "start_s"), [(54, 54), (55, 55), (56, 85)])
def test_late_people_start_only_if_walk_and_clearance_fit(button_s: int, start_s: int) -> None:
    """Street green from 45 s and always occupied, side street calls at 50 s, maximum 20 s: the green can last to 70 s.
    Walk and clearance take 15 s, so the last start is 55 s; who comes later waits for the next green: the street ends
    at 70 s, the side street has 75 to 80 s, the street 85 s. It is occupied from 40 s on."""
    site = with_groups(street_with_people(), max_green_ms=20_000)
    shown = run(site, 100, {1: [(40, 1000)], 2: [(50, 51)], 203: [(button_s, button_s + 1)]})
    assert shown.strips[2][20:].index("G") + 20 == start_s
    assert shown.strips[0][45:73] == "G" * 25 + "yyy"


def test_time_does_not_run_back() -> None:
    """At 4 s the clock jumps back to 1 s: no time passes until it is 4 s again, the minimum is over at 5 s."""
    street = Street(crossroads())
    street.orders.mode[:] = 1
    asked = []
    for now_s in (0, 1, 2, 3, 4, 1, 2, 3, 4, 5):
        street.tick(now_s * 1000)
        asked.append(int(street.request[0]))
    assert asked == [0] * 9 + [1]


@pytest.mark.parametrize(("mode", "plan"), [(9, 0), (200, 5), (2, 0), (3, 7), (2, -5)])
def test_an_unknown_mode_or_plan_runs_free(mode: int, plan: int) -> None:
    """There is no plan at all."""

    def order(orders: Orders, _: int) -> None:
        orders.plan[:] = plan

    assert run(crossroads(), 30, {1: [(0, 3)]}, order, mode) == run(crossroads(), 30, {1: [(0, 3)]})

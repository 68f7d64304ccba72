"""Preemption by hand, and what is left of local control where an adaptive controller decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from greensplit.engine.kernels.local.state import Orders
from greensplit.engine.model.site import Preempt, Site

from .local_drive import run
from .local_sites import planned, street_with_people, streets, with_junction
from .test_local_plans import ALWAYS, BUSY, SPLITS, greens

ADAPTIVE, ACTUATED, COORDINATED = 0, 1, 2


def preempted(*preempts: Preempt) -> Site:
    return with_junction(streets(3), preempts=preempts)


def inputs(times: dict[int, tuple[int, int]], plan: int = -1) -> Callable[[Orders, int], None]:
    """Each number is active from and to a time, s."""

    def order(orders: Orders, now_s: int) -> None:
        active = [number for number, (on_s, off_s) in times.items() if on_s <= now_s < off_s]
        orders.preempt[:] = sum(1 << (number - 1) for number in active)
        orders.plan[:] = plan

    return order


TRAIN = Preempt(1, "C", 6000, 2000, "B", 4000, "A")


def test_track_dwell_and_exit() -> None:
    """Input from 1 s, 2 s of delay: B is asked for at 3 s; A has its minimum to 5 s, B is green from 10 to 15 s (4 s of
    track, but 5 s of minimum), C from 20 s for 6 s; the input is off by then. A follows at 31 s."""
    shown = greens(run(preempted(TRAIN), 36, {1: ALWAYS}, inputs({1: (1, 20)})))
    assert shown == [[(0, 5), (31, 36)], [(10, 15)], [(20, 26)]]


def test_the_dwell_stage_stands_as_long_as_the_request() -> None:
    assert greens(run(preempted(TRAIN), 60, None, inputs({1: (1, 50)})))[2] == [(20, 50)]


def test_a_request_shorter_than_the_delay_does_nothing() -> None:
    """Off at 3 s, when 2 s are just over."""
    plain = run(preempted(TRAIN), 40, {1: [(0, 9)]})
    assert run(preempted(TRAIN), 40, {1: [(0, 9)]}, inputs({1: (1, 3)})) == plain


def test_the_lowest_number_wins() -> None:
    """2 stands in C from 10 s; at 20 s comes 1: B at 25 s, for its 5 s; then 2 is served again, from 35 s on."""
    site = preempted(Preempt(1, "B", 0), Preempt(2, "C", 0))
    shown = greens(run(site, 50, None, inputs({2: (1, 100), 1: (20, 22)})))
    assert shown == [[(0, 5)], [(25, 30)], [(10, 20), (35, 50)]]


def test_a_higher_number_waits() -> None:
    site = preempted(Preempt(1, "B", 0), Preempt(2, "C", 0))
    shown = greens(run(site, 50, None, inputs({1: (1, 30), 2: (20, 100)})))
    assert shown == [[(0, 5)], [(10, 30)], [(35, 50)]]


@pytest.mark.parametrize("mode", [ADAPTIVE, ACTUATED])
@pytest.mark.parametrize(
    ("again_s", "expected"),
    [(21, [[(0, 5), (20, 25)], [], [(10, 15), (30, 40)]]), (17, [[(0, 5)], [], [(10, 15), (20, 40)]])],
)
def test_a_request_during_the_exit_is_served_again(
    mode: int, again_s: int, expected: list[list[tuple[int, int]]]
) -> None:
    """C from 10 to 15 s, exit to A. On again at 21 s: A, from 20 s, gets its minimum, C again from 30 s. On again at
    17 s, before A is green: C is red from 18 s and green 2 s of red revert later."""
    site = preempted(Preempt(1, "C", 0, exit="A"))

    def order(orders: Orders, now_s: int) -> None:
        orders.preempt[:] = 1 if 1 <= now_s < 15 or now_s >= again_s else 0

    assert greens(run(site, 40, None, order, mode)) == expected


def test_without_an_exit_stage_the_longest_waiting_call_comes() -> None:
    """In C from 10 s. B waits since the start, A, green to 5 s, since 12 s: from 30 s on first B, then A."""
    site = preempted(Preempt(1, "C", 0))
    shown = greens(run(site, 55, {1: [(12, 13)], 3: [(25, 26)]}, inputs({1: (1, 30)})))
    assert shown == [[(0, 5), (45, 55)], [(35, 40)], [(10, 30)]]


def test_people_are_not_started_on_the_way_to_clear_a_track() -> None:
    """The track stage holds people who have called; they walk only when it is over."""
    site = with_junction(street_with_people(), preempts=(Preempt(1, "side", 5000, 0, "walk", 3000),))
    people = run(site, 20, None, inputs({1: (0, 100)})).strips[2]
    assert people == "r" * 20


def test_clearances_and_minima_of_people_are_kept() -> None:
    """Walk from 0 s; a preempt to the side street at 3 s: walk to 7 s, clearance to 15 s, 9 s after the walk green."""
    site = with_junction(street_with_people(), preempts=(Preempt(1, "side", 0),))
    _, two, people = run(site, 20, None, inputs({1: (3, 100)})).strips
    assert people == "GGGGGGG" + "cccccccc" + "rrrrr"
    assert two == "r" * 16 + "GGGG"


def test_coordination_is_back_within_two_cycles() -> None:
    """Cycle 60 s, all occupied; C preempted from 70 to 140 s: A is back by 180 s, and green from 240 s for 25 s."""
    site = with_junction(planned(streets(3), 60, 0, *SPLITS), preempts=(Preempt(1, "C", 0),))
    shown = greens(run(site, 310, BUSY, inputs({1: (70, 140)}, 0), COORDINATED))
    assert (240, 265) in shown[0]
    assert (270, 280) in shown[1]
    assert (285, 295) in shown[2]


def test_a_step_that_comes_too_late_for_its_place_in_the_cycle_gets_its_minimum() -> None:
    """C is preempted from 70 to 102 s, exit B: asked for at 42 s of the cycle, 2 s after its force-off. All occupied.
    B is green from 107 s to 112 s; C could not have its minimum before 55 s; A from 117 s to its yield point."""
    site = with_junction(planned(streets(3), 60, 0, *SPLITS), preempts=(Preempt(1, "C", 0, exit="B"),))
    shown = greens(run(site, 155, BUSY, inputs({1: (70, 102)}, 0), COORDINATED))
    assert shown[1] == [(30, 40), (107, 112), (150, 155)]
    assert shown[0][-1] == (117, 145)


@pytest.mark.parametrize("mode", [ADAPTIVE, ACTUATED])
def test_unknown_inputs_do_nothing(mode: int) -> None:
    def order(orders: Orders, _: int) -> None:
        orders.preempt[:] = 0b1100

    assert run(preempted(TRAIN), 30, None, order, mode) == run(preempted(TRAIN), 30, mode=mode)


def test_a_controller_is_followed() -> None:
    """Asks for C at 6 s; nobody calls, no matter."""
    shown = greens(run(streets(3), 16, mode=ADAPTIVE, wish=lambda now_s: 2 if now_s >= 6 else -1))
    assert shown == [[(0, 6)], [], [(11, 16)]]


def test_a_controller_may_not_end_a_held_green_nor_start_an_omitted_group() -> None:
    """Held to 10 s: the request for C is taken then. C is omitted to 20 s: the stage comes, its group waits."""

    def order(orders: Orders, now_s: int) -> None:
        orders.hold[:] = 1 if now_s < 10 else 0
        orders.omit[:] = 4 if now_s < 20 else 0

    shown = greens(run(streets(3), 25, None, order, ADAPTIVE, lambda now_s: 2 if now_s >= 6 else -1))
    assert shown == [[(0, 10)], [], [(20, 25)]]


def test_a_preempt_overrides_a_controller_and_hands_back_after_its_exit() -> None:
    """The controller wants A all the time. C from 10 s to 20 s, exit to B from 25 s; then A again, at 35 s."""
    site = preempted(Preempt(1, "C", 0, exit="B"))
    shown = greens(run(site, 40, None, inputs({1: (1, 20)}), ADAPTIVE, lambda _: 0))
    assert shown == [[(0, 5), (35, 40)], [(25, 30)], [(10, 20)]]


def test_a_junction_that_a_controller_gives_up_goes_on_from_where_it_is() -> None:
    """C is green by request; from 20 s free: all that are red are called. A from 25 s, B
    from 35 s, where it rests: C was green."""

    def order(orders: Orders, now_s: int) -> None:
        orders.mode[:] = ADAPTIVE if now_s < 20 else ACTUATED

    shown = greens(run(streets(3), 50, None, order, wish=lambda _: 2))
    assert shown == [[(0, 5), (25, 30)], [(35, 50)], [(10, 20)]]

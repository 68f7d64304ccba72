"""Coordination and fixed splits by hand.

Streets A, B, C with 5 s from each to each, cycle 60 s, greens 20, 10 and 10 s: 40 s and 15 s of changes leave 5 s to A,
which is coordinated. In the local cycle A is green from 0 to 25 s, B from 30 to 40 s, C from 45 to 55 s.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from greensplit.engine.events import FORCE_OFF, GAP_OUT
from greensplit.engine.kernels.local.state import Orders
from greensplit.engine.model.compiled_local import compile_local
from greensplit.engine.model.site import Site

from .local_drive import Shown, Street, run
from .local_sites import eight_groups, planned, streets

COORDINATED, PRETIMED = 2, 3
ALWAYS = [(0, 10_000)]
BUSY = {1: ALWAYS, 2: ALWAYS, 3: ALWAYS}
SPLITS = (("A", 20), ("B", 10), ("C", 10))


def plan(offset_s: int = 0) -> Site:
    return planned(streets(3), 60, offset_s, *SPLITS)


def on_plan(number: int) -> Callable[[Orders, int], None]:
    def order(orders: Orders, _: int) -> None:
        orders.plan[:] = number

    return order


def greens(shown: Shown) -> list[list[tuple[int, int]]]:
    """Per group the first second of every green and the first after it."""
    found = []
    for strip in shown.strips:
        edges = [
            i for i in range(len(strip) + 1) if (strip[i : i + 1] == "G") != (i > 0 and strip[i - 1] == "G")
        ]
        found.append(list(zip(edges[::2], edges[1::2], strict=False)))
    return found


def test_what_is_left_of_the_cycle_belongs_to_the_coordinated_step() -> None:
    local = compile_local(plan())
    assert local.cycle_ms.tolist() == [60_000]
    assert local.start_ms.tolist() == [0, 30_000, 45_000]
    assert local.end_ms.tolist() == [25_000, 40_000, 55_000]
    assert local.is_coordinated.tolist() == [1, 0, 0]


def test_a_plan_that_needs_more_gets_a_longer_cycle() -> None:
    """Greens of 40 s and changes of 15 s in a cycle of 50 s."""
    assert compile_local(planned(streets(3), 50, 0, *SPLITS)).cycle_ms.tolist() == [55_000]


def test_rings_meet_at_barriers() -> None:
    """Cycle 100 s, 2 coordinated. Side 1: 10+5+25 = 40 s in ring 1, 15+5+20 = 40 s in ring 2; side 2: 5+5+20 = 30 s
    and 10+5+10 = 25 s; two crossings of 5 s: 80 s. 20 s more for side 1: 2 lasts 45 s, 6 lasts 40 s. On side 2, 8 gets
    5 s more. Side 1 starts 15 s before group 2."""
    site = planned(
        eight_groups(),
        100,
        0,
        *(("1", 10), ("2", 25), ("3", 5), ("4", 20), ("5", 15), ("6", 20), ("7", 10), ("8", 10)),
        coordinated="2",
    )
    local = compile_local(site)
    assert (local.start_ms // 1000).tolist() == [85, 0, 50, 60, 85, 5, 50, 65]
    assert (local.end_ms // 1000).tolist() == [95, 45, 55, 80, 0, 45, 60, 80]
    assert local.is_coordinated.tolist() == [0, 1, 0, 0, 0, 1, 0, 0]


def test_a_fixed_plan_runs_its_splits_without_traffic() -> None:
    shown = greens(run(plan(), 125, None, on_plan(0), PRETIMED))
    assert shown == [[(0, 25), (60, 85), (120, 125)], [(30, 40), (90, 100)], [(45, 55), (105, 115)]]


def test_a_busy_coordinated_plan_runs_its_splits() -> None:
    """Every step is forced off; the maximum does not count."""
    shown = run(plan(), 125, BUSY, on_plan(0), COORDINATED)
    assert greens(shown) == [[(0, 25), (60, 85), (120, 125)], [(30, 40), (90, 100)], [(45, 55), (105, 115)]]
    assert {code for _, code in shown.causes} == {FORCE_OFF}


def test_the_offset_is_the_start_of_the_coordinated_green() -> None:
    """Offset 10 s: at 0 s the local cycle is at 50 s; A, first by start-up, is held to its yield point at 35 s."""
    shown = greens(run(plan(10), 135, BUSY, on_plan(0), COORDINATED))
    assert shown == [[(0, 35), (70, 95), (130, 135)], [(40, 50), (100, 110)], [(55, 65), (115, 125)]]


def test_an_early_return_to_the_coordinated_green_is_kept() -> None:
    """Without traffic B (called at the start) gaps at 35 s and C at 45 s: A is green again at 50 s, not at 60 s. Though
    C is called at 52 s, A stays to its yield point at 85 s; C from 90 to 95 s, A again from 100 s."""
    shown = run(plan(), 120, {3: [(52, 53)]}, on_plan(0), COORDINATED)
    assert greens(shown) == [[(0, 25), (50, 85), (100, 120)], [(30, 35)], [(40, 45), (90, 95)]]
    assert shown.causes == [(25, FORCE_OFF), (35, GAP_OUT), (45, GAP_OUT), (85, FORCE_OFF), (95, GAP_OUT)]


@pytest.mark.parametrize(("call_s", "green_s"), [(86, 91), (90, 95), (91, 150)])
def test_a_step_begins_only_while_its_minimum_fits_before_its_force_off(call_s: int, green_s: int) -> None:
    """Nobody calls at the yield point at 85 s: A rests. B ends at 100 s at the latest, 5 s of change and 5 s of minimum
    before it is 90 s. Later calls wait for the yield point at 145 s."""
    shown = greens(run(plan(), 160, {2: [(call_s, call_s + 1)]}, on_plan(0), COORDINATED))
    assert shown[1][1][0] == green_s


def switched(order_s: int) -> Callable[[Orders, int], None]:
    """From the first plan to the second."""

    def order(orders: Orders, now_s: int) -> None:
        orders.plan[:] = 0 if now_s < order_s else 1

    return order


def test_a_later_offset_lengthens_the_cycle_by_a_fifth() -> None:
    """At 61 s the offset becomes 10 s: the local cycle, at 1 s, should be at 51 s. It is shorter to wait for 10 s, at
    10/12 of the speed: 60 s, to 121 s. A ends 24 s x 1.2 later: 89.8 s, on the tick 90 s. B is forced off 39 s x 1.2
    later, 107.8 s. C at 55 s of the cycle: 4 s after 121 s. A is green at 130 s, as it should be, for 25 s."""
    site = planned(plan(), 60, 10, *SPLITS)
    shown = greens(run(site, 160, BUSY, switched(61), COORDINATED))
    assert shown[0] == [(0, 25), (60, 90), (130, 155)]
    assert shown[1] == [(30, 40), (95, 108)]
    assert shown[2] == [(45, 55), (113, 125)]


def test_an_earlier_offset_shortens_the_cycle_by_a_fifth() -> None:
    """At 61 s the offset becomes 50 s: the local cycle, at 1 s, should be at 11 s. At 15/12 of the speed it is there
    after 40 s, at 101 s. A ends at 61 + 24 / 1.25 = 80.2 s, B at 61 + 39 / 1.25 = 92.2 s, C 4 s after 101 s."""
    site = planned(plan(), 60, 50, *SPLITS)
    shown = greens(run(site, 140, BUSY, switched(61), COORDINATED))
    assert shown[0] == [(0, 25), (60, 81), (110, 135)]
    assert shown[1] == [(30, 40), (86, 93)]
    assert shown[2] == [(45, 55), (98, 105)]


def test_the_transition_is_reported() -> None:
    """From 61 to 121 s, as computed above."""
    street = Street(planned(plan(), 60, 10, *SPLITS))
    street.orders.mode[:] = COORDINATED
    told = []
    for now_s in range(130):
        street.occupy(BUSY, now_s * 1000)
        switched(61)(street.orders, now_s)
        street.tick(now_s * 1000)
        told.append(int(street.state.in_transition[0]))
    assert told == [0] * 61 + [1] * 60 + [0] * 9


def test_a_force_off_never_cuts_a_minimum_green() -> None:
    """Splits of 2 s where 5 s are the least: A lasts 5 s and all come later, but nobody is cut."""
    site = planned(streets(3), 30, 0, ("A", 2), ("B", 2), ("C", 2))
    for lengths in greens(run(site, 200, BUSY, on_plan(0), PRETIMED)):
        assert min(end - start for start, end in lengths[:-1]) >= 5


def test_both_rings_keep_their_coordinated_greens() -> None:
    """The plan of ``test_rings_meet_at_barriers``, all occupied: from the second cycle on as computed there."""
    site = planned(
        eight_groups(),
        100,
        0,
        *(("1", 10), ("2", 25), ("3", 5), ("4", 20), ("5", 15), ("6", 20), ("7", 10), ("8", 10)),
        coordinated="2",
    )
    busy = dict.fromkeys(range(1, 9), ALWAYS)
    shown = greens(run(site, 300, busy, on_plan(0), COORDINATED))
    for group, (start, end) in enumerate(
        zip([85, 0, 50, 60, 85, 5, 50, 65], [95, 45, 55, 80, 100, 45, 60, 80], strict=True)
    ):
        expected = (start + 100, end + 100) if end > start else (start + 100, end + 200)
        assert expected in shown[group], group + 1

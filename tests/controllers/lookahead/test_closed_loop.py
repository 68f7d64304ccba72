"""The look-ahead in the small world: all are served and nobody waits too long, whatever loops there are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.controllers.lookahead.playout import Rules
from greensplit.controllers.lookahead.policy import Config, Lookahead
from greensplit.engine.decisions import FORCED
from greensplit.engine.loop import Loop
from greensplit.engine.model.site import DetectorKind, GroupKind, Meeting, Site, Stage

from ...engine.kernels.sites import CONFLICT, WALK, crossroads, group, junction, left_turn, site
from ..street import Damage, Street, drive, healthy

STOP_BAR, ADVANCE = DetectorKind.STOP_BAR, DetectorKind.ADVANCE
EVERY_LOOP = (STOP_BAR, ADVANCE)
LOOPS = pytest.mark.parametrize(
    "kinds", [EVERY_LOOP, (STOP_BAR,), (ADVANCE,), ()], ids=["both", "stop bar", "advance", "none"]
)


def with_loops(where: Site, kinds: tuple[DetectorKind, ...]) -> Site:
    """Only loops of these kinds."""
    return replace(
        where,
        junctions=tuple(
            replace(j, detectors=tuple(d for d in j.detectors if d.kind in kinds)) for j in where.junctions
        ),
    )


def three_streets_and_people() -> Site:
    """Each alone in its stage; intergreens of 6 s, 10 s before and after people walk."""
    people = group(4, kind=GroupKind.PEDESTRIAN, stop=WALK, min_green_ms=7000)
    pairs = [(a, b) for a in range(1, 5) for b in range(a + 1, 5)]
    meetings = tuple(
        Meeting(a, b, CONFLICT, 6000 if b < 4 else 10_000, 6000 if b < 4 else 10_000) for a, b in pairs
    )
    stages = tuple(Stage(f"S{n}", (n,)) for n in range(1, 5))
    return site(junction((group(1), group(2), group(3), people), meetings, stages))


def run(
    where: Site,
    rates_per_h: list[float],
    seconds: int,
    *,
    config: Config | None = None,
    perfect: bool = False,
    damage: Damage = healthy,
) -> tuple[Loop, Street]:
    street = Street(where, rates_per_h, 1, damage)
    return drive(where, street, Lookahead(config or Config()), seconds, perfect=perfect), street


def longest_red_ms(loop: Loop, number: int, seconds: int) -> int:
    """Of a pedestrian group: from don't walk, or the start of the run, to walk, or the end of the run."""
    longest, ended, is_red = 0, 0, True
    for row in loop.events.rows():
        if row["parameter"] == number and row["event"] == 22:
            ended, is_red = int(row["t_ms"]), True
        if row["parameter"] == number and row["event"] == 21:
            longest, is_red = max(longest, int(row["t_ms"]) - ended), False
    return max(longest, 1000 * seconds - ended) if is_red else longest


def assert_served(street: Street) -> None:
    """All but those who come at the end, 5 % or a few."""
    for lane in street.lanes:
        waiting = len(lane.arrivals_ms)
        assert lane.served > 5
        assert waiting <= max(0.05 * lane.served, 6)


@LOOPS
def test_everybody_is_served_in_quiet_traffic(kinds: tuple[DetectorKind, ...]) -> None:
    """Left turn, through and side street; no lamp was refused."""
    loop, street = run(with_loops(left_turn(), kinds), [100.0, 20.0, 60.0], 1800)
    assert loop.refusals == []
    assert_served(street)


@pytest.mark.parametrize("kinds", [EVERY_LOOP, (STOP_BAR,), (ADVANCE,)], ids=["both", "stop bar", "advance"])
def test_everybody_is_served_in_busy_traffic(kinds: tuple[DetectorKind, ...]) -> None:
    """At 60 % of what the junction could pass; without any loop nobody would know which street is the busy one."""
    loop, street = run(with_loops(left_turn(), kinds), [500.0, 150.0, 400.0], 1800)
    assert loop.refusals == []
    assert_served(street)


def test_everybody_is_served_with_perfect_vision() -> None:
    loop, street = run(left_turn(), [500.0, 150.0, 400.0], 1800, perfect=True)
    assert loop.refusals == []
    assert_served(street)


@pytest.mark.parametrize("perfect", [False, True], ids=["loops", "perfect"])
@pytest.mark.parametrize("max_red_ms", [100_000, 120_000])
@pytest.mark.parametrize("rates", [[1500.0, 20.0, 20.0], [1700.0, 1700.0, 1700.0]], ids=["one", "all"])
def test_nobody_who_waits_is_red_for_longer_than_is_allowed(
    rates: list[float], max_red_ms: int, perfect: bool
) -> None:
    config = Config(max_red_ms=max_red_ms)
    loop, street = run(three_streets_and_people(), rates, 1800, config=config, perfect=perfect)
    assert max(lane.longest_wait_ms for lane in street.lanes) <= max_red_ms
    assert longest_red_ms(loop, 4, 1800) <= max_red_ms + config.period_ms
    assert (loop.decisions.gathered().rows["kind"] == FORCED).any()


def test_the_bound_on_red_is_two_minutes_unless_said_otherwise() -> None:
    assert Config().max_red_ms == 120_000


@LOOPS
def test_the_bound_on_red_needs_no_particular_loop(kinds: tuple[DetectorKind, ...]) -> None:
    """A saturated street beside two quiet ones and people. A lane with an advance loop alone is called once
    half a vehicle is reckoned to stand there, which may be a little after the first one stopped."""
    loop, street = run(with_loops(three_streets_and_people(), kinds), [1500.0, 40.0, 40.0], 1800)
    slack_ms = 5000 if kinds == (ADVANCE,) else 0
    assert max(lane.longest_wait_ms for lane in street.lanes) <= Config().max_red_ms + slack_ms
    assert longest_red_ms(loop, 4, 1800) <= Config().max_red_ms + Config().period_ms
    assert min(lane.served for lane in street.lanes) >= 10


def test_a_stage_stands_for_the_minimum_green_of_the_controller() -> None:
    """No green of the crossroads is shorter, though those of the groups might be."""
    for min_green_ms in (5000, 12_000):
        loop, _ = run(crossroads(), [500.0, 500.0], 600, config=Config(min_green_ms=min_green_ms))
        events = loop.events.rows()
        for number in (1, 2):
            of_group = events[events["parameter"] == number]
            begins, ends = (of_group["t_ms"][of_group["event"] == event] for event in (1, 7))
            lasted = [int(end - begin) for begin, end in zip(begins, ends, strict=False)]
            assert len(lasted) > 5
            assert min(lasted) >= min_green_ms


UNWILLING = Rules(lone_stop_s=300.0, stop_s=300.0, tail_s=0.0, look_s=1, use_s=0.01)
"""A stop costs minutes and no change seems of use."""


def test_the_rules_are_those_of_the_configuration() -> None:
    """One who waits beside a busy street waits for long, but not for ever."""
    waited_ms = [
        run(crossroads(), [900.0, 30.0], 1200, config=config)[1].lanes[1].longest_wait_ms
        for config in (Config(rules=UNWILLING), Config())
    ]
    assert waited_ms[0] > 2 * waited_ms[1]
    assert waited_ms[0] <= Config().max_red_ms


def test_a_lane_without_any_loop_is_taken_to_call() -> None:
    """Beside a busy street with loops: nobody knows who waits there, and still the bound holds."""
    drawn = crossroads().junctions[0]
    where = site(replace(drawn, detectors=drawn.detectors[:2]))
    config = Config(max_red_ms=60_000, rules=UNWILLING)
    loop, street = run(where, [900.0, 30.0], 1200, config=config)
    assert street.lanes[1].served > 5
    assert street.lanes[1].longest_wait_ms <= config.max_red_ms
    assert (loop.decisions.gathered().rows["kind"] == FORCED).any()


def test_a_lane_whose_loops_are_cut_since_the_start_is_served_all_the_same() -> None:
    """The side street, beside a busy one: nobody sees its vehicles, yet all but the last of them get through."""
    where = left_turn()
    side = {i for i, d in enumerate(where.junctions[0].detectors) if "in3_0" in d.lanes}
    assert side

    _, street = run(
        where, [500.0, 100.0, 100.0], 2700, damage=lambda detector, _now_ms, on: on and detector not in side
    )
    assert_served(street)


def test_a_loop_that_is_stuck_on_does_not_take_its_lane_for_blocked() -> None:
    """The stop bar of the busy street reports somebody at all times: after it is found out the street is served."""

    def stuck(detector: int, now_ms: int, on: bool) -> bool:
        return on or (detector == 0 and now_ms >= 300_000)

    _, street = run(left_turn(), [500.0, 100.0, 100.0], 3600, damage=stuck)
    assert_served(street)


@pytest.mark.parametrize(
    ("kinds", "perfect", "mode"),
    [
        (EVERY_LOOP, False, "stop-bar and advance loops"),
        ((STOP_BAR,), False, "stop-bar loops"),
        ((ADVANCE,), False, "advance loops"),
        ((), False, "no loops"),
        (EVERY_LOOP, True, "every vehicle in sight"),
    ],
)
def test_every_decision_says_what_it_goes_by(
    kinds: tuple[DetectorKind, ...], perfect: bool, mode: str
) -> None:
    """In busy traffic all loops have spoken within ten minutes."""
    loop, _ = run(with_loops(left_turn(), kinds), [500.0, 300.0, 300.0], 900, perfect=perfect)
    found = loop.decisions.gathered()
    late = found.rows["mode"][found.rows["t_ms"] >= 600_000]
    assert {found.weighing.modes[k] for k in late} == {mode}


def test_a_cut_loop_is_told_in_the_mode() -> None:
    loop, _ = run(
        left_turn(), [500.0, 300.0, 300.0], 900, damage=lambda detector, _now_ms, on: on and detector != 0
    )
    found = loop.decisions.gathered()
    late = found.rows["mode"][found.rows["t_ms"] >= 600_000]
    assert {found.weighing.modes[k] for k in late} == {"some loops not trusted"}


def test_the_decision_log_tells_expected_delay() -> None:
    """Of each stage that was weighed; the one that was chosen by it had the least."""
    loop, _ = run(left_turn(), [500.0, 150.0, 400.0], 300)
    found = loop.decisions.gathered()
    assert found.weighing.lower_is_better
    ends = found.rows["stages"].cumsum()
    weighed = 0
    for row, end in zip(found.rows, ends, strict=True):
        cost = found.value[end - row["stages"] : end]
        if row["kind"] != FORCED:
            weighed += 1
            assert cost[row["to_stage"]] == pytest.approx(np.nanmin(cost), abs=0.01)
    assert weighed > 50

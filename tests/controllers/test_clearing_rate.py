"""The clearing-rate index: by hand on a crossroads, against a slow account in words, and its bound on red."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from greensplit.controllers.clearing_rate import (
    ClearingRate,
    Config,
    forced_stages,
    queues,
    rate_stages,
)
from greensplit.engine.decisions import SWITCH
from greensplit.engine.kernels.state import Machine, new_machine
from greensplit.engine.loop import Loop, Truth
from greensplit.engine.model.aspects import GREEN, PERMISSIVE
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.site import Site

from ..engine.kernels.sites import crossing, crossroads, left_turn, random_site
from .street import Street, drive

NOW_MS = 200_000


def truth(*vehicles: tuple[int, float, float, float], lanes: list[int] | None = None) -> Truth:
    """Vehicles as (group, distance, speed, waited); each group has the lane of its number."""
    rows = np.array(vehicles, np.float64).reshape(-1, 4)
    return Truth(
        rows[:, 0].astype(np.int32),
        np.array(rows[:, 0] if lanes is None else lanes, np.int32),
        rows[:, 1],
        rows[:, 2],
        (rows[:, 3] > 0).astype(np.uint8),
        rows[:, 3].astype(np.float32),
        np.zeros(0),
    )


def showing(where: Site, stages: list[int]) -> Machine:
    machine = new_machine(compile_signals(where))
    machine.stage[:] = stages
    first = 0
    for junction, stage in zip(where.junctions, stages, strict=True):
        shown = junction.stages[stage]
        for number in shown.green:
            machine.lamps.aspect[first + number - 1] = PERMISSIVE if number in shown.permissive else GREEN
        first += len(junction.groups)
    return machine


def rates(
    where: Site,
    stages: list[int],
    seen: Truth,
    blocked: list[int] | None = None,
    config: Config | None = None,
) -> list[float]:
    """Index of every stage while the stages of those local indices show."""
    config = config or Config()
    signals, detection = compile_signals(where), compile_detection(where)
    is_blocked = np.isin(np.arange(len(detection.speed_mps)), blocked or [])
    out = np.zeros(len(signals.stage_deployed))
    rate_stages(
        signals,
        detection.lane_ptr,
        showing(where, stages),
        queues(seen, detection, config),
        is_blocked,
        config.headway_ms,
        config.least_run_ms,
        NOW_MS,
        np.zeros(41),
        out,
    )
    return list(out)


def test_vehicles_are_ordered_and_only_those_in_range_are_seen() -> None:
    """Lane 0: at 20 m and 5 m; lane 1: at 100 m, and at 151 m beyond the range. 13.89 m/s takes 7.2 s for 100 m."""
    detection = compile_detection(crossroads())
    seen = truth((0, 20.0, 0.5, 30.0), (1, 100.0, 13.0, 0.0), (0, 5.0, 0.0, 90.0), (1, 151.0, 13.0, 0.0))
    found = queues(seen, detection, Config())
    assert found.lane_ptr.tolist() == [0, 2, 3]
    assert found.group.tolist() == [0, 0, 1]
    assert found.arrival_ms.tolist() == [0, 0, 7199]
    assert found.weight.tolist() == [2.0, 1.5, 1.0]
    assert found.stands.tolist() == [True, False, False]


def test_a_queue_of_the_other_street_is_divided_by_set_up_and_green() -> None:
    """Three stand: they pass 0, 2.1, 4.2 s after 5 s of intergreen and 1 s of start-up: 3 in 6 + 4 s is best."""
    seen = truth(*((1, 7.5 * i, 0.0, 0.0) for i in range(3)))
    assert rates(crossroads(), [0], seen) == pytest.approx([0.0, 3 / 10])


def test_the_running_stage_is_rated_over_three_seconds_at_least() -> None:
    """One vehicle at the line: 1 in 3 s. One 69.45 m away, 5 s: 1 in 5 s."""
    assert rates(crossroads(), [0], truth((0, 0.0, 0.0, 0.0)))[0] == pytest.approx(1 / 3)
    assert rates(crossroads(), [0], truth((0, 69.5, 13.89, 0.0)))[0] == pytest.approx(1 / 5)


def test_a_minute_of_waiting_counts_double_and_no_more() -> None:
    """One that has waited 300 s: 2 in 6 + 1 s."""
    assert rates(crossroads(), [0], truth((1, 0.0, 0.0, 300.0)))[1] == pytest.approx(2 / 7)


def test_a_blocked_lane_that_runs_counts_nothing() -> None:
    seen = truth((0, 0.0, 0.0, 0.0), (1, 0.0, 0.0, 0.0))
    assert rates(crossroads(), [0], seen, blocked=[0, 1]) == pytest.approx([0.0, 1 / 7])


def test_who_is_not_served_holds_up_those_behind() -> None:
    """On one lane, first to the left and then two straight on: stage D serves nobody, A both."""
    seen = truth((1, 0.0, 0.0, 0.0), (0, 8.0, 0.0, 0.0), (0, 16.0, 0.0, 0.0), lanes=[0, 0, 0])
    found = rates(left_turn(), [0], seen)
    assert found[0] == pytest.approx(3 / 4)
    assert found[3] == 0.0


def test_people_at_red_count_half_and_up_to_one() -> None:
    """Red since long: 1 in 4 + 1 + 1 s."""
    assert rates(crossing(), [0], truth())[1] == pytest.approx(1 / 6)


@pytest.mark.parametrize("seed", range(6))
def test_random_junctions_are_rated_as_the_words_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    where = random_site(rng, 8)
    stages = [int(rng.integers(len(junction.stages))) for junction in where.junctions]
    detection = compile_detection(where)
    lanes = len(detection.speed_mps)
    groups = [g for junction in where.junctions for g in _lane_groups(where, junction.id)]
    chosen = rng.integers(lanes, size=20 * len(where.junctions))
    vehicles = [
        (groups[lane], float(rng.uniform(0, 200)), float(rng.uniform(0, 14)), float(rng.uniform(0, 90)))
        for lane in chosen
    ]
    blocked = [lane for lane in range(lanes) if rng.random() < 0.2]
    seen = truth(*vehicles, lanes=chosen.tolist())
    expected = told(where, stages, vehicles, chosen.tolist(), blocked)
    assert rates(where, stages, seen, blocked) == pytest.approx(expected, rel=1e-6)
    assert len(set(expected)) > 10


def _lane_groups(where: Site, name: str) -> list[int]:
    """Index of the (only) group of each lane of a junction."""
    first = 0
    for junction in where.junctions:
        if junction.id == name:
            return [first + lane.groups[0] - 1 for lane in junction.lanes]
        first += len(junction.groups)
    raise AssertionError(name)


def told(
    where: Site,
    stages: list[int],
    vehicles: list[tuple[int, float, float, float]],
    lane_of: list[int],
    blocked: list[int],
) -> list[float]:
    """Second by second of green: who has passed by then, over the time that took."""
    found, first_group, first_lane = [], 0, 0
    for junction, stage in zip(where.junctions, stages, strict=True):
        now = set(junction.stages[stage].green)
        gaps = {(m.first, m.second): m.intergreen_ms / 1000 for m in junction.meetings}
        gaps |= {(m.second, m.first): m.reverse_ms / 1000 for m in junction.meetings}
        for number, wanted in enumerate(junction.stages):
            ending = now - set(wanted.green)
            changes = [
                1.0 + max([gaps.get((other, g), 0.0) for other in ending], default=0.0)
                for g in wanted.green
                if g not in now
            ]
            tau_s = max(changes, default=0.0)
            passes: list[tuple[float, float]] = []
            for place, lane in enumerate(junction.lanes):
                (group,) = lane.groups
                if group not in wanted.green or (group in now and first_lane + place in blocked):
                    continue
                here = sorted(
                    (
                        v
                        for v, at in zip(vehicles, lane_of, strict=True)
                        if at == first_lane + place and v[1] <= 150
                    ),
                    key=lambda v: v[1],
                )
                free_s = 0.0 if group in now else tau_s
                for _, distance_m, speed_mps, waited_s in here:
                    at_s = max(free_s, int(1000 * distance_m / 13.89) / 1000 if speed_mps >= 2 else 0.0)
                    passes.append((at_s, 1 + min(waited_s, 60) / 60))
                    free_s = at_s + 2.1
            for group in junction.groups:
                if group.kind == "pedestrian" and group.number in wanted.green and group.number not in now:
                    passes.append((tau_s, 1.0))
            least_s = 3.0 if number == stage else 1.0
            best = 0.0
            for green_s in range(41):
                total = sum(weight for at_s, weight in passes if round(at_s - tau_s, 3) < green_s + 1)
                best = max(best, total / (tau_s + max(green_s, least_s)))
            found.append(best)
        first_group += len(junction.groups)
        first_lane += len(junction.lanes)
    return found


def forced(machine: Machine, where: Site, called: list[bool], index: list[float]) -> int:
    signals = compile_signals(where)
    due = np.zeros(1, np.int32)
    forced_stages(signals, machine, np.array(called), np.array(index), 120_000, NOW_MS, due)
    return int(due[0])


def test_a_called_group_that_is_red_for_too_long_forces_its_best_stage() -> None:
    """The side street shows; through and left are red since 79 s after the start: 121 s. A serves both."""
    machine = showing(left_turn(), [2])
    machine.lamps.red_ms[:2] = 79_000
    assert forced(machine, left_turn(), [True, False, False], [0.3, 0.9, 0.5, 0.2]) == 0
    assert forced(machine, left_turn(), [True, False, False], [0.3, 0.9, 0.5, 0.4]) == 3
    assert forced(machine, left_turn(), [False, False, True], [0.3, 0.9, 0.5, 0.4]) == -1
    machine.lamps.red_ms[:2] = 81_000
    assert forced(machine, left_turn(), [True, True, False], [0.3, 0.9, 0.5, 0.4]) == -1


def test_of_several_the_group_that_waits_longest_comes_first() -> None:
    machine = showing(left_turn(), [2])
    machine.lamps.red_ms[:2] = 60_000, 50_000
    assert forced(machine, left_turn(), [True, True, False], [0.0, 0.1, 0.5, 0.9]) == 1


def test_saturated_streets_do_not_starve_a_side_road() -> None:
    """One vehicle now and then on the left turn beside full streets: it waits two minutes, a change and no more."""
    street = Street(left_turn(), [1700.0, 20.0, 1700.0], 3)
    loop = drive(left_turn(), street, ClearingRate(Config()), 3600, perfect=True)
    assert max(lane.longest_wait_ms for lane in street.lanes) <= 140_000
    assert min(lane.served for lane in street.lanes) > 5
    assert loop.refusals == []


@pytest.mark.parametrize("blocked_ms", [7000, 12_000])
def test_a_head_that_stands_in_green_gives_the_green_away(blocked_ms: int) -> None:
    """Nine stand before the first stop line and never move, one before the second: it is served a second later."""
    loop = standing(ClearingRate(Config(blocked_ms=blocked_ms)), lambda now_s: now_s)
    events = loop.events.rows()
    began_ms = int(events[(events["event"] == 1) & (events["parameter"] == 1)]["t_ms"][0])
    assert first_switch(loop) == (began_ms + blocked_ms + 1000, 1)


def test_a_head_that_leaves_keeps_the_green() -> None:
    """The same, but each second somebody else stands at the line, who stopped a second before."""
    assert standing(ClearingRate(Config()), lambda _now_s: 1.0).decisions.switches == 0


def first_switch(loop: Loop) -> tuple[int, int]:
    """When, and to which stage."""
    rows = loop.decisions.gathered().rows
    row = rows[rows["kind"] == SWITCH][0]
    return int(row["t_ms"]), int(row["to_stage"])


def standing(controller: ClearingRate, waited_s: Callable[[float], float]) -> Loop:
    """20 s of the crossroads: nine stand on the first street, its head has waited so long, one on the other."""
    now_s = [0.0]
    others = [(0, 8.0 * i, 0.0, 0.0) for i in range(1, 9)]

    def look() -> Truth:
        return truth((0, 0.0, 0.0, waited_s(now_s[0])), *others, (1, 1.0, 0.0, 0.0))

    loop = Loop(crossroads(), Street(crossroads(), [0.0, 0.0], 1), controller, look)
    for second in range(20):
        now_s[0] = float(second)
        loop.tick(1000 * second, 1000 * second)
    return loop


def test_a_head_that_moves_keeps_the_green() -> None:
    """The same, but the head creeps."""
    slow = truth((0, 0.0, 0.5, 0.0), *((0, 8.0 * i, 0.0, 0.0) for i in range(1, 9)), (1, 1.0, 0.0, 0.0))
    loop = Loop(crossroads(), Street(crossroads(), [0.0, 0.0], 1), ClearingRate(Config()), lambda: slow)
    for t_ms in range(0, 20_000, 1000):
        loop.tick(t_ms, t_ms)
    assert loop.decisions.switches == 0

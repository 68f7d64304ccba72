"""How fast lanes empty, worked out by hand on the junction with a left turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.controllers.lookahead.rates import BLOCKED_MS, STUCK_PER_S, fill_rates
from greensplit.engine.kernels.detectors import Detectors, new_detectors
from greensplit.engine.kernels.estimation.discharge import Discharge, discharge_cell, new_discharge
from greensplit.engine.kernels.health.state import OWN, RECALL
from greensplit.engine.kernels.state import new_machine
from greensplit.engine.model.site import Site

from ...engine.kernels.sites import left_turn
from .table import Table, lay
from .test_board import left_turn_from_one_lane

NOW_MS = 100_000


def filled(
    table: Table,
    *,
    stage: int = 0,
    green_ms: int = 0,
    full: tuple[int, ...] = (),
    detectors: Detectors | None = None,
    discharge: Discharge | None = None,
    ready: bool = True,
    level: int = OWN,
) -> list[list[float]]:
    """Vehicles per second, per stage and lane, -1 where nothing was filled in."""
    machine = new_machine(table.signals)
    machine.stage[:] = stage
    machine.lamps.green_ms[:] = green_ms
    table.rate[:] = -1.0
    fill_rates(
        table.signals,
        table.detection,
        detectors or new_detectors(table.signals, table.detection),
        np.full(len(table.detection.channel), level, np.uint8),
        machine,
        discharge or new_discharge(table.signals, table.detection),
        np.isin(np.arange(len(table.signals.min_green_ms)), full).astype(np.uint8),
        table.board,
        np.array([ready]),
        NOW_MS,
        table.rate,
    )
    found: list[list[float]] = table.rate.reshape(-1, len(table.demand.queue_veh)).tolist()
    return found


def standing(table: Table, lane: int, since_ms: int) -> Detectors:
    """The lane's stop-bar loop is on since then."""
    detectors = new_detectors(table.signals, table.detection)
    loop = table.detection.stop_bar[lane]
    detectors.on[loop], detectors.on_ms[loop] = 1, since_ms
    return detectors


def test_at_first_every_open_lane_passes_one_in_two_seconds() -> None:
    """Stages A (lanes 0 and 1), B (1), C (2), D (0)."""
    assert filled(lay(left_turn())) == [[0.5, 0.5, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5], [0.5, 0.0, 0.0]]


def test_a_junction_that_may_not_choose_is_left_alone() -> None:
    assert filled(lay(left_turn()), ready=False) == [[-1.0] * 3] * 4


def test_each_stage_has_the_rate_that_was_learned_in_it() -> None:
    """The left turn: 20 vehicles in 100 s where it yields, in 50 s where it is alone."""
    table = lay(left_turn())
    discharge = new_discharge(table.signals, table.detection)
    for stage, took_s in ((0, 100.0), (1, 50.0)):
        at = discharge_cell(discharge, 1, stage)
        discharge.served_veh[at], discharge.served_s[at] = 20.0, took_s
    found = filled(table, discharge=discharge)
    assert found[0] == pytest.approx([0.5, 0.2, 0.0])
    assert found[1] == pytest.approx([0.0, 0.4, 0.0])


def test_a_lane_with_two_groups_passes_for_its_share() -> None:
    assert filled(lay(left_turn_from_one_lane())) == [[0.5, 0.0], [0.25, 0.0], [0.0, 0.5], [0.25, 0.0]]


def test_a_full_exit_takes_the_part_of_the_group_that_leads_there() -> None:
    """The exit of the through group: all of its own lane, half of one that it shares."""
    assert filled(lay(left_turn()), full=(0,))[0] == [0.0, 0.5, 0.0]
    found = filled(lay(left_turn_from_one_lane()), full=(0,))
    assert [row[0] for row in found] == [0.25, 0.25, 0.0, 0.0]


@pytest.mark.parametrize(("stands_ms", "is_stuck"), [(BLOCKED_MS, False), (BLOCKED_MS + 1, True)])
def test_a_head_that_does_not_move_at_green_is_stuck(stands_ms: int, is_stuck: bool) -> None:
    """In the running stage only."""
    table = lay(left_turn())
    found = filled(table, detectors=standing(table, 0, NOW_MS - stands_ms))
    assert found[0][0] == pytest.approx(STUCK_PER_S if is_stuck else 0.5)
    assert found[3][0] == 0.5


def test_a_head_that_stood_through_red_has_time_to_start() -> None:
    table = lay(left_turn())
    since = standing(table, 0, NOW_MS - 60_000)
    assert filled(table, detectors=since, green_ms=NOW_MS - BLOCKED_MS)[0][0] == 0.5
    assert filled(table, detectors=since, green_ms=NOW_MS - BLOCKED_MS - 1)[0][0] == pytest.approx(
        STUCK_PER_S
    )


def test_a_loop_that_is_not_trusted_says_nothing_of_the_head() -> None:
    table = lay(left_turn())
    assert filled(table, detectors=standing(table, 0, 0), level=RECALL)[0][0] == 0.5


def test_a_head_at_red_is_not_stuck() -> None:
    table = lay(left_turn())
    assert filled(table, stage=2, detectors=standing(table, 0, 0))[0][0] == 0.5


def without_loops(where: Site) -> Site:
    return replace(where, junctions=tuple(replace(j, detectors=()) for j in where.junctions))


def test_lanes_without_loops_are_never_stuck() -> None:
    assert filled(lay(without_loops(left_turn())))[0] == [0.5, 0.5, 0.0]

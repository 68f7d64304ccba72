"""Greedy and max pressure, as published and tuned: by hand on a crossroads, where the first street is green."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.controllers.greedy import Config as GreedyConfig
from greensplit.controllers.greedy import Greedy
from greensplit.controllers.max_pressure import Config as PressureConfig
from greensplit.controllers.max_pressure import MaxPressure
from greensplit.controllers.pressure_capacity import Config as PlaceConfig
from greensplit.controllers.pressure_capacity import PressureCapacity
from greensplit.engine.loop import Controller, Loop, Truth

from ..engine.kernels.sites import crossroads
from .street import Street

FREE, COSTLY = 0, 14_000


def switches(
    controller: Controller, first: list[float], second: list[float], behind: tuple[float, float] = (0.0, 0.0)
) -> bool:
    """Is the first street left for the second? Vehicles stand at those distances, and so many behind the junction."""
    seen = Truth(
        np.array([0] * len(first) + [1] * len(second), np.int32),
        np.array([0] * len(first) + [1] * len(second), np.int32),
        np.array(first + second, np.float64),
        np.zeros(len(first) + len(second)),
        np.ones(len(first) + len(second), np.uint8),
        np.zeros(len(first) + len(second), np.float32),
        np.array(behind),
    )
    loop = Loop(crossroads(), Street(crossroads(), [0.0, 0.0], 1), controller, lambda: seen)
    for t_ms in range(0, 15_000, 1000):
        loop.tick(t_ms, t_ms)
    return loop.decisions.switches > 0


@pytest.mark.parametrize(
    ("use_ms", "second", "leaves"), [(FREE, 4, True), (COSTLY, 4, False), (COSTLY, 5, True)]
)
def test_a_change_of_six_seconds_needs_ten_vehicles_for_seven(use_ms: int, second: int, leaves: bool) -> None:
    """Three on the first street, 5 s of intergreen, 1 s of start-up: 14 of 20 s are left for four or five there."""
    far = [8.0 * i for i in range(second)]
    assert switches(Greedy(GreedyConfig(use_ms=use_ms)), far[:3], far) is leaves
    assert switches(MaxPressure(PressureConfig(use_ms=use_ms)), far[:3], far) is leaves


def test_greedy_counts_within_its_range() -> None:
    """One at 10 m here, two at 70 m there."""
    assert not switches(Greedy(GreedyConfig(range_m=60.0)), [10.0], [70.0, 75.0])
    assert switches(Greedy(GreedyConfig(range_m=80.0)), [10.0], [70.0, 75.0])


def test_max_pressure_takes_off_what_stands_behind() -> None:
    """One here, four there: with four behind none of them counts, with two half of them."""
    assert not switches(MaxPressure(PressureConfig()), [1.0], [1.0, 9.0, 17.0, 25.0], (0.0, 4.0))
    assert switches(MaxPressure(PressureConfig()), [1.0], [1.0, 9.0, 17.0, 25.0], (0.0, 2.0))


def test_no_change_for_the_sake_of_a_full_link() -> None:
    """Nobody before the junction, more behind the first street than behind the second: no reason to change."""
    assert not switches(MaxPressure(PressureConfig(use_ms=COSTLY)), [], [1.0], (9.0, 9.0))


def test_pressure_by_place_prefers_few_at_the_line_to_many_far_away() -> None:
    """One at the line pushes 1; four at 120 of 150 m push 0.8. One at the line of the second street: 0.7 of 1."""
    controller = PressureCapacity(PlaceConfig(range_m=150.0, use_ms=COSTLY), crossroads())
    assert not switches(controller, [0.0], [120.0] * 4)
    assert switches(
        PressureCapacity(PlaceConfig(range_m=150.0, use_ms=COSTLY), crossroads()), [120.0] * 3, [0.0]
    )

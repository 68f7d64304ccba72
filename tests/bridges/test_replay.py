"""A log that a loop wrote, played to another loop, gives the same log."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.bridges.port import FieldPort
from greensplit.bridges.replay import ReplayPort
from greensplit.engine.events import BEGIN_GREEN, DETECTOR_OFF, DETECTOR_ON, EVENT_DTYPE, GREEN_TERMINATION
from greensplit.engine.field_loop import FieldLoop
from greensplit.engine.loop import Loop

from .street import Street, street, two_crossroads
from .test_backup_timer import Planner

TOLD = (DETECTOR_ON, DETECTOR_OFF, BEGIN_GREEN, GREEN_TERMINATION)


def recorded() -> np.ndarray:
    """A minute of two junctions, with some actuations at the first."""
    with street("virtual") as (here, bridge):
        assert isinstance(here, Street)
        loop = FieldLoop(two_crossroads(), FieldPort(bridge, two_crossroads()), Planner())
        changes = [(d, 5000 + 3000 * i + 700 * d, on) for i in range(15) for d in (0, 1) for on in (1,)]
        changes += [(d, t + 500, 0) for d, t, _ in changes]
        for now_ms in range(1000, 61_000, 1000):
            here.until(now_ms, *changes)
            loop.tick(now_ms, now_ms)
        return loop.events.rows().copy()


@pytest.mark.parametrize("step_ms", [1000, 100, 500])
def test_a_replayed_log_gives_itself(step_ms: int) -> None:
    """Detectors to the millisecond, greens to the tick that they were recorded with; at any step."""
    rows = recorded()
    port = ReplayPort(two_crossroads(), rows)
    loop = Loop(two_crossroads(), port, None)
    for now_ms in range(step_ms, port.end_ms + step_ms, step_ms):
        loop.tick(now_ms, now_ms)
    told, again = (r[np.isin(r["event"], TOLD)] for r in (rows, loop.events.rows()))
    assert len(told) > 60
    assert sorted(told.tolist()) == sorted(again.tolist())
    assert port.unknown == 0
    assert not loop.refusals


def test_rows_of_nobody_are_counted_and_left_out() -> None:
    """An unknown device, channel and group, beside one detector that is known."""
    rows = np.array(
        [
            (10, 99, DETECTOR_ON, 1),
            (20, 1, DETECTOR_ON, 999),
            (30, 1, BEGIN_GREEN, 9),
            (40, 1, DETECTOR_ON, 1),
        ],
        EVENT_DTYPE,
    )
    port = ReplayPort(two_crossroads(), rows)
    assert port.read(1000).size == 1
    assert port.unknown == 3

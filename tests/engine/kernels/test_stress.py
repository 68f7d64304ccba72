"""More than a million junction-ticks of random requests on random junctions: nothing is refused, nothing hangs."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.kernels.interlock import check_lamps
from greensplit.engine.kernels.state import new_faults, new_lamps, new_machine
from greensplit.engine.model.aspects import GREEN, PERMISSIVE, RED
from greensplit.engine.model.compiled import compile_signals

from .drive import ask
from .sites import random_site

JUNCTIONS = 250
TICKS = 2100
LONGEST_CHANGE_MS = 120_000


@pytest.mark.parametrize(("tick_ms", "seed"), [(100, 1), (1000, 2)])
def test_the_interlock_refuses_nothing_that_the_machine_does(tick_ms: int, seed: int) -> None:
    """250 junctions, 2100 ticks (525 000 junction-ticks each way): no fault, and all that a stage wants comes."""
    rng = np.random.default_rng(seed)
    site = random_site(rng, JUNCTIONS)
    signals, guard = compile_signals(site), compile_signals(site)
    machine, lamps = new_machine(signals), new_lamps(len(signals.min_green_ms))
    faults, released = new_faults(JUNCTIONS), np.zeros(JUNCTIONS, np.uint8)
    groups = np.diff(signals.group_ptr)
    local = np.arange(signals.group_ptr[-1]) - np.repeat(signals.group_ptr[:-1], groups)
    green_ms = np.zeros(len(local), np.int64)
    changes = 0
    for k in range(TICKS):
        now_ms = k * tick_ms
        request = rng.integers(-1, 8, JUNCTIONS).astype(np.int32)
        before = machine.stage.copy()
        ask(signals, machine, request, now_ms)
        changes += int((machine.stage != before).sum())
        shown = signals.stage_aspect_ptr[signals.stage_ptr[:-1] + machine.stage]
        wanted = signals.stage_aspect[np.repeat(shown, groups) + local] != RED
        green_ms[~wanted | np.isin(machine.lamps.aspect, (GREEN, PERMISSIVE))] = now_ms
        assert now_ms - green_ms.min() <= LONGEST_CHANGE_MS, green_ms.argmin()
        check_lamps(guard, lamps, faults, machine.lamps.aspect, released, now_ms, False)
    assert faults.findings.sum() == 0, np.flatnonzero(faults.code)
    assert (lamps.aspect == machine.lamps.aspect).all()
    assert changes > 10 * JUNCTIONS

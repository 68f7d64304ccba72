"""What NEMA phases and rings describe can run: from any stage to any other, and the interlock refuses nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from greensplit.engine.kernels.interlock import check_lamps
from greensplit.engine.kernels.state import new_faults, new_lamps, new_machine
from greensplit.engine.model.compiled import compile_rules, compile_signals
from greensplit.engine.model.site import Site

from ..kernels.drive import ask
from .nema import random_junction

JUNCTIONS = 60
ROUNDS = 3
HOLD_TICKS = 60


def test_stages_of_nema_junctions_follow_each_other_in_any_order() -> None:
    """60 random junctions go through all their stages in three random orders, a minute each: every stage is reached."""
    rng = np.random.default_rng(1)
    junctions = [replace(random_junction(i)[0], id=f"J{i}", device_id=i) for i in range(JUNCTIONS)]
    site = Site("nema", tuple(junctions))
    signals, guard = compile_signals(site), compile_rules(site)
    machine, lamps = new_machine(signals), new_lamps(len(signals.min_green_ms))
    faults, released = new_faults(JUNCTIONS), np.zeros(JUNCTIONS, np.uint8)
    stages = np.diff(signals.stage_ptr)
    reached = [set[int]() for _ in junctions]
    orders = np.stack([rng.permuted(np.arange(stages.max())) for _ in range(ROUNDS * JUNCTIONS)])
    requests = np.where(orders < np.tile(stages, ROUNDS)[:, None], orders, -1).reshape(ROUNDS, JUNCTIONS, -1)
    script = np.concatenate(requests, axis=1).repeat(HOLD_TICKS, axis=1).astype(np.int32)
    for k in range(script.shape[1]):
        ask(signals, machine, script[:, k].copy(), 1000 * k)
        check_lamps(guard, lamps, faults, machine.lamps.aspect, released, 1000 * k, False)
        for j in np.flatnonzero(machine.settled):
            reached[j].add(int(machine.stage[j]))
    assert faults.findings.sum() == 0, np.flatnonzero(faults.code)
    assert [len(found) for found in reached] == stages.tolist()

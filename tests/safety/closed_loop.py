"""Runs a scenario in closed loop under any controller and records the lamps that SUMO showed, second by second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.loop import Controller, Loop, View
from greensplit.sim.port import TICK_MS, LoopReader, SumoPort
from greensplit.sim.prepare import Prepared, prepare
from greensplit.sim.spec import RunSpec
from greensplit.sim.sumo import Simulator


class Hostile:
    """Asks every junction in every tick for a stage at random, derived ones and some that do not exist included."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        """See ``greensplit.engine.loop.Controller``."""
        stages = np.diff(view.signals.stage_ptr)
        request[:] = self._rng.integers(-1, stages + 1)
        cause.fill(6)
        wanted = np.minimum(request, stages - 1).astype(np.int32)
        log.note(view, wanted, np.zeros(stages.sum()), ("spite",), None, np.ones(len(stages), np.bool_))
        return view.now_ms + TICK_MS


@dataclass
class Record:
    """What a run showed: one state a second per light, and the loop that made it."""

    prepared: Prepared
    loop: Loop
    strips: dict[str, list[str]]


def record(spec: RunSpec, folder: Path, controller: Controller | None = None) -> Record:
    """Run a specification; ``controller`` in place of its own."""
    prepared = prepare(spec, folder)
    simulator = Simulator(prepared.arguments)
    try:
        scenario, site = prepared.scenario, prepared.site
        reader = LoopReader(simulator, prepared.detector_ids, scenario.begin_s, subscribe=False)
        if controller is None:
            assert prepared.entry.make is not None
            controller = prepared.entry.make(prepared.profile, prepared.site)
        loop = Loop(site, SumoPort(simulator, site, reader), controller)
        shown = simulator.api.trafficlight.getRedYellowGreenState
        strips: dict[str, list[str]] = {junction.id: [] for junction in site.junctions}
        for second in range(scenario.end_s - scenario.begin_s):
            loop.tick(second * TICK_MS, second * TICK_MS)
            simulator.step()
            for light, strip in strips.items():
                strip.append(shown(light))
    finally:
        simulator.close()
    return Record(prepared, loop, strips)

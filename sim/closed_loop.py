"""SUMO and the loop, together through the window."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from greensplit.engine.loop import Loop

from .port import TICK_MS, LoopReader, SumoPort, WatchingPort
from .prepare import Prepared
from .sumo import Simulator
from .truth import Eyes

__all__ = ["Outcome", "Progress", "close_the_loop"]

Progress = Callable[[float], None]
"""Called with the share done, 0 to 1."""


@dataclass(slots=True)
class Outcome:
    """What the closed loop left: the loop with its log, how far it came, and the times it took."""

    loop: Loop
    end_s: int
    partial: bool
    inside_s: float
    loop_s: float
    emission_classes: dict[str, str]


@contextmanager
def _interrupt_flag() -> Iterator[list[bool]]:
    """A flag that the first Ctrl-C raises; the second interrupts at once."""
    flag = [False]
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return
    before = signal.getsignal(signal.SIGINT)

    def note(_number: int, _frame: object) -> None:
        flag[0] = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, before)


def close_the_loop(prepared: Prepared, progress: Progress) -> Outcome:
    """Run SUMO and the loop together through the window."""
    spec, scenario = prepared.spec, prepared.scenario
    simulator = Simulator(prepared.arguments, traci=spec.traci, gui=spec.gui)
    try:
        with _interrupt_flag() as interrupted, simulator.speaking():
            loop = _new_loop(prepared, simulator)
            lag_ms = 0 if loop.port.drives_lamps else TICK_MS
            steps = scenario.end_s - scenario.begin_s
            started = time.perf_counter()
            for step in range(steps):
                if step * TICK_MS >= lag_ms:
                    loop.tick(step * TICK_MS, step * TICK_MS - lag_ms)
                simulator.step()
                if step % 60 == 0:
                    progress(step / steps)
                if interrupted[0]:
                    break
            end_s = scenario.begin_s + step + 1
            loop_s = time.perf_counter() - started
            classes = _emission_classes(simulator)
        progress(1.0)
    finally:
        simulator.close()
    return Outcome(loop, end_s, end_s < scenario.end_s, simulator.inside_s, loop_s, classes)


def _new_loop(prepared: Prepared, simulator: Simulator) -> Loop:
    spec, site = prepared.spec, prepared.site
    reader = LoopReader(
        simulator,
        prepared.detector_ids,
        prepared.scenario.begin_s,
        subscribe=spec.traci or spec.gui,
    )
    if prepared.entry.make is None:
        return Loop(site, WatchingPort(simulator, site, reader), None)
    eyes = Eyes(simulator, site, prepared.network) if prepared.vision == "perfect" else None
    controller = prepared.entry.make(prepared.profile)
    return Loop(site, SumoPort(simulator, site, reader), controller, eyes)


def _emission_classes(simulator: Simulator) -> dict[str, str]:
    """Emission class of every vehicle type that SUMO knows."""
    types = simulator.api.vehicletype
    return {kind: types.getEmissionClass(kind) for kind in types.getIDList()}

"""SUMO and the loop, together through the window."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from greensplit.engine.kernels.local.state import Orders, new_orders
from greensplit.engine.loop import Loop
from greensplit.engine.model.site import Site

from .port import TICK_MS, LoopReader, SumoPort, WatchingPort
from .prepare import Prepared
from .run import Progress
from .sumo import Simulator
from .truth import Eyes

__all__ = ["Outcome", "close_the_loop"]


@dataclass(slots=True)
class Outcome:
    """What the closed loop left: the loop with its log, how far it came, and the times it took.

    ``inside_s`` is SUMO's own; ``decide_s`` and ``outside_s`` (all the rest) leave out the first tick, which loads the
    compiled kernels and belongs to the start-up.
    """

    loop: Loop
    end_s: int
    partial: bool
    inside_s: float
    decide_s: float
    outside_s: float
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
        with _interrupt_flag() as interrupted, simulator.speaking(), _new_drive(prepared, simulator) as drive:
            loop = drive.loop
            steps = scenario.end_s - scenario.begin_s
            warm: Spent | None = None
            for step in range(steps):
                if drive.tick(step * TICK_MS):
                    warm = warm or Spent.so_far(simulator, loop)
                simulator.step()
                if step % 60 == 0:
                    progress(step / steps)
                if interrupted[0]:
                    break
            end_s = scenario.begin_s + step + 1
            decide_s, outside_s = Spent.so_far(simulator, loop).since(warm)
            classes = _emission_classes(simulator)
        progress(1.0)
    finally:
        simulator.close()
    partial = end_s < scenario.end_s
    return Outcome(loop, end_s, partial, simulator.inside_s, decide_s, outside_s, classes)


class Spent(NamedTuple):
    """Wall time, seconds: the clock, SUMO's own steps, decisions."""

    clock_s: float
    inside_s: float
    decide_s: float

    @staticmethod
    def so_far(simulator: Simulator, loop: Loop) -> Spent:
        """Read the clock and the two sums."""
        return Spent(time.perf_counter(), simulator.inside_s, loop.decide_s)

    def since(self, start: Spent | None) -> tuple[float, float]:
        """Time in decisions, and time neither in them nor in SUMO, since ``start``; zero where nothing started."""
        if start is None:
            return 0.0, 0.0
        clock_s, inside_s, decide_s = (now_s - then_s for now_s, then_s in zip(self, start, strict=True))
        return decide_s, clock_s - inside_s - decide_s


class Drive(Protocol):
    """What happens before every step of the simulator."""

    @property
    def loop(self) -> Loop:
        """The loop, with its log."""
        ...

    def tick(self, now_ms: int) -> bool:
        """Bring the engine to ``now_ms``; False where it has nothing to look at yet."""
        ...


class _Direct:
    """The engine drives the simulator's lamps, or sees them one tick after they were shown."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._lag_ms = 0 if loop.port.drives_lamps else TICK_MS

    def tick(self, now_ms: int) -> bool:
        if now_ms < self._lag_ms:
            return False
        self.loop.tick(now_ms, now_ms - self._lag_ms)
        return True


@contextmanager
def _new_drive(prepared: Prepared, simulator: Simulator) -> Iterator[Drive]:
    spec = prepared.spec
    reader = LoopReader(
        simulator,
        prepared.detector_ids,
        prepared.scenario.begin_s,
        subscribe=spec.traci or spec.gui,
        dead=prepared.dead_ids,
    )
    if spec.bridge:
        from .field_drive import drive_over_bridge

        with drive_over_bridge(prepared, simulator, reader) as drive:
            yield drive
    else:
        yield _Direct(_new_loop(prepared, simulator, reader))


def _new_loop(prepared: Prepared, simulator: Simulator, reader: LoopReader) -> Loop:
    site, entry, day_ms = prepared.site, prepared.entry, prepared.scenario.begin_s * 1000
    if entry.program:
        return Loop(site, WatchingPort(simulator, site, reader), None, day_ms=day_ms)
    port = SumoPort(simulator, site, reader)
    if entry.make is None:
        return Loop(site, port, None, orders=_standing_orders(site, entry.mode), day_ms=day_ms)
    eyes = Eyes(simulator, site, prepared.network) if prepared.vision == "perfect" else None
    return Loop(site, port, entry.make(prepared.profile, site), eyes, day_ms=day_ms)


def _standing_orders(site: Site, mode: int) -> Orders:
    """Every junction runs by itself, on the last of its plans: the one that SUMO would run."""
    orders = new_orders(len(site.junctions))
    orders.mode.fill(mode)
    orders.plan[:] = [len(junction.plans) - 1 for junction in site.junctions]
    return orders


def _emission_classes(simulator: Simulator) -> dict[str, str]:
    """Emission class of every vehicle type that SUMO knows."""
    types = simulator.api.vehicletype
    return {kind: types.getEmissionClass(kind) for kind in types.getIDList()}

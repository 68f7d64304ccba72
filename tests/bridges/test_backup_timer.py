"""Only a tick that has read, decided and been checked renews a backup timer. Whatever hangs, controllers fall back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event, Thread

import numpy as np
import numpy.typing as npt
import pytest

from greensplit.bridges.base import BridgeSettings
from greensplit.bridges.field import FieldCommand, FieldStatus, Mode, Verdict
from greensplit.bridges.port import FieldPort
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.bridges.virtual import VirtualBridge, VirtualFront
from greensplit.engine.decisions import DecisionLog
from greensplit.engine.errors import BridgeError
from greensplit.engine.field_loop import FieldLoop
from greensplit.engine.loop import View
from greensplit.engine.model.aspects import GREEN

from .street import NOTHING, events, two_crossroads

BACKUP_MS = 5000
HANG_MS = 20_000


class Valve:
    """Where somebody waits for ever, from a time on."""

    def __init__(self) -> None:
        self.is_shut = False
        self.is_waiting = Event()
        self.released = Event()

    def pass_through(self) -> None:
        """Return at once while open."""
        if self.is_shut:
            self.is_waiting.set()
            self.released.wait(30)


class HangingBridge(VirtualBridge):
    """Reads and writes through valves."""

    def __init__(self, stand_ins: Sequence[StandIn], addresses: dict[str, str]) -> None:
        super().__init__([s.junction for s in stand_ins], addresses, BridgeSettings())
        self.reader, self.writer = Valve(), Valve()

    def poll_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterator[tuple[int, FieldStatus | BridgeError]]:
        self.reader.pass_through()
        yield from super().poll_devices(devices, now_ms)

    def send_commands(
        self, commands: Sequence[tuple[int, FieldCommand]], now_ms: int
    ) -> Iterator[tuple[int, BridgeError | None]]:
        self.writer.pass_through()
        yield from super().send_commands(commands, now_ms)


class Planner:
    """Wants the first stage everywhere."""

    def __init__(self) -> None:
        self.valve = Valve()

    def decide(
        self, view: View, request: npt.NDArray[np.int32], _cause: npt.NDArray[np.uint8], _log: DecisionLog
    ) -> int:
        self.valve.pass_through()
        request.fill(0)
        return view.now_ms


class Engine:
    """Stand-ins whose clock goes on whatever becomes of the engine."""

    def __init__(self) -> None:
        site = two_crossroads()
        config = StandInConfig(tick_ms=100, backup_ms=BACKUP_MS)
        self.stand_ins = [StandIn(junction, config) for junction in site.junctions]
        self.now_ms = 0
        self.front = VirtualFront(self.stand_ins, {}, lambda: self.now_ms)
        self.bridge = HangingBridge(self.stand_ins, dict(self.front.open()))
        self.bridge.clock = lambda: self.now_ms
        self.planner = Planner()
        self.port = FieldPort(self.bridge, site)
        self.loop = FieldLoop(site, self.port, self.planner)

    def street_until(self, end_ms: int) -> None:
        """Time passes at the junctions."""
        while self.now_ms < end_ms:
            self.now_ms += 100
            for stand_in in self.stand_ins:
                stand_in.sense(self.now_ms, NOTHING)
                stand_in.advance(self.now_ms)

    def tick(self) -> None:
        """A tick of the engine now."""
        self.loop.tick(self.now_ms, self.now_ms)

    def modes(self) -> set[Mode]:
        """Who decides at the junctions."""
        return {stand_in.status().mode for stand_in in self.stand_ins}


@pytest.mark.parametrize("who", ["planner", "reader", "writer"])
def test_whoever_hangs_the_controllers_fall_back_in_time(who: str) -> None:
    """Ticks every second up to 20 s, the next hangs: system until just before 25 s, backup then; no malfunction."""
    engine = Engine()
    valve = {"planner": engine.planner.valve, "reader": engine.bridge.reader, "writer": engine.bridge.writer}[
        who
    ]
    for now_ms in range(1000, HANG_MS + 1000, 1000):
        engine.street_until(now_ms)
        engine.tick()
    assert engine.modes() == {Mode.SYSTEM}
    engine.street_until(HANG_MS + 1000)
    valve.is_shut = True
    thread = Thread(target=engine.tick)
    thread.start()
    assert valve.is_waiting.wait(20)
    engine.street_until(HANG_MS + BACKUP_MS - 100)
    assert engine.modes() == {Mode.SYSTEM}
    engine.street_until(HANG_MS + BACKUP_MS)
    assert engine.modes() == {Mode.BACKUP}
    engine.street_until(HANG_MS + 60_000)
    for stand_in in engine.stand_ins:
        assert not stand_in.monitor.log
    valve.is_shut = False
    valve.released.set()
    thread.join(20)
    engine.street_until(HANG_MS + 61_000)
    assert engine.modes() == {Mode.BACKUP}
    was_sent = [bool(stand_in.refusals) for stand_in in engine.stand_ins]
    assert was_sent == [who == "writer"] * 2


def test_a_command_that_hung_on_its_way_is_not_acted_upon() -> None:
    """Written at 21 s, it arrives a minute later: late, and no timer is renewed."""
    engine = Engine()
    for now_ms in range(1000, HANG_MS + 1000, 1000):
        engine.street_until(now_ms)
        engine.tick()
    engine.street_until(HANG_MS + 1000)
    engine.bridge.writer.is_shut = True
    thread = Thread(target=engine.tick)
    thread.start()
    assert engine.bridge.writer.is_waiting.wait(20)
    engine.street_until(HANG_MS + 60_000)
    engine.bridge.writer.released.set()
    thread.join(20)
    engine.street_until(HANG_MS + 61_000)
    assert engine.modes() == {Mode.BACKUP}
    assert [stand_in.refusals for stand_in in engine.stand_ins] == [{Verdict.LATE: 1}] * 2


def test_a_controller_whose_answers_are_old_is_not_renewed() -> None:
    """The loop goes on, but the bridge's front is gone: nothing is written, the controllers fall back."""
    engine = Engine()
    for now_ms in range(1000, HANG_MS + 1000, 1000):
        engine.street_until(now_ms)
        engine.tick()
    engine.front.close()
    for now_ms in range(HANG_MS + 1000, HANG_MS + 8000, 1000):
        engine.street_until(now_ms)
        engine.tick()
        if now_ms == HANG_MS + BACKUP_MS:
            assert engine.modes() == {Mode.BACKUP}
    assert engine.modes() == {Mode.BACKUP}


def test_the_loop_sees_lamps_that_really_show() -> None:
    """A junction that somebody switches by hand: what the policy sees is what shows, not what was asked for."""
    engine = Engine()
    engine.stand_ins[1].cabinet.manual_stage = 1
    for now_ms in range(1000, 40_000, 1000):
        engine.street_until(now_ms)
        engine.tick()
    aspects = engine.loop.machine.lamps.aspect.tolist()
    assert aspects[:2] == [GREEN, 0]
    assert aspects[2:] == [0, GREEN]
    assert engine.loop.machine.stage.tolist() == [0, 1]
    assert not engine.loop.refusals


def test_a_junction_at_which_the_guard_has_latched_is_given_back() -> None:
    """From 10 s on at B: told once to run by itself, then left alone; A goes on."""
    engine = Engine()
    for now_ms in range(1000, 30_000, 1000):
        engine.street_until(now_ms)
        if now_ms == 10_000:
            engine.port.guard.refused[1] = 1
        engine.tick()
    assert engine.stand_ins[0].status().mode is Mode.SYSTEM
    assert engine.stand_ins[1].status().mode is Mode.BACKUP
    assert engine.stand_ins[1].controls.stage == -1


def test_a_call_that_the_planner_never_serves_ends_its_orders() -> None:
    """A car stands at group 2 of A and the planner wants stage 1 for ever: after five minutes A runs its own plan."""
    engine = Engine()
    engine.stand_ins[0].sense(100, events((2, 100, 1)))
    for now_ms in range(1000, 320_000, 1000):
        engine.street_until(now_ms)
        engine.tick()
        if now_ms == 300_000:
            assert engine.modes() == {Mode.SYSTEM}
    objections = engine.port.guard.objections
    assert [(o.junction, o.fault, o.groups) for o in objections] == [("A", "red for too long", (2,))]
    assert engine.stand_ins[0].status().mode is not Mode.SYSTEM
    assert engine.stand_ins[1].status().mode is Mode.SYSTEM
    assert not engine.stand_ins[0].monitor.log

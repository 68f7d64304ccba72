"""What a bridge believes: no status that is old or told again, no controller that somebody else writes to."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from time import monotonic

import pytest

from greensplit.bridges.base import Bridge, BridgeSettings, LinkState
from greensplit.bridges.field import NO_CONTROLS, Controls, FieldStatus, Mode, StageRequest
from greensplit.bridges.gbt20999.bridge import GbtBridge
from greensplit.bridges.gbt20999.profile import Profile
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.bridges.standin.gbt20999 import GbtFront
from greensplit.bridges.virtual import VirtualBridge, VirtualFront
from greensplit.engine.errors import BridgeError

from .street import BACKUP_MS, Street, two_crossroads


class Aside(VirtualBridge):
    """Tells of device 0 what ``told`` says, if it says anything."""

    told: FieldStatus | BridgeError | None = None

    def poll_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterator[tuple[int, FieldStatus | BridgeError]]:
        for d, status in super().poll_devices(devices, now_ms):
            yield d, self.told if d == 0 and self.told is not None else status


def make_street() -> Street:
    """Two crossroads that are run for ten seconds."""
    config = StandInConfig(tick_ms=100, backup_ms=BACKUP_MS)
    made = Street([StandIn(junction, config) for junction in two_crossroads().junctions])
    made.front = VirtualFront(made.stand_ins, {}, lambda: made.now_ms)
    made.until(10_000)
    return made


def bridge_to(street: Street, kind: type[Aside] = Aside) -> Aside:
    """A master of its own."""
    assert street.front is not None
    return kind([s.junction for s in street.stand_ins], street.front.open(), BridgeSettings())


def test_a_status_that_is_told_again_and_again_renews_nothing() -> None:
    """A gateway repeats the status of 10 s: nothing is written from 12 s on, the junction falls back, B goes on."""
    street = make_street()
    bridge = bridge_to(street)
    bridge.read(10_000)
    bridge.told = bridge.status(0, 10_000)
    assert bridge.told is not None
    for now_ms in range(10_500, 20_000, 500):
        street.until(now_ms)
        bridge.read(now_ms)
        assert (bridge.status(0, now_ms) is None) == (now_ms >= 12_000)
        bridge.write({0: StageRequest(0), 1: StageRequest(0)}, now_ms)
    assert street.status(0).mode is Mode.BACKUP
    assert street.status(1).mode is Mode.SYSTEM


@pytest.mark.parametrize(("t_ms", "is_taken"), [(8000, False), (8001, True), (11_999, True), (12_000, False)])
def test_a_status_that_is_old_or_ahead_is_none(t_ms: int, is_taken: bool) -> None:
    """Two seconds on either side of 10 s; what is refused is told in one line."""
    street = make_street()
    bridge = bridge_to(street)
    bridge.told = replace(street.status(0), t_ms=t_ms)
    bridge.read(10_000)
    assert (bridge.status(0, 10_000) is not None) == is_taken
    assert ("expected a status of the last 2000 ms" in bridge.notes[-1].text) == (not is_taken)


def test_a_status_that_was_overtaken_is_not_believed() -> None:
    """The lamps of 9.5 s arrive after those of 10 s: what showed at 10 s stays."""
    street = make_street()
    bridge = bridge_to(street)
    bridge.read(10_000)
    late = replace(street.status(0), t_ms=9500, calls=3)
    bridge.told = late
    bridge.read(10_100)
    known = bridge.status(0, 10_100)
    assert known is not None
    assert known.t_ms == 10_000
    assert known.calls != late.calls


@pytest.mark.parametrize(
    ("held", "unconfirmed", "overruled"),
    [(Controls(stage=1), 1, 0), (NO_CONTROLS, 1, 0), (Controls(preempt=1), 0, 1)],
)
def test_an_order_that_is_never_held_is_told_though_it_is_renewed_each_second(
    held: Controls, unconfirmed: int, overruled: int
) -> None:
    """Stage 2, then stage 1: it keeps to stage 2, or holds nothing, or what we never said; after 2 s, in one line."""
    street = make_street()
    bridge = bridge_to(street)
    for now_ms in range(10_000, 15_000, 1000):
        street.until(now_ms)
        bridge.told = replace(street.status(0), controls=Controls(stage=1) if now_ms < 12_000 else held)
        bridge.read(now_ms)
        bridge.write({0: StageRequest(1 if now_ms == 10_000 else 0)}, now_ms)
    assert bridge.health(0).unconfirmed == unconfirmed
    assert bridge.health(0).overruled == overruled
    assert ("another master" in bridge.notes[-1].text) == (overruled > 0)
    assert "expected StageRequest(stage=0) to be held" in bridge.notes[-1].text


def test_a_second_master_is_told_in_one_line() -> None:
    """Another writes stage 2 half a second after each of our stage 1: told once, and no lamp in conflict."""
    street = make_street()
    ours, theirs = bridge_to(street), bridge_to(street)
    for now_ms in range(10_000, 40_000, 500):
        street.until(now_ms)
        ours.read(now_ms)
        theirs.read(now_ms)
        master, stage = (ours, 0) if now_ms % 1000 == 0 else (theirs, 1)
        master.write({0: StageRequest(stage)}, now_ms)
    for master, wanted, found in ((ours, 0, 1), (theirs, 1, 0)):
        told = [note.text for note in master.notes if "another master" in note.text]
        assert len(told) == 1
        assert f"expected StageRequest(stage={wanted})" in told[0]
        assert f"stage={found}" in told[0].partition("found")[2]
        assert master.health(0).overruled > 10
        assert master.health(1).overruled == 0
    assert not street.stand_ins[0].monitor.log


def test_a_controller_that_lets_go_of_an_order_is_told_anew_and_nobody_is_blamed() -> None:
    """It loses power: what it held is gone, the next tick says it again."""
    street = make_street()
    bridge = bridge_to(street)
    for now_ms in range(10_000, 13_000, 1000):
        street.until(now_ms)
        bridge.read(now_ms)
        bridge.write({0: StageRequest(0)}, now_ms)
    street.stand_ins[0].reboot()
    street.until(13_000)
    bridge.read(13_000)
    bridge.write({0: StageRequest(0)}, 13_000)
    assert street.status(0).controls == Controls(stage=0)
    assert bridge.health(0).overruled == 0


@pytest.fixture
def silent_peer() -> Iterator[str]:
    """Somebody who takes connections and never says anything."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"tcp:127.0.0.1:{server.getsockname()[1]}"


def test_a_dead_peer_holds_up_nobody_else(silent_peer: str) -> None:
    """A never answers, B does: once B is up no tick takes as long as a time-out, however often A is tried."""
    config = StandInConfig(tick_ms=100, backup_ms=BACKUP_MS)
    street = Street([StandIn(junction, config) for junction in two_crossroads().junctions])
    street.front = GbtFront(street.stand_ins, {"transport": "tcp"}, lambda: street.now_ms)
    settings = BridgeSettings(timeout_ms=1000, first_open_ms=3000, later_open_ms=50)
    addresses = dict(street.front.open()) | {"A": silent_peer}
    bridge: Bridge = GbtBridge([s.junction for s in street.stand_ins], addresses, Profile(), settings)
    with closing(street.front), closing(bridge):
        street.until(1000)
        _read_until_up(bridge, street, 1)
        tries_s: list[float] = []
        ends_s = monotonic() + 4.0
        while monotonic() < ends_s and len(tries_s) < 40:
            street.until(street.now_ms + 500)
            begin_s = monotonic()
            bridge.read(street.now_ms)
            tries_s.append(monotonic() - begin_s)
            assert bridge.status(1, street.now_ms) is not None
        assert bridge.health(0).state is LinkState.DOWN
        assert max(tries_s) < 0.6


def _read_until_up(bridge: Bridge, street: Street, device: int) -> None:
    for _ in range(50):
        bridge.read(street.now_ms)
        if bridge.health(device).state is LinkState.UP:
            return
    pytest.fail(bridge.health(device).why)

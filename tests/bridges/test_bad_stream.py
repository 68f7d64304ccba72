"""Protocols over TCP on a bad line: no conflict, fallback in time, connected again within 5 s of the line's return."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from greensplit.bridges.base import Bridge, BridgeSettings, LinkState
from greensplit.bridges.field import Mode, StageRequest
from greensplit.bridges.gbt20999.bridge import GbtBridge
from greensplit.bridges.gbt20999.profile import Profile
from greensplit.bridges.mqtt.bridge import make as make_mqtt
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.bridges.standin.gbt20999 import GbtFront
from greensplit.bridges.standin.mqtt import MqttFront

from .bad_stream import BadStream
from .mqtt.broker import Authority, Broker, require_mosquitto
from .street import BACKUP_MS, TICK_MS, Street, two_crossroads

pytestmark = pytest.mark.slow

QUICK = BridgeSettings(timeout_ms=250)
RETURN_S = 5.0

Scene = tuple[Street, Bridge, BadStream]


@contextmanager
def gbt20999(street: Street, _place: Path) -> Iterator[Scene]:
    """A is reached over the bad line, B directly."""
    front = GbtFront(street.stand_ins, {"transport": "tcp"}, lambda: street.now_ms)
    street.front = front
    addresses = dict(front.open())
    line = BadStream(int(addresses["A"].rpartition(":")[2]))
    junctions = [stand_in.junction for stand_in in street.stand_ins]
    bridge = GbtBridge(junctions, addresses | {"A": f"tcp:127.0.0.1:{line.port}"}, Profile(), QUICK)
    try:
        yield street, bridge, line
    finally:
        line.is_silent = False
        bridge.close()
        line.close()
        front.close()


@contextmanager
def mqtt(street: Street, place: Path) -> Iterator[Scene]:
    """The engine's way to the broker is bad, that of the field is not."""
    require_mosquitto()
    broker = Broker(place, Authority(place))
    broker.start()
    front = MqttFront(street.stand_ins, broker.account("gateway") | {"look_ms": "10"}, lambda: street.now_ms)
    street.front = front
    addresses = dict(front.open())
    account = broker.account("engine") | {"age_ms": "0"}
    where = next(iter(addresses.values())).partition("/")[0]
    line = BadStream(int(where.rpartition(":")[2]))
    moved = {name: place.replace(where, f"127.0.0.1:{line.port}") for name, place in addresses.items()}
    bridge = make_mqtt([stand_in.junction for stand_in in street.stand_ins], moved, account, QUICK)
    try:
        yield street, bridge, line
    finally:
        line.is_silent = False
        bridge.close()
        line.close()
        front.close()
        broker.kill()


SCENES = {"gbt20999": gbt20999, "mqtt": mqtt}


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """Two crossroads that have been driven for ten seconds over a line that is still good."""
    config = StandInConfig(tick_ms=TICK_MS, backup_ms=BACKUP_MS)
    street = Street([StandIn(junction, config) for junction in two_crossroads().junctions])
    with SCENES[request.param](street, tmp_path) as made:
        street.until(1000)
        drive(made, 10_000)
        assert street.status(0).mode is Mode.SYSTEM
        yield made


def drive(scene: Scene, end_ms: int) -> None:
    """A tick a second; either stage in turn."""
    street = scene[0]
    while street.now_ms < end_ms:
        street.until(street.now_ms + 1000)
        tick(scene)


def tick(scene: Scene) -> None:
    """Read and write once."""
    street, bridge, _ = scene
    bridge.read(street.now_ms)
    bridge.write({d: StageRequest(street.now_ms // 15_000 % 2) for d in (0, 1)}, street.now_ms)


def seconds_until_up(scene: Scene) -> float:
    """By the wall clock, which the street's clock follows from now on, two ticks a second."""
    street, bridge, _ = scene
    begin_s = time.monotonic()
    while bridge.health(0).state is not LinkState.UP or bridge.status(0, street.now_ms) is None:
        assert time.monotonic() - begin_s < 4 * RETURN_S, bridge.health(0).why
        due_s = time.monotonic() + 0.5
        street.until(street.now_ms + 500)
        tick(scene)
        time.sleep(max(0.0, due_s - time.monotonic()))
    return time.monotonic() - begin_s


def expect_safe(scene: Scene) -> None:
    """Nothing for the malfunction monitors, and each trouble in one line."""
    street, bridge, _ = scene
    assert all(not stand_in.monitor.log for stand_in in street.stand_ins)
    assert all("\n" not in note.text for note in bridge.notes)


def test_a_line_on_which_much_is_late_and_some_is_wrong(scene: Scene) -> None:
    """30 % of the pieces late, 3 % changed, until there were enough of both: nothing unsafe shows, all recovers."""
    street, bridge, line = scene
    line.late, line.wrong = 0.3, 0.03
    ends_s = time.monotonic() + 4 * RETURN_S
    while (line.delayed < 20 or line.changed < 3) and time.monotonic() < ends_s:
        drive(scene, street.now_ms + 1000)
        time.sleep(0.05)
    assert line.delayed >= 20
    assert line.changed >= 3
    line.late = line.wrong = 0.0
    assert seconds_until_up(scene) < RETURN_S
    before = bridge.health(0).commands
    drive(scene, street.now_ms + 3000)
    assert bridge.health(0).commands > before
    expect_safe(scene)


def test_a_line_that_falls_silent_ends_in_backup_and_comes_back(scene: Scene) -> None:
    """Nothing comes through from 10 s on: backup within its time, and up within 5 s of the return by the wall clock."""
    street, bridge, line = scene
    line.is_silent = True
    written_ms = street.now_ms
    drive(scene, written_ms + BACKUP_MS - 1000)
    assert street.status(0).mode is Mode.SYSTEM
    drive(scene, written_ms + BACKUP_MS)
    assert street.status(0).mode is Mode.BACKUP
    drive(scene, written_ms + 3 * BACKUP_MS)
    assert bridge.health(0).state is LinkState.DOWN
    line.is_silent = False
    assert seconds_until_up(scene) < RETURN_S
    tick(scene)
    street.until(street.now_ms + 100)
    assert street.status(0).mode is Mode.SYSTEM
    expect_safe(scene)


def test_a_line_that_is_cut_comes_back(scene: Scene) -> None:
    """Cut twice: up again within 5 s each time."""
    street, _, line = scene
    for _ in range(2):
        line.cut()
        drive(scene, street.now_ms + 3000)
        assert seconds_until_up(scene) < RETURN_S
    expect_safe(scene)

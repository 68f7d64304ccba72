"""The bridge and the stand-in on real sockets: who may control, bad lines, reboots, silence."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from greensplit.bridges.base import BridgeSettings, LinkState
from greensplit.bridges.field import (
    Masks,
    Mode,
    ModeRequest,
    PatternRequest,
    PreemptRequest,
    Remote,
    StageRequest,
)
from greensplit.bridges.gbt20999.bridge import GbtBridge, central_values
from greensplit.bridges.gbt20999.errors import RefusedError, ValueRefusedError
from greensplit.bridges.gbt20999.frame import Address, Frame, Type, decode, encode, items_of
from greensplit.bridges.gbt20999.host import Host
from greensplit.bridges.gbt20999.link import open_link
from greensplit.bridges.gbt20999.profile import Profile
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.bridges.standin.gbt20999 import GbtFront
from greensplit.bridges.standin.gbt20999_answers import Cabinet20999, Variant
from greensplit.engine.model.aspects import GREEN, RED

from ..street import BACKUP_MS, TICK_MS, Street, two_crossroads
from .proxy import BadLine
from .test_frame import mutated

TAKE_STAGE_2 = ((Address(17, 1, 2, 1), b"\x02"), (Address(17, 1, 4, 1), b"\x15"))
UNKNOWN = Profile()
FLASH = ((Address(18, 1), bytes(15) + b"\x01"),)


@contextmanager
def served(**options: str) -> Iterator[tuple[Street, dict[str, str]]]:
    """Two crossroads behind the front, and where they can be reached."""
    config = StandInConfig(tick_ms=TICK_MS, backup_ms=BACKUP_MS)
    here = Street([StandIn(junction, config) for junction in two_crossroads().junctions])
    front = GbtFront(here.stand_ins, options, lambda: here.now_ms)
    here.front = front
    addresses = dict(front.open())
    try:
        yield here, addresses
    finally:
        front.close()


@contextmanager
def bridged(
    here: Street, addresses: dict[str, str], timeout_ms: int = 1000, profile: Profile = UNKNOWN
) -> Iterator[GbtBridge]:
    """A bridge to both."""
    junctions = [stand_in.junction for stand_in in here.stand_ins]
    bridge = GbtBridge(junctions, addresses, profile, BridgeSettings(timeout_ms=timeout_ms))
    try:
        yield bridge
    finally:
        bridge.close()


def say(address: str, frame: Frame, source: str = "127.0.0.1") -> Frame:
    """Send one datagram from a source of one's own, and take the answer."""
    _, host, port = address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((source, 0))
        peer.settimeout(2)
        peer.sendto(encode(frame), (host, int(port)))
        return decode(peer.recv(65_535))


@pytest.mark.parametrize(("host_id", "source"), [(2, "127.0.0.1"), (1, "127.0.0.2")])
@pytest.mark.parametrize("pairs", [TAKE_STAGE_2, FLASH])
def test_a_peer_that_is_not_the_registered_host_moves_no_lamp(
    host_id: int, source: str, pairs: tuple[tuple[Address, bytes], ...]
) -> None:
    """Another host id, another address: it may look, each set is refused, nothing is held, no timer is renewed."""
    with served() as (here, addresses):
        here.until(12_000)
        before = here.status(0)
        answer = say(addresses["A"], Frame(Type.SET, items_of(pairs), host=host_id, serial=9), source)
        assert answer.type is Type.SET_ERROR
        assert {item.value for item in answer.items or ()} == {b"\x20"}
        assert here.status(0) == before
        assert here.stand_ins[0].status().mode is Mode.TIMEBASE
        look = say(addresses["A"], Frame(Type.QUERY, items_of([(Address(3, 1), b"")]), host=host_id), source)
        assert look.type is Type.QUERY_REPLY


def test_the_registered_host_moves_them() -> None:
    """The same frames from the right one are obeyed: the test above can fail."""
    with served() as (here, addresses):
        here.until(12_000)
        answer = say(addresses["A"], Frame(Type.SET, items_of(TAKE_STAGE_2), serial=9))
        assert answer.type is Type.SET_REPLY
        for end_ms in range(13_000, 25_000, 1000):
            here.until(end_ms)
            say(addresses["A"], Frame(Type.HEARTBEAT, serial=10))
        assert here.status(0).aspects == (RED, GREEN)
        assert here.status(0).mode is Mode.SYSTEM


def test_heartbeats_of_others_do_not_keep_a_controller_from_falling_back() -> None:
    """The host falls silent; a stranger's heartbeats are answered and change nothing."""
    with served() as (here, addresses):
        here.until(12_000)
        say(addresses["A"], Frame(Type.SET, items_of(TAKE_STAGE_2), serial=9))
        for end_ms in range(12_500, 12_000 + BACKUP_MS, 500):
            here.until(end_ms)
            answer = say(addresses["A"], Frame(Type.HEARTBEAT, host=2, serial=10))
            assert answer.type is Type.HEARTBEAT_REPLY
            assert here.status(0).mode is Mode.SYSTEM
        here.until(12_000 + BACKUP_MS)
        assert here.status(0).mode is Mode.BACKUP


@pytest.mark.parametrize(
    ("pairs", "codes"),
    [
        ([(Address(17, 1, 2, 1), b"\x03"), (Address(17, 1, 4, 1), b"\x15")], {b"\x12"}),
        ([(Address(17, 1, 2, 1), b"\x41"), (Address(17, 1, 4, 1), b"\x15")], {b"\x12", b"\0"}),
        ([(Address(17, 1, 2, 1), b"\x01\x01")], {b"\x11"}),
        ([(Address(17, 2, 1, 1), b"\x01")], {b"\x30"}),
        ([(Address(4, 2, 27, 1), b"\x00\x01")], {b"\x20"}),
        ([(Address(7, 1, 2, 1), bytes(8))], {b"\x20"}),
        ([(Address(13, 2, 2, 1), b"\x15")], {b"\x20"}),
        ([(Address(17, 1, 4, 1), b"\x31"), (Address(17, 1, 4, 2), b"\x31")], {b"\x30", b"\0"}),
    ],
)
def test_a_set_of_several_items_is_done_as_a_whole_or_not_at_all(
    pairs: list[tuple[Address, bytes]], codes: set[bytes]
) -> None:
    """Range, length, existence and access are checked first; nothing of a bad frame is obeyed."""
    with served() as (here, addresses):
        here.until(1000)
        before = here.stand_ins[0].controls
        link = open_link(addresses["A"], 1.0)
        host = Host(link, Profile(), 1.0)
        answers = host._exchange(Type.SET, pairs)
        link.close()
        assert {bytes((a,)) if isinstance(a, int) else a for a in answers.values()} == codes
        assert here.stand_ins[0].controls == before
        assert here.status(0).mode is Mode.TIMEBASE


def test_orders_are_said_in_the_central_control_table() -> None:
    """Stage under mode 15, plan under 13, flash and all red down the pipe, release by mode 11; masks not at all."""
    stage, plan, mode, pipe = (
        Address(17, 1, 2, 1),
        Address(17, 1, 3, 1),
        Address(17, 1, 4, 1),
        Address(18, 1),
    )
    rest = (0,) * 15
    profile = Profile()
    assert central_values(StageRequest(2), profile) == {stage: 3, mode: 0x15}
    assert central_values(PatternRequest(4), profile) == {plan: 4, mode: 0x13}
    assert central_values(ModeRequest(Remote.FLASH), profile) == {pipe: (1, *rest)}
    assert central_values(ModeRequest(Remote.ALL_RED), profile) == {pipe: (2, *rest)}
    assert central_values(ModeRequest(Remote.LOCAL), profile) == {mode: 0x11, pipe: (0, *rest)}
    for order in (Masks(hold=1), PreemptRequest(1), StageRequest(64), PatternRequest(200)):
        with pytest.raises(ValueRefusedError, match="expected a stage"):
            central_values(order, profile)


def test_a_device_whose_backup_time_nobody_knows_is_only_watched() -> None:
    """The profile of a maker that is not known states none; with one stated by the engineer it may be controlled."""
    with served() as (here, addresses):
        here.until(1000)
        nobody = Profile(backup_object=Address(201, 1))
        with bridged(here, addresses, profile=nobody) as bridge:
            bridge.read(1000)
            assert bridge.health(0).state is LinkState.MONITOR_ONLY
            assert "backup time" in bridge.health(0).why


def drive(here: Street, bridge: GbtBridge, until_ms: int) -> int:
    """Ask for either stage in turn, a tick a second; how many ticks had a fresh status."""
    fresh = 0
    while here.now_ms < until_ms:
        here.until(here.now_ms + 1000)
        bridge.read(here.now_ms)
        stage = here.now_ms // 15_000 % 2
        bridge.write({d: StageRequest(stage) for d in (0, 1)}, here.now_ms)
        fresh += bridge.status(0, here.now_ms) is not None
    return fresh


def test_a_bad_line_costs_answers_and_no_safety() -> None:
    """30 % lost both ways, doubled, turned round, changed: stages still come, no conflict, no short yellow."""
    with served() as (here, addresses):
        line = BadLine(addresses["A"])
        with bridged(here, {**addresses, "A": line.address}, timeout_ms=240) as bridge:
            here.until(2000)
            for _ in range(3):
                bridge.read(here.now_ms)
                here.until(here.now_ms + 1000)
            line.loss, line.doubled, line.late, line.wrong = 0.3, 0.2, 0.3, 0.1
            fresh = drive(here, bridge, 40_000)
            line.close()
            assert line.lost > 30
            assert fresh > 12
            assert bridge.health(0).commands > 10
            assert all(not stand_in.monitor.log for stand_in in here.stand_ins)
            assert all("\n" not in note.text for note in bridge.notes)


def test_a_silent_line_ends_in_backup_and_comes_back() -> None:
    """Silent from 20 s on: backup within the backup time of the last command; up within 5 s of the return."""
    with served() as (here, addresses):
        line = BadLine(addresses["A"])
        with bridged(here, {**addresses, "A": line.address}, timeout_ms=60) as bridge:
            here.until(2000)
            drive(here, bridge, 20_000)
            assert here.status(0).mode is Mode.SYSTEM
            line.is_silent = True
            drive(here, bridge, 20_000 + BACKUP_MS)
            here.until(here.now_ms + 100)
            assert here.status(0).mode is Mode.BACKUP
            assert here.status(1).mode is Mode.SYSTEM
            drive(here, bridge, 40_000)
            assert bridge.health(0).state is LinkState.DOWN
            assert "\n" not in bridge.health(0).why
            line.is_silent = False
            drive(here, bridge, 45_000)
            assert bridge.health(0).state is LinkState.UP
            assert here.status(0).mode is Mode.SYSTEM
            line.close()
            assert all(not stand_in.monitor.log for stand_in in here.stand_ins)


def test_a_controller_that_reboots_is_told_again() -> None:
    """It forgets its orders; within three seconds it holds them again."""
    with served() as (here, addresses), bridged(here, addresses) as bridge:
        here.until(2000)
        drive(here, bridge, 20_000)
        assert here.front is not None
        with here.front.lock:
            here.stand_ins[0].reboot()
        drive(here, bridge, 23_000)
        assert here.status(0).mode is Mode.SYSTEM
        assert all(not stand_in.monitor.log for stand_in in here.stand_ins)


def test_the_hand_at_the_cabinet_wins_over_the_centre() -> None:
    """Manual stage 1 while the centre wants stage 2: mode 25, nothing is sent, the lamps are the hand's."""
    with served() as (here, addresses), bridged(here, addresses) as bridge:
        here.until(12_000)
        here.stand_ins[0].cabinet.manual_stage = 0
        for end_ms in range(13_000, 25_000, 1000):
            here.until(end_ms)
            bridge.read(end_ms)
            bridge.write({0: StageRequest(1)}, end_ms)
        told = bridge.status(0, here.now_ms)
        assert told is not None
        assert told.mode is Mode.MANUAL
        assert bridge.health(0).commands == 0
        assert here.status(0).aspects == (GREEN, RED)


@pytest.mark.parametrize(
    "options",
    [{"lamp_attribute": "1"}, {"serials": "1"}, {"heartbeat_reply": "0x71"}, {"transport": "tcp"}],
)
def test_variants_of_the_stand_in_are_found_out(options: dict[str, str]) -> None:
    """Whatever its manners, the lamps are right and a stage is taken."""
    with served(**options) as (here, addresses), bridged(here, addresses) as bridge:
        here.until(12_000)
        bridge.read(12_000)
        told = bridge.status(0, 12_000)
        assert told is not None
        assert told.aspects == here.status(0).aspects
        bridge.write({0: StageRequest(1)}, 12_000)
        assert bridge.health(0).commands == 1
        assert here.stand_ins[0].controls.stage == 1


def test_a_host_reads_what_the_bridge_does_not_need() -> None:
    """Maker, plans, flow and occupancy, faults; what is not there is refused in words."""
    with served() as (here, addresses):
        here.until(7000, (1, 6100, 1), (1, 6600, 0))
        with bridged(here, addresses) as bridge:
            bridge.read(7000)
            host = bridge.host(0)
            assert host.get([Address(1, 1)]) == {Address(1, 1): "greensplit stand-in"}
            assert host.number(14, 2, 2, 2) == 1
            assert host.number(14, 2, 3, 2) == 50
            assert host.number(16, 1) == host.number(15, 1) == 0
            with pytest.raises(RefusedError, match="not there"):
                host.number(3, 3, 2, 64)


def test_mutated_sets_leave_the_front_alive_and_the_street_safe() -> None:
    """2,000 datagrams of rubbish and half-right frames from the host's own address."""

    chance = random.Random(5)
    seeds = [encode(Frame(Type.SET, items_of(p), serial=9)) for p in (TAKE_STAGE_2, FLASH)]
    with served() as (here, addresses):
        here.until(12_000)
        _, host, port = addresses["A"].split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            for n in range(2000):
                peer.sendto(mutated(chance, chance.choice(seeds)), (host, int(port)))
                if n % 20 == 0:
                    here.until(here.now_ms + 100)
                    say(addresses["A"], Frame(Type.QUERY, items_of([(Address(3, 1), b"")])))
        assert isinstance(here.front, GbtFront)
        assert here.front.dropped > 500
        assert not here.stand_ins[0].monitor.log


def test_a_set_that_was_overtaken_is_neither_obeyed_nor_answered() -> None:
    """Serial 9 arrives half a second after serial 10; two seconds later nobody remembers 10, and 9 is heard."""
    stand_in = StandIn(two_crossroads().junctions[0], StandInConfig(tick_ms=TICK_MS))
    cabinet = Cabinet20999(stand_in, Variant())

    def ask(stage: bytes, serial: int, now_ms: int) -> int:
        pairs = ((Address(17, 1, 2, 1), stage), (Address(17, 1, 4, 1), b"\x15"))
        return len(cabinet.answer(Frame(Type.SET, items_of(pairs), serial=serial), "127.0.0.1", now_ms))

    assert (ask(b"\x02", 10, 1000), stand_in.controls.stage) == (1, 1)
    assert (ask(b"\x01", 9, 1500), stand_in.controls.stage) == (0, 1)
    assert (ask(b"\x01", 9, 3000), stand_in.controls.stage) == (1, 0)

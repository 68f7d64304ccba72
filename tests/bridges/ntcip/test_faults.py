"""A bad line, a bad peer, a second master: the lamps stay safe, the refusals are told, and all recovers."""

from __future__ import annotations

import random
import socket
from contextlib import closing
from dataclasses import replace
from time import monotonic

import pytest

from greensplit.bridges.base import BridgeSettings, LinkState
from greensplit.bridges.field import Mode, StageRequest
from greensplit.bridges.ntcip.bridge import NtcipBridge, make
from greensplit.bridges.ntcip.objects import instance
from greensplit.bridges.standin import ntcip_ber as ber
from greensplit.bridges.standin.ntcip_ber import Varbind
from greensplit.engine.errors import BridgeError

from .proxy import Line, Proxy
from .wire import READER, Street, bridged, street

QUICK = BridgeSettings(timeout_ms=150)


def rule(here: Street, bridge: NtcipBridge, end_ms: int, stage: int = -1) -> None:
    """Read and write once a second; without a stage the stages take turns of ten seconds."""
    for now_ms in range(here.now_ms + 1000, end_ms + 1, 1000):
        here.until(now_ms)
        bridge.read(now_ms)
        stages = dict.fromkeys(range(len(here.stand_ins)), stage if stage >= 0 else now_ms // 10000 % 2)
        bridge.write({d: StageRequest(s) for d, s in stages.items()}, now_ms)


@pytest.mark.parametrize(
    "line",
    [
        Line(loss=0.3),
        Line(twice=0.5, delayed=0.5),
        Line(loss=0.15, twice=0.3, delayed=0.3),
    ],
    ids=["loss", "disorder", "all"],
)
def test_a_bad_line_costs_time_and_never_safety(line: Line) -> None:
    """Thirty seconds: nothing in the malfunction log, most seconds under control."""
    with street() as here:
        proxies = {name: Proxy(address, line, n) for n, (name, address) in enumerate(here.addresses.items())}
        models = [stand_in.junction for stand_in in here.stand_ins]
        bridge = make(models, {name: proxy.address for name, proxy in proxies.items()}, {}, QUICK)
        rule(here, bridge, 40_000)
        for d, stand_in in enumerate(here.stand_ins):
            assert stand_in.monitor.log == []
            assert bridge.health(d).commands > 10
        bridge.close()
        for proxy in proxies.values():
            proxy.close()


def test_a_silent_controller_falls_back_and_is_found_again() -> None:
    """The line is cut for 20 s: backup mode 5 s after the last command, connected within 5 s of its return."""
    with street() as here:
        line = Line()
        proxy = Proxy(here.addresses["free"], line)
        bridge = make([here.stand_ins[0].junction], {"free": proxy.address}, {}, QUICK)
        modes: list[Mode] = []
        for now_ms in range(11_000, 60_000, 1000):
            line.is_cut = 20_000 <= now_ms < 40_000
            here.until(now_ms)
            bridge.read(now_ms)
            bridge.write({0: StageRequest(0)}, now_ms)
            modes.append(here.stand_ins[0].status().mode)
            if now_ms == 25_000:
                assert modes[-1] is Mode.BACKUP
                assert bridge.health(0).state is LinkState.DOWN
            if now_ms == 45_000:
                assert bridge.health(0).state is LinkState.UP
                assert modes[-1] is Mode.SYSTEM
        assert all("\n" not in note.text for note in bridge.notes)
        bridge.close()
        proxy.close()


def test_a_reboot_is_survived() -> None:
    """Controls are lost, the backup timer is not running: the next second it is under control again."""
    with street() as here, bridged(here) as bridge:
        rule(here, bridge, 30_000)
        with here.front.lock:
            here.stand_ins[0].reboot()
        rule(here, bridge, 45_000, stage=0)
        assert here.stand_ins[0].status().mode is Mode.SYSTEM
        assert here.stand_ins[0].monitor.log == []
        assert bridge.health(0).state is LinkState.UP


def test_wrong_answers_are_told_and_not_acted_upon() -> None:
    """Every bit of the answers may be wrong: no exception leaves the bridge, and nothing unsafe shows."""
    dice = random.Random(3)

    def lie(datagram: bytes) -> bytes:
        octets = bytearray(datagram)
        for _ in range(dice.randrange(1, 4)):
            octets[dice.randrange(len(octets))] = dice.randrange(256)
        return bytes(octets)

    with street() as here:
        proxy = Proxy(here.addresses["free"], Line())
        bridge = make([here.stand_ins[0].junction], {"free": proxy.address}, {}, QUICK)
        here.until(11_000)
        bridge.read(11_000)
        assert bridge.health(0).state is LinkState.UP
        proxy.line.lie = lie
        for now_ms in range(12_000, 30_000, 1000):
            here.until(now_ms)
            bridge.read(now_ms)
            bridge.write({0: StageRequest(now_ms // 5000 % 2)}, now_ms)
        assert bridge.health(0).failures > 0
        assert here.stand_ins[0].monitor.log == []
        bridge.close()
        proxy.close()


def test_lights_that_no_signal_shows_are_an_error() -> None:
    """Red and green of phase 1 at once."""
    with street() as here, bridged(here) as bridge:
        here.until(11_000)
        bridge.read(11_000)
        tree = here.front.trees[0]
        true = tree._group_masks
        tree._group_masks = lambda status: {  # type: ignore[method-assign]
            **true(status),
            "phaseStatusGroupReds": 0b111,
            "phaseStatusGroupGreens": 0b111,
        }
        bridge.read(12_000)
        assert "phase 1: expected red, yellow or green" in bridge.notes[-1].text
        assert bridge.health(0).failures == 1


def test_a_reader_or_a_stranger_never_controls() -> None:
    """Every write is told as refused, the controller stays on its own; a stranger does not even connect."""
    with street() as here, bridged(here, {"community": READER}) as bridge:
        rule(here, bridge, 14_000)
        assert bridge.health(0).state is LinkState.UP
        assert bridge.health(0).commands == 0
        assert "phaseControlGroupPhaseOmit.1: noSuchName" in bridge.notes[-1].text
        assert here.stand_ins[0].status().mode is Mode.TIMEBASE
    with street() as here:
        models = [stand_in.junction for stand_in in here.stand_ins]
        stranger = make(models, here.addresses, {"community": "guess"}, QUICK)
        rule(here, stranger, 12_000)
        assert stranger.health(0).state is LinkState.DOWN
        assert "timeout" in stranger.health(0).why
        stranger.close()


def test_two_masters_never_make_a_conflict_and_are_noticed() -> None:
    """Each wants another stage all the time: the monitor has nothing to say, and the loser is told."""
    with street() as here, bridged(here) as one, bridged(here) as other:
        for now_ms in range(11_000, 41_000, 1000):
            here.until(now_ms)
            for bridge, stage in ((one, 0), (other, 1)):
                bridge.read(now_ms)
                bridge.write({0: StageRequest(stage)}, now_ms)
        assert here.stand_ins[0].monitor.log == []
        for bridge in (one, other):
            assert sum("another master writes" in note.text for note in bridge.notes) == 1


def test_a_download_is_all_or_nothing_and_hidden_until_it_is_verified() -> None:
    """A good plan arrives and changes the configuration's number; a bad one is refused in the controller's words."""
    from greensplit.bridges.ntcip.database import Database

    with street() as here, bridged(here) as bridge:
        store = Database(bridge.manager, bridge.lines[0].device)
        before = store.config_id()
        cycle, offset = instance("patternCycleTime", 1), instance("patternOffsetTime", 1)
        store.download([(cycle, 80), (offset, 20)], lambda: None)
        assert store.read([cycle, offset]) == {cycle: 80, offset: 20}
        assert store.config_id() != before
        with pytest.raises(BridgeError) as refusal:
            store.download([(cycle, 60), (offset, 70)], lambda: None)
        assert "patternOffsetTime.1: 70 s is not less than the cycle of 60 s" in str(refusal.value)
        assert "\n" not in str(refusal.value)
        assert store.read([cycle, offset]) == {cycle: 80, offset: 20}
        with pytest.raises(BridgeError, match="one that guards safety"):
            store.download([(instance("phaseYellowChange", 1), 5)], lambda: None)
        assert store.clock_ahead_s(1_704_067_200) == 10
        store.set_clock(1_704_067_300)
        assert store.clock_ahead_s(1_704_067_300) == 0


def test_a_transaction_belongs_to_one_master_and_hides_its_values() -> None:
    """Until it is over others cannot store, everybody reads the old values, and control goes on."""
    with street() as here:
        tree = here.front.trees[0]
        state, cycle = instance("dbCreateTransaction").oid, instance("patternCycleTime", 1).oid
        tree.set([Varbind(state, ber.INTEGER, 2)], "one")
        tree.set([Varbind(cycle, ber.INTEGER, 77)], "one")
        assert tree.get(cycle).value == 90
        with pytest.raises(Exception, match="error-status 5"):
            tree.set([Varbind(cycle, ber.INTEGER, 66)], "other")
        hold = instance("phaseControlGroupHold", 1).oid
        tree.set([Varbind(hold, ber.INTEGER, 1)], "other")
        assert here.stand_ins[0].controls.masks.hold == 1
        tree.set([Varbind(state, ber.INTEGER, 1)], "one")
        assert tree.get(cycle).value == 90


def test_controllers_that_never_answer_cost_one_time_out_together() -> None:
    """Six addresses at which nobody listens, and one controller: a tick takes about one time-out, not six."""
    with street() as here:
        alive = here.stand_ins[0].junction
        models = [alive, *(replace(alive, id=f"deaf {n}") for n in range(6))]
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as deaf:
            deaf.bind(("127.0.0.1", 0))
            nowhere = f"127.0.0.1:{deaf.getsockname()[1]}"
            addresses = {m.id: nowhere for m in models} | {alive.id: here.addresses[alive.id]}
            bridge = make(models, addresses, {}, BridgeSettings(timeout_ms=300))
            with closing(bridge):
                here.until(1000)
                begin_s = monotonic()
                bridge.read(here.now_ms)
                assert monotonic() - begin_s < 1.2
                assert bridge.health(0).state is LinkState.UP
                assert {bridge.health(d).state for d in range(1, 7)} == {LinkState.DOWN}

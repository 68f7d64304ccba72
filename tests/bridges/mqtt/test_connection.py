"""Passwords, certificates, a broker that dies and comes back, and mosquitto's own client as a witness."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from greensplit.bridges.base import BridgeSettings, LinkState
from greensplit.bridges.field import Mode, StageRequest
from greensplit.bridges.mqtt.messages import MESSAGES, schema_of
from greensplit.bridges.mqtt.options import read_options
from greensplit.bridges.mqtt.session import Session
from greensplit.engine.errors import BridgeError

from .broker import PASSWORDS, Authority, Broker, start_program
from .street import Street, engine, serving

# paho drops the socket of a failed handshake without closing it; the garbage collector closes it, and warns.
dropped_by_paho = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def _session(**words: str) -> Session:
    return Session(read_options(words, "test").broker, [("tlc/#", 1)])


def _tls(broker: Broker) -> dict[str, str]:
    words = broker.account("engine") | {"port": str(broker.tls_port)}
    return words | {"authority": str(broker.authority.certificate)}


def _reason(session: Session, timeout_s: float = 1.0) -> str:
    """Why there is no connection."""
    session.start()
    try:
        with pytest.raises(BridgeError) as caught:
            session.wait_ready(timeout_s)
    finally:
        session.stop()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def _eventually(is_true: Callable[[], bool], seconds: float) -> float:
    """Wait, at most so long; the seconds it took."""
    began = time.monotonic()
    while not is_true():
        assert time.monotonic() - began < seconds
        time.sleep(0.01)
    return time.monotonic() - began


def test_a_wrong_password_is_told_by_the_broker(broker: Broker) -> None:
    """One line, with the broker's words."""
    words = broker.account("engine") | {"password_file": str(broker.folder / "viewer.password")}
    assert "Not authorized" in _reason(_session(**words))


def test_nobody_comes_without_a_name(broker: Broker) -> None:
    """The sample configuration knows no strangers."""
    assert "Not authorized" in _reason(_session(port=str(broker.port)))


def test_the_closed_way_over_tls_with_passwords(broker: Broker) -> None:
    """Front and engine both prove the broker's certificate by our authority."""
    street = Street()
    secure = {"port": str(broker.tls_port), "authority": str(broker.authority.certificate)}
    with (
        serving(street, broker, **secure) as addresses,
        engine(street, broker, addresses, **secure) as bridge,
    ):
        street.run(1)
        bridge.read(street.now_ms)
        bridge.write({0: StageRequest(1)}, street.now_ms)
        assert bridge.health(0).state is LinkState.UP
        assert street.stand_ins[0].controls.stage == 1


def test_a_certificate_is_a_name_and_password_in_one(broker: Broker) -> None:
    """A controller with a certificate for J speaks for J; one without a certificate is not let in."""
    certificate, key = broker.authority.sign("J", "J")
    secure = {"port": str(broker.mutual_port), "authority": str(broker.authority.certificate)}
    street = Street()
    with serving(street, broker, **secure, certificate=str(certificate), key=str(key)):
        street.run(1)
        payload = _witness(broker, "viewer", "tlc/J/status/tlc.status/live")
        assert json.loads(payload)["entries"][0]["values"]["mode"] == "timebase"
    assert _reason(_session(**broker.account("J") | secure))


@dropped_by_paho
def test_a_certificate_of_somebody_elses_authority_is_not_believed(broker: Broker, tmp_path: Path) -> None:
    """Another authority of the same name did not sign it: no password is sent."""
    other = Authority(tmp_path)
    words = _tls(broker) | {"authority": str(other.certificate)}
    assert "certificate verify failed" in _reason(_session(**words))


@dropped_by_paho
def test_an_expired_certificate_of_the_broker_is_not_believed(own_broker: Broker) -> None:
    """It was good until the broker was started again with one of yesterday."""
    good = _session(**_tls(own_broker))
    good.start()
    good.wait_ready(2)
    good.stop()
    own_broker.kill()
    own_broker.replace_certificate(days=-1)
    own_broker.start()
    assert "certificate has expired" in _reason(_session(**_tls(own_broker)))


def _witness(broker: Broker, user: str, topic: str) -> str:
    program = start_program(*("mosquitto_sub", *broker.client(user, topic), "-C", "1", "-W", "3"))
    out, _ = program.communicate(timeout=5)
    assert program.returncode == 0, out
    return out


def test_what_mosquittos_own_client_reads_is_what_the_schemas_say(broker: Broker) -> None:
    """Presence, channels, tables and status are retained: who comes later sees them at once."""
    street = Street()
    with serving(street, broker):
        street.run(3, on=(0,))
        for topic, name in (
            ("presence", "presence"),
            ("channel/tlc.status/live", "channel"),
            ("status/tlc.status/live", "status.tlc.status"),
            ("status/tlc.tables/live", "status.tlc.tables"),
            ("alarm/tlc.alarm", "alarm"),
        ):
            payload = json.loads(_witness(broker, "viewer", f"tlc/J/{topic}"))
            jsonschema.validate(payload, schema_of(name))
            assert name in MESSAGES
    assert json.loads(_witness(broker, "viewer", "tlc/J/presence"))["state"] == "shutdown"


def test_detector_changes_come_with_number_and_time(broker: Broker) -> None:
    """On at one look, off at a later one; numbers without a gap."""
    street = Street()
    with serving(street, broker) as addresses, engine(street, broker, addresses) as bridge:
        street.run(0.1)
        bridge.read(street.now_ms)
        times = []
        for on, off in (((1,), ()), ((), (1,)), ((1, 2), ())):
            street.run(0.1, on, off)
            bridge.read(street.now_ms)
            times.append(street.now_ms)
        found = [(e.ts, e.seq, e.values.detector, e.values.on) for e in bridge.changes(0)]
        assert found == [
            (times[0], 0, 1, True),
            (times[1], 1, 1, False),
            (times[2], 2, 1, True),
            (times[2], 3, 2, True),
        ]
        assert bridge.lost_changes(0) == 0


def test_a_gap_in_the_detector_channel_is_fetched(broker: Broker) -> None:
    """While the channel was throttled two changes were kept; the next one shows the gap."""
    street = Street()
    with serving(street, broker) as addresses, engine(street, broker, addresses) as bridge:
        assert street.front is not None
        street.run(0.1)
        bridge.read(street.now_ms)
        for on, off, stopped in (((1,), (), False), ((), (1,), True), ((2,), (), True), ((), (2,), False)):
            outlet = street.front._outlets[0]
            (outlet.stopped.add if stopped else outlet.stopped.discard)("tlc.detector")
            street.run(0.1, on, off)
            bridge.read(street.now_ms)
        seen = [e.seq for e in bridge.changes(0)]
        _eventually(lambda: bool(seen.extend(e.seq for e in bridge.changes(0)) or len(seen) == 4), 2)
        assert sorted(seen) == [0, 1, 2, 3]
        assert bridge.lost_changes(0) == 2


def test_a_broker_that_dies_and_comes_back_is_found_within_five_seconds(own_broker: Broker) -> None:
    """The engine notes it in one line, the stand-in falls back by its own timer, later it obeys again."""
    street = Street(backup_ms=5000)
    settings = BridgeSettings(timeout_ms=300)
    with serving(street, own_broker) as addresses, engine(street, own_broker, addresses, settings) as bridge:
        street.run(1)
        bridge.read(street.now_ms)
        bridge.write({0: StageRequest(1)}, street.now_ms)
        assert street.stand_ins[0].controls.stage == 1
        own_broker.kill()
        for _ in range(30):
            street.run(0.2)
            bridge.read(street.now_ms)
            bridge.write({0: StageRequest(1)}, street.now_ms)
        assert bridge.health(0).state is LinkState.DOWN
        assert all("\n" not in note.text for note in bridge.notes)
        assert street.stand_ins[0].status().mode is Mode.BACKUP
        own_broker.start()

        def is_obeyed() -> bool:
            street.run(0.2)
            bridge.read(street.now_ms)
            bridge.write({0: StageRequest(0)}, street.now_ms)
            return street.stand_ins[0].controls.stage == 0

        assert _eventually(is_obeyed, 5.0) < 5.0
        assert street.stand_ins[0].monitor.latched is None


def test_a_frozen_broker_lets_no_late_command_through(own_broker: Broker) -> None:
    """The command waits in the broker for longer than it lives; when it comes it is told late, and not obeyed."""
    street = Street()
    settings = BridgeSettings(timeout_ms=200)
    with serving(street, own_broker) as addresses, engine(street, own_broker, addresses, settings) as bridge:
        assert street.front is not None
        street.run(1)
        bridge.read(street.now_ms)
        own_broker.signal(signal.SIGSTOP)
        bridge.write({0: StageRequest(1)}, street.now_ms)
        street.run(4)
        own_broker.signal(signal.SIGCONT)
        refusals = street.front.refusals
        _eventually(lambda: len(refusals) > 0, 3)
        assert "late" in refusals[0]
        assert street.stand_ins[0].controls.stage == -1


def test_a_controller_that_breaks_off_is_told_offline_by_the_broker(broker: Broker) -> None:
    """Its will."""
    street = Street()
    with serving(street, broker):
        assert street.front is not None
        connection = street.front._session._client.socket()
        assert connection is not None
        program = start_program(
            "mosquitto_sub", *broker.client("viewer", "tlc/J/presence"), "-C", "2", "-W", "4"
        )
        time.sleep(0.3)
        connection.shutdown(2)
        out, _ = program.communicate(timeout=6)
        assert [json.loads(line)["state"] for line in out.splitlines()] == ["online", "offline"]


def test_passwords_are_in_no_line(broker: Broker) -> None:
    """What goes wrong is told without what is secret."""
    words = broker.account("engine") | {"password_file": str(broker.folder / "viewer.password")}
    reason = _reason(_session(**words))
    assert not any(password in reason for password in PASSWORDS.values())

"""A run's own mosquitto: it is there unasked, knows two accounts, obeys one of them, and is gone afterwards."""

from __future__ import annotations

import shutil
import socket
import stat
import time
from pathlib import Path

import pytest

from greensplit.bridges.mqtt.bridge import make
from greensplit.bridges.mqtt.own_broker import CONTROLLERS, ENGINE, between
from greensplit.bridges.registry import between as between_ends
from greensplit.bridges.standin.mqtt import MqttFront
from greensplit.engine.errors import InputError

from .broker import require_mosquitto, run
from .street import Street

TOPIC = "ours/J/command/tlc.stage.set"
WORDS = {"prefix": "ours", "supervisor": "here"}
EXPIRES = ("-D", "publish", "message-expiry-interval", "2")


def _command(now_ms: int, key: int) -> str:
    return f'{{"key":{key},"issuer":"x","issued_ms":{now_ms},"expires_ms":{now_ms + 2000},"values":{{"stage":1}}}}'


def _publish(words: dict[str, str], payload: str, user: str = "", password: str = "") -> None:
    who = ("-u", user, "-P", password) if user else ()
    where = ("-h", words["host"], "-p", words["port"], "-V", "5", "-t", TOPIC)
    run("mosquitto_pub", *where, *who, "-q", "0", "-m", payload, *EXPIRES)


def _is_open(words: dict[str, str]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((words["host"], int(words["port"]))) == 0


def test_only_the_engines_account_moves_a_lamp_and_nothing_is_left_afterwards() -> None:
    """Strangers, wrong passwords and the controllers' own account send the same command; only the engine's arrives."""
    require_mosquitto()
    street = Street(backup_ms=30_000)
    with between_ends("mqtt", WORDS) as (ours, theirs):
        street.front = MqttFront(street.stand_ins, theirs | {"look_ms": "10"}, street.clock)
        addresses = dict(street.front.open())
        bridge = make([street.stand_ins[0].junction], addresses, ours)
        try:
            street.run(1)
            bridge.read(street.now_ms)
            assert bridge.health(0).connections == 1, bridge.health(0).why
            secrets = {
                user: Path(words["password_file"]) for user, words in ((ENGINE, ours), (CONTROLLERS, theirs))
            }
            assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in secrets.values())
            assert len({file.read_text() for file in secrets.values()}) == 2
            _publish_as_strangers(ours, street, secrets[CONTROLLERS].read_text())
            time.sleep(0.3)
            assert street.stand_ins[0].controls.stage == -1
            assert not street.front.refusals
            _publish(ours, _command(street.now_ms, 9), ENGINE, secrets[ENGINE].read_text())
            deadline = time.monotonic() + 3
            while street.stand_ins[0].controls.stage < 0 and time.monotonic() < deadline:
                time.sleep(0.005)
            street.run(25)
            assert street.greens() == [2]
        finally:
            bridge.close()
            street.front.close()
        assert _is_open(ours)
    assert not _is_open(ours)
    assert not any(file.exists() for file in secrets.values())


def _publish_as_strangers(words: dict[str, str], street: Street, password: str) -> None:
    """Nobody, somebody who guesses, and the controllers' own account: those who are let in are not passed on."""
    for user, secret in (("", ""), (ENGINE, password)):
        with pytest.raises(Exception, match="returned non-zero exit status"):
            _publish(words, _command(street.now_ms, 8), user, secret)
    _publish(words, _command(street.now_ms, 8), CONTROLLERS, password)


def test_a_named_broker_is_taken_as_it_is() -> None:
    """Nothing is started; in lockstep every look asks, unless it is said otherwise."""
    words = {"host": "broker.example", "port": "1", "user": "engine"}
    with between(words) as (ours, theirs):
        assert ours == theirs == words | {"age_ms": "0"}
    with between(words | {"age_ms": "100"}) as (ours, _):
        assert ours["age_ms"] == "100"


def test_a_password_for_no_broker_is_refused() -> None:
    """The accounts of a broker of our own are drawn, so that the words are meant for another."""
    with (
        pytest.raises(InputError, match="user: expected with the host and port of a broker"),
        between({"user": "x"}),
    ):
        pass


def test_without_mosquitto_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where it is not installed."""
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(InputError) as caught, between({}):
        pass
    assert str(caught.value) == (
        "mqtt: expected a broker (host=..., port=...) or a mosquitto of our own (apt-get install mosquitto), "
        "found no mosquitto"
    )


def test_other_protocols_need_nothing_between() -> None:
    """The words come back as they were."""
    with between_ends("gbt20999", {"transport": "tcp"}) as (ours, theirs):
        assert ours == theirs == {"transport": "tcp"}

"""What does not move a lamp: strangers, the past, what comes twice. Each refusal is one line at the stand-in."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from greensplit.bridges.field import Mode

from .broker import Broker, run
from .street import Street, serving

LIFE_MS = 2000
TOPIC = "tlc/J/command/tlc.stage.set"


def _command(now_ms: int, key: int = 1, stage: int = 1, life_ms: int = LIFE_MS) -> str:
    return (
        f'{{"key":{key},"issuer":"outside","issued_ms":{now_ms},"expires_ms":{now_ms + life_ms},'
        f'"values":{{"stage":{stage}}}}}'
    )


def _publish(broker: Broker, user: str, payload: str, *extra: str) -> None:
    run("mosquitto_pub", *broker.client(user, TOPIC), "-q", "1", "-m", payload, *extra)


EXPIRES = ("-D", "publish", "message-expiry-interval", "2")


def _settle(street: Street, refusals: int) -> list[str]:
    """Wait until so many refusals are told, then let the junction run."""
    assert street.front is not None
    deadline = time.monotonic() + 3
    while len(street.front.refusals) < refusals and time.monotonic() < deadline:
        time.sleep(0.005)
    street.run(20)
    return list(street.front.refusals)


def _wait_written(street: Street) -> None:
    deadline = time.monotonic() + 3
    while street.stand_ins[0].controls.stage < 0 and time.monotonic() < deadline:
        time.sleep(0.005)


def test_mosquittos_own_client_moves_the_lamps_when_it_may(broker: Broker) -> None:
    """The proof that the other tests of this file refuse for their reason and not for another."""
    street = Street(backup_ms=30_000)
    with serving(street, broker):
        street.run(1)
        _publish(broker, "engine", _command(street.now_ms), *EXPIRES)
        _wait_written(street)
        street.run(25)
        assert street.greens() == [2]
        assert street.stand_ins[0].status().mode is Mode.SYSTEM
        street.run(6)
        assert street.stand_ins[0].status().mode is Mode.BACKUP


def test_one_master_at_a_time_and_another_only_after_the_backup_timer(broker: Broker) -> None:
    """The second issuer is told who is master; when that one has been silent for 10 s it is heard."""
    street = Street()
    with serving(street, broker):
        street.run(1)
        _publish(broker, "engine", _command(street.now_ms), *EXPIRES)
        _wait_written(street)
        street.run(1)
        other = _command(street.now_ms, stage=0).replace("outside", "another")
        _publish(broker, "engine", other, *EXPIRES)
        (refusal,) = _settle(street, 1)
        assert "outside, who is master, found another" in refusal
        assert street.stand_ins[0].status().mode is Mode.BACKUP
        _publish(broker, "engine", _command(street.now_ms, stage=0).replace("outside", "another"), *EXPIRES)
        _wait_written(street)
        assert street.stand_ins[0].controls.stage == 0


@pytest.mark.parametrize(
    ("payload", "extra", "told"),
    [
        (_command(1000, life_ms=60_000), EXPIRES, "expected a life"),
        (_command(1000), (), "found no expiry"),
        ("{", EXPIRES, "payload"),
        ("[" * 20_000, EXPIRES, "payload"),
        (_command(1000).replace('"stage":1', '"stage":1,"also":2'), EXPIRES, "also"),
        (_command(1000, stage=7), EXPIRES, "out_of_range"),
        (_command(0, life_ms=500), EXPIRES, "late"),
        (_command(60_000), EXPIRES, "early"),
    ],
    ids=["long-lived", "everlasting", "broken", "deep", "unknown", "out of range", "late", "early"],
)
def test_a_command_that_is_not_for_now_or_not_a_command_is_refused_in_one_line(
    broker: Broker, payload: str, extra: tuple[str, ...], told: str
) -> None:
    """The junction goes on by its own plan, and the line says why."""
    street = Street()
    with serving(street, broker):
        street.run(1)
        _publish(broker, "engine", payload, *extra)
        (refusal,) = _settle(street, 1)
        assert told in refusal
        assert "\n" not in refusal
        assert street.stand_ins[0].status().mode is Mode.TIMEBASE


def test_a_command_that_comes_twice_acts_once(broker: Broker) -> None:
    """The second is told as a duplicate."""
    street = Street()
    with serving(street, broker):
        street.run(1)
        for _ in range(2):
            _publish(broker, "engine", _command(street.now_ms), *EXPIRES)
            _wait_written(street)
        (refusal,) = _settle(street, 1)
        assert "duplicate" in refusal


def test_a_key_out_of_all_bounds_does_not_shut_its_sender_out_for_good(broker: Broker) -> None:
    """An engine that went wrong used the highest key of all; ten seconds later its successor is heard again."""
    street = Street()
    with serving(street, broker):
        assert street.front is not None
        street.run(1)
        _publish(broker, "engine", _command(street.now_ms, key=(1 << 53) - 1), *EXPIRES)
        _wait_written(street)
        street.run(9)
        _publish(broker, "engine", _command(street.now_ms, stage=0), *EXPIRES)
        _settle(street, 1)
        assert "duplicate" in street.front.refusals[0]
        _publish(broker, "engine", _command(street.now_ms, stage=0), *EXPIRES)
        _wait_written(street)
        assert street.stand_ins[0].controls.stage == 0


def test_an_earlier_command_of_the_same_moment_does_not_undo_a_later_one(broker: Broker) -> None:
    """Key 1 asks for stage 1, key 2 for stage 0, then key 1 comes again: times are equal, the key tells."""
    street = Street()
    with serving(street, broker):
        street.run(1)
        for key, stage in ((1, 1), (2, 0), (1, 1)):
            _publish(broker, "engine", _command(street.now_ms, key=key, stage=stage), *EXPIRES)
        (refusal,) = _settle(street, 1)
        assert "expected a key above 2, found 1" in refusal


def test_a_retained_command_is_not_obeyed_by_whoever_comes_later(broker: Broker) -> None:
    """A command that the broker kept is of the past, however young it says it is."""
    street = Street()
    street.run(1)
    _publish(broker, "engine", _command(street.now_ms), *EXPIRES, "-r")
    try:
        with serving(street, broker):
            (refusal,) = _settle(street, 1)
            assert "retained" in refusal
            assert street.stand_ins[0].status().mode is Mode.TIMEBASE
    finally:
        run("mosquitto_pub", *broker.client("engine", TOPIC), "-q", "1", "-r", "-n")


@pytest.mark.parametrize("user", ["viewer", "J"])
def test_the_broker_lets_nobody_command_but_the_engine(broker: Broker, user: str) -> None:
    """By the permissions that are shipped: nothing even reaches the stand-in."""
    street = Street()
    with serving(street, broker):
        street.run(1)
        run("mosquitto_pub", *broker.client(user, TOPIC), "-q", "0", "-m", _command(street.now_ms), *EXPIRES)
        _publish(broker, "engine", "{", *EXPIRES)
        (refusal,) = _settle(street, 1)
        assert "payload" in refusal
        assert street.stand_ins[0].status().mode is Mode.TIMEBASE


def test_with_a_signing_key_an_unsigned_command_of_the_engines_own_account_is_refused(
    broker: Broker, tmp_path: Path
) -> None:
    """Who stole the password, or the broker, still cannot move a lamp."""
    key = tmp_path / "key"
    key.write_text("a secret of the centre and of J")
    street = Street()
    with serving(street, broker, signing_key=str(key)):
        street.run(1)
        _publish(broker, "engine", _command(street.now_ms), *EXPIRES)
        forged = ("-D", "publish", "user-property", "signature", "0" * 64)
        _publish(broker, "engine", _command(street.now_ms), *EXPIRES, *forged)
        first, second = _settle(street, 2)
        assert "found none" in first
        assert "found another" in second
        assert street.stand_ins[0].status().mode is Mode.TIMEBASE

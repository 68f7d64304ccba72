"""Payloads: what the published schemas refuse the decoder refuses, whatever comes only the typed error leaves it."""

from __future__ import annotations

import contextlib
import json
import random
import time
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from greensplit.bridges.field import (
    FieldCommand,
    Masks,
    ModeRequest,
    Order,
    PatternRequest,
    PreemptRequest,
    Remote,
    StageRequest,
)
from greensplit.bridges.mqtt.gate import Gate, RefusedError, sign
from greensplit.bridges.mqtt.messages import (
    COMMANDS,
    MESSAGES,
    MOST_BYTES,
    StatusMessage,
    TablesMessage,
    decode,
    encode,
    schema_of,
)
from greensplit.bridges.mqtt.session import Envelope, Received
from greensplit.bridges.mqtt.topics import Kind, Topic, node_of, parse_topic
from greensplit.bridges.mqtt.translation import (
    command_of,
    entry_of,
    message_of,
    status_of,
    tables_message,
    tables_of_message,
)
from greensplit.bridges.standin.controller import StandIn
from greensplit.engine.errors import BridgeError

from ...engine.kernels.sites import crossroads

SCHEMAS = files("greensplit.bridges.mqtt") / "schemas"
MASKS = {"hold": "1", "force_off": "0", "omit": "2", "call": "3"}
HEAD: dict[str, Any] = {"key": 7, "issuer": "centre-1", "issued_ms": 5000, "expires_ms": 7000}
ENTRY: dict[str, Any] = {"ts": 1, "seq": 0, "values": {"detector": 3, "on": True}}
BY_HAND: dict[str, Any] = {
    "presence": {"state": "online", "ts": 1000},
    "status.tlc.detector": {"entries": [ENTRY, ENTRY | {"seq": 1}]},
    "channel": {"state": "running"},
    "throttle": {"action": "stop"},
    "fetch": {"first": 3, "last": 9},
    "history": {"first": 3, "last": 9, "entries": [ENTRY]},
    "alarm": {"full": True, "entries": [{"ts": 1, "seq": 0, "name": "mmu_flash", "active": True}]},
    "result": {"key": 7, "verdict": "accepted", "reason": "", "ts": 1},
    "command.tlc.masks.set": HEAD | {"values": MASKS},
    "command.tlc.stage.set": HEAD | {"values": {"stage": 1}},
    "command.tlc.pattern.set": HEAD | {"values": {"pattern": 254, "sync_s": 255}},
    "command.tlc.preempt.set": HEAD | {"values": {"inputs": "3"}},
    "command.tlc.mode.set": HEAD | {"values": {"remote": "flash"}},
}
STRANGE: tuple[Any, ...] = (
    None,
    -1,
    0,
    1,
    255,
    256,
    1 << 60,
    0.5,
    "",
    "x",
    "ff",
    "online",
    True,
    [],
    {},
    [[]],
    "\ud800",
)


def _stand_in() -> StandIn:
    return StandIn(crossroads().junctions[0])


def _samples() -> dict[str, Any]:
    stand_in = _stand_in()
    status = StatusMessage(entries=(entry_of(stand_in.status(), 5),))
    tables = tables_message(stand_in.tables())
    return BY_HAND | {
        "status.tlc.status": json.loads(encode(status)),
        "status.tlc.tables": json.loads(encode(tables)),
    }


def _published(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


def test_every_message_has_a_published_schema_that_is_the_models_and_a_schema() -> None:
    """No more files, no fewer, none out of date, and each by the draft's own rules."""
    assert {path.name for path in SCHEMAS.iterdir()} == {f"{name}.schema.json" for name in MESSAGES}
    assert set(_samples()) == set(MESSAGES)
    for name in MESSAGES:
        schema = _published(name)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema == json.loads(json.dumps(schema_of(name)))


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_schema_and_decoder_agree_on_what_is_a_message(name: str) -> None:
    """The sample passes both, and each of 400 changes of it both or neither."""
    judge = jsonschema.Draft202012Validator(_published(name))
    sample = _samples()[name]
    judge.validate(sample)
    assert json.loads(encode(decode(MESSAGES[name], json.dumps(sample).encode(), name))) == sample
    draw = random.Random(name)
    refused = 0
    for _ in range(400):
        changed = _change(json.loads(json.dumps(sample)), draw)
        try:
            decode(MESSAGES[name], json.dumps(changed).encode(), name)
            is_accepted = True
        except BridgeError:
            is_accepted = False
        assert is_accepted == judge.is_valid(changed), changed
        refused += not is_accepted
    assert refused > 100


def _change(value: Any, draw: random.Random) -> Any:
    """One place of a message with something else in it, something less, or something more."""
    places = list(_places(value))
    holder, key = draw.choice(places)
    match draw.randrange(3):
        case 0:
            del holder[key]
        case 1:
            holder[key] = draw.choice([each for each in STRANGE if each != "\ud800"])
        case _ if isinstance(holder, dict):
            holder["unknown"] = draw.choice((1, "x"))
        case _:
            holder.append(draw.choice((1, "x")))
    return value


def _places(value: Any) -> Any:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _fuzz(rounds: int) -> None:
    draw = random.Random(1)
    samples = {name: json.dumps(sample).encode() for name, sample in _samples().items()}
    names = sorted(samples)
    slowest_s = 0.0
    for _ in range(rounds):
        name = draw.choice(names)
        data = bytearray(samples[name])
        for _ in range(draw.randrange(1, 5)):
            at = draw.randrange(len(data))
            match draw.randrange(4):
                case 0:
                    data[at] = draw.randrange(256)
                case 1:
                    del data[at : at + draw.randrange(1, 9)]
                    data = data or bytearray(b"0")
                case 2:
                    data[at:at] = bytes(draw.randrange(256) for _ in range(draw.randrange(1, 9)))
                case _:
                    data[at:at] = bytes([draw.choice(b'0123456789[{"-e')]) * draw.randrange(1, 300)
        began = time.perf_counter()
        refusal = _refusal(MESSAGES[name], bytes(data))
        slowest_s = max(slowest_s, time.perf_counter() - began)
        assert "\n" not in refusal
        assert len(refusal) < 1000
        with contextlib.suppress(BridgeError):
            parse_topic(bytes(data[:600]).decode("utf-8", "replace"))
    assert slowest_s < 1.0


def _refusal(model: type[BaseModel], payload: bytes) -> str:
    try:
        decode(model, payload, "fuzz")
    except BridgeError as err:
        return str(err)
    return ""


def test_mutated_payloads_and_topics_raise_the_typed_error_only() -> None:
    """Twenty thousand; a million under ``slow``."""
    _fuzz(20_000)


@pytest.mark.slow
def test_a_million_mutated_payloads_and_topics_raise_the_typed_error_only() -> None:
    """The same, longer."""
    _fuzz(1_000_000)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[" * MOST_BYTES,
        b'{"key":' + b"9" * 60_000 + b"}",
        b'"' + b"x" * 60_000 + b'"',
        b"\xff" * 100,
        b" " * (MOST_BYTES + 1),
        b'{"key":NaN}',
        b"1e999999999",
    ],
)
def test_a_hostile_payload_is_refused_at_once_in_one_short_line(payload: bytes) -> None:
    """Deep, long, not UTF-8, not JSON: less than a tenth of a second and of a kilobyte."""
    began = time.perf_counter()
    with pytest.raises(BridgeError) as caught:
        decode(COMMANDS["tlc.stage.set"], payload, "hostile")
    assert time.perf_counter() - began < 0.1
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_a_message_that_is_longer_than_anybody_reads_is_refused_though_it_is_one() -> None:
    """Spaces behind it, up to the limit and one more."""
    sample = json.dumps(BY_HAND["throttle"]).encode()
    assert decode(MESSAGES["throttle"], sample.ljust(MOST_BYTES), "long")
    with pytest.raises(
        BridgeError, match=f"long: expected at most {MOST_BYTES} bytes, found {MOST_BYTES + 1}"
    ):
        decode(MESSAGES["throttle"], sample.ljust(MOST_BYTES + 1), "long")


def test_a_signed_command_is_of_no_use_at_another_junction() -> None:
    """The same bytes with the same signature: obeyed at J, refused at K."""
    secret, payload = b"a secret of the centre", json.dumps(BY_HAND["command.tlc.stage.set"]).encode()
    there, here = (Topic(node, Kind.COMMAND, "tlc.stage.set") for node in ("tlc/J", "tlc/K"))
    envelope = Envelope(expiry_s=2, signature=sign(secret, str(there), payload))
    assert Gate(secret).admit(there, Received(str(there), payload, False, envelope), 5000, 10_000).key == 7
    with pytest.raises(RefusedError, match="expected the signature of our engine, found another"):
        Gate(secret).admit(here, Received(str(here), payload, False, envelope), 5000, 10_000)


@pytest.mark.parametrize(
    "order",
    [
        Masks(1, 2, 1 << 61, 3),
        StageRequest(4),
        PatternRequest(3, 17),
        PreemptRequest(5),
        ModeRequest(Remote.ALL_RED),
    ],
)
def test_an_order_comes_back_as_it_was_sent(order: Order) -> None:
    """Through the payload and back."""
    command = FieldCommand(1000, 3000, order, 9)
    code, message = message_of(command, "centre")
    assert command_of(decode(COMMANDS[code], encode(message), code)) == command


def test_a_status_and_the_tables_come_back_as_they_were_sent() -> None:
    """Of a stand-in that has run for some seconds."""
    stand_in = _stand_in()
    for now_ms in range(100, 5000, 100):
        stand_in.advance(now_ms)
    sent = stand_in.status()
    message = decode(StatusMessage, encode(StatusMessage(entries=(entry_of(sent, 1),))), "status")
    assert status_of(message.entries[0]) == sent
    tables = stand_in.tables()
    assert tables_of_message(decode(TablesMessage, encode(tables_message(tables)), "tables")) == tables


def test_topics_are_those_of_the_layout() -> None:
    """Node, type, code, channel; a node may have levels, and a name whatever it likes."""
    assert str(Topic("a/b", Kind.STATUS, "tlc.status", "live")) == "a/b/status/tlc.status/live"
    assert parse_topic("dk/cph/tlc-001/command/tlc.plan.set") == Topic(
        "dk/cph/tlc-001", Kind.COMMAND, "tlc.plan.set"
    )
    assert parse_topic("x/status/presence") == Topic("x/status", Kind.PRESENCE)
    assert node_of("J#1.2/+", "tlc") == "tlc/J%231%2E2%2F%2B"
    for wrong in ("", "presence", "a/command/x", "a/status/tlc.status", "a/+/presence", "a//presence", "a/#"):
        with pytest.raises(BridgeError):
            parse_topic(wrong)

"""What the front does with messages, without a broker: the second lock must hold where the first one is open."""

from __future__ import annotations

import json

from greensplit.bridges.mqtt.session import Envelope, Received
from greensplit.bridges.standin.mqtt import MqttFront

from .street import Street

COMMAND = "tlc/J/command/tlc.stage.set"
VALUES = {"key": 1, "issuer": "engine", "issued_ms": 0, "expires_ms": 2000, "values": {"stage": 1}}


class Silent(MqttFront):
    """A front whose connection only notes what it would send."""

    def __init__(self, street: Street) -> None:
        super().__init__(street.stand_ins, {}, street.clock)
        self.sent: list[str] = []
        self._session.publish = lambda topic, *_, **__: self.sent.append(topic)  # type: ignore[method-assign]


def test_an_answer_goes_to_no_topic_that_is_not_for_answers() -> None:
    """A command is obeyed; that its answer be a command to somebody else is not."""
    front = Silent(Street())
    for number, wanted in enumerate(("tlc/K/command/tlc.stage.set", "tlc/J/status/tlc.status/live", "?")):
        payload = json.dumps(VALUES | {"key": number + 1}).encode()
        front._take(Received(COMMAND, payload, False, Envelope(2, wanted, b"1")))
    assert front.stand_ins[0].controls.stage == 1
    assert front.sent == []
    payload = json.dumps(VALUES | {"key": 9}).encode()
    front._take(Received(COMMAND, payload, False, Envelope(2, "centre/result/tlc.stage.set", b"1")))
    assert front.sent == ["centre/result/tlc.stage.set"]


def test_a_retained_word_stops_no_channel() -> None:
    """What the broker kept of some other day is refused in one line; what is said now is obeyed."""
    front = Silent(Street())
    topic, payload = "tlc/J/throttle/tlc.status/live", b'{"action":"stop"}'
    front._take(Received(topic, payload, True, Envelope()))
    assert front.sent == []
    assert "told to start or stop now" in front.refusals[0]
    front._take(Received(topic, payload, False, Envelope()))
    assert front.sent == ["tlc/J/channel/tlc.status/live"]

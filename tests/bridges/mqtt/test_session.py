"""The connection to a broker that sends what is no MQTT, or too much; numbers of channels that start anew."""

from __future__ import annotations

import socket
from contextlib import closing
from threading import Thread
from time import monotonic, sleep

import pytest
from paho.mqtt.client import MQTTMessage

from greensplit.bridges.mqtt.sequence import Numbering, Turn
from greensplit.bridges.mqtt.session import MOST_WAITING_BYTES, Session
from greensplit.bridges.mqtt.settings import BrokerSettings

ACCEPTED = bytes.fromhex("20 03 00 00 00")
BAD_TOPIC = bytes.fromhex("30 05 00 01 ff 00 78")
BAD_PROPERTY = bytes.fromhex("30 06 00 01 61 02 7f 78")


def serve(server: socket.socket, rubbish: bytes, connections: list[float]) -> None:
    """Takes two connections; the first gets ``rubbish`` once it has subscribed, the second nothing more."""
    for more in (rubbish, b""):
        peer, _ = server.accept()
        with peer:
            connections.append(monotonic())
            peer.recv(4096)
            peer.sendall(ACCEPTED)
            asked = peer.recv(4096)
            peer.sendall(b"\x90\x04" + asked[2:4] + b"\x00\x00" + more)
            while peer.recv(4096):
                pass


@pytest.mark.parametrize("rubbish", [BAD_TOPIC, BAD_PROPERTY])
def test_a_broker_that_sends_rubbish_is_told_of_and_connected_to_again(rubbish: bytes) -> None:
    """Within five seconds there is a second connection, on which all is well."""
    connections: list[float] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        broker = Thread(target=serve, args=(server, rubbish, connections), daemon=True)
        broker.start()
        settings = BrokerSettings(host="127.0.0.1", port=server.getsockname()[1], client_id="engine")
        session = Session(settings, [("a", 0)])
        session.start()
        try:
            ends_s = monotonic() + 8.0
            while (len(connections) < 2 or not session.is_ready) and monotonic() < ends_s:
                sleep(0.02)
            assert len(connections) == 2
            assert session.is_ready
            assert connections[1] - connections[0] < 5.0
        finally:
            session.stop()
            broker.join(5.0)


def test_what_waits_is_bounded_in_bytes_and_the_oldest_goes_first() -> None:
    """Long messages that nobody takes: 64 MiB are kept, and the loss is counted."""
    session = Session(BrokerSettings(client_id="engine"), [("a", 0)])
    size, sent = 1 << 20, 100
    for number in range(sent):
        message = MQTTMessage(topic=b"a")
        message.payload = number.to_bytes(4) + bytes(size - 4)
        session._on_message(session._client, None, message)
    kept = session.take()
    assert len(kept) == MOST_WAITING_BYTES // size
    assert session.lost == sent - len(kept)
    assert int.from_bytes(kept[-1].payload[:4]) == sent - 1
    for _ in range(2):
        session._on_message(session._client, None, message)
    assert len(session.take()) == 2


def test_a_channel_that_starts_anew_early_is_believed_at_once() -> None:
    """A controller loses power after 40 entries; its first new ones are lost, and number 3 is no old entry."""
    turns = Numbering()
    assert turns.follow(40, 1000).turn is Turn.NEXT
    assert turns.follow(39, 999).turn is Turn.OLD
    assert turns.follow(40, 1000).turn is Turn.OLD
    assert turns.follow(42, 1002) == (Turn.GAP, (41, 41))
    assert turns.follow(3, 1500).turn is Turn.RESTART
    assert turns.follow(4, 1500).turn is Turn.NEXT
    assert turns.follow(0, 0).turn is Turn.RESTART

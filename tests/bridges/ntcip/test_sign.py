"""The dialogue with a sign over a real socket: what is shown in the end, and each reason to refuse."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

import pytest

from greensplit.bridges.ntcip.manager import Device, Manager
from greensplit.bridges.ntcip.objects import instance
from greensplit.bridges.ntcip.sign import Activation, Message, Sign, message_crc
from greensplit.bridges.ntcip.snmp_library import SnmpLibrary
from greensplit.bridges.ntcip.transport import Community, Peer
from greensplit.bridges.standin.ntcip_agent import Agent
from greensplit.bridges.standin.ntcip_sign import LOCAL, SignTree
from greensplit.engine.errors import BridgeError

TEXT = "[jp3]TEST [fl]Flashing[/fl]"
CRC = message_crc(TEXT.encode(), False, False)
GOOD = Activation(30, 100, 3, 1, CRC)


def serve(listener: socket.socket, agent: Agent) -> None:
    while True:
        datagram, peer = listener.recvfrom(65535)
        if not datagram:
            return
        reply = agent.answer(datagram)
        if reply is not None:
            listener.sendto(reply, peer)


@contextmanager
def sign(community: str = "administrator") -> Iterator[tuple[SignTree, Sign, Manager, Device]]:
    """A sign that serves v1 on loopback, and ours at the other end."""
    tree = SignTree()
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    agent = Agent(tree, {b"administrator": True, b"public": False})
    thread = Thread(target=serve, args=(listener, agent), daemon=True)
    thread.start()
    transport = SnmpLibrary()
    manager, device = Manager(transport), Device(Peer(*listener.getsockname(), Community(community)))
    try:
        yield tree, Sign(manager, device), manager, device
    finally:
        transport.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", listener.getsockname())
        thread.join()
        listener.close()


def no_rest() -> None:
    """The sign validates at once."""


def test_a_message_is_written_validated_activated_and_blanked() -> None:
    """The text shows, the source is changeable memory 1 with the sum of its text, and goes for blank."""
    source, left = instance("dmsMsgTableSource"), instance("dmsMessageTimeRemaining")
    with sign() as (tree, ours, manager, device):
        ours.show(Message(TEXT), 30, "greensplit", no_rest)
        assert tree.shown == TEXT.encode()
        found = manager.read({0: (device, [source, left])}, 1000)[0]
        assert found == {source: bytes((3, 0, 1)) + CRC.to_bytes(2, "big"), left: 30}
        ours.blank()
        assert tree.shown == b""
        found = manager.read({0: (device, [source, left])}, 1000)[0]
        assert found == {source: bytes.fromhex("0700010000"), left: 65535}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (replace(GOOD, crc=CRC ^ 1), "messageCRC"),
        (replace(GOOD, crc=int.from_bytes(CRC.to_bytes(2, "big"), "little")), "messageCRC"),
        (replace(GOOD, number=9), "messageNumber"),
        (replace(GOOD, number=2), "messageNumber"),
        (replace(GOOD, memory=6), "memoryType"),
        (replace(GOOD, priority=99), "priority"),
    ],
    ids=["sum", "octets of the sum in the other order", "no place", "no message", "memory", "priority"],
)
def test_an_activation_is_refused_with_its_reason(code: Activation, reason: str) -> None:
    """Beside message 1, which shows with priority 100, and goes on to show."""
    with sign() as (tree, ours, _, _):
        ours.show(Message(TEXT), 30, "greensplit", no_rest)
        with pytest.raises(BridgeError, match=rf"activation refused \({reason}\)"):
            ours.activate(code)
        assert tree.shown == TEXT.encode()
        ours.activate(GOOD)


def test_a_message_that_is_being_modified_is_not_activated() -> None:
    """Under validation, in the sign's words."""
    with sign() as (tree, ours, manager, device):
        ours.show(Message(TEXT), 30, "greensplit", no_rest)
        manager.write({0: (device, [(instance("dmsMessageStatus", 3, 1), 6)])}, 1000)
        with pytest.raises(BridgeError, match="underValidation"):
            ours.activate(GOOD)
        assert tree.shown == TEXT.encode()


@pytest.mark.parametrize(("text", "position"), [("AB[xx]C", 2), ("AB]C", 2), ("[nl", 0), ("[jl7]", 0)])
def test_a_text_that_is_not_multi_is_not_valid(text: str, position: int) -> None:
    """The sign says where; nothing shows."""
    where = instance("dmsMultiSyntaxErrorPosition")
    with sign() as (tree, ours, manager, device):
        with pytest.raises(BridgeError, match=r"not valid \(syntaxMULTI\)"):
            ours.show(Message(text), 30, "greensplit", no_rest)
        assert manager.read({0: (device, [where])}, 1000)[0] == {where: position}
        with pytest.raises(BridgeError, match=r"refused \(syntaxMULTI\)"):
            ours.activate(replace(GOOD, crc=message_crc(text.encode(), False, False)))
        assert tree.shown == b""
        ours.show(Message("[[A]][nl2]B", beacon=True), 30, "greensplit", no_rest)
        assert tree.shown == b"[[A]][nl2]B"


def test_a_sign_under_local_control_is_not_written() -> None:
    """Neither message nor activation; the reason of the activation is the mode."""
    with sign() as (tree, ours, _, _):
        ours.show(Message(TEXT), 30, "greensplit", no_rest)
        tree.mode = LOCAL
        with pytest.raises(BridgeError, match="genErr"):
            ours.show(Message("OTHER"), 30, "greensplit", no_rest)
        with pytest.raises(BridgeError, match="localMode"):
            ours.blank()
        assert tree.shown == TEXT.encode()


def test_a_text_changes_only_while_its_message_is_modified() -> None:
    """A valid message keeps its text, and so its sum."""
    text = instance("dmsMessageMultiString", 3, 1)
    with sign() as (_, ours, manager, device):
        ours.show(Message(TEXT), 30, "greensplit", no_rest)
        answer = manager.write({0: (device, [(text, b"OTHER")])}, 1000)[0]
        assert "genErr" in str(answer)
        assert manager.read({0: (device, [text])}, 1000)[0] == {text: TEXT.encode()}


def test_a_reader_changes_no_sign() -> None:
    """noSuchName in v1, and blank it stays."""
    with sign("public") as (tree, ours, _, _):
        with pytest.raises(BridgeError, match="noSuchName"):
            ours.show(Message(TEXT), 30, "greensplit", no_rest)
        with pytest.raises(BridgeError, match="noSuchName"):
            ours.activate(GOOD)
        assert tree.shown == b""

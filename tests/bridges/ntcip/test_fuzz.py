"""Every decoder, fed with mutated messages: the typed error or an answer, in bounded time."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import perf_counter

import pytest

from greensplit.bridges.ntcip.broadcast import decode, encode
from greensplit.bridges.ntcip.sign import Activation
from greensplit.bridges.standin import ntcip_ber as ber
from greensplit.bridges.standin.ntcip_agent import Agent
from greensplit.bridges.standin.ntcip_ber import Pdu, Varbind
from greensplit.bridges.standin.ntcip_usm import User
from greensplit.engine.errors import BridgeError

from .test_sign_and_broadcast import example

ENGINE = b"\x80\x00\x1f\x88\x04greensplit"
NAME = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 1, 1, 5, 1, 4, 1)


class Tree:
    """One object; counts what is written."""

    written = 0

    def get(self, oid: ber.Oid) -> Varbind:
        return Varbind(oid, ber.INTEGER, 1)

    def after(self, oid: ber.Oid) -> Varbind | None:
        return Varbind(NAME, ber.INTEGER, 1) if oid < NAME else None

    def set(self, varbinds: object, master: str) -> None:  # noqa: ARG002
        self.written += 1


def requests() -> list[bytes]:
    """Of every version and kind."""
    found = []
    for kind in (ber.GET, ber.GET_NEXT, ber.SET, ber.GET_BULK):
        values = (
            Varbind(NAME, ber.INTEGER, 300),
            Varbind(NAME, ber.OCTETS, b"abc"),
            Varbind(NAME, ber.NULL, None),
        )
        pdu = ber.encode_pdu(Pdu(kind, 12345, 0, 5, values))
        for version in (0, 1):
            body = ber.encode_integer(version) + ber.encode(ber.OCTETS, b"public") + pdu
            found.append(ber.encode(ber.SEQUENCE, body))
        header = b"".join(ber.encode_integer(n) for n in (7, 65507)) + ber.encode(ber.OCTETS, b"\7")
        security = (
            ber.encode(ber.OCTETS, ENGINE)
            + ber.encode_integer(1)
            + ber.encode_integer(0)
            + b"".join(ber.encode(ber.OCTETS, octets) for octets in (b"op", bytes(24), bytes(8)))
        )
        scoped = ber.encode(ber.SEQUENCE, ber.encode(ber.OCTETS, ENGINE) + ber.encode(ber.OCTETS, b"") + pdu)
        body = (
            ber.encode_integer(3)
            + ber.encode(ber.SEQUENCE, header + ber.encode_integer(3))
            + ber.encode(ber.OCTETS, ber.encode(ber.SEQUENCE, security))
            + ber.encode(ber.OCTETS, scoped)
        )
        found.append(ber.encode(ber.SEQUENCE, body))
    return found


def mutated(seed: bytes, dice: random.Random) -> bytes:
    """Changed, cut, lengthened or repeated in places."""
    octets = bytearray(seed)
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(octets) + 1)
        match dice.randrange(4):
            case 0 if at < len(octets):
                octets[at] = dice.choice((0, 1, 0x7F, 0x80, 0x84, 0xFF, dice.randrange(256)))
            case 1:
                del octets[at : at + dice.randrange(1, 9)]
            case 2:
                octets[at:at] = dice.randbytes(dice.randrange(1, 9))
            case _:
                octets[at:at] = octets[at : at + dice.randrange(1, 30)]
    return bytes(octets)


def fuzz_agent(rounds: int) -> None:
    tree, dice = Tree(), random.Random(1)
    user = User(b"op", True, "password-one", "password-two", ENGINE)
    agent = Agent(tree, {b"public": False}, {b"op": user}, ENGINE)
    seeds = requests()
    assert all(agent.answer(seed) for seed in seeds if seed[4] != 0xA5 and seed != seeds[-3])
    for _ in range(rounds):
        answer = agent.answer(mutated(dice.choice(seeds), dice))
        assert answer is None or len(answer) <= 1472
    assert agent.undecodable > rounds // 10
    assert tree.written == 0


def fuzz(decoder: Callable[[bytes], object], seed: bytes, rounds: int) -> None:
    dice, refused = random.Random(2), 0
    for _ in range(rounds):
        try:
            decoder(mutated(seed, dice))
        except BridgeError:
            refused += 1
    assert refused > rounds // 10


def fuzz_all(rounds: int) -> None:
    fuzz_agent(rounds)
    for message in (example(), example((1, 2))):
        fuzz(decode, encode(message), rounds)
    fuzz(Activation.decode, bytes.fromhex("010B3704000595F96708090A"), rounds)


def test_mutated_messages_are_answered_or_dropped() -> None:
    """Ten thousand of each; a reader's mutations write nothing."""
    fuzz_all(10_000)


@pytest.mark.slow
def test_a_million_mutated_messages_are_answered_or_dropped() -> None:
    """As above, a million of each."""
    fuzz_all(1_000_000)


def test_a_hostile_length_costs_no_time_and_no_memory() -> None:
    """Four gigabytes promised in forty octets; a getbulk of two billion rows."""
    agent = Agent(Tree(), {b"public": False})
    bomb = b"\x30\x84\xff\xff\xff\xff" + bytes(34)
    pdu = ber.encode_pdu(Pdu(ber.GET_BULK, 1, 0, 2**31 - 1, (Varbind((1, 3), ber.NULL, None),)))
    greedy = ber.encode(ber.SEQUENCE, ber.encode_integer(1) + ber.encode(ber.OCTETS, b"public") + pdu)
    started = perf_counter()
    assert agent.answer(bomb) is None
    answer = agent.answer(greedy)
    assert answer is not None
    assert len(answer) <= 1472
    assert perf_counter() - started < 0.5

"""Frames and streams: published bytes, round trips, rubbish."""

from __future__ import annotations

import random
import time
import tracemalloc
from dataclasses import replace
from functools import reduce

import pytest

from greensplit.bridges.gbt20999.errors import FrameError, ValueRefusedError
from greensplit.bridges.gbt20999.frame import (
    VERSION,
    Address,
    Frame,
    Item,
    Type,
    checksum,
    decode,
    encode,
    items_of,
)
from greensplit.bridges.gbt20999.stream import StreamDecoder, escape

from .worked_frames import DATAGRAMS, ON_A_STREAM, PLAN_1, SLIPPED, ours


@pytest.mark.parametrize("name", DATAGRAMS)
def test_a_worked_frame_is_reproduced_byte_for_byte(name: str) -> None:
    """Each frame encodes to its bytes, and they decode to it."""
    wire, frame = DATAGRAMS[name]
    assert encode(frame) == bytes.fromhex(wire)
    assert decode(bytes.fromhex(wire)) == frame


def test_a_whole_plan_has_the_published_length_and_crc() -> None:
    """131 bytes, length 007F, CRC 7F8B."""
    wire = encode(ours(Type.SET, 12, *PLAN_1))
    assert (len(wire), wire[1:3].hex(), wire[-3:-1].hex()) == (131, "007f", "7f8b")


def test_the_frame_on_a_stream_is_escaped() -> None:
    """5C before 7E, 7D and 5C; the length counts no escapes."""
    wire, frame = ON_A_STREAM
    assert escape(encode(frame)) == bytes.fromhex(wire)
    assert StreamDecoder().feed(bytes.fromhex(wire)) == [frame]


def bitwise(data: bytes) -> int:
    """The CRC bit by bit: the remainder of data times x^16 by x^16 + x^12 + x^2 + 1."""
    bits = "".join(f"{byte:08b}" for byte in data) + "0" * 16
    return reduce(lambda r, bit: (v := r << 1 | int(bit)) ^ (0x11005 if v >> 16 else 0), bits, 0)


def test_the_crc_is_the_remainder_by_the_polynomial() -> None:
    """Compared with a division bit by bit, and with the value of its check word."""
    assert checksum(b"123456789") == 0x5BB8
    chance = random.Random(1)
    for _ in range(200):
        data = chance.randbytes(chance.randrange(40))
        assert checksum(data) == bitwise(data)


def test_a_published_slip_of_the_length_is_understood_and_told() -> None:
    """The length counts itself; the length leaves out the CRC."""
    frame = decode(bytes.fromhex(SLIPPED))
    assert (frame.type, frame.serial, frame.slip) == (Type.HEARTBEAT_REPLY, 7, "length counts itself")
    assert frame.version == 0x0101 != VERSION
    body = bytes.fromhex("000A 0100 01 00000015 00 07 80")
    without_crc = b"\x7e" + body + checksum(body).to_bytes(2) + b"\x7d"
    assert decode(without_crc).slip == "length leaves out the CRC"


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        ("", "expected 16 to"),
        ("7E 00 0C 01 00 01 00 00 00 15 00 07 70 85 39", "expected 16 to"),
        ("7F 00 0C 01 00 01 00 00 00 15 00 07 70 85 39 7D", "expected 7E"),
        ("7E 00 0F 01 00 01 00 00 00 15 00 07 70 85 39 7D", "expected length 12, found 15"),
        ("7E 00 0C 01 00 01 00 00 00 15 00 07 70 85 38 7D", "CRC 8538"),
    ],
)
def test_what_is_no_frame_is_refused_in_one_line(wire: str, words: str) -> None:
    """FrameError says what was expected and what was found."""
    with pytest.raises(FrameError, match=words) as caught:
        decode(bytes.fromhex(wire))
    assert "\n" not in str(caught.value)


def with_body(kind: int, body: bytes) -> bytes:
    """A frame of any type around any body, with a right length and CRC."""
    checked = (12 + len(body)).to_bytes(2) + bytes.fromhex("0100 01 00000015 00 07") + bytes((kind,)) + body
    return b"\x7e" + checked + checksum(checked).to_bytes(2) + b"\x7d"


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        (0x99, b"\0", "known type, found 99"),
        (0x10, b"", "expected a number of items"),
        (0x10, b"\x01", "expected 1 items, found 0"),
        (0x10, b"\x00" + bytes((1, 4, 1, 1, 0, 0)), "expected 0 items, found 1"),
        (0x10, b"\x01" + bytes((1, 4, 1, 1, 0)), "cut off"),
        (0x20, b"\x01" + bytes((1, 5, 1, 1, 0, 0)), "inside it"),
        (0x20, b"\x01" + bytes((1, 0, 1, 1, 0, 0)), "at least 4 bytes"),
    ],
)
def test_items_that_do_not_fill_their_frame_are_refused(kind: int, body: bytes, words: str) -> None:
    """A right CRC does not make a wrong body right."""
    with pytest.raises(FrameError, match=words):
        decode(with_body(kind, body))


def test_what_does_not_fit_a_frame_is_not_sent() -> None:
    """255 items, 251 bytes of value and 65535 bytes are the most; ids fit their fields."""
    most = Frame(Type.SET, items_of([(Address(2, 1), bytes(250))] * 255))
    assert decode(encode(most)) == most
    for frame in (
        Frame(Type.SET, (Item(Address(2, 1), bytes(252)),)),
        Frame(Type.SET, items_of([(Address(2, 1), bytes(251))] * 255)),
        Frame(Type.QUERY, (Item(Address(2, 1)),) * 256),
        Frame(Type.QUERY, (), host=256),
        Frame(Type.QUERY, (Item(Address(2, 1, 256)),)),
    ):
        with pytest.raises(ValueRefusedError):
            encode(frame)


def any_frame(chance: random.Random) -> Frame:
    """A frame with any legal numbers, rich in bytes that need an escape."""
    kind = chance.choice(list(Type))
    items = [
        (
            Address(*(chance.choice((0, 1, 0x5C, 0x7D, 0x7E, 0xFF)) for _ in range(4))),
            bytes(chance.choices((0, 0x5C, 0x7D, 0x7E, 0xFF, 7), k=chance.randrange(20))),
        )
        for _ in range(chance.randrange(5))
    ]
    return Frame(
        kind,
        items_of(items),
        version=chance.randrange(1 << 16),
        host=chance.randrange(256),
        controller=chance.choice((0, 0x7E7D5C7E, chance.randrange(1 << 32))),
        junction=chance.randrange(9),
        serial=chance.randrange(256),
    )


def test_frames_survive_the_wire_in_any_pieces() -> None:
    """A stream gives the frames that were sent, wherever it is cut."""
    chance = random.Random(2)
    for _ in range(60):
        frames = [any_frame(chance) for _ in range(4)]
        assert [decode(encode(frame)) for frame in frames] == frames
        wire = b"".join(escape(encode(frame)) for frame in frames)
        stream, found = StreamDecoder(), []
        while wire:
            size = chance.randrange(1, 9)
            found += stream.feed(wire[:size])
            wire = wire[size:]
        assert found == frames
        assert stream.dropped == 0


def test_a_stream_finds_the_next_frame_after_rubbish() -> None:
    """Noise, a frame without end, a wrong CRC: the next whole frame is found, and each loss is counted."""
    good = escape(encode(ours(Type.HEARTBEAT, 7)))
    wrong = good[:-2] + b"\x00" + good[-1:]
    stream = StreamDecoder()
    noise = b"\x01\x5c\x7d\x02"
    assert len(stream.feed(noise + good + good[:9] + good + wrong + good)) == 3
    assert stream.dropped == 2
    assert "CRC" in stream.last_error


def test_a_stream_holds_no_more_than_its_limit() -> None:
    """A frame that never ends is dropped, and the next is found."""
    stream = StreamDecoder(limit=100)
    tracemalloc.start()
    assert stream.feed(b"\x7e" + b"\x00" * 60) == stream.feed(b"\x5c\x7e" * 60) == []
    assert stream.last_error == "frame: expected at most 100 bytes, found more"
    stream = StreamDecoder(limit=100)
    for _ in range(2000):
        assert stream.feed(b"\x7e" + bytes(5000)) == []
        assert stream.feed(bytes(50)) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000
    assert stream.dropped == 2000
    good = encode(ours(Type.HEARTBEAT, 7))
    assert len(stream.feed(good)) == 1


def mutated(chance: random.Random, wire: bytes) -> bytes:
    """Bytes changed, cut out, doubled or put in; half of the time with a right length and CRC again."""
    data = bytearray(wire)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(data) + 1)
        action = chance.randrange(4)
        if action == 0:
            data[at : at + 1] = chance.randbytes(1)
        elif action == 1:
            del data[at : at + chance.randrange(6)]
        elif action == 2:
            data[at:at] = data[at : at + 8]
        else:
            data[at:at] = chance.choice((b"\x7e", b"\x7d", b"\x5c", b"\xff\xff"))
    if chance.random() < 0.5 and len(data) > 8:
        data[0], data[-1] = 0x7E, 0x7D
        data[1:3] = (len(data) - 4).to_bytes(2)
        data[-3:-1] = checksum(data[1:-3]).to_bytes(2)
    return bytes(data)


def fuzz(inputs: int) -> tuple[int, int]:
    """Decode mutated frames; how many were frames, how many were refused."""
    chance = random.Random(3)
    wires = [bytes.fromhex(wire) for wire, _ in DATAGRAMS.values()]
    stream, good, bad = StreamDecoder(), 0, 0
    for _ in range(inputs):
        data = mutated(chance, chance.choice(wires))
        try:
            frame = decode(data)
        except FrameError:
            bad += 1
        else:
            good += 1
            if not frame.slip:
                assert encode(frame) == data
        stream.feed(data)
    return good, bad


def test_mutated_frames_raise_nothing_but_the_typed_error() -> None:
    """What decodes encodes to the same bytes again; what does not raises FrameError; both in bounded time."""
    began = time.process_time()
    good, bad = fuzz(20_000)
    assert good > 500
    assert bad > 5000
    assert time.process_time() - began < 10


@pytest.mark.slow
def test_a_million_mutated_frames() -> None:
    """The same, at length."""
    assert sum(fuzz(1_000_000)) == 1_000_000


def test_a_slip_is_not_sent_on() -> None:
    """What was received with a slip is sent without."""
    slipped = decode(bytes.fromhex(SLIPPED))
    assert decode(encode(slipped)) == replace(slipped, slip="")

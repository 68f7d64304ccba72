"""Published vectors byte for byte, and what cannot be one."""

from __future__ import annotations

import struct

import pytest

from greensplit.bridges.ntcip.broadcast import UNKNOWN, Broadcast, PhaseTimes, decode, encode
from greensplit.bridges.ntcip.sign import BLANK, Activation, message_crc
from greensplit.engine.errors import BridgeError

MULTI = b"[jp3]TEST [fl]Flashing[/fl]"


def test_the_published_activation_code_comes_out_byte_for_byte() -> None:
    """267 minutes, priority 55, volatile memory, message 5, from 103.8.9.10; no beacon, no pixel service."""
    code = Activation(267, 55, 4, 5, message_crc(MULTI, False, False), "103.8.9.10")
    assert code.encode().hex().upper() == "010B3704000595F96708090A"
    assert Activation.decode(code.encode()) == code


def test_the_check_sum_is_that_of_its_polynomial() -> None:
    """CRC-16/X-25 of '123456789' is 0x906E; the flags are two more octets: here '8' and '9' are 0 and 1."""
    assert message_crc(b"", False, False) == _slow_crc(b"\0\0")
    assert message_crc(b"1234567", True, False) == _slow_crc(b"1234567\1\0")
    assert _slow_crc(b"123456789") == 0x6E90


def _slow_crc(octets: bytes) -> int:
    """By polynomial division of reflected bits, most significant first."""
    register = 0xFFFF
    for octet in octets:
        for bit in range(8):
            feedback = (register >> 15) ^ (octet >> bit & 1)
            register = (register << 1 & 0xFFFF) ^ (0x1021 if feedback else 0)
    reflected = int(f"{register ^ 0xFFFF:016b}"[::-1], 2)
    return reflected >> 8 | (reflected & 0xFF) << 8


def test_blank_is_memory_seven_for_ever() -> None:
    """Duration 65535, priority 255, memory 7, number 1, no sum."""
    assert BLANK.encode().hex() == "ffffff070001000000000000"


def example(pedestrians: tuple[int, int] | None = None) -> Broadcast:
    times = [PhaseTimes() for _ in range(16)]
    times[1] = PhaseTimes(50, 120, UNKNOWN, UNKNOWN, 7, 8)
    return Broadcast(
        tuple(times), 0xFFFD, 0, 2, 0xFFFF, 0, 0, 0xFFFE, 0, 1, 0, 0, 0, 3, 0, 9, 41_244, 250, pedestrians
    )


def test_fields_lie_where_receivers_look_for_them() -> None:
    """Offsets 0, 2, 210, 232, 236 and 239; 41,244 s of the day are 00 a1 1c."""
    datagram = encode(example())
    assert len(datagram) == 241
    assert datagram[:2] == b"\xcd\x10"
    assert datagram[2:15] == b"\x01" + b"\xff" * 12
    assert struct.unpack_from(">B6H", datagram, 15) == (2, 50, 120, UNKNOWN, UNKNOWN, 7, 8)
    assert struct.unpack_from(">3H", datagram, 210) == (0xFFFD, 0, 2)
    assert tuple(datagram[232:236]) == (0, 3, 0, 9)
    assert datagram[236:239].hex() == "00a11c"
    assert struct.unpack_from(">H", datagram, 239) == (250,)
    assert len(encode(example((1, 2)))) == 245
    for message in (example(), example((1, 2))):
        assert decode(encode(message)) == message


@pytest.mark.parametrize(
    "datagram",
    [b"", encode(example())[:-1], encode(example()) + b"\0", b"\xcc" + encode(example())[1:], bytes(500)],
)
def test_what_is_no_broadcast_is_refused_in_words(datagram: bytes) -> None:
    """Too short, too long, another first octet; five hundred octets, which overran others."""
    with pytest.raises(BridgeError, match="broadcast: expected"):
        decode(datagram)


def test_a_phase_that_comes_twice_is_refused() -> None:
    """Phase 1 in the place of phase 2."""
    datagram = bytearray(encode(example()))
    datagram[15] = 1
    with pytest.raises(BridgeError, match="each phase from 1 to 16 once, found 1"):
        decode(bytes(datagram))

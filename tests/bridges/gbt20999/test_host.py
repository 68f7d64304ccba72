"""The host's dialogue with controllers of different manners, without sockets."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import pytest

from greensplit.bridges.gbt20999.errors import NoAnswerError, RefusedError, ValueRefusedError
from greensplit.bridges.gbt20999.frame import Address, Frame, Item, Type, items_of
from greensplit.bridges.gbt20999.host import Host
from greensplit.bridges.gbt20999.link import Link, UdpLink, open_link
from greensplit.bridges.gbt20999.probe import probe
from greensplit.bridges.gbt20999.profile import Profile, Serials, profile_from
from greensplit.engine.errors import InputError

MODE, STAGE = Address(13, 2, 2, 1), Address(13, 2, 4, 1)
WANTED = Address(17, 1, 2, 1)
Manner = Callable[[Frame], list[Frame]]


class Scripted(Link):
    """A controller that answers as ``manner`` says."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self.sent: list[Frame] = []
        self.waiting: deque[Frame] = deque()

    def send(self, frame: Frame) -> None:
        self.sent.append(frame)
        self.waiting.extend(self.manner(frame))

    def receive(self, deadline_s: float) -> Frame | None:
        del deadline_s
        return self.waiting.popleft() if self.waiting else None

    def close(self) -> None:
        self.waiting.clear()


def told(frame: Frame, kind: Type = Type.QUERY_REPLY, value: bytes = b"\x05") -> Frame:
    """An answer to all items of a frame."""
    return frame.reply(kind, items_of((item.address, value) for item in frame.items or ()))


def host_of(manner: Manner, **stated: object) -> tuple[Host, Scripted]:
    """A host, and the controller that it talks to."""
    link = Scripted(manner)
    return Host(link, replace(Profile(), **stated), timeout_s=0.2), link  # type: ignore[arg-type]


def test_what_is_lost_is_asked_again_and_only_that() -> None:
    """The first question gets half an answer; the second asks for the other half."""

    def half(frame: Frame) -> list[Frame]:
        items = frame.items or ()
        return [replace(told(frame), items=told(frame).items and told(frame).items[:1])] if items else []

    host, link = host_of(half)
    assert host.get([MODE]) == {MODE: 5}
    link.sent.clear()
    assert host.get([MODE, STAGE]) == {MODE: 5, STAGE: 5}
    assert [[item.address for item in frame.items or ()] for frame in link.sent] == [[MODE, STAGE], [STAGE]]
    assert link.sent[0].serial != link.sent[1].serial


def test_silence_is_told_in_one_line() -> None:
    """Eight questions, no answer."""
    host, link = host_of(lambda _: [])
    with pytest.raises(NoAnswerError, match=r"13\.2\.2\.1: expected an answer within 0\.2 s"):
        host.get([MODE])
    assert len(link.sent) == 8


def test_a_late_answer_is_not_taken_for_another() -> None:
    """A device that repeats serial numbers: the answer to the question before is left alone."""
    late: list[Frame] = []

    def slow(frame: Frame) -> list[Frame]:
        late.append(told(frame, value=bytes((len(late) + 1,))))
        return late[-2:-1] if len(late) < 3 else late[-2:]

    host, _ = host_of(slow, serials=Serials.ECHO)
    assert host.number(*MODE) == 3


@pytest.mark.timeout(20)
def test_a_device_that_never_stops_talking_holds_nobody_up() -> None:
    """Reports without end, and no answer: after the time for an answer it is told, as silence would be."""
    report = Frame(Type.REPORT, items_of([(Address(16, 1), b"")]))

    class Talkative(Scripted):
        def receive(self, deadline_s: float) -> Frame | None:
            del deadline_s
            return report

    host = Host(Talkative(lambda _: []), Profile(), timeout_s=0.2)
    for call in (lambda: host.get([MODE]), host.heartbeat):
        began = time.monotonic()
        with pytest.raises(NoAnswerError, match=r"within 0\.2 s, found none"):
            call()
        assert time.monotonic() - began < 2.0


@pytest.mark.timeout(20)
def test_rubbish_without_end_holds_nobody_up() -> None:
    """Datagrams that are no frames, and always one more."""

    class Rubbish:
        def settimeout(self, seconds: float) -> None:
            del seconds

        def recv(self, size: int) -> bytes:
            return b"rubbish"[:size]

    link = UdpLink("127.0.0.1", 9)
    link.close()
    link._socket = Rubbish()  # type: ignore[assignment]
    began = time.monotonic()
    assert link.receive(began + 0.2) is None
    assert link.drain() == []
    assert time.monotonic() - began < 2.0
    assert link.dropped > 100


def test_good_and_bad_items_in_two_frames_are_both_heard() -> None:
    """One is told, one is refused: the refusal names the address and the reason."""

    def mixed(frame: Frame) -> list[Frame]:
        first, second = frame.items or ()
        good = frame.reply(Type.QUERY_REPLY, (Item(first.address, b"\x15"),))
        return [good, frame.reply(Type.QUERY_ERROR, (Item(second.address, b"\x30"),))]

    host, _ = host_of(mixed)
    with pytest.raises(RefusedError, match=r"13\.2\.4\.1: expected a value, found: not there"):
        host.get([MODE, STAGE])


@pytest.mark.parametrize("code", [0x12, 0x51, 0xFF])
def test_a_refused_set_is_an_error_with_known_and_unknown_codes(code: int) -> None:
    """Out of range, and what only one maker sends."""
    host, _ = host_of(lambda frame: [told(frame, Type.SET_ERROR, bytes((code,)))])
    with pytest.raises(RefusedError, match="could not be set"):
        host.set({WANTED: 3})


def test_an_acknowledgement_without_items_counts() -> None:
    """As one maker does."""
    host, link = host_of(lambda frame: [frame.reply(Type.SET_REPLY, ())])
    host.set({WANTED: 3})
    assert [frame.type for frame in link.sent] == [Type.SET]


def test_an_acknowledged_set_that_did_not_happen_is_an_error() -> None:
    """The controller says yes and holds 5."""
    host, _ = host_of(
        lambda frame: [told(frame) if frame.type is Type.QUERY else told(frame, Type.SET_REPLY, b"\0")]
    )
    with pytest.raises(RefusedError, match="expected 3 to be held, found 5"):
        host.set_and_confirm({WANTED: 3})
    host.set_and_confirm({WANTED: 5})


def test_what_may_not_be_written_is_never_sent() -> None:
    """A minimum green and a conflict among good values: not a byte leaves."""
    host, link = host_of(lambda _: [])
    for address in (Address(4, 2, 27, 1), Address(7, 1, 2, 1)):
        with pytest.raises(ValueRefusedError, match="never written"):
            host.set({WANTED: 3, address: 0})
    assert link.sent == []


def test_heartbeats_are_answered_by_either_type() -> None:
    """0x80 as most, 0x71 as one."""
    for kind in (Type.HEARTBEAT_REPLY, Type.HEARTBEAT_REPLY_71):
        host, link = host_of(lambda frame, kind=kind: [frame.reply(kind, None)])
        host.heartbeat()
        assert host.heartbeat_reply is kind
        assert link.sent[0].items is None
    with pytest.raises(NoAnswerError, match="heartbeat"):
        host_of(lambda _: [])[0].heartbeat()


def test_reports_are_kept_and_are_no_answers() -> None:
    """A report with the very address that was asked for comes before the answer."""
    host, _ = host_of(lambda frame: [told(frame, Type.REPORT, b"\x09"), told(frame)])
    assert host.number(*MODE) == 5
    assert [item.value for item in host.reports] == [b"\x09"]


def test_requests_and_their_answers_fit_small_buffers() -> None:
    """64 plan chains of 32 bytes: several frames, each with an expected answer of 900 bytes at most."""
    host, link = host_of(lambda frame: [told(frame, value=bytes(32))])
    host.get([Address(9, 2, 7, plan) for plan in range(1, 65)])
    assert len(link.sent) == 3
    assert all(17 + 38 * len(frame.items or ()) <= 900 for frame in link.sent)


def device(lamps: int, step: int, junction: int, is_turned: bool, central: bool) -> Manner:
    """A controller with these manners."""

    def manner(frame: Frame) -> list[Frame]:
        if frame.junction != junction:
            return []
        right, wrong = [], []
        for item in frame.items or ():
            a = item.address
            if a[:2] == (3, 3):
                known = a.attribute in (1, lamps)
                value = b"\x10" if a.attribute == lamps else bytes((a.element,))
                (right if known else wrong).append((a, value if known else b"\x30"))
            elif a[:3] == (9, 2, 6):
                chain = (1, 2, *(0,) * 14)
                right.append((a, bytes(reversed(chain) if is_turned else chain)))
            elif a.data_class == 17 and not central:
                wrong.append((a, b"\x30"))
            else:
                right.append((a, b"\x01"))
        made = replace(frame, serial=frame.serial + step & 0xFF)
        parts = ((Type.QUERY_REPLY, right), (Type.QUERY_ERROR, wrong))
        return [made.reply(kind, items_of(pairs)) for kind, pairs in parts if pairs]

    return manner


@pytest.mark.parametrize("lamps", [1, 2])
@pytest.mark.parametrize(("step", "serials"), [(0, Serials.ECHO), (1, Serials.NEXT), (7, Serials.ANY)])
@pytest.mark.parametrize(("junction", "is_turned", "central"), [(0, True, True), (1, False, False)])
def test_the_probe_finds_the_manners_of_a_device(
    lamps: int, step: int, serials: Serials, junction: int, is_turned: bool, central: bool
) -> None:
    """Where lamps stand, how replies are numbered, the junction id, the order of lists, what can be read back."""
    host, link = host_of(device(lamps, step, junction, is_turned, central))
    probe(host)
    found = host.profile
    assert (found.lamp_attribute, found.serials, found.junction) == (lamps, serials, junction)
    assert (found.highest_first, found.reads_central) == (is_turned, central)
    assert {frame.type for frame in link.sent} == {Type.QUERY}


def test_a_device_that_is_dumb_before_its_first_heartbeat_is_woken() -> None:
    """It answers queries only after one."""
    awake = device(2, 0, 0, True, True)
    is_awake = [False]

    def sleepy(frame: Frame) -> list[Frame]:
        if frame.type is Type.HEARTBEAT:
            is_awake[0] = True
            return [frame.reply(Type.HEARTBEAT_REPLY, None)]
        return awake(frame) if is_awake[0] else []

    host, _ = host_of(sleepy)
    probe(host)
    assert host.profile.lamp_attribute == 2


def test_profiles_and_addresses_are_read_in_words() -> None:
    """What the engineer states, and how a slip is told."""
    stated = profile_from({"profile": "captured", "backup_s": "10", "controller": "0x15"})
    assert (stated.backup_ms, stated.controller, stated.serials) == (10_000, 0x15, Serials.NEXT)
    assert profile_from({}).backup_ms == 0
    for options in ({"profile": "best"}, {"backup_s": "soon"}, {"colour": "red"}):
        with pytest.raises(InputError, match="expected"):
            profile_from(options)
    for options, told in (
        ({"host": "256"}, "host: expected 0 to 255, found 256"),
        ({"row": "0"}, "row: expected 1 to 8, found 0"),
        ({"lamp_attribute": "3"}, "lamp_attribute: expected 1 to 2, found 3"),
        ({"version": "-1"}, "version: expected 0 to 65535, found -1"),
        ({"backup_s": "inf"}, "backup_s: expected 0 to 65535, found inf"),
        ({"backup_s": "nan"}, "backup_s: expected 0 to 65535, found nan"),
    ):
        with pytest.raises(InputError, match=told):
            profile_from(options)
    for address in ("", "udp:here", "udp::1", "ip:127.0.0.1:4", "udp:127.0.0.1:70000"):
        with pytest.raises(InputError, match="expected udp:HOST:PORT"):
            open_link(address, 1.0)

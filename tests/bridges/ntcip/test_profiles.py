"""What devices differ in, on the wire: requests as a device of each profile bears them, and as another does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from greensplit.bridges.base import LinkState
from greensplit.bridges.field import Mode, StageRequest
from greensplit.bridges.ntcip.bridge import make
from greensplit.bridges.ntcip.objects import instance
from greensplit.bridges.ntcip.profiles import PROFILES
from greensplit.bridges.standin import ntcip_ber as ber

from .proxy import Line, Proxy
from .wire import Street, bridged, junctions, street


@contextmanager
def overheard(here: Street) -> Iterator[tuple[dict[str, str], list[tuple[int, int, tuple[int, ...]]]]]:
    """Addresses through a line on which (version, kind of message, octets that end scalars) are noted."""
    heard: list[tuple[int, int, tuple[int, ...]]] = []

    def listen(datagram: bytes) -> bytes:
        at, end = ber.take(datagram, 0, len(datagram), ber.SEQUENCE)
        version, at = ber.take_integer(datagram, at, end)
        _, at = ber.take_octets(datagram, at, end)
        pdu, _ = ber.decode_pdu(datagram, at, end)
        heard.append((version, pdu.error_status, tuple(each.oid[-1] for each in pdu.varbinds)))
        return datagram

    proxies = {name: Proxy(address, Line(lie=listen)) for name, address in here.addresses.items()}
    try:
        yield {name: proxy.address for name, proxy in proxies.items()}, heard
    finally:
        for proxy in proxies.values():
            proxy.close()


@pytest.mark.parametrize("profile", PROFILES)
def test_a_device_of_each_profile_is_read_and_told(profile: str) -> None:
    """By SNMPv1, from a bridge that knows it: under the system after two ticks, and nothing was too big."""
    with (
        street({"profile": profile, "versions": "1"}) as here,
        overheard(here) as (addresses, heard),
        bridged(here, {"profile": profile}, addresses) as bridge,
    ):
        for now_ms in (11_000, 12_000):
            here.until(now_ms)
            bridge.read(now_ms)
            bridge.write({0: StageRequest(0), 1: StageRequest(0)}, now_ms)
        for d, stand_in in enumerate(here.stand_ins):
            assert bridge.health(d).state is LinkState.UP
            assert stand_in.status().mode is Mode.SYSTEM
        assert {(version, error) for version, error, _ in heard} == {(0, 0)}
        longest = max(len(ends) for _, _, ends in heard)
        assert longest == 1 if profile == "econolite" else longest > 1


def test_scalars_are_asked_for_where_the_device_has_them() -> None:
    """maxPhases is .1 for ``dot_one`` and .0 for all others; the wrong one is an object that does not exist."""
    for suffix, profile, other in ((1, "dot_one", "standard"), (0, "standard", "dot_one")):
        with street({"profile": profile}) as here:
            with overheard(here) as (addresses, heard):
                with bridged(here, {"profile": profile}, addresses) as bridge:
                    bridge.manager.read({0: (bridge.lines[0].device, [instance("maxPhases")])}, 1000)
                assert {ends for _, _, ends in heard} == {(suffix,)}
            with bridged(here, {"profile": other}) as bridge:
                here.until(11_000)
                bridge.read(11_000)
                assert bridge.health(0).state is not LinkState.UP
                assert "noSuchName" in bridge.notes[0].text


def test_a_device_that_takes_less_than_its_profile_says_is_found_out() -> None:
    """The standard profile against one object per request: tooBig, halved down to one, and not tried again."""
    with (
        street({"max_varbinds": "1"}) as here,
        overheard(here) as (addresses, heard),
        bridged(here, {}, addresses) as bridge,
    ):
        here.until(11_000)
        bridge.read(11_000)
        assert bridge.health(0).state is LinkState.UP
        assert bridge.lines[0].device.max_varbinds == 1
        assert any(error == 1 for _, error, _ in heard)
        heard.clear()
        here.until(12_000)
        bridge.read(12_000)
        assert {(error, len(ends)) for _, error, ends in heard} == {(0, 1)}


@pytest.mark.parametrize(
    ("profile", "port"), [("standard", 161), ("econolite", 501), ("maxtime", 161), ("vm", 6053)]
)
def test_the_port_is_the_profiles_where_the_address_names_none(profile: str, port: int) -> None:
    """One that is named wins."""
    model = junctions()[:1]
    for address, expected in (("127.0.0.1", port), ("127.0.0.1:7000", 7000)):
        bridge = make(model, {"free": address}, {"profile": profile})
        assert bridge.lines[0].device.peer.port == expected
        bridge.close()


def test_a_device_that_speaks_another_version_is_silent() -> None:
    """v2c to a device of v1 only."""
    with street({"versions": "1"}) as here, bridged(here, {"version": "2c"}) as bridge:
        here.until(11_000)
        bridge.read(11_000)
        assert bridge.health(0).state is not LinkState.UP
        assert "timeout" in bridge.notes[0].text

"""A second SNMP library, pysnmp, walks the stand-in and agrees with our manager on every object of the table.

By communities only: for SNMPv3 it needs a third library for the ciphers, and net-snmp has its word on that.
"""

from __future__ import annotations

import asyncio

import pytest
from pyasn1.type.univ import Integer, ObjectIdentifier, OctetString
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    walk_cmd,
)

from greensplit.bridges.ntcip.manager import Device, Manager
from greensplit.bridges.ntcip.objects import Value
from greensplit.bridges.ntcip.snmp_library import SnmpLibrary
from greensplit.bridges.ntcip.transport import Community, Peer

from .wire import READER, street

ROOT = (1, 3, 6, 1, 4, 1, 1206)


def plain(value: object) -> Value:
    """As our manager has it."""
    if isinstance(value, ObjectIdentifier):
        return tuple(value)
    if isinstance(value, OctetString):
        return bytes(value)
    assert isinstance(value, Integer)
    return int(value)


async def walk(host: str, port: int, version: int) -> list[tuple[tuple[int, ...], Value]]:
    """Every object below ROOT, in the order of the answers."""
    engine = SnmpEngine()
    target = await UdpTransportTarget.create((host, port), timeout=2, retries=1)
    found: list[tuple[tuple[int, ...], Value]] = []
    walking = walk_cmd(
        engine,
        CommunityData(READER, mpModel=version),
        target,
        ContextData(),
        ObjectType(ObjectIdentity(ROOT)),
        lookupMib=False,
        lexicographicMode=False,
    )
    try:
        async for failure, status, _, varbinds in walking:
            assert not failure, failure
            assert not status, status
            found += [(tuple(name), plain(value)) for name, value in varbinds]
    finally:
        engine.close_dispatcher()
    return found


@pytest.mark.parametrize("version", ["1", "2c"])
@pytest.mark.parametrize("name", ["free", "nema"])
def test_another_library_and_our_manager_agree_on_every_object(version: str, name: str) -> None:
    """Same objects, same values, in order and each once; the clock of the street stands still."""
    with street() as here:
        host, port = here.addresses[name].split(":")
        walked = asyncio.run(walk(host, int(port), 0 if version == "1" else 1))
        transport = SnmpLibrary()
        manager = Manager(transport)
        device = Device(Peer(host, int(port), Community(READER, "1" if version == "1" else "2c")))
        ours = [(what.oid, value) for what, value in manager.walk(device, ROOT, 5000)]
        transport.close()
    assert len(walked) > 200
    assert [oid for oid, _ in walked] == sorted({oid for oid, _ in walked})
    assert walked == ours

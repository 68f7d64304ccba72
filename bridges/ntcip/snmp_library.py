"""The SNMP port filled by the package ``snmp`` (extra ``ntcip``): one engine, no threads, requests repeated by it.

Everything that arrives is decoded inside the library, which drops what it cannot read and what nobody asked for; an
answer with other objects than were asked for is the failure ``improper``.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final

from snmp import Engine, SNMPv1, SNMPv2c, SNMPv3
from snmp.exception import SNMPException
from snmp.pdu import ErrorResponse
from snmp.requests import Timeout
from snmp.security.usm.auth import HmacSha224, HmacSha256, HmacSha384, HmacSha512
from snmp.security.usm.priv import AesCfb128
from snmp.smi import OID, Counter32, Gauge32, Integer32, IpAddress, OctetString, Opaque

from greensplit.engine.errors import BridgeError

from .objects import Syntax
from .transport import Community, Failure, Peer, Request, Typed, User

__all__ = ["SnmpLibrary"]

WAVE: Final = 64  # requests under way at once; their answers fit any receive buffer
RECEIVE_BYTES: Final = 1 << 20
ATTEMPTS: Final = 4
LEAST_S: Final = 0.001
HASHES: Final = {"sha224": HmacSha224, "sha256": HmacSha256, "sha384": HmacSha384, "sha512": HmacSha512}
VERSIONS: Final = {"1": SNMPv1, "2c": SNMPv2c}
SYNTAX_OF: Final[dict[type, str]] = {
    OctetString: Syntax.OCTETS,
    Opaque: Syntax.OPAQUE,
    IpAddress: Syntax.ADDRESS,
    Counter32: Syntax.COUNTER,
    Gauge32: Syntax.GAUGE,
    OID: Syntax.OBJECT_ID,
}


class SnmpLibrary:
    """Fills ``SnmpTransport``. To be used by one thread at a time."""

    def __init__(self) -> None:
        logging.getLogger("snmp").setLevel(logging.CRITICAL)  # what peers send wrongly is no event of ours
        self._engine: Any = Engine(autowait=False)
        self._managers: dict[Peer, Any] = {}
        self._namespaces: dict[User, str] = {}

    def exchange(self, requests: Sequence[Request], timeout_ms: int) -> Sequence[tuple[Typed, ...] | Failure]:
        """Ask all, in waves that share the time."""
        ends_s = monotonic() + timeout_ms / 1000
        answers: list[tuple[Typed, ...] | Failure] = []
        for first in range(0, len(requests), WAVE):
            left_s = max(ends_s - monotonic(), LEAST_S)
            handles = [self._send(request, left_s) for request in requests[first : first + WAVE]]
            answers += [_receive(handle) for handle in handles]
        return answers

    def close(self) -> None:
        """Give up the sockets."""
        self._managers.clear()
        self._engine = None

    def _send(self, request: Request, timeout_s: float) -> Any:
        manager = self._manager(request.peer)
        times = {"timeout": timeout_s, "refreshPeriod": timeout_s / ATTEMPTS}
        names = [OID(*varbind.oid) for varbind in request.varbinds]
        if request.verb == "get":
            return manager.get(*names, **times)
        if request.verb == "next":
            return manager.getNext(*names, **times)
        values = (_wire_value(varbind) for varbind in request.varbinds)
        return manager.set(*zip(names, values, strict=True), **times)

    def _manager(self, peer: Peer) -> Any:
        manager = self._managers.get(peer)
        if manager is None:
            try:
                manager = self._managers[peer] = self._new_manager(peer)
            except (OSError, ValueError) as err:
                raise BridgeError(f"{peer.host}:{peer.port}: expected an address to ask: {err}") from err
        return manager

    def _new_manager(self, peer: Peer) -> Any:
        address = (socket.gethostbyname(peer.host), peer.port)
        access = peer.access
        if isinstance(access, Community):
            manager = self._engine.Manager(
                address, version=VERSIONS[access.version], community=access.name.encode()
            )
        else:
            manager = self._engine.Manager(address, version=SNMPv3, namespace=self._namespace(access))
        transport = manager.channel.transport
        transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        return manager

    def _namespace(self, user: User) -> str:
        """The same name may have other passwords elsewhere."""
        if user not in self._namespaces:
            self._namespaces[user] = str(len(self._namespaces))
            self._engine.addUser(
                user.name,
                namespace=self._namespaces[user],
                authProtocol=HASHES[user.hash_name],
                authSecret=user.auth_password.encode(),
                privProtocol=AesCfb128,
                privSecret=user.priv_password.encode(),
            )
        return self._namespaces[user]


def _receive(handle: Any) -> tuple[Typed, ...] | Failure:
    try:
        varbinds = handle.wait()
    except Timeout:
        return Failure("timeout")
    except ErrorResponse as refusal:
        return Failure(refusal.status.name, refusal.index)
    except SNMPException as err:
        return Failure(f"improper answer ({type(err).__name__})")
    except OSError as err:
        return Failure(f"no way to the device ({err.strerror})")
    return tuple(_typed(varbind) for varbind in varbinds)


def _typed(varbind: Any) -> Typed:
    name, value = varbind.name.subidentifiers, varbind.value
    kind = type(value)
    if kind is OID:
        return Typed(name, Syntax.OBJECT_ID, value.subidentifiers)
    if hasattr(value, "value"):
        return Typed(name, SYNTAX_OF.get(kind, Syntax.INTEGER), value.value)
    if isinstance(value, OctetString | Opaque):
        return Typed(name, SYNTAX_OF[kind], bytes(value.data))
    return Typed(name, "", None)


def _wire_value(varbind: Typed) -> Any:
    value = varbind.value
    if isinstance(value, tuple):
        return OID(*value)
    if isinstance(value, bytes):
        return Opaque(value) if varbind.syntax == Syntax.OPAQUE else OctetString(value)
    if varbind.syntax == Syntax.COUNTER:
        return Counter32(value)
    return Gauge32(value) if varbind.syntax == Syntax.GAUGE else Integer32(value)

"""An SNMP agent for v1, v2c and v3 over any tree of objects: one datagram in, at most one out, no state between.

Message processing after RFC 1157, 3416, 3414 and the error mapping of RFC 3584. Who may write is decided here, before
the tree is asked. A datagram that cannot be read, or comes from nobody known, gets no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final, NamedTuple, Protocol

from . import ntcip_ber as ber
from .ntcip_ber import BerError, Oid, Pdu, Varbind
from .ntcip_usm import DIGEST_BYTES, User, decrypt, encrypt, sign

__all__ = ["Agent", "AgentLimits", "SetRefused", "Tree"]

V1: Final = 0
V2C: Final = 1
V3: Final = 3
USM_MODEL: Final = 3

NO_ERROR: Final = 0
TOO_BIG: Final = 1
NO_SUCH_NAME: Final = 2
BAD_VALUE: Final = 3
GEN_ERR: Final = 5
NO_ACCESS: Final = 6
WRONG_TYPE: Final = 7
WRONG_LENGTH: Final = 8
WRONG_VALUE: Final = 10
NO_CREATION: Final = 11
INCONSISTENT_VALUE: Final = 12
COMMIT_FAILED: Final = 14
NOT_WRITABLE: Final = 17
V1_ERRORS: Final = {
    NO_ACCESS: NO_SUCH_NAME,
    NO_CREATION: NO_SUCH_NAME,
    NOT_WRITABLE: NO_SUCH_NAME,
    WRONG_TYPE: BAD_VALUE,
    WRONG_LENGTH: BAD_VALUE,
    WRONG_VALUE: BAD_VALUE,
    INCONSISTENT_VALUE: BAD_VALUE,
    COMMIT_FAILED: GEN_ERR,
}

AUTH_FLAG: Final = 1
PRIV_FLAG: Final = 2
REPORTABLE_FLAG: Final = 4
TIME_WINDOW_S: Final = 150
SALT_BYTES: Final = 8
USM_STATS: Final = (1, 3, 6, 1, 6, 3, 15, 1, 1)
UNSUPPORTED_LEVEL: Final = 1
NOT_IN_TIME_WINDOW: Final = 2
UNKNOWN_USER: Final = 3
UNKNOWN_ENGINE: Final = 4
WRONG_DIGEST: Final = 5
DECRYPTION_ERROR: Final = 6


class SetRefused(Exception):  # noqa: N818  (an answer of the protocol, not a failure)
    """The tree refuses a SET: the first varbind that is wrong (from 1) and the SNMPv2 error status."""

    def __init__(self, index: int, status: int) -> None:
        """``status`` is one of SNMPv2's; the agent maps it for v1."""
        super().__init__(f"varbind {index}: error-status {status}")
        self.index = index
        self.status = status


class Tree(Protocol):
    """What an agent serves. Values are as in the wire form: tag and value."""

    def get(self, oid: Oid) -> Varbind:
        """The instance, or one with tag noSuchObject or noSuchInstance."""
        ...

    def after(self, oid: Oid) -> Varbind | None:
        """The first instance after ``oid`` in order, or None at the end."""
        ...

    def set(self, varbinds: Sequence[Varbind], master: str) -> None:
        """All or nothing; ``SetRefused`` leaves everything as it was."""
        ...


@dataclass(frozen=True)
class AgentLimits:
    """What this agent can do; the defaults are a good one, field devices can less."""

    versions: frozenset[int] = frozenset({V1, V2C, V3})
    max_varbinds: int = 64
    max_bytes: int = 1472
    has_bulk: bool = True


class _Level(NamedTuple):
    """Of a v3 message: its header fields."""

    message_id: int
    flags: int
    engine_id: bytes
    boots: int
    time_s: int
    user: bytes
    digest: bytes
    digest_at: int
    salt: bytes


@dataclass
class Agent:
    """Answers datagrams. ``communities`` says of each whether it may write; ``uptime_s`` counts since ``boots``."""

    tree: Tree
    communities: Mapping[bytes, bool]
    users: Mapping[bytes, User] = field(default_factory=dict)
    engine_id: bytes = b"\x80\x00\x1f\x88\x04greensplit"
    boots: int = 1
    uptime_s: Callable[[], float] = lambda: 0.0
    limits: AgentLimits = AgentLimits()
    bad_communities: int = 0
    undecodable: int = 0
    _salt: int = 0
    _usm_counts: dict[int, int] = field(default_factory=dict)

    def answer(self, datagram: bytes) -> bytes | None:
        """What to send back, or None."""
        try:
            at, end = ber.take(datagram, 0, len(datagram), ber.SEQUENCE)
            version, at = ber.take_integer(datagram, at, end)
            if version not in self.limits.versions:
                return None
            if version == V3:
                return self._answer_v3(datagram, at, end)
            return self._answer_community(version, datagram, at, end)
        except BerError:
            self.undecodable += 1
            return None

    def _answer_community(self, version: int, datagram: bytes, at: int, end: int) -> bytes | None:
        community, at = ber.take_octets(datagram, at, end)
        pdu, _ = ber.decode_pdu(datagram, at, end)
        may_write = self.communities.get(community)
        if may_write is None:
            self.bad_communities += 1
            return None
        head = ber.encode_integer(version) + ber.encode(ber.OCTETS, community)

        def seal(reply: Pdu) -> bytes:
            return ber.encode(ber.SEQUENCE, head + ber.encode_pdu(reply))

        reply = self._reply(version, pdu, may_write, f"community {community.decode(errors='replace')}")
        return None if reply is None else self._fit(version, pdu, reply, seal)

    def _fit(self, version: int, pdu: Pdu, reply: Pdu, seal: Callable[[Pdu], bytes]) -> bytes:
        """The sealed reply; where it is too long, a shorter GETBULK or else tooBig."""
        sealed = seal(reply)
        while len(sealed) > self.limits.max_bytes and pdu.kind == ber.GET_BULK and len(reply.varbinds) > 1:
            reply = reply._replace(varbinds=reply.varbinds[: len(reply.varbinds) * 3 // 4])
            sealed = seal(reply)
        return sealed if len(sealed) <= self.limits.max_bytes else seal(_too_big(version, pdu))

    def _reply(self, version: int, pdu: Pdu, may_write: bool, master: str) -> Pdu | None:
        if pdu.kind == ber.GET_BULK:
            return self._bulk(pdu) if version != V1 and self.limits.has_bulk else None
        if len(pdu.varbinds) > self.limits.max_varbinds:
            return _too_big(version, pdu)
        if pdu.kind == ber.GET:
            return _found(version, pdu, [self.tree.get(each.oid) for each in pdu.varbinds])
        if pdu.kind == ber.GET_NEXT:
            return _found(version, pdu, [self._after(each.oid) for each in pdu.varbinds])
        if pdu.kind == ber.SET:
            return self._set(version, pdu, may_write, master)
        return None

    def _after(self, oid: Oid) -> Varbind:
        return self.tree.after(oid) or Varbind(oid, ber.END_OF_MIB_VIEW, None)

    def _bulk(self, pdu: Pdu) -> Pdu:
        """GETBULK, at most as many varbinds as the agent can carry."""
        once = max(pdu.error_status, 0)
        found = [self._after(each.oid) for each in pdu.varbinds[:once]][: self.limits.max_varbinds]
        column = [each.oid for each in pdu.varbinds[once:]]
        for _ in range(max(pdu.error_index, 0) if column else 0):
            if len(found) + len(column) > self.limits.max_varbinds:
                break
            row = [self._after(oid) for oid in column]
            found += row
            column = [each.oid for each in row]
            if all(each.tag == ber.END_OF_MIB_VIEW for each in row):
                break
        return Pdu(ber.RESPONSE, pdu.request_id, NO_ERROR, 0, tuple(found))

    def _set(self, version: int, pdu: Pdu, may_write: bool, master: str) -> Pdu:
        try:
            if not may_write:
                raise SetRefused(1, NO_ACCESS)
            self.tree.set(pdu.varbinds, master)
        except SetRefused as refusal:
            status = V1_ERRORS.get(refusal.status, refusal.status) if version == V1 else refusal.status
            return pdu._replace(kind=ber.RESPONSE, error_status=status, error_index=refusal.index)
        return pdu._replace(kind=ber.RESPONSE, error_status=NO_ERROR, error_index=0)

    def _answer_v3(self, datagram: bytes, at: int, end: int) -> bytes | None:
        level, at = _take_header(datagram, at, end)
        user = self.users.get(level.user)
        complaint = self._complaint(level, user, datagram)
        if complaint:
            return self._report(level, complaint, user)
        assert user is not None  # an unknown user is a complaint
        secret, _ = ber.take_octets(datagram, at, end)
        try:
            scoped = decrypt(user, level.boots, level.time_s, level.salt, secret)
            at, stop = ber.take(scoped, 0, len(scoped), ber.SEQUENCE)
            context_engine, at = ber.take_octets(scoped, at, stop)
            context, at = ber.take_octets(scoped, at, stop)
            pdu, _ = ber.decode_pdu(scoped, at, stop)
        except BerError:
            return self._report(level, DECRYPTION_ERROR, user)
        if context_engine != self.engine_id or context:
            return None
        reply = self._reply(V3, pdu, user.may_write, f"user {user.name.decode(errors='replace')}")
        if reply is None:
            return None
        return self._fit(V3, pdu, reply, lambda found: self._seal_v3(level, user, found))

    def _complaint(self, level: _Level, user: User | None, datagram: bytes) -> int:
        """Which counter of the user-based model this message belongs to, or 0."""
        if level.engine_id != self.engine_id:
            return UNKNOWN_ENGINE
        if user is None:
            return UNKNOWN_USER
        if level.flags & (AUTH_FLAG | PRIV_FLAG) != AUTH_FLAG | PRIV_FLAG:
            return UNSUPPORTED_LEVEL
        if not compare_digest(level.digest, sign(user, _without_digest(datagram, level, user))):
            return WRONG_DIGEST
        if level.boots != self.boots or abs(level.time_s - int(self.uptime_s())) > TIME_WINDOW_S:
            return NOT_IN_TIME_WINDOW
        return DECRYPTION_ERROR if len(level.salt) != SALT_BYTES else 0

    def _report(self, level: _Level, complaint: int, user: User | None) -> bytes | None:
        """Tell the manager what is wrong, where it asked to be told."""
        if not level.flags & REPORTABLE_FLAG:
            return None
        count = self._usm_counts[complaint] = self._usm_counts.get(complaint, 0) + 1
        varbind = Varbind((*USM_STATS, complaint, 0), ber.COUNTER32, count & 0xFFFFFFFF)
        report = Pdu(ber.REPORT, 0, 0, 0, (varbind,))
        signer = user if complaint == NOT_IN_TIME_WINDOW else None
        flags, time_s = AUTH_FLAG if signer else 0, int(self.uptime_s())
        return self._message_v3(level, flags, signer, b"", self._scoped(report), time_s)

    def _seal_v3(self, level: _Level, user: User, reply: Pdu) -> bytes:
        self._salt = (self._salt + 1) & 0xFFFFFFFFFFFFFFFF
        salt, time_s = self._salt.to_bytes(SALT_BYTES, "big"), int(self.uptime_s())
        secret = ber.encode(ber.OCTETS, encrypt(user, self.boots, time_s, salt, self._scoped(reply)))
        return self._message_v3(level, AUTH_FLAG | PRIV_FLAG, user, salt, secret, time_s)

    def _scoped(self, pdu: Pdu) -> bytes:
        context = ber.encode(ber.OCTETS, self.engine_id) + ber.encode(ber.OCTETS, b"")
        return ber.encode(ber.SEQUENCE, context + ber.encode_pdu(pdu))

    def _message_v3(
        self, level: _Level, flags: int, user: User | None, salt: bytes, payload: bytes, time_s: int
    ) -> bytes:
        header = ber.encode(
            ber.SEQUENCE,
            ber.encode_integer(level.message_id)
            + ber.encode_integer(65507)
            + ber.encode(ber.OCTETS, bytes((flags,)))
            + ber.encode_integer(USM_MODEL),
        )
        name = b"" if user is None else user.name
        before = (
            ber.encode(ber.OCTETS, self.engine_id)
            + ber.encode_integer(self.boots)
            + ber.encode_integer(time_s)
            + ber.encode(ber.OCTETS, name)
        )

        def message(digest: bytes) -> bytes:
            security = ber.encode(
                ber.SEQUENCE, before + ber.encode(ber.OCTETS, digest) + ber.encode(ber.OCTETS, salt)
            )
            body = ber.encode_integer(V3) + header + ber.encode(ber.OCTETS, security) + payload
            return ber.encode(ber.SEQUENCE, body)

        if user is None:
            return message(b"")
        return message(sign(user, message(bytes(DIGEST_BYTES[user.hash_name]))))


def _take_header(datagram: bytes, at: int, end: int) -> tuple[_Level, int]:
    """The global header and the security parameters of a v3 message, and where its payload begins."""
    at, stop = ber.take(datagram, at, end, ber.SEQUENCE)
    message_id, at = ber.take_integer(datagram, at, stop)
    _, at = ber.take_integer(datagram, at, stop)
    flags, at = ber.take_octets(datagram, at, stop)
    model, _ = ber.take_integer(datagram, at, stop)
    if len(flags) != 1 or model != USM_MODEL:
        raise BerError("expected one octet of flags and the user-based security model")
    at, security_end = ber.take(datagram, stop, end, ber.OCTETS)
    at, stop = ber.take(datagram, at, security_end, ber.SEQUENCE)
    engine_id, at = ber.take_octets(datagram, at, stop)
    boots, at = ber.take_integer(datagram, at, stop)
    time_s, at = ber.take_integer(datagram, at, stop)
    if boots < 0 or time_s < 0:
        raise BerError("expected boots and time of the engine from 0")
    user, at = ber.take_octets(datagram, at, stop)
    digest_at, _ = ber.take(datagram, at, stop, ber.OCTETS)
    digest, at = ber.take_octets(datagram, at, stop)
    salt, _ = ber.take_octets(datagram, at, stop)
    level = _Level(message_id, flags[0], engine_id, boots, time_s, user, digest, digest_at, salt)
    return level, security_end


def _without_digest(datagram: bytes, level: _Level, user: User) -> bytes:
    """The message as it was signed; whatever follows it in the datagram is not part of it."""
    octets = DIGEST_BYTES[user.hash_name]
    if len(level.digest) != octets:
        return b""
    return datagram[: level.digest_at] + bytes(octets) + datagram[level.digest_at + octets :]


def _found(version: int, pdu: Pdu, found: list[Varbind]) -> Pdu:
    """An answer with values; in v1 one that is missing spoils the whole."""
    if version == V1:
        for index, each in enumerate(found, start=1):
            if each.tag in (ber.NO_SUCH_OBJECT, ber.NO_SUCH_INSTANCE, ber.END_OF_MIB_VIEW):
                return pdu._replace(kind=ber.RESPONSE, error_status=NO_SUCH_NAME, error_index=index)
    return Pdu(ber.RESPONSE, pdu.request_id, NO_ERROR, 0, tuple(found))


def _too_big(version: int, pdu: Pdu) -> Pdu:
    """In v1 with the request's varbinds, later with none (RFC 3416, 4.2.1)."""
    varbinds = tuple(Varbind(each.oid, ber.NULL, None) for each in pdu.varbinds) if version == V1 else ()
    return Pdu(ber.RESPONSE, pdu.request_id, TOO_BIG, 0, varbinds)

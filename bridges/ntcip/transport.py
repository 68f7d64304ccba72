"""The port to an SNMP library: many devices asked at once, each answer bounded in time.

Measured 2026-11 on one core of a 2-core machine: GET of ten varbinds, 200 agents on loopback asked once a second,
CPU per request and share of a core (target: at most 0.25 with SET and v3 SHA-256/AES-128):

=================  =====  ===========  ===========  =============  =====================================================
library            SET    v1/v2c, ms   v3, ms       share v2c/v3   remarks
=================  =====  ===========  ===========  =============  =====================================================
snmp 1.4.0         yes    0.57 - 0.65  0.97 - 1.3   0.12 / 0.20    chosen: one engine, non-blocking, error index, MIT
ezsnmp 2.5.0       yes    0.50 - 0.54  5.2          0.12 / 0.94    v3 derives its key again with every request; answers
                                                                   are text, the error index is lost; a thread per wait
puresnmp 2.0.1     yes    0.55         no SHA-2     0.11 / -
pysnmp 7.1.30      yes    3.3          5.1          0.66 / 1.0
aiosnmp 0.7.2      yes    0.13         none         0.03 / -       v2c only, last release 2022
gufo_snmp 0.13.0   no     0.016        not asked    0.01 / -
netsnmp-cffi 0.2   yes    not asked    none         -              does not look at the error status of an answer
=================  =====  ===========  ===========  =============  =====================================================

Figures of the finished bridge: ``python -m benchmarks.bridges``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from .objects import Value

__all__ = ["Community", "Failure", "Peer", "Request", "SnmpTransport", "Typed", "User"]

Oid = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Community:
    """Of SNMPv1 and v2c: a password that anybody on the way can read."""

    name: str
    version: Literal["1", "2c"] = "1"


@dataclass(frozen=True, slots=True)
class User:
    """Of SNMPv3, with authentication and privacy."""

    name: str
    auth_password: str
    priv_password: str
    hash_name: Literal["sha224", "sha256", "sha384", "sha512"] = "sha256"


@dataclass(frozen=True, slots=True)
class Peer:
    """An agent and how to speak to it."""

    host: str
    port: int
    access: Community | User


class Typed(NamedTuple):
    """A value to write, or one that was read. ``syntax`` as in the object table; '' for an instance that is missing."""

    oid: Oid
    syntax: str
    value: Value | None


class Request(NamedTuple):
    """``get`` and ``next`` need only the identifiers of ``varbinds``."""

    peer: Peer
    verb: Literal["get", "next", "set"]
    varbinds: tuple[Typed, ...]


class Failure(NamedTuple):
    """Why there is no answer: an error status of the protocol with the varbind from 1, or words of our own."""

    status: str
    position: int = 0


class SnmpTransport(Protocol):
    """Requests out, answers back, in the same order."""

    def exchange(self, requests: Sequence[Request], timeout_ms: int) -> Sequence[tuple[Typed, ...] | Failure]:
        """Ask all at once; a peer that does not answer in time is the failure ``timeout``."""
        ...

    def close(self) -> None:
        """Give up the sockets. Never raises."""
        ...

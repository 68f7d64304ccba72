"""The NTCIP front of simulated controllers: SNMP v1, v2c and v3 on UDP sockets of loopback, one port per junction.

Options: ``host`` (127.0.0.1), ``port`` (0: any; else the first of consecutive ports), ``read`` and ``write``
(communities), ``user``, ``auth`` and ``priv`` (v3, SHA-256 and AES-128; none without ``user``), ``max_varbinds``
(1 to 64), ``scalar_suffix`` (0 or 1), ``bulk`` (yes, no), ``versions`` (of 1, 2c, 3, separated by commas).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from selectors import EVENT_READ, DefaultSelector
from threading import Thread
from typing import Final

from greensplit.engine.errors import BridgeError, InputError

from .controller import StandIn
from .front import Front
from .ntcip_agent import V1, V2C, V3, Agent, AgentLimits
from .ntcip_ber import Oid, Varbind
from .ntcip_tree import StandInTree
from .ntcip_usm import User

__all__ = ["NtcipFront", "make"]

DEFAULTS: Final = {
    "host": "127.0.0.1",
    "port": "0",
    "read": "public",
    "write": "administrator",
    "user": "",
    "auth": "",
    "priv": "",
    "max_varbinds": "64",
    "scalar_suffix": "0",
    "bulk": "yes",
    "versions": "1,2c,3",
}
VERSION_NUMBERS: Final = {"1": V1, "2c": V2C, "3": V3}
ENGINE_ID: Final = b"\x80\x00\x1f\x88\x04greensplit"
LONGEST_DATAGRAM: Final = 65535


class NtcipFront(Front):
    """One socket and one agent per stand-in, all served by one thread."""

    def __init__(
        self, stand_ins: Sequence[StandIn], options: Mapping[str, str], clock: Callable[[], int]
    ) -> None:
        """InputError for options that are wrong."""
        super().__init__(stand_ins, options, clock)
        unknown = sorted(set(options) - set(DEFAULTS))
        if unknown:
            raise InputError(f"stand-in ntcip: expected options of {', '.join(DEFAULTS)}; found {unknown[0]}")
        self._set = {**DEFAULTS, **options}
        self._limits = self._read_limits()
        self.trees = tuple(StandInTree(stand_in, clock) for stand_in in self.stand_ins)
        self.agents = tuple(self._agent(tree) for tree in self.trees)
        self._sockets: list[socket.socket] = []
        self._wake, self._woken = socket.socketpair()
        self._thread: Thread | None = None

    def open(self) -> Mapping[str, str]:
        """Bind and serve."""
        host, port = self._set["host"], self._number("port", 0, 65535)
        for n in range(len(self.stand_ins)):
            listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._sockets.append(listener)
            try:
                listener.bind((host, port and port + n))
            except (OSError, OverflowError) as err:
                self.close()
                raise BridgeError(f"stand-in ntcip: expected to listen on {host}:{port + n}: {err}") from err
            listener.setblocking(False)
        self._thread = Thread(target=self._serve, name="standin-ntcip", daemon=True)
        self._thread.start()
        names = (stand_in.junction.id for stand_in in self.stand_ins)
        return {
            name: "{}:{}".format(*listener.getsockname())
            for name, listener in zip(names, self._sockets, strict=True)
        }

    def close(self) -> None:
        """Stop the thread, close the sockets."""
        if self._thread is not None:
            self._wake.send(b"\0")
            self._thread.join()
            self._thread = None
        for each in (*self._sockets, self._wake, self._woken):
            each.close()
        self._sockets.clear()

    def _serve(self) -> None:
        with DefaultSelector() as selector:
            selector.register(self._woken, EVENT_READ)
            for listener, tree, agent in zip(self._sockets, self.trees, self.agents, strict=True):
                selector.register(listener, EVENT_READ, (tree, agent))
            while True:
                for key, _ in selector.select():
                    if key.data is None:
                        return
                    self._answer(key.fileobj, *key.data)  # type: ignore[arg-type]

    def _answer(self, listener: socket.socket, tree: StandInTree, agent: Agent) -> None:
        try:
            datagram, peer = listener.recvfrom(LONGEST_DATAGRAM)
            with self.lock:
                tree.renew()
                reply = agent.answer(datagram)
            if reply is not None:
                listener.sendto(reply, peer)
        except OSError:
            return  # the peer has gone; it asks again if it still wants to know

    def _agent(self, tree: StandInTree) -> Agent:
        suffixed = _Suffixed(tree) if self._number("scalar_suffix", 0, 1) else tree
        users = {}
        if self._set["user"]:
            name = self._set["user"].encode()
            try:
                users[name] = User(name, True, self._set["auth"], self._set["priv"], ENGINE_ID)
            except ValueError as err:
                raise InputError(f"stand-in ntcip: auth and priv: {err}") from err
        return Agent(
            suffixed,
            {self._set["read"].encode(): False, self._set["write"].encode(): True},
            users,
            ENGINE_ID,
            uptime_s=lambda: self.clock() / 1000,
            limits=self._limits,
        )

    def _read_limits(self) -> AgentLimits:
        versions = self._set["versions"].split(",")
        if not set(versions) <= set(VERSION_NUMBERS):
            raise InputError(
                f"stand-in ntcip: versions: expected some of 1,2c,3; found {self._set['versions']}"
            )
        if self._set["bulk"] not in ("yes", "no"):
            raise InputError(f"stand-in ntcip: bulk: expected yes or no, found {self._set['bulk']}")
        return AgentLimits(
            versions=frozenset(VERSION_NUMBERS[version] for version in versions),
            max_varbinds=self._number("max_varbinds", 1, 64),
            has_bulk=self._set["bulk"] == "yes",
        )

    def _number(self, name: str, least: int, most: int) -> int:
        word = self._set[name]
        if not word.isdecimal() or not least <= int(word) <= most:
            raise InputError(f"stand-in ntcip: {name}: expected {least} to {most}, found {word}")
        return int(word)


class _Suffixed:
    """The same objects in a device that names its scalars .1."""

    def __init__(self, tree: StandInTree) -> None:
        self._tree = tree

    def get(self, oid: Oid) -> Varbind:
        inner = self._inward(oid)
        return Varbind(oid, *self._tree.get(inner)[1:])

    def after(self, oid: Oid) -> Varbind | None:
        found = self._tree.after(self._inward(oid))
        return found and Varbind(self._outward(found.oid), *found[1:])

    def set(self, varbinds: Sequence[Varbind], master: str) -> None:
        self._tree.set([Varbind(self._inward(each.oid), *each[1:]) for each in varbinds], master)

    def _inward(self, oid: Oid) -> Oid:
        plain = (*oid[:-1], 0)
        if oid[-1] == 1 and self._tree.is_scalar(plain):
            return plain
        return (*oid, 0) if self._tree.is_scalar(oid) else oid  # .0 names nothing here

    def _outward(self, oid: Oid) -> Oid:
        return (*oid[:-1], 1) if self._tree.is_scalar(oid) else oid


def make(stand_ins: Sequence[StandIn], options: Mapping[str, str], clock: Callable[[], int]) -> NtcipFront:
    """The entry point ``ntcip`` of ``greensplit.fronts``."""
    return NtcipFront(stand_ins, options, clock)

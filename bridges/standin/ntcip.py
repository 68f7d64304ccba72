"""The NTCIP front of simulated controllers: SNMP v1, v2c and v3 on UDP sockets of loopback, one port per junction.

Options: ``host`` (127.0.0.1), ``port`` (0: any; else the first of consecutive ports), ``read`` and ``community``
(which may write), ``user``, ``auth``, ``priv`` and ``hash`` (v3 with AES-128; none without ``user``), ``rights`` of
the user (write, read), ``profile`` (whose peculiarities it shows), ``max_varbinds`` (1 to 64), ``scalar_suffix`` (0
or 1), ``bulk`` (yes, no), ``versions`` (of 1, 2c, 3, separated by commas).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from selectors import EVENT_READ, DefaultSelector
from threading import Thread
from typing import Final, Literal, cast

from greensplit.engine.errors import BridgeError, InputError

from ..ntcip.options import chosen_options
from ..ntcip.profiles import PROFILES
from .controller import StandIn
from .front import Front
from .ntcip_agent import V1, V2C, V3, Agent, AgentLimits
from .ntcip_ber import Oid, Varbind
from .ntcip_tree import StandInTree
from .ntcip_usm import User

__all__ = ["NtcipFront", "make"]

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
        self._set = chosen_options(options, "stand-in ntcip")
        self._profile = PROFILES[self._set["profile"]]
        self._limits = self._read_limits()
        port = self._number("port", 0, 65535)
        self.trees = tuple(StandInTree(stand_in, clock) for stand_in in self.stand_ins)
        self.agents = tuple(self._agent(tree) for tree in self.trees)
        self._sockets: list[socket.socket] = []
        self._ports = [port and port + n for n in range(len(self.stand_ins))]
        self._thread: Thread | None = None

    def open(self) -> Mapping[str, str]:
        """Bind and serve; after ``close`` on the same ports."""
        self._wake, self._woken = socket.socketpair()
        for n in range(len(self.stand_ins)):
            self._sockets.append(self._bound(n))
        self._thread = Thread(target=self._serve, name="standin-ntcip", daemon=True)
        self._thread.start()
        names = (stand_in.junction.id for stand_in in self.stand_ins)
        return {name: f"{self._set['host']}:{port}" for name, port in zip(names, self._ports, strict=True)}

    @property
    def ports(self) -> tuple[int, ...]:
        """UDP ports, in the order of the stand-ins."""
        return tuple(self._ports)

    def _bound(self, n: int) -> socket.socket:
        address = (self._set["host"], self._ports[n])
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            listener.bind(address)
        except (OSError, OverflowError) as err:
            listener.close()
            self._close_sockets()
            raise BridgeError(f"stand-in ntcip: expected to listen on {address}: {err}") from err
        listener.setblocking(False)
        self._ports[n] = listener.getsockname()[1]
        return listener

    def close(self) -> None:
        """Stop the thread, close the sockets."""
        if self._thread is not None:
            self._wake.send(b"\0")
            self._thread.join()
            self._thread = None
            self._close_sockets()

    def _close_sockets(self) -> None:
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
        suffixed = (
            _Suffixed(tree) if self._number("scalar_suffix", 0, 1, self._profile.scalar_suffix) else tree
        )
        users = {}
        if self._set["user"]:
            name = self._set["user"].encode()
            auth, priv, hash_name = self._set["auth"], self._set["priv"], self._set["hash"]
            may_write = self._set["rights"] == "write"
            users[name] = User(name, may_write, auth, priv, ENGINE_ID, cast("Literal['sha256']", hash_name))
        return Agent(
            suffixed,
            {self._set["read"].encode(): False, self._set["community"].encode(): True},
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
            max_varbinds=self._number("max_varbinds", 1, 64, self._most_varbinds),
            has_bulk=self._set["bulk"] == "yes",
        )

    @property
    def _most_varbinds(self) -> int:
        """A good agent takes more than a cautious manager asks for; one of a profile that is pressed, no more."""
        return 64 if self._profile.max_varbinds > 1 else 1

    def _number(self, name: str, least: int, most: int, default: int = 0) -> int:
        word = self._set[name] or str(default)
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

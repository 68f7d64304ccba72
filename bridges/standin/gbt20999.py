"""A stand-in that speaks GB/T 20999-2017 on real sockets, UDP or TCP: one socket per junction.

Only the registered host, by its address and its host id, may set anything or keep the controller from falling back;
others may look. Phase n is lamp group n. Its own class 200 tells the backup time: the standard has no object for it.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Final

from greensplit.bridges.gbt20999.errors import FrameError
from greensplit.bridges.gbt20999.frame import Frame, decode, encode
from greensplit.bridges.gbt20999.profile import FRONT_OPTIONS, OPTIONS, stated_number
from greensplit.bridges.gbt20999.stream import StreamDecoder, escape
from greensplit.engine.errors import BridgeError, InputError

from .controller import StandIn
from .front import Front
from .gbt20999_answers import Cabinet20999, Variant

__all__ = ["GbtFront", "make"]

MOST_CONNECTIONS: Final = 8
MOST_BYTES: Final = 65_535
WAKE_S: Final = 0.2


@dataclass(slots=True)
class _Served:
    """One socket: of a junction, or of one connection to it."""

    cabinet: Cabinet20999
    peer: str = ""
    stream: StreamDecoder = field(default_factory=StreamDecoder)


class GbtFront(Front):
    """Serves stand-ins. ``dropped`` counts what came in and was no frame."""

    def __init__(
        self, stand_ins: Sequence[StandIn], options: Mapping[str, str], clock: Callable[[], int]
    ) -> None:
        super().__init__(stand_ins, options, clock)
        unknown = sorted(set(options) - set(FRONT_OPTIONS) - set(OPTIONS))
        if unknown:
            raise InputError(
                f"stand-in gbt20999: expected one of {', '.join(FRONT_OPTIONS)}, found {unknown[0]}"
            )
        self.dropped = 0
        self._transport = options.get("transport", "udp")
        if self._transport not in ("udp", "tcp"):
            raise InputError(f"transport: expected udp or tcp, found {self._transport}")
        first = _number(options, "port", 0, 65_535)
        variant = Variant(
            host_ip=options.get("host_ip", "127.0.0.1"),
            host_id=_number(options, "host_id", 1, 255),
            serial_step=_number(options, "serials", 0, 1),
            lamp_attribute=_number(options, "lamp_attribute", 2, 2),
            heartbeat_reply=_number(options, "heartbeat_reply", 0x80, 0xFF),
        )
        self._cabinets = [Cabinet20999(stand_in, variant) for stand_in in stand_ins]
        self._ports = [first + position if first else 0 for position in range(len(stand_ins))]
        self._selector = selectors.DefaultSelector()
        self._thread: Thread | None = None
        self._is_open = False

    def open(self) -> Mapping[str, str]:
        """See ``Front``. Ports follow one another where one is given; opened again, they are as they were."""
        self._selector = selectors.DefaultSelector()
        found = {}
        for position, cabinet in enumerate(self._cabinets):
            serving = self._bind(self._ports[position])
            self._ports[position] = serving.getsockname()[1]
            self._selector.register(serving, selectors.EVENT_READ, _Served(cabinet))
            found[cabinet.stand_in.junction.id] = f"{self._transport}:127.0.0.1:{self._ports[position]}"
        self._is_open = True
        self._thread = Thread(target=self._serve, name="stand-in gbt20999", daemon=True)
        self._thread.start()
        return found

    def close(self) -> None:
        """See ``Front``."""
        self._is_open = False
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            for key in list(self._selector.get_map().values()):
                self._drop(key.fileobj)
            self._selector.close()

    def _bind(self, port: int) -> socket.socket:
        kind = socket.SOCK_DGRAM if self._transport == "udp" else socket.SOCK_STREAM
        serving = socket.socket(socket.AF_INET, kind)
        try:
            if kind is socket.SOCK_STREAM:
                serving.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            serving.bind(("127.0.0.1", port))
            if kind is socket.SOCK_STREAM:
                serving.listen(MOST_CONNECTIONS)
        except OSError as err:
            serving.close()
            raise BridgeError(f"port {port}: could not be served: {err.strerror}") from err
        serving.setblocking(False)
        return serving

    def _serve(self) -> None:
        while self._is_open:
            for key, _ in self._selector.select(WAKE_S):
                serving, served = key.fileobj, key.data
                if not isinstance(serving, socket.socket):
                    continue
                if self._transport == "udp":
                    self._serve_datagram(serving, served)
                elif not served.peer:
                    self._accept(serving, served)
                else:
                    self._serve_stream(serving, served)

    def _serve_datagram(self, serving: socket.socket, served: _Served) -> None:
        try:
            data, peer = serving.recvfrom(MOST_BYTES)
        except OSError:
            return
        try:
            frame = decode(data)
        except FrameError:
            self.dropped += 1
            return
        for reply in self._answer(served.cabinet, frame, peer[0]):
            with suppress(OSError):
                serving.sendto(encode(reply), peer)

    def _accept(self, serving: socket.socket, served: _Served) -> None:
        try:
            connection, peer = serving.accept()
        except OSError:
            return
        if len(self._selector.get_map()) >= (MOST_CONNECTIONS + 1) * len(self._cabinets):
            connection.close()
            return
        connection.settimeout(WAKE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(connection, selectors.EVENT_READ, _Served(served.cabinet, peer[0]))

    def _serve_stream(self, connection: socket.socket, served: _Served) -> None:
        try:
            data = connection.recv(MOST_BYTES)
            before = served.stream.dropped
            for frame in served.stream.feed(data):
                for reply in self._answer(served.cabinet, frame, served.peer):
                    connection.sendall(escape(encode(reply)))
            self.dropped += served.stream.dropped - before
        except OSError:
            data = b""
        if not data:
            self._drop(connection)

    def _drop(self, serving: object) -> None:
        if isinstance(serving, socket.socket):
            self._selector.unregister(serving)
            serving.close()

    def _answer(self, cabinet: Cabinet20999, frame: Frame, peer: str) -> list[Frame]:
        with self.lock:
            return cabinet.answer(frame, peer, self.clock())


def _number(options: Mapping[str, str], name: str, default: int, most: int) -> int:
    return stated_number(name, options.get(name, str(default)), 0, most)


def make(stand_ins: Sequence[StandIn], options: Mapping[str, str], clock: Callable[[], int]) -> GbtFront:
    """The front, for the entry point."""
    return GbtFront(stand_ins, options, clock)

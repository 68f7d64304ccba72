"""Sockets to one controller: frames out, frames in, rubbish counted."""

from __future__ import annotations

import socket
import time
from abc import ABC, abstractmethod
from collections import deque
from typing import ClassVar

from greensplit.engine.errors import InputError

from .errors import FrameError, NoAnswerError
from .frame import Frame, decode, encode
from .stream import StreamDecoder, escape

__all__ = ["Link", "TcpLink", "UdpLink", "open_link"]

DATAGRAM_BYTES = 65_535
MOST_DRAINED = 1000


class Link(ABC):
    """A way to one controller. ``dropped`` counts what came in and was no frame."""

    dropped = 0
    repeats: ClassVar[bool] = True
    """Is it worth asking again on this way? On a stream an answer is late, not lost."""

    @abstractmethod
    def send(self, frame: Frame) -> None:
        """Send one frame. NoAnswerError where nobody is there."""

    @abstractmethod
    def receive(self, deadline_s: float) -> Frame | None:
        """The next frame that arrives before ``deadline_s`` of ``time.monotonic``, or None."""

    @abstractmethod
    def close(self) -> None:
        """Let go. Never raises, may be called twice."""

    def drain(self) -> list[Frame]:
        """What lies in the socket already: late answers, reports; no more than somebody could have meant."""
        frames: list[Frame] = []
        while len(frames) < MOST_DRAINED and (frame := self.receive(time.monotonic())) is not None:
            frames.append(frame)
        return frames


class UdpLink(Link):
    """Datagrams of one frame, without escapes; what others than the controller send does not come in."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.connect((host, port))
        except OSError as err:
            self._socket.close()
            raise NoAnswerError(f"{host}:{port}: could not be reached: {err.strerror}") from err

    def send(self, frame: Frame) -> None:
        """A datagram. That nobody listens shows when an answer is missing."""
        try:
            self._socket.send(encode(frame))
        except OSError as err:
            raise NoAnswerError(f"could not send: {err.strerror or err}") from err

    def receive(self, deadline_s: float) -> Frame | None:
        """See ``Link``."""
        while True:
            try:
                self._socket.settimeout(max(0.0, deadline_s - time.monotonic()))
                return decode(self._socket.recv(DATAGRAM_BYTES))
            except FrameError:
                self.dropped += 1
                if time.monotonic() >= deadline_s:
                    return None
            except ConnectionRefusedError as err:
                raise NoAnswerError("nobody listens there") from err
            except (TimeoutError, BlockingIOError):
                return None
            except OSError as err:
                raise NoAnswerError(f"could not receive: {err.strerror or err}") from err

    def close(self) -> None:
        """See ``Link``."""
        self._socket.close()


class TcpLink(Link):
    """A stream of escaped frames."""

    repeats = False

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
        except OSError as err:
            raise NoAnswerError(f"{host}:{port}: could not be reached: {err.strerror or err}") from err
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._timeout_s = timeout_s
        self._stream = StreamDecoder()
        self._frames: deque[Frame] = deque()

    def send(self, frame: Frame) -> None:
        """A frame on the stream."""
        try:
            self._socket.settimeout(self._timeout_s)
            self._socket.sendall(escape(encode(frame)))
        except OSError as err:
            raise NoAnswerError(f"could not send: {err.strerror or err}") from err

    def receive(self, deadline_s: float) -> Frame | None:
        """See ``Link``."""
        while not self._frames:
            try:
                self._socket.settimeout(max(0.0, deadline_s - time.monotonic()))
                data = self._socket.recv(DATAGRAM_BYTES)
            except (TimeoutError, BlockingIOError):
                return None
            except OSError as err:
                raise NoAnswerError(f"could not receive: {err.strerror or err}") from err
            if not data:
                raise NoAnswerError("the controller has closed the connection")
            self._frames.extend(self._stream.feed(data))
            self.dropped = self._stream.dropped
            if deadline_s <= time.monotonic() and not self._frames:
                return None
        return self._frames.popleft()

    def close(self) -> None:
        """See ``Link``."""
        self._socket.close()


def open_link(address: str, timeout_s: float) -> Link:
    """A link to ``udp:HOST:PORT`` or ``tcp:HOST:PORT``. InputError where the address is neither."""
    transport, _, rest = address.partition(":")
    host, _, port = rest.rpartition(":")
    if transport not in ("udp", "tcp") or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise InputError(f"address: expected udp:HOST:PORT or tcp:HOST:PORT, found {address}")
    return UdpLink(host, int(port)) if transport == "udp" else TcpLink(host, int(port), timeout_s)

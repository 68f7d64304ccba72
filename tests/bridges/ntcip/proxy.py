"""A bad line of our own: UDP between a bridge and a stand-in, with loss, repetition, delay, disorder and lies."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector
from threading import Thread
from time import monotonic

__all__ = ["Line", "Proxy"]


@dataclass
class Line:
    """What happens to a datagram, each way."""

    loss: float = 0.0
    twice: float = 0.0
    delayed: float = 0.0
    delay_s: float = 0.02
    is_cut: bool = False
    lie: Callable[[bytes], bytes] | None = None


class Proxy:
    """Listens on loopback, passes on to ``target``; answers go back to whoever asked last."""

    def __init__(self, target: str, line: Line, seed: int = 1) -> None:
        host, port = target.split(":")
        self.line = line
        self._random = random.Random(seed)
        self._near = self._bound()
        self._far = self._bound()
        self._far.connect((host, int(port)))
        self._client: tuple[str, int] | None = None
        self._late: list[tuple[float, bytes, bool]] = []
        self._is_open = True
        self.address = f"127.0.0.1:{self._near.getsockname()[1]}"
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _bound(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        return made

    def close(self) -> None:
        self._is_open = False
        self._thread.join()
        self._near.close()
        self._far.close()

    def _run(self) -> None:
        with DefaultSelector() as selector:
            selector.register(self._near, EVENT_READ)
            selector.register(self._far, EVENT_READ)
            while self._is_open:
                for key, _ in selector.select(0.005):
                    self._take(key.fileobj is self._near)
                now_s = monotonic()
                due = [each for each in self._late if each[0] <= now_s]
                self._late = [each for each in self._late if each[0] > now_s]
                for _, datagram, is_request in due:
                    self._pass_on(datagram, is_request)

    def _take(self, is_request: bool) -> None:
        try:
            if is_request:
                datagram, self._client = self._near.recvfrom(65535)
            else:
                datagram = self._far.recv(65535)
        except OSError:
            return
        line, draw = self.line, self._random.random
        if line.is_cut or draw() < line.loss:
            return
        if line.lie is not None and not is_request:
            datagram = line.lie(datagram)
        for _ in range(1 + (draw() < line.twice)):
            if draw() < line.delayed:
                self._late.append((monotonic() + line.delay_s * draw(), datagram, is_request))
            else:
                self._pass_on(datagram, is_request)

    def _pass_on(self, datagram: bytes, is_request: bool) -> None:
        try:
            if is_request:
                self._far.send(datagram)
            elif self._client is not None:
                self._near.sendto(datagram, self._client)
        except OSError:
            return

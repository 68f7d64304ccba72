"""A bad line: datagrams between one host and one controller, lost, doubled, turned round, late, changed or none."""

from __future__ import annotations

import random
import selectors
import socket
import time
from threading import Thread

__all__ = ["BadLine"]


class BadLine:
    """Listens on ``address`` and passes on to ``target``, both ``udp:HOST:PORT``. Faults may be changed at any time."""

    def __init__(self, target: str, seed: int = 1) -> None:
        _, host, port = target.split(":")
        self._chance = random.Random(seed)
        self._target = (host, int(port))
        self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._near.bind(("127.0.0.1", 0))
        self._far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._far.bind(("127.0.0.1", 0))
        self.address = f"udp:127.0.0.1:{self._near.getsockname()[1]}"
        self.loss = self.doubled = self.late = self.wrong = 0.0
        self.late_s = 0.02
        self.is_silent = False
        self.passed = self.lost = 0
        self._peer: tuple[str, int] | None = None
        self._held: list[tuple[float, socket.socket, tuple[str, int], bytes]] = []
        self._is_open = True
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._is_open = False
        self._thread.join()
        self._near.close()
        self._far.close()

    def _run(self) -> None:
        selector = selectors.DefaultSelector()
        for end in (self._near, self._far):
            selector.register(end, selectors.EVENT_READ)
        while self._is_open:
            for key, _ in selector.select(0.005):
                self._take(key.fileobj is self._near)
            self._release()
        selector.close()

    def _take(self, is_outbound: bool) -> None:
        data, sender = (self._near if is_outbound else self._far).recvfrom(65_535)
        if is_outbound:
            self._peer = sender
        if self.is_silent or self._chance.random() < self.loss:
            self.lost += 1
            return
        self.passed += 1
        for _ in range(2 if self._chance.random() < self.doubled else 1):
            self._send(is_outbound, self._changed(data))

    def _changed(self, data: bytes) -> bytes:
        if self._chance.random() >= self.wrong:
            return data
        at = self._chance.randrange(len(data))
        return data[:at] + self._chance.randbytes(1) + data[at + 1 :]

    def _send(self, is_outbound: bool, data: bytes) -> None:
        end, peer = (self._far, self._target) if is_outbound else (self._near, self._peer)
        if peer is None:
            return
        delay_s = self.late_s * self._chance.random() if self._chance.random() < self.late else 0.0
        self._held.append((time.monotonic() + delay_s, end, peer, data))

    def _release(self) -> None:
        now_s = time.monotonic()
        due = [held for held in self._held if held[0] <= now_s]
        self._held = [held for held in self._held if held[0] > now_s]
        for _, end, peer, data in due:
            end.sendto(data, peer)

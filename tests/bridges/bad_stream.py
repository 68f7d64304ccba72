"""A bad TCP line on loopback: what comes through is late or changed, the line is silent, or it is cut.

What a lossy network does to a stream is to delay it: lost, doubled and overtaken segments are put right by TCP.
"""

from __future__ import annotations

import random
import socket
import time
from contextlib import suppress
from threading import Event, Lock, Thread

__all__ = ["BadStream"]

CHUNK_BYTES = 512


class BadStream:
    """Listens on ``port`` of loopback and passes on to ``target``. Faults may be changed at any time.

    ``late`` and ``wrong`` are shares of the pieces that come up to ``late_s`` late, or with another byte in them.
    """

    def __init__(self, target: int, seed: int = 1) -> None:
        self.late = self.wrong = 0.0
        self.late_s = 0.1
        self.is_silent = False
        self.delayed = self.changed = 0
        self._target = target
        self._chance = random.Random(seed)
        self._ends = Event()
        self._lock = Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._ends_of_all: list[socket.socket] = []
        self._threads: list[Thread] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.05)
        self.port: int = self._server.getsockname()[1]
        self._thread = Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """End all connections; new ones may be made."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop."""
        self._ends.set()
        self._thread.join()
        self._server.close()
        self.cut()
        for thread in self._threads:
            thread.join(5.0)
        for end in self._ends_of_all:
            end.close()

    def _accept(self) -> None:
        while not self._ends.is_set():
            try:
                near, _ = self._server.accept()
            except TimeoutError:
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target), 1.0)
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.settimeout(None)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                thread = Thread(target=self._pass_on, args=(source, sink), daemon=True)
                thread.start()
                self._threads.append(thread)
                self._ends_of_all.append(source)

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                while self.is_silent and not self._ends.is_set():
                    time.sleep(0.01)
                sink.sendall(self._spoilt(data))
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _spoilt(self, data: bytes) -> bytes:
        with self._lock:
            is_late, is_wrong = self._chance.random() < self.late, self._chance.random() < self.wrong
            wait_s, at = self.late_s * self._chance.random(), self._chance.randrange(len(data))
            other = self._chance.randbytes(1)
            self.delayed += is_late
            self.changed += is_wrong
        if is_late:
            time.sleep(wait_s)
        return data[:at] + other + data[at + 1 :] if is_wrong else data

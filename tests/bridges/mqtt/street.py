"""A stand-in behind a broker and the engine's side before it, on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from greensplit.bridges.base import DEFAULT_SETTINGS, BridgeSettings
from greensplit.bridges.mqtt.bridge import MqttBridge, make
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.bridges.standin.mqtt import MqttFront
from greensplit.engine.loop import DetectorEvents

from ...engine.kernels.sites import crossroads
from .broker import Broker

TICK_MS = 100
NO_EVENTS = DetectorEvents(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.uint8), 0)


class Street:
    """Stand-ins that a test advances, and the front that makes them speak."""

    def __init__(self, names: tuple[str, ...] = ("J",), backup_ms: int = 10_000) -> None:
        (junction,) = crossroads().junctions
        config = StandInConfig(tick_ms=TICK_MS, backup_ms=backup_ms)
        self.stand_ins = [StandIn(replace(junction, id=name), config) for name in names]
        self.now_ms = 0
        self.front: MqttFront | None = None

    def clock(self) -> int:
        """The time to which all have been brought."""
        return self.now_ms

    def run(self, seconds: float, on: tuple[int, ...] = (), off: tuple[int, ...] = ()) -> None:
        """Let time pass; detectors in ``on`` and ``off`` change at its beginning."""
        events = [(d, 1) for d in on] + [(d, 0) for d in off]
        for tick in range(round(seconds * 1000 / TICK_MS)):
            self.now_ms += TICK_MS
            found = _events(events, self.now_ms) if tick == 0 else NO_EVENTS
            self._advance(found)

    def _advance(self, found: DetectorEvents) -> None:
        if self.front is not None:
            self.front.lock.acquire()
        try:
            for stand_in in self.stand_ins:
                stand_in.sense(self.now_ms, found)
                stand_in.advance(self.now_ms)
        finally:
            if self.front is not None:
                self.front.lock.release()

    def greens(self) -> list[int]:
        """Groups that are green at the first stand-in, from 1."""
        return [g + 1 for g, aspect in enumerate(self.stand_ins[0].aspects.tolist()) if aspect in (2, 3)]


def _events(events: list[tuple[int, int]], t_ms: int) -> DetectorEvents:
    n = len(events)
    detector = np.array([d for d, _ in events], np.int32)
    on = np.array([state for _, state in events], np.uint8)
    return DetectorEvents(detector, np.full(n, t_ms, np.int64), on, n)


@contextmanager
def serving(street: Street, broker: Broker, **options: str) -> Iterator[dict[str, str]]:
    """The stand-ins behind the broker; their addresses."""
    user = street.stand_ins[0].junction.id if len(street.stand_ins) == 1 else "gateway"
    words = broker.account(user) | {"look_ms": "10", "client_id": user} | options
    street.front = MqttFront(street.stand_ins, words, street.clock)
    addresses = dict(street.front.open())
    try:
        yield addresses
    finally:
        street.front.close()


@contextmanager
def engine(
    street: Street,
    broker: Broker,
    addresses: dict[str, str],
    settings: BridgeSettings = DEFAULT_SETTINGS,
    **options: str,
) -> Iterator[MqttBridge]:
    """The engine's side, in lockstep."""
    words = broker.account("engine") | {"age_ms": "0", "client_id": "engine"} | options
    made = make([stand_in.junction for stand_in in street.stand_ins], addresses, words, settings)
    try:
        yield made
    finally:
        made.close()

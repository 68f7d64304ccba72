"""The way through a broker of its own, for the suite that every bridge passes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from greensplit.bridges.base import Bridge, BridgeSettings
from greensplit.bridges.mqtt.bridge import make
from greensplit.bridges.standin.controller import StandIn
from greensplit.bridges.standin.front import Front
from greensplit.bridges.standin.mqtt import MqttFront
from greensplit.engine.model.site import Junction

from .broker import Authority, Broker, require_mosquitto


@contextmanager
def behind_broker(
    stand_ins: Sequence[StandIn],
    junctions: Sequence[Junction],
    clock: Callable[[], int],
    settings: BridgeSettings,
) -> Iterator[tuple[Front, Bridge]]:
    """In lockstep: every look asks, every command is answered."""
    require_mosquitto()
    with tempfile.TemporaryDirectory() as place:
        broker = Broker(Path(place), Authority(Path(place)))
        broker.start()
        front = MqttFront(stand_ins, broker.account("gateway") | {"look_ms": "10"}, clock)
        bridge = make(junctions, front.open(), broker.account("engine") | {"age_ms": "0"}, settings)
        try:
            yield front, bridge
        finally:
            bridge.close()
            front.close()
            broker.kill()

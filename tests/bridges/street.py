"""Two junctions with stand-ins, a front of some protocol around them, and the bridge to it; the clock is ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from greensplit.bridges.base import DEFAULT_SETTINGS, Bridge, BridgeSettings, Spoken
from greensplit.bridges.field import FieldStatus, Masks, Order, StageRequest
from greensplit.bridges.gbt20999.bridge import GbtBridge
from greensplit.bridges.gbt20999.profile import Profile
from greensplit.bridges.ntcip.bridge import make as make_ntcip
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.bridges.standin.front import Front
from greensplit.bridges.standin.gbt20999 import GbtFront
from greensplit.bridges.standin.ntcip import NtcipFront
from greensplit.bridges.virtual import VirtualBridge, VirtualFront
from greensplit.engine.loop import DetectorEvents
from greensplit.engine.model.site import Junction, Site

from ..engine.kernels.sites import crossroads
from .mqtt.conformance import behind_broker

TICK_MS = 100
BACKUP_MS = 5000
NOTHING = DetectorEvents(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.uint8), 0)


def two_crossroads() -> Site:
    """Two crossroads of two groups each, whose ids are A and B."""
    first = crossroads().junctions[0]
    return Site("two", (replace(first, id="A"), replace(first, id="B", device_id=2)))


def events(*rows: tuple[int, int, int]) -> DetectorEvents:
    """(detector, time, state)."""
    return DetectorEvents(
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.uint8),
        len(rows),
    )


@dataclass
class Street:
    """Stand-ins that are brought through time together."""

    stand_ins: Sequence[StandIn]
    now_ms: int = 0
    front: Front | None = None
    lamps: list[tuple[int, int, tuple[int, ...]]] = field(default_factory=list)

    def until(self, end_ms: int, *changes: tuple[int, int, int]) -> None:
        """Advance all to ``end_ms``, tick by tick; ``changes`` are of the first junction's detectors."""
        assert self.front is not None
        while self.now_ms < end_ms:
            self.now_ms += TICK_MS
            with self.front.lock:
                for i, stand_in in enumerate(self.stand_ins):
                    due = (
                        [c for c in changes if self.now_ms - TICK_MS < c[1] <= self.now_ms] if i == 0 else []
                    )
                    stand_in.sense(self.now_ms, events(*due))
                    stand_in.advance(self.now_ms)

    def status(self, device: int) -> FieldStatus:
        """What the stand-in itself says."""
        return self.stand_ins[device].status()


class Factory(Protocol):
    """Opens a front of some protocol around stand-ins, and a bridge to it that reads ``junctions`` as the model."""

    def __call__(
        self,
        stand_ins: Sequence[StandIn],
        junctions: Sequence[Junction],
        clock: Callable[[], int],
        settings: BridgeSettings,
    ) -> AbstractContextManager[tuple[Front, Bridge]]: ...


@contextmanager
def virtual(
    stand_ins: Sequence[StandIn],
    junctions: Sequence[Junction],
    clock: Callable[[], int],
    settings: BridgeSettings,
) -> Iterator[tuple[Front, Bridge]]:
    """Within the process."""
    front = VirtualFront(stand_ins, {}, clock)
    bridge = VirtualBridge(junctions, front.open(), settings)
    yield front, bridge
    bridge.close()
    front.close()


@contextmanager
def ntcip(
    stand_ins: Sequence[StandIn],
    junctions: Sequence[Junction],
    clock: Callable[[], int],
    settings: BridgeSettings,
) -> Iterator[tuple[Front, Bridge]]:
    """SNMP over loopback."""
    front = NtcipFront(stand_ins, {}, clock)
    bridge = make_ntcip(junctions, front.open(), {}, settings)
    yield front, bridge
    bridge.close()
    front.close()


def gbt20999(transport: str) -> Factory:
    """GB/T 20999-2017 on loopback."""

    @contextmanager
    def factory(
        stand_ins: Sequence[StandIn],
        junctions: Sequence[Junction],
        clock: Callable[[], int],
        settings: BridgeSettings,
    ) -> Iterator[tuple[Front, Bridge]]:
        front = GbtFront(stand_ins, {"transport": transport}, clock)
        bridge = GbtBridge(junctions, front.open(), Profile(), settings)
        try:
            yield front, bridge
        finally:
            bridge.close()
            front.close()

    return factory


FACTORIES: dict[str, Factory] = {
    "virtual": virtual,
    "mqtt": behind_broker,
    "ntcip": ntcip,
    "gbt20999 udp": gbt20999("udp"),
    "gbt20999 tcp": gbt20999("tcp"),
}
"""A new protocol adds one line, and gets the whole suite."""


@contextmanager
def street(
    name: str,
    junctions: Sequence[Junction] | None = None,
    settings: BridgeSettings = DEFAULT_SETTINGS,
    backup_ms: int = BACKUP_MS,
) -> Iterator[tuple[Street, Bridge]]:
    """Two crossroads behind protocol ``name``; ``junctions``: what the model believes them to be."""
    config = StandInConfig(tick_ms=TICK_MS, backup_ms=backup_ms)
    stand_ins = [StandIn(junction, config) for junction in two_crossroads().junctions]
    made = Street(stand_ins)
    believed = [stand_in.junction for stand_in in stand_ins] if junctions is None else junctions
    with FACTORIES[name](stand_ins, believed, lambda: made.now_ms, settings) as (front, bridge):
        made.front = front
        yield made, bridge


def order_for(bridge: Bridge, stage: int, green: int) -> Order:
    """A stage of a crossroads (stage s has group s), as the bridge says it best; ``green`` groups show."""
    if bridge.spoken[0] is Spoken.STAGE:
        return StageRequest(stage)
    wanted = 1 << stage
    return Masks(hold=wanted & green, force_off=green & ~wanted, omit=0b11 & ~wanted, call=wanted)

"""The engine's own loop over the wire and within the process: where both see the same, the lamps are the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from greensplit.bridges.base import Bridge
from greensplit.bridges.field import FieldStatus
from greensplit.bridges.gbt20999.bridge import GbtBridge
from greensplit.bridges.gbt20999.profile import Profile
from greensplit.bridges.port import FieldPort
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.bridges.standin.front import Front
from greensplit.bridges.standin.gbt20999 import GbtFront
from greensplit.bridges.virtual import VirtualBridge, VirtualFront
from greensplit.controllers.lookahead.policy import Config, Lookahead
from greensplit.engine.errors import BridgeError
from greensplit.engine.field_loop import FieldLoop
from greensplit.engine.model.site import Junction

from ..street import BACKUP_MS, TICK_MS, Street, two_crossroads

END_MS = 120_000
Made = tuple[Front, Bridge]


class WithoutPeriods(VirtualBridge):
    """Tells what GB/T 20999 can tell of detectors: who is occupied, when asked."""

    def poll_devices(
        self, devices: Sequence[int], now_ms: int
    ) -> Iterator[tuple[int, FieldStatus | BridgeError]]:
        for d, answer in super().poll_devices(devices, now_ms):
            yield d, replace(answer, periods=None) if isinstance(answer, FieldStatus) else answer


def within(stand_ins: Sequence[StandIn], junctions: Sequence[Junction], clock: Callable[[], int]) -> Made:
    front = VirtualFront(stand_ins, {}, clock)
    return front, WithoutPeriods(junctions, front.open())


def over_udp(stand_ins: Sequence[StandIn], junctions: Sequence[Junction], clock: Callable[[], int]) -> Made:
    front = GbtFront(stand_ins, {}, clock)
    return front, GbtBridge(junctions, front.open(), Profile())


def traffic() -> list[tuple[int, int, int]]:
    """(detector, time, state) of the first junction: somebody every few seconds, for half a second."""
    chance, rows = random.Random(6), []
    for detector in range(len(two_crossroads().junctions[0].detectors)):
        t_ms = 0
        while (t_ms := t_ms + chance.randrange(1500, 12_000)) < END_MS:
            rows += [(detector, t_ms, 1), (detector, t_ms + 600, 0)]
            t_ms += 600
    return sorted(rows, key=lambda row: row[1])


def lamps(make: Callable[[Sequence[StandIn], Sequence[Junction], Callable[[], int]], Made]) -> list[object]:
    """What both junctions show at every tick, under the engine's loop, with five looks at detectors a second."""
    site, rows, shown = two_crossroads(), traffic(), []
    config = StandInConfig(tick_ms=TICK_MS, backup_ms=BACKUP_MS)
    here = Street([StandIn(junction, config) for junction in site.junctions])
    here.front, bridge = make(here.stand_ins, site.junctions, lambda: here.now_ms)
    port = FieldPort(bridge, site)
    loop = FieldLoop(site, port, Lookahead(Config()))
    try:
        for now_ms in range(200, END_MS + 1, 200):
            here.until(now_ms, *(row for row in rows if now_ms - 200 < row[1] <= now_ms))
            if now_ms % 1000:
                port.sample(now_ms)
            else:
                loop.tick(now_ms, now_ms)
            shown.append([stand_in.status().aspects for stand_in in here.stand_ins])
        assert bridge.health(0).commands > 50
        assert not any(stand_in.monitor.log for stand_in in here.stand_ins)
    finally:
        bridge.close()
        here.front.close()
    return shown


def test_lamps_over_the_wire_are_those_within_the_process() -> None:
    """Two minutes of traffic: every lamp at every look; and they do change."""
    near, far = lamps(within), lamps(over_udp)
    assert far == near
    assert len({str(row) for row in near}) > 3

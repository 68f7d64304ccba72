"""The closed loop with a bridge in it: SUMO feeds stand-ins, the engine knows only what the bridge tells.

The two run in lockstep, so that the same run gives the same lamps whatever the protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Final, Protocol

from greensplit.bridges.base import Bridge, BridgeSettings, Spoken
from greensplit.bridges.port import FieldPort
from greensplit.bridges.registry import between, find_bridge
from greensplit.engine.errors import InputError
from greensplit.engine.field_loop import FieldLoop

from .pool_process import RemotePool
from .port import TICK_MS, LoopReader
from .prepare import Prepared
from .spec import utc_instant
from .stand_ins import LocalPool, Pool, PoolSpec, StandInHost
from .sumo import Simulator

__all__ = ["POLL_MS", "FieldDrive", "Host", "drive_over_bridge"]

POLL_MS: Final = 200
"""Between two polls of the detectors' active bits: 5 Hz, as field controllers bear it."""


class Host(Protocol):
    """Whoever has the stand-ins: in this process, or in another."""

    def take(self, now_ms: int) -> None:
        """The simulator has come to ``now_ms``."""
        ...

    def sense(self, now_ms: int) -> None:
        """Let the detectors see up to ``now_ms``."""
        ...

    def act(self, now_ms: int) -> None:
        """Advance the controllers and show their lamps."""
        ...


class FieldDrive:
    """One tick of the engine and of the stand-ins per step of the simulator.

    The stand-ins sense the last step bit by bit while the bridge polls; the engine reads, decides and writes; the
    stand-ins act; and a last look tells what their lamps show from now on.
    """

    def __init__(self, loop: FieldLoop, port: FieldPort, host: Host) -> None:
        self.loop = loop
        self._port = port
        self._host = host

    def tick(self, now_ms: int) -> bool:
        """Before the simulator's step from ``now_ms``."""
        self._host.take(now_ms)
        for poll_ms in range(now_ms - TICK_MS + POLL_MS, now_ms, POLL_MS):
            if poll_ms > 0:
                self._host.sense(poll_ms)
                self._port.sample(poll_ms)
        self._host.sense(now_ms)
        self.loop.tick(now_ms, now_ms)
        self._host.act(now_ms)
        self._port.look(now_ms)
        self.loop.see_lamps(now_ms)
        return True


@contextmanager
def drive_over_bridge(prepared: Prepared, simulator: Simulator, reader: LoopReader) -> Iterator[FieldDrive]:
    """Stand-ins behind the front of the protocol that the run names, and the engine at the other end of its bridge.

    Raises InputError for an unknown protocol, and for controllers that decide nothing or need perfect vision.
    """
    spec, site, entry = prepared.spec, prepared.site, prepared.entry
    if entry.make is None or prepared.vision != "detectors":
        raise InputError(
            f"bridge {spec.bridge}: expected a controller that decides from loops, found {entry.name}"
        )
    options: Mapping[str, str] = dict(spec.bridge_options)
    make_bridge = find_bridge(spec.bridge)
    epoch_s = int(utc_instant(spec.epoch).timestamp())
    with (
        between(spec.bridge, options) as (ours, theirs),
        closing(_new_pool(PoolSpec(site, spec.bridge, theirs, epoch_s))) as pool,
        closing(make_bridge(site.junctions, pool.addresses, ours, BridgeSettings())) as bridge,
    ):
        spoken = [Spoken(spec.spoken)] * len(site.junctions) if spec.spoken else []
        _must_speak(bridge, spoken)
        port = FieldPort(bridge, site, spoken)
        loop = FieldLoop(
            site, port, entry.make(prepared.profile, site), day_ms=prepared.scenario.begin_s * 1000
        )
        yield FieldDrive(loop, port, StandInHost(simulator, site, reader, pool))


def _new_pool(spec: PoolSpec) -> Pool:
    """In another process, unless there is no wire between the two."""
    return LocalPool(spec) if spec.protocol == "virtual" else RemotePool(spec)


def _must_speak(bridge: Bridge, spoken: Sequence[Spoken]) -> None:
    for way in spoken:
        if way not in bridge.spoken:
            raise InputError(f"spoken: expected {' or '.join(bridge.spoken)} over this bridge, found {way}")

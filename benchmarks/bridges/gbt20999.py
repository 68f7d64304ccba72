"""GB/T 20999-2017 over UDP on loopback: looks per second, their CPU, and the time from an order to the status with it.

A look is the bridge's own: run mode, plan, stage, eight lamps, detectors, the clock, and what the controller holds of
its orders, in two questions. The stand-ins run in a process of their own, so that the CPU measured is the host's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

import numpy as np

from greensplit.bridges.field import FieldCommand, FieldStatus, StageRequest
from greensplit.bridges.gbt20999.bridge import GbtBridge
from greensplit.bridges.gbt20999.profile import Profile
from greensplit.bridges.standin.controller import StandIn
from greensplit.bridges.standin.gbt20999 import GbtFront
from greensplit.engine.errors import WorkError
from greensplit.engine.model.site import Junction

from .junctions import eight_groups

__all__ = ["measure"]

CONTROLLERS = 50
ROUNDS = 20
COMMANDS = 300


def measure() -> dict[str, float]:
    """Of this machine, now. Raises WorkError where a controller does not answer."""
    junctions = [eight_groups(f"J{n}") for n in range(CONTROLLERS)]
    with _serving(junctions) as addresses:
        bridge = GbtBridge(junctions, addresses, Profile())
        try:
            return _measure(bridge)
        finally:
            bridge.close()


def _measure(bridge: GbtBridge) -> dict[str, float]:
    devices = range(len(bridge.junctions))
    for d in devices:
        bridge.open_device(d)
    _look(bridge, devices)
    began_s, cpu_s = time.perf_counter(), time.process_time()
    for _ in range(ROUNDS):
        _look(bridge, devices)
    wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    looks = ROUNDS * len(devices)
    latencies = [_command_ms(bridge, n % 4) for n in range(COMMANDS)]
    return {
        "gbt20999_polls_per_s": round(looks / wall_s),
        "gbt20999_cpu_ms_per_poll": round(1000 * cpu_s / looks, 3),
        "gbt20999_latency_ms_p50": round(float(np.percentile(latencies, 50)), 2),
        "gbt20999_latency_ms_p99": round(float(np.percentile(latencies, 99)), 2),
    }


def _look(bridge: GbtBridge, devices: Sequence[int]) -> list[FieldStatus]:
    found = []
    for d, answer in bridge.poll_devices(devices, 0):
        if not isinstance(answer, FieldStatus):
            raise WorkError(f"{bridge.junctions[d].id}: expected a status, found: {answer}")
        found.append(answer)
    return found


def _command_ms(bridge: GbtBridge, stage: int) -> float:
    """From the order to the first status whose controller holds it."""
    began_s = time.perf_counter()
    for _, answer in bridge.send_commands([(0, FieldCommand(0, 0, StageRequest(stage)))], 0):
        if answer is not None:
            raise WorkError(f"{bridge.junctions[0].id}: expected success, found: {answer}")
    while True:
        controls = _look(bridge, [0])[0].controls
        if controls is not None and controls.stage == stage:
            return 1000 * (time.perf_counter() - began_s)


@contextmanager
def _serving(junctions: Sequence[Junction]) -> Iterator[dict[str, str]]:
    """Stand-ins in another process; where they can be reached."""
    context = get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_serve, args=(far, junctions))
    process.start()
    try:
        yield near.recv()
    finally:
        near.send("stop")
        process.join()


def _serve(orders: Connection, junctions: Sequence[Junction]) -> None:
    began_s = time.monotonic()
    stand_ins = [StandIn(junction) for junction in junctions]
    front = GbtFront(stand_ins, {}, lambda: round(1000 * (time.monotonic() - began_s)))
    orders.send(front.open())
    orders.recv()
    front.close()

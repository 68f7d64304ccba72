"""Polls per second, CPU of 200 controllers at 1 Hz, and the time from an order to the status that holds it, over SNMP.

GET of ten varbinds with SNMPv1; the share also with v3 (SHA-256, AES-128). The agents
run in a process of their own, so that the CPU measured is the manager's.
"""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np

from greensplit.bridges.ntcip.manager import Device, Manager
from greensplit.bridges.ntcip.objects import Instance, instance
from greensplit.bridges.ntcip.snmp_library import SnmpLibrary
from greensplit.bridges.ntcip.transport import Community, Peer, User
from greensplit.engine.errors import BridgeError

__all__ = ["measure"]

CONTROLLERS = 200
SECONDS = 5
ROUNDS = 5
COMMANDS = 200
TEN = tuple(
    instance(f"phaseStatusGroup{name}", 1)
    for name in (
        *("Reds", "Yellows", "Greens", "DontWalks", "PedClears", "Walks"),
        *("VehCalls", "PedCalls", "PhaseOns", "PhaseNexts"),
    )
)
CALL = instance("phaseControlGroupVehCall", 1)
TIMEOUT_MS = 2000
V3 = User("operator", "password-one", "password-two")


def measure() -> dict[str, float | None]:
    """Of this machine, now."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bridges.ntcip_agents", str(CONTROLLERS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as agents:
        assert agents.stdout is not None
        ports = [int(port) for port in agents.stdout.readline().split()]
        transport = SnmpLibrary()
        manager = Manager(transport)
        try:
            plain = [Device(Peer("127.0.0.1", port, Community("administrator", "1"))) for port in ports]
            secret = [Device(Peer("127.0.0.1", port, V3)) for port in ports]
            found = _measure(manager, plain, secret)
        finally:
            transport.close()
            agents.communicate()
    return found


def _measure(manager: Manager, plain: list[Device], secret: list[Device]) -> dict[str, float | None]:
    _poll(manager, plain)
    _poll(manager, secret)
    started = time.perf_counter()
    for _ in range(ROUNDS):
        _poll(manager, plain)
    rate = ROUNDS * CONTROLLERS / (time.perf_counter() - started)
    latencies = [_command_ms(manager, plain[0], n % 2) for n in range(COMMANDS)]
    return {
        "ntcip_polls_per_s": round(rate),
        "ntcip_cpu_share_200": round(_share(manager, plain), 3),
        "ntcip_cpu_share_200_v3": round(_share(manager, secret), 3),
        "ntcip_latency_ms_p50": round(float(np.percentile(latencies, 50)), 2),
        "ntcip_latency_ms_p99": round(float(np.percentile(latencies, 99)), 2),
    }


def _share(manager: Manager, devices: list[Device]) -> float:
    """CPU time over wall time while all are polled once a second."""
    cpu_s, started_s = time.process_time(), time.perf_counter()
    for n in range(1, SECONDS + 1):
        _poll(manager, devices)
        time.sleep(max(0.0, started_s + n - time.perf_counter()))
    return (time.process_time() - cpu_s) / (time.perf_counter() - started_s)


def _poll(manager: Manager, devices: list[Device], whats: tuple[Instance, ...] = TEN) -> None:
    answers = manager.read({d: (device, whats) for d, device in enumerate(devices)}, TIMEOUT_MS)
    for answer in answers.values():
        if isinstance(answer, BridgeError):
            raise answer


def _command_ms(manager: Manager, device: Device, wanted: int) -> float:
    """From the SET of a call to the status that shows it held."""
    started = time.perf_counter()
    manager.write({0: (device, [(CALL, wanted)])}, TIMEOUT_MS)
    while True:
        answer = manager.read({0: (device, [CALL])}, TIMEOUT_MS)[0]
        if isinstance(answer, dict) and answer[CALL] == wanted:
            return 1000 * (time.perf_counter() - started)

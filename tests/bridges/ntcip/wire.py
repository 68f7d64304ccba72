"""Stand-ins behind the NTCIP front on loopback, a clock of ours, and net-snmp as somebody else's opinion."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from greensplit.bridges.ntcip.bridge import NtcipBridge, make
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.bridges.standin.ntcip import NtcipFront
from greensplit.engine.loop import DetectorEvents
from greensplit.engine.model.site import Detector, DetectorKind, Junction, Preempt

from ...engine.model.nema import random_junction
from ...engine.plans.streets import crossing

NOTHING = DetectorEvents(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.uint8), 0)
READER, WRITER = "public", "administrator"
V3 = {"user": "operator", "auth": "password-one", "priv": "password-two"}
ACCESS = {
    "v1": ("-v1", "-c", WRITER),
    "v2c": ("-v2c", "-c", WRITER),
    "v3": (
        *("-v3", "-l", "authPriv", "-u", V3["user"], "-a", "SHA-256", "-A", V3["auth"]),
        *("-x", "AES", "-X", V3["priv"]),
    ),
}
needs_net_snmp = pytest.mark.skipif(
    shutil.which("snmpget") is None and "CI" not in os.environ,
    reason="net-snmp's tools (apt: snmp) are not installed",
)


@dataclass
class Street:
    """Stand-ins that are advanced together, and their front."""

    stand_ins: Sequence[StandIn]
    now_ms: int = 0

    def open(self, options: Mapping[str, str]) -> Mapping[str, str]:
        self.front = NtcipFront(self.stand_ins, options, lambda: self.now_ms)
        self.addresses = self.front.open()
        return self.addresses

    def until(self, end_ms: int, step_ms: int = 100) -> None:
        while self.now_ms < end_ms:
            self.now_ms += step_ms
            with self.front.lock:
                for stand_in in self.stand_ins:
                    stand_in.sense(self.now_ms, NOTHING)
                    stand_in.advance(self.now_ms)


def junctions() -> list[Junction]:
    """Free stages with a preempt; eight phases with overlaps and walks."""
    plain, nema = crossing(1), random_junction(5)[0]
    loop = Detector("loop", 1, DetectorKind.STOP_BAR, "in", 1.0, 2.0, 1.0, (1,), ("in",))
    button = replace(loop, id="button", channel=2, kind=DetectorKind.PEDESTRIAN)
    return [
        replace(plain, id="free", preempts=(Preempt(1, dwell="S2", dwell_ms=5000),)),
        replace(nema, id="nema", device_id=2, detectors=(loop, button)),
    ]


@contextmanager
def street(options: Mapping[str, str] | None = None, backup_ms: int = 5000) -> Iterator[Street]:
    """Both junctions behind one front, at 10 s of their clock."""
    here = Street([StandIn(j, StandInConfig(backup_ms=backup_ms)) for j in junctions()])
    here.open(options or {})
    here.until(10_000, 500)
    try:
        yield here
    finally:
        here.front.close()


@contextmanager
def bridged(
    here: Street, options: Mapping[str, str] | None = None, addresses: Mapping[str, str] | None = None
) -> Iterator[NtcipBridge]:
    """A bridge to the street, over other addresses if a proxy stands between."""
    models = [stand_in.junction for stand_in in here.stand_ins]
    bridge = make(models, addresses or here.addresses, options or {})
    try:
        yield bridge
    finally:
        bridge.close()


def net_snmp(
    tool: str, access: Sequence[str], address: str, *words: str, tmp: Path
) -> subprocess.CompletedProcess[str]:
    """One of net-snmp's commands, without MIB files."""
    command = [tool, *access, "-On", "-Oe", "-OQ", "-r1", "-t2", address, *words]
    env = {**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(tmp)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env, check=False)

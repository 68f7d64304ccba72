"""The same run over every protocol: where the engine is told the same of its detectors, the lamps are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from greensplit.bridges.field import FieldStatus
from greensplit.bridges.virtual import VirtualBridge
from greensplit.engine.errors import BridgeError
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec
from greensplit.sim.stand_ins import StandInHost

from ..bridges.mqtt.broker import require_mosquitto

TELLS_NO_PERIODS = frozenset({"gbt20999"})
"""Protocols that tell who is occupied when asked, and no volume and occupancy of every second."""

Answers = Iterator[tuple[int, FieldStatus | BridgeError]]
Poll = Callable[[VirtualBridge, Sequence[int], int], Answers]
Lamps = list[tuple[int, tuple[str, ...]]]


def without_periods(poll: Poll) -> Poll:
    """The virtual bridge, degraded to what such a protocol tells."""

    def poll_devices(bridge: VirtualBridge, devices: Sequence[int], now_ms: int) -> Answers:
        for d, answer in poll(bridge, devices, now_ms):
            yield d, replace(answer, periods=None) if isinstance(answer, FieldStatus) else answer

    return poll_devices


def lamps_of(spec: RunSpec, *, periods: bool = True) -> Lamps:
    """What SUMO's lights were told to show, second by second."""
    shown: Lamps = []
    act = StandInHost.act

    def recorded(host: StandInHost, now_ms: int) -> None:
        act(host, now_ms)
        shown.append((now_ms, tuple(host._shown)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StandInHost, "act", recorded)
        if not periods:
            patch.setattr(VirtualBridge, "poll_devices", without_periods(VirtualBridge.poll_devices))
        run(spec)
    return shown


def compare(protocol: str, spoken: str, scenario: str, changes: int) -> None:
    """Five minutes of a scenario over the protocol and within the process; so many seconds change a lamp."""
    if protocol == "mqtt":
        require_mosquitto()
    spec = RunSpec(scenario, begin_s=25_200, end_s=25_500, spoken=spoken)
    near = lamps_of(replace(spec, bridge="virtual"), periods=protocol not in TELLS_NO_PERIODS)
    far = lamps_of(replace(spec, bridge=protocol))
    assert len(near) == len(far) == 300
    differing = [
        (t_ms, one, other) for (t_ms, one), (_, other) in zip(near, far, strict=True) if one != other
    ]
    assert not differing, differing[0]
    assert sum(one != other for (_, one), (_, other) in pairwise(near)) >= changes


@pytest.mark.parametrize(
    ("protocol", "spoken"), [("mqtt", "stage"), ("gbt20999", "stage"), ("ntcip", "masks")]
)
def test_lamps_over_the_wire_are_those_within_the_process(protocol: str, spoken: str) -> None:
    """One junction of Cologne."""
    compare(protocol, spoken, "cologne1", 20)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "spoken"), [("mqtt", "stage"), ("mqtt", "masks"), ("gbt20999", "stage")]
)
def test_lamps_of_eight_junctions_over_the_wire_are_those_within_the_process(
    protocol: str, spoken: str
) -> None:
    """Eight of them, behind one broker or eight sockets."""
    compare(protocol, spoken, "cologne8", 100)


def test_lamps_differ_where_detection_does() -> None:
    """What the comparison is worth: without periods the engine decides otherwise within five minutes."""
    spec = RunSpec("cologne1", begin_s=25_200, end_s=25_500, spoken="stage", bridge="virtual")
    assert lamps_of(spec) != lamps_of(spec, periods=False)

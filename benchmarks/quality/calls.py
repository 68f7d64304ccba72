"""What a run's event log says of calls: how long movements waited for green, and which loops are the busiest.

Read from detector and group events alone, by nothing that decides: a movement is called while a vehicle stands on
the stop-bar loop of one of its lanes and its group is not green. The call ends with the green, or with the vehicle
that drove on, be it with another group of a shared lane or to the right at red.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from greensplit.engine.events import BEGIN_GREEN, DETECTOR_OFF, DETECTOR_ON, GREEN_TERMINATION
from greensplit.engine.model.site import DetectorKind, GroupKind, Site

__all__ = ["WAIT_BOUND_S", "busiest_loops", "waiting_calls"]

WAIT_BOUND_S = 120
Place = tuple[int, int]
"""A device, and a channel or group of it."""


class _Calls:
    """Green groups, occupied loops, and since when each of the calls between them has been waiting, ms."""

    def __init__(self, site: Site) -> None:
        self.groups: dict[Place, list[Place]] = {}
        self.loops: dict[Place, list[Place]] = {}
        self.waited_ms: list[tuple[int, Place]] = []
        self._green: set[Place] = set()
        self._on: set[Place] = set()
        self._since_ms: dict[tuple[Place, Place], int] = {}
        for junction in site.junctions:
            vehicles = {g.number for g in junction.groups if g.kind is not GroupKind.PEDESTRIAN}
            for detector in junction.detectors:
                if detector.kind is DetectorKind.STOP_BAR:
                    loop = (junction.device_id, detector.channel)
                    for number in vehicles.intersection(detector.groups):
                        self.groups.setdefault(loop, []).append((junction.device_id, number))
                        self.loops.setdefault((junction.device_id, number), []).append(loop)

    def turn_on(self, loop: Place, now_ms: int) -> None:
        self._on.add(loop)
        for group in self.groups.get(loop, ()):
            self._start(loop, group, now_ms)

    def turn_off(self, loop: Place, now_ms: int) -> None:
        self._on.discard(loop)
        for group in self.groups.get(loop, ()):
            self._end(loop, group, now_ms)

    def begin_green(self, group: Place, now_ms: int) -> None:
        self._green.add(group)
        for loop in self.loops.get(group, ()):
            self._end(loop, group, now_ms)

    def end_green(self, group: Place, now_ms: int) -> None:
        self._green.discard(group)
        for loop in self.loops.get(group, ()):
            self._start(loop, group, now_ms)

    def end_all(self, now_ms: int) -> None:
        for loop, group in list(self._since_ms):
            self._end(loop, group, now_ms)

    def _start(self, loop: Place, group: Place, now_ms: int) -> None:
        if loop in self._on and group not in self._green:
            self._since_ms.setdefault((loop, group), now_ms)

    def _end(self, loop: Place, group: Place, now_ms: int) -> None:
        start_ms = self._since_ms.pop((loop, group), None)
        if start_ms is not None:
            self.waited_ms.append((now_ms - start_ms, group))


def waiting_calls(site: Site, events: npt.NDArray[np.void], end_ms: int) -> dict[str, Any]:
    """The longest wait of a call, s, where it was, and how many waited beyond WAIT_BOUND_S.

    ``events`` (n,) of ``EVENT_DTYPE`` are the whole log of a run that ended at ``end_ms``; calls still open then
    count up to it.
    """
    calls = _Calls(site)
    act = {
        DETECTOR_ON: calls.turn_on,
        DETECTOR_OFF: calls.turn_off,
        BEGIN_GREEN: calls.begin_green,
        GREEN_TERMINATION: calls.end_green,
    }
    wanted = events[np.isin(events["event"], list(act))]
    for t_ms, device, event, parameter in wanted[np.argsort(wanted["t_ms"], kind="stable")].tolist():
        act[event]((device, parameter), t_ms)
    calls.end_all(end_ms)
    longest_ms, (device, group) = max(calls.waited_ms, default=(0, (0, 0)))
    names = {junction.device_id: junction.id for junction in site.junctions}
    return {
        "longest_wait_s": longest_ms / 1000,
        "longest_wait_at": f"{names[device]} group {group}" if longest_ms else "",
        "waits_over_bound": sum(waited_ms > 1000 * WAIT_BOUND_S for waited_ms, _ in calls.waited_ms),
    }


def busiest_loops(site: Site, events: npt.NDArray[np.void], count: int) -> list[str]:
    """Ids of the ``count`` loops that switched on most often, the busiest first."""
    on = events[events["event"] == DETECTOR_ON]
    ids = {(j.device_id, d.channel): d.id for j in site.junctions for d in j.detectors}
    passed = Counter(
        ids[place] for place in zip(on["device"].tolist(), on["parameter"].tolist(), strict=True)
    )
    return sorted(passed, key=lambda name: (-passed[name], name))[:count]

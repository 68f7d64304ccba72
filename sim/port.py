"""SUMO as a bridge: loops in, lamps out. Two ports: one drives the lamps, one looks on while SUMO drives them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from greensplit.engine.loop import DetectorEvents
from greensplit.engine.model.aspects import CLEARANCE, LETTERS, RED, aspect_of_letter
from greensplit.engine.model.site import GroupKind, Junction, Site

from .sumo import Simulator

__all__ = ["LoopReader", "SumoPort", "WatchingPort", "state_string"]

TICK_MS = 1000
STEP_S = 1.0
VEHICLE_DATA = 0x17  # TraCI constant LAST_STEP_VEHICLE_DATA
VehicleData = Sequence[tuple[str, float, float, float, str]]


class LoopReader:
    """Turns SUMO's loop data into on and off times, ms since ``begin_s``.

    A loop is on while at least one vehicle covers it. A vehicle that changes lane onto or off the loop switches it
    within the step; one that does so with its rear already past the loop's upstream edge is not seen by SUMO, and
    so by nobody here. An exit that SUMO did not report ends with the step in which the loop was found empty.
    ``dead`` loops are never read: they stay off, as a cut loop does.
    """

    def __init__(
        self,
        simulator: Simulator,
        ids: Sequence[str],
        begin_s: float,
        *,
        subscribe: bool,
        dead: Collection[str] = (),
    ) -> None:
        self._ids = [name for name in ids if name not in dead]
        self._number = [d for d, name in enumerate(ids) if name not in dead]
        self._begin_s = begin_s
        self._occupied: set[int] = set()
        self._index: list[int] = []
        self._t_ms: list[int] = []
        self._state: list[int] = []
        loops = simulator.api.inductionloop
        self._quiet_s: Callable[[str], float] = _unwrapped(loops, "getTimeSinceDetection")
        self._data: Callable[[str], VehicleData] = _unwrapped(loops, "getVehicleData")
        self._results: Callable[[], dict[str, dict[int, VehicleData]]] = loops.getAllSubscriptionResults
        self._subscribed = subscribe
        if subscribe:
            for name in self._ids:
                loops.subscribe(name, [VEHICLE_DATA])

    def read(self, now_ms: int) -> DetectorEvents:
        """Changes of all loops within the step that ended at ``now_ms``."""
        self._index.clear()
        self._t_ms.clear()
        self._state.clear()
        if self._subscribed:
            self._read_results(now_ms)
        else:
            self._read_directly(now_ms)
        return DetectorEvents(
            np.array(self._index, np.int32),
            np.array(self._t_ms, np.int64),
            np.array(self._state, np.uint8),
            len(self._index),
        )

    def _read_directly(self, now_ms: int) -> None:
        data, ids, occupied = self._data, self._ids, self._occupied
        quiet_s = np.fromiter(map(self._quiet_s, ids), np.float64, len(ids))
        active = np.flatnonzero(quiet_s <= STEP_S).tolist()
        for d in active:
            found = data(ids[d])
            if len(found) == 1 and found[0][3] < 0.0:  # most of the time: one vehicle, and it stays
                if d not in occupied:
                    self._put(d, max(self._ms(found[0][2]), now_ms - TICK_MS), 1)
                    occupied.add(d)
            else:
                self._take(d, found, now_ms)
        for d in sorted(self._occupied.difference(active)):
            self._take(d, (), now_ms)

    def _read_results(self, now_ms: int) -> None:
        results = self._results()
        for d, name in enumerate(self._ids):
            found = results[name][VEHICLE_DATA] if name in results else ()
            if found or d in self._occupied:
                self._take(d, found, now_ms)

    def _take(self, d: int, data: VehicleData, now_ms: int) -> None:
        """Union of the vehicles' times on the loop within the step."""
        was_on = d in self._occupied
        start_ms = now_ms - TICK_MS
        free_ms = start_ms if was_on else None
        times = ((self._ms(row[2]), now_ms + 1 if row[3] < 0.0 else self._ms(row[3])) for row in data)
        # SUMO tells a vehicle that left exactly at the end of a step once more in the next
        spans = sorted(span for span in times if span[1] > start_ms)
        for entry_ms, exit_ms in spans:
            entry_ms = max(entry_ms, start_ms)
            if free_ms is None:
                self._put(d, entry_ms, 1)
            elif entry_ms > free_ms:
                self._put(d, free_ms, 0)
                self._put(d, entry_ms, 1)
            free_ms = exit_ms if free_ms is None else max(free_ms, exit_ms)
        if free_ms is not None and free_ms <= now_ms:
            self._put(d, free_ms if spans else now_ms, 0)
            free_ms = None
        if free_ms is None:
            self._occupied.discard(d)
        else:
            self._occupied.add(d)

    def _put(self, d: int, t_ms: int, state: int) -> None:
        self._index.append(self._number[d])
        self._t_ms.append(t_ms)
        self._state.append(state)

    def _ms(self, t_s: float) -> int:
        return round((t_s - self._begin_s) * 1000.0)


def _unwrapped(loops: Any, name: str) -> Any:
    """A call of SUMO's loops: in the library its compiled function, whose Python wrapper costs a third of the call."""
    compiled = getattr(sys.modules.get(getattr(loops, "__module__", "")), "_libsumo", None)
    return getattr(compiled, f"inductionloop_{name}", None) or getattr(loops, name)


def state_string(junction: Junction, aspect: npt.NDArray[np.uint8]) -> str:
    """SUMO's lamp letters for the (n,) aspects of one junction's groups."""
    letters = list(junction.idle_lamps)
    for group, shown in zip(junction.groups, aspect, strict=True):
        letter = "s" if group.turn_on_red and shown == RED else chr(LETTERS[shown])
        for lamp in group.lamps:
            letters[lamp] = letter
    return "".join(letters)


class SumoPort:
    """Drives SUMO's lamps. ``fall_back`` gives a junction back to the program that SUMO loaded for it."""

    drives_lamps = True

    def __init__(self, simulator: Simulator, site: Site, reader: LoopReader) -> None:
        self._site = site
        self._reader = reader
        self._lights = simulator.api.trafficlight
        self._set_state: Callable[[str, str], None] = self._lights.setRedYellowGreenState
        self._own = [self._lights.getProgram(junction.id) for junction in site.junctions]
        self._first = _first_groups(site)
        self._fallen: set[int] = set()

    def read(self, now_ms: int) -> DetectorEvents:
        """Detector events of the last step."""
        return self._reader.read(now_ms)

    def observe(self, aspect: npt.NDArray[np.uint8]) -> None:
        """Not needed: this port shows what it was told."""

    def write(self, aspect: npt.NDArray[np.uint8], changed: npt.NDArray[np.uint8]) -> None:
        """Show new states."""
        for j in np.flatnonzero(changed):
            if j not in self._fallen:
                junction = self._site.junctions[j]
                shown = aspect[self._first[j] : self._first[j] + len(junction.groups)]
                self._set_state(junction.id, state_string(junction, shown))

    def fall_back(self, junction: int) -> None:
        """Leave a junction, all red by now, to its own program, from the start of that program's cycle."""
        self._fallen.add(junction)
        self._lights.setProgram(self._site.junctions[junction].id, self._own[junction])
        self._lights.setPhase(self._site.junctions[junction].id, 0)


class WatchingPort:
    """Looks on while SUMO runs its own programs.

    SUMO tells a state after the step in which it was shown, so what ``observe`` fills in began one tick ago.
    """

    drives_lamps = False

    def __init__(self, simulator: Simulator, site: Site, reader: LoopReader) -> None:
        self._site = site
        self._reader = reader
        self._state: Callable[[str], str] = simulator.api.trafficlight.getRedYellowGreenState
        self._last = [""] * len(site.junctions)
        self._first = _first_groups(site)
        self._clearing: dict[int, int] = {}

    def read(self, now_ms: int) -> DetectorEvents:
        """Detector events of the last step."""
        return self._reader.read(now_ms)

    def observe(self, aspect: npt.NDArray[np.uint8]) -> None:
        """Fill in what is shown. SUMO has no pedestrian clearance: it is red there, and timed here."""
        for group in list(self._clearing):
            self._clearing[group] -= TICK_MS
            if self._clearing[group] <= 0:
                del self._clearing[group]
                aspect[group] = RED
        for j, junction in enumerate(self._site.junctions):
            state = self._state(junction.id)
            if state != self._last[j]:
                self._last[j] = state
                self._fill(junction, self._first[j], state, aspect)

    def _fill(self, junction: Junction, first: int, state: str, aspect: npt.NDArray[np.uint8]) -> None:
        for i, group in enumerate(junction.groups, start=first):
            shown = aspect_of_letter(state[group.lamps[0]])
            if group.kind is GroupKind.PEDESTRIAN and shown == RED and aspect[i] != RED:
                if i not in self._clearing:
                    self._clearing[i] = group.sequence.stop_ms
                shown = CLEARANCE
            elif shown != RED:
                self._clearing.pop(i, None)
            aspect[i] = shown

    def write(self, aspect: npt.NDArray[np.uint8], changed: npt.NDArray[np.uint8]) -> None:
        """Not needed: SUMO drives the lamps."""

    def fall_back(self, junction: int) -> None:
        """Not needed: SUMO's own program runs already."""


def _first_groups(site: Site) -> list[int]:
    first = [0]
    for junction in site.junctions:
        first.append(first[-1] + len(junction.groups))
    return first

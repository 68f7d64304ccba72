"""The same work in plain Python and in numpy, in the same run, and what the memory of this machine could do.

Compared is the signal part of the tick, which all three have: detectors, signal machine and interlock. They get the
same events and requests, and must show the same lamps.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.kernels.detectors import new_detectors, take_detections
from greensplit.engine.kernels.estimation.traffic import new_traffic
from greensplit.engine.kernels.estimation.travel import approach_lanes, compile_travel
from greensplit.engine.kernels.health.peers import compile_peers
from greensplit.engine.kernels.health.state import new_health
from greensplit.engine.kernels.interlock import check_lamps
from greensplit.engine.kernels.machine import advance_machine
from greensplit.engine.kernels.state import new_faults, new_lamps, new_machine
from greensplit.engine.loop import DetectorEvents, View
from greensplit.engine.model.aspects import ASPECT_NAMES
from greensplit.engine.model.compiled import compile_detection, compile_rules, compile_signals
from greensplit.engine.model.site import Site
from greensplit.engine.model.upstream import compile_links

from .city import TICK_MS, Rotation, Street, city
from .plain_numpy import NumpyTick
from .plain_python import PythonTick

__all__ = ["Kernels", "bandwidth_share", "ratios"]

JUNCTIONS = 10_000
FEW_JUNCTIONS = 50
TICKS = 60
WARM_UP = 20
COPIED_BYTES = 256_000_000
Rival = Callable[[DetectorEvents, npt.NDArray[np.int32], int], float]


class Kernels:
    """The signal part of the tick as the loop runs it."""

    def __init__(self, site: Site) -> None:
        """New state for every kernel."""
        self.signals, self.guard = compile_signals(site), compile_rules(site)
        self.detection = compile_detection(site)
        self.detectors = new_detectors(self.signals, self.detection)
        self.links = compile_links(site)
        travel = compile_travel(self.detection, self.links, approach_lanes(site))
        self.traffic = new_traffic(self.signals, self.detection, self.links, travel)
        self.health = new_health(compile_peers(site))
        self.machine, self.lamps = new_machine(self.signals), new_lamps(len(self.signals.min_green_ms))
        junctions = len(site.junctions)
        self.faults, self.released = new_faults(junctions), np.zeros(junctions, np.uint8)
        self.withheld, self.urgent = np.zeros(junctions, np.int64), np.zeros(junctions, np.uint8)
        self.out = np.empty(1 << 19, EVENT_DTYPE)

    def tick(self, events: DetectorEvents, request: npt.NDArray[np.int32], now_ms: int) -> None:
        """Detectors, machine, interlock."""
        take_detections(
            self.detectors, events.detector, events.t_ms, events.on, events.size, now_ms, self.out
        )
        advance_machine(self.signals, self.machine, request, self.withheld, self.urgent, now_ms)
        aspect = self.machine.lamps.aspect
        check_lamps(self.guard, self.lamps, self.faults, aspect, self.released, now_ms, False)


class Race(NamedTuple):
    """Median seconds per tick and junction."""

    kernels_s: float
    rival_s: float


def ratios() -> dict[str, float]:
    """How many times as long the others take as the kernels, per junction and tick."""
    numpy_race, python_race = against_numpy(JUNCTIONS, TICKS), against_python(FEW_JUNCTIONS, TICKS)
    return {
        "signal_part_us_per_junction": round(1e6 * numpy_race.kernels_s, 3),
        "oracle_ratio": round(python_race.rival_s / numpy_race.kernels_s, 1),
        "numpy_ratio": round(numpy_race.rival_s / numpy_race.kernels_s, 1),
    }


def against_numpy(junctions: int, ticks: int) -> Race:
    """Both in turn, tick by tick."""
    site = city(junctions)
    kernels = Kernels(site)
    rival = NumpyTick(kernels.signals, len(kernels.detection.channel))

    def same(events: DetectorEvents, request: npt.NDArray[np.int32], now_ms: int) -> float:
        started = perf_counter()
        rival.tick(events, request, now_ms)
        took_s = perf_counter() - started
        if not np.array_equal(rival.aspect.ravel(), kernels.lamps.aspect):
            raise SystemExit(f"numpy: expected the lamps of the kernels at {now_ms} ms, found others")
        return took_s

    return _race(kernels, same, junctions, ticks)


def against_python(junctions: int, ticks: int) -> Race:
    """Both in turn, tick by tick."""
    site = city(junctions)
    kernels, rival = Kernels(site), PythonTick(site)

    def same(events: DetectorEvents, request: npt.NDArray[np.int32], now_ms: int) -> float:
        started = perf_counter()
        shown = rival.tick(events, request, now_ms)
        took_s = perf_counter() - started
        if [name for names in shown for name in names] != [ASPECT_NAMES[a] for a in kernels.lamps.aspect]:
            raise SystemExit(f"plain Python: expected the lamps of the kernels at {now_ms} ms, found others")
        return took_s

    return _race(kernels, same, junctions, ticks)


def _race(kernels: Kernels, rival: Rival, junctions: int, ticks: int) -> Race:
    street = Street(junctions, len(kernels.detection.channel))
    rotation, log = Rotation(), DecisionLog()
    request, cause = np.full(junctions, -1, np.int32), np.zeros(junctions, np.uint8)
    ours_s, rival_s = [], []
    for k in range(WARM_UP + ticks):
        now_ms = TICK_MS * k
        street.load(now_ms)
        view = View(
            kernels.signals,
            kernels.detection,
            kernels.detectors,
            kernels.health,
            kernels.machine,
            kernels.traffic,
            kernels.links,
            now_ms,
        )
        request.fill(-1)
        rotation.decide(view, request, cause, log)
        started = perf_counter()
        kernels.tick(street.now, request, now_ms)
        ours_s.append(perf_counter() - started)
        rival_s.append(rival(street.now, request, now_ms))
    per_junction = 1.0 / junctions
    return Race(
        per_junction * float(np.median(ours_s[WARM_UP:])), per_junction * float(np.median(rival_s[WARM_UP:]))
    )


def bandwidth_share(bytes_per_s: float) -> float:
    """Share of what one core copies per second, read and written."""
    source = np.ones(COPIED_BYTES // 8)
    target = np.empty_like(source)
    best_s = np.inf
    for _ in range(5):
        started = perf_counter()
        np.copyto(target, source)
        best_s = min(best_s, perf_counter() - started)
    return round(bytes_per_s / (2 * COPIED_BYTES / best_s), 3)

"""What the estimation costs for a city: processor time per tick on one core, and bytes of state per lane.

The city is a chain of junctions with eight approach lanes each, stop-bar and advance loops on all, four exit loops;
four of the lanes are fed by two exits of the junction before. A tenth of the loops are entered every second.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from greensplit.engine.kernels.detectors import new_detectors
from greensplit.engine.kernels.estimation.arrivals import update_arrivals
from greensplit.engine.kernels.estimation.outflow import take_departures
from greensplit.engine.kernels.estimation.queues import update_queues
from greensplit.engine.kernels.estimation.spillback import update_spillback
from greensplit.engine.kernels.estimation.traffic import Traffic, new_traffic
from greensplit.engine.kernels.estimation.travel import Travel, compile_travel
from greensplit.engine.kernels.estimation.turning import learn_turns
from greensplit.engine.kernels.estimation.update import update_traffic
from greensplit.engine.kernels.state import new_lamps
from greensplit.engine.model.aspects import GREEN, RED
from greensplit.engine.model.compiled import Detection, Signals
from greensplit.engine.model.upstream import Links

__all__ = ["time_update"]

LANES, EXITS, FED, STAGES = 8, 4, 4, 4
LOOPS = 2 * LANES + EXITS
WARM_TICKS, TICKS = 40, 120
PARTS = ("queues", "arrivals", "all")


class _City:
    """The tables, and a state that random loops and lamps move on."""

    def __init__(self, junctions: int) -> None:
        self.signals = _signals(junctions)
        self.detection, self.links, self.travel = _approaches(junctions)
        self.detectors, self.lamps = new_detectors(self.signals, self.detection), new_lamps(junctions * LANES)
        self.traffic = new_traffic(self.signals, self.detection, self.links, self.travel)
        self.level = np.zeros(junctions * LOOPS, np.uint8)
        self.rate_per_s = np.zeros(junctions * LOOPS, np.float32)
        self.stage = np.zeros(junctions, np.int32)
        self._rng = np.random.default_rng(1)

    def move(self, now_ms: int) -> None:
        """A fifth of the loops change; greens of 20 s go round, each group on its own beat."""
        detectors, lamps = self.detectors, self.lamps
        chosen = np.flatnonzero(self._rng.random(len(detectors.on)) < 0.2)
        turned_on = chosen[detectors.on[chosen] == 0]
        detectors.off_ms[chosen] = now_ms - 200
        detectors.on[chosen] ^= 1
        detectors.on_ms[turned_on] = now_ms - 300
        detectors.actuations[turned_on] += 1
        beat = (now_ms // 1000 + np.arange(len(lamps.aspect)) * 7) % 80
        lamps.aspect[:] = np.where(beat < 20, GREEN, RED)
        lamps.green_ms[beat == 0] = now_ms
        lamps.end_ms[beat == 20] = now_ms

    def update(self, now_ms: int) -> None:
        """As the loop does it."""
        update_traffic(
            self.signals.group_ptr,
            self.detection,
            self.links,
            self.travel,
            self.detectors,
            self.lamps,
            self.stage,
            self.level,
            self.rate_per_s,
            self.traffic,
            now_ms,
        )

    def update_queues(self, now_ms: int) -> None:
        """The first part of it."""
        ptr, detection, traffic = self.signals.group_ptr, self.detection, self.traffic
        update_queues(
            ptr, detection, self.detectors, self.lamps, self.stage, self.level, traffic, 1000, now_ms
        )
        update_spillback(detection, self.detectors, self.level, traffic, 1000)

    def update_arrivals(self, now_ms: int) -> None:
        """The second part of it."""
        traffic, links, left_veh = self.traffic, self.links, self.traffic.left_veh
        take_departures(
            links, self.detectors, self.lamps, traffic.turning, self.level, left_veh, traffic.outflow, now_ms
        )
        learn_turns(links, self.lamps, left_veh, traffic.outflow.seen_veh, traffic.turning, now_ms)
        update_arrivals(
            self.detection,
            links,
            self.travel,
            self.detectors,
            self.level,
            self.rate_per_s,
            left_veh,
            traffic.outflow,
            traffic.arrivals,
            now_ms,
        )


def time_update(junctions: int = 10_000) -> dict[str, Any]:
    """Median and least ms of a tick and of its parts, bytes per lane, and microseconds of a tick of one junction."""
    city = _City(junctions)
    took_ms: dict[str, list[float]] = {name: [] for name in PARTS}
    for tick in range(TICKS):
        city.move(1000 * tick)
        calls = [city.update] if tick % 2 else [city.update_queues, city.update_arrivals]
        for name, call in zip(PARTS[2:] if tick % 2 else PARTS[:2], calls, strict=True):
            started = time.thread_time()
            call(1000 * tick)
            took_ms[name].append(1000.0 * (time.thread_time() - started))
        city.traffic.updated_ms[0] = 1000 * tick
    figures: dict[str, Any] = {"junctions": junctions}
    for name, each in took_ms.items():
        figures[f"{name}_ms"] = round(float(np.median(each[WARM_TICKS // 2 :])), 2)
        figures[f"{name}_least_ms"] = round(min(each[WARM_TICKS // 2 :]), 2)
    figures["state_bytes_per_lane"] = round(_bytes(city.traffic) / (junctions * LANES))
    figures["one_junction_us"] = _time_one()
    return figures


def _time_one(ticks: int = 5000) -> float:
    """Least mean of ten rounds."""
    city = _City(1)
    best_s = np.inf
    for k in range(10):
        started = time.thread_time()
        for tick in range(k * ticks, (k + 1) * ticks):
            city.update(100 * tick)
        best_s = min(best_s, (time.thread_time() - started) / ticks)
    return round(1e6 * best_s, 1)


def _bytes(traffic: Traffic) -> int:
    parts = (traffic.discharge, traffic.arrivals, traffic.outflow, traffic.turning)
    arrays = [value for value in traffic if isinstance(value, np.ndarray)]
    return sum(array.nbytes for array in [*arrays, *(array for part in parts for array in part)])


def _signals(junctions: int) -> Signals:
    """Only what the estimation reads."""
    fields: dict[str, Any] = dict.fromkeys(Signals._fields, np.zeros(0, np.uint8))
    fields |= {
        "group_ptr": LANES * np.arange(junctions + 1, dtype=np.int32),
        "stage_ptr": STAGES * np.arange(junctions + 1, dtype=np.int32),
        "device_id": np.arange(junctions, dtype=np.int32),
        "min_green_ms": np.full(junctions * LANES, 5000, np.int32),
    }
    return Signals(**fields)


def _approaches(junctions: int) -> tuple[Detection, Links, Travel]:
    """Tables as the compilers would make them."""
    lane = np.arange(junctions * LANES, dtype=np.int32)
    junction, within = lane // LANES, lane % LANES
    source = np.arange(junctions * EXITS, dtype=np.int32)
    detection = Detection(
        lane_ptr=np.arange(junctions + 1, dtype=np.int32) * LANES,
        detector_ptr=np.arange(junctions + 1, dtype=np.int32) * LOOPS,
        channel=np.zeros(junctions * LOOPS, np.uint16),
        kind=np.tile(np.repeat(np.arange(3, dtype=np.uint8), (LANES, LANES, EXITS)), junctions),
        stop_bar=(junction * LOOPS + within).astype(np.int32),
        advance=(junction * LOOPS + LANES + within).astype(np.int32),
        advance_share=np.ones(len(lane), np.float32),
        advance_m=np.full(len(lane), 80.0, np.float32),
        storage_m=np.full(len(lane), 300.0, np.float32),
        speed_mps=np.full(len(lane), 13.89, np.float32),
        lane_group_ptr=np.arange(len(lane) + 1, dtype=np.int32),
        lane_group=within.astype(np.int32),
        exit_ptr=np.zeros(len(lane) + 1, np.int32),
        exit_detector=np.zeros(0, np.int32),
        exit_group=np.zeros(0, np.int32),
    )
    way_source = np.stack([junction * EXITS + within % EXITS, junction * EXITS + (within + 1) % EXITS], 1)
    way_source = way_source.ravel().astype(np.int32)
    fed = lane[within < FED]
    before = (fed // LANES - 1) % junctions
    feed_source = np.stack([before * EXITS + fed % FED, before * EXITS + (fed + 1) % FED], 1)
    feed_source = feed_source.ravel().astype(np.int32)
    feeds = np.where(within < FED, 2, 0)
    links = Links(
        source_detector=(source // EXITS * LOOPS + 2 * LANES + source % EXITS).astype(np.int32),
        source_junction=source // EXITS,
        loop_source=np.arange(len(source), dtype=np.int32),
        way_ptr=np.arange(len(lane) + 1, dtype=np.int32) * 2,
        way_group=np.repeat(lane, 2),
        way_source=way_source,
        into_ptr=_ptr(np.bincount(way_source, minlength=len(source))),
        into_way=np.argsort(way_source, kind="stable").astype(np.int32),
        way_lane=np.repeat(lane, 2),
        feed_ptr=_ptr(feeds),
        feed_source=feed_source,
        feed_travel_ms=np.full(len(feed_source), 25_000, np.int32),
        source_ptr=_ptr(np.bincount(feed_source, minlength=len(source))),
        source_feed=np.argsort(feed_source, kind="stable").astype(np.int32),
    )
    approaches = [[first, first + 1] for first in range(0, len(lane), 2) for _ in range(2)]
    return detection, links, compile_travel(detection, links, approaches)


def _ptr(sizes: Any) -> Any:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)

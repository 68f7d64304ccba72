"""How long a tick of the arrival forecasts takes: ``python -m benchmarks.estimation.arrival_speed --json``.

A city: a chain of junctions with eight approach lanes each, stop-bar and advance loops on all, four exit loops; four
of the lanes are fed by two exits of the junction before. One lane in ten sees an arrival and lets a vehicle go every
second.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from typing import Any

import numpy as np

from greensplit.engine.kernel_cache import use_kernel_cache

__all__ = ["main", "measure"]

LANES, EXITS, FED = 8, 4, 4
LOOPS = 2 * LANES + EXITS
TICKS = 120
FLOW_PER_S = 0.1


def measure(junctions: int, seed: int = 0) -> dict[str, Any]:
    """Milliseconds of processor time a tick (median and least), and bytes of state a lane."""
    from greensplit.engine.kernels.estimation.arrivals import new_arrivals, update_arrivals
    from greensplit.engine.kernels.estimation.outflow import new_outflow, take_departures
    from greensplit.engine.kernels.estimation.turning import learn_turns, new_turning
    from greensplit.engine.kernels.state import new_detectors, new_lamps
    from greensplit.engine.model.aspects import GREEN

    detection, links, travel = _city(junctions)
    lanes = junctions * LANES
    detectors, lamps = new_detectors(detection), new_lamps(lanes)
    lamps.aspect[:] = GREEN
    turning, outflow = new_turning(links), new_outflow(links)
    arrivals = new_arrivals(detection, links, travel)
    level = np.zeros(len(detection.kind), np.uint8)
    rate_per_s = np.zeros(len(detection.kind), np.float32)
    rng = np.random.default_rng(seed)
    took_ms = []
    for tick in range(TICKS):
        now_ms = 1000 * tick
        left_veh = (rng.random(lanes) < FLOW_PER_S).astype(np.float32)
        hit = rng.random(len(detectors.on)) < FLOW_PER_S * np.where(detection.kind == 2, LANES / EXITS, 1.0)
        detectors.actuations[hit] += 1
        detectors.on_ms[hit] = now_ms - 500
        detectors.off_ms[hit] = now_ms - 100
        started = time.thread_time()
        take_departures(links, detectors, lamps, turning, level, left_veh, outflow, now_ms)
        learn_turns(links, lamps, left_veh, outflow.seen_veh, turning, now_ms)
        update_arrivals(
            detection, links, travel, detectors, level, rate_per_s, left_veh, outflow, arrivals, now_ms
        )
        took_ms.append(1000.0 * (time.thread_time() - started))
    warm = took_ms[TICKS // 2 :]
    state = [array for part in (turning, outflow, arrivals) for array in part]
    return {
        "junctions": junctions,
        "tick_ms": round(statistics.median(warm), 2),
        "least_tick_ms": round(min(warm), 2),
        "state_bytes_per_lane": round(sum(array.nbytes for array in state) / lanes),
    }


def _city(junctions: int) -> tuple[Any, Any, Any]:
    """Tables as the compilers would make them."""
    from greensplit.engine.kernels.estimation.travel import compile_travel
    from greensplit.engine.model.compiled import Detection
    from greensplit.engine.model.upstream import Links

    lane = np.arange(junctions * LANES, dtype=np.int32)
    junction, within = lane // LANES, lane % LANES
    source = np.arange(junctions * EXITS, dtype=np.int32)
    detection = Detection(
        lane_ptr=np.arange(junctions + 1, dtype=np.int32) * LANES,
        detector_ptr=np.arange(junctions + 1, dtype=np.int32) * LOOPS,
        channel=np.zeros(junctions * LOOPS, np.int32),
        kind=np.tile(np.repeat(np.arange(3, dtype=np.uint8), (LANES, LANES, EXITS)), junctions),
        detector_junction=np.repeat(np.arange(junctions, dtype=np.int32), LOOPS),
        stop_bar=(junction * LOOPS + within).astype(np.int32),
        advance=(junction * LOOPS + LANES + within).astype(np.int32),
        advance_share=np.ones(len(lane)),
        advance_m=np.full(len(lane), 80.0),
        storage_m=np.full(len(lane), 300.0),
        speed_mps=np.full(len(lane), 13.89),
        lane_group_ptr=np.arange(len(lane) + 1, dtype=np.int32),
        lane_group=within.astype(np.int32),
        exit_ptr=np.zeros(len(lane) + 1, np.int32),
        exit_detector=np.zeros(0, np.int32),
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
        way_ptr=np.arange(len(lane) + 1, dtype=np.int32) * 2,
        way_group=np.repeat(lane, 2),
        way_source=way_source,
        into_ptr=_ptr(np.bincount(way_source, minlength=len(source))),
        into_way=np.argsort(way_source, kind="stable").astype(np.int32),
        way_lane=np.repeat(lane, 2),
        feed_ptr=_ptr(feeds),
        feed_source=feed_source,
        feed_travel_ms=np.full(len(feed_source), 25_000, np.int32),
        feed_length_m=np.full(len(feed_source), 300.0, np.float32),
        source_ptr=_ptr(np.bincount(feed_source, minlength=len(source))),
        source_feed=np.argsort(feed_source, kind="stable").astype(np.int32),
    )
    approaches = [[first, first + 1] for first in range(0, len(lane), 2) for _ in range(2)]
    return detection, links, compile_travel(detection, links, approaches)


def _ptr(sizes: Any) -> Any:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)


def main() -> None:
    """Measure, and print one JSON object or a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--junctions", type=int, default=10_000)
    options = parser.parse_args()
    use_kernel_cache(os.environ)
    figures = measure(options.junctions)
    sys.stdout.write((json.dumps({"figures": figures}, indent=1) if options.json else str(figures)) + "\n")


if __name__ == "__main__":
    main()

"""What the estimation costs for a city: time per tick on one core, and bytes of state per lane."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from greensplit.engine.kernels.estimation.queues import update_queues
from greensplit.engine.kernels.estimation.spillback import update_spillback
from greensplit.engine.kernels.estimation.traffic import Traffic, new_traffic
from greensplit.engine.kernels.estimation.update import update_traffic
from greensplit.engine.kernels.state import Detectors, Lamps, new_detectors, new_lamps
from greensplit.engine.model.aspects import GREEN, RED
from greensplit.engine.model.compiled import Detection, Signals

__all__ = ["city", "time_update"]

LANES = 8
GROUPS = 4
STAGES = 4
TICKS = 60


def city(junctions: int) -> tuple[Signals, Detection]:
    """Tables of ``junctions`` crossroads: 8 lanes with a stop-bar and an advance loop each, 4 groups, 4 stages."""
    lanes, groups = junctions * LANES, junctions * GROUPS
    i32 = np.int32

    def ptr(step: int) -> Any:
        return step * np.arange(junctions + 1, dtype=i32)

    signals: dict[str, Any] = dict.fromkeys(Signals._fields, np.zeros(0, np.uint8))
    signals |= {
        "device_id": np.arange(junctions, dtype=i32),
        "group_ptr": ptr(GROUPS),
        "stage_ptr": ptr(STAGES),
        "min_green_ms": np.full(groups, 5000, i32),
        "revert_ms": 2000,
    }
    detection: dict[str, Any] = {
        "lane_ptr": ptr(LANES),
        "detector_ptr": ptr(2 * LANES),
        "channel": np.tile(np.arange(2 * LANES, dtype=i32), junctions),
        "kind": np.zeros(2 * lanes, np.uint8),
        "detector_junction": np.repeat(np.arange(junctions, dtype=i32), 2 * LANES),
        "stop_bar": 2 * np.arange(lanes, dtype=i32),
        "advance": 2 * np.arange(lanes, dtype=i32) + 1,
        "advance_share": np.ones(lanes),
        "advance_m": np.full(lanes, 80.0),
        "storage_m": np.full(lanes, 250.0),
        "speed_mps": np.full(lanes, 13.89),
        "lane_group_ptr": np.arange(lanes + 1, dtype=i32),
        "lane_group": np.tile(np.repeat(np.arange(GROUPS, dtype=i32), LANES // GROUPS), junctions),
        "exit_ptr": np.zeros(groups + 1, i32),
        "exit_detector": np.zeros(0, i32),
    }
    return Signals(**signals), Detection(**detection)


def time_update(junctions: int = 10_000) -> dict[str, Any]:
    """Best and median time of a tick, ms, and bytes per lane."""
    signals, detection = city(junctions)
    lanes = len(detection.stop_bar)
    detectors, lamps = new_detectors(detection), new_lamps(len(signals.min_green_ms))
    traffic = new_traffic(signals, detection)
    level = np.zeros(2 * lanes, np.uint8)
    rate_per_s = np.zeros(2 * lanes, np.float32)
    stage = np.zeros(junctions, np.int32)
    rng = np.random.default_rng(1)
    took_s: dict[str, list[float]] = {"update": [], "queues": []}
    for t in range(TICKS):
        now_ms = 1000 * t
        _move(rng, detectors, lamps, now_ms)
        started = time.perf_counter()
        update_traffic(signals, detection, detectors, lamps, stage, level, rate_per_s, traffic, now_ms)
        took_s["update"].append(time.perf_counter() - started)
        _move(rng, detectors, lamps, now_ms + 500)
        started = time.perf_counter()
        update_queues(signals, detection, detectors, lamps, stage, level, traffic, 500, now_ms + 500)
        update_spillback(signals, detection, detectors, level, traffic, 500)
        took_s["queues"].append(time.perf_counter() - started)
        traffic.updated_ms[0] = now_ms + 500
    return {
        "junctions": junctions,
        "update_best_ms": round(1e3 * min(took_s["update"][10:]), 2),
        "queues_best_ms": round(1e3 * min(took_s["queues"][10:]), 2),
        "queues_median_ms": round(1e3 * float(np.median(took_s["queues"][10:])), 2),
        "state_bytes_per_lane": round(_bytes(traffic) / lanes, 1),
    }


def _bytes(traffic: Traffic) -> int:
    arrays = [value for value in traffic if isinstance(value, np.ndarray)]
    return sum(array.nbytes for array in (*arrays, *traffic.discharge))


def _move(rng: np.random.Generator, detectors: Detectors, lamps: Lamps, now_ms: int) -> None:
    """A tenth of the loops change; greens of about 20 s go round, each group on its own beat."""
    chosen = rng.integers(0, len(detectors.on), len(detectors.on) // 10)
    turned_on = chosen[detectors.on[chosen] == 0]
    detectors.off_ms[chosen] = now_ms - 200
    detectors.on[chosen] ^= 1
    detectors.on_ms[turned_on] = now_ms - 300
    detectors.actuations[turned_on] += 1
    beat = (now_ms // 1000 + np.arange(len(lamps.aspect)) * 7) % 80
    lamps.aspect[:] = np.where(beat < 20, GREEN, RED)
    lamps.green_ms[beat == 0] = now_ms

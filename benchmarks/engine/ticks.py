"""The time of one tick: reading, detectors, estimation, signal machine, interlock, coding; not the decision."""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

import numpy as np

from greensplit.engine.loop import Loop

from .city import TICK_MS, Rotation, Street, city

__all__ = ["Timed", "new_loop", "time_ticks"]

WARM_UP = 40


class Timed(NamedTuple):
    """Seconds per tick."""

    mean_s: float
    p99_s: float


def new_loop(junctions: int) -> tuple[Loop, Street]:
    """The city under the rotating controller, warm: stages have begun to change."""
    site = city(junctions)
    street = Street(junctions, sum(len(junction.detectors) for junction in site.junctions))
    loop = Loop(site, street, Rotation())
    for k in range(WARM_UP):
        step(loop, street, k)
    return loop, street


def step(loop: Loop, street: Street, k: int) -> float:
    """One tick; the seconds that it took without the decision."""
    now_ms = TICK_MS * k
    street.load(now_ms)
    decided_s = loop.decide_s
    started = perf_counter()
    loop.tick(now_ms, now_ms)
    took_s = perf_counter() - started - (loop.decide_s - decided_s)
    loop.events.clear()
    return took_s


def time_ticks(junctions: int, ticks: int) -> Timed:
    """Mean, since not every tick has all the work, and 99th percentile."""
    loop, street = new_loop(junctions)
    took = np.array([step(loop, street, k) for k in range(WARM_UP, WARM_UP + ticks)])
    if loop.interlock_findings:
        raise SystemExit(f"expected no refusal, found {loop.refusals[0]}")
    return Timed(float(np.mean(took)), float(np.quantile(took, 0.99)))

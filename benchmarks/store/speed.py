"""How fast the store takes events, all the way to Parquet, and how long it keeps a daemon waiting."""

from __future__ import annotations

import resource
import time
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from greensplit.engine.events import DETECTOR_OFF, EVENT_DTYPE
from greensplit.engine.store.eventstore import EventStore, StoreSettings, read_events

from .victim import wall_ms

__all__ = ["flood", "paced", "reading"]

DEVICES = 1000
TICK_EVENTS = 20_000
POOL_TICKS = 50
PACED_EVENTS_PER_S = 200_000
LARGEST_UNSYNCED = 1_000_000


def flood(folder: Path, events: int) -> dict[str, Any]:
    """As fast as it takes them, with a sync each second or million events; over when all of it is Parquet."""
    store = EventStore.open(folder, StoreSettings(min_free_bytes=0), wall_ms)
    _pool()
    started = synced = time.perf_counter()
    for first in range(0, events, TICK_EVENTS):
        store.append(_tick(first))
        now = time.perf_counter()
        if now - synced >= 1.0 or store.lag().rows >= LARGEST_UNSYNCED:
            store.sync()
            synced = now
    store.sync()
    written_s = time.perf_counter() - started
    store.roll(wait_s=120.0)
    rolled_s = time.perf_counter() - started
    _check(store)
    store.close()
    return {
        "events": events,
        "events_per_s": round(events / rolled_s),
        "synced_events_per_s": round(events / written_s),
        "bytes_per_event": round(sum(file.stat().st_size for file in folder.rglob("*.parquet")) / events, 2),
        "roller_peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
    }


def paced(folder: Path, seconds: int) -> dict[str, Any]:
    """200,000 events per second in ticks of 100 ms, a sync each second, a roll each five: what a daemon waits for."""
    store = EventStore.open(folder, StoreSettings(min_free_bytes=0, segment_rows=1_000_000), wall_ms)
    appends, syncs = [], []
    started = time.perf_counter()
    for tick in range(10 * seconds):
        time.sleep(max(0.0, started + tick / 10 - time.perf_counter()))
        appends.append(_timed_ms(partial(store.append, _tick(tick * TICK_EVENTS))))
        if tick % 10 == 9:
            syncs.append(_timed_ms(store.sync))
    kept_up = PACED_EVENTS_PER_S * seconds / (time.perf_counter() - started)
    _check(store)
    store.close()
    return {
        "paced_events_per_s": round(kept_up),
        "append_worst_ms": round(max(appends), 2),
        "sync_median_ms": round(float(np.median(syncs)), 1),
        "sync_worst_ms": round(max(syncs), 1),
    }


def reading(folder: Path, scratch: Path) -> dict[str, Any]:
    """Time to read the store over that of the same events in one Parquet file; the better of three."""
    whole = scratch / "whole.parquet"
    read_events(folder).collect().sort("device_id", "timestamp").write_parquet(whole)
    own_ms = min(_timed_ms(lambda: read_events(folder).collect()) for _ in range(3))
    plain_ms = min(_timed_ms(lambda: pl.scan_parquet(whole).collect()) for _ in range(3))
    return {"read_over_parquet": round(own_ms / plain_ms, 2)}


@cache
def _pool() -> npt.NDArray[np.void]:
    """Events drawn once: any device, any of 64 channels, on or off, within a tick of 100 ms."""
    draw = np.random.default_rng(0)
    rows = np.empty(POOL_TICKS * TICK_EVENTS, EVENT_DTYPE)
    for name, below in (("t_ms", 100), ("device", DEVICES), ("event", 2), ("parameter", 64)):
        rows[name] = draw.integers(below, size=len(rows))
    rows["event"] += DETECTOR_OFF
    return rows


def _tick(first: int) -> npt.NDArray[np.void]:
    """Events of the tick that begins with event ``first``, now."""
    at = first % (POOL_TICKS * TICK_EVENTS)
    rows = _pool()[at : at + TICK_EVENTS].copy()
    rows["t_ms"] += wall_ms()
    return rows


def _timed_ms(work: Any) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _check(store: EventStore) -> None:
    if store.trouble or any(store.dropped):
        raise SystemExit(f"expected a store without trouble, found {store.trouble} and {store.dropped}")

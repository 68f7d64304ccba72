"""A writer to be killed: appends numbered events every 10 ms and syncs as a daemon does, until it dies.

``python -m greensplit.benchmarks.store.victim FOLDER LIFE``. Event number k of a life has device LIFE * 64 + k // 65536
and parameter k % 65536, so that each lost, doubled or damaged event is known.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from greensplit.engine.events import DETECTOR_ON, EVENT_DTYPE
from greensplit.engine.store.eventstore import EventStore, StoreSettings

EVENTS_PER_S = 20_000
SYNC_S = 0.8
DEVICES_PER_LIFE = 64
PARAMETERS = 1 << 16
SETTINGS = StoreSettings(segment_s=1.5, min_free_bytes=0)


def wall_ms() -> int:
    """UTC milliseconds."""
    return time.time_ns() // 1_000_000


def numbered(life: int, first: int, count: int, t_ms: int) -> npt.NDArray[np.void]:
    """``count`` events of a life from number ``first`` on, all at one time."""
    number = np.arange(first, first + count)
    rows = np.empty(count, EVENT_DTYPE)
    rows["t_ms"], rows["event"] = t_ms, DETECTOR_ON
    rows["device"] = life * DEVICES_PER_LIFE + number // PARAMETERS
    rows["parameter"] = number % PARAMETERS
    return rows


def live(folder: Path, life: int) -> None:
    """Write until killed; says when the first sync is done."""
    store = EventStore.open(folder, SETTINGS, wall_ms)
    started = synced = time.perf_counter()
    count, told = 0, False
    while True:
        now = time.perf_counter()
        due = int((now - started) * EVENTS_PER_S) - count
        store.append(numbered(life, count, due, wall_ms()))
        count += due
        if now - synced >= SYNC_S:
            store.sync()
            synced = now
            if not told:
                sys.stdout.write("writing\n")
                sys.stdout.flush()
                told = True
        time.sleep(0.01)


if __name__ == "__main__":
    live(Path(sys.argv[1]), int(sys.argv[2]))

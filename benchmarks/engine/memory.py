"""Memory of a city's loop: all that it holds, what one tick touches, what one tick allocates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from greensplit.engine.events import EventBuffer

from .ticks import WARM_UP, new_loop, step

__all__ = ["bytes_per_junction", "numpy_peak_bytes", "touched_bytes_per_junction"]

LINE_BYTES = 64
WATCHED_JUNCTIONS = 256
WATCHED_TICKS = 20  # one round of the assessments


def bytes_per_junction(junctions: int) -> int:
    """Bytes of every array that the loop holds, but for the events on their way out."""
    loop, _ = new_loop(junctions)
    owners = {id(owner): owner.nbytes for array in _arrays(vars(loop)) for owner in [_owner(array)]}
    return round(sum(owners.values()) / junctions)


def _owner(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _arrays(held: Any) -> Iterator[npt.NDArray[Any]]:
    """Arrays in attributes, tuples and lists, however deep."""
    if isinstance(held, np.ndarray):
        yield held
    elif isinstance(held, dict):
        for value in held.values():
            yield from _arrays(value)
    elif isinstance(held, tuple):
        for value in held:
            yield from _arrays(value)


def numpy_peak_bytes() -> int:
    """Most bytes that numpy allocated at once within a tick of a warm loop of 1,000 junctions."""
    loop, street = new_loop(1000)
    arrays = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
    peak = 0
    for k in range(WARM_UP, WARM_UP + 20):
        street.load(1000 * k)
        loop.controller = None
        tracemalloc.start()
        loop.tick(1000 * k, 1000 * k)
        snapshot = tracemalloc.take_snapshot().filter_traces([arrays])
        tracemalloc.stop()
        loop.events.clear()
        peak = max(peak, sum(trace.size for trace in snapshot.traces))
    return peak


def touched_bytes_per_junction() -> int:
    """Cache lines that a tick reads or writes, as bytes per junction; the mean over ticks.

    Counted where kernels are plain Python functions (NUMBA_DISABLE_JIT), by arrays that note every access.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.engine.memory"],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=500,
    )
    return round(float(json.loads(done.stdout)))


_lines: set[int] = set()


class Watched(np.ndarray[Any, Any]):
    """Notes the cache lines of every element that is read or written."""

    def __getitem__(self, key: Any) -> Any:
        _note(self, key)
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _note(self, key)
        super().__setitem__(key, value)


def _note(array: npt.NDArray[Any], key: Any) -> None:
    """A row that is only taken to be indexed again is a view, which notes for itself."""
    part = np.ndarray.__getitem__(array.view(np.ndarray), key)
    if isinstance(part, np.ndarray) and part.ndim and not isinstance(key, slice):
        return
    plain = array.view(np.ndarray)
    first = np.ndarray.__getitem__(plain, key if isinstance(key, slice) else _as_slice(key))
    start = first.__array_interface__["data"][0]
    last = start + max(first.nbytes, 1) - 1
    _lines.update(range(start // LINE_BYTES, last // LINE_BYTES + 1))


def _as_slice(key: Any) -> Any:
    """A key that gives a view of the one element instead of its value."""
    keys = key if isinstance(key, tuple) else (key,)
    return tuple(slice(int(k), int(k) + 1 or None) for k in keys)


def _watch(held: Any) -> Any:
    if isinstance(held, np.ndarray):
        return held.view(Watched)
    if isinstance(held, tuple) and hasattr(held, "_fields"):
        return type(held)(*(_watch(value) for value in held))
    return held


def _touched() -> float:
    loop, street = new_loop(WATCHED_JUNCTIONS)
    for name, held in list(vars(loop).items()):
        if not isinstance(held, EventBuffer):
            setattr(loop, name, _watch(held))
    counts = []
    for k in range(WARM_UP, WARM_UP + WATCHED_TICKS):
        _lines.clear()
        step(loop, street, k)
        counts.append(len(_lines))
    return LINE_BYTES * float(np.mean(counts)) / WATCHED_JUNCTIONS


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_touched()))

"""One call per tick: the junctions whose turn it is are assessed, a twentieth of the city each second."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..detectors import Detectors, occupied_until_ms
from ..jit import kernel
from .bins import take_bins
from .conservation import compare_counts
from .peers import Peers
from .state import BIN_MS, Health, Memory
from .substitution import substitute
from .verdict import judge_detectors

__all__ = ["assess_detectors"]


@kernel
def assess_detectors(
    peers: Peers,
    detectors: Detectors,
    health: Health,
    memory: Memory,
    upstream_rate_per_s: npt.NDArray[np.float32],
    now_ms: int,
    day_ms: int,
    out: npt.NDArray[np.void],
) -> int:
    """Assess the junctions that are due at ``now_ms``; rows written into ``out`` (a row per detector is enough).

    ``health`` and ``memory`` are modified in place. ``upstream_rate_per_s`` (D,) is the flow that upstream junctions
    send, NaN where unknown; ``day_ms`` the time since local midnight. The first call of a junction only starts its bin.
    """
    due = 0
    for j in range(len(memory.due_ms)):
        if now_ms < memory.due_ms[j]:
            continue
        memory.due_ms[j] += (now_ms - memory.due_ms[j]) // BIN_MS * BIN_MS + BIN_MS
        if memory.last_ms[j] < 0:
            _start(peers, detectors, memory, j, now_ms)
        elif now_ms > memory.last_ms[j]:
            memory.due[due] = j
            due += 1
    take_bins(peers, detectors, memory, due, now_ms, day_ms)
    compare_counts(peers, health, memory, due)
    written = judge_detectors(peers, detectors, health, memory, due, now_ms, out)
    substitute(peers, health, memory, due, upstream_rate_per_s)
    for i in range(due):
        memory.last_ms[memory.due[i]] = now_ms
    return written


@kernel
def _start(peers: Peers, detectors: Detectors, memory: Memory, j: int, now_ms: int) -> None:
    memory.last_ms[j] = now_ms
    memory.changed_ms[j] = now_ms
    for d in range(peers.detector_ptr[j], peers.detector_ptr[j + 1]):
        memory.seen[d] = detectors.actuations[d]
        memory.brief[d] = detectors.brief[d]
        memory.occupied_ms[d] = occupied_until_ms(detectors, d, now_ms)

"""Counts and occupancy of a bin, and the test that needs nobody else: chatter.

Its bounds are physical: no vehicle is shorter than ``BRIEF_MS``, no lane has a vehicle every 0.9 s.
"""

from __future__ import annotations

import math
from typing import Final

from ..detectors import U16_MASK, U32_MASK, Detectors, gained, occupied_until_ms
from ..jit import inlined, kernel
from .peers import Peers
from .state import QUARTERS, UNLEARNED, Memory

__all__ = ["take_bins"]

BLUR: Final = 1.0 / 4.5  # 90 s
RECENT: Final = 1.0 / 15.0  # 5 min
USUAL: Final = 1.0 / 90.0  # 30 min
LEAST_BRIEF: Final = 3
BRIEF_SHARE: Final = 0.3
LEAST_HEADWAY_S: Final = 0.9
QUEUE_GAP_MS: Final = 2500  # between vehicles that start from a queue
GOOD_BIN: Final = 0.34
SCORE_LIMIT: Final = 6.0
QUARTER_MS: Final = 900_000
LEAST_OBSERVED_S: Final = 600.0
PROFILE_MEMORY: Final = 0.3


@kernel
def take_bins(peers: Peers, detectors: Detectors, memory: Memory, due: int, now_ms: int, day_ms: int) -> None:
    """Close the bins of the first ``due`` junctions in ``memory.due``; ``day_ms`` is the time of day."""
    quarter = int(day_ms // QUARTER_MS % QUARTERS)
    for i in range(due):
        j = memory.due[i]
        span_ms = now_ms - memory.last_ms[j]
        is_new = memory.quarter[j] != quarter
        memory.bins[j] += 1
        first = 1.0 / memory.bins[j]
        for d in range(peers.detector_ptr[j], peers.detector_ptr[j + 1]):
            occupied_ms = occupied_until_ms(detectors, d, now_ms)
            count = detectors.actuations[d] - memory.seen[d]
            brief = gained(detectors.brief[d], memory.brief[d], U16_MASK)
            on_ms = gained(occupied_ms, memory.occupied_ms[d], U32_MASK)
            memory.seen[d] = detectors.actuations[d]
            memory.brief[d] = detectors.brief[d]
            memory.occupied_ms[d] = occupied_ms
            if is_new:
                _learn_quarter(memory, j, d)
            memory.quarter_veh[d] += count
            memory.counted[d] = count
            memory.blurred[d] += max(BLUR, first) * (count - memory.blurred[d])
            memory.recent[d] += max(RECENT, first) * (count - memory.recent[d])
            memory.usual[d] += max(USUAL, first) * (count - memory.usual[d])
            if count:
                memory.changed_ms[j] = now_ms
            chatters = brief >= LEAST_BRIEF and brief >= BRIEF_SHARE * count
            crowded = count * LEAST_HEADWAY_S * 1000.0 > span_ms
            memory.chatter[d] = _score(memory.chatter[d], chatters or crowded)
            off_ms = span_ms - on_ms
            memory.covered_bins[d] = _prolonged(memory.covered_bins[d], off_ms <= QUEUE_GAP_MS)
            memory.queue_bins[d] = _prolonged(memory.queue_bins[d], off_ms <= QUEUE_GAP_MS * (count + 1))
        if is_new:
            memory.quarter[j] = quarter
            memory.observed_s[j] = 0.0
        memory.observed_s[j] += span_ms / 1000.0


@inlined
def _prolonged(bins: int, goes_on: bool) -> int:
    return min(bins + 1, 255) if goes_on else 0


@inlined
def _score(score: float, is_bad: bool) -> float:
    return min(score + 1.0, SCORE_LIMIT) if is_bad else max(score - GOOD_BIN, 0.0)


@inlined
def _learn_quarter(memory: Memory, j: int, d: int) -> None:
    """The quarter of an hour that is over goes into the profile, if most of it was seen."""
    if memory.quarter[j] >= 0 and memory.observed_s[j] >= LEAST_OBSERVED_S:
        if memory.sound_bins[d] != 0:
            found = memory.quarter_veh[d] * 900.0 / memory.observed_s[j]
            code = int(memory.profile[d, memory.quarter[j]])
            if code != UNLEARNED:
                before = (code / 8.0) ** 2
                found = before + PROFILE_MEMORY * (found - before)
            memory.profile[d, memory.quarter[j]] = int(min(8.0 * math.sqrt(found) + 0.5, 254.0))
    memory.quarter_veh[d] = 0.0

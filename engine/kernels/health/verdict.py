"""The verdict: evidence to faults, with two thresholds each so that no verdict flaps; news go into the log."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from ...events import DETECTOR_ERRATIC, DETECTOR_FAULT, DETECTOR_RESTORED, DETECTOR_WATCHDOG
from ..detectors import Detectors
from ..jit import inlined, kernel
from .conservation import ESTABLISHED_VEH, WARM_VEH, explains
from .peers import Peers
from .state import (
    BIN_MS,
    CHATTER,
    SILENT,
    SOUND,
    STUCK_OFF,
    STUCK_ON,
    TOO_FEW,
    TOO_MANY,
    Health,
    Memory,
)

__all__ = ["judge_detectors"]

MISSED_VEH: Final = 10.0
QUEUE_BINS: Final = 18  # 6 min: so long may a queue stand on any loop, whatever its peers say
PRESENCE_MS: Final = 600_000  # no vehicle stands on one loop for longer
SCORE_BAD: Final = 3.0
SCORE_GOOD: Final = 1.0
EVIDENCE_BAD: Final = 3.0
EVIDENCE_SHARED: Final = 3.8  # which way vehicles turn varies
EVIDENCE_MANY: Final = 4.0
EVIDENCE_GOOD: Final = 2.0
MOVED: Final = 0.25  # logarithm of recent over usual counts, against the junction's
SILENT_VEH: Final = 30.0
SILENT_LEAST_MS: Final = 180_000
LOOPS_PER_VEHICLE: Final = 3.0
SILENT_MS: Final = 900_000
SOUND_BINS: Final = 3
WEIGHTY: Final = 0.3
LEAST_VEH: Final = 0.1
GROWTH_LIMIT: Final = 2.0  # one detector does not make a trend


@kernel
def judge_detectors(
    peers: Peers,
    detectors: Detectors,
    health: Health,
    memory: Memory,
    due: int,
    now_ms: int,
    out: npt.NDArray[np.void],
) -> int:
    """Judge the first ``due`` junctions in ``memory.due``; rows written into ``out``, at most one per detector."""
    written = 0
    for i in range(due):
        j = memory.due[i]
        first, last = peers.detector_ptr[j], peers.detector_ptr[j + 1]
        usual, sound_recent, sound_usual = 0.0, 0.0, 0.0
        for d in range(first, last):
            usual += memory.usual[d]
            if health.fault[d] == SOUND:
                least, most = memory.usual[d] / GROWTH_LIMIT, memory.usual[d] * GROWTH_LIMIT
                sound_recent += min(max(memory.recent[d], least), most)
                sound_usual += memory.usual[d]
        trend = math.log((sound_recent + LEAST_VEH) / (sound_usual + LEAST_VEH))
        silent_ms = now_ms - memory.changed_ms[j]
        silent_veh = usual * silent_ms / BIN_MS / LOOPS_PER_VEHICLE
        silent = silent_ms >= SILENT_MS or (silent_veh >= SILENT_VEH and silent_ms >= SILENT_LEAST_MS)
        for d in range(first, last):
            before = health.fault[d]
            found = SILENT if silent else _find(peers, detectors, health, memory, d, trend, now_ms)
            if found != SOUND:
                memory.sound_bins[d] = 0
                if before == SOUND or found == SILENT:
                    health.fault[d] = found
            elif not _is_doubtful(memory, d):
                memory.sound_bins[d] = min(memory.sound_bins[d] + 1, 255)
                if memory.sound_bins[d] >= SOUND_BINS:
                    health.fault[d] = SOUND
            if (before == SOUND) != (health.fault[d] == SOUND) and written < len(out):
                row = out[written]
                row["t_ms"] = now_ms
                row["device"] = detectors.device[d]
                row["event"] = _code(health.fault[d])
                row["parameter"] = detectors.channel[d]
                written += 1
    return written


@inlined
def _growth(memory: Memory, d: int) -> float:
    """Logarithm of recent over usual counts."""
    return math.log((memory.recent[d] + LEAST_VEH) / (memory.usual[d] + LEAST_VEH))


@inlined
def _code(fault: int) -> int:
    if fault == SOUND:
        return DETECTOR_RESTORED
    if fault == CHATTER:
        return DETECTOR_ERRATIC
    return DETECTOR_WATCHDOG if fault == SILENT else DETECTOR_FAULT


@inlined
def _find(
    peers: Peers, detectors: Detectors, health: Health, memory: Memory, d: int, trend: float, now_ms: int
) -> int:
    """The fault for which there is enough evidence now; ``trend`` is the junction's, as a logarithm."""
    if memory.chatter[d] >= SCORE_BAD:
        return CHATTER
    if _is_on_too_long(peers, detectors, memory, d, now_ms):
        return STUCK_ON
    established = memory.seen[d] >= ESTABLISHED_VEH
    same = _sees_the_same(peers, d)
    # One that is covered from its first bin on has nothing to be compared with, ever.
    is_compared = memory.compared[d] >= WARM_VEH or memory.covered_bins[d] >= QUEUE_BINS
    known = (established or same) and is_compared
    if known and memory.missed[d] >= MISSED_VEH and not 0 < memory.covered_bins[d] < QUEUE_BINS:
        return STUCK_ON if detectors.on[d] else STUCK_OFF
    if _is_peer_blamed(peers, health, memory, d):
        return SOUND
    moved = _growth(memory, d) - trend
    if memory.few[d] >= (EVIDENCE_BAD if same else EVIDENCE_SHARED) and moved <= -MOVED:
        return TOO_FEW
    if memory.many[d] >= EVIDENCE_MANY and moved >= MOVED:
        return TOO_MANY
    return SOUND


@inlined
def _is_on_too_long(peers: Peers, detectors: Detectors, memory: Memory, d: int, now_ms: int) -> bool:
    """Has it been on without a break for too long, though no peer shows a queue that moves?"""
    too_long = bool(detectors.on[d] and now_ms - detectors.on_ms[d] >= PRESENCE_MS)
    if too_long:
        for n in range(peers.peer_ptr[d], peers.peer_ptr[d + 1]):
            p = peers.peer[n]
            if now_ms - detectors.on_ms[p] < PRESENCE_MS and explains(memory, p, d):
                too_long = False
    return too_long


@inlined
def _sees_the_same(peers: Peers, d: int) -> bool:
    """Do all vehicles of its peers pass it?"""
    same = bool(peers.peer_ptr[d + 1] > peers.peer_ptr[d])
    for n in range(peers.peer_ptr[d], peers.peer_ptr[d + 1]):
        if peers.prior[n] < 1.0:
            same = False
    return same


@inlined
def _is_peer_blamed(peers: Peers, health: Health, memory: Memory, d: int) -> bool:
    """Is one of those with whom it disagrees at fault already?"""
    blamed = False
    for n in range(peers.peer_ptr[d], peers.peer_ptr[d + 1]):
        if memory.weight[n] >= WEIGHTY and health.fault[peers.peer[n]] != SOUND:
            blamed = True
    return blamed


@inlined
def _is_doubtful(memory: Memory, d: int) -> bool:
    """Too much evidence to call a faulty detector sound again."""
    return bool(
        memory.chatter[d] > SCORE_GOOD
        or memory.few[d] > EVIDENCE_GOOD
        or memory.many[d] > EVIDENCE_GOOD
        or memory.missed[d] > EVIDENCE_GOOD
    )

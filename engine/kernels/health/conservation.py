"""Conservation: a detector counts what its peers make us expect. Sequential tests on what is missing or too much.

The expected count is a weighted sum of the peers' counts; the weights are learned by a Kalman filter on blurred
counts with a diagonal covariance. Evidence is Page's cumulative sum of the likelihood ratio between the expected
Poisson rate and 0.65 (or 1.6) times it, divided by the dispersion that the pair showed so far.

A loop that a queue covers counts little while its peers count. What is missing meanwhile is carried over to the bin
in which it is free again, as after a red; after 80 s it is forgotten. Peers on which a
queue has stood for as long say nothing about a covered loop, nor it about them.
"""

from __future__ import annotations

import math
from typing import Final

from ..jit import inlined, kernel
from .peers import Peers
from .state import PRIOR_VARIANCE, SOUND, Health, Memory

__all__ = ["ESTABLISHED_VEH", "WARM_VEH", "compare_counts", "explains"]

FEW: Final = 0.65
LOG_FEW: Final = math.log(FEW)
MANY: Final = 1.6
LOG_MANY: Final = math.log(MANY)
EVIDENCE_LIMIT: Final = 4.2
KEPT: Final = 1.0 - 1.0 / 120.0  # of the evidence, in each bin
WARM_VEH: Final = 50.0
ESTABLISHED_VEH: Final = 30
DRIFT: Final = 2e-5
LEAST_NOISE_VEH: Final = 0.2
MAX_WEIGHT: Final = 1.5
BLOCK_BINS: Final = 15
BLOCKS: Final = 6
LEAST_BLOCK_VEH: Final = 3.0
SURPRISE_LIMIT: Final = 5.0
SUSPICIOUS: Final = 2.0
SOUND_WEIGHT: Final = 0.7
CARRIED_BINS: Final = 4
ODD_SCORE: Final = 1.0  # a bin that chatters proves nothing against others


@kernel
def compare_counts(peers: Peers, health: Health, memory: Memory, due: int) -> None:
    """Compare the closed bins of the first ``due`` junctions in ``memory.due``; ``memory`` is modified in place."""
    for i in range(due):
        j = memory.due[i]
        for d in range(peers.detector_ptr[j], peers.detector_ptr[j + 1]):
            all_weight, sound_weight, expected, blurred, spread = 0.0, 0.0, 0.0, 0.0, 0.0
            covered = memory.covered_bins[d] > 0
            for n in range(peers.peer_ptr[d], peers.peer_ptr[d + 1]):
                p, weight = peers.peer[n], memory.weight[n]
                all_weight += weight
                is_trusted = health.fault[p] == SOUND and memory.chatter[p] < ODD_SCORE
                if is_trusted and not explains(memory, d, p):
                    sound_weight += weight
                    if not explains(memory, p, d):
                        expected += weight * memory.counted[p]
                    blurred += weight * memory.blurred[p]
                spread += memory.variance[n] * memory.blurred[p] ** 2
            if sound_weight > 0.0 and sound_weight >= SOUND_WEIGHT * all_weight:
                expected *= all_weight / sound_weight
                if covered:
                    _carry(memory, d, expected)
                else:
                    _weigh(memory, d, expected)
                doubtful = memory.seen[d] >= ESTABLISHED_VEH and memory.missed[d] >= SUSPICIOUS
                doubtful = doubtful or memory.covered_bins[d] > CARRIED_BINS
                if memory.seen[d] and sound_weight == all_weight and not doubtful:
                    _learn(peers, memory, d, blurred, spread)
            else:
                _fade(memory, d)


@inlined
def explains(memory: Memory, p: int, d: int) -> bool:
    """Is ``d`` covered, and has a queue stood on ``p`` for as long?"""
    return bool(0 < memory.covered_bins[d] <= memory.queue_bins[p])


@inlined
def _fade(memory: Memory, d: int) -> None:
    memory.few[d] *= KEPT
    memory.many[d] *= KEPT


@inlined
def _carry(memory: Memory, d: int, expected: float) -> None:
    """A bin in which the detector could hardly count."""
    _fade(memory, d)
    _miss(memory, d, expected)
    waiting = memory.carried[d] + expected - memory.counted[d]
    memory.carried[d] = waiting if memory.covered_bins[d] <= CARRIED_BINS else 0.0


@inlined
def _miss(memory: Memory, d: int, expected: float) -> None:
    memory.missed[d] = 0.0 if memory.counted[d] > 0.0 else memory.missed[d] + expected / memory.dispersion[d]


@inlined
def _learn(peers: Peers, memory: Memory, d: int, blurred: float, spread: float) -> None:
    noise = max(blurred, LEAST_NOISE_VEH)
    error = memory.blurred[d] - blurred
    for n in range(peers.peer_ptr[d], peers.peer_ptr[d + 1]):
        seen = memory.blurred[peers.peer[n]]
        gain = memory.variance[n] * seen / (spread + noise)
        memory.weight[n] = min(max(memory.weight[n] + gain * error, 0.0), MAX_WEIGHT)
        memory.variance[n] = min(memory.variance[n] * (1.0 - gain * seen) + DRIFT, PRIOR_VARIANCE)


@inlined
def _weigh(memory: Memory, d: int, expected: float) -> None:
    """Add the count to the evidence, and the five minutes to the dispersion."""
    count = memory.counted[d]
    dispersion = memory.dispersion[d]
    _miss(memory, d, expected)
    expected += memory.carried[d]
    memory.carried[d] = 0.0
    if memory.compared[d] >= WARM_VEH:
        few = KEPT * memory.few[d] + (count * LOG_FEW + (1.0 - FEW) * expected) / dispersion
        many = KEPT * memory.many[d] + (count * LOG_MANY - (MANY - 1.0) * expected) / dispersion
        memory.few[d] = min(max(few, 0.0), EVIDENCE_LIMIT)
        memory.many[d] = min(max(many, 0.0), EVIDENCE_LIMIT)
    memory.compared[d] += expected
    memory.block_own[d] += count
    memory.block_expected[d] += expected
    memory.block_bins[d] += 1
    if memory.block_bins[d] == BLOCK_BINS:
        if memory.compared[d] >= WARM_VEH:
            least = max(memory.block_expected[d], LEAST_BLOCK_VEH)
            surprise = min((memory.block_own[d] - memory.block_expected[d]) ** 2 / least, SURPRISE_LIMIT)
            memory.blocks[d] = min(memory.blocks[d] + 1, BLOCKS)
            memory.dispersion[d] = max(dispersion + (surprise - dispersion) / (memory.blocks[d] + 2), 1.0)
        memory.block_own[d] = 0.0
        memory.block_expected[d] = 0.0
        memory.block_bins[d] = 0

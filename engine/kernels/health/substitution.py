"""The ladder: where the expected vehicles of a detector come from when its own counts cannot be trusted."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..jit import inlined, kernel
from .peers import Peers
from .state import (
    BIN_MS,
    NEIGHBOURS,
    OWN,
    RECALL,
    SOUND,
    TIME_OF_DAY,
    UNLEARNED,
    UPSTREAM,
    Health,
    Memory,
)

__all__ = ["substitute"]

BIN_S: Final = BIN_MS / 1000.0
LEAST_USUAL: Final = 0.1
SOUND_WEIGHT: Final = 0.5
UNHEARD_VEH: Final = 15


@kernel
def substitute(
    peers: Peers,
    health: Health,
    memory: Memory,
    due: int,
    upstream_rate_per_s: npt.NDArray[np.float32],
) -> None:
    """Fill ``health.level`` and ``health.rate_per_s`` of the first ``due`` junctions in ``memory.due``.

    A detector that was never actuated is not taken at its word, though nothing speaks against it, once those of its
    junction have counted UNHEARD_VEH on average.
    """
    for i in range(due):
        j = memory.due[i]
        first, last = peers.detector_ptr[j], peers.detector_ptr[j + 1]
        seen = 0
        for d in range(first, last):
            seen += memory.seen[d]
        is_early = seen < UNHEARD_VEH * (last - first)
        for d in range(first, last):
            if _can_be_trusted(health, memory, d) or (is_early and health.fault[d] == SOUND):
                health.level[d] = OWN
                health.rate_per_s[d] = memory.recent[d] / BIN_S
                continue
            found = _from_peers(peers, health, memory, d)
            if np.isnan(found) and memory.seen[d] != 0:
                found = _from_neighbours(peers, health, memory, d)
            level = NEIGHBOURS
            if np.isnan(found):
                found, level = upstream_rate_per_s[d], UPSTREAM
            if np.isnan(found):
                found, level = _from_profile(memory, j, d), TIME_OF_DAY
            health.level[d] = RECALL if np.isnan(found) else level
            health.rate_per_s[d] = found


@inlined
def _can_be_trusted(health: Health, memory: Memory, d: int) -> bool:
    return bool(health.fault[d] == SOUND and memory.seen[d] != 0)


@inlined
def _from_peers(peers: Peers, health: Health, memory: Memory, d: int) -> float:
    """Recent counts of those who see the same vehicles, by the learned weights."""
    all_weight, sound_weight, total = 0.0, 0.0, 0.0
    for n in range(peers.peer_ptr[d], peers.peer_ptr[d + 1]):
        p, weight = peers.peer[n], memory.weight[n]
        all_weight += weight
        if _can_be_trusted(health, memory, p):
            sound_weight += weight
            total += weight * memory.recent[p]
    if sound_weight <= 0.0 or sound_weight < SOUND_WEIGHT * all_weight:
        return np.nan
    return float(total * all_weight / sound_weight / BIN_S)


@inlined
def _from_neighbours(peers: Peers, health: Health, memory: Memory, d: int) -> float:
    """Own usual count, in proportion to what its sound neighbours count now against their usual."""
    recent, usual = 0.0, 0.0
    for n in range(peers.neighbour_ptr[d], peers.neighbour_ptr[d + 1]):
        p = peers.neighbour[n]
        if _can_be_trusted(health, memory, p):
            recent += memory.recent[p]
            usual += memory.usual[p]
    if usual < LEAST_USUAL:
        return np.nan
    return float(memory.usual[d] * recent / usual / BIN_S)


@inlined
def _from_profile(memory: Memory, j: int, d: int) -> float:
    code = int(memory.profile[d, max(memory.quarter[j], 0)])
    if code == UNLEARNED:
        return np.nan
    return float((code / 8.0) ** 2 / 900.0)

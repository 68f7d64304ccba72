"""State of the detector health: results that others read, and what the tests remember."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from .peers import Peers

__all__ = [
    "BIN_MS",
    "FAULT_NAMES",
    "LEVEL_NAMES",
    "QUARTERS",
    "UNLEARNED",
    "Health",
    "Memory",
    "new_health",
    "new_memory",
]

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]

BIN_MS: Final = 20_000
QUARTERS: Final = 96
UNLEARNED: Final = 255
PRIOR_VARIANCE: Final = 0.25
JUNCTIONS_PER_TURN: Final = 500
PRIOR_DISPERSION: Final = 2.0

SOUND, STUCK_ON, STUCK_OFF, CHATTER, TOO_FEW, TOO_MANY, SILENT = range(7)
FAULT_NAMES: Final = (
    "none",
    "stuck on",
    "stuck off",
    "chatter",
    "counts too few",
    "counts too many",
    "whole junction silent",
)

OWN, NEIGHBOURS, UPSTREAM, TIME_OF_DAY, RECALL = range(5)
LEVEL_NAMES: Final = ("own", "neighbours", "upstream outflow", "same time of day", "recall")


class Health(NamedTuple):
    """What others read, per detector."""

    fault: U8  # (D,) position in FAULT_NAMES
    level: U8  # (D,) position in LEVEL_NAMES: where ``rate_per_s`` comes from
    rate_per_s: F32  # (D,) expected vehicles; NaN at the level recall


class Memory(NamedTuple):
    """What the tests remember; counts are vehicles per bin of 20 s."""

    due_ms: I64  # (J,) next assessment
    last_ms: I64  # (J,) last assessment
    changed_ms: I64  # (J,) last time that any detector of the junction was actuated
    quarter: I32  # (J,) quarter of an hour of the day that is being learned, -1 none
    observed_s: F32  # (J,) how much of it was seen
    due: I32  # (J,) junctions of this tick
    bins: I64  # (J,) closed so far
    seen: I32  # (D,) actuations so far
    occupied_ms: npt.NDArray[np.uint32]  # (D,) so far, as in ``Detectors``
    brief: npt.NDArray[np.uint16]  # (D,) brief actuations so far
    counted: F32  # (D,) actuations in the last bin
    blurred: F32  # (D,) counts over the last minutes: hides the travel time between loops
    recent: F32  # (D,) counts over five minutes
    usual: F32  # (D,) counts over half an hour
    quarter_veh: F32  # (D,) vehicles in the quarter of an hour so far
    profile: U8  # (D, 96) 8 times the root of vehicles in each quarter of the day; UNLEARNED
    queue_bins: (
        U8  # (D,) bins under a queue until now, hardly off but for the gaps between vehicles, up to 255
    )
    covered_bins: U8  # (D,) bins hardly off at all until now, up to 255
    chatter: F32  # (D,) score
    weight: F32  # (N,) learned weights of peers
    variance: F32  # (N,) of the weights
    compared: F32  # (D,) expected vehicles so far: how much has been learned
    dispersion: F32  # (D,) variance over Poisson's of counts in five minutes
    block_own: F32  # (D,) vehicles in the present five minutes
    block_expected: F32  # (D,)
    block_bins: U8  # (D,)
    blocks: U8  # (D,) up to 6
    few: F32  # (D,) evidence that it counts too few
    many: F32  # (D,) evidence that it counts too many
    missed: F32  # (D,) expected vehicles since its last actuation
    carried: F32  # (D,) expected less counted vehicles, while it is covered
    sound_bins: U8  # (D,) bins without evidence since the fault


def new_health(peers: Peers) -> Health:
    """All sound, nothing known: no vehicles expected yet."""
    n = len(peers.peer_ptr) - 1
    return Health(np.zeros(n, np.uint8), np.zeros(n, np.uint8), np.zeros(n, np.float32))


def new_memory(peers: Peers) -> Memory:
    """Nothing seen. Junctions take turns over the bin, so many in a second that a city of 10,000 comes round."""
    junctions, n, pairs = len(peers.detector_ptr) - 1, len(peers.peer_ptr) - 1, len(peers.peer)
    return Memory(
        due_ms=np.arange(junctions, dtype=np.int64) // JUNCTIONS_PER_TURN * 1000 % BIN_MS,
        last_ms=np.full(junctions, -1, np.int64),
        changed_ms=np.zeros(junctions, np.int64),
        quarter=np.full(junctions, -1, np.int32),
        observed_s=_zeros(junctions),
        due=np.zeros(junctions, np.int32),
        bins=np.zeros(junctions, np.int64),
        seen=np.zeros(n, np.int32),
        occupied_ms=np.zeros(n, np.uint32),
        brief=np.zeros(n, np.uint16),
        counted=_zeros(n),
        blurred=_zeros(n),
        recent=_zeros(n),
        usual=_zeros(n),
        quarter_veh=_zeros(n),
        profile=np.full((n, QUARTERS), UNLEARNED, np.uint8),
        queue_bins=np.zeros(n, np.uint8),
        covered_bins=np.zeros(n, np.uint8),
        chatter=_zeros(n),
        weight=peers.prior.copy(),
        variance=np.full(pairs, PRIOR_VARIANCE, np.float32),
        compared=_zeros(n),
        dispersion=np.full(n, PRIOR_DISPERSION, np.float32),
        block_own=_zeros(n),
        block_expected=_zeros(n),
        block_bins=np.zeros(n, np.uint8),
        blocks=np.zeros(n, np.uint8),
        few=_zeros(n),
        many=_zeros(n),
        missed=_zeros(n),
        carried=_zeros(n),
        sound_bins=np.zeros(n, np.uint8),
    )


def _zeros(size: int) -> F32:
    return np.zeros(size, np.float32)

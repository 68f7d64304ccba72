"""Intervals over bins: how much of each bin they cover."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import scan

__all__ = ["cover_bins", "number_cycles"]

BEGIN_GREEN = 1


@scan
def cover_bins(
    begin_ms: npt.NDArray[np.int64],
    end_ms: npt.NDArray[np.int64],
    first_bin: npt.NDArray[np.int64],
    slot: npt.NDArray[np.int64],
    edges: npt.NDArray[np.int64],
    out: npt.NDArray[np.int64],
) -> None:
    """Add to ``out`` (n_bins, n_slots) the milliseconds that each interval has in each bin from its first on."""
    for i in range(begin_ms.shape[0]):
        b = first_bin[i]
        while b < out.shape[0] and edges[b] < end_ms[i]:
            out[b, slot[i]] += min(end_ms[i], edges[b + 1]) - max(begin_ms[i], edges[b])
            b += 1


@scan
def number_cycles(
    event: npt.NDArray[np.int32],
    phase: npt.NDArray[np.int32],
    greens: npt.NDArray[np.int64],
    out: npt.NDArray[np.int64],
) -> None:
    """Write the number of greens of its phase up to and with each event; ``greens`` (n_phases,) begins at 0."""
    for i in range(event.shape[0]):
        if event[i] == BEGIN_GREEN:
            greens[phase[i]] += 1
        out[i] = greens[phase[i]]

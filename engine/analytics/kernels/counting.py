"""Counts per bin: events of a kind by bin and by number (phase or channel)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import scan

__all__ = ["count_by_number", "count_in_bins"]


@scan
def count_in_bins(
    t_ms: npt.NDArray[np.int64],
    code: npt.NDArray[np.int32],
    largest_code: int,
    edges: npt.NDArray[np.int64],
    out: npt.NDArray[np.int64],
) -> None:
    """Add to ``out`` (n_bins,) the events of codes up to ``largest_code``; ``edges`` (n_bins + 1,) rise."""
    b = 0
    for i in range(t_ms.shape[0]):
        if code[i] <= largest_code:
            while t_ms[i] >= edges[b + 1]:
                b += 1
            out[b] += 1


@scan
def count_by_number(
    t_ms: npt.NDArray[np.int64],
    slot: npt.NDArray[np.int64],
    edges: npt.NDArray[np.int64],
    out: npt.NDArray[np.int64],
) -> None:
    """Add each event to ``out`` (n_bins, n_slots) at its bin and ``slot``."""
    b = 0
    for i in range(t_ms.shape[0]):
        while t_ms[i] >= edges[b + 1]:
            b += 1
        out[b, slot[i]] += 1

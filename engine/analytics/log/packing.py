"""Sorts the events of one device and drops what is there twice; cheap where that is done already."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..kernels.order import is_ordered, keep_distinct

__all__ = ["CODE_BITS", "PARAMETER_BITS", "ordered"]

PARAMETER_BITS = 15
CODE_BITS = 30
TIME_BITS = 33
"""What a 64-bit key has left for time beside event and parameter: 99 days of milliseconds."""

Events = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]


def ordered(t_ms: npt.NDArray[np.int64], code: npt.NDArray[np.int32]) -> Events:
    """The events by time, event and parameter, each once. ``code`` is event << 15 | parameter."""
    if is_ordered(t_ms, code):
        return t_ms, code
    first = int(t_ms.min())
    if int(t_ms.max()) - first >= 1 << TIME_BITS:
        order = np.lexsort((code, t_ms))
        t_ms, code = t_ms[order], code[order]
    else:
        keys = (t_ms - first) << CODE_BITS | code
        keys.sort(kind="stable")
        t_ms = (keys >> CODE_BITS) + first
        code = (keys & ((1 << CODE_BITS) - 1)).astype(np.int32)
    kept = keep_distinct(t_ms, code)
    return t_ms[:kept], code[:kept]

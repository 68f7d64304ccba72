"""What upstream lets expect at the advance loops: it stands for one that has failed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...model.compiled import Detection
from ...model.upstream import Links
from ..jit import kernel
from .expectation import Arrivals
from .outflow import Outflow
from .travel import Travel

__all__ = ["expect_at_loops"]


@kernel
def expect_at_loops(
    detection: Detection,
    links: Links,
    travel: Travel,
    outflow: Outflow,
    arrivals: Arrivals,
    rate_per_s: npt.NDArray[np.float32],
) -> None:
    """Fill ``rate_per_s`` (D,): vehicles per second, by the feeds and the unseen flow of the lanes behind each loop.

    NaN for loops of which a lane has no feed that was counted, and for all that are no advance loops.
    """
    rate_per_s[:] = np.nan
    for lane in range(len(detection.advance)):
        loop = detection.advance[lane]
        if loop >= 0:
            rate_per_s[loop] = 0.0
    for lane in range(len(detection.advance)):
        loop = detection.advance[lane]
        if loop >= 0:
            expected, is_fed = arrivals.unseen_per_s[lane], False
            for feed in range(links.feed_ptr[lane], links.feed_ptr[lane + 1]):
                source = links.feed_source[feed]
                if travel.mean_s[feed] >= 0 and outflow.counted_s[source] > 0.0:
                    is_fed = True
                    expected += arrivals.feed_share[feed] * outflow.rate_per_s[source]
            rate_per_s[loop] += expected if is_fed else np.nan

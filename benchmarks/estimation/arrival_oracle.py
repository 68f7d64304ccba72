"""The floor: a forecaster that sees the same loops and knows what ours has to learn.

It knows, from the whole run and so also from its future: each lane's true arrivals in every five minutes, the true
share of each loop's and each source's vehicles that come to a lane, and each feed's true mean and spread of travel
times. A vehicle that it has seen counts by the probability that it is due in the window; the others by the true rate.
Queues over a loop can make it worse than a forecaster that learns: the stricter floor weights the three parts of its
forecast (seen at the own loop, seen at sources, not seen) as was best for the lane in hindsight, by least squares.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.estimation.travel import FARTHEST_S
from greensplit.engine.model.compiled import Detection
from greensplit.engine.model.upstream import Links

from .arrival_truth import Due, loop_times, source_departures
from .recording import Recording

__all__ = ["BLOCK_S", "oracle_forecasts", "without_half"]

BLOCK_S = 300
LEAST_SPREAD_S = 1.0
LEAST_PAIRS = 3
LONGEST_S = 180

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def oracle_forecasts(
    recording: Recording,
    detection: Detection,
    links: Links,
    due: Due,
    made_s: I64,
    windows: tuple[tuple[int, int], ...],
    dead: npt.NDArray[np.bool_],
) -> F64:
    """(2, N, W, L) expected vehicles in each window: by what it knows, and weighted in hindsight."""
    seconds = recording.seconds + LONGEST_S
    departures = source_departures(recording, links)
    sources = [_per_second(times, seconds) for times in departures]
    mean = np.zeros((2, len(made_s), len(windows), len(detection.advance)))
    for lane in range(len(detection.advance)):
        mine = due.lane == lane
        own = _own(recording, detection, lane, due.due_ms[mine], dead)
        own_s = math.ceil(detection.advance_m[lane] / max(detection.speed_mps[lane], 1.0)) if own else 0
        feeds = []
        for feed in range(links.feed_ptr[lane], links.feed_ptr[lane + 1]):
            source = int(links.feed_source[feed])
            loop = links.source_detector[source]
            if not (loop >= 0 and dead[loop]):
                found = _feed(due, mine, source, len(departures[source]))
                if found is not None:
                    feeds.append((source, *found))
        lead = _Lead(_rates(_per_second(due.due_ms[mine], seconds)), own_s)
        for source, share, weights in feeds:
            lead.announce(sources[source], _rates(sources[source]), share, weights)
        counts = np.concatenate([[0.0], _per_second(due.due_ms[mine], seconds).cumsum()])
        for w, (start_s, length_s) in enumerate(windows):
            came = counts[made_s + start_s + length_s] - counts[made_s + start_s]
            parts = [*lead.expected(made_s, start_s, length_s, came)]
            if own:
                parts.append(_own_expected(own, made_s, start_s, length_s))
            mean[0, :, w, lane] = sum(parts)
            mean[1, :, w, lane] = _best_in_hindsight(np.stack(parts, 1), came)
    return mean


def _best_in_hindsight(parts: F64, came: F64) -> F64:
    """The (N,) weighted sum of (N, P) parts that is nearest to what came."""
    weights = np.linalg.lstsq(parts, came, rcond=None)[0]
    found: F64 = np.maximum(parts @ weights, 0.0)
    return found


def _per_second(times_ms: F64, seconds: int) -> F64:
    counts = np.bincount(np.clip(times_ms // 1000, 0, seconds - 1).astype(np.int64), minlength=seconds)
    return counts[:seconds].astype(np.float64)


def _rates(counts: F64) -> F64:
    """Vehicles a second, the mean of each block."""
    rates = np.zeros(len(counts))
    for first in range(0, len(counts), BLOCK_S):
        rates[first : first + BLOCK_S] = counts[first : first + BLOCK_S].mean()
    return rates


def _own(
    recording: Recording, detection: Detection, lane: int, due_ms: F64, dead: npt.NDArray[np.bool_]
) -> tuple[F64, F64, float] | None:
    """Times seen and due of the vehicles at the lane's own loop, and the true share that comes to the lane."""
    loop = int(detection.advance[lane])
    if loop < 0 or dead[loop]:
        return None
    seen_ms = loop_times(recording, loop)
    travel_ms = 1000.0 * detection.advance_m[lane] / max(detection.speed_mps[lane], 1.0)
    return seen_ms, seen_ms + travel_ms, len(due_ms) / max(len(seen_ms), 1)


def _own_expected(own: tuple[F64, F64, float], made_s: I64, start_s: int, length_s: int) -> F64:
    seen_ms, due_ms, share = own
    now_ms = made_s * 1000.0
    seen = np.searchsorted(seen_ms, now_ms, side="right")
    first = np.searchsorted(due_ms, now_ms + start_s * 1000.0)
    last = np.searchsorted(due_ms, now_ms + (start_s + length_s) * 1000.0)
    expected: F64 = share * np.maximum(np.minimum(last, seen) - np.minimum(first, seen), 0)
    return expected


def _feed(due: Due, mine: npt.NDArray[np.bool_], source: int, passed: int) -> tuple[float, F64] | None:
    """True share of a source's vehicles that come here, and the distribution of their travel time by second."""
    rows = mine & (due.source == source)
    took_s = (due.due_ms[rows] - due.left_ms[rows]) / 1000.0
    took_s = took_s[(took_s > 0.0) & (took_s <= LONGEST_S)]
    if len(took_s) < LEAST_PAIRS or np.median(took_s) > FARTHEST_S:
        return None
    spread_s = max(float(np.std(took_s)), LEAST_SPREAD_S)
    edges = (np.arange(LONGEST_S + 1) - float(np.mean(took_s))) / (spread_s * math.sqrt(2.0))
    below = np.array([0.5 * (1.0 + math.erf(edge)) for edge in edges])
    weights = np.diff(below)
    return len(took_s) / max(passed, 1), weights / weights.sum()


class _Lead:
    """Expected arrivals of one lane beyond its own loop, by the time of the forecast and the lead."""

    def __init__(self, rate_per_s: F64, own_s: int) -> None:
        self._rate = rate_per_s
        self._own_s = own_s
        self._feeds: list[tuple[F64, F64, F64]] = []

    def announce(self, departed: F64, rate_per_s: F64, share: float, weights: F64) -> None:
        """A feed: vehicles that passed it in each second, its true rate, the share that comes, travel times."""
        self._feeds.append((share * departed, share * rate_per_s, weights))

    def expected(self, made_s: I64, start_s: int, length_s: int, came: F64) -> tuple[F64, F64]:
        """Vehicles due in a window, seen at a source, and not at all; ``came`` (N,) were due in the window."""
        seen, usual = np.zeros(len(made_s)), np.zeros(len(made_s))
        for lead in range(max(start_s, self._own_s), start_s + length_s):
            at = made_s + lead
            unseen = self._rate[np.minimum(at, len(self._rate) - 1)].copy()
            for departed, rate, weights in self._feeds:
                long = np.where(np.arange(LONGEST_S) >= lead, weights, 0.0)
                seen += np.convolve(departed, long)[at]
                usual += np.convolve(rate, weights - long)[at]
                unseen -= np.convolve(rate, weights)[at]
            usual += np.maximum(unseen, 0.0)
        known = _window_sum(self._rate, made_s + start_s, length_s)
        return seen, usual * without_half(known, came, length_s)


def _window_sum(rate: F64, first: I64, length_s: int) -> F64:
    sums = np.concatenate([[0.0], rate.cumsum()])
    found: F64 = sums[first + length_s] - sums[first]
    return found


def without_half(known: F64, came: F64, length_s: int) -> F64:
    """Factor from the block's rate to one that counts the window to be forecast half.

    The mean of a block that holds the window errs by a twentieth less than the true rate would, the mean of the rest of
    the block by as much more: half and half is as good as knowing the rate, for Poisson arrivals and squared errors.
    """
    blocks = BLOCK_S / length_s
    rest = (blocks * known - came) / (blocks - 1.0)
    return np.divide(0.5 * (known + rest), known, out=np.ones_like(known), where=known > 0.0)

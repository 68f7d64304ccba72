"""The kernels against plain Python written from the words of their rules."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.analytics.kernels.arrivals import attach_states
from greensplit.engine.analytics.kernels.intervals import cover_bins
from greensplit.engine.analytics.kernels.order import is_ordered
from greensplit.engine.analytics.log.packing import ordered

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("span_ms", [5_000, 1 << 40])
def test_ordered_is_a_sorted_set(seed: int, span_ms: int) -> None:
    """Short logs by packed keys, logs of decades otherwise."""
    rng = np.random.default_rng(seed)
    t_ms = rng.integers(0, span_ms, 400)
    t_ms[:200] = t_ms[200:]
    code = rng.integers(0, 1 << 30, 400).astype(np.int32)
    code[:100] = code[200:300]
    times, codes = ordered(t_ms.copy(), code.copy())
    expected = sorted(set(zip(t_ms.tolist(), code.tolist(), strict=True)))
    assert list(zip(times.tolist(), codes.tolist(), strict=True)) == expected
    assert is_ordered(times, codes)
    assert not is_ordered(t_ms, code)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_hit_has_the_state_since_its_last_green(seed: int) -> None:
    """The largest of 1, 8, 10 since the last green of its phase at or before it; 0 before anything."""
    rng = np.random.default_rng(seed)
    times, phases = rng.integers(0, 300, 60).tolist(), rng.integers(0, 3, 60).tolist()
    signals = sorted(set(zip(times, rng.choice([1, 8, 10], 60).tolist(), phases, strict=True)))
    hits = sorted((int(rng.integers(0, 320)), int(rng.integers(0, 3))) for _ in range(80))
    t, event, phase = (np.array(column) for column in zip(*signals, strict=True))
    hit_t, hit_phase = (np.array(column) for column in zip(*hits, strict=True))
    state, cycle = np.zeros(len(hits), np.int32), np.zeros(len(hits), np.int64)
    attach_states(
        t,
        event.astype(np.int32),
        phase.astype(np.int32),
        hit_t,
        hit_phase.astype(np.int32),
        np.zeros(3, np.int32),
        np.zeros(3, np.int64),
        state,
        cycle,
    )
    for i, (moment, own) in enumerate(hits):
        seen = [code for at, code, number in signals if number == own and at <= moment]
        greens = [k for k, code in enumerate(seen) if code == 1]
        since = seen[greens[-1] :] if greens else seen
        assert (state[i], cycle[i]) == (max(since, default=0), len(greens))


@pytest.mark.parametrize("seed", SEEDS)
def test_cover_bins_gives_each_bin_its_milliseconds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = np.cumsum(rng.integers(1, 20, 12))
    begin = rng.integers(edges[0], edges[-1], 30)
    end = np.minimum(begin + rng.integers(0, 60, 30), edges[-1])
    slot = rng.integers(0, 2, 30)
    out = np.zeros((len(edges) - 1, 2), np.int64)
    cover_bins(begin, end, np.searchsorted(edges, begin, side="right") - 1, slot, edges, out)
    for b in range(len(edges) - 1):
        for s in (0, 1):
            inside = range(edges[b], edges[b + 1])
            expected = sum(
                sum(begin[i] <= moment < end[i] for moment in inside) for i in range(30) if slot[i] == s
            )
            assert out[b, s] == expected

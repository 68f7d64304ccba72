"""Green bands: ideal streets, and brute force over offsets."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from greensplit.engine.plans.bands import Window, solve_bands

STEPS = 40


def widest(windows: list[Window], offsets: list[float], passed: list[float]) -> float:
    """Widest band, as a share of the cycle, of vehicles that come to window i ``passed[i]`` after the first."""
    grid = 4000
    free = np.ones(grid, np.bool_)
    for window, offset, after in zip(windows, offsets, passed, strict=True):
        t = (np.arange(grid) / grid + after - offset - window.start) % 1.0
        free &= t < window.length - 1e-9
    if free.all():
        return 1.0
    runs = np.diff(np.flatnonzero(~np.concatenate([free, free, [False]]))) - 1
    return float(runs.max(initial=0)) / grid


def passed_back(travel: list[float]) -> list[float]:
    """When each junction is passed by those who drive against the order, the first one at 0."""
    return [0.0, *(-float(t) for t in np.cumsum(travel))]


def test_junctions_half_a_cycle_apart_have_full_bands_both_ways() -> None:
    """Half a cycle there and half back: what is green here is green there, if offsets alternate by half a cycle."""
    windows = [Window(0.0, 0.5)] * 5
    bands = solve_bands(windows, windows, [0.5] * 4, [0.5] * 4, [1.0] * 4, [1.0] * 4, uniform=True)
    assert bands is not None
    assert bands.out == pytest.approx([0.5] * 4)
    assert bands.back == pytest.approx([0.5] * 4)
    assert np.array(bands.offsets) == pytest.approx([0.0, 0.5, 0.0, 0.5, 0.0], abs=1e-6)


def test_junctions_a_quarter_apart_cannot_have_both() -> None:
    """A quarter of a cycle apart, half green: what one way gains the other loses, 0.5 in all."""
    windows = [Window(0.0, 0.5)] * 2
    bands = solve_bands(windows, windows, [0.25], [0.25], [1.0], [1.0], uniform=True)
    assert bands is not None
    assert bands.out[0] + bands.back[0] == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(6))
def test_no_offsets_give_wider_bands_than_the_program_finds(seed: int) -> None:
    """Three junctions, greens and times at random, all offsets on a grid: none is better, and the claim is true."""
    draw = np.random.default_rng(seed)
    out = [Window(float(draw.random()), float(draw.uniform(0.3, 0.7))) for _ in range(3)]
    back = [Window(float(draw.random()), float(draw.uniform(0.3, 0.7))) for _ in range(3)]
    there, home = draw.random(2).tolist(), draw.random(2).tolist()
    bands = solve_bands(out, back, there, home, [1.0, 1.0], [1.0, 1.0], uniform=True)
    assert bands is not None
    ahead = [0.0, *np.cumsum(there).tolist()]

    def worth(offsets: list[float]) -> float:
        return widest(out, offsets, ahead) + widest(back, offsets, passed_back(home))

    best = max(worth([0.0, b / STEPS, c / STEPS]) for b, c in product(range(STEPS), repeat=2))
    claimed = bands.out[0] + bands.back[0]
    assert claimed >= best - 0.01
    assert worth(list(bands.offsets)) >= claimed - 0.01


def test_links_may_have_bands_of_their_own() -> None:
    """A short green in the middle narrows one band for all; three links apart from it keep theirs."""
    windows = [Window(0.0, 0.6), Window(0.0, 0.6), Window(0.0, 0.2), Window(0.0, 0.6), Window(0.0, 0.6)]
    nobody = [Window(0.0, 0.0)] * 5
    weights = [1.0] * 4
    through = solve_bands(windows, nobody, [0.3] * 4, [0.3] * 4, weights, weights, uniform=True)
    single = solve_bands(windows, nobody, [0.3] * 4, [0.3] * 4, weights, weights, uniform=False)
    assert through is not None
    assert single is not None
    assert through.out == pytest.approx([0.2] * 4)
    assert single.out == pytest.approx([0.6, 0.2, 0.2, 0.6])

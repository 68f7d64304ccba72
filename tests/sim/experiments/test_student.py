"""Student's t against closed forms and printed tables."""

from __future__ import annotations

import math

import pytest

from greensplit.sim.experiments.student import central_share, half_width_factor


@pytest.mark.parametrize(
    ("share", "freedom", "t"),
    [
        (0.95, 1, 12.706),
        (0.95, 2, 4.303),
        (0.95, 3, 3.182),
        (0.95, 4, 2.776),
        (0.95, 5, 2.571),
        (0.95, 9, 2.262),
        (0.95, 10, 2.228),
        (0.95, 29, 2.045),
        (0.95, 30, 2.042),
        (0.95, 60, 2.000),
        (0.95, 120, 1.980),
        (0.99, 1, 63.657),
        (0.99, 8, 3.355),
        (0.90, 7, 1.895),
    ],
)
def test_factors_are_those_of_printed_tables(share: float, freedom: int, t: float) -> None:
    """Two-sided quantiles of Student's t as every textbook prints them, three decimals."""
    assert half_width_factor(share, freedom) == pytest.approx(t, abs=5.1e-4)


def test_one_degree_of_freedom_is_the_cauchy_distribution() -> None:
    """Half of it lies within -1 and 1: 2/pi times the arctangent of 1."""
    assert central_share(1.0, 1) == pytest.approx(0.5, abs=1e-15)


@pytest.mark.parametrize("t", [0.0, 0.5, 2.0, 40.0])
def test_two_degrees_of_freedom_have_a_closed_form(t: float) -> None:
    """The share within t is t over the root of 2 + t squared."""
    assert central_share(t, 2) == pytest.approx(t / math.sqrt(2 + t * t), abs=1e-14)


def test_many_degrees_of_freedom_approach_the_normal_distribution() -> None:
    """The normal quantile 1.959964 is met to four digits at 100 000 degrees."""
    assert half_width_factor(0.95, 100_000) == pytest.approx(1.959964, rel=2e-5)

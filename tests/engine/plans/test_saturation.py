"""Saturation flows, with numbers worked out by hand from the manual's factors."""

from __future__ import annotations

import math

import pytest

from greensplit.engine.plans.saturation import LaneConditions, gap_flow_veh_per_h, saturation_veh_per_h

IDEAL = {"width_m": 3.6}


@pytest.mark.parametrize(
    ("conditions", "veh_per_h"),
    [
        ({}, 1900.0),
        ({"width_m": 3.15}, 1900.0 * 0.95),
        ({"heavy_share": 0.25}, 1520.0),
        ({"grade_percent": 4.0}, 1862.0),
        ({"parking_per_h": 0.0}, 1710.0),
        ({"parking_per_h": 20.0}, 1520.0),
        ({"buses_per_h": 25.0}, 1710.0),
        ({"left_share": 1.0}, 1900.0 / 1.05),
        ({"right_share": 1.0}, 1615.0),
        ({"centre": True}, 1710.0),
        ({"heavy_share": 0.25, "parking_per_h": 20.0}, 1216.0),
    ],
)
def test_each_condition_takes_its_factor_off(conditions: dict[str, float], veh_per_h: float) -> None:
    """Of 1900 an hour: one in four heavy, at 2 cars each, is a fifth less; 20 manoeuvres of 18 s block a tenth."""
    lane = LaneConditions(**(IDEAL | conditions))  # type: ignore[arg-type]
    assert saturation_veh_per_h(lane) == pytest.approx(veh_per_h)


def test_gaps_of_an_opposing_stream_let_few_through() -> None:
    """720 veh/h are 0.2 a second: 720 e^-0.9 / (1 - e^-0.5) = 744; without any, one every 2.5 s."""
    assert gap_flow_veh_per_h(720.0) == pytest.approx(720.0 * math.exp(-0.9) / (1.0 - math.exp(-0.5)))
    assert gap_flow_veh_per_h(720.0) == pytest.approx(744.0, abs=0.1)
    assert gap_flow_veh_per_h(0.0) == 1440.0
    assert gap_flow_veh_per_h(1e-6) == pytest.approx(1440.0, rel=1e-3)

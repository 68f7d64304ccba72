"""The picture of the comparison: every controller on every network, and ours against the best rival seed by seed."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from greensplit.engine.analytics.report.palette import BASELINE_COLOUR, COLOURS

from .comparison import PUBLISHED
from .measure import CONFLICT_FREE

__all__ = ["chart_svg", "comparison_chart"]

ROW_PX = 46
LEFT_PX = 560
RIGHT_PX = 330
OURS_COLOUR = "#b30000"
OTHER = "other rivals"
OTHER_COLOUR = "#b9c4cc"
BOUND = "bound: no conflicts"
BAR = "M-0.12,-1H0.12V1H-0.12Z"
SHAPES = ("square", "triangle-up", "triangle-down", "circle", "cross")


def comparison_chart(figures: Mapping[str, Any]) -> dict[str, Any]:
    """A Vega-Lite specification with its data in it."""
    scenarios = list(figures["scenarios"])
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": {
            "text": f"Delay under {figures['ours']} and under every rival",
            "subtitle": f"Corrected delay per scheduled vehicle, {len(figures['seeds'])} paired seeds, one hour each",
            "anchor": "start",
            "fontSize": 17,
            "subtitleFontSize": 12,
            "offset": 14,
        },
        "background": "white",
        "padding": 14,
        "config": {"view": {"stroke": None}, "axis": {"labelFontSize": 12, "titleFontSize": 12}},
        "hconcat": [_all_controllers(figures, scenarios), _by_seed(figures, scenarios)],
        "spacing": 28,
    }


def chart_svg(figures: Mapping[str, Any]) -> str:
    """The picture as SVG text."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(comparison_chart(figures)))


def _all_controllers(figures: Mapping[str, Any], scenarios: list[str]) -> dict[str, Any]:
    kinds = [figures["ours"], *PUBLISHED, OTHER, BOUND]
    colours = [OURS_COLOUR, *(BASELINE_COLOUR, *COLOURS)[: len(PUBLISHED)], OTHER_COLOUR, "#1a1a1a"]
    shapes = ["diamond", *SHAPES, "circle", BAR]
    sizes = [190, *[70] * len(PUBLISHED), 45, 260]
    points = [
        {"scenario": scenario, "controller": name, "kind": _kind(name, figures["ours"]), "delay_s": delay_s}
        for scenario in scenarios
        for name, delay_s in _means(figures, scenario).items()
    ]
    points.sort(key=lambda point: (point["kind"] == figures["ours"], point["kind"] != OTHER))
    legend = {"orient": "bottom", "columns": 4, "title": None, "labelFontSize": 12, "symbolSize": 90}
    return {
        "width": LEFT_PX,
        "height": {"step": ROW_PX},
        "data": {"values": points},
        "mark": {"type": "point", "filled": True, "opacity": 1.0},
        "encoding": {
            "y": _rows(scenarios, labels=True),
            "x": {
                "field": "delay_s",
                "type": "quantitative",
                "title": "mean delay, s per vehicle (logarithmic)",
                "scale": {"type": "log", "nice": False, "padding": 12},
                "axis": {
                    "values": [2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000],
                    "gridColor": "#e3e7ea",
                    "format": "d",
                },
            },
            "color": {
                "field": "kind",
                "type": "nominal",
                "scale": {"domain": kinds, "range": colours},
                "legend": legend,
            },
            "shape": {
                "field": "kind",
                "type": "nominal",
                "scale": {"domain": kinds, "range": shapes},
                "legend": legend,
            },
            "size": {
                "field": "kind",
                "type": "nominal",
                "scale": {"domain": kinds, "range": sizes},
                "legend": None,
            },
            "tooltip": [{"field": "controller"}, {"field": "delay_s", "format": ".1f"}],
        },
    }


def _by_seed(figures: Mapping[str, Any], scenarios: list[str]) -> dict[str, Any]:
    seeds, means = [], []
    for scenario in scenarios:
        found = figures["scenarios"][scenario]
        if found["best_of_all"] is None:
            continue
        own, rival = (figures["delays_s"][scenario][name] for name in (figures["ours"], found["best_of_all"]))
        seeds += [{"scenario": scenario, "ratio": a / b} for a, b in zip(own, rival, strict=True)]
        told = f"{found['ratio_all']:.2f} × {found['best_of_all']} ({found['best_of_all_s']:.3g} s)"
        means.append({"scenario": scenario, "ratio": found["ratio_all"], "told": told})
    y = _rows(scenarios, labels=False)
    x = {
        "field": "ratio",
        "type": "quantitative",
        "title": "ours / best of all rivals: each seed, and of means",
        "scale": {"zero": False, "padding": 14},
        "axis": {"gridColor": "#e3e7ea"},
    }
    return {
        "width": RIGHT_PX,
        "height": {"step": ROW_PX},
        "layer": [
            {
                "data": {"values": [{"ratio": 1.0}]},
                "mark": {"type": "rule", "color": BASELINE_COLOUR, "strokeDash": [5, 3]},
                "encoding": {"x": x},
            },
            {
                "data": {"values": seeds},
                "mark": {"type": "tick", "color": OURS_COLOUR, "opacity": 0.45, "thickness": 2, "size": 15},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": means},
                "mark": {
                    "type": "point",
                    "shape": "diamond",
                    "filled": True,
                    "size": 150,
                    "color": OURS_COLOUR,
                    "opacity": 1.0,
                },
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": means},
                "mark": {"type": "text", "dy": -15, "fontSize": 11, "color": "#1a1a1a"},
                "encoding": {"x": x, "y": y, "text": {"field": "told"}},
            },
        ],
    }


def _rows(scenarios: list[str], *, labels: bool) -> dict[str, Any]:
    axis = {"title": None, "grid": True, "gridColor": "#e3e7ea", "domain": False, "ticks": False}
    return {
        "field": "scenario",
        "type": "nominal",
        "sort": scenarios,
        "scale": {"domain": scenarios},
        "axis": {**axis, "labels": labels, "labelPadding": 10},
    }


def _kind(name: str, ours: str) -> str:
    if name == CONFLICT_FREE:
        return BOUND
    return name if name == ours or name in PUBLISHED else OTHER


def _means(figures: Mapping[str, Any], scenario: str) -> dict[str, float]:
    """Mean delays; the bound only where it is one."""
    bound_s = figures["scenarios"][scenario]["bound_s"]
    return {
        name: statistics.fmean(delays_s)
        for name, delays_s in figures["delays_s"][scenario].items()
        if name != CONFLICT_FREE or bound_s is not None
    }

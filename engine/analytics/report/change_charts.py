"""Charts of a before/after report: bands over the day, effects with intervals, speed by place and time, a map."""

from __future__ import annotations

from typing import Any, NamedTuple

from .charts import CLOCK_LABEL, LABEL_LIMIT, TICKS, TWO_LINES, Chart, Spec, chart_spec
from .palette import BASELINE_COLOUR, CHANGE_COLOURS, COLOURS

__all__ = ["Clock", "bands_over_day", "change_map", "effects_with_intervals", "speed_map"]

STEPS_S = (300, 600, 900, 1800, 3600, 7200, 10800, 14400)
MOST_TICKS = 8
ROAD = "#b4bdc4"
SIDES = (BASELINE_COLOUR, COLOURS[0])


def bands_over_day(key: str, caption: str, alt: str, unit: str, names: tuple[str, str], time: Clock) -> Chart:
    """Mean and band of each side over the day (dataset ``key``: side, begin_s, mean, low, high)."""
    colour = {
        "field": "side",
        "type": "nominal",
        "scale": {"domain": list(names), "range": list(SIDES)},
        "legend": {"title": None, "orient": "top"},
    }
    tooltip = [
        {"field": "side", "type": "nominal", "title": " "},
        {"field": "clock", "type": "nominal", "title": time.title},
        *(
            {"field": name, "type": "quantitative", "title": sign, "format": ".1f"}
            for name, sign in BAND_SIGNS
        ),
    ]
    y = {"type": "quantitative", "title": unit, "axis": {"tickCount": 5}}
    layers: list[Spec] = [
        {
            "mark": {"type": "area", "opacity": 0.22},
            "encoding": {
                "y": {**y, "field": "low"},
                "y2": {"field": "high"},
                "color": {**colour, "legend": None},
            },
        },
        {
            "mark": {"type": "line", "strokeWidth": 2.2, "point": {"size": 16}},
            "encoding": {
                "y": {**y, "field": "mean"},
                "color": colour,
                "strokeDash": {
                    "field": "side",
                    "type": "nominal",
                    "scale": {"domain": list(names), "range": [[6, 3], [1, 0]]},
                    "legend": {"title": None, "orient": "top"},
                },
                "tooltip": tooltip,
            },
        },
    ]
    transform = [{"calculate": "utcFormat(datum.begin_s * 1000, '%H:%M')", "as": "clock"}]
    return Chart(
        key,
        caption,
        alt,
        chart_spec(alt, key, 240, transform=transform, encoding={"x": _time(time)}, layer=layers),
    )


BAND_SIGNS = (("mean", "x̄"), ("low", "↓"), ("high", "↑"))


class Clock(NamedTuple):
    """The axis of the time of day: its title, first and last second."""

    title: str
    begin_s: float
    end_s: float

    @property
    def values(self) -> list[float]:
        """At most eight round times."""
        span = self.end_s - self.begin_s
        step = next((step for step in STEPS_S if span / step <= MOST_TICKS), STEPS_S[-1])
        first = -(-self.begin_s // step) * step
        return [first + step * row for row in range(int((self.end_s - first) // step) + 1)]


def _time(clock: Clock) -> Spec:
    axis = {"labelExpr": CLOCK_LABEL, "values": clock.values, "grid": False, "labelFlush": False}
    scale = {"domain": [clock.begin_s, clock.end_s], "nice": False, "zero": False}
    return {"field": "begin_s", "type": "quantitative", "title": clock.title, "scale": scale, "axis": axis}


def effects_with_intervals(
    key: str, caption: str, alt: str, unit: str, verdicts: tuple[str, str, str, str], height: int
) -> Chart:
    """A dot and a line for each name (dataset ``key``: name, order, estimate, low, high, verdict)."""
    y = {
        "field": "name",
        "type": "nominal",
        "sort": {"field": "order", "op": "min"},
        "title": None,
        "axis": {"labelLimit": LABEL_LIMIT, "labelExpr": TWO_LINES, "ticks": False, "domain": False},
    }
    colour = {
        "field": "verdict",
        "type": "nominal",
        "scale": {"domain": list(verdicts), "range": [*CHANGE_COLOURS, BASELINE_COLOUR, COLOURS[4]]},
        "legend": {"title": None, "orient": "top"},
    }
    x = {"type": "quantitative", "title": unit, "axis": {"tickCount": TICKS}}
    tooltip = [
        {"field": "name", "type": "nominal", "title": " "},
        *(
            {"field": name, "type": "quantitative", "title": sign, "format": "+.1f"}
            for name, sign in (("estimate", "Δ"), ("low", "↓"), ("high", "↑"))
        ),
    ]
    layers: list[Spec] = [
        {"mark": {"type": "rule", "color": "#8a959e"}, "encoding": {"x": {"datum": 0}}},
        {
            "mark": {"type": "rule", "strokeWidth": 3},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": colour},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
            "encoding": {
                "y": y,
                "x": {**x, "field": "estimate"},
                "color": colour,
                "shape": {
                    "field": "verdict",
                    "type": "nominal",
                    "scale": {
                        "domain": list(verdicts),
                        "range": ["circle", "triangle-up", "diamond", "square"],
                    },
                    "legend": {"title": None, "orient": "top"},
                },
                "tooltip": tooltip,
            },
        },
    ]
    return Chart(key, caption, alt, chart_spec(alt, key, {"step": height}, layer=layers))


def speed_map(key: str, side: str, caption: str, alt: str, top: float, time: Clock, place: str) -> Chart:
    """Speed by corridor and time (dataset ``speeds``: corridor, begin_s, end_s, and a column per side)."""
    encoding = {
        "x": _time(time),
        "x2": {"field": "end_s"},
        "y": {
            "field": "corridor",
            "type": "nominal",
            "sort": None,
            "title": None,
            "axis": {"labelLimit": LABEL_LIMIT, "labelExpr": TWO_LINES, "ticks": False, "domain": False},
        },
        "color": {
            "field": side,
            "type": "quantitative",
            "scale": {"domain": [0, top], "scheme": "viridis"},
            "legend": {"title": "km/h", "orient": "bottom", "gradientLength": 160},
        },
        "tooltip": [
            {"field": "corridor", "type": "nominal", "title": place},
            {"field": "clock", "type": "nominal", "title": time.title},
            {"field": side, "type": "quantitative", "title": "km/h", "format": ".1f"},
        ],
    }
    transform = [{"calculate": "utcFormat(datum.begin_s * 1000, '%H:%M')", "as": "clock"}]
    return Chart(
        key,
        caption,
        alt,
        chart_spec(
            alt, "speeds", {"step": 34}, transform=transform, mark={"type": "rect"}, encoding=encoding
        ),
    )


def change_map(
    caption: str, alt: str, height_px: float, verdicts: tuple[str, str, str, str], unit: str
) -> Chart:
    """The network (dataset ``changes``: edge, geometry, name, verdict, estimate) by what became of it."""
    domain = [*verdicts]
    edges: dict[str, Any] = {
        "mark": {"type": "geoshape", "filled": False, "strokeCap": "round"},
        "encoding": {
            "stroke": {
                "condition": {
                    "test": "isValid(datum.verdict)",
                    "field": "verdict",
                    "type": "nominal",
                    "scale": {"domain": domain, "range": [*CHANGE_COLOURS, BASELINE_COLOUR, COLOURS[4]]},
                    "legend": {"title": None, "orient": "top"},
                },
                "value": ROAD,
            },
            "strokeWidth": {"condition": {"test": "isValid(datum.verdict)", "value": 4.5}, "value": 1.2},
            "tooltip": [
                {"field": "name", "type": "nominal", "title": " "},
                {"field": "estimate", "type": "quantitative", "title": unit, "format": "+.1f"},
            ],
        },
    }
    projection = {"type": "identity", "reflectY": True}
    return Chart(
        "change-map",
        caption,
        alt,
        chart_spec(alt, "changes", height_px, projection=projection, layer=[edges]),
    )

"""Vega-Lite specifications as plain dictionaries. Data are named here and embedded once by the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .palette import (
    CLASS_COLOURS,
    CLASS_LIMITS_S,
    CLASS_WIDTHS_PX,
    COLOURS,
    LAMP_COLOURS,
    NOT_MEASURED,
)
from .signals import STATES

__all__ = [
    "CLOCK_LABEL",
    "LABEL_LIMIT",
    "TICKS",
    "TWO_LINES",
    "Chart",
    "Dataset",
    "Spec",
    "approach_bars",
    "chart_spec",
    "delay_map",
    "lines_over_time",
    "reason_bars",
    "time_space",
    "timing",
]

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"

TICKS = {"signal": "max(2, width / 90)"}
LABEL_LIMIT = {"signal": "max(120, min(250, containerSize()[0] * 0.3))"}
TWO_LINES = "split(datum.label, ' · ')"
CLOCK_LABEL = "utcFormat(datum.value * 1000, '%H:%M')"
BEGIN_AS_DATE: Spec = {"calculate": "datum.begin_s * 1000", "as": "begin"}
CONFIG: Spec = {
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 500, "gridColor": "#e4e7ea"},
    "axisX": {"labelOverlap": "greedy", "labelSeparation": 8, "labelFlush": True},
    "mark": {"aria": False},
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure: ``caption`` stands above it, ``alt`` is read aloud instead of it."""

    key: str
    caption: str
    alt: str
    spec: Spec
    by_junction: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows by column; a column in ``levels`` holds indices into its list of texts."""

    columns: tuple[str, ...]
    rows: list[list[Any]]
    levels: dict[str, list[str]]

    def as_json(self) -> Spec:
        return {"columns": self.columns, "rows": self.rows, "levels": self.levels}


def chart_spec(alt: str, data: str, height: object, **parts: Any) -> Spec:
    """What all charts have: as wide as their place, their data by name, their description."""
    base: Spec = {"$schema": SCHEMA, "description": alt, "data": {"name": data}, "config": CONFIG}
    size = {"width": "container", "height": height, "autosize": {"type": "fit-x", "contains": "padding"}}
    return base | size | parts


def _clock_axis() -> Spec:
    axis = {"format": "%H:%M", "tickCount": TICKS, "grid": False}
    scale = {"type": "utc", "nice": False}
    return {"field": "begin", "type": "temporal", "scale": scale, "axis": axis, "title": "simulated time"}


def _window_axis(window_s: tuple[float, float]) -> Spec:
    """Exactly the window, in seconds, with a mark at every full minute."""
    minutes = range(math.ceil(window_s[0] / 60), math.floor(window_s[1] / 60) + 1)
    axis = {
        "values": [60 * minute for minute in minutes],
        "labelExpr": CLOCK_LABEL,
        "labelFlush": False,
        "grid": False,
    }
    scale = {"domain": list(window_s), "nice": False, "zero": False}
    return {
        "field": "begin_s",
        "type": "quantitative",
        "scale": scale,
        "axis": axis,
        "title": "simulated time",
    }


def _by_arm(values: Sequence[object]) -> Spec:
    return {
        "field": "arm",
        "type": "nominal",
        "scale": {"domain": list(range(len(values))), "range": list(values)},
        "legend": None,
    }


def lines_over_time(
    key: str, caption: str, alt: str, unit: str, arms: Sequence[tuple[str, Sequence[int]]]
) -> Chart:
    """One line per arm of the dataset ``key`` (arm, controller, begin_s, value); ``arms``: colour, dash."""
    tooltip = [
        {"field": "controller", "type": "nominal", "title": "controller"},
        {"field": "begin", "type": "temporal", "title": "from", "format": "%H:%M", "formatType": "utc"},
        {"field": "value", "type": "quantitative", "title": unit, "format": ".1f"},
    ]
    encoding = {
        "x": _clock_axis(),
        "y": {"field": "value", "type": "quantitative", "title": unit, "axis": {"tickCount": 5}},
        "color": _by_arm([colour for colour, _ in arms]),
        "tooltip": tooltip,
    }
    dashed = {"strokeDash": _by_arm([list(dash) for _, dash in arms])}
    layers = [
        {"mark": {"type": "line", "strokeWidth": 2.2}, "encoding": dashed},
        {"mark": {"type": "point", "filled": True, "size": 22}},
    ]
    spec = chart_spec(alt, key, 240, transform=[BEGIN_AS_DATE], encoding=encoding, layer=layers)
    return Chart(key, caption, alt, spec)


def approach_bars(alt: str, colours: Sequence[str]) -> Chart:
    """Bars per approach, grouped by arm (dataset ``approaches``)."""
    encoding = {
        "y": {
            "field": "approach",
            "type": "nominal",
            "sort": {"field": "rank", "op": "min"},
            "title": None,
            "axis": {"labelExpr": TWO_LINES, "labelLimit": LABEL_LIMIT, "ticks": False, "domain": False},
            "scale": {"paddingInner": 0.3},
        },
        "yOffset": {"field": "arm", "type": "nominal", "scale": {"paddingInner": 0.1}},
        "x": {
            "field": "value",
            "type": "quantitative",
            "title": "seconds lost per vehicle",
            "axis": {"tickCount": TICKS},
        },
        "color": _by_arm(colours),
        "tooltip": [
            {"field": "approach", "type": "nominal", "title": "approach"},
            {"field": "controller", "type": "nominal", "title": "controller"},
            {"field": "value", "type": "quantitative", "title": "s per vehicle", "format": ".1f"},
            {"field": "lost_veh_h", "type": "quantitative", "title": "vehicle-hours lost", "format": ".2f"},
            {"field": "passed_veh", "type": "quantitative", "title": "vehicles", "format": ".0f"},
        ],
    }
    spec = chart_spec(
        alt, "approaches", {"step": max(11, 30 / len(colours))}, mark={"type": "bar"}, encoding=encoding
    )
    return Chart("approaches", "Seconds lost per vehicle, approach by approach", alt, spec)


def reason_bars(arm: int, caption: str, alt: str, reasons: int) -> Chart:
    """Changes of stage per junction, a part of the bar for each reason (dataset ``reasons``)."""
    encoding = {
        "y": {
            "field": "junction",
            "type": "nominal",
            "sort": {"field": "rank", "op": "min"},
            "title": None,
            "axis": {"labelLimit": LABEL_LIMIT, "ticks": False, "domain": False},
        },
        "x": {
            "field": "changes",
            "type": "quantitative",
            "title": "changes of stage",
            "axis": {"tickCount": TICKS, "tickMinStep": 1},
        },
        "color": {
            "field": "reason",
            "type": "nominal",
            "sort": {"field": "order", "op": "min"},
            "scale": {"range": [COLOURS[i % len(COLOURS)] for i in range(reasons)]},
            "legend": {
                "title": None,
                "orient": "top",
                "columns": 1,
                "labelLimit": 600,
                "symbolType": "square",
            },
        },
        "order": {"field": "order", "type": "quantitative"},
        "tooltip": [
            {"field": "junction", "type": "nominal", "title": "junction"},
            {"field": "reason", "type": "nominal", "title": "reason"},
            {"field": "changes", "type": "quantitative", "title": "changes", "format": ",d"},
        ],
    }
    spec = chart_spec(
        alt,
        "reasons",
        {"step": 20},
        transform=[{"filter": f"datum.arm === {arm}"}],
        mark={"type": "bar", "stroke": "white", "strokeWidth": 1},
        encoding=encoding,
    )
    return Chart(f"reasons-{arm}", caption, alt, spec)


def _lamp(state: int, mark: str, size: str, thickness: float) -> Spec:
    wanted = {"filter": f"datum.state === '{STATES[state]}'"}
    return {"mark": {"type": mark, size: thickness, "color": LAMP_COLOURS[state]}, "transform": [wanted]}


def timing(arm: int, caption: str, alt: str, window: tuple[float, float], junction: int) -> Chart:
    """Colours of the signal groups of one junction (dataset ``signals``), the junction chosen by a signal.

    Red is a thin line and green a thick bar, so the diagram also reads without colour.
    """
    encoding = {
        "y": {
            "field": "group",
            "type": "nominal",
            "sort": {"field": "number", "op": "min"},
            "title": None,
            "axis": {
                "labelLimit": LABEL_LIMIT,
                "ticks": False,
                "domain": False,
            },
        },
        "x": _window_axis(window),
        "x2": {"field": "end_s"},
        "tooltip": [
            {"field": "group", "type": "nominal", "title": "signal group"},
            {"field": "state", "type": "nominal", "title": "shows"},
            {
                "field": "begin",
                "type": "temporal",
                "title": "from",
                "format": "%H:%M:%S",
                "formatType": "utc",
            },
            {"field": "length_s", "type": "quantitative", "title": "seconds", "format": ".1f"},
        ],
    }
    spec = chart_spec(
        alt,
        "signals",
        {"step": 20},
        params=[{"name": "junction", "value": junction}],
        transform=[
            {"filter": f"datum.arm === {arm} && datum.junction === junction"},
            {"calculate": "datum.end_s - datum.begin_s", "as": "length_s"},
            BEGIN_AS_DATE,
        ],
        encoding=encoding,
        layer=[
            _lamp(2, "rule", "strokeWidth", 2),
            _lamp(1, "bar", "height", 8),
            _lamp(0, "bar", "height", 14),
        ],
    )
    return Chart(f"timing-{arm}", caption, alt, spec, by_junction=True)


def time_space(
    arm: int, caption: str, alt: str, window: tuple[float, float], length_m: float, height_px: float
) -> Chart:
    """Trajectories (dataset ``trajectories``) over the lamps at each junction (dataset ``bands``)."""
    own = {"filter": f"datum.arm === {arm}"}
    x = _window_axis(window)
    y = {
        "field": "distance_m",
        "type": "quantitative",
        "title": "distance along the corridor (m)",
        "scale": {"domain": [0, length_m], "nice": False},
        "axis": {"grid": False},
    }
    bands = {
        "data": {"name": "bands"},
        "transform": [own],
        "encoding": {"x": x, "x2": {"field": "end_s"}, "y": y},
        "layer": [
            _lamp(2, "rule", "strokeWidth", 2),
            _lamp(1, "rule", "strokeWidth", 5),
            _lamp(0, "rule", "strokeWidth", 7),
        ],
    }
    lines = {
        "mark": {"type": "line", "strokeWidth": 1, "color": "#1f3b57", "opacity": 0.75, "clip": True},
        "transform": [own],
        "encoding": {"x": x, "y": y, "detail": {"field": "line", "type": "nominal"}},
    }
    halo: dict[str, Any] = {
        "type": "text",
        "align": "left",
        "baseline": "bottom",
        "dx": 4,
        "dy": -5,
        "fontSize": 11,
        "fontWeight": 600,
        "stroke": "white",
        "strokeWidth": 3,
        "strokeJoin": "round",
        "limit": 200,
    }
    at_line = {"x": {"value": 0}, "y": y, "text": {"field": "name"}}
    names = {"data": {"name": "stops"}, "mark": halo, "encoding": at_line}
    ink = {**names, "mark": {**halo, "stroke": None, "strokeWidth": 0, "fill": "#1a1a1a"}}
    return Chart(
        f"time-space-{arm}",
        caption,
        alt,
        chart_spec(alt, "trajectories", height_px, layer=[lines, bands, names, ink]),
    )


def delay_map(arm: int, caption: str, alt: str, height_px: float) -> Chart:
    """The network (dataset ``network``: one feature per edge), coloured by seconds lost per vehicle."""
    field = f"d{arm}"
    measured = f"isValid(datum.{field})"
    condition = {"test": measured, "field": field, "type": "quantitative", "legend": None}
    domain = list(CLASS_LIMITS_S)
    edges = {
        "mark": {"type": "geoshape", "filled": False, "strokeCap": "round"},
        "encoding": {
            "stroke": {
                "condition": {
                    **condition,
                    "scale": {"type": "threshold", "domain": domain, "range": list(CLASS_COLOURS)},
                },
                "value": NOT_MEASURED,
            },
            "strokeWidth": {
                "condition": {
                    **condition,
                    "scale": {"type": "threshold", "domain": domain, "range": list(CLASS_WIDTHS_PX)},
                },
                "value": 1,
            },
            "order": {"field": field, "type": "quantitative"},
            "tooltip": [
                {"field": "edge", "type": "nominal", "title": "edge"},
                {"field": field, "type": "quantitative", "title": "s lost per vehicle", "format": ".1f"},
            ],
        },
    }
    dots = {
        "data": {"name": "junctions"},
        "mark": {
            "type": "circle",
            "size": 36,
            "fill": "white",
            "stroke": "#1a1a1a",
            "strokeWidth": 1.4,
            "opacity": 1,
        },
        "encoding": {
            "longitude": {"field": "x", "type": "quantitative"},
            "latitude": {"field": "y", "type": "quantitative"},
            "tooltip": {"field": "name", "type": "nominal", "title": "junction"},
        },
    }
    projection = {"type": "identity", "reflectY": True}
    spec = chart_spec(alt, "network", height_px, projection=projection, layer=[edges, dots])
    return Chart(f"map-{arm}", caption, alt, spec)

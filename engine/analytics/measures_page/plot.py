"""Dots and steps over the time of the log as inline SVG: one path per series, so that thousands stay small."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ..report.markup import Html, join, tag

__all__ = ["Dots", "Marker", "Plot", "Series", "Span", "Steps", "figure"]

Values = npt.NDArray[Any]
WIDTH_PX, WIDE_PX, HEIGHT_PX = 540.0, 1120.0, 210.0
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 52.0, 20.0, 8.0, 26.0
# Half of the widest pen: what lies on the edge of the axes is drawn whole.
EDGE_PX = 2.0
PX_PER_TICK, MOST_TICKS_UP = 90.0, 5
INK, GRID = "#4d5963", "#e4e7ea"
MS_PER_MIN = 60_000
MIN_PER_DAY = 1440
TICK_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, MIN_PER_DAY)
NICE = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Marker:
    """What is drawn at each point: SVG path commands relative to it, and the pen that draws them."""

    path: str = "h0"
    cap: str = "round"
    pen_px: float = 3.6


@dataclass(frozen=True, slots=True)
class Dots:
    """Points in time: ``at_ms`` UTC and ``value``, (n,) each."""

    label: str
    colour: str
    at_ms: Values
    value: Values
    marker: Marker = Marker()

    @property
    def last_ms(self) -> Values:
        return self.at_ms


@dataclass(frozen=True, slots=True)
class Steps:
    """Values that hold for a time: ``at_ms`` to ``last_ms`` UTC and ``value``, (n,) each."""

    label: str
    colour: str
    at_ms: Values
    last_ms: Values
    value: Values


Series = Dots | Steps


@dataclass(frozen=True, slots=True)
class Span:
    """The time that all charts of a page show, and the clock that their axes tell."""

    begin_ms: int
    end_ms: int
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart: ``top`` ends its upward axis (chosen to fit for None), ``rows`` name whole values from 1 instead.

    ``note`` says what of the data is not drawn.
    """

    title: str
    series: Sequence[Series]
    note: str = ""
    top: float | None = None
    rows: Sequence[str] = ()
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """Times and values onto the pixels inside the axes."""

    span: Span
    top: float
    width_px: float
    height_px: float

    def across_px(self, at_ms: Values) -> list[float]:
        share = (at_ms - self.span.begin_ms) / max(self.span.end_ms - self.span.begin_ms, 1)
        return np.round(share * self.width_px, 1).tolist()  # type: ignore[no-any-return]

    def down_px(self, value: Values) -> list[float]:
        return np.round((1 - value / self.top) * self.height_px, 1).tolist()  # type: ignore[no-any-return]


def figure(plot: Plot, span: Span, name: str) -> Html:
    """The chart with its title, legend and note; ``name`` says whose it is to those who cannot see it."""
    parts = [tag("figcaption", plot.title), _drawing(plot, span, f"{plot.title}, {name}")]
    if len(plot.series) > 1 or any(isinstance(series, Dots) for series in plot.series):
        parts.append(tag("ul", *(_entry(series) for series in plot.series), cls="legend"))
    if plot.note:
        parts.append(tag("p", plot.note, cls="note"))
    return tag("figure", *parts, cls="wide" if plot.wide else "")


def _drawing(plot: Plot, span: Span, alt: str) -> Html:
    width_px = WIDE_PX if plot.wide else WIDTH_PX
    height_px = max(HEIGHT_PX, TOP_PX + BOTTOM_PX + 22.0 * len(plot.rows))
    inside = (width_px - LEFT_PX - RIGHT_PX, height_px - TOP_PX - BOTTOM_PX)
    least_step = 1.0 if all(_is_whole(series.value) for series in plot.series) else 0.0
    ups = _rows(plot.rows) if plot.rows else _ups(plot.top or _highest(plot.series), least_step)
    top = len(plot.rows) + 1.0 if plot.rows else ups[-1][0]
    frame = Frame(span, plot.top or top, *inside)
    room = (inside[0] + 2 * EDGE_PX, inside[1] + 2 * EDGE_PX)
    place = {
        "x": LEFT_PX - EDGE_PX,
        "y": TOP_PX - EDGE_PX,
        "width": room[0],
        "height": room[1],
        "viewBox": f"{-EDGE_PX:g} {-EDGE_PX:g} {room[0]:g} {room[1]:g}",
        "overflow": "hidden",
    }
    size = {"viewBox": f"0 0 {width_px:g} {height_px:g}", "role": "img", "aria-label": alt}
    return tag(
        "svg",
        _grid(frame, ups),
        tag("svg", *(_path(series, frame) for series in plot.series), attributes=place),
        attributes=size,
        cls="plot",
    )


def _highest(series: Iterable[Series]) -> float:
    return max((float(one.value.max()) for one in series if len(one.value)), default=1.0) or 1.0


def _is_whole(value: Values) -> bool:
    return bool((value == np.round(value)).all())


def _rows(names: Sequence[str]) -> list[tuple[float, str]]:
    return [(float(row), name) for row, name in enumerate(names, 1)]


def _ups(top: float, least_step: float) -> list[tuple[float, str]]:
    """Round values, at least ``least_step`` apart, from 0 up to the first that is not below ``top``."""
    step = 10.0 ** math.floor(math.log10(top / MOST_TICKS_UP))
    step *= next(nice for nice in NICE if top / (step * nice) <= MOST_TICKS_UP)
    step = max(step, least_step)
    return [(row * step, f"{row * step:g}") for row in range(math.ceil(round(top / step, 9)) + 1)]


def _grid(frame: Frame, ups: Sequence[tuple[float, str]]) -> Html:
    right_px, floor_px = LEFT_PX + frame.width_px, TOP_PX + frame.height_px
    values = [(value, name) for value, name in ups if value <= frame.top]
    rows_px = [TOP_PX + down for down in frame.down_px(np.array([value for value, _ in values]))]
    ticks = _ticks(frame.span, frame.width_px)
    ticks_px = [LEFT_PX + across for across in frame.across_px(np.array([at for at, _ in ticks]))]
    lines = "".join(f"M{LEFT_PX:g} {y:.1f}H{right_px:g}" for y in rows_px)
    lines += "".join(f"M{x:.1f} {TOP_PX:g}V{floor_px:g}" for x in ticks_px)
    names = [_text(LEFT_PX - 6, y + 4, name, "end") for y, (_, name) in zip(rows_px, values, strict=True)] + [
        _text(x, floor_px + 17, name, "middle") for x, (_, name) in zip(ticks_px, ticks, strict=True)
    ]
    return join([tag("path", attributes={"d": lines, "stroke": GRID, "fill": "none"}), *names])


def _text(x: float, y: float, text: str, anchor: str) -> Html:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, "font-size": 12, "fill": INK}
    return tag("text", text, attributes=place)


def _ticks(span: Span, width_px: float) -> list[tuple[int, str]]:
    """Moments with names by the local clock, which at the begin of the span shows round times."""
    minutes = (span.end_ms - span.begin_ms) / MS_PER_MIN
    most = width_px / PX_PER_TICK
    step_min = next((step for step in TICK_MINUTES if minutes / step <= most), 0)
    step_min = step_min or MIN_PER_DAY * math.ceil(minutes / MIN_PER_DAY / most)
    step_ms = step_min * MS_PER_MIN
    offset = datetime.fromtimestamp(span.begin_ms / 1000, span.zone).utcoffset()
    ahead_ms = round(offset.total_seconds() * 1000) if offset else 0
    first = -(-(span.begin_ms + ahead_ms) // step_ms)
    moments = (row * step_ms - ahead_ms for row in range(first, (span.end_ms + ahead_ms) // step_ms + 1))
    return [(at_ms, _clock(at_ms, span.zone)) for at_ms in moments]


def _clock(at_ms: int, zone: ZoneInfo) -> str:
    """The time of the day; at midnight the day."""
    local = datetime.fromtimestamp(at_ms / 1000, zone)
    return f"{local:%H:%M}" if local.hour or local.minute else f"{local:%d %b}"


def _path(series: Series, frame: Frame) -> Html:
    across, down = frame.across_px(series.at_ms), frame.down_px(series.value)
    if isinstance(series, Dots):
        lines = "".join(f"M{x:g} {y:g}{series.marker.path}" for x, y in zip(across, down, strict=True))
    else:
        lines = _stairs(across, frame.across_px(series.last_ms), down)
    return tag("path", attributes={"d": lines, **_pen(series)})


def _stairs(across: Sequence[float], until: Sequence[float], down: Sequence[float]) -> str:
    """Level lines, joined where one begins at the pixel where the one before ended."""
    if not across:
        return ""
    parts = [f"M{across[0]:g} {down[0]:g}H{until[0]:g}"]
    for before, x, y, end in zip(until[:-1], across[1:], down[1:], until[1:], strict=True):
        parts.append(f"V{y:g}H{end:g}" if x == before else f"M{x:g} {y:g}H{end:g}")
    return "".join(parts)


def _pen(series: Series) -> Mapping[str, object]:
    if isinstance(series, Steps):
        return {"stroke": series.colour, "stroke-width": 1.6, "fill": "none"}
    marker = series.marker
    return {
        "stroke": series.colour,
        "stroke-width": marker.pen_px,
        "stroke-linecap": marker.cap,
        "fill": series.colour if marker.path.endswith("z") else "none",
    }


def _entry(series: Series) -> Html:
    lines = f"M12 7{series.marker.path}" if isinstance(series, Dots) else "M1 7H23"
    sample = tag("path", attributes={"d": lines, **_pen(series)})
    size = {"width": 24, "height": 14, "aria-hidden": "true"}
    return tag("li", tag("svg", sample, attributes=size), tag("span", series.label))

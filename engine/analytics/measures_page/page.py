"""The page: a section per device, its phases below each other, as many charts as the page may hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from .. import report
from ..report.markup import Html, join, tag
from .diagrams import KINDS, MAX_POINTS, Diagram, Kind
from .plot import Plot, Span, figure

__all__ = ["MAX_CHARTS", "Heading", "charts_page"]

MAX_CHARTS = 240
MS_PER_MIN = 60_000
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
svg.plot { display: block; width: 100%; height: auto; }
figure { overflow-x: auto; }
figure.wide { grid-column: 1 / -1; }
figure.wide svg.plot { min-width: 760px; }
"""
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """What the tables were computed from and how: the log's name, minutes per bin, time zone and dialect."""

    log: str
    bin_minutes: int
    timezone: str
    dialect: str


@dataclass(frozen=True, slots=True)
class Place:
    """A chart that can be drawn: of a device, and of one of its phases (None for all), with its rows."""

    device: Any
    phase: int | None
    diagram: Diagram
    rows: Mapping[str, pl.DataFrame]


def charts_page(tables: Mapping[str, pl.DataFrame], heading: Heading) -> bytes:
    """The charts of ``tables`` (by name of the measure, as ``compute`` gives them) as one HTML page, UTF-8.

    A chart whose tables are absent or empty is left out and named. At most ``MAX_CHARTS`` charts are drawn, with at
    most ``MAX_POINTS`` points each; what is sampled says so.
    """
    chosen = {kind.name: _diagram(kind, tables) for kind in KINDS}
    diagrams = [diagram for diagram in chosen.values() if diagram is not None]
    places = _places(diagrams, tables)
    charts = [
        (place, place.diagram.draw(place.rows, heading.bin_minutes * MS_PER_MIN))
        for place in places[:MAX_CHARTS]
    ]
    span = _span((plot for _, plot in charts), ZoneInfo(heading.timezone))
    absent = [kind for kind in KINDS if chosen[kind.name] is None]
    sections = [_section(device, own, span) for device, own in groupby(charts, lambda chart: chart[0].device)]
    title = "Signal performance measures"
    body = [_header(title, heading, absent, places[MAX_CHARTS:]), tag("main", *sections)]
    head = tag(
        "head",
        tag("meta", attributes={"charset": "utf-8"}),
        tag("meta", attributes={"http-equiv": "Content-Security-Policy", "content": POLICY}),
        tag("meta", attributes={"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("title", title),
        tag("style", Html(files(report).joinpath("style.css").read_text(encoding="utf-8") + STYLE)),
    )
    return f'<!DOCTYPE html>\n<html lang="en">{head}{tag("body", *body)}</html>\n'.encode()


def _diagram(kind: Kind, tables: Mapping[str, pl.DataFrame]) -> Diagram | None:
    """The first way to draw the chart for which all tables have rows."""
    return next(
        (
            diagram
            for diagram in kind.diagrams
            if all(name in tables and tables[name].height for name in diagram.tables)
        ),
        None,
    )


def _places(diagrams: Sequence[Diagram], tables: Mapping[str, pl.DataFrame]) -> list[Place]:
    """All charts by device, phase and the order of the page; those of a whole device first."""
    found = [place for diagram in diagrams for place in _places_of(diagram, tables)]
    return sorted(found, key=lambda place: (place.device, -1 if place.phase is None else place.phase))


def _places_of(diagram: Diagram, tables: Mapping[str, pl.DataFrame]) -> Iterable[Place]:
    keys = ["device_id"] if diagram.of_device else ["device_id", "phase"]
    parts: dict[str, dict[Key, pl.DataFrame]] = {
        name: tables[name].drop_nulls(keys).partition_by(keys, as_dict=True) for name in diagram.tables
    }
    for key in parts[diagram.tables[0]]:
        rows = {name: part[key] for name, part in parts.items() if key in part}
        if len(rows) == len(diagram.tables):
            yield Place(key[0], None if diagram.of_device else key[1], diagram, rows)


def _span(plots: Iterable[Plot], zone: ZoneInfo) -> Span:
    """From the first to the last moment that any chart draws."""
    series = [one for plot in plots for one in plot.series if len(one.at_ms)]
    first = min((int(one.at_ms.min()) for one in series), default=0)
    return Span(first, max((int(one.last_ms.max()) for one in series), default=first), zone)


def _section(device: object, charts: Iterable[tuple[Place, Plot]], span: Span) -> Html:
    parts = [tag("h2", f"Device {device}")]
    for phase, own in groupby(charts, lambda chart: chart[0].phase):
        name = f"device {device}" if phase is None else f"device {device}, phase {phase}"
        if phase is not None:
            parts.append(tag("h3", f"Phase {phase}"))
        parts.append(tag("div", *(figure(plot, span, name) for _, plot in own), cls="grid"))
    return tag("section", *parts)


def _header(title: str, heading: Heading, absent: Sequence[Kind], left_out: Sequence[Place]) -> Html:
    facts = (
        f"Log {heading.log}. Bins of {heading.bin_minutes} minutes, times of {heading.timezone}, "
        f"definitions of {heading.dialect}. At most {MAX_CHARTS} charts of at most {MAX_POINTS} points each; "
        "a chart that shows fewer says so."
    )
    notes = [facts]
    if absent:
        names = "; ".join(f"{kind.name} ({_wanted(kind)})" for kind in absent)
        notes.append(f"Not drawn, since tables are absent or empty: {names}.")
    if left_out:
        devices = len({place.device for place in left_out})
        notes.append(f"Left out: {len(left_out)} further charts, of {devices} devices.")
    return tag("header", tag("h1", title), join(tag("p", note, cls="note") for note in notes))


def _wanted(kind: Kind) -> str:
    return " or ".join(" with ".join(diagram.tables) for diagram in kind.diagrams)

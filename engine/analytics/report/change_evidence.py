"""The evidence of a before/after page: effects, bands over the day, speeds, arrivals in the cycle, corridors, map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from ..comparison.cycles import Cycles, arrivals_in_cycles
from ..comparison.effects import BETTER, UNCLAIMED, UNCLEAR, WORSE, Outcome
from ..comparison.runs import approach_edges
from ..measures_page.diagrams import coordination
from ..measures_page.plot import Series, Span, Steps, figure
from .change_charts import Clock, bands_over_day, change_map, effects_with_intervals, speed_map
from .change_tables import corridor_table, download
from .change_words import Teller
from .charts import Chart, Dataset
from .flow import MAP_WIDTH_PX, box_of, simplified
from .markup import Html, details, join, tag
from .runs import network_of
from .section import Section, chart_grid, figure_of

__all__ = ["evidence_sections"]

BANDS = ("delay", "speed", "travel_time", "control_delay")
MOST_BANDS = 4
MOST_PLACES = 40
ADJUSTED = 0.05
S_PER_MIN = 60


def evidence_sections(teller: Teller) -> list[Section]:
    """The sections that there is something to show in."""
    sections = [_bands(teller), _corridors(teller), _heat(teller), _arrivals(teller)]
    return [section for section in sections if section is not None]


def _verdicts(teller: Teller) -> tuple[str, str, str, str]:
    better, worse, unclear, unclaimed = (
        teller.say(f"verdict.{name}") for name in (BETTER, WORSE, UNCLEAR, UNCLAIMED)
    )
    return better, worse, unclear, unclaimed


def _effects(teller: Teller) -> tuple[Chart, Dataset] | None:
    """Percent changes of all measures over the whole day."""
    shown = [
        (one, one.relative)
        for one in teller.found.network
        if one.period == teller.found.question.periods[0].name and one.relative is not None
    ]
    if not shown:
        return None
    rows = [
        [
            teller.measure(one.measure.key),
            order,
            *(100 * value for value in (relative.estimate, relative.low, relative.high)),
            teller.say(f"verdict.{one.verdict}"),
        ]
        for order, (one, relative) in enumerate(shown)
    ]
    say = teller.say
    chart = effects_with_intervals(
        "effects", say("caption.effects"), say("alt.effects"), say("axis.percent"), _verdicts(teller), 30
    )
    return chart, Dataset(("name", "order", "estimate", "low", "high", "verdict"), rows, {})


def _bands(teller: Teller) -> Section:
    found, say = teller.found, teller.say
    charts, data = [], {}
    effects = _effects(teller)
    if effects is not None:
        charts.append(effects[0])
        data["effects"] = effects[1]
    present = set(found.bands["measure"].to_list())
    for key in [key for key in BANDS if key in present][: MOST_BANDS - 1]:
        rows = found.bands.filter(pl.col("measure") == key)
        charts.append(_band_chart(teller, key, rows))
        data[f"band-{key}"] = _band_data(teller, rows)
    note = say("note.bands", confidence=f"{100 * found.question.confidence:g}")
    return Section(
        "bands", say("section.bands"), join([tag("p", note, cls="note"), chart_grid(charts)]), charts, data
    )


def _band_chart(teller: Teller, key: str, rows: pl.DataFrame) -> Chart:
    say, name, unit = teller.say, teller.measure(key), teller.unit(key)
    minutes: list[int] = rows["minute"].to_list()
    ends = {
        f"{side[0]}{end}": f"{value:.0f}"
        for side in ("before", "after")
        for means in [rows.filter(pl.col("side") == side)["mean"].to_list() or [0.0]]
        for end, value in enumerate((min(means), max(means)))
    }
    return bands_over_day(
        f"band-{key}",
        say("caption.band", measure=name, unit=unit),
        say("alt.band", measure=name, unit=unit, **ends),
        unit,
        (say("side.before"), say("side.after")),
        Clock(say("axis.time"), S_PER_MIN * min(minutes), S_PER_MIN * max(minutes)),
    )


def _band_data(teller: Teller, rows: pl.DataFrame) -> Dataset:
    sides = {side: teller.say(f"side.{side}") for side in ("before", "after")}
    cells = [
        [sides[side], minute * S_PER_MIN, *(round(value, 3) for value in values)]
        for side, minute, *values in rows.select("side", "minute", "mean", "low", "high").iter_rows()
    ]
    return Dataset(("side", "begin_s", "mean", "low", "high"), cells, {})


def _corridors(teller: Teller) -> Section | None:
    found, say = teller.found, teller.say
    if not found.corridors:
        return None
    name, unit = teller.measure(found.lead.key), teller.unit(found.lead.key)
    shown = _ends(found.corridors)
    rows = [
        [
            teller.place(one.corridor),
            order,
            one.change.estimate,
            one.change.low,
            one.change.high,
            say(f"verdict.{stands(one)}"),
        ]
        for order, one in enumerate(shown)
    ]
    charts = [
        effects_with_intervals(
            "corridors",
            say("caption.forest", measure=name, unit=unit),
            say("alt.forest", measure=name, n=len(shown)),
            unit,
            _verdicts(teller),
            34,
        )
    ]
    data = {"corridors": Dataset(("name", "order", "estimate", "low", "high", "verdict"), rows, {})}
    drawn = _map(teller)
    if drawn is not None:
        charts.append(drawn[0])
        data["changes"] = drawn[1]
    note = say("note.corridors", confidence=f"{100 * found.question.confidence:g}")
    caption = say("table.corridors", measure=name)
    more = _more(teller, len(shown), len(found.corridors))
    body = [tag("p", note, cls="note"), more, chart_grid(charts), details(caption, corridor_table(teller))]
    return Section("corridors", say("section.corridors"), join(body), charts, data)


def _ends(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """All, or those that changed most either way where there are too many to draw."""
    if len(outcomes) <= MOST_PLACES:
        return tuple(outcomes)
    return (*outcomes[: MOST_PLACES // 2], *outcomes[-(MOST_PLACES // 2) :])


def _more(teller: Teller, shown: int, every: int) -> Html:
    """A note where not all are drawn."""
    return tag("p", teller.say("note.more", n=shown, all=every), cls="note") if shown < every else Html("")


def stands(one: Outcome) -> str:
    """The verdict once the number of corridors is allowed for."""
    return one.verdict if one.adjusted_p is not None and one.adjusted_p < ADJUSTED else UNCLEAR


def _map(teller: Teller) -> tuple[Chart, Dataset] | None:
    """The network with the approaches in the colour of their verdict; None without shapes."""
    found, say = teller.found, teller.say
    network: Mapping[str, Any] = network_of(found.sides.runs[1])
    shapes = [edge for edge in network.get("edges") or () if len(edge.get("shape") or ()) > 1]
    if not shapes:
        return None
    by_edge = {edge: one for one in found.corridors for edge in approach_edges(network).get(one.corridor, ())}
    box = box_of(shapes)
    grain_m = max(box[2] - box[0], box[3] - box[1]) / 1500
    rows = [_edge_row(teller, edge, by_edge.get(str(edge["id"])), grain_m) for edge in shapes]
    height_px = min(460.0, max(150.0, MAP_WIDTH_PX * (box[3] - box[1]) / max(box[2] - box[0], 1.0)))
    counts = [sum(stands(one) == verdict for one in found.corridors) for verdict in (BETTER, WORSE)]
    name = teller.measure(found.lead.key)
    chart = change_map(
        say("caption.map", measure=name),
        say("alt.map", measure=name, better=counts[0], worse=counts[1]),
        height_px,
        _verdicts(teller),
        teller.unit(found.lead.key),
    )
    return chart, Dataset(("edge", "geometry", "name", "verdict", "estimate"), rows, {})


def _edge_row(teller: Teller, edge: Mapping[str, Any], one: Outcome | None, grain_m: float) -> list[Any]:
    shape = simplified(edge["shape"], grain_m)
    if one is None:
        return [str(edge["id"]), shape, str(edge["id"]), None, None]
    verdict = teller.say(f"verdict.{stands(one)}")
    return [str(edge["id"]), shape, teller.place(one.corridor), verdict, round(one.change.estimate, 2)]


def _heat(teller: Teller) -> Section | None:
    found, say = teller.found, teller.say
    every = found.heat["corridor"].unique(maintain_order=True).to_list()
    places = every[:MOST_PLACES]
    heat = found.heat.filter(pl.col("corridor").is_in(places))
    if heat.is_empty():
        return None
    step_s = (5 if found.matched.paired else 30) * S_PER_MIN
    rows = [
        [
            teller.place(corridor),
            minute * S_PER_MIN,
            minute * S_PER_MIN + step_s,
            round(before, 2),
            round(after, 2),
        ]
        for corridor, minute, before, after in heat.iter_rows()
    ]
    top = max(max(row[3], row[4]) for row in rows)
    time = Clock(say("axis.time"), min(row[1] for row in rows), max(row[2] for row in rows))
    charts = []
    for side in ("before", "after"):
        values = heat[side].to_list()
        alt = say(
            "alt.heat",
            side=say(f"side.{side}"),
            n=len(places),
            low=f"{min(values):.0f}",
            high=f"{max(values):.0f}",
        )
        caption = say("caption.heat", side=say(f"side.{side}"))
        charts.append(speed_map(f"heat-{side}", side, caption, alt, top, time, say("column.corridor")))
    data = {"speeds": Dataset(("corridor", "begin_s", "end_s", "before", "after"), rows, {})}
    notes = [tag("p", say("note.heat"), cls="note"), _more(teller, len(places), len(every))]
    body = join([*notes, *(figure_of(chart) for chart in charts), download("speeds", found.heat, teller)])
    return Section("heat", say("section.heat"), body, charts, data)


def _arrivals(teller: Teller) -> Section | None:
    cycles = arrivals_in_cycles(teller.found)
    if cycles is None:
        return None
    say = teller.say
    note = say("note.pcd", device=cycles.device, phase=cycles.phase)
    drawings = tag("div", *_diagrams(teller, cycles), cls="grid")
    return Section("arrivals", say("section.pcd"), join([tag("p", note, cls="note"), drawings]))


def _diagrams(teller: Teller, cycles: Cycles) -> list[Html]:
    """Both sides on one scale; the clock is that of the simulation, or of the street."""
    plots = [coordination(tables, 0) for tables in cycles.tables]
    top = max(plot.top or 1.0 for plot in plots)
    found = []
    for side, plot, window in zip(("before", "after"), plots, cycles.windows, strict=True):
        title = teller.say("pcd.title", side=teller.say(f"side.{side}"))
        shift_ms = _clock_shift_ms(teller)
        span = Span(window[0] + shift_ms, window[1] + shift_ms, ZoneInfo(teller.found.question.timezone))
        moved = [_moved(replace(one, label=teller.say(f"pcd.{one.label}")), shift_ms) for one in plot.series]
        found.append(
            figure(replace(plot, title=title, series=moved, top=top, note="", wide=False), span, title)
        )
    return found


def _moved(series: Series, shift_ms: int) -> Series:
    """The series on another clock."""
    if isinstance(series, Steps):
        return replace(series, at_ms=series.at_ms + shift_ms, last_ms=series.last_ms + shift_ms)
    return replace(series, at_ms=series.at_ms + shift_ms)


def _clock_shift_ms(teller: Teller) -> int:
    """From the log's time to the clock of the simulation; none for a street."""
    runs = teller.found.sides.runs[0]
    return round(runs[0].begin_s * 1000) - runs[0].epoch_ms if runs else 0

"""Sections on signals: the timing chart of a junction, and the time-space diagram of the corridor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from .charts import Chart, Dataset, time_space, timing
from .markup import Html, join, tag
from .palette import LAMP_COLOURS
from .runs import Arm
from .section import Material, Section, chart_grid, missing, pictured
from .signals import STATES, Window, corridor_bands, signal_segments, trajectories
from .words import clock

__all__ = ["LampTimes", "lamp_times", "time_space_section", "timing_section"]

LampTimes = dict[int, pl.DataFrame]
RED = STATES.index("red")


def lamp_times(material: Material) -> LampTimes:
    """Colours of all groups in the window, by index of the arm; arms without an event log are left out."""
    walkers = [
        (int(junction["device_id"]), int(group["number"]))
        for junction in material.junctions
        for group in junction.get("groups") or ()
        if "ped" in str(group.get("kind")).lower()
    ]
    shown, _ = pictured(material)
    return {
        index: segments
        for index, arm in shown
        if (segments := signal_segments(arm.first, material.window, walkers)) is not None
    }


def timing_section(material: Material, lamps: LampTimes, chosen: int) -> Section:
    """Signal timing of one junction, chosen from a list, under every controller."""
    title = "Signal timing"
    if not lamps or not material.junctions:
        return missing("timing", title, "the runs have no event log, or network.json names no junctions.")
    shown, note = pictured(material)
    charts = [_timing_chart(material, index, arm, chosen) for index, arm in shown if index in lamps]
    data = {"signals": _signal_rows(material, lamps)}
    body = join(
        [_about_window(material.window), _choice(material, chosen), _lamp_legend(), chart_grid(charts), note]
    )
    return Section("timing", title, body, charts, data)


def _timing_chart(material: Material, index: int, arm: Arm, chosen: int) -> Chart:
    seed = f", seed {arm.first.seed}" if len(arm.runs) > 1 else ""
    when = _when(material.window)
    alt = f"Signal timing under {arm.label}, {when}: a row per signal group of the chosen junction."
    return timing(index, f"{arm.label}{seed}", alt, material.window, chosen)


def _when(window: Window) -> str:
    return f"{clock(window[0])} to {clock(window[1])}"


def _about_window(window: Window) -> Html:
    minutes = (window[1] - window[0]) / 60
    text = f"The busiest {minutes:.0f} minutes that were recorded in full: {_when(window)}."
    return tag("p", text, cls="note")


def _choice(material: Material, chosen: int) -> Html:
    options = (
        tag(
            "option",
            _name(junction),
            attributes={"value": index} | ({"selected": ""} if index == chosen else {}),
        )
        for index, junction in enumerate(material.junctions)
    )
    picker = tag("select", *options, attributes={"id": "junction"})
    return tag("p", tag("label", "Junction", attributes={"for": "junction"}), " ", picker)


def _name(junction: Mapping[str, Any]) -> str:
    name, ident = str(junction.get("name") or ""), str(junction.get("id"))
    return f"{name} ({ident})" if name and name != ident else ident


def _lamp_legend() -> Html:
    words = ("green (thick)", "yellow or pedestrian clearance", "red (thin)")
    sizes = (12, 7, 2)
    entries = (
        tag("li", _lamp_sample(colour, size), tag("span", word))
        for colour, size, word in zip(LAMP_COLOURS, sizes, words, strict=True)
    )
    return tag("ul", *entries, cls="legend")


def _lamp_sample(colour: str, height: int) -> Html:
    bar = tag("rect", attributes={"y": (14 - height) / 2, "width": 26, "height": height, "fill": colour})
    return tag("svg", bar, attributes={"width": 26, "height": 14, "aria-hidden": "true"})


def _signal_rows(material: Material, lamps: LampTimes) -> Dataset:
    labels: dict[str, int] = {}
    spans = {arm: _spans(segments) for arm, segments in lamps.items()}
    # A group without any event keeps its row: an empty one tells more than a missing one.
    nothing = [(RED, material.window[0], material.window[0])]
    rows = [
        [junction, arm, labels.setdefault(label, len(labels)), number, *span]
        for junction, number, label, device in _groups(material)
        for arm, by_group in spans.items()
        for span in by_group.get((device, number), nothing)
    ]
    columns = ("junction", "arm", "group", "number", "state", "begin_s", "end_s")
    return Dataset(columns, rows, {"group": list(labels), "state": list(STATES)})


def _groups(material: Material) -> Iterator[tuple[int, int, str, int]]:
    for index, junction in enumerate(material.junctions):
        for group in junction.get("groups") or ():
            number, name = int(group["number"]), str(group.get("name") or "")
            yield index, number, f"{number} {name}".strip(), int(junction["device_id"])


def _spans(segments: pl.DataFrame) -> dict[tuple[int, int], list[tuple[int, float, float]]]:
    """(state, begin_s, end_s) of each (device_id, group)."""
    spans: dict[tuple[int, int], list[tuple[int, float, float]]] = {}
    columns = ("device_id", "group", "state", pl.col("begin_s", "end_s").round(1))
    for device, group, *span in segments.select(*columns).iter_rows():
        spans.setdefault((device, group), []).append((span[0], span[1], span[2]))
    return spans


def time_space_section(material: Material, lamps: LampTimes) -> Section:
    """Trajectories and lamps along the corridor, a diagram per controller."""
    title, corridor = "Time-space diagram", material.corridor
    if not corridor:
        return missing("time-space", title, "the scenario names no corridor.")
    shown, note = pictured(material)
    found = {index: lines for index, arm in shown if (lines := trajectories(arm.first, material.window))}
    if not found and not lamps:
        return missing("time-space", title, "the runs have neither corridor.parquet nor an event log.")
    charts = [
        _time_space_chart(material, index, arm, found.get(index))
        for index, arm in shown
        if index in found or index in lamps
    ]
    words = tag(
        "p",
        f"{corridor.get('name') or 'The corridor'}: a line is a vehicle, a flat stretch is waiting.",
        cls="note",
    )
    data = {
        "trajectories": _line_rows({index: lines for index, (lines, _) in found.items()}),
        "bands": _band_rows(corridor, lamps),
        "stops": _stop_rows(material, corridor),
    }
    return Section("time-space", title, join([words, _lamp_legend(), chart_grid(charts), note]), charts, data)


def _time_space_chart(
    material: Material, index: int, arm: Arm, found: tuple[list[tuple[int, float, float]], int] | None
) -> Chart:
    vehicles = f"{found[1]} vehicles" if found else "no trajectories recorded"
    if found and found[1] > (drawn := len({line for line, _, _ in found[0]})):
        vehicles += f", {drawn} drawn"
    alt = f"Time-space diagram under {arm.label}, {_when(material.window)}: {vehicles}, and the lamps."
    corridor = material.corridor or {}
    length_m = float(corridor.get("length_m") or 0) or 1.0
    height_px = min(1000, max(340, 34 * len(corridor.get("junctions") or ())))
    return time_space(index, f"{arm.label}, {vehicles}", alt, material.window, length_m, height_px)


def _line_rows(found: Mapping[int, list[tuple[int, float, float]]]) -> Dataset:
    rows = [
        [arm, line, round(time_s, 1), round(distance_m)]
        for arm, lines in found.items()
        for line, time_s, distance_m in lines
    ]
    return Dataset(("arm", "line", "begin_s", "distance_m"), rows, {})


def _band_rows(corridor: Mapping[str, Any], lamps: LampTimes) -> Dataset:
    rows = [
        [arm, distance_m, state, round(begin_s, 1), round(end_s, 1)]
        for arm, segments in lamps.items()
        for distance_m, state, begin_s, end_s in corridor_bands(corridor, segments)
    ]
    return Dataset(("arm", "distance_m", "state", "begin_s", "end_s"), rows, {"state": list(STATES)})


def _stop_rows(material: Material, corridor: Mapping[str, Any]) -> Dataset:
    names = {
        junction.get("device_id"): str(junction.get("name") or junction.get("id"))
        for junction in material.junctions
    }
    rows = [
        [float(junction.get("distance_m") or 0), names.get(junction.get("device_id"), "")]
        for junction in corridor.get("junctions") or ()
    ]
    return Dataset(("distance_m", "name"), rows, {})

"""Sections on traffic: delay and queues over time, delay per approach, the network coloured by delay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from .charts import Chart, Dataset, approach_bars, delay_map, lines_over_time
from .markup import Html, details, join, table, tag
from .measures import approach_delay, delay_over_time, queue_over_time
from .palette import CLASS_COLOURS, CLASS_LIMITS_S, arm_dash
from .runs import Arm
from .section import Material, Section, chart_grid, figure_of, in_words, legend, missing, pictured
from .words import clock, figure

__all__ = ["EdgeDelays", "approaches_section", "map_section", "over_time_section", "worst_junction"]

WORST_APPROACHES = 20
MAP_WIDTH_PX = 480
EdgeDelays = dict[int, pl.DataFrame]
ApproachTotals = dict[tuple[int, str], dict[int, tuple[float, float]]]


def over_time_section(material: Material) -> Section:
    """Delay and queue over time, a line per controller."""
    title = "Delay and queue over time"
    parts = [
        _series("delay", "Corrected delay by departure time", "s per vehicle", material, delay_over_time),
        _series("queue", "Standing vehicles in the network", "vehicles", material, queue_over_time),
    ]
    drawn = [part for part in parts if part]
    if not drawn:
        return missing("over-time", title, "the runs have neither trips.parquet nor links.parquet.")
    charts = [chart for chart, _ in drawn]
    body = join([legend(material, dashed=True), chart_grid(charts)])
    return Section("over-time", title, body, charts, {chart.key: data for chart, data in drawn})


def _series(
    key: str, caption: str, unit: str, material: Material, measure: Callable[[Arm], pl.DataFrame | None]
) -> tuple[Chart, Dataset] | None:
    frames = {index: frame for index, arm in enumerate(material.arms) if (frame := measure(arm)) is not None}
    rows = [
        [index, index, _short(begin_s), round(value, 2)]
        for index, frame in frames.items()
        for begin_s, value in frame.select("begin_s", "value").iter_rows()
    ]
    if not rows:
        return None
    data = Dataset(("arm", "controller", "begin_s", "value"), rows, {"controller": material.labels})
    peaks = (_peak(material.labels[index], frame, unit) for index, frame in frames.items() if frame.height)
    alt = f"Line chart. {caption}. " + " ".join(peaks)
    styles = [(colour, arm_dash(index)) for index, colour in enumerate(material.colours)]
    return lines_over_time(key, f"{caption} ({unit})", alt, unit, styles), data


def _peak(label: str, frame: pl.DataFrame, unit: str) -> str:
    at_s, peak = frame.sort("value").select("begin_s", "value").row(-1)
    return f"{label}: highest {figure(peak, 1)} {unit} at {clock(at_s)}."


def _short(value: float) -> float:
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded


def approaches_section(material: Material, edges: EdgeDelays) -> Section:
    """Seconds lost per vehicle on the approaches that cost most, grouped by controller."""
    title = "Delay per approach"
    totals = _approach_totals(material, edges)
    if not totals:
        return missing(
            "approaches", title, "the runs have no links.parquet, or network.json names no approaches."
        )
    ranked = sorted(totals, key=lambda key: -max(lost for lost, _ in totals[key].values()))
    worst = ranked[:WORST_APPROACHES]
    names = [_approach_name(material, key) for key in worst]
    rows = [
        [rank, rank, arm, arm, *_per_vehicle(*totals[key][arm])]
        for rank, key in enumerate(worst)
        for arm in sorted(totals[key])
    ]
    columns = ("approach", "rank", "arm", "controller", "value", "lost_veh_h", "passed_veh")
    data = Dataset(columns, rows, {"approach": names, "controller": material.labels})
    alt = (
        f"Bar chart of seconds lost per vehicle on {len(worst)} approaches; the table below has the numbers."
    )
    chart = approach_bars(alt, material.colours)
    numbers = details("The numbers of this chart", _approach_table(material, worst, names, totals))
    body = join([_approach_words(ranked, totals), legend(material), figure_of(chart), numbers])
    return Section("approaches", title, body, [chart], {"approaches": data})


def _approach_totals(material: Material, edges: EdgeDelays) -> ApproachTotals:
    totals: ApproachTotals = {}
    for arm, frame in edges.items():
        for key, value in approach_delay(material.junctions, frame).items():
            totals.setdefault(key, {})[arm] = value
    return totals


def _per_vehicle(lost_veh_s: float, passed_veh: float) -> list[float]:
    return [round(lost_veh_s / max(passed_veh, 1), 2), round(lost_veh_s / 3600, 3), _short(passed_veh)]


def _approach_name(material: Material, key: tuple[int, str]) -> str:
    junction = material.junctions[key[0]]
    return f"{junction.get('name') or junction.get('id')} · {key[1]}"


def _approach_words(ranked: Sequence[tuple[int, str]], totals: ApproachTotals) -> Html:
    rest = ranked[WORST_APPROACHES:]
    everything, left_out = (
        sum(max(lost for lost, _ in totals[key].values()) for key in keys) for keys in (ranked, rest)
    )
    text = "Most time lost in total comes first; a bar is the time lost per vehicle. "
    if rest:
        share = left_out / everything if everything else 0
        text += f"The other {len(rest)} approaches, not shown, hold {share * 100:.0f} % of the time lost."
    else:
        text += f"All {len(ranked)} approaches are shown."
    return tag("p", text, cls="note")


def _approach_table(
    material: Material, worst: Sequence[tuple[int, str]], names: Sequence[str], totals: ApproachTotals
) -> Html:
    rows = [
        [name, *(_approach_cell(totals[key].get(arm)) for arm in range(len(material.arms)))]
        for key, name in zip(worst, names, strict=True)
    ]
    return table("Seconds lost per vehicle (vehicle-hours lost)", ["approach", *material.labels], rows)


def _approach_cell(total: tuple[float, float] | None) -> str:
    if total is None:
        return "–"
    per_vehicle_s, lost_veh_h, _ = _per_vehicle(*total)
    return f"{figure(per_vehicle_s, 1)} ({figure(lost_veh_h, 2)})"


def worst_junction(material: Material, edges: EdgeDelays) -> int:
    """Index of the junction whose approaches lose most time, summed over the controllers; 0 if unknown."""
    losses: dict[int, float] = {}
    for (junction, _), by_arm in _approach_totals(material, edges).items():
        losses[junction] = losses.get(junction, 0.0) + sum(lost for lost, _ in by_arm.values())
    return max(losses, key=lambda junction: losses[junction], default=0)


def map_section(material: Material, edges: EdgeDelays) -> Section:
    """The network coloured by seconds lost per vehicle, one map per controller on one scale."""
    title = "Where time is lost"
    shapes = [edge for edge in material.network.get("edges") or () if len(edge.get("shape") or ()) > 1]
    if not shapes or not edges:
        return missing("map", title, "the runs have no network.json with edge shapes, or no links.parquet.")
    shown, note = pictured(material)
    box = box_of(shapes)
    height_px = min(460.0, max(150.0, MAP_WIDTH_PX * (box[3] - box[1]) / max(box[2] - box[0], 1.0)))
    charts = [
        delay_map(index, arm.label, _map_alt(arm, edges[index]), height_px)
        for index, arm in shown
        if index in edges
    ]
    data = {"network": _features(shapes, edges, box), "junctions": _dots(material)}
    return Section("map", title, join([_scale(), chart_grid(charts), note]), charts, data)


def _map_alt(arm: Arm, frame: pl.DataFrame) -> str:
    worst = _edge_values(frame)
    names = sorted(worst, key=lambda edge: -worst[edge])[:3]
    listed = in_words([f"{name} ({worst[name]:.0f} s)" for name in names])
    return (
        f"Map of the network under {arm.label}, coloured by seconds lost per vehicle. Worst edges: {listed}."
    )


def _edge_values(frame: pl.DataFrame) -> dict[str, float]:
    rows = frame.select("edge_id", "lost_veh_s", "passed_veh").iter_rows()
    return {edge: round(lost / max(passed, 1), 1) for edge, lost, passed in rows}


def box_of(shapes: Sequence[dict[str, Any]]) -> tuple[float, float, float, float]:
    xs, ys = zip(*((point[0], point[1]) for edge in shapes for point in edge["shape"]), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _features(
    shapes: Sequence[dict[str, Any]], edges: EdgeDelays, box: tuple[float, float, float, float]
) -> Dataset:
    grain_m = max(box[2] - box[0], box[3] - box[1]) / 1500
    values = {arm: _edge_values(frame) for arm, frame in edges.items()}
    rows = [
        [
            str(edge["id"]),
            simplified(edge["shape"], grain_m),
            *(by_edge.get(str(edge["id"])) for by_edge in values.values()),
        ]
        for edge in shapes
    ]
    return Dataset(("edge", "geometry", *(f"d{arm}" for arm in values)), rows, {})


def simplified(shape: Sequence[Sequence[float]], grain_m: float) -> list[list[float]]:
    kept = [shape[0]]
    for point in shape[1:-1]:
        if abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) > grain_m:
            kept.append(point)
    return [[round(point[0], 1), round(point[1], 1)] for point in (*kept, shape[-1])]


def _dots(material: Material) -> Dataset:
    rows = [
        [junction["x"], junction["y"], str(junction.get("name") or junction.get("id"))]
        for junction in material.junctions
        if "x" in junction and "y" in junction
    ]
    return Dataset(("x", "y", "name"), rows, {})


def _scale() -> Html:
    bounds = [f"under {CLASS_LIMITS_S[0]}"]
    bounds += [f"{low} to {high}" for low, high in pairwise(CLASS_LIMITS_S)]
    bounds.append(f"over {CLASS_LIMITS_S[-1]}")
    entries = (
        tag("li", _swatch(colour), tag("span", f"{bound} s"))
        for colour, bound in zip(CLASS_COLOURS, bounds, strict=True)
    )
    return join(
        [
            tag("p", "Seconds lost per vehicle on each edge, over the whole run.", cls="note"),
            tag("ul", *entries, cls="legend"),
        ]
    )


def _swatch(colour: str) -> Html:
    box = tag("rect", attributes={"width": 26, "height": 10, "fill": colour})
    return tag("svg", box, attributes={"width": 26, "height": 10, "aria-hidden": "true"})

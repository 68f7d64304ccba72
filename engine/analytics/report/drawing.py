"""Plain drawings of a network and of a junction with its stages, as standalone SVG files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...files import write_atomically
from .markup import Html, tag
from .palette import COLOURS, LAMP_COLOURS

__all__ = ["draw_junction", "draw_network"]

Point = Sequence[float]
WIDTH_PX, LEGEND_PX, STAGE_PX, GAP_PX, TITLE_PX = 900.0, 300.0, 210.0, 18.0, 34.0
STAGES_PER_ROW = 4
MARGIN_SHARE = 0.04
JUNCTION_MARGIN_M = 18.0
MAX_LABELS, MAX_LETTERS = 60, 28
ROAD, INK, SOFT, PAPER, CORRIDOR = "#c3cad0", "#1c2329", "#4d5963", "#ffffff", "#0072b2"
# The lamp yellow is too light for a thin line on white.
GREEN, YELLOW, RED = LAMP_COLOURS[0], "#b88600", LAMP_COLOURS[2]
# SUMO's state letters: G has priority, g yields, s stops first, y is yellow, u is red-amber.
STAGE_LINES: dict[str, dict[str, object]] = {
    "G": {"stroke": GREEN, "stroke-width": 3.2},
    "g": {"stroke": GREEN, "stroke-width": 2.6, "stroke-dasharray": "5 4"},
    "s": {"stroke": GREEN, "stroke-width": 2.0, "stroke-dasharray": "2 4"},
    "y": {"stroke": YELLOW, "stroke-width": 2.6},
    "u": {"stroke": YELLOW, "stroke-width": 2.0, "stroke-dasharray": "5 4"},
}
STAGE_KEY = ("In the stages below:", "solid green has priority,", "dashed green yields,", "faint red stops.")
HALO = {"stroke": PAPER, "stroke-width": 3, "stroke-linejoin": "round", "paint-order": "stroke"}
LINK_STYLE: dict[str, object] = {"stroke-width": 2.4}
CROSSING_STYLE: dict[str, object] = {"stroke-width": 5, "stroke-dasharray": "3 3"}
STOPPED: dict[str, object] = {"stroke": RED, "stroke-width": 1.0, "stroke-opacity": 0.3}


@dataclass(frozen=True, slots=True)
class Frame:
    """Metres of the network (y upwards) onto a rectangle of pixels (y downwards)."""

    left_m: float
    top_m: float
    px_per_m: float
    width_px: float
    height_px: float

    def path(self, shape: Iterable[Point]) -> str:
        return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in map(self.at, shape))

    def at(self, point: Point) -> tuple[float, float]:
        return (point[0] - self.left_m) * self.px_per_m, (self.top_m - point[1]) * self.px_per_m


def draw_network(network: Mapping[str, Any], out: Path) -> None:
    """Writes edges (width by lanes), junctions with their names and the corridor as one SVG file.

    ``network`` is the object of network.json, shapes in metres. Raises OutputError where ``out`` cannot be
    written; a network without shapes gives an empty drawing that says so.
    """
    edges = [edge for edge in network.get("edges") or () if len(edge.get("shape") or ()) > 1]
    junctions = [
        junction for junction in network.get("junctions") or () if "x" in junction and "y" in junction
    ]
    points = [point for edge in edges for point in edge["shape"]] + [(j["x"], j["y"]) for j in junctions]
    if not points:
        return _write(out, WIDTH_PX, 60, [_text(12, 34, "This network has no shapes to draw.")], "Network")
    frame = _frame(points, WIDTH_PX, MARGIN_SHARE * _extent(points))
    corridor = set((network.get("corridor") or {}).get("edges") or ())
    parts = [_edge(frame, edge, edge.get("id") in corridor) for edge in edges]
    parts += [_junction_dot(frame, junction, len(junctions) <= MAX_LABELS) for junction in junctions]
    alt = f"Network with {len(edges)} edges and {len(junctions)} signalised junctions"
    return _write(out, frame.width_px, frame.height_px + 40, [*parts, _scale_bar(frame)], alt)


def _edge(frame: Frame, edge: Mapping[str, Any], on_corridor: bool) -> Html:
    style = {
        "stroke": CORRIDOR if on_corridor else "#8a959e",
        "stroke-width": min(1 + 0.6 * float(edge.get("lanes") or 1), 5),
    }
    return _line(frame, edge["shape"], style, str(edge.get("id")))


def _junction_dot(frame: Frame, junction: Mapping[str, Any], named: bool) -> Html:
    x, y = frame.at((junction["x"], junction["y"]))
    name = str(junction.get("name") or junction.get("id"))
    dot = {"cx": _px(x), "cy": _px(y), "r": 5, "fill": PAPER, "stroke": INK, "stroke-width": 1.8}
    circle = tag("circle", tag("title", name), attributes=dot)
    label = name if len(name) <= MAX_LETTERS else f"{name[: MAX_LETTERS - 1]}…"
    return tag("g", circle, _text(x + 8, y - 7, label, size=12)) if named else circle


def _scale_bar(frame: Frame) -> Html:
    length_m = 10.0 ** math.floor(math.log10(frame.width_px / frame.px_per_m / 2))
    y, end = frame.height_px + 20, 12 + length_m * frame.px_per_m
    bar = tag("path", attributes={"d": f"M12 {y:.1f} H{end:.1f}", "stroke": INK, "stroke-width": 2})
    return tag("g", bar, _text(end + 8, y + 4, f"{length_m:g} m", size=12))


def draw_junction(junction: Mapping[str, Any], out: Path) -> None:
    """Writes a junction, its links coloured by signal group, and a small drawing per stage, as one SVG file.

    ``junction`` has lanes, links, crossings (shapes in metres), groups and stages; a stage's ``states``
    follow the order of the groups. Protected green is a solid line, permissive green dashed, red faint.
    Raises OutputError where ``out`` cannot be written.
    """
    movements = [link for key in ("links", "crossings") for link in _shaped(junction, key)]
    points = [point for movement in movements for point in movement["shape"]]
    points = points or [point for lane in _shaped(junction, "lanes") for point in lane["shape"]]
    if not points:
        return _write(out, WIDTH_PX, 60, [_text(12, 34, "This junction has no shapes to draw.")], "Junction")
    big = _frame(points, WIDTH_PX - LEGEND_PX - GAP_PX, JUNCTION_MARGIN_M)
    small = _frame(points, STAGE_PX, JUNCTION_MARGIN_M)
    stages = list(junction.get("stages") or ())
    rows = -(-len(stages) // STAGES_PER_ROW)
    below = TITLE_PX + big.height_px + GAP_PX
    parts = [
        _text(12, 23, f"Junction {junction.get('id')}", size=16, weight=650),
        _placed(0, TITLE_PX, big, _plan(junction, big)),
        _group_legend(junction, big.width_px + GAP_PX, TITLE_PX),
        *(_stage(junction, stage, small, index, below) for index, stage in enumerate(stages)),
    ]
    alt = f"Junction {junction.get('id')} with {len(movements)} links and {len(stages)} stages"
    legend_px = TITLE_PX + 120 + 20 * len(junction.get("groups") or ())
    height_px = max(below + rows * (small.height_px + TITLE_PX + GAP_PX), legend_px)
    return _write(out, WIDTH_PX, height_px, parts, alt)


def _shaped(junction: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [item for item in junction.get(key) or () if len(item.get("shape") or ()) > 1]


def _roads(junction: Mapping[str, Any], frame: Frame) -> list[Html]:
    return [
        _line(
            frame,
            lane["shape"],
            {"stroke": ROAD, "stroke-width": _px(float(lane.get("width_m") or 3.2) * 0.9 * frame.px_per_m)},
            str(lane.get("id")),
        )
        for lane in _shaped(junction, "lanes")
    ]


def _plan(junction: Mapping[str, Any], frame: Frame) -> list[Html]:
    colours = _group_colours(junction)
    return [
        *_roads(junction, frame),
        *(_movement(frame, link, colours, LINK_STYLE) for link in _shaped(junction, "links")),
        *(_movement(frame, crossing, colours, CROSSING_STYLE) for crossing in _shaped(junction, "crossings")),
        *_number_tags(junction, frame, colours),
    ]


def _movement(
    frame: Frame, movement: Mapping[str, Any], colours: Mapping[Any, str], style: Mapping[str, object]
) -> Html:
    group = movement.get("group")
    return _line(frame, movement["shape"], {"stroke": colours.get(group, SOFT), **style}, f"group {group}")


def _group_colours(junction: Mapping[str, Any]) -> dict[Any, str]:
    groups = junction.get("groups") or ()
    return {group["number"]: COLOURS[index % len(COLOURS)] for index, group in enumerate(groups)}


def _number_tags(junction: Mapping[str, Any], frame: Frame, colours: Mapping[Any, str]) -> list[Html]:
    """The group's number where its links begin; groups that begin together stand behind each other."""
    tags, taken = {}, dict[tuple[int, int], int]()
    for link in [*_shaped(junction, "links"), *_shaped(junction, "crossings")]:
        start, nxt, group = link["shape"][0], link["shape"][1], link.get("group")
        place = (round(start[0]), round(start[1]))
        if (place, group) in tags:
            continue
        back_m = (2.0 + 20 * taken.get(place, 0)) / frame.px_per_m
        taken[place] = taken.get(place, 0) + 1
        length_m = math.dist(start[:2], nxt[:2]) or 1.0
        at = [start[axis] - (nxt[axis] - start[axis]) / length_m * back_m for axis in (0, 1)]
        tags[place, group] = _number_tag(*frame.at(at), str(group), colours.get(group, SOFT))
    return list(tags.values())


def _number_tag(x: float, y: float, label: str, colour: str) -> Html:
    disc = tag("circle", attributes={"cx": _px(x), "cy": _px(y), "r": 9, "fill": colour})
    return tag("g", disc, _text(x, y + 4, label, size=11, colour=PAPER, anchor="middle", weight=650))


def _group_legend(junction: Mapping[str, Any], x: float, y: float) -> Html:
    colours = _group_colours(junction)
    rows = [_text(x, y + 14, "Signal groups", size=13, weight=650)]
    for index, group in enumerate(junction.get("groups") or ()):
        at_y = y + 36 + 20 * index
        kind = str(group.get("kind") or "")
        label = " ".join(filter(None, (str(group.get("name") or ""), f"({kind})" if kind else "")))
        rows.append(_number_tag(x + 9, at_y, str(group["number"]), colours[group["number"]]))
        rows.append(_text(x + 26, at_y + 4, label, size=12))
    below = y + 44 + 20 * len(junction.get("groups") or ())
    key = (_text(x, below + 17 * line, words, size=12, colour=SOFT) for line, words in enumerate(STAGE_KEY))
    return tag("g", *rows, *key)


def _stage(
    junction: Mapping[str, Any], stage: Mapping[str, Any], frame: Frame, index: int, top_px: float
) -> Html:
    x = index % STAGES_PER_ROW * (STAGE_PX + GAP_PX)
    y = top_px + index // STAGES_PER_ROW * (frame.height_px + TITLE_PX + GAP_PX)
    numbers = (group["number"] for group in junction.get("groups") or ())
    states = dict(zip(numbers, stage.get("states") or (), strict=False))
    movements = [*_shaped(junction, "links"), *_shaped(junction, "crossings")]
    # Greens last, so that no red line crosses over them.
    movements.sort(key=lambda link: states.get(link.get("group"), "r") in "Ggs")
    lines = [
        _line(frame, link["shape"], _stage_style(states.get(link.get("group"), "r")), "")
        for link in movements
    ]
    title = _text(x + 2, y + 20, f"Stage {stage.get('name', index + 1)}", size=13, weight=650)
    return tag("g", title, _placed(x, y + TITLE_PX - 6, frame, [*_roads(junction, frame), *lines]))


def _stage_style(state: object) -> dict[str, object]:
    return STAGE_LINES.get(str(state), STOPPED)


def _placed(x: float, y: float, frame: Frame, parts: Iterable[Html]) -> Html:
    size = {"x": _px(x), "y": _px(y), "width": _px(frame.width_px), "height": _px(frame.height_px)}
    border = tag(
        "rect", attributes={"width": size["width"], "height": size["height"], "fill": "none", "stroke": ROAD}
    )
    return tag("svg", *parts, border, attributes=size | {"overflow": "hidden"})


def _line(frame: Frame, shape: Iterable[Point], style: Mapping[str, object], title: str) -> Html:
    attributes = {"d": frame.path(shape), "fill": "none", "stroke-linejoin": "round"} | dict(style)
    return tag("path", *([tag("title", title)] if title else []), attributes=attributes)


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 13,
    weight: int = 400,
    colour: str = INK,
    anchor: str = "start",
) -> Html:
    style = {
        "x": _px(x),
        "y": _px(y),
        "font-size": size,
        "font-weight": weight,
        "fill": colour,
        "text-anchor": anchor,
    }
    return tag("text", text, attributes=style | (HALO if colour == INK else {}))


def _px(value: float) -> str:
    return f"{value:.1f}"


def _extent(points: Sequence[Point]) -> float:
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return max(max(xs) - min(xs), max(ys) - min(ys), 1.0)


def _frame(points: Sequence[Point], width_px: float, margin_m: float) -> Frame:
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    width_m, height_m = max(xs) - min(xs) + 2 * margin_m, max(ys) - min(ys) + 2 * margin_m
    px_per_m = width_px / max(width_m, height_m)
    left_m = (min(xs) + max(xs) - width_px / px_per_m) / 2
    return Frame(left_m, max(ys) + margin_m, px_per_m, width_px, height_m * px_per_m)


def _write(out: Path, width_px: float, height_px: float, parts: Iterable[Html], alt: str) -> None:
    size = {
        "width": _px(width_px),
        "height": _px(height_px),
        "viewBox": f"0 0 {width_px:.1f} {height_px:.1f}",
    }
    names = {"xmlns": "http://www.w3.org/2000/svg", "font-family": "system-ui, sans-serif", "role": "img"}
    paper = tag("rect", attributes={"width": "100%", "height": "100%", "fill": PAPER})
    svg = tag("svg", tag("title", alt), paper, *parts, attributes=names | size)
    write_atomically(out, _printable(svg).encode())


def _printable(text: str) -> str:
    """XML 1.0 has no way to write control characters, so they go."""
    return "".join(letter for letter in text if letter >= " " or letter in "\t\n")

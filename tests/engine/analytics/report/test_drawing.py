"""Drawings as SVG: what is in them, and that names cannot break them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import parse

from greensplit.engine.analytics.report.drawing import draw_junction, draw_network

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<img onerror="x">&]]>\x07'


def cross(name: str = "J1") -> dict[str, Any]:
    """A crossing of two one-way streets: group 1 goes east, group 2 north, group 3 walks across."""
    return {
        "id": name,
        "lanes": [
            {"id": "w", "shape": [[-60, 0], [-8, 0]], "width_m": 3.2},
            {"id": "s", "shape": [[0, -60], [0, -8]], "width_m": 3.2},
        ],
        "links": [
            {"shape": [[-8, 0], [8, 0]], "group": 1, "letter": "a"},
            {"shape": [[0, -8], [0, 8]], "group": 2, "letter": "b"},
        ],
        "groups": [
            {"number": 1, "name": name, "kind": "vehicle"},
            {"number": 2, "name": "north", "kind": "vehicle"},
            {"number": 3, "name": "walk", "kind": "pedestrian"},
        ],
        "stages": [{"name": "A", "states": ["G", "r", "r"]}, {"name": "B", "states": ["r", "g", "G"]}],
        "crossings": [{"shape": [[10, -4], [10, 4]], "group": 3}],
    }


def town(name: str = "Main") -> dict[str, Any]:
    """Two edges, one of them on the corridor, and one junction."""
    edges = [
        {"id": name, "shape": [[0, 0], [100, 0]], "lanes": 2},
        {"id": "b", "shape": [[100, 0], [100, 50]], "lanes": 1},
    ]
    return {
        "edges": edges,
        "junctions": [{"id": "J", "device_id": 1, "x": 100, "y": 0, "name": name}],
        "corridor": {"edges": ["b"]},
    }


def texts(root: Element) -> list[str]:
    """Everything that is written in the drawing."""
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def greens(panel: Element) -> list[str | None]:
    """The dash pattern of each green line of a stage's drawing."""
    return [
        path.get("stroke-dasharray") for path in panel.iter(f"{SVG}path") if path.get("stroke") == "#009e73"
    ]


def test_each_stage_shows_its_greens_solid_and_its_permissive_greens_dashed(tmp_path: Path) -> None:
    """Stage A: one protected green. Stage B: one permissive link and a protected crossing."""
    draw_junction(cross(), tmp_path / "j.svg")
    panels = parse(tmp_path / "j.svg").getroot().findall(f".//{SVG}svg")
    assert len(panels) == 1 + 2
    assert greens(panels[1]) == [None]
    assert sorted(greens(panels[2]), key=str) == ["5 4", None]


def test_links_carry_the_number_and_the_colour_of_their_group(tmp_path: Path) -> None:
    """The plan and the legend both number three groups, in three colours."""
    draw_junction(cross(), tmp_path / "j.svg")
    root = parse(tmp_path / "j.svg").getroot()
    assert [texts(root).count(number) for number in "123"] == [2, 2, 2]
    assert len({disc.get("fill") for disc in root.iter(f"{SVG}circle")}) == 3


def test_north_is_up(tmp_path: Path) -> None:
    """The network's y grows upwards, the drawing's downwards: the edge to the north ends higher."""
    draw_network(town(), tmp_path / "n.svg")
    paths = [p.get("d", "") for p in parse(tmp_path / "n.svg").getroot().iter(f"{SVG}path")]
    start, end = paths[1].removeprefix("M").split(" L")
    assert float(start.split()[1]) > float(end.split()[1])


def test_the_corridor_stands_out(tmp_path: Path) -> None:
    """Its edge has a colour of its own."""
    draw_network(town(), tmp_path / "n.svg")
    strokes = [p.get("stroke") for p in parse(tmp_path / "n.svg").getroot().iter(f"{SVG}path")]
    assert strokes[0] != strokes[1]


@pytest.mark.parametrize("kind", ["network", "junction"])
def test_hostile_names_stay_text(tmp_path: Path, kind: str) -> None:
    """Markup in a name is drawn as it is spelt; what XML cannot hold is left out."""
    out = tmp_path / "x.svg"
    draw_network(town(HOSTILE), out) if kind == "network" else draw_junction(cross(HOSTILE), out)
    root = parse(out).getroot()
    assert [element for element in root.iter() if element.tag.endswith("img")] == []
    assert any(HOSTILE[:-1] in text for text in texts(root))


@pytest.mark.parametrize("draw", [draw_network, draw_junction])
def test_nothing_to_draw_is_said(tmp_path: Path, draw: Any) -> None:
    """An object without shapes gives a drawing with a sentence."""
    draw({"id": "J"}, tmp_path / "x.svg")
    assert "has no shapes to draw" in texts(parse(tmp_path / "x.svg").getroot())[0]


def test_a_single_point_is_drawn(tmp_path: Path) -> None:
    """A network of one junction has no extent and still a scale."""
    draw_network({"junctions": [{"id": "J", "x": 5, "y": 5}]}, tmp_path / "x.svg")
    assert "J" in texts(parse(tmp_path / "x.svg").getroot())

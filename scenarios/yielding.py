"""Programs corrected so that traffic which must yield to a green crossing is shown as permissive.

netconvert does so for signals of one movement. Where one signal index serves a straight and a turning
movement (Ingolstadt's 243641585) it leaves ``G`` beside the crossing that the turn meets.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, tostring

from .xmlio import tree, write_atomically

__all__ = ["show_yielding"]


def show_yielding(net_file: Path) -> int:
    """Turn ``G`` into ``g`` in ``net_file``, modified in place, where a crossing it yields to is green.

    Returns the number of phases changed; with none the file stays as it is. Raises NetworkError, OutputError.
    """
    root = tree(net_file)
    pairs = _yielding_pairs(root)
    changed = sum(
        _lower(phase, pairs.get(program.attrib["id"], set()))
        for program in root.iter("tlLogic")
        for phase in program.iter("phase")
    )
    if changed:
        write_atomically(
            net_file, [b'<?xml version="1.0" encoding="UTF-8"?>\n', tostring(root, encoding="utf-8")]
        )
    return changed


def _lower(phase: Element, pairs: set[tuple[int, int]]) -> bool:
    state = list(phase.attrib["state"])
    for vehicle, crossing in pairs:
        if state[vehicle] == "G" and state[crossing] in "Gg":
            state[vehicle] = "g"
    changed = "".join(state) != phase.attrib["state"]
    phase.set("state", "".join(state))
    return changed


def _yielding_pairs(root: Element) -> dict[str, set[tuple[int, int]]]:
    """By traffic light: signal indices of vehicles and of crossings that they yield to."""
    links = [link for link in root.iter("connection") if link.get("tl")]
    places = _places(root)
    responses = {
        (junction.get("id"), int(request.attrib["index"])): request.attrib["response"][::-1]
        for junction in root.iter("junction")
        for request in junction.iter("request")
    }
    crossings = {
        place: int(link.attrib["linkIndex"])
        for link in links
        if (place := places.get(f"{link.get('to')}_{link.get('toLane')}"))
    }
    pairs: dict[str, set[tuple[int, int]]] = {}
    for link in links:
        junction, index = places.get(link.get("via", ""), ("", -1))
        for bit in _set_bits(responses.get((junction, index), "")):
            if (junction, bit) in crossings:
                pair = int(link.attrib["linkIndex"]), crossings[junction, bit]
                pairs.setdefault(link.attrib["tl"], set()).add(pair)
    return pairs


def _set_bits(bits: str) -> Iterator[int]:
    return (index for index, bit in enumerate(bits) if bit == "1")


def _places(root: Element) -> dict[str, tuple[str, int]]:
    """Junction and request index by inner lane; one before a waiting place has that of the lane after it."""
    places = {
        lane: (junction.attrib["id"], index)
        for junction in root.iter("junction")
        if junction.get("type") != "internal"
        for index, lane in enumerate(junction.get("intLanes", "").split())
    }
    for link in root.iter("connection"):
        if link.attrib["from"].startswith(":") and link.get("via") in places:
            places.setdefault(f"{link.get('from')}_{link.get('fromLane')}", places[link.attrib["via"]])
    return places

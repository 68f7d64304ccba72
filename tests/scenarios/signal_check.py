"""A checker of pedestrian greens written apart from the product: reads nothing but the network file."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

import defusedxml.ElementTree


def crossing_faults(net_file: Path) -> tuple[int, list[str]]:
    """Number of signalised crossings, and what is wrong with their programs in words."""
    root = defusedxml.ElementTree.parse(net_file).getroot()
    places, responses = _places(root), _responses(root)
    number, faults = 0, []
    for program in root.iter("tlLogic"):
        states = [phase.attrib["state"] for phase in program.iter("phase")]
        links = [link for link in root.iter("connection") if link.get("tl") == program.get("id")]
        crossings = [link for link in links if link.attrib["to"].startswith(":")]
        number += len(crossings)
        for crossing in crossings:
            index = int(crossing.attrib["linkIndex"])
            if not any(state[index] in "gG" for state in states):
                faults.append(f"{program.get('id')}: crossing {index} never gets green")
            for link in links:
                if link not in crossings and _collide(crossing, link, states, places, responses):
                    faults.append(f"{program.get('id')}: crossing {index} and link {link.get('linkIndex')}")
    return number, faults


def _collide(
    crossing: Element,
    link: Element,
    states: list[str],
    places: dict[str, tuple[str, int]],
    responses: dict[tuple[str, int], tuple[str, str]],
) -> bool:
    """Whether both are green at once though they meet and the vehicle does not yield."""
    crossing_place = places[f"{crossing.get('to')}_{crossing.get('toLane')}"]
    link_place = places[link.attrib["via"]]
    if crossing_place[0] != link_place[0]:
        return False
    meets = responses[crossing_place][1][link_place[1]] == "1"
    yields = responses[link_place][0][crossing_place[1]] == "1"
    a, b = int(crossing.attrib["linkIndex"]), int(link.attrib["linkIndex"])
    together = [state[b] for state in states if state[a] in "gG" and state[b] in "gG"]
    return meets and bool(together) and ("G" in together or not yields)


def _places(root: Element) -> dict[str, tuple[str, int]]:
    """Junction and index of every inner lane; one before a waiting place has that of the lane after it."""
    places = {
        lane: (junction.attrib["id"], index)
        for junction in root.iter("junction")
        if junction.get("type") != "internal"
        for index, lane in enumerate(junction.get("intLanes", "").split())
    }
    for link in root.iter("connection"):
        first = f"{link.get('from')}_{link.get('fromLane')}"
        if first.startswith(":") and link.get("via") in places:
            places.setdefault(first, places[link.attrib["via"]])
    return places


def _responses(root: Element) -> dict[tuple[str, int], tuple[str, str]]:
    # Bit strings are written with index 0 on the right.
    return {
        (junction.attrib["id"], int(request.attrib["index"])): (
            request.attrib["response"][::-1],
            request.attrib["foes"][::-1],
        )
        for junction in root.iter("junction")
        for request in junction.iter("request")
    }

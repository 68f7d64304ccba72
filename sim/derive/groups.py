"""Signal groups of a light: lamps with equal columns, on one approach, for one kind of road user."""

from __future__ import annotations

from dataclasses import dataclass

from greensplit.engine.model.site import GroupKind

from .light import Light, Way

__all__ = ["Bundle", "approach_name", "bundle_lamps"]

_COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
_DIRECTIONS = {
    "s": "straight",
    "r": "right",
    "R": "half right",
    "l": "left",
    "L": "half left",
    "t": "turn-around",
}
_ORDER = "lLtsRr"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Lamps that form one signal group, before their times are known."""

    number: int
    name: str
    kind: GroupKind
    lamps: tuple[int, ...]
    ways: tuple[Way, ...]
    turn_on_red: bool


def bundle_lamps(light: Light) -> tuple[Bundle, ...]:
    """The groups of a light, in the order of their first lamps.

    Lamps are one group when they show the same in every state of every program, serve one approach and one kind of
    road user. Without a program, lamps of one approach and direction are one group.
    """
    members: dict[tuple[str, ...], list[int]] = {}
    for lamp, ways in enumerate(light.ways):
        if ways and not _is_dark(light, lamp):
            members.setdefault(_key(light, lamp, ways), []).append(lamp)
    groups = sorted(members.values())
    named = [_bundle(light, number, lamps) for number, lamps in enumerate(groups, start=1)]
    return tuple(_with_distinct_names(named))


def _is_dark(light: Light, lamp: int) -> bool:
    return bool(light.states) and not set(light.columns[lamp]) - set("oO")


def _key(light: Light, lamp: int, ways: tuple[Way, ...]) -> tuple[str, ...]:
    kind = _kind(ways)
    place = ways[0].connection.target if kind is GroupKind.PEDESTRIAN else ways[0].connection.source
    column = light.columns[lamp] if light.states else ways[0].connection.direction
    return (place, kind, column)


def _kind(ways: tuple[Way, ...]) -> GroupKind:
    if any(way.is_crossing for way in ways):
        return GroupKind.PEDESTRIAN
    lane = ways[0].lane
    if lane.admits("passenger") or lane.admits("bus") or lane.admits("truck"):
        return GroupKind.VEHICLE
    if lane.admits("tram") or lane.admits("rail_urban"):
        return GroupKind.TRAM
    return GroupKind.CYCLE if lane.admits("bicycle") else GroupKind.VEHICLE


def _bundle(light: Light, number: int, lamps: list[int]) -> Bundle:
    ways = tuple(way for lamp in lamps for way in light.ways[lamp])
    column = light.columns[lamps[0]] if light.states else ""
    return Bundle(
        number,
        _name(ways),
        _kind(ways),
        tuple(lamps),
        ways,
        "s" in column and "r" not in column,
    )


def approach_name(way: Way) -> str:
    """Where the approach comes from, as a compass word."""
    return _COMPASS[round(((way.heading_deg + 180.0) % 360.0) / 45.0) % 8]


def _name(ways: tuple[Way, ...]) -> str:
    if ways[0].is_crossing:
        return f"crossing {ways[0].connection.target}"
    directions = sorted(
        {way.connection.direction for way in ways}, key=lambda d: _ORDER.find(d) if d in _ORDER else 9
    )
    turns = "+".join(_DIRECTIONS.get(direction, "through") for direction in directions)
    return f"from {approach_name(ways[0])}: {turns}"


def _with_distinct_names(bundles: list[Bundle]) -> list[Bundle]:
    names = [bundle.name for bundle in bundles]
    return [
        Bundle(b.number, f"{b.name} ({b.number})", b.kind, b.lamps, b.ways, b.turn_on_red)
        if names.count(b.name) > 1
        else b
        for b in bundles
    ]

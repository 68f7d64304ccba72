"""What people call a junction and a stage."""

from __future__ import annotations

import difflib

from ..errors import InputError
from .site import GroupKind, Junction, Site, Stage

__all__ = ["find_junction", "served_approaches", "shown_groups"]

MOST_NAMED = 8


def find_junction(site: Site, name: str) -> Junction:
    """The junction of that id or device number; InputError with near names, or some, where there is none."""
    for junction in site.junctions:
        if name == junction.id:
            return junction
    for junction in site.junctions:
        if name == str(junction.device_id):
            return junction
    ids = [junction.id for junction in site.junctions]
    near = difflib.get_close_matches(name, ids, n=3, cutoff=0.5) or [one for one in ids if name in one][:3]
    if near:
        raise InputError(
            f"junction: expected one of the {len(ids)} of {site.name}, found {name}; did you mean {' or '.join(near)}?"
        )
    some = ", ".join(ids[:MOST_NAMED]) + (", ..." if len(ids) > MOST_NAMED else "")
    raise InputError(f"junction: expected one of the {len(ids)} of {site.name} ({some}), found {name}")


def shown_groups(stage: Stage) -> str:
    """Numbers of the green groups; those that yield in brackets."""
    return " ".join(f"({number})" if number in stage.permissive else str(number) for number in stage.green)


def served_approaches(junction: Junction, stage: Stage) -> str:
    """Where the green groups come from and go to, groups from one approach together."""
    moves: dict[str, list[str]] = {}
    for number in stage.green:
        group = junction.groups[number - 1]
        if group.kind is GroupKind.PEDESTRIAN:
            moves.setdefault("crossings", []).append(str(number))
            continue
        origin, colon, move = group.name.removeprefix("from ").partition(": ")
        told = move if colon else origin
        moves.setdefault(origin if colon else "", []).append(
            f"({told})" if number in stage.permissive else told
        )
    return "; ".join(f"{origin} {', '.join(found)}".lstrip() for origin, found in moves.items())

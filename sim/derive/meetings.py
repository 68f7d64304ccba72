"""Which groups meet, and who yields.

Two movements meet where the junction's foe matrix says so. They *conflict* unless one of them yields: a deployed
program shows them green together, or the response matrix makes a turn yield to traffic from the opposite approach
or to the crossing it turns into. The response matrix alone is not enough: netconvert also lets one of two crossing
straight movements yield, as if there were no signal.
"""

from __future__ import annotations

from dataclasses import dataclass

from greensplit.engine.model.site import MeetingKind

from .groups import Bundle
from .light import OPEN, Light, Way

__all__ = ["Relation", "relate"]

OPPOSITE_DEG = 120.0
TURNS = "lLrRt"
LEFTS = "lLt"


@dataclass(frozen=True, slots=True)
class Relation:
    """How two groups meet; ``first`` yields where the kind is permissive, both where a shared pair is ``mutual``."""

    first: int
    second: int
    kind: MeetingKind
    left_turn: bool
    mutual: bool = False


def relate(light: Light, bundles: tuple[Bundle, ...]) -> tuple[Relation, ...]:
    """All pairs of groups that meet, each once."""
    relations = []
    for i, a in enumerate(bundles):
        for b in bundles[i + 1 :]:
            relation = _relate_pair(light, a, b)
            if relation is not None:
                relations.append(relation)
    return tuple(relations)


def _relate_pair(light: Light, a: Bundle, b: Bundle) -> Relation | None:
    met = [(x, y) for x in a.ways for y in b.ways if _are_foes(x, y)]
    if not met:
        return None
    a_yields, b_yields, shared, apart = False, False, False, False
    for x, y in met:
        verdict = _verdict(light, a, b, x, y)
        a_yields |= verdict == "first"
        b_yields |= verdict == "second"
        shared |= verdict == "shared"
        apart |= verdict == "apart"
    if apart:
        return Relation(a.number, b.number, MeetingKind.CONFLICT, False)
    if shared or (a_yields and b_yields):
        return Relation(a.number, b.number, MeetingKind.SHARED, False, mutual=a_yields and b_yields)
    first, second = (a, b) if a_yields else (b, a)
    left = any(_is_trapped(x, y) if a_yields else _is_trapped(y, x) for x, y in met)
    return Relation(first.number, second.number, MeetingKind.PERMISSIVE, left)


def _are_foes(x: Way, y: Way) -> bool:
    if x.node is not y.node or x.link < 0 or y.link < 0:
        return False
    return bool(x.node.foes[x.link] >> y.link & 1 or y.node.foes[y.link] >> x.link & 1)


def _yields(x: Way, y: Way) -> bool:
    return bool(x.node.response[x.link] >> y.link & 1)


def _gives_way(x: Way, y: Way) -> bool:
    """Does x yield to y? Of two turns that yield to each other, the left one does."""
    if not _yields(x, y):
        return False
    return not _yields(y, x) or x.connection.direction in LEFTS or y.connection.direction not in LEFTS


def _verdict(light: Light, a: Bundle, b: Bundle, x: Way, y: Way) -> str:
    """Who yields where ways x of group a and y of group b meet: first, second, shared (neither), or apart."""
    letters = {(state[a.lamps[0]], state[b.lamps[0]]) for state in light.stage_states}
    together = {pair for pair in letters if pair[0] in OPEN and pair[1] in OPEN}
    if ("G", "G") in together:
        return "shared"
    if together == {("g", "G")}:
        return "first"
    if together == {("G", "g")}:
        return "second"
    if together:
        return "first" if _gives_way(x, y) else "second"
    if _gives_way(x, y) and _may_yield(x, y):
        return "first"
    if _gives_way(y, x) and _may_yield(y, x):
        return "second"
    return "apart"


def _may_yield(x: Way, y: Way) -> bool:
    """Is it usual that x, turning, yields to y: opposing traffic, or people on the crossing it turns into?"""
    if x.is_crossing or x.connection.direction not in TURNS:
        return False
    return y.is_crossing or _is_opposite(x, y)


def _is_opposite(x: Way, y: Way) -> bool:
    apart = abs(x.heading_deg - y.heading_deg) % 360.0
    return min(apart, 360.0 - apart) > OPPOSITE_DEG


def _is_trapped(x: Way, y: Way) -> bool:
    """Is x a left turn that waits for opposing traffic y?"""
    return not y.is_crossing and x.connection.direction in LEFTS and _is_opposite(x, y)

"""A judge of lamps written apart from the product: it reads the network file, and the lamp strings that were shown.

It has its own words. A *lamp* is a position in the state string of a *light*. A *path* is a connection that a lamp
controls; two paths *cross* when the junction's foe table says so. What a program of the network shows is taken as
permitted, pair by pair; everything else has to be safe by the rules below. A strip of lamps is one string per second.
"""

from __future__ import annotations

import gzip
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

import defusedxml.ElementTree

LEAST_GREEN_S = 5
LEAST_RED_S = 2
LEAST_YELLOW_S = 3
WALK_MPS = 1.2
OPPOSITE_DEG = 120.0


@dataclass(frozen=True)
class Way:
    """One controlled connection."""

    node: str
    row: int
    turn: str
    heading_deg: float
    crossing_m: float


@dataclass
class Lights:
    """One traffic light: what its lamps control, and its programs spread out to one state a second, cyclic."""

    id: str
    paths: dict[int, list[Way]] = field(default_factory=lambda: defaultdict(list))
    programs: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class Fault:
    """What was wrong, when, and with which lamps."""

    light: str
    second: int
    rule: str
    lamps: tuple[int, ...]


class Judge:
    """Reads a network once; judges strips of its lights."""

    def __init__(self, net_file: Path, *more: Path) -> None:
        """``more`` are additional files whose programs count as the network's."""
        root = _parse(net_file)
        self._foes, self._response = _tables(root)
        self.lights = _lights(root)
        for source in (root, *(_parse(path) for path in more)):
            for logic in source.iter("tlLogic"):
                if logic.get("id") in self.lights:
                    self.lights[logic.attrib["id"]].programs.append(_second_by_second(logic))

    def faults(self, light: str, strip: Sequence[str]) -> list[Fault]:
        """Everything that is wrong with a strip."""
        return list(_Case(self, self.lights[light], strip).faults())

    def cross(self, a: Way, b: Way) -> bool:
        if a.node != b.node or a is b:
            return False
        return a.row in self._foes[b.node, b.row] or b.row in self._foes[a.node, a.row]

    def gives_way(self, a: Way, b: Way) -> bool:
        """Does a, turning, wait for b: people, or traffic from ahead? A straight path never counts as waiting."""
        if a.crossing_m or a.turn == "s" or a.node != b.node or b.row not in self._response[a.node, a.row]:
            return False
        return bool(b.crossing_m) or _apart_deg(a, b) > OPPOSITE_DEG


class _Case:
    """One light and one strip."""

    def __init__(self, judge: Judge, light: Lights, strip: Sequence[str]) -> None:
        self.judge, self.light, self.strip = judge, light, strip
        self.lamps = sorted(light.paths)
        self.pairs = [
            (a, b)
            for a in self.lamps
            for b in self.lamps
            if a != b and any(judge.cross(x, y) for x in light.paths[a] for y in light.paths[b])
        ]
        self.shown = {
            (a, b): {(state[a], state[b]) for program in light.programs for state in program}
            for a, b in self.pairs
        }

    def faults(self) -> Iterator[Fault]:
        for t in range(1, len(self.strip)):
            if self.strip[t] != self.strip[t - 1] or t == 1:
                yield from self._greens_together(t)
                yield from self._steps(t)
        for lamp in self.lamps:
            yield from self._runs(lamp)
        for a, b in self.pairs:
            yield from self._changes(a, b)
            yield from self._traps(a, b)

    def _fault(self, t: int, rule: str, *lamps: int) -> Fault:
        return Fault(self.light.id, t, rule, lamps)

    def _greens_together(self, t: int) -> Iterator[Fault]:
        state = self.strip[t]
        for a, b in self.pairs:
            if a < b and _go(state[a]) and _go(state[b]) and not self._may_go_together(a, b, state):
                yield self._fault(t, f"{state[a]} and {state[b]} cross", a, b)

    def _may_go_together(self, a: int, b: int, state: str) -> bool:
        shown = self.shown[a, b]
        bolder = {("G", "G")} | {(x, y) for x in state[a] + "G" for y in state[b] + "G"}
        if shown & bolder:
            return True
        return all(
            (state[a] == "g" and self.judge.gives_way(x, y))
            or (state[b] == "g" and self.judge.gives_way(y, x))
            for x in self.light.paths[a]
            for y in self.light.paths[b]
            if self.judge.cross(x, y)
        )

    def _steps(self, t: int) -> Iterator[Fault]:
        """From one letter to the next: green, yellow, red; people go from green to red."""
        for lamp in self.lamps:
            before, now = self.strip[t - 1][lamp], self.strip[t][lamp]
            if now not in "GgyrsuoO":
                yield self._fault(t, f"unknown letter {now}", lamp)
            if _go(before) and not _go(now) and now != ("r" if self._is_walk(lamp) else "y"):
                yield self._fault(t, f"green to {now}", lamp)
            if before == "y" and now not in "yrs":
                yield self._fault(t, f"yellow to {now}", lamp)
            if before in "rs" and now == "y":
                yield self._fault(t, "red to yellow", lamp)
            if now == "s" and not any(state[lamp] == "s" for p in self.light.programs for state in p):
                yield self._fault(t, "a turn on red that no program shows", lamp)

    def _is_walk(self, lamp: int) -> bool:
        return any(path.crossing_m for path in self.light.paths[lamp])

    def _runs(self, lamp: int) -> Iterator[Fault]:
        """Greens, yellows and reds that are long enough; the first and last are cut off by the record."""
        own_green = min(self._program_runs(lamp, "Gg"), default=LEAST_GREEN_S)
        least = {
            "green": min(LEAST_GREEN_S, max(1, own_green)),
            "yellow": self._least_yellow(lamp),
            "red": LEAST_RED_S,
        }
        runs = _runs([_colour(state[lamp]) for state in self.strip])
        for start, end, colour in runs[1:-1]:
            if end - start < least.get(colour, 0):
                yield self._fault(end, f"{colour} of {end - start} s, {least[colour]} s needed", lamp)

    def _program_runs(self, lamp: int, letters: str) -> list[int]:
        return [
            run
            for program in self.light.programs
            for run in _cyclic_runs([state[lamp] in letters for state in program])
        ]

    def _least_yellow(self, lamp: int) -> int:
        own = self._program_runs(lamp, "yY")
        others = [run for other in self.lamps for run in self._program_runs(other, "yY")]
        return min(own or others or [LEAST_YELLOW_S])

    def _changes(self, a: int, b: int) -> Iterator[Fault]:
        """Between the end of green of a and the start of green of b: time enough to leave the junction."""
        if self._is_free(a, b):
            return
        ended = -math.inf
        needed = self._needed_gap(a, b)
        for t in range(1, len(self.strip)):
            before, now = self.strip[t - 1], self.strip[t]
            if _go(before[a]) and not _go(now[a]):
                ended = t
            if _go(now[b]) and not _go(before[b]) and not _go(now[a]) and t - ended < needed:
                yield self._fault(t, f"starts {t - ended} s after, {needed} s needed", a, b)

    def _is_free(self, a: int, b: int) -> bool:
        """A program shows both protected, or b's green beside a's yellow."""
        return bool(self.shown[a, b] & {("G", "G"), ("y", "G"), ("y", "g")})

    def _needed_gap(self, a: int, b: int) -> int:
        """The shortest that a program shows for this change, at least the yellow; people need to walk across."""
        if self._is_walk(a):
            return math.ceil(max(path.crossing_m for path in self.light.paths[a]) / WALK_MPS)
        shown = [gap for program in self.light.programs for gap in _gaps(program, a, b)]
        return max(min(shown, default=0), self._least_yellow(a))

    def _traps(self, a: int, b: int) -> Iterator[Fault]:
        """A left turn that waits for b sees yellow while b stays green: it would think that b ends too."""
        if ("G", "G") in self.shown[a, b] or not any(
            x.turn in "lLt" and _apart_deg(x, y) > OPPOSITE_DEG and self.judge.gives_way(x, y)
            for x in self.light.paths[a]
            for y in self.light.paths[b]
            if not y.crossing_m and self.judge.cross(x, y)
        ):
            return
        for t in range(1, len(self.strip)):
            before, now = self.strip[t - 1], self.strip[t]
            if before[a] == "g" and not _go(now[a]) and _go(before[b]) and _go(now[b]):
                yield self._fault(t, "yellow trap", a, b)


def _go(letter: str) -> bool:
    return letter in "Gg"


def _colour(letter: str) -> str:
    return {"G": "green", "g": "green", "y": "yellow", "r": "red", "s": "red"}.get(letter, letter)


def _apart_deg(a: Way, b: Way) -> float:
    return abs((a.heading_deg - b.heading_deg + 180.0) % 360.0 - 180.0)


def _runs(colours: list[str]) -> list[tuple[int, int, str]]:
    """(start, end, colour) of every unbroken run."""
    edges = [0, *(t for t in range(1, len(colours)) if colours[t] != colours[t - 1]), len(colours)]
    return [(s, e, colours[s]) for s, e in pairwise(edges)]


def _cyclic_runs(shown: list[bool]) -> list[int]:
    if all(shown) or not any(shown):
        return []
    start = shown.index(False)
    turned = shown[start:] + shown[:start]
    return [end - begin for begin, end, value in _runs([str(v) for v in turned]) if value == "True"]


def _gaps(program: list[str], a: int, b: int) -> Iterator[int]:
    """Seconds from each end of green of a to the next start of green of b, where no other stage lies between."""
    n = len(program)
    for t in range(n):
        if _go(program[t - 1][a]) and not _go(program[t][a]):
            for gap in range(n):
                state, before = program[(t + gap) % n], program[(t + gap - 1) % n]
                if gap and _go(state[b]) and not _go(before[b]):
                    yield gap
                    break
                if not set(state) & set("yYu") and set(state) & set("Gg"):
                    break


def _second_by_second(logic: Element) -> list[str]:
    states: list[str] = []
    for phase in logic.iter("phase"):
        states += [phase.attrib["state"]] * max(1, math.ceil(float(phase.attrib["duration"])))
    return states


def _parse(path: Path) -> Element:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        root: Element = defusedxml.ElementTree.parse(file).getroot()
    return root


def _tables(root: Element) -> tuple[dict[tuple[str, int], set[int]], dict[tuple[str, int], set[int]]]:
    """Rows that each row of a node meets, and that it waits for. Bit strings have row 0 on the right."""
    foes, response = {}, {}
    for node in root.iter("junction"):
        for request in node.iter("request"):
            key = node.attrib["id"], int(request.attrib["index"])
            foes[key] = {i for i, bit in enumerate(reversed(request.attrib["foes"])) if bit == "1"}
            response[key] = {i for i, bit in enumerate(reversed(request.attrib["response"])) if bit == "1"}
    return foes, response


def _lights(root: Element) -> dict[str, Lights]:
    rows, shapes, lengths = _rows(root), {}, {}
    for lane in root.iter("lane"):
        shapes[lane.attrib["id"]] = lane.get("shape", "")
        lengths[lane.attrib["id"]] = float(lane.attrib["length"])
    crossings = {edge.attrib["id"] for edge in root.iter("edge") if edge.get("function") == "crossing"}
    found: dict[str, Lights] = {}
    for link in root.iter("connection"):
        light = link.get("tl")
        if light is None:
            continue
        inner = f"{link.get('to')}_0" if link.get("to") in crossings else link.attrib["via"]
        node, row = rows[inner]
        path = Way(
            node,
            row,
            link.get("dir", "s"),
            _heading(shapes[f"{link.get('from')}_{link.get('fromLane')}"]),
            lengths[inner] if link.get("to") in crossings else 0.0,
        )
        found.setdefault(light, Lights(light)).paths[int(link.attrib["linkIndex"])].append(path)
    return found


def _rows(root: Element) -> dict[str, tuple[str, int]]:
    """Node and row of every inner lane; a lane before a waiting place has the row of the lane after it."""
    rows = {
        lane: (node.attrib["id"], i)
        for node in root.iter("junction")
        if node.get("type") != "internal"
        for i, lane in enumerate(node.get("intLanes", "").split())
    }
    for link in root.iter("connection"):
        first = f"{link.get('from')}_{link.get('fromLane')}"
        if first.startswith(":") and link.get("via") in rows:
            rows.setdefault(first, rows[link.attrib["via"]])
    return rows


def _heading(shape: str) -> float:
    points = [tuple(map(float, point.split(",")[:2])) for point in shape.split()]
    if len(points) < 2:
        return 0.0
    (x0, y0), (x1, y1) = points[-2:]
    return math.degrees(math.atan2(x1 - x0, y1 - y0))

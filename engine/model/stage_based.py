"""A stage-based junction, as European and Chinese controllers describe it: groups, an intergreen matrix, stages.

Everything is by name: groups with a style of lamps, one intergreen per ordered pair that conflicts, the pairs of which
one yields, and stages in the order in which one ring serves them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..errors import ModelError
from .site import (
    GroupKind,
    Junction,
    Meeting,
    MeetingKind,
    Plan,
    Preempt,
    Recall,
    Ring,
    RingStep,
    Sequence,
    SignalGroup,
    Site,
    Stage,
    Step,
)
from .validate import check

__all__ = [
    "CHINA",
    "CYCLE",
    "GERMANY",
    "TRAM",
    "UK",
    "US",
    "Group",
    "Intergreen",
    "Style",
    "Yielding",
    "pedestrian",
    "stage_based",
]


@dataclass(frozen=True, slots=True)
class Style:
    """What a group shows between red and green and back, to whom, and for how long before its end a countdown runs."""

    sequence: Sequence
    kind: GroupKind = GroupKind.VEHICLE
    commit_ms: int = 0


US = Style(Sequence(stop=(Step("yellow", 3000),)))
"""Green, yellow, red (MUTCD; yellow 3 to 6 s by approach speed)."""
GERMANY = Style(Sequence((Step("red_amber", 1000),), (Step("yellow", 3000),)))
"""Red-amber 1 s, yellow 3 s at 50 km/h (RiLSA 2015)."""
UK = Style(Sequence((Step("red_amber", 2000),), (Step("yellow", 3000),)))
"""Red with amber 2 s, amber 3 s (TSRGD 2016)."""
CHINA = Style(Sequence(stop=(Step("green_flash", 3000), Step("yellow", 3000))), commit_ms=9000)
"""Flashing green 3 s, yellow 3 s, and a countdown over the last 9 s of green: a usual setting, not a rule."""
TRAM = Style(Sequence(stop=(Step("yellow", 4000),)), GroupKind.TRAM)
"""Stop to be expected 4 s; depends on the speed and braking of the trams."""
CYCLE = Style(Sequence((Step("red_amber", 1000),), (Step("yellow", 2000),)), GroupKind.CYCLE)
"""Red-amber 1 s, yellow 2 s (RiLSA 2015)."""


def pedestrian(clearance_ms: int, flash_ms: int = 0) -> Style:
    """People: ``flash_ms`` of flashing green where it is used, then ``clearance_ms`` of walking out."""
    flash = (Step("green_flash", flash_ms),) if flash_ms else ()
    return Style(Sequence(stop=(*flash, Step("clearance", clearance_ms))), GroupKind.PEDESTRIAN)


@dataclass(frozen=True, slots=True)
class Group:
    """A signal group by name. Times in ms."""

    name: str
    style: Style
    min_green_ms: int = 5000
    max_green_ms: int = 60_000
    passage_ms: int = 3000
    recall: Recall = Recall.NONE


@dataclass(frozen=True, slots=True)
class Intergreen:
    """One cell of the matrix: from the end of green of ``ending`` to the start of green of ``starting``, ms."""

    ending: str
    starting: str
    ms: int


@dataclass(frozen=True, slots=True)
class Yielding:
    """Group ``first`` yields to group ``second`` where both are green; ``left_turn``: to opposing traffic."""

    first: str
    second: str
    left_turn: bool = False


def stage_based(
    name: str,
    groups: Iterable[Group],
    *,
    intergreens: Iterable[Intergreen],
    stages: Mapping[str, Iterable[str]],
    yields: Iterable[Yielding] = (),
    order: Iterable[str] = (),
    plans: tuple[Plan, ...] = (),
    preempts: tuple[Preempt, ...] = (),
    device_id: int = 1,
    x_m: float = 0.0,
    y_m: float = 0.0,
    start_red_ms: int = 6000,
) -> Junction:
    """The junction ``name``, without lanes and detectors.

    Groups are numbered from 1 as listed; lamp i is group i + 1. Two groups meet where the matrix has their
    intergreens, which must be there in both directions; they conflict unless one of them yields. A yielding group is
    permissive in every stage where the other is green. ``order`` is the ring, all stages as listed where it is
    empty.

    Raises ModelError naming junction, group, expected and found.

    >>> junction = stage_based(
    ...     "Markt",
    ...     [Group("K1", GERMANY), Group("F1", pedestrian(9000), min_green_ms=7000)],
    ...     intergreens=[Intergreen("K1", "F1", 4000), Intergreen("F1", "K1", 10_000)],
    ...     stages={"cars": ["K1"], "people": ["F1"]},
    ... )
    >>> [(m.first, m.second, m.intergreen_ms, m.reverse_ms) for m in junction.meetings]
    [(1, 2, 4000, 10000)]
    >>> [step.name for step in junction.rings[0].steps]
    ['cars', 'people']
    """
    listed = tuple(groups)
    matrix, yielding = tuple(intergreens), tuple(yields)
    named = {stage: tuple(greens) for stage, greens in stages.items()}
    steps = tuple(order) or tuple(named)
    for finding in _findings(listed, matrix, yielding, named, steps):
        raise ModelError(f"junction {name}: {finding}")
    numbers = {group.name: number for number, group in enumerate(listed, start=1)}
    meetings = tuple(_meetings(numbers, matrix, yielding))
    made = {stage: _stage(stage, greens, numbers, meetings) for stage, greens in named.items()}
    junction = Junction(
        id=name,
        device_id=device_id,
        x_m=x_m,
        y_m=y_m,
        idle_lamps="." * len(listed),
        groups=tuple(_group(numbers[group.name], group) for group in listed),
        meetings=meetings,
        stages=tuple(made.values()),
        plans=plans,
        lanes=(),
        detectors=(),
        rings=(Ring(tuple(RingStep(step, made[step].green) for step in steps)),),
        preempts=preempts,
        start_red_ms=start_red_ms,
    )
    check(Site(name, (junction,)))
    return junction


def _findings(
    groups: tuple[Group, ...],
    matrix: tuple[Intergreen, ...],
    yields: tuple[Yielding, ...],
    stages: dict[str, tuple[str, ...]],
    order: tuple[str, ...],
) -> Iterator[str]:
    names = [group.name for group in groups]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"group {name}: expected one of that name, found {names.count(name)}"
    yield from _name_findings(names, matrix, yields, stages)
    yield from _matrix_findings(matrix, yields)
    for step in order:
        if step not in stages:
            yield f"order: expected stages of {sorted(stages)}, found {step}"


def _name_findings(
    names: list[str],
    matrix: tuple[Intergreen, ...],
    yields: tuple[Yielding, ...],
    stages: dict[str, tuple[str, ...]],
) -> Iterator[str]:
    said = [
        *(
            (f"intergreen from {cell.ending} to {cell.starting}", (cell.ending, cell.starting))
            for cell in matrix
        ),
        *((f"{pair.first} yields to {pair.second}", (pair.first, pair.second)) for pair in yields),
        *((f"stage {stage}", greens) for stage, greens in stages.items()),
    ]
    for where, found in said:
        for name in found:
            if name not in names:
                yield f"{where}: expected groups of {names}, found {name}"


def _matrix_findings(matrix: tuple[Intergreen, ...], yields: tuple[Yielding, ...]) -> Iterator[str]:
    cells: dict[tuple[str, str], int] = {}
    for cell in matrix:
        known = cells.setdefault((cell.ending, cell.starting), cell.ms)
        if known != cell.ms:
            where = f"intergreen from {cell.ending} to {cell.starting}"
            yield f"{where}: expected one value, found {known} and {cell.ms} ms"
    pairs = [*cells, *((pair.first, pair.second) for pair in yields)]
    for ending, starting in dict.fromkeys(pairs):
        for there, back in ((ending, starting), (starting, ending)):
            if (there, back) not in cells:
                yield f"groups {ending} and {starting}: expected an intergreen from {there} to {back}, found none"
    said = {(pair.first, pair.second) for pair in yields}
    for first, second in sorted(said):
        if first < second and (second, first) in said:
            yield f"groups {first} and {second}: expected one to yield, found both"


def _meetings(
    numbers: dict[str, int], matrix: tuple[Intergreen, ...], yields: tuple[Yielding, ...]
) -> Iterator[Meeting]:
    cells = {(cell.ending, cell.starting): cell.ms for cell in matrix}
    yielding = {(pair.first, pair.second): pair for pair in yields}
    done: set[frozenset[str]] = set()
    for first, second in (*yielding, *cells):
        if frozenset((first, second)) in done:
            continue
        done.add(frozenset((first, second)))
        pair = yielding.get((first, second))
        yield Meeting(
            numbers[first],
            numbers[second],
            MeetingKind.PERMISSIVE if pair else MeetingKind.CONFLICT,
            cells[first, second],
            cells[second, first],
            pair is not None and pair.left_turn,
        )


def _stage(
    name: str, greens: tuple[str, ...], numbers: dict[str, int], meetings: tuple[Meeting, ...]
) -> Stage:
    green = {numbers[group] for group in greens}
    yielding = {
        m.first
        for m in meetings
        if m.kind is MeetingKind.PERMISSIVE and m.first in green and m.second in green
    }
    return Stage(name, tuple(sorted(green)), tuple(sorted(yielding)))


def _group(number: int, group: Group) -> SignalGroup:
    return SignalGroup(
        number,
        group.name,
        group.style.kind,
        (number - 1,),
        group.style.sequence,
        group.min_green_ms,
        commit_ms=group.style.commit_ms,
        max_green_ms=group.max_green_ms,
        passage_ms=group.passage_ms,
        recall=group.recall,
    )

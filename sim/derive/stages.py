"""Stages: those of the programs, and all maximal sets of groups that may be green together."""

from __future__ import annotations

from greensplit.engine.model.site import GroupKind, MeetingKind, Plan, PlanStep, Stage

from .groups import Bundle
from .light import OPEN, Light
from .meetings import Relation

__all__ = ["derive_plans", "derive_stages"]

MAX_DERIVED = 32


def derive_stages(
    light: Light, bundles: tuple[Bundle, ...], relations: tuple[Relation, ...]
) -> tuple[tuple[Stage, ...], list[str]]:
    """Stages named S1, S2 ... (deployed) and D1, D2 ... (derived), and what was assumed, in words."""
    assumptions: list[str] = []
    deployed = _deployed(light, bundles, relations, assumptions)
    known = {frozenset(stage.green) for stage in deployed}
    sets = [green for green in _maximal_sets(bundles, relations) if frozenset(green) not in known]
    if len(sets) > MAX_DERIVED:
        assumptions.append(
            f"{len(sets)} compatible sets of groups: the {MAX_DERIVED} largest are taken as stages"
        )
    sets = sorted(sets, key=lambda green: (-len(green), green))[:MAX_DERIVED]
    derived = [
        Stage(f"D{i}", green, _yielding(green, relations), deployed=False)
        for i, green in enumerate(sorted(sets), start=1)
    ]
    return (*deployed, *derived), assumptions


def derive_plans(light: Light, bundles: tuple[Bundle, ...], stages: tuple[Stage, ...]) -> tuple[Plan, ...]:
    """The programs as timing plans; the last is the one that SUMO runs."""
    by_green = {stage.green: stage.name for stage in stages if stage.deployed}
    return tuple(
        Plan(
            program.id,
            sum(phase.duration_ms for phase in program.phases),
            program.offset_ms,
            tuple(
                PlanStep(by_green[green], phase.duration_ms)
                for phase in program.phases
                if light.is_stage(phase.state) and (green := _green(phase.state, bundles)) in by_green
            ),
        )
        for program in light.programs
    )


def _green(state: str, bundles: tuple[Bundle, ...]) -> tuple[int, ...]:
    return tuple(b.number for b in bundles if state[b.lamps[0]] in OPEN)


def _deployed(
    light: Light, bundles: tuple[Bundle, ...], relations: tuple[Relation, ...], assumptions: list[str]
) -> list[Stage]:
    conflicts = {(r.first, r.second) for r in relations if r.kind is MeetingKind.CONFLICT}
    stages: dict[tuple[int, ...], Stage] = {}
    for state in light.stage_states:
        green = _green(state, bundles)
        clash = [pair for pair in conflicts if set(pair) <= set(green)]
        if clash:
            assumptions.append(f"program state {state} is not used as a stage: groups {clash[0]} conflict")
        elif green and green not in stages:
            shown = tuple(b.number for b in bundles if state[b.lamps[0]] == "g")
            must = _yielding(green, relations)
            permissive = tuple(number for number in green if number in shown or number in must)
            stages[green] = Stage(f"S{len(stages) + 1}", green, permissive)
    return list(stages.values())


def _yielding(green: tuple[int, ...], relations: tuple[Relation, ...]) -> tuple[int, ...]:
    return tuple(number for number in green if any(_yields_to(number, r) in green for r in relations))


def _yields_to(number: int, relation: Relation) -> int | None:
    """The group that group ``number`` yields to in this relation."""
    if relation.first == number and (relation.kind is MeetingKind.PERMISSIVE or relation.mutual):
        return relation.second
    return relation.first if relation.second == number and relation.mutual else None


def _maximal_sets(bundles: tuple[Bundle, ...], relations: tuple[Relation, ...]) -> list[tuple[int, ...]]:
    """Maximal compatible sets of groups, groups that share a lane always together (Bron and Kerbosch 1973)."""
    blocks = _lane_blocks(bundles)
    conflicts = {(r.first, r.second) for r in relations if r.kind is MeetingKind.CONFLICT}
    conflicts |= {(b, a) for a, b in conflicts}
    near = {
        i: {
            k
            for k in range(len(blocks))
            if k != i and not any((a, b) in conflicts for a in blocks[i] for b in blocks[k])
        }
        for i in range(len(blocks))
    }
    found: list[frozenset[int]] = []
    _expand(frozenset(), set(near), set(), near, found)
    sets = {tuple(sorted(number for block in clique for number in blocks[block])) for clique in found}
    return sorted(green for green in sets if not any((a, b) in conflicts for a in green for b in green))


def _expand(
    clique: frozenset[int],
    candidates: set[int],
    excluded: set[int],
    near: dict[int, set[int]],
    found: list[frozenset[int]],
) -> None:
    if not candidates and not excluded:
        found.append(clique)
        return
    pivot = max(candidates | excluded, key=lambda i: len(near[i] & candidates))
    for i in sorted(candidates - near[pivot]):
        _expand(clique | {i}, candidates & near[i], excluded & near[i], near, found)
        candidates = candidates - {i}
        excluded = excluded | {i}


def _lane_blocks(bundles: tuple[Bundle, ...]) -> list[tuple[int, ...]]:
    """Groups joined where they share a lane: one that stops would hold up the other."""
    blocks: list[tuple[set[str], list[int]]] = []
    for bundle in bundles:
        lanes = set() if bundle.kind is GroupKind.PEDESTRIAN else {way.lane.id for way in bundle.ways}
        numbers = [bundle.number]
        rest = []
        for block in blocks:
            if block[0] & lanes:
                lanes |= block[0]
                numbers += block[1]
            else:
                rest.append(block)
        blocks = [*rest, (lanes, numbers)]
    return [tuple(sorted(numbers)) for _, numbers in blocks]

"""From demand to timing plans: a plan for each time of day and junction, and what is expected of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from ..model.site import Junction, Plan, PlanStep, Site
from ..model.validate import check
from .arterials import connected
from .changes import StageMachine
from .coordination import Coordination, coordinate
from .day import cut_day
from .demand import Demand, Rates, spread_turns
from .timing import CYCLES_S, Cost, JunctionTimer, Timing

__all__ = ["DayPart", "Retiming", "retime"]

F64 = npt.NDArray[np.float64]
LEAST_PART_S = 1800
TICK_MS = 1000
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class DayPart:
    """One plan of the day: from ``start_s`` to ``end_s`` after midnight, by junction.

    ``before`` is what the deployed plan would cost with the same traffic, where there is one.
    """

    name: str
    start_s: int
    end_s: int
    flows: Mapping[str, F64]
    plans: Mapping[str, Plan]
    before: Mapping[str, Cost]
    after: Mapping[str, Cost]
    regions: tuple[Coordination, ...]


@dataclass(frozen=True, slots=True)
class Retiming:
    """The site with the new plans behind its own, and the parts of the day that they are for."""

    site: Site
    parts: tuple[DayPart, ...]

    @property
    def day_plan(self) -> tuple[tuple[int, str], ...]:
        """(start, s after midnight, and plan name) of each part."""
        return tuple((part.start_s, part.name) for part in self.parts)


def retime(
    site: Site,
    demand: Demand,
    progress: Progress = lambda _share: None,
    *,
    least_part_s: int = LEAST_PART_S,
    least_cycle_s: int = CYCLES_S[0],
) -> Retiming:
    """Plans for every junction and part of the day, named P1, P2 ...; the last program of a junction is the deployed.

    No plan is for less than ``least_part_s``, unless the demand is shorter, nor has a cycle below ``least_cycle_s``.

    Raises ModelError where the demand does not fit the site, a junction has several rings, or no timing serves it.
    """
    _must_fit(site, demand)
    if not demand.turns:
        demand = replace(demand, turns=spread_turns(site, demand.groups))
    machines = {junction.id: StageMachine(site, junction) for junction in site.junctions}
    cuts = cut_day(demand.features(), max(1, least_part_s // demand.period_s))
    rates = [demand.rates(first, end) for first, end in cuts]
    cycles_s = tuple(cycle_s for cycle_s in CYCLES_S if cycle_s >= least_cycle_s)
    timed: list[_Timed] = []
    for done, rate in enumerate(rates):
        left = _left_over(timed[-1], _hours(demand, cuts[done - 1])) if timed else {}
        tell = partial(_tell, progress, done, len(cuts))
        timed.append(_time_part(site, machines, rate, left, cycles_s, tell))
    coordinated = _coordinated_stages(site, timed)
    parts = [
        _day_part(site, timed[k], rates[k], f"P{k + 1}", _span_s(demand, cuts[k]), coordinated)
        for k in range(len(cuts))
    ]
    return Retiming(_with_plans(site, parts), tuple(parts))


def _tell(progress: Progress, done: int, parts: int, share: float) -> None:
    progress((done + share) / parts)


def _hours(demand: Demand, cut: tuple[int, int]) -> float:
    return (cut[1] - cut[0]) * demand.period_s / 3600.0


def _span_s(demand: Demand, cut: tuple[int, int]) -> tuple[int, int]:
    return demand.start_s + cut[0] * demand.period_s, demand.start_s + cut[1] * demand.period_s


def _must_fit(site: Site, demand: Demand) -> None:
    for junction in site.junctions:
        if len(junction.rings) > 1:
            raise ModelError(
                f"junction {junction.id}: expected a junction that runs stages, found {len(junction.rings)} rings"
            )
        counts = demand.groups.get(junction.id)
        if counts is None or counts.shape[1] != len(junction.groups):
            found = "none" if counts is None else f"{counts.shape[1]}"
            raise ModelError(
                f"junction {junction.id}: expected demand of its {len(junction.groups)} groups, found {found}"
            )


@dataclass(frozen=True, slots=True)
class _Timed:
    """A part of the day before its plans are written down."""

    timers: Mapping[str, JunctionTimer]
    regions: tuple[Coordination, ...]

    def find(self, name: str) -> Coordination:
        """The region of a junction."""
        return next(region for region in self.regions if name in region.timings)


def _left_over(part: _Timed, hours: float) -> dict[str, F64]:
    """Vehicles (L,) that still stand on each junction's lanes at the end of a part that was over capacity."""
    found = {}
    for region in part.regions:
        for name, cost in region.costs.items():
            come = 3600.0 * hours * part.timers[name].lanes.flow
            found[name] = come * (1.0 - 1.0 / np.maximum(cost.saturation, 1.0))
    return found


def _time_part(
    site: Site,
    machines: Mapping[str, StageMachine],
    rates: Rates,
    left: Mapping[str, F64],
    cycles_s: tuple[int, ...],
    progress: Progress,
) -> _Timed:
    """Time all junctions and regions for one part; ``left`` (L,) vehicles stand where the part before was too full."""
    timers, tables = {}, {}
    for done, junction in enumerate(site.junctions):
        timer = JunctionTimer(machines[junction.id], rates.groups[junction.id], left.get(junction.id))
        timers[junction.id], tables[junction.id] = timer, timer.timings(cycles_s)
        if not tables[junction.id]:
            raise ModelError(
                f"junction {junction.id}: expected minimum greens and intergreens that fit a cycle of "
                f"{CYCLES_S[-1]} s, found none of its stage sequences does"
            )
        progress(0.5 * (done + 1) / len(site.junctions))
    regions = []
    offsets_s = {junction.id: _deployed_offset_s(junction) for junction in site.junctions}
    sets = connected([junction.id for junction in site.junctions], site.links)
    for done, names in enumerate(sets):
        own_timers, own_tables = {n: timers[n] for n in names}, {n: tables[n] for n in names}
        regions.append(coordinate(own_timers, own_tables, site.links, rates, offsets_s))
        progress(0.5 + 0.5 * (done + 1) / len(sets))
    return _Timed(timers, tuple(regions))


def _day_part(
    site: Site,
    timed: _Timed,
    rates: Rates,
    name: str,
    span_s: tuple[int, int],
    coordinated: Mapping[str, int],
) -> DayPart:
    plans = {
        junction.id: _plan(name, junction, timed.find(junction.id), coordinated[junction.id])
        for junction in site.junctions
    }
    before = {
        name: timer.cost(timing)
        for name, timer in timed.timers.items()
        if (timing := _deployed(timer)) is not None
    }
    after = {name: cost for region in timed.regions for name, cost in region.costs.items()}
    return DayPart(name, span_s[0], span_s[1], rates.groups, plans, before, after, timed.regions)


def _coordinated_stages(site: Site, parts: Sequence[_Timed]) -> dict[str, int]:
    """For each junction the stage (local index) held longest in all; one that every plan has, where there is one."""
    found = {}
    for junction in site.junctions:
        held: dict[int, list[int]] = {}
        for part in parts:
            timing = part.find(junction.id).timings[junction.id]
            for stage, hold_s in zip(timing.stages, timing.hold_s, strict=True):
                held.setdefault(stage, []).append(hold_s)
        ranks = {stage: (len(times) == len(parts), sum(times), -stage) for stage, times in held.items()}
        found[junction.id] = max(held, key=ranks.__getitem__)
    return found


def _deployed_offset_s(junction: Junction) -> int:
    return junction.plans[-1].offset_ms // 1000 if junction.plans else 0


def _deployed(timer: JunctionTimer) -> Timing | None:
    """The plan that runs now, as the signal machine would show it."""
    junction = timer.junction
    if not junction.plans or not junction.plans[-1].steps:
        return None
    index = {stage.name: i for i, stage in enumerate(junction.stages)}
    steps = junction.plans[-1].steps
    return timer.timing(
        tuple(index[step.stage] for step in steps), tuple(max(1, step.green_ms // 1000) for step in steps)
    )


def _plan(name: str, junction: Junction, region: Coordination, coordinated: int) -> Plan:
    """The timing as a plan of the model, the coordinated stage first; the longest, where the timing lacks that one."""
    timing = region.timings[junction.id]
    longest = int(np.argmax(timing.hold_s))
    first = timing.stages.index(coordinated) if coordinated in timing.stages else longest
    order = [*range(first, len(timing.stages)), *range(first)]
    steps = tuple(PlanStep(junction.stages[timing.stages[k]].name, timing.hold_s[k] * TICK_MS) for k in order)
    offset_s = (region.offsets[junction.id] + _start_s(timing, first)) % timing.cycle_s
    return Plan(name, timing.cycle_s * TICK_MS, offset_s * TICK_MS, steps, steps[0].stage)


def _start_s(timing: Timing, step: int) -> int:
    """When the hold of a step begins after that of the first, s."""
    return sum(timing.hold_s[:step]) + sum(timing.change_s[:step])


def _with_plans(site: Site, parts: list[DayPart]) -> Site:
    names = {part.name for part in parts}
    junctions = tuple(
        replace(
            junction,
            plans=(
                *(plan for plan in junction.plans if plan.name not in names),
                *(part.plans[junction.id] for part in parts),
            ),
        )
        for junction in site.junctions
    )
    found = replace(site, junctions=junctions)
    check(found)
    return found

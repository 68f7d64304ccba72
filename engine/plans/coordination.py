"""One cycle and offsets for junctions that lie close together, chosen by what the platoon model says of them.

Candidates: the cycles whose own timings cost least, half the cycle where that serves a junction better; offsets from
green bands (MAXBAND, MULTIBAND), from the deployed plan and from nothing, each improved by hill climbing. Junctions
that stay on their own, each with its best cycle, are a candidate too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..model.site import Link
from .arterials import Arterial, find_arterials
from .bands import Bands, Window, solve_bands
from .cycle_kernel import STOP
from .demand import Rates
from .region import Region
from .timing import Cost, JunctionTimer, Timing

__all__ = ["ArterialBands", "Coordination", "coordinate", "green_window"]

U8 = npt.NDArray[np.uint8]
TRIED_CYCLES = 4
ROUGH_SWEEPS = 2
FINE_SWEEPS = 6
Offsets = dict[str, int]


@dataclass(frozen=True, slots=True)
class ArterialBands:
    """Green bands along an arterial in the plan that was chosen, s of each link, out and back."""

    arterial: Arterial
    out_s: tuple[float, ...]
    back_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Coordination:
    """Timings and offsets of a set of junctions. ``origin`` says where the offsets come from; ``cycle_s`` 0: alone.

    ``offsets`` are seconds on the common clock at which the first stage's hold begins.
    """

    cycle_s: int
    origin: str
    timings: dict[str, Timing]
    offsets: dict[str, int]
    costs: dict[str, Cost]
    bands: tuple[ArterialBands, ...] = field(default=())

    @property
    def index(self) -> float:
        """Performance index, veh s per hour."""
        return sum(cost.index for cost in self.costs.values())


def coordinate(
    timers: Mapping[str, JunctionTimer],
    tables: Mapping[str, Mapping[int, Timing]],
    links: Sequence[Link],
    rates: Rates,
    deployed: Mapping[str, int],
) -> Coordination:
    """The best of all candidates for connected junctions.

    ``tables`` have the best timing of each junction for each cycle, s; ``deployed`` the offsets, s, that run now.
    """
    alone = _alone(timers, tables)
    if len(timers) == 1:
        return alone
    region = Region(timers, links, rates.turns, rates.groups)
    arterials = find_arterials(region.names, links, rates.turns)
    options = [
        _set_offsets(region, timings, cycle_s, arterials, deployed)
        for cycle_s, timings in _cycle_options(timers, tables)
    ]
    best = min([alone, *options], key=lambda option: option.index)
    return best if best is alone else _polished(region, best, arterials)


def _alone(timers: Mapping[str, JunctionTimer], tables: Mapping[str, Mapping[int, Timing]]) -> Coordination:
    timings = {
        name: min(tables[name].values(), key=lambda timing: timers[name].cost(timing).index)
        for name in timers
    }
    costs = {name: timers[name].cost(timing) for name, timing in timings.items()}
    return Coordination(0, "alone", timings, dict.fromkeys(timers, 0), costs)


def _cycle_options(
    timers: Mapping[str, JunctionTimer], tables: Mapping[str, Mapping[int, Timing]]
) -> Iterable[tuple[int, dict[str, Timing]]]:
    """Common cycles with the timings that cost least on their own."""
    costs: dict[int, float] = {}
    options: dict[int, dict[str, Timing]] = {}
    for cycle_s in sorted(set.intersection(*(_runnable(table) for table in tables.values()))):
        chosen = {name: _whole_or_half(timers[name], tables[name], cycle_s) for name in timers}
        options[cycle_s] = chosen
        costs[cycle_s] = sum(timers[name].cost(timing).index for name, timing in chosen.items())
    return [(cycle_s, options[cycle_s]) for cycle_s in sorted(costs, key=lambda c: costs[c])[:TRIED_CYCLES]]


def _runnable(table: Mapping[int, Timing]) -> set[int]:
    return set(table) | {2 * cycle_s for cycle_s in table if 2 * cycle_s <= max(table)}


def _whole_or_half(timer: JunctionTimer, table: Mapping[int, Timing], cycle_s: int) -> Timing:
    options = [table[c] for c in (cycle_s, cycle_s // 2) if c in table and cycle_s % c == 0]
    return min(options, key=lambda timing: timer.cost(timing).index)


def _set_offsets(
    region: Region,
    timings: dict[str, Timing],
    cycle_s: int,
    arterials: Sequence[Arterial],
    deployed: Mapping[str, int],
) -> Coordination:
    """The best offsets for these timings, roughly improved."""
    starts = {"deployed": dict(deployed), "none": dict.fromkeys(region.names, 0)}
    for name, uniform in (("maxband", True), ("multiband", False)):
        starts[name] = _band_offsets(region.names, arterials, timings, cycle_s, uniform)
    ranked = sorted(starts, key=lambda name: (region.set_up(timings, starts[name], cycle_s), name))
    found = []
    for name in ranked[:2]:
        region.set_up(timings, starts[name], cycle_s)
        region.move_together([arterial.junctions for arterial in arterials])
        region.climb(ROUGH_SWEEPS)
        found.append(Coordination(cycle_s, name, dict(timings), dict(region.offsets), region.costs()))
    return min(found, key=lambda option: option.index)


def _polished(region: Region, option: Coordination, arterials: Sequence[Arterial]) -> Coordination:
    region.set_up(option.timings, option.offsets, option.cycle_s)
    region.climb(FINE_SWEEPS)
    bands = tuple(
        _measured_bands(arterial, option.timings, region.offsets, option.cycle_s) for arterial in arterials
    )
    return Coordination(
        option.cycle_s, option.origin, option.timings, dict(region.offsets), region.costs(), bands
    )


def green_window(lamps: U8, group: int) -> Window:
    """The longest green of group number ``group`` in ``lamps`` (C, G), as shares of the cycle."""
    if group == 0:
        return Window(0.0, 0.0)
    green = lamps[:, group - 1] != STOP
    if green.all():
        return Window(0.0, 1.0)
    cycle = len(green)
    starts = np.flatnonzero(green & ~np.roll(green, 1))
    lengths = [int(np.argmin(np.roll(green, -start))) for start in starts]
    if not lengths:
        return Window(0.0, 0.0)
    longest = int(np.argmax(lengths))
    return Window(int(starts[longest]) / cycle, lengths[longest] / cycle)


def _windows(
    arterial: Arterial, timings: Mapping[str, Timing], cycle_s: int
) -> tuple[list[Window], list[Window]]:
    lamps = [np.tile(timings[n].lamps, (cycle_s // timings[n].cycle_s, 1)) for n in arterial.junctions]
    out = [green_window(shown, g) for shown, g in zip(lamps, arterial.out_groups, strict=True)]
    back = [green_window(shown, g) for shown, g in zip(lamps, arterial.back_groups, strict=True)]
    return out, back


def _band_offsets(
    names: Sequence[str],
    arterials: Sequence[Arterial],
    timings: Mapping[str, Timing],
    cycle_s: int,
    uniform: bool,
) -> Offsets:
    offsets = dict.fromkeys(names, 0)
    for arterial in arterials:
        bands = _solve(arterial, timings, cycle_s, uniform)
        if bands is not None:
            offsets |= {
                name: round(share * cycle_s) % cycle_s
                for name, share in zip(arterial.junctions, bands.offsets, strict=True)
            }
    return offsets


def _solve(arterial: Arterial, timings: Mapping[str, Timing], cycle_s: int, uniform: bool) -> Bands | None:
    out, back = _windows(arterial, timings, cycle_s)
    return solve_bands(
        out,
        back,
        [t / cycle_s for t in arterial.out_s],
        [t / cycle_s for t in arterial.back_s],
        arterial.out_veh_h,
        arterial.back_veh_h,
        uniform=uniform,
    )


def _measured_bands(
    arterial: Arterial, timings: Mapping[str, Timing], offsets: Mapping[str, int], cycle_s: int
) -> ArterialBands:
    """Time of green at the next junction that vehicles meet who leave at green, per link, s."""
    shown = {
        name: np.roll(
            np.tile(timings[name].lamps, (cycle_s // timings[name].cycle_s, 1)), offsets[name], axis=0
        )
        for name in arterial.junctions
    }

    def band(a: str, group: int, b: str, onward: int, travel_s: float) -> float:
        if not group or not onward:
            return 0.0
        leaves = shown[a][:, group - 1] != STOP
        meets = np.roll(shown[b][:, onward - 1] != STOP, -round(travel_s))
        return float((leaves & meets).sum())

    hops = range(len(arterial.junctions) - 1)
    j, out, back = arterial.junctions, arterial.out_groups, arterial.back_groups
    return ArterialBands(
        arterial,
        tuple(band(j[i], out[i], j[i + 1], out[i + 1], arterial.out_s[i]) for i in hops),
        tuple(band(j[i + 1], back[i + 1], j[i], back[i], arterial.back_s[i]) for i in hops),
    )

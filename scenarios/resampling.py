"""Another day of the same demand: volumes and departures drawn anew from a seed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar
from xml.etree.ElementTree import Element

import numpy as np

from greensplit.engine.errors import ScenarioError

from .records import Demand, ScheduledPerson, ScheduledVehicle
from .times import format_time, on_grid_s

__all__ = ["JITTER_S", "resample"]

JITTER_S = 150.0
Traveller = TypeVar("Traveller", ScheduledVehicle, ScheduledPerson)


def resample(demand: Demand, *, demand_seed: int, scale: float) -> Demand:
    """Every private vehicle and every person becomes Poisson(``scale``) copies ``id#k``, at nearby times.

    A copy departs within ``JITTER_S`` of the original, reflected at the ends of the window, so the expected
    volume is ``scale`` times the original and the profile over the day stays. Public transport, vehicles that
    persons name in a ride, those persons, and what has no scheduled time are kept exactly.
    Raises ScenarioError for a scale that is no positive finite number.
    """
    if not (np.isfinite(scale) and scale > 0):
        raise ScenarioError(f"scale: expected a positive number, found {scale}")
    vehicle_rng, person_rng = (np.random.default_rng([demand_seed, stream]) for stream in (0, 1))
    named = _vehicles_named_by_rides(demand)
    vehicles = _drawn(
        demand,
        demand.vehicles,
        lambda v: v.public_transport or v.vehicle_id in named,
        _vehicle_copy,
        scale,
        vehicle_rng,
    )
    persons = _drawn(
        demand, demand.persons, lambda p: _rides_in(p.element, named), _person_copy, scale, person_rng
    )
    return replace(demand, vehicles=vehicles, persons=persons, unsorted_ids=())


def _drawn(
    demand: Demand,
    travellers: Sequence[Traveller],
    is_kept: Callable[[Traveller], bool],
    copy: Callable[[Traveller, int, float], Traveller],
    scale: float,
    rng: np.random.Generator,
) -> tuple[Traveller, ...]:
    counts = rng.poisson(scale, len(travellers))

    def draw() -> Iterator[Traveller]:
        for traveller, number in zip(travellers, counts.tolist(), strict=True):
            if is_kept(traveller):
                yield traveller
                continue
            for index, offset_s in enumerate(rng.uniform(-JITTER_S, JITTER_S, number).tolist()):
                yield copy(traveller, index, _reflected_s(traveller.depart_s + offset_s, demand))

    return tuple(sorted(draw(), key=lambda traveller: traveller.depart_s))


def _reflected_s(time_s: float, demand: Demand) -> float:
    """``time_s`` mirrored at the window's ends until it is inside."""
    length_s = demand.end_s - demand.begin_s
    folded_s = abs(time_s - demand.begin_s) % (2 * length_s)
    inside_s = min(folded_s, 2 * length_s - folded_s)
    return min(on_grid_s(demand.begin_s + inside_s), demand.end_s - 0.01)


def _vehicle_copy(vehicle: ScheduledVehicle, index: int, depart_s: float) -> ScheduledVehicle:
    name = f"{vehicle.vehicle_id}#{index}"
    return replace(
        vehicle, vehicle_id=name, depart_s=depart_s, element=_renamed(vehicle.element, name, depart_s)
    )


def _person_copy(person: ScheduledPerson, index: int, depart_s: float) -> ScheduledPerson:
    name = f"{person.person_id}#{index}"
    return replace(
        person, person_id=name, depart_s=depart_s, element=_renamed(person.element, name, depart_s)
    )


def _renamed(element: Element, name: str, depart_s: float) -> Element:
    copy = Element(element.tag, element.attrib | {"id": name, "depart": format_time(depart_s)})
    copy.extend(element)
    return copy


def _vehicles_named_by_rides(demand: Demand) -> frozenset[str]:
    ids = {vehicle.vehicle_id for vehicle in demand.vehicles} | {str(e.get("id")) for e in demand.untimed}
    riders = [person.element for person in demand.persons] + list(demand.untimed)
    return frozenset(line for rider in riders for line in _lines(rider) if line in ids)


def _rides_in(person: Element, named: Collection[str]) -> bool:
    return any(line in named for line in _lines(person))


def _lines(person: Element) -> Iterator[str]:
    for stage in person:
        if stage.tag in ("ride", "transport"):
            yield from stage.get("lines", "").split()

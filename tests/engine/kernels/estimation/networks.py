"""Small networks at random: shared and missing loops, exits behind some groups, links short and too long."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from greensplit.engine.model.site import ApproachLane, Detector, DetectorKind, Junction, Link, Site, Stage

from ..sites import group, junction


def random_network(rng: np.random.Generator) -> Site:
    """Two to four junctions, each linked to the others."""
    junctions = tuple(_junction(rng, f"J{k}", k + 1) for k in range(int(rng.integers(2, 5))))
    return Site("network", junctions, _links(rng, junctions))


def _junction(rng: np.random.Generator, name: str, device_id: int) -> Junction:
    """Two or three groups; lanes of one or two of them, one or two to an approach."""
    numbers = tuple(range(1, int(rng.integers(3, 5))))
    made = junction(
        tuple(group(n) for n in numbers),
        (),
        (Stage("S", numbers),),
        name=name,
        device_id=device_id,
        with_loops=False,
    )
    lanes, detectors = [], []
    for n in numbers:
        width = int(rng.integers(1, 3))
        speed_mps = float(rng.uniform(8.0, 16.0))
        for i in range(width):
            also = tuple(m for m in numbers if m > n and rng.random() < 0.3)
            lanes.append(ApproachLane(f"in{n}_{i}", f"from {n}", (n, *also), 200.0, speed_mps))
            if rng.random() < 0.8:
                detectors.append(_detector(f"stop{n}_{i}", DetectorKind.STOP_BAR, 2.0, lanes[-1:]))
        detectors += _advance_loops(rng, n, lanes[-width:])
    detectors += [
        Detector(f"out{i}", 0, DetectorKind.EXIT, f"out_{i}", 8.0, 2.0, 8.0, served, ())
        for i, served in enumerate(((1,), (1, 2)))
        if rng.random() < 0.6
    ]
    numbered = tuple(replace(detector, channel=k + 1) for k, detector in enumerate(detectors))
    return replace(made, lanes=tuple(lanes), detectors=numbered)


def _advance_loops(rng: np.random.Generator, n: int, lanes: list[ApproachLane]) -> list[Detector]:
    """One for each lane, or one for all of them, or none."""
    distance_m = float(rng.uniform(15.0, 120.0))
    how = rng.choice(["each", "each", "all", "none"])
    if how == "none":
        return []
    served = [lanes] if how == "all" else [[lane] for lane in lanes]
    return [
        _detector(f"far{n}_{i}", DetectorKind.ADVANCE, distance_m, found) for i, found in enumerate(served)
    ]


def _detector(name: str, kind: DetectorKind, distance_m: float, lanes: list[ApproachLane]) -> Detector:
    served = tuple(lane.id for lane in lanes)
    return Detector(name, 0, kind, served[0], 200.0 - distance_m, 2.0, distance_m, lanes[0].groups, served)


def _links(rng: np.random.Generator, junctions: tuple[Junction, ...]) -> tuple[Link, ...]:
    """Mostly within a minute, some about as long as a forecast can tell anything."""
    links = []
    for start in junctions:
        for end in junctions:
            if start is end:
                continue
            for lane in end.lanes:
                if rng.random() < 0.4:
                    travel_ms = int(rng.integers(2_000, 60_000))
                    if rng.random() < 0.15:
                        travel_ms = int(rng.integers(92_000, 104_000))
                    links += [
                        Link(start.id, g.number, end.id, lane.id, travel_ms / 75.0, travel_ms, 46.0)
                        for g in start.groups
                        if rng.random() < 0.9
                    ]
    return tuple(links)

"""Streets for the tests of timing plans: crossroads one after the other on an arterial."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.model.site import (
    ApproachLane,
    Detector,
    DetectorKind,
    GroupKind,
    Junction,
    Link,
    Meeting,
    MeetingKind,
    Plan,
    PlanStep,
    Sequence,
    SignalGroup,
    Site,
    Stage,
)
from greensplit.engine.model.validate import check
from greensplit.engine.plans.cycle_kernel import Lanes, Scratch

F64 = npt.NDArray[np.float64]
EAST, WEST, CROSS = 1, 2, 3
DEPLOYED = Plan("0", 90_000, 0, (PlanStep("S1", 20_000), PlanStep("S2", 60_000)))


def crossing(number: int) -> Junction:
    """Eastbound and westbound (stage S1) across a side street (S2); intergreens of 5 s; one lane each."""
    name = f"J{number}"
    return Junction(
        id=name,
        device_id=number,
        x_m=400.0 * number,
        y_m=0.0,
        idle_lamps="...",
        groups=tuple(
            SignalGroup(n, f"group {n}", GroupKind.VEHICLE, (n - 1,), Sequence(), 5000)
            for n in (EAST, WEST, CROSS)
        ),
        meetings=tuple(Meeting(n, CROSS, MeetingKind.CONFLICT, 5000, 5000) for n in (EAST, WEST)),
        stages=(Stage("S1", (EAST, WEST)), Stage("S2", (CROSS,))),
        plans=(DEPLOYED,),
        lanes=tuple(
            ApproachLane(f"{name}in{n}_0", f"from {n}", (n,), 300.0, 13.89) for n in (EAST, WEST, CROSS)
        ),
        detectors=tuple(
            Detector(
                f"{name}d{n}",
                n,
                DetectorKind.STOP_BAR,
                f"{name}in{n}_0",
                290.0,
                6.0,
                2.0,
                (n,),
                (f"{name}in{n}_0",),
            )
            for n in (EAST, WEST, CROSS)
        ),
    )


def arterial(junctions: int, travel_ms: int = 30_000) -> Site:
    """``junctions`` crossings, each ``travel_ms`` from the next, both ways."""
    links = []
    for i in range(1, junctions):
        links.append(Link(f"J{i}", EAST, f"J{i + 1}", f"J{i + 1}in{EAST}_0", 400.0, travel_ms, 50.0))
        links.append(Link(f"J{i + 1}", WEST, f"J{i}", f"J{i}in{WEST}_0", 400.0, travel_ms, 50.0))
    site = Site("arterial", tuple(crossing(i) for i in range(1, junctions + 1)), tuple(links))
    check(site)
    return site


def along(site: Site, main_veh_h: float) -> dict[tuple[str, int, str, int], float]:
    """Everybody on the arterial drives straight on: flows from group to group, veh/h."""
    turns = {}
    for link in site.links:
        turns[link.from_junction, link.from_group, link.to_junction, link.from_group] = main_veh_h
    return turns


def one_lane(flow_veh_s: float, rate_veh_s: float) -> tuple[Lanes, Scratch]:
    """A single lane with one group."""
    lanes = Lanes(
        ptr=np.array([0, 1], np.int64),
        group=np.array([0], np.int64),
        share=np.array([1.0]),
        rate=np.array([rate_veh_s]),
        gap_rate=np.array([rate_veh_s]),
        flow=np.array([flow_veh_s]),
        foe=np.zeros((1, 1), np.uint8),
    )
    return lanes, scratch(1, 1)


def scratch(lanes: int, groups: int, length: int = 400) -> Scratch:
    """Room for results."""
    rows = [np.zeros(lanes) for _ in range(8)]
    return Scratch(rows[0], rows[1], rows[2], np.zeros((groups, length)), *rows[3:])

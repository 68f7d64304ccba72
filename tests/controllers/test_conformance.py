"""What every controller of the catalogue must do, whatever it is: a new one is tested by being listed.

Controllers with perfect vision are rivals for comparison, in their published form: they have no bound on red and are
exempt from that one test. They have no detectors to fail, but run through the same damage all the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.controllers.catalogue import Entry, catalogue
from greensplit.controllers.profile import R2
from greensplit.engine.decisions import FORCED, HOLD, Weighing
from greensplit.engine.loop import Controller, Loop
from greensplit.engine.model.aspects import GREEN, PERMISSIVE
from greensplit.engine.model.site import GroupKind, Meeting, Site, Stage

from ..engine.kernels.sites import CONFLICT, WALK, crossroads, group, junction, left_turn, random_site, site
from .street import Damage, Street, drive

OURS = [entry for entry in catalogue() if entry.make is not None]
BOUNDED = [entry for entry in OURS if entry.vision != "perfect"]
MAX_RED_MS = 120_000
every = pytest.mark.parametrize("entry", OURS, ids=[entry.name for entry in OURS])


def made(entry: Entry, where: Site) -> Controller:
    assert entry.make is not None
    return entry.make(R2, where)


def run(
    entry: Entry,
    where: Site,
    rates_per_h: list[float],
    seconds: int,
    seed: int = 1,
    damage: Damage | None = None,
) -> tuple[Loop, Street]:
    street = Street(where, rates_per_h, seed, *([damage] if damage else []))
    return drive(where, street, made(entry, where), seconds, perfect=entry.vision == "perfect"), street


def four_arms() -> Site:
    """Two streets, a side road and people who cross them all, each alone in its stage; intergreens of 6 s."""
    people = group(4, kind=GroupKind.PEDESTRIAN, stop=WALK, min_green_ms=7000)
    meetings = tuple(
        Meeting(a, b, CONFLICT, 10_000 if a == 4 else 6000, 10_000 if b == 4 else 6000)
        for a in range(1, 5)
        for b in range(a + 1, 5)
    )
    stages = tuple(Stage(f"S{n}", (n,)) for n in range(1, 5))
    return site(junction((group(1), group(2), group(3), people), meetings, stages))


def lanes_of(where: Site) -> int:
    return sum(len(j.lanes) for j in where.junctions)


@every
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_conformance_never_causes_an_interlock_refusal(entry: Entry, seed: int) -> None:
    """Eight random junctions in busy traffic, fifteen minutes."""
    rng = np.random.default_rng(seed)
    where = random_site(rng, 8)
    loop, street = run(entry, where, list(rng.uniform(50, 900, lanes_of(where))), 900, seed)
    assert loop.refusals == []
    assert street.fallen == []
    assert sum(lane.served for lane in street.lanes) > 0


@every
def test_conformance_is_deterministic(entry: Entry) -> None:
    """The same street twice gives the same log and the same decisions; another street gives another log."""
    logs, decisions = [], []
    for seed in (5, 5, 6):
        where = random_site(np.random.default_rng(7), 5)
        loop, _ = run(entry, where, [400.0] * lanes_of(where), 600, seed)
        logs.append(loop.events.rows().tobytes())
        found = loop.decisions.gathered()
        decisions.append((found.rows.tobytes(), found.value.tobytes(), found.reasons))
    assert logs[0] == logs[1]
    assert decisions[0] == decisions[1]
    assert logs[0] != logs[2]


@every
def test_conformance_records_every_decision_with_its_alternatives(entry: Entry) -> None:
    """Every change that the machine makes is in the log, most entries are holds, and by the first reason, which is
    the value itself, no stage that was weighed was better than the chosen one."""
    where = random_site(np.random.default_rng(7), 5)
    loop, _ = run(entry, where, [400.0] * lanes_of(where), 600)
    found = loop.decisions.gathered()
    assert found.weighing.measure != Weighing().measure
    kinds = found.rows["kind"]
    assert 0 < loop.decisions.switches == (kinds != HOLD).sum() < (kinds == HOLD).sum()
    ends = found.rows["stages"].cumsum()
    sign = -1.0 if found.weighing.lower_is_better else 1.0
    for row, end in zip(found.rows, ends, strict=True):
        worth = sign * found.value[end - row["stages"] : end]
        if row["kind"] != FORCED and row["reason"] == 0:
            assert worth[row["to_stage"]] == np.nanmax(worth)


@every
def test_conformance_serves_the_only_one_who_waits(entry: Entry) -> None:
    """An empty junction and one vehicle now and then on the second street: it never waits a minute."""
    _, street = run(entry, crossroads(), [0.0, 60.0], 1800)
    assert street.lanes[1].served >= 10
    assert street.lanes[1].longest_wait_ms < 60_000


@every
def test_conformance_keeps_the_traffic_moving(entry: Entry) -> None:
    """Left turn, through and side street at 60 % of what they could pass: nearly all who came have left."""
    where = left_turn()
    _, street = run(entry, where, [500.0, 150.0, 400.0], 1800)
    came = sum(lane.served + len(lane.arrivals_ms) for lane in street.lanes)
    assert sum(lane.served for lane in street.lanes) > 0.9 * came


@pytest.mark.parametrize("entry", BOUNDED, ids=[entry.name for entry in BOUNDED])
@pytest.mark.parametrize("rates", [[1500.0, 20.0, 20.0], [900.0, 900.0, 20.0], [1700.0, 1700.0, 1700.0]])
def test_conformance_serves_every_called_group_within_its_maximum_red(
    entry: Entry, rates: list[float]
) -> None:
    """Saturated streets beside a side road and people: nobody who waits is red for longer than the bound.

    Rivals with perfect vision are exempt (see above).
    """
    loop, street = run(entry, four_arms(), rates, 3600)
    assert max(lane.longest_wait_ms for lane in street.lanes) <= MAX_RED_MS
    assert longest_red_ms(loop, 4) <= MAX_RED_MS + R2.period_ms


def longest_red_ms(loop: Loop, number: int) -> int:
    """From don't walk (or the start of the run) to walk, for people, who always call."""
    events = loop.events.rows()
    of_group = events[(events["parameter"] == number) & np.isin(events["event"], [21, 22])]
    longest, ended = 0, 0
    for row in of_group:
        if row["event"] == 22:
            ended = int(row["t_ms"])
        else:
            longest = max(longest, int(row["t_ms"]) - ended)
    return longest


def dead(_detector: int, _now_ms: int, _on: bool) -> bool:
    return False


def stuck(_detector: int, _now_ms: int, _on: bool) -> bool:
    return True


def chattering(detector: int, now_ms: int, _on: bool) -> bool:
    return (now_ms // 1000 + detector) % 2 == 0


def half_dead(detector: int, _now_ms: int, on: bool) -> bool:
    return on and detector % 4 > 1


@every
@pytest.mark.parametrize("damage", [dead, stuck, chattering, half_dead])
def test_conformance_survives_bad_detectors(entry: Entry, damage: Damage) -> None:
    """Half an hour with every loop dead, stuck on or chattering, or every second lane's dead: no error, no refusal.

    One stage is green all the time that no change is under way; a stuck or chattering call is served like any other.
    """
    where = four_arms()
    loop, street = run(entry, where, [600.0, 200.0, 100.0], 1800, damage=damage)
    assert loop.refusals == []
    assert loop.machine.settled.all() or 1_800_000 - loop.machine.since_ms[0] < 60_000
    assert np.isin(loop.machine.lamps.aspect, [GREEN, PERMISSIVE]).any() or not loop.machine.settled[0]
    if damage in (stuck, chattering):
        assert min(lane.served for lane in street.lanes) > 0


@every
def test_conformance_manages_lanes_without_any_detector(entry: Entry) -> None:
    """No loop anywhere: no error, no refusal, and each group green again and again."""
    one = junction(
        (group(1), group(2)),
        (Meeting(1, 2, CONFLICT, 5000, 7000),),
        (Stage("S1", (1,)), Stage("S2", (2,))),
        with_loops=False,
    )
    lanes = crossroads().junctions[0].lanes
    where = site(replace(one, lanes=lanes))
    loop, _ = run(entry, where, [300.0, 300.0], 1800)
    assert loop.refusals == []
    greens = loop.events.rows()
    count = [int(((greens["event"] == 1) & (greens["parameter"] == n)).sum()) for n in (1, 2)]
    assert min(count) >= 5

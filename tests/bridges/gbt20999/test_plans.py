"""Plans are read and written as the standard lays them out, run as they were written, and never half or in force."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from greensplit.bridges.field import FieldCommand, PatternRequest, Verdict
from greensplit.bridges.gbt20999.bridge import central_values
from greensplit.bridges.gbt20999.catalogue import find
from greensplit.bridges.gbt20999.errors import FrameError, RefusedError, ValueRefusedError
from greensplit.bridges.gbt20999.frame import Address, Frame, Type, encode, items_of
from greensplit.bridges.gbt20999.host import Host
from greensplit.bridges.gbt20999.link import open_link
from greensplit.bridges.gbt20999.plans import PlanTable, plan_from, plan_values, read_plan, write_plan
from greensplit.bridges.gbt20999.profile import Profile
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.bridges.standin.gbt20999 import GbtFront
from greensplit.bridges.standin.gbt20999_plans import StoredPlans
from greensplit.engine.model.aspects import GREEN
from greensplit.engine.model.site import Plan, PlanStep

from ..street import BACKUP_MS, TICK_MS, Street, two_crossroads
from .worked_frames import PLAN_1

CROSS = two_crossroads().junctions[0]
FIRST, SECOND = (stage.name for stage in CROSS.stages[:2])
CHANGE_MS = max(ms for meeting in CROSS.meetings for ms in (meeting.intergreen_ms, meeting.reverse_ms))


def own_plan(name: str, *greens_ms: int, offset_ms: int = 0) -> Plan:
    """Both stages, so long each."""
    cycle_ms = sum(greens_ms) + 2 * CHANGE_MS
    steps = tuple(PlanStep(stage, ms) for stage, ms in zip((FIRST, SECOND), greens_ms, strict=True))
    return Plan(name, cycle_ms, offset_ms, steps)


@contextmanager
def dialogue() -> Iterator[tuple[Street, Host]]:
    """A host and a junction with three plans; the last one is its own."""
    plans = (own_plan("a", 20_000, 15_000), own_plan("b", 15_000, 20_000), own_plan("c", 10_000, 10_000))
    config = StandInConfig(tick_ms=TICK_MS, backup_ms=BACKUP_MS)
    here = Street([StandIn(replace(CROSS, plans=plans), config)])
    front = GbtFront(here.stand_ins, {}, lambda: here.now_ms)
    here.front = front
    (address,) = dict(front.open()).values()
    host = Host(open_link(address, 1.0), Profile(junction=0))
    try:
        yield here, host
    finally:
        host.link.close()
        front.close()


def test_the_worked_plan_is_written_byte_for_byte() -> None:
    """Plan 1 of 120 s, offset 5 s, four stages: 131 bytes with the published checksum."""
    values = plan_values(1, PlanTable((1, 2, 3, 4), (29, 31, 29, 31), offset_s=5))
    pairs = [(address, find(address).encode(value)) for address, value in values.items()]
    assert tuple(pairs) == PLAN_1
    frame = encode(Frame(Type.SET, items_of(pairs), controller=0x15, serial=12))
    assert len(frame) == 131
    assert frame[1:3] == b"\x00\x7f"
    assert frame[-3:-1] == b"\x7f\x8b"


def test_a_plan_is_read_as_the_controller_holds_it() -> None:
    """20 s and 15 s of green and a change after each."""
    with dialogue() as (_, host):
        change_s = CHANGE_MS // 1000
        assert read_plan(host, 1) == PlanTable((1, 2), (20 + change_s, 15 + change_s))
        with pytest.raises(RefusedError, match="not there"):
            read_plan(host, 4)


def test_a_plan_that_was_written_is_read_back_and_runs() -> None:
    """With calls everywhere each stage is green for its time less the change: 14 s less 7 s, 33 s less 5 s."""
    with dialogue() as (here, host):
        before = here.stand_ins[0].config_id
        wanted = PlanTable((2, 1), (14, 33), offset_s=7, on_demand=frozenset({2}))
        write_plan(host, 2, wanted)
        assert read_plan(host, 2) == wanted
        assert here.stand_ins[0].config_id == before + 1
        host.set(central_values(PatternRequest(2), Profile()))
        greens = [0, 0]
        here.until(1000, *((d, 500, 1) for d in range(len(CROSS.detectors))))
        for second in range(2, 47 * 6 + 1):
            here.until(1000 * second)
            host.heartbeat()
            if second > 47 * 4:
                for group, aspect in enumerate(here.status(0).aspects):
                    greens[group] += aspect == GREEN
        assert here.status(0).pattern == 2
        assert here.stand_ins[0].config_id == before + 1
        assert here.status(0).cycle_ms == 47_000
        assert greens == [2 * 28, 2 * 7]


def test_a_plan_that_was_acknowledged_and_is_not_held_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a controller does that wants a transaction around it."""
    monkeypatch.setattr(StoredPlans, "write", lambda *_: None)
    with (
        dialogue() as (_, host),
        pytest.raises(RefusedError, match=r"9\.2\.3\.2: expected 47 to be held, found 49"),
    ):
        write_plan(host, 2, PlanTable((1, 2), (33, 14)))


def test_the_cycle_of_a_running_plan_does_not_jump_when_another_is_written() -> None:
    """Two controllers in plan 1, 10 s into the cycle by order of the centre; one of them gets another plan 2."""
    plans = (own_plan("a", 20_000, 15_000), own_plan("b", 15_000, 20_000))
    twins = [StandIn(replace(CROSS, plans=plans), StandInConfig(tick_ms=TICK_MS)) for _ in range(2)]
    left_ms = []
    for stand_in in twins:
        stand_in.advance(1000)
        assert stand_in.command(FieldCommand(1000, 2000, PatternRequest(1, 10)), 1000) is Verdict.ACCEPTED
        if stand_in is twins[1]:
            stand_in.store_plans({2: own_plan("b", 30_000, 30_000)})
        for now_ms in range(1100, 200_000, 100):
            if now_ms % 1000 == 0:
                stand_in.touch(now_ms)
            stand_in.advance(now_ms)
        assert stand_in.controls.pattern == 1
        left_ms.append(stand_in.status().cycle_left_ms)
    assert left_ms[0] == left_ms[1]


def test_the_plan_in_force_is_not_touched() -> None:
    """Not even asked to: the stand-in's own plan is its last."""
    with dialogue() as (here, host):
        here.until(1000)
        held = read_plan(host, 3)
        with pytest.raises(RefusedError, match="plan 3: expected one that does not run, found it in force"):
            write_plan(host, 3, PlanTable((1, 2), (30, 30)))
        assert read_plan(host, 3) == held


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (PlanTable((), ()), "expected 1 to 16 stages, found 0"),
        (PlanTable((1,) * 17, (9,) * 17), "expected 1 to 16 stages, found 17"),
        (PlanTable((1, 2), (9,)), "expected 2 times, found 1"),
        (PlanTable((1, 65), (9, 9)), "stages: expected 1 to 64"),
        (PlanTable((1, 0), (9, 9)), "stages: expected 1 to 64"),
        (PlanTable((1, 2), (9, 0)), "times: expected 1 s or more"),
        (PlanTable((1, 2), (9, 9), offset_s=18), "offset: expected 0 to below 18 s, found 18"),
        (
            PlanTable((1, 2), (9, 9), on_demand=frozenset({3})),
            r"on demand: expected stages of the plan, found \[3\]",
        ),
    ],
)
def test_what_is_no_plan_is_not_sent(plan: PlanTable, told: str) -> None:
    """One line each."""
    with pytest.raises(ValueRefusedError, match=told):
        plan_values(1, plan)


@pytest.mark.parametrize(
    "rows",
    [
        {3: 100},
        {7: (1, 48) + (0,) * 14},
        {6: (1, 3) + (0,) * 14},
        {6: (1, 1) + (0,) * 14},
        {6: (0, 1) + (0,) * 14},
        {4: 3},
        {5: 49},
    ],
    ids=["cycle", "short", "unknown stage", "same stage", "gap", "coordinated", "offset"],
)
def test_the_stand_in_refuses_half_a_plan_and_keeps_the_whole(rows: dict[int, int | tuple[int, ...]]) -> None:
    """A cycle that is not the sum, a stage shorter than its change, stages out of order: nothing is taken."""
    with dialogue() as (_, host):
        held = read_plan(host, 1)
        assert held.cycle_s == 49
        with pytest.raises(RefusedError, match="could not be set: bad value"):
            host.set({Address(9, 2, attribute, 1): value for attribute, value in rows.items()})
        assert read_plan(host, 1) == held


def test_a_chain_with_something_behind_its_end_is_no_plan() -> None:
    """As a controller with the lists the other way round would show it."""
    values = plan_values(1, PlanTable((1, 2), (9, 9)))
    with pytest.raises(FrameError, match="expected nothing behind its last stage"):
        plan_from(1, values | {Address(9, 2, 6, 1): (0,) * 14 + (2, 1)})
    with pytest.raises(FrameError, match="expected stages of 17 s in all, found 18"):
        plan_from(1, values | {Address(9, 2, 3, 1): 17})

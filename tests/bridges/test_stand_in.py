"""The simulated controller: who decides, what it takes, and what its malfunction monitor latches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from greensplit.bridges.field import (
    Alarm,
    FieldCommand,
    Flash,
    Masks,
    Mode,
    ModeRequest,
    Order,
    PatternRequest,
    Remote,
    StageRequest,
    Verdict,
)
from greensplit.bridges.standin.controller import StandIn, StandInConfig
from greensplit.bridges.standin.masks import pick_stage
from greensplit.bridges.standin.monitor import Lights, Monitor
from greensplit.engine.model.aspects import DARK, GREEN, RED, YELLOW
from greensplit.engine.model.site import Plan, PlanStep

from .street import NOTHING, two_crossroads

JUNCTION = two_crossroads().junctions[0]
OTHER = {GREEN: RED, RED: GREEN}


def until(stand_in: StandIn, end_ms: int, begin_ms: int = 0) -> None:
    """Advance by ticks of 100 ms."""
    for now_ms in range(begin_ms + 100, end_ms + 1, 100):
        stand_in.sense(now_ms, NOTHING)
        stand_in.advance(now_ms)


def tell(stand_in: StandIn, order: Order, now_ms: int, key: int = 0) -> Verdict:
    """A command that was issued just now."""
    return stand_in.command(FieldCommand(now_ms, now_ms + 2000, order, key), now_ms)


@pytest.mark.parametrize(
    ("issued_ms", "expires_ms", "order", "key", "verdict"),
    [
        (10_000, 12_000, StageRequest(1), 8, Verdict.ACCEPTED),
        (8000, 9999, StageRequest(1), 8, Verdict.LATE),
        (8900, 11_000, StageRequest(1), 8, Verdict.STALE),
        (9000, 11_000, StageRequest(1), 7, Verdict.DUPLICATE),
        (12_001, 14_000, StageRequest(1), 8, Verdict.EARLY),
        (10_000, 12_000, StageRequest(2), 8, Verdict.OUT_OF_RANGE),
        (10_000, 12_000, Masks(hold=4), 8, Verdict.OUT_OF_RANGE),
        (10_000, 12_000, PatternRequest(256), 8, Verdict.OUT_OF_RANGE),
        (10_000, 9000, StageRequest(1), 8, Verdict.OUT_OF_RANGE),
    ],
)
def test_what_is_taken_and_what_is_not(
    issued_ms: int, expires_ms: int, order: Order, key: int, verdict: Verdict
) -> None:
    """At 10 s, after command 7 of 9 s: only what is new, in time and in range; the rest restarts no timer."""
    stand_in = StandIn(JUNCTION, StandInConfig(backup_ms=5000))
    until(stand_in, 9000)
    assert stand_in.command(FieldCommand(9000, 11_000, StageRequest(0), 7), 9000) is Verdict.ACCEPTED
    until(stand_in, 10_000, 9000)
    assert stand_in.command(FieldCommand(issued_ms, expires_ms, order, key), 10_000) is verdict
    until(stand_in, 14_000, 10_000)
    assert stand_in.status().mode is (Mode.SYSTEM if verdict is Verdict.ACCEPTED else Mode.BACKUP)


def test_no_order_shortens_a_minimum_green_or_a_clearance() -> None:
    """The other stage every 100 ms for two minutes: greens last 5 s, yellows 3 s, at least; the monitor is content."""
    stand_in = StandIn(JUNCTION)
    begun: dict[tuple[int, int], int] = {}
    shortest = {GREEN: 10**9, YELLOW: 10**9}
    shown = stand_in.status().aspects
    for now_ms in range(100, 120_000, 100):
        tell(stand_in, StageRequest(now_ms // 100 % 2), now_ms)
        until(stand_in, now_ms, now_ms - 100)
        aspects = stand_in.status().aspects
        for g, (before, after) in enumerate(zip(shown, aspects, strict=True)):
            if before != after:
                if (g, before) in begun and before in shortest:
                    shortest[before] = min(shortest[before], now_ms - begun[g, before])
                begun[g, after] = now_ms
        shown = aspects
    assert shortest == {GREEN: 5000, YELLOW: 3000}
    assert not stand_in.monitor.log


def test_a_force_off_clears_itself_when_its_green_has_ended() -> None:
    """Bit set while the group is green, gone when it is not; omit and call stay."""
    stand_in = StandIn(JUNCTION, StandInConfig(backup_ms=60_000))
    until(stand_in, 20_000)
    tell(stand_in, StageRequest(0), 20_000)
    until(stand_in, 39_000, 20_000)
    assert stand_in.status().aspects == (GREEN, RED)
    tell(stand_in, Masks(force_off=0b01, omit=0b01, call=0b10), 39_000)
    assert stand_in.controls.masks.force_off == 0b01
    until(stand_in, 39_100, 39_000)
    assert stand_in.status().aspects == (YELLOW, RED)
    assert stand_in.controls.masks == Masks(force_off=0, omit=0b01, call=0b10)


def test_hold_keeps_a_green_that_others_call() -> None:
    """Both groups are called at all times; held, the first stays green for 35 s, and goes when the hold is over."""
    stand_in = StandIn(JUNCTION, StandInConfig(backup_ms=60_000))
    until(stand_in, 3000)
    tell(stand_in, Masks(hold=0b01, call=0b11), 3000)
    until(stand_in, 38_000, 3000)
    assert stand_in.status().aspects == (GREEN, RED)
    tell(stand_in, Masks(), 38_000)
    until(stand_in, 45_000, 38_000)
    assert stand_in.status().aspects != (GREEN, RED)


def test_the_cabinet_wins_over_the_centre() -> None:
    """Flash at the cabinet, whatever is asked for; afterwards red first, then the stage."""
    stand_in = StandIn(JUNCTION, StandInConfig(backup_ms=60_000))
    until(stand_in, 10_000)
    stand_in.cabinet.flash = True
    assert tell(stand_in, StageRequest(0), 10_000) is Verdict.ACCEPTED
    until(stand_in, 30_000, 10_000)
    status = stand_in.status()
    assert status.aspects == (DARK, DARK)
    assert (status.flash, status.mode) == (Flash.LOCAL_MANUAL, Mode.MANUAL)
    assert Alarm.LOCAL_FLASH in status.alarms
    stand_in.cabinet.flash = False
    until(stand_in, 30_100, 30_000)
    assert stand_in.status().aspects == (RED, RED)
    until(stand_in, 45_000, 30_100)
    assert stand_in.status().aspects == (GREEN, RED)


def test_stop_time_stops_time() -> None:
    """Lamps stay as they are; the backup timer does not."""
    stand_in = StandIn(JUNCTION, StandInConfig(backup_ms=5000))
    until(stand_in, 4000)
    shown = stand_in.status().aspects
    tell(stand_in, StageRequest(1), 4000)
    stand_in.cabinet.stop_time = True
    until(stand_in, 60_000, 4000)
    assert stand_in.status().aspects == shown
    assert Alarm.STOP_TIME in stand_in.status().alarms
    assert stand_in.controls.stage == -1


def test_all_red_and_give_back() -> None:
    """The centre may ask for red everywhere, and give the junction back to its own plan."""
    stand_in = StandIn(JUNCTION, StandInConfig(backup_ms=60_000))
    until(stand_in, 10_000)
    tell(stand_in, ModeRequest(Remote.ALL_RED), 10_000)
    until(stand_in, 25_000, 10_000)
    assert stand_in.status().aspects == (RED, RED)
    tell(stand_in, ModeRequest(Remote.LOCAL), 25_000)
    until(stand_in, 30_000, 25_000)
    assert stand_in.status().mode is Mode.STANDBY
    assert GREEN in stand_in.status().aspects


def test_pattern_and_sync() -> None:
    """Pattern 1 has a cycle of 60 s; synchronised to second 20 at 10 s, its zero comes at 50 s."""
    names = [stage.name for stage in JUNCTION.stages]
    plan = Plan("day", 60_000, 0, tuple(PlanStep(name, 20_000) for name in names))
    stand_in = StandIn(replace(JUNCTION, plans=(plan,)), StandInConfig(backup_ms=600_000))
    until(stand_in, 10_000)
    tell(stand_in, PatternRequest(1, 20), 10_000)
    until(stand_in, 410_000, 10_000)
    status = stand_in.status()
    assert (status.pattern, status.cycle_ms) == (1, 60_000)
    assert status.cycle_left_ms == 60_000 - (410_000 - 50_000) % 60_000 or status.cycle_left_ms == 0
    tell(stand_in, PatternRequest(7), 410_000)
    until(stand_in, 410_100, 410_000)
    assert stand_in.status().pattern == 254


def test_the_monitor_flashes_the_junction_for_a_lamp_that_burns_when_it_must_not() -> None:
    """A stuck green on group 2 while group 1 is green: after 300 ms flash, latched until somebody resets it."""
    stand_in = StandIn(JUNCTION)
    until(stand_in, 2000)
    assert stand_in.status().aspects == (GREEN, RED)
    stand_in.wiring.stuck = Lights(0, 0, 0b10)
    until(stand_in, 2200, 2000)
    assert stand_in.status().flash is Flash.NONE
    until(stand_in, 2300, 2200)
    status = stand_in.status()
    assert (status.flash, status.aspects) == (Flash.MMU, (DARK, DARK))
    assert Alarm.MMU_FLASH in status.alarms
    assert [(m.fault, m.groups) for m in stand_in.monitor.log] == [("conflict", (1, 2))]
    stand_in.wiring.stuck = Lights(0, 0, 0)
    until(stand_in, 30_000, 2300)
    assert stand_in.status().flash is Flash.MMU
    stand_in.reset_monitor()
    until(stand_in, 40_000, 30_000)
    assert stand_in.status().flash is Flash.NONE
    assert len(stand_in.monitor.log) == 1


def judged(*shown: tuple[int, Lights]) -> list[str]:
    """Faults of a sequence of lamps of the crossroads, each shown from its time on, at ticks of 100 ms."""
    monitor = Monitor(JUNCTION)
    for (begin_ms, lights), end_ms in zip(
        shown, [t for t, _ in shown[1:]] + [shown[-1][0] + 2000], strict=True
    ):
        for now_ms in range(begin_ms, end_ms, 100):
            monitor.judge(lights, now_ms, 100)
    return [malfunction.fault for malfunction in monitor.log]


RED_RED, GREEN_RED, YELLOW_RED, RED_GREEN = (
    Lights(0b11, 0, 0),
    Lights(0b10, 0, 0b01),
    Lights(0b10, 0b01, 0),
    Lights(0b01, 0, 0b10),
)


@pytest.mark.parametrize(
    ("shown", "faults"),
    [
        (((0, GREEN_RED), (9000, YELLOW_RED), (12_000, RED_RED), (13_000, RED_GREEN)), []),
        (((0, GREEN_RED), (9000, RED_RED)), ["skipped yellow"]),
        (((0, GREEN_RED), (9000, YELLOW_RED), (11_600, RED_RED)), ["short yellow"]),
        (((0, GREEN_RED), (9000, YELLOW_RED), (11_700, RED_RED)), []),
        (((0, GREEN_RED), (9000, Lights(0b10, 0, 0)), (9700, YELLOW_RED), (12_700, RED_RED)), []),
        (((0, RED_RED), (5000, Lights(0b10, 0, 0)), (5800, RED_RED)), ["red fail"]),
        (((0, RED_RED), (5000, Lights(0b10, 0, 0)), (5700, RED_RED)), []),
        (((0, RED_RED), (5000, Lights(0b11, 0, 0b01)), (5400, RED_RED)), ["dual indication"]),
        (((0, GREEN_RED), (9000, Lights(0, 0, 0b11)), (9200, GREEN_RED)), ["skipped yellow"]),
        (((0, GREEN_RED), (9000, Lights(0, 0, 0b11)), (9300, GREEN_RED)), ["conflict"]),
    ],
)
def test_what_the_monitor_latches(shown: tuple[tuple[int, Lights], ...], faults: list[str]) -> None:
    """Thresholds of 300 ms conflict, 800 ms red fail, 350 ms dual indication, 2.7 s yellow."""
    assert judged(*shown) == faults


def test_masks_of_a_stage_pick_that_stage_from_any_lamps() -> None:
    """Hold, force-off, omit and call as the port writes them name one stage, whatever is green before."""
    greens = [0b0011, 0b0110, 0b1100, 0b1000, 0b0010, 0b1011]
    for s, wanted in enumerate(greens):
        for green in range(16):
            masks = Masks(hold=wanted & green, force_off=green & ~wanted, omit=0b1111 & ~wanted, call=wanted)
            for current in range(len(greens)):
                assert pick_stage(greens, masks, green, current) == s


def test_power_off_and_on_starts_from_red_on_the_own_plan() -> None:
    """What the centre said is forgotten, and told as an alarm until it writes again."""
    stand_in = StandIn(JUNCTION)
    until(stand_in, 20_000)
    tell(stand_in, StageRequest(1), 20_000)
    stand_in.reboot()
    until(stand_in, 20_100, 20_000)
    status = stand_in.status()
    assert status.mode is Mode.TIMEBASE
    assert Alarm.POWER_RESTART in status.alarms
    tell(stand_in, StageRequest(1), 20_200)
    assert Alarm.POWER_RESTART not in stand_in.status().alarms


@pytest.mark.parametrize("power_ms", range(8000, 30_000, 1700))
def test_power_that_comes_back_is_no_malfunction(power_ms: int) -> None:
    """Whatever shows when power goes, the junction starts from red, and no group before those that were green."""
    stand_in = StandIn(JUNCTION)
    until(stand_in, power_ms)
    stand_in.reboot()
    until(stand_in, power_ms + 30_000, power_ms)
    assert not stand_in.monitor.log
    assert GREEN in stand_in.status().aspects

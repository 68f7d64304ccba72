"""What every bridge does, whatever its protocol. A protocol gets this suite with one line in ``street.FACTORIES``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from greensplit.bridges.base import BridgeSettings, LinkState
from greensplit.bridges.field import Flash, Mode, StageRequest
from greensplit.engine.model.aspects import GREEN, RED

from .street import BACKUP_MS, FACTORIES, order_for, street, two_crossroads

pytestmark = pytest.mark.parametrize("name", FACTORIES)


def test_conformance_status_is_what_the_controller_shows(name: str) -> None:
    """Lamps, mode, detectors and periods arrive as they are."""
    with street(name) as (here, bridge):
        here.until(8000, (0, 7350, 1), (1, 6100, 1), (1, 6600, 0))
        bridge.read(here.now_ms)
        for d in (0, 1):
            told, true = bridge.status(d, here.now_ms), here.status(d)
            assert bridge.health(d).state is LinkState.UP, bridge.health(d).why
            assert told is not None
            assert told.aspects == true.aspects
            assert told.mode is Mode.TIMEBASE
            assert told.flash is Flash.NONE
            assert told.detector_on == true.detector_on == (1 if d == 0 else 0)
            assert told.periods is None or told.periods == true.periods


def test_conformance_volume_and_occupancy_of_a_period(name: str) -> None:
    """Half a second on in one second: one actuation, 50 % = 100 half percents; the other detectors nothing."""
    with street(name) as (here, bridge):
        here.until(7000, (1, 6100, 1), (1, 6600, 0))
        bridge.read(here.now_ms)
        told = bridge.status(0, here.now_ms)
        assert told is not None
        if told.periods is not None:
            assert told.periods.period_ms == 1000
            assert told.periods.volume[:2] == (0, 1)
            assert told.periods.occupancy[:2] == (0, 100)


def test_conformance_fast_polls_see_active_detectors(name: str) -> None:
    """A pulse of 300 ms is in the polls within it and in none outside."""
    with street(name) as (here, bridge):
        here.until(1000)
        bridge.read(here.now_ms)
        seen = []
        for now_ms in range(1200, 2200, 200):
            here.until(now_ms, (2, 1350, 1), (2, 1650, 0))
            seen.append(dict(bridge.sample(now_ms))[0].on)
        assert seen == [0, 0b100, 0b100, 0, 0]


def test_conformance_a_stage_that_is_asked_for_shows(name: str) -> None:
    """The other stage than the one that shows comes, with its clearance, and stays as long as it is asked for."""
    with street(name) as (here, bridge):
        here.until(12_000)
        bridge.read(here.now_ms)
        green = here.status(0).aspects.index(GREEN)
        other = 1 - green
        for now_ms in range(12_000, 40_000, 1000):
            here.until(now_ms)
            bridge.read(now_ms)
            told = bridge.status(0, now_ms)
            assert told is not None
            shown = sum(1 << g for g, a in enumerate(told.aspects) if a == GREEN)
            bridge.write({0: order_for(bridge, other, shown)}, now_ms)
        assert here.status(0).aspects == tuple(GREEN if g == other else RED for g in (0, 1))
        assert here.status(0).mode is Mode.SYSTEM
        assert here.status(1).mode is Mode.TIMEBASE
        assert bridge.health(0).unconfirmed == 0
        assert not here.stand_ins[0].monitor.log


def test_conformance_a_controller_that_is_not_written_to_falls_back_in_time(name: str) -> None:
    """The last write at 10 s: under the system until just before 10 s and the backup time, in backup then."""
    with street(name) as (here, bridge):
        here.until(10_000)
        bridge.read(here.now_ms)
        bridge.write({0: order_for(bridge, 0, 0)}, here.now_ms)
        here.until(10_000 + BACKUP_MS - 100)
        assert here.status(0).mode is Mode.SYSTEM
        here.until(10_000 + BACKUP_MS)
        assert here.status(0).mode is Mode.BACKUP
        here.until(here.now_ms + 1000)
        bridge.read(here.now_ms)
        told = bridge.status(0, here.now_ms)
        assert told is not None
        assert told.mode is Mode.BACKUP
        bridge.write({0: order_for(bridge, 0, 0)}, here.now_ms)
        here.until(here.now_ms + 100)
        assert here.status(0).mode is Mode.SYSTEM


def test_conformance_nothing_is_written_upon_an_old_status(name: str) -> None:
    """Three seconds after the last look the bridge withholds, and the controller falls back."""
    with street(name) as (here, bridge):
        here.until(10_000)
        bridge.read(here.now_ms)
        bridge.write({0: order_for(bridge, 0, 0)}, here.now_ms)
        for now_ms in range(13_000, 20_000, 1000):
            here.until(now_ms)
            bridge.write({0: order_for(bridge, 0, 0)}, now_ms)
        assert here.status(0).mode is Mode.BACKUP
        assert bridge.health(0).withheld == 7


def test_conformance_a_silent_peer_is_noticed_and_found_again(name: str) -> None:
    """Down two seconds after the last answer, up again within 5 s of the peer's return; one line for each."""
    with street(name, settings=BridgeSettings(timeout_ms=100)) as (here, bridge):
        here.until(1000)
        bridge.read(here.now_ms)
        assert here.front is not None
        here.front.close()
        for now_ms in range(1500, 60_000, 500):
            here.until(now_ms)
            bridge.read(now_ms)
        assert bridge.health(0).state is LinkState.DOWN
        assert bridge.health(0).why
        assert "\n" not in bridge.health(0).why
        here.front.open()
        for now_ms in range(60_000, 65_500, 500):
            here.until(now_ms)
            bridge.read(now_ms)
            if bridge.health(0).state is LinkState.UP:
                break
        assert bridge.health(0).state is LinkState.UP
        assert bridge.health(0).connections == 2
        assert bridge.status(0, now_ms) is not None


def test_conformance_local_authority_is_not_fought(name: str) -> None:
    """While somebody flashes the junction nothing is written; afterwards it is, and nobody calls it a fault."""
    with street(name) as (here, bridge):
        here.until(10_000)
        here.stand_ins[0].cabinet.flash = True
        for now_ms in range(10_500, 20_000, 500):
            here.until(now_ms)
            bridge.read(now_ms)
            bridge.write({0: order_for(bridge, 0, 0)}, now_ms)
        assert bridge.health(0).commands == 0
        assert bridge.health(0).state is LinkState.UP
        here.stand_ins[0].cabinet.flash = False
        here.until(20_000)
        bridge.read(20_000)
        bridge.write({0: order_for(bridge, 0, 0)}, 20_000)
        here.until(20_100)
        assert here.status(0).mode is Mode.SYSTEM


def test_conformance_another_junction_than_the_models_is_only_watched(name: str) -> None:
    """Minimum greens of 6 s in the model and 5 s in the controller: monitor only, said in one line."""
    believed = [
        replace(j, groups=tuple(replace(g, min_green_ms=6000) for g in j.groups)) if j.id == "A" else j
        for j in two_crossroads().junctions
    ]
    with street(name, believed) as (here, bridge):
        here.until(1000)
        bridge.read(here.now_ms)
        if bridge.open_device(0).min_green_ms is None:
            pytest.skip("the protocol does not tell minimum greens")
        assert bridge.health(0).state is LinkState.MONITOR_ONLY
        assert "minimum greens" in bridge.health(0).why
        assert bridge.health(1).state is LinkState.UP
        bridge.write({0: order_for(bridge, 0, 0), 1: order_for(bridge, 0, 0)}, here.now_ms)
        here.until(1100)
        assert here.status(0).mode is Mode.TIMEBASE
        assert here.status(1).mode is Mode.SYSTEM


def test_conformance_without_a_backup_time_nothing_is_controlled(name: str) -> None:
    """A controller that never falls back by itself must not depend on us."""
    with street(name, backup_ms=0) as (here, bridge):
        here.until(1000)
        bridge.read(here.now_ms)
        if bridge.open_device(0).backup_ms is None:
            pytest.skip("the protocol does not tell the backup time")
        bridge.write({0: order_for(bridge, 0, 0)}, here.now_ms)
        here.until(1100)
        assert here.status(0).mode is Mode.TIMEBASE


def test_conformance_an_order_for_another_junction_is_withheld(name: str) -> None:
    """Stage 7 of a junction that has two: not sent, said in one line."""
    with street(name) as (here, bridge):
        here.until(1000)
        bridge.read(here.now_ms)
        bridge.write({0: StageRequest(7)}, here.now_ms)
        here.until(1100)
        assert here.status(0).mode is Mode.TIMEBASE
        assert bridge.health(0).withheld == 1
        assert "expected 0 to 1, found 7" in bridge.notes[-1].text

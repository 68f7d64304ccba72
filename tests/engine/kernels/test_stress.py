"""Two million junction-ticks under hostile controllers and of spoilt machines; ``benchmarks.safety`` runs more."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.benchmarks.safety.city import run_obedient, run_sabotaged
from greensplit.benchmarks.safety.drawn import draw_site
from greensplit.engine.kernels.state import new_machine
from greensplit.engine.model.aspects import GREEN, PERMISSIVE, RED
from greensplit.engine.model.compiled import CONFLICT, SHARED, YIELDS, compile_signals
from greensplit.engine.model.site import Site

from .drive import ask
from .sites import random_site

JUNCTIONS = 250
TICKS = 2100
LONGEST_CHANGE_MS = 120_000
CITIES = {
    "drawn from arms": lambda: draw_site(1, JUNCTIONS),
    "drawn at random": lambda: random_site(np.random.default_rng(2), JUNCTIONS),
}


@pytest.fixture(params=CITIES)
def city(request: pytest.FixtureRequest) -> Site:
    """250 junctions, from either of two generators."""
    made: Site = CITIES[request.param]()
    return made


def test_under_hostile_controllers_nothing_is_refused_unsafe_or_left_waiting(city: Site) -> None:
    """Two epochs of a thousand hostile ticks, each followed by a calm that shows what is asked for."""
    found, junction_ticks = run_obedient(city, seed=3, ticks=1400)
    assert found == {}
    assert junction_ticks > 600_000


def test_what_spoilt_machines_propose_is_refused_exactly_when_it_is_unsafe(city: Site) -> None:
    """Thousands of refusals, each for good reason; nothing unsafe shown; every junction released and started again."""
    found, junction_ticks, refused = run_sabotaged(city, seed=4, ticks=1000)
    assert found == {}
    assert junction_ticks == 250_000
    assert refused > 2000


def test_drawn_cities_hold_every_kind_of_thing() -> None:
    """The stress would say little about traps, people or red-amber if there were none."""
    signals = compile_signals(draw_site(0, 60))
    assert {CONFLICT, YIELDS, SHARED} <= set(signals.meeting)
    assert len(signals.trap) > 0
    assert signals.is_pedestrian.any()
    assert {4, 5, 6} <= set(signals.stop_aspect.ravel())
    assert signals.start_ms.any()
    assert signals.commit_ms.any()
    assert signals.start_red_ms.any()
    assert 3 in signals.stage_aspect
    assert (signals.min_green_ms % 100).any()


@pytest.mark.parametrize(("tick_ms", "seed"), [(100, 1), (1000, 2)])
def test_random_requests_starve_nobody(tick_ms: int, seed: int) -> None:
    """525 000 junction-ticks each way: what a stage wants comes, whatever else is asked for meanwhile."""
    rng = np.random.default_rng(seed)
    site = random_site(rng, JUNCTIONS)
    signals = compile_signals(site)
    machine = new_machine(signals)
    groups = np.diff(signals.group_ptr)
    local = np.arange(signals.group_ptr[-1]) - np.repeat(signals.group_ptr[:-1], groups)
    green_ms = np.zeros(len(local), np.int64)
    changes = 0
    for k in range(TICKS):
        now_ms = k * tick_ms
        request = rng.integers(-1, 8, JUNCTIONS).astype(np.int32)
        before = machine.stage.copy()
        ask(signals, machine, request, now_ms)
        changes += int((machine.stage != before).sum())
        shown = signals.stage_aspect_ptr[signals.stage_ptr[:-1] + machine.stage]
        wanted = signals.stage_aspect[np.repeat(shown, groups) + local] != RED
        green_ms[~wanted | np.isin(machine.lamps.aspect, (GREEN, PERMISSIVE))] = now_ms
        assert now_ms - green_ms.min() <= LONGEST_CHANGE_MS, green_ms.argmin()
    assert changes > 10 * JUNCTIONS

"""Every kernel does what its words say: compared with plain oracles on random sites, requests and times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greensplit.engine.events import EVENT_DTYPE, FLASH_STATUS
from greensplit.engine.kernels.coding import EVENTS_PER_GROUP, code_lamps
from greensplit.engine.kernels.interlock import FAULT_NAMES, check_lamps
from greensplit.engine.kernels.machine import advance_machine
from greensplit.engine.kernels.state import new_faults, new_lamps, new_machine
from greensplit.engine.model.aspects import ASPECT_NAMES, RED
from greensplit.engine.model.compiled import compile_rules, compile_signals
from greensplit.engine.model.site import Site

from .drive import ask
from .naive import NaiveCoder, NaiveInterlock, NaiveMachine
from .sites import random_site

seeds = st.integers(0, 2**32 - 1)
ticks = st.sampled_from([100, 1000])
quick = settings(max_examples=40, deadline=None)


def names(aspect: np.ndarray, first: int, last: int) -> list[str]:
    return [ASPECT_NAMES[a] for a in aspect[first:last]]


@quick
@given(seeds, ticks)
def test_the_machine_moves_as_its_words_say(seed: int, tick_ms: int) -> None:
    """Three random junctions, random requests (some nonsense), 250 ticks: the same lamps in every tick."""
    rng = np.random.default_rng(seed)
    site = random_site(rng, 3)
    signals = compile_signals(site)
    machine = new_machine(signals)
    plain = [NaiveMachine(junction, site.red_revert_ms) for junction in site.junctions]
    withheld, urgent = np.zeros(3, np.int64), np.zeros(3, np.uint8)
    for k in range(250):
        request = rng.integers(-1, 7, 3).astype(np.int32)
        request[rng.random(3) < 0.02] = rng.integers(-5, -1)
        withheld[rng.random(3) < 0.1] = rng.integers(0, 64)
        urgent[:] = rng.random(3) < 0.05
        advance_machine(signals, machine, request, withheld, urgent, k * tick_ms)
        for j, oracle in enumerate(plain):
            held_back = [g for g in oracle.shown if withheld[j] >> (g - 1) & 1]
            expected = oracle.advance(int(request[j]), k * tick_ms, held_back, bool(urgent[j]))
            found = names(machine.lamps.aspect, signals.group_ptr[j], signals.group_ptr[j + 1])
            assert found == expected, (k, j)
            assert bool(machine.settled[j]) == oracle.settled


def disturbed(rng: np.random.Generator, aspect: np.ndarray, site: Site) -> np.ndarray:
    """What the machine shows, now and then with one lamp changed to anything that its group may ever show."""
    proposed = aspect.copy()
    if rng.random() < 0.05:
        groups = [g for junction in site.junctions for g in junction.groups]
        i = int(rng.integers(len(groups)))
        steps = (*groups[i].sequence.start, *groups[i].sequence.stop)
        own = [0, 2, 3, *(ASPECT_NAMES.index(step.aspect) for step in steps)]
        proposed[i] = rng.choice(own)
    return proposed


@quick
@given(seeds, ticks)
def test_the_interlock_finds_what_its_rules_say_and_nothing_else(seed: int, tick_ms: int) -> None:
    """A disturbed machine: the same verdict in every tick, of a kind and about groups that the rules name."""
    rng = np.random.default_rng(seed)
    site = random_site(rng, 1)
    signals, guard = compile_signals(site), compile_rules(site)
    machine, lamps, faults = new_machine(signals), new_lamps(len(signals.min_green_ms)), new_faults(1)
    oracle = NaiveInterlock(site.junctions[0], site.red_revert_ms)
    released = np.zeros(1, np.uint8)
    for k in range(300):
        ask(signals, machine, rng.integers(-1, 7, 1), k * tick_ms)
        proposed = disturbed(rng, machine.lamps.aspect, site)
        expected = oracle.judge(names(proposed, 0, len(proposed)), k * tick_ms)
        check_lamps(guard, lamps, faults, proposed, released, k * tick_ms, False)
        if expected:
            second = int(faults.second[0])
            named = FAULT_NAMES[faults.code[0]], int(faults.first[0]) + 1, None if second < 0 else second + 1
            assert named in expected
            assert faults.findings[0] == len(expected)
            assert faults.at_ms[0] == k * tick_ms
            return
        assert faults.code[0] == 0, (k, FAULT_NAMES[faults.code[0]])
        assert (lamps.aspect == proposed).all()


@quick
@given(seeds, ticks)
def test_lamp_changes_are_coded_as_the_enumeration_says(seed: int, tick_ms: int) -> None:
    """The log of two junctions under random requests, row for row and in the same order."""
    rng = np.random.default_rng(seed)
    site = random_site(rng, 2)
    signals = compile_signals(site)
    machine, groups = new_machine(signals), len(signals.min_green_ms)
    plain = [NaiveCoder(junction) for junction in site.junctions]
    before, clearing = np.zeros(groups, np.uint8), np.zeros(groups, np.uint8)
    changed, out = np.zeros(2, np.uint8), np.zeros(groups * EVENTS_PER_GROUP, EVENT_DTYPE)
    for k in range(250):
        request = rng.choice([-3, *range(-1, 7)], 2, p=[0.02, *[0.98 / 8] * 8])
        ask(signals, machine, request, k * tick_ms)
        cause = rng.choice([0, 4, 5, 6], 2).astype(np.uint8)
        last = before.copy()
        n = code_lamps(signals, before, machine.lamps, clearing, cause, changed, k * tick_ms, out)
        expected = []
        for j, oracle in enumerate(plain):
            mine = slice(signals.group_ptr[j], signals.group_ptr[j + 1])
            expected += oracle.code(
                names(machine.lamps.aspect, mine.start, mine.stop), int(cause[j]), k * tick_ms
            )
            assert bool(changed[j]) == bool((last[mine] != machine.lamps.aspect[mine]).any())
        assert [tuple(row) for row in out[:n].tolist()] == expected


@quick
@given(seeds)
def test_no_change_of_lamps_writes_more_rows_than_there_is_room(seed: int) -> None:
    """Aspects at random, as a port that only looks on may report them: never more than EVENTS_PER_GROUP each."""
    rng = np.random.default_rng(seed)
    site = random_site(rng, 3)
    signals = compile_signals(site)
    groups = len(signals.min_green_ms)
    before, clearing = np.zeros(groups, np.uint8), np.zeros(groups, np.uint8)
    lamps, changed, out = (
        new_lamps(groups),
        np.zeros(3, np.uint8),
        np.zeros(groups * EVENTS_PER_GROUP + 20, EVENT_DTYPE),
    )
    for k in range(200):
        lamps.aspect[:] = rng.integers(0, 8, groups)
        lamps.red_ms[(lamps.aspect == RED) & (before != RED)] = k * 1000
        n = code_lamps(signals, before, lamps, clearing, np.full(3, 4, np.uint8), changed, k * 1000, out)
        assert n <= groups * EVENTS_PER_GROUP
        of_groups = out[:n][out[:n]["event"] != FLASH_STATUS]
        _, counts = np.unique(of_groups[["device", "parameter"]], return_counts=True)
        assert counts.max(initial=0) <= EVENTS_PER_GROUP


def test_random_sites_hold_every_kind_of_thing() -> None:
    """The oracle comparison would be empty if the sites had no people, flashing greens or traps."""
    site = random_site(np.random.default_rng(0), 40)
    signals = compile_signals(site)
    assert set(signals.meeting) == {0, 1, 2, 3, 4}
    assert len(signals.trap) > 0
    assert signals.is_pedestrian.any()
    assert {4, 5, 6} <= set(signals.stop_aspect.ravel())
    assert signals.start_ms.any()
    assert 3 in signals.stage_aspect


@pytest.mark.parametrize("tick_ms", [100, 1000])
def test_one_city_moves_like_its_junctions_one_by_one(tick_ms: int) -> None:
    """Struct of arrays changes nothing: 20 junctions in one call, and each alone."""
    rng = np.random.default_rng(5)
    city = random_site(rng, 20)
    together = compile_signals(city)
    machine = new_machine(together)
    alone = [compile_signals(Site("one", (j,), red_revert_ms=city.red_revert_ms)) for j in city.junctions]
    machines = [new_machine(signals) for signals in alone]
    for k in range(300):
        request = rng.integers(-1, 7, 20).astype(np.int32)
        ask(together, machine, request, k * tick_ms)
        for j in range(20):
            ask(alone[j], machines[j], request[j : j + 1], k * tick_ms)
            first, last = together.group_ptr[j], together.group_ptr[j + 1]
            assert (machine.lamps.aspect[first:last] == machines[j].lamps.aspect).all()

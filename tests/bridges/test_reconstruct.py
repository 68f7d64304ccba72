"""Detector events from polls, volume and occupancy: what is exact, what is bounded, what is made up."""

from __future__ import annotations

import random

from greensplit.bridges.base import DetectorBits
from greensplit.bridges.field import FieldStatus
from greensplit.bridges.reconstruct import Change, Quality, Reconstruction
from greensplit.bridges.standin.controller import StandIn
from greensplit.bridges.standin.loops import LoopCards

from .street import events, two_crossroads

POLL_MS = 200


def told(
    changes: list[tuple[int, int]], seconds: int, *, lose: int = -1
) -> tuple[list[Change], Reconstruction]:
    """What is made of one detector's (time, state) by polls at 5 Hz and a report each second; one may be lost."""
    cards, found = LoopCards(1, 1000), []
    made = Reconstruction(1)
    blank = StandIn(two_crossroads().junctions[0]).status()
    for now_ms in range(POLL_MS, seconds * 1000 + 1, POLL_MS):
        due = [(0, t, on) for t, on in changes if now_ms - POLL_MS < t <= now_ms]
        cards.take(events(*due), now_ms)
        if now_ms % 1000:
            made.take(DetectorBits(now_ms, cards.on_mask, 0))
        elif now_ms != lose * 1000:
            found += made.finish(_status(blank, now_ms, cards))
    return found, made


def _status(blank: FieldStatus, now_ms: int, cards: LoopCards) -> FieldStatus:
    from dataclasses import replace

    return replace(blank, t_ms=now_ms, detector_on=cards.on_mask, detector_alarm=0, periods=cards.last)


def test_one_change_in_a_period_is_exact_to_half_a_percent() -> None:
    """On at 2130: 870 ms of the second, 87 %; between the polls at 2000 and 2200 it is put to 2130. Off at 3470."""
    found, _ = told([(2130, 1), (3470, 0)], 5)
    assert found == [Change(2130, 0, True, Quality.SEEN), Change(3470, 0, False, Quality.SEEN)]


def test_a_pulse_between_two_polls_is_put_back_with_its_length() -> None:
    """On at 2220, off at 2360: no poll saw it; volume 1, occupancy 14 %."""
    found, made = told([(2220, 1), (2360, 0)], 5)
    assert [change.on for change in found] == [True, False]
    assert found[1].t_ms - found[0].t_ms == 140
    assert {change.quality for change in found} == {Quality.RESTORED}
    assert 2000 <= found[0].t_ms <= found[1].t_ms <= 3000
    assert made.unplaced == 0


def test_a_gap_between_two_polls_is_put_back() -> None:
    """Occupied from 2100 to 4500 but for 60 ms: two actuations, though no poll saw the loop free."""
    found, _ = told([(2100, 1), (3210, 0), (3270, 1), (4500, 0)], 6)
    assert [change.on for change in found] == [True, False, True, False]
    assert 3000 <= found[1].t_ms < found[2].t_ms <= 4000


def test_every_actuation_is_counted_and_no_change_that_was_seen_leaves_its_polls() -> None:
    """A hundred random minutes: volumes come out right, as far as time was left for them; seen ones within 200 ms."""
    for seed in range(100):
        rng = random.Random(seed)
        t, changes = 2001, []
        while t < 58_000:
            on_ms, off_ms = rng.randint(60, 2500), rng.randint(150, 4000)
            changes += [(t, 1), (t + on_ms, 0)]
            t += on_ms + off_ms
        found, made = told(changes, 62)
        ons = sum(change.on for change in found)
        assert ons + made.unplaced == len(changes) // 2
        assert made.unplaced <= 1
        assert [change.on for change in found] == [i % 2 == 0 for i in range(len(found))]
        seen = [change for change in found if change.quality is Quality.SEEN]
        for change in seen:
            assert min(abs(change.t_ms - t) for t, on in changes if bool(on) == change.on) <= POLL_MS
        assert len(seen) >= len(found) // 2


def test_a_lost_report_is_told_and_nothing_is_made_up() -> None:
    """The report of second 3 never comes: one period lost, the seen change stays."""
    found, made = told([(2500, 1), (3900, 0)], 6, lose=3)
    assert made.lost_periods == 1
    assert [change.quality for change in found] == [Quality.SEEN, Quality.SEEN]


def test_polls_alone_give_the_middle() -> None:
    """Without any report a change lies half way between the polls that saw it."""
    made = Reconstruction(1)
    blank = StandIn(two_crossroads().junctions[0]).status()
    from dataclasses import replace

    made.finish(replace(blank, t_ms=1000, detector_on=0, periods=None))
    made.take(DetectorBits(1200, 0, 0))
    made.take(DetectorBits(1400, 1, 0))
    found = made.finish(replace(blank, t_ms=2000, detector_on=1, periods=None))
    assert found == [Change(1300, 0, True, Quality.SEEN)]

"""One tick of the loop: what is read, asked, advanced, checked, logged and written, and in which order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from greensplit.engine.decisions import HOLD, SWITCH, DecisionLog
from greensplit.engine.events import EVENT_DTYPE, EventBuffer
from greensplit.engine.kernels.local.state import ACTUATED, PRETIMED, new_orders
from greensplit.engine.loop import Controller, DetectorEvents, Loop, Truth, View
from greensplit.engine.model.site import Plan, PlanStep, Site

from .kernels.sites import crossroads, random_site, site

NOTHING = DetectorEvents(np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.uint8), 0)


class Street:
    """A port that plays detector events by read time and keeps what it is told."""

    def __init__(self, events: dict[int, DetectorEvents] | None = None, *, drives: bool = True) -> None:
        self.drives_lamps = drives
        self.events = events or {}
        self.calls: list[str] = []
        self.written: list[tuple[list[int], list[int]]] = []
        self.fallen: list[int] = []
        self.shows: npt.NDArray[np.uint8] | None = None

    def read(self, now_ms: int) -> DetectorEvents:
        self.calls.append(f"read {now_ms}")
        return self.events.get(now_ms, NOTHING)

    def observe(self, aspect: npt.NDArray[np.uint8]) -> None:
        self.calls.append("observe")
        if self.shows is not None:
            aspect[:] = self.shows

    def write(self, aspect: npt.NDArray[np.uint8], changed: npt.NDArray[np.uint8]) -> None:
        self.calls.append("write")
        self.written.append((aspect.tolist(), changed.tolist()))

    def fall_back(self, junction: int) -> None:
        self.fallen.append(junction)


class Script:
    """Asks for planned stages; asked again after ``period_ms``."""

    def __init__(self, plan: dict[int, list[int]], period_ms: int = 1000) -> None:
        self.plan = plan
        self.period_ms = period_ms
        self.asked: list[int] = []
        self.seen: list[View] = []

    def decide(
        self, view: View, request: npt.NDArray[np.int32], cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        assert (request == -1).all()
        self.asked.append(view.now_ms)
        self.seen.append(view)
        if view.now_ms in self.plan:
            request[:] = self.plan[view.now_ms]
            cause.fill(5)
            value = np.arange(len(view.signals.stage_deployed), dtype=np.float64)
            log.note(view, request, value, ("planned",), None, np.ones(len(request), np.bool_))
        return view.now_ms + self.period_ms


class Dice:
    """Random requests from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def decide(
        self,
        view: View,
        request: npt.NDArray[np.int32],
        cause: npt.NDArray[np.uint8],
        log: DecisionLog,  # noqa: ARG002 - the protocol names it
    ) -> int:
        request[:] = self.rng.integers(-1, 6, len(request))
        cause[:] = self.rng.choice([4, 5, 6], len(cause))
        return view.now_ms + 1000


def run(loop: Loop, seconds: int, start: int = 0) -> None:
    for t in range(start, start + seconds):
        loop.tick(t * 1000, t * 1000)


def rows(loop: Loop) -> list[tuple[int, int, int, int]]:
    return [tuple(row) for row in loop.events.rows().tolist()]


def two_junctions() -> Site:
    first = crossroads().junctions[0]
    return site(first, replace(first, id="K", device_id=2))


def test_a_tick_reads_before_it_writes_and_asks_nothing_else() -> None:
    """Where the loop drives the lamps it never looks at what the port shows."""
    port = Street()
    run(Loop(crossroads(), port, Script({})), 2)
    assert port.calls == ["read 0", "write", "read 1000", "write"]


def test_detector_events_are_logged_and_seen_by_the_controller_in_the_same_tick() -> None:
    """Channel 101 (detector 1) on at 1.25 s and off at 1.75 s, read at 2 s."""
    events = DetectorEvents(np.array([1, 1], np.int32), np.array([1250, 1750]), np.array([1, 0], np.uint8), 2)
    controller = Script({})
    loop = Loop(crossroads(), Street({2000: events}), controller)
    run(loop, 2)
    before = loop.detectors.actuations.copy()
    run(loop, 1, 2)
    assert before.tolist() == [0, 0, 0, 0]
    assert controller.seen[-1].detectors.actuations.tolist() == [0, 1, 0, 0]
    assert rows(loop)[-2:] == [(1250, 1, 82, 101), (1750, 1, 81, 101)]
    assert loop.detectors.occupied_ms.tolist() == [0, 500, 0, 0]


def test_the_controller_sees_the_queue_of_this_tick() -> None:
    """On the second lane's stop bar from 31.25 s on, at red: one waits as soon as it has stood for a second.

    The loop is trusted by then: it spoke before, and a bin of 20 s has been closed since.
    """
    once = DetectorEvents(np.array([2, 2], np.int32), np.array([1250, 1750]), np.array([1, 0], np.uint8), 2)
    stands = DetectorEvents(np.array([2], np.int32), np.array([31_250]), np.array([1], np.uint8), 1)
    controller = Script({})
    loop = Loop(crossroads(), Street({2000: once, 32_000: stands}), controller)
    run(loop, 33)
    before = float(controller.seen[-1].traffic.queue_veh[1])
    run(loop, 1, 33)
    assert before < 0.1
    assert float(controller.seen[-1].traffic.queue_veh[1]) == pytest.approx(1.0)


def test_traffic_is_not_estimated_where_the_lamps_are_only_observed() -> None:
    """Nobody reads it there."""
    events = DetectorEvents(np.array([2], np.int32), np.array([1250]), np.array([1], np.uint8), 1)
    loop = Loop(crossroads(), Street({2000: events}, drives=False), None)
    run(loop, 10)
    assert not loop.traffic.queue_veh.any()


def test_a_controller_is_asked_when_it_said_and_its_request_stands_until_then() -> None:
    """Asked every 10 s; the request of 10 s is taken in that tick."""
    controller = Script({10_000: [1]}, period_ms=10_000)
    loop = Loop(crossroads(), Street(), controller)
    run(loop, 31)
    assert controller.asked == [0, 10_000, 20_000, 30_000]
    assert loop.machine.stage.tolist() == [1]


def test_a_stage_change_is_logged_in_purdue_codes_with_its_cause() -> None:
    """Free (131, 254); green of 1 ends at 8 s for max-out (5), yellow to 11 s, red clearance of 2 s, green of 2."""
    loop = Loop(crossroads(), Street(), Script({8000: [1]}))
    run(loop, 14)
    assert rows(loop) == [
        (0, 1, 131, 254),
        (0, 1, 0, 1),
        (0, 1, 1, 1),
        (8000, 1, 5, 1),
        (8000, 1, 7, 1),
        (8000, 1, 8, 1),
        (11_000, 1, 9, 1),
        (11_000, 1, 10, 1),
        (13_000, 1, 11, 1),
        (13_000, 1, 12, 1),
        (13_000, 1, 0, 2),
        (13_000, 1, 1, 2),
    ]


def test_the_decisions_of_the_controller_are_kept() -> None:
    """At 6 s the running stage 0 is asked for, a hold; at 8 s stage 1."""
    loop = Loop(crossroads(), Street(), Script({6000: [0], 8000: [1]}))
    run(loop, 9)
    rows = loop.decisions.gathered().rows
    told = rows[["t_ms", "junction", "from_stage", "to_stage", "kind"]].tolist()
    assert told == [(6000, 0, 0, 0, HOLD), (8000, 0, 0, 1, SWITCH)]


def test_the_port_is_told_which_junctions_changed() -> None:
    """K alone changes at 8 s."""
    port = Street()
    run(Loop(two_junctions(), port, Script({8000: [-1, 1]})), 9)
    assert port.written[0] == ([2, 0, 2, 0], [1, 1])
    assert port.written[7] == ([2, 0, 2, 0], [0, 0])
    assert port.written[8] == ([2, 0, 5, 0], [0, 1])


def broken(loop: Loop, junction: int) -> None:
    """The machine, and not the interlock, forgets one junction's intergreens."""
    first, last = loop.signals.pair_ptr[junction], loop.signals.pair_ptr[junction + 1]
    loop.signals.intergreen_ms[first:last] = 0


def test_a_refusal_is_reported_once_and_the_junction_handed_over_when_it_is_red() -> None:
    """K's machine starts its group 2 beside yellow at 8 s. Red at 11 s; group 1 clears in 2 s: handed over at 13 s."""
    port = Street()
    loop = Loop(two_junctions(), port, Script({8000: [1, 1]}))
    broken(loop, 1)
    run(loop, 13)
    assert port.fallen == []
    run(loop, 30, 13)
    assert port.fallen == [1]
    (refusal,) = loop.refusals
    assert tuple(refusal) == (8000, "K", "short intergreen", 1, 2)
    assert loop.interlock_findings == 1
    assert [row for row in rows(loop) if row[2] == 200] == [(8000, 2, 200, 1)]


def test_lamps_that_were_refused_reach_neither_the_port_nor_the_log() -> None:
    """J changes stage as asked; K, which faulted, goes to red and is logged so, its group 2 never green."""
    port = Street()
    loop = Loop(two_junctions(), port, Script({8000: [1, 1]}))
    broken(loop, 1)
    run(loop, 40)
    assert port.written[-1][0] == [0, 2, 0, 0]
    assert not [row for row in rows(loop) if row[1] == 2 and row[3] == 2 and row[2] == 1]
    assert [row for row in rows(loop) if row[1] == 1 and row[3] == 2 and row[2] == 1] == [(13_000, 1, 1, 2)]


def test_a_loop_that_only_looks_on_writes_nothing_and_counts_every_fault() -> None:
    """Both groups green in two separate ticks: two findings each (a to b and b to a), two reports, no hand-over."""
    port = Street(drives=False)
    loop = Loop(crossroads(), port, None)
    for t, shows in [(0, [0, 0]), (5, [2, 0]), (6, [2, 2]), (7, [2, 2]), (20, [2, 0]), (40, [2, 2])]:
        port.shows = np.array(shows, np.uint8)
        loop.tick(t * 1000, t * 1000)
    assert port.written == []
    assert port.fallen == []
    assert set(port.calls) == {"observe", *(f"read {t}000" for t in (0, 5, 6, 7, 20, 40) if t), "read 0"}
    assert [(r.t_ms, r.fault) for r in loop.refusals] == [
        (6000, "conflicting greens"),
        (20_000, "skipped yellow or pedestrian clearance"),
        (40_000, "conflicting greens"),
    ]
    assert loop.interlock_findings == 5
    assert not [row for row in rows(loop) if row[2] == 200]


def test_lamps_seen_late_are_logged_when_they_were_shown() -> None:
    """Detectors up to 6 s, lamps of 5 s."""
    port = Street(drives=False)
    loop = Loop(crossroads(), port, None)
    port.shows = np.array([2, 0], np.uint8)
    loop.tick(6000, 5000)
    assert port.calls[0] == "read 6000"
    assert rows(loop) == [(5000, 1, 131, 1), (5000, 1, 0, 1), (5000, 1, 1, 1)]


def test_perfect_vision_is_looked_up_only_when_the_controller_is_asked() -> None:
    """Every 10 s, not every second; without it the controller sees None."""
    looks = []

    def look() -> Truth:
        looks.append(1)
        empty = np.zeros(0)
        none = np.zeros(0, np.int32)
        return Truth(none, none, empty, empty, np.zeros(0, np.uint8), np.zeros(0, np.float32), np.zeros(2))

    controller = Script({}, period_ms=10_000)
    run(Loop(crossroads(), Street(), controller, look), 25)
    assert len(looks) == 3
    assert controller.seen[0].truth is not None
    blind = Script({})
    run(Loop(crossroads(), Street(), blind), 1)
    assert blind.seen[0].truth is None


def test_same_inputs_give_the_same_log_bit_for_bit() -> None:
    """Twice 500 s of a random city with random requests from one seed; another seed differs."""
    logs = []
    for seed in (3, 3, 4):
        controller: Controller = Dice(seed)
        loop = Loop(random_site(np.random.default_rng(9), 10), Street(), controller)
        run(loop, 500)
        logs.append(loop.events.rows().tobytes())
    assert logs[0] == logs[1]
    assert logs[0] != logs[2]
    assert len(logs[0]) > 1000 * EVENT_DTYPE.itemsize


def test_a_long_log_keeps_every_row_when_its_room_doubles() -> None:
    """Ten thousand rows through a buffer that starts with room for two."""
    buffer = EventBuffer(2)
    for i in range(0, 10_000, 2):
        room = buffer.room(2)
        room[0], room[1] = (i, 1, 82, 5), (i + 1, 1, 81, 5)
        buffer.commit(2)
    assert buffer.rows()["t_ms"].tolist() == list(range(10_000))
    buffer.append(7, 3, 200, 1)
    assert tuple(buffer.rows()[-1].tolist()) == (7, 3, 200, 1)


def test_an_empty_site_ticks() -> None:
    """No junction, no event, no error."""
    loop = Loop(Site("empty", ()), Street(), Dice(0))
    run(loop, 3)
    assert rows(loop) == []


def test_a_clock_that_goes_back_stands_still_and_raises_an_alarm() -> None:
    """Group 1 is asked to end at 6 s; the clock falls back to 2 s twice: yellow still lasts from 6 to 9 s."""
    street = Street()
    loop = Loop(crossroads(), street, Script({6000: [1]}))
    for now_ms in (0, 1000, 5000, 6000, 2000, 3000, 8000, 9000):
        loop.tick(now_ms, now_ms)
    first = [aspect[0] for aspect, _ in street.written]
    assert first == [2, 2, 2, 5, 5, 5, 5, 0]
    rows = loop.events.rows()
    alarms = rows[rows["event"] == 200]
    assert alarms[["t_ms", "parameter"]].tolist() == [(6000, 2)]
    assert (np.diff(rows["t_ms"]) >= 0).all()


def test_events_can_be_handed_on_and_cleared() -> None:
    """The buffer starts again; what comes next is complete."""
    street = Street()
    loop = Loop(crossroads(), street, Script({}))
    loop.tick(0, 0)
    assert loop.events.count > 0
    loop.events.clear()
    loop.tick(1000, 1000)
    assert loop.events.rows().tolist() == []


def test_orders_say_who_decides_and_the_pattern_in_use_is_logged() -> None:
    """A plan of 20 s: each street 5 s and its change; from 60 s on without a plan, in the recalled green."""
    base = crossroads().junctions[0]
    plan = Plan("P", 22_000, 0, (PlanStep("S1", 5000), PlanStep("S2", 5000)))
    street, orders = Street(), new_orders(1)
    loop = Loop(site(replace(base, plans=(plan,))), street, None, orders=orders)
    orders.mode[0], orders.plan[0] = PRETIMED, 0
    for now_ms in range(0, 90_000, 1000):
        if now_ms == 60_000:
            orders.mode[0] = ACTUATED
        loop.tick(now_ms, now_ms)
    first = "".join("G" if aspect[0] == 2 else "-" for aspect, _ in street.written)
    assert first[22:66] == 2 * ("G" * 5 + "-" * 17)
    rows = loop.events.rows()
    patterns = rows[rows["event"] == 131]
    assert patterns[["t_ms", "parameter"]].tolist() == [(0, 1), (60_000, 254)]
    assert loop.interlock_findings == 0

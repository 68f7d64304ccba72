"""What one loop shows, the queue becomes: each rule alone, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.model.aspects import GREEN, PERMISSIVE

from ..sites import crossroads
from .world import ADVANCE, STOP, World


def test_presence_at_red_is_at_least_one() -> None:
    """Nobody was announced; the loop is covered at red for over a second: one waits, since the loop was entered."""
    world = World(crossroads())
    world.run(5)
    world.switch(STOP, True)
    world.run(2)
    assert world.queue_veh == pytest.approx(1.0)
    assert world.traffic.oldest_s[0] == pytest.approx(2.0)


def test_a_gap_in_green_is_no_queue() -> None:
    """Four are thought to wait, the loop is free from the start of green: after 3 s there are none."""
    world = World(crossroads())
    world.expect(1, 4.0)
    world.run(1)
    world.switch(STOP, True)
    world.run(1)
    world.switch(STOP, False)
    world.show(green=True)
    world.run(2)
    assert world.queue_veh > 1.0
    world.run(1)
    assert world.queue_veh == 0.0
    assert world.traffic.queue_var[0] < 0.1


def test_whoever_is_due_at_red_and_does_not_come_is_forgotten_after_four_seconds() -> None:
    """Vehicles brake and come later than at free flow; four seconds after, they went another way."""
    world = World(crossroads())
    world.run(10)
    world.expect(11, 1.0)
    world.run(4)
    assert world.queue_veh == pytest.approx(1.0)
    world.run(2)
    assert world.queue_veh == 0.0


def test_each_vehicle_that_frees_the_stop_bar_is_one_less() -> None:
    """Five wait; in green the loop is free at 2.0, 6.0 (entered at 5.0) and 8.0 s (at 7.0): three have left."""
    world = World(crossroads())
    world.expect(1, 5.0)
    world.run(1)
    world.switch(STOP, True)
    world.run(1)
    start_s = world.now_s
    world.show(green=True)
    for free_s, enter_s in ((2.0, 5.0), (6.0, 7.0), (8.0, 8.5)):
        while world.now_s < start_s + free_s:
            world.run(1)
        world.switch(STOP, False, start_s + free_s - 0.5)
        world.update(1)
        while world.now_s < start_s + enter_s:
            world.now_s += 1
        world.switch(STOP, True, start_s + enter_s)
        world.update(1)
    assert world.queue_veh == pytest.approx(2.0)


def test_a_pair_that_leaves_a_presence_loop_together_is_two() -> None:
    """The loop is first free 4.3 s after the start of green: it takes one vehicle 2 s and a pair 4.3."""
    world = World(crossroads())
    world.expect(1, 5.0)
    world.run(1)
    world.switch(STOP, True)
    world.run(1)
    world.show(green=True)
    left = 0.0
    for _ in range(4):
        world.run(1)
        left += float(world.traffic.left_veh[0])
    world.switch(STOP, False, world.now_s + 0.3)
    world.run(1)
    left += float(world.traffic.left_veh[0])
    assert left == 2.0
    assert world.queue_veh == pytest.approx(3.0)


def test_a_fast_passage_at_red_says_that_the_queue_ends_before_the_advance_loop() -> None:
    """Twenty are thought to wait on 80 m; one passes the loop within half a second: at most 80 / 7.5 - 1 = 9.67."""
    world = World(crossroads())
    world.expect(1, 20.0)
    world.run(1)
    world.switch(STOP, True)
    world.run(2)
    assert world.queue_veh == pytest.approx(20.0)
    world.switch(ADVANCE, True, world.now_s + 0.2)
    world.switch(ADVANCE, False, world.now_s + 0.7)
    world.run(1)
    assert world.queue_veh == pytest.approx(80 / 7.5 - 1)


def test_a_loop_that_is_not_sound_says_nothing() -> None:
    """Stuck off in green: the queue leaves as learned, one in 2 s after 2 s, and is not taken for a gap."""
    world = World(crossroads(), blind=True)
    world.expect(1, 8.0)
    world.run(1)
    world.show(green=True)
    world.run(6)
    assert world.queue_veh == pytest.approx(8.0 - 4 * 0.5)


def green_that_ends_on(world: World, *, left: int, stands: bool) -> None:
    """Six wait, ``left`` leave, 2 s each; then red, with the next one on the stop bar if ``stands``."""
    world.expect(1, 6.0)
    world.switch(STOP, True)
    world.run(1)
    world.show(green=True)
    for k in range(left):
        world.run(1)
        world.switch(STOP, False, world.now_s + 0.2)
        if stands or k + 1 < left:
            world.switch(STOP, True, world.now_s + 0.9)
        world.run(1)
    world.show(green=False)
    world.run(1)


def test_a_green_that_ends_on_a_queue_nobody_sees_leaves_more_than_was_expected() -> None:
    """Six wait and three leave: four more are supposed behind the next; they came, and will not count twice."""
    world = World(crossroads())
    world.level[world.index[ADVANCE]] = 4
    world.traffic.arrivals.sight_s[:, 0] = 0
    came = float(world.traffic.arrivals.came_veh[0])
    green_that_ends_on(world, left=3, stands=True)
    assert world.queue_veh == pytest.approx(3.0 + 4.0)
    assert world.traffic.arrivals.came_veh[0] - came == pytest.approx(4.0)
    assert world.traffic.arrivals.owed_veh[0] == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("left", "stands", "is_seen"), [(3, False, False), (1, True, False), (3, True, True)]
)
def test_nobody_is_supposed_where_the_queue_ended_or_hardly_moved_or_is_seen(
    left: int, stands: bool, is_seen: bool
) -> None:
    """The loop is free at the end of green; only one had left; the advance loop is sound."""
    world = World(crossroads())
    if not is_seen:
        world.level[world.index[ADVANCE]] = 4
        world.traffic.arrivals.sight_s[:, 0] = 0
    green_that_ends_on(world, left=left, stands=stands)
    assert world.queue_veh == pytest.approx(6.0 - left)
    assert world.traffic.arrivals.owed_veh[0] == 0.0


def test_the_variance_grows_with_what_is_not_seen_and_falls_at_an_anchor() -> None:
    """Twelve arrivals unseen, with the variance of a Poisson stream; then a gap."""
    world = World(crossroads())
    world.traffic.arrivals.noise[0] = 1.0
    world.switch(STOP, True)
    world.run(1)
    for t in range(12):
        world.expect(t + 2, 1.0)
    world.run(12)
    assert world.traffic.queue_var[0] == pytest.approx(12.0, abs=1.0)
    world.show(green=True)
    world.switch(STOP, False)
    world.run(4)
    assert world.traffic.queue_var[0] < 0.1


def _covered() -> World:
    """80 m, so seen for 6 s; a queue stands on the advance loop: 80 / 7.5 + 1 = 11.67 wait."""
    world = World(crossroads())
    world.detection = world.detection._replace(storage_m=np.full(len(world.detection.stop_bar), 300.0))
    world.switch(STOP, True)
    world.run(2)
    world.switch(ADVANCE, True)
    for ahead in (2, 5, 6, 30):
        world.expect(world.now_s + 4 + ahead, 1.0)
    world.run(4)
    return world


def test_a_covered_loop_clears_what_was_seen_and_keeps_what_is_forecast() -> None:
    """Of vehicles due 2, 5, 6 and 30 s ahead, the first two had passed the loop: they are in the queue."""
    world = _covered()
    assert world.traffic.arrivals.sight_s[0, 0] == 6
    assert world.queue_veh == pytest.approx(80 / 7.5 + 1)
    assert world.traffic.arrivals.arrival_veh[:, 0].sum() == pytest.approx(2.0)


def test_who_is_owed_when_the_loop_is_free_leaves_the_ring_and_then_the_queue() -> None:
    """Three are owed when the loop has been free for 3 s. One is due 4 s ahead: the queue loses two, and who leaves."""
    world = _covered()
    world.show(green=True)
    world.switch(ADVANCE, False)
    world.traffic.arrivals.owed_veh[0] = 3.0
    world.run(3)
    world.traffic.arrivals.arrival_veh[:, 0].fill(0.0)
    world.traffic.early_veh[0] = 0.0
    world.expect(world.now_s + 5, 1.0)
    before = world.queue_veh
    world.run(1)
    assert world.traffic.arrivals.owed_veh[0] == 0.0
    assert world.traffic.arrivals.arrival_veh[:, 0].sum() == 0.0
    left = float(world.traffic.left_veh[0])
    assert world.queue_veh == pytest.approx(before - left - 2.0)


def test_an_open_lane_whose_advance_loop_stays_covered_is_full() -> None:
    """Occupancy passes 0.8 after 4 ln 5 = 6.4 s, seven ticks; free for three, it is below a half."""
    world = World(crossroads())
    world.show(green=True)
    world.switch(STOP, True)
    world.switch(ADVANCE, True)
    world.run(6)
    assert not world.traffic.lane_full[0]
    world.run(1)
    assert world.traffic.lane_full[0]
    world.switch(ADVANCE, False)
    world.run(3)
    assert not world.traffic.lane_full[0]


@pytest.mark.parametrize("yields", [True, False])
def test_a_slower_discharge_is_learned_where_the_lane_yields(yields: bool) -> None:
    """A queue that leaves 4 s apart: a yielding lane's headway nears 4 s from its prior of 2, and never passes it; on a
    protected lane something behind the junction was in the way.
    """
    world = World(crossroads())
    cell = world.traffic.discharge.cell_ptr[0]
    world.traffic.discharge.gives_way[cell] = yields
    world.switch(STOP, True)
    world.run(1)
    world.expect(2, 25.0)
    world.run(1)
    world.show(green=True)
    world.lamps.aspect[0] = PERMISSIVE if yields else GREEN
    for _ in range(20):
        world.run(3)
        world.switch(STOP, False, world.now_s + 0.2)
        world.run(1)
        world.switch(STOP, True, world.now_s)
    learned_s = world.traffic.discharge.served_s[cell] / world.traffic.discharge.served_veh[cell]
    assert learned_s <= 4.2
    assert (learned_s > 2.3) == yields

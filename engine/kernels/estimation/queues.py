"""The queue of every lane: arrivals in, departures out, set right whenever a loop shows what is true.

What the stop-bar loop shows: nobody on it in green for GAP_MS, or at red for EMPTY_MS, is no queue; somebody on it at
red is at least one. What the advance loop shows: covered at red, the queue ends there; passed at speed, it ends
before. Behind a covered loop arrivals are not seen, they are put right when the queue has passed it (``shockwave``).
Between such times the variance grows with every vehicle that was expected or left unseen.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...model.aspects import GREEN, PERMISSIVE
from ...model.compiled import Detection
from ..detectors import U16_MASK, Detectors, gained
from ..jit import inlined, kernel
from ..state import NEVER_MS, Lamps
from .discharge import discharge_cell, headway_s, learn_headway, learn_start_up
from .expectation import COVERED_MS, MASK
from .shockwave import longest_queue_m
from .traffic import JAM_M, Traffic
from .travel import RING

__all__ = ["update_queues"]

GAP_MS = 3000
LONG_GAP_MS = 10_000  # the same with a queue on the advance loop, which comes yet
EMPTY_MS = 4000
PRESENT_S = 1.0
GONE_S = 1.0  # at green, one who is due for so long and not on the loop has left
BRAKED_S = 4.0  # at red, one who is due for so long and not on the loop does not come
CLEAR_MS = 3000  # the advance loop free for so long after a queue: its last vehicle has passed
FREE_PASSAGE_MS = 900  # on a loop of 2 m, at 28 km/h or more
PAIR_MS = 3250  # a loop covered for so long since green, or since it was entered: one has left it unseen
FOLLOWING_MS = 1700  # longest gap between vehicles that leave a queue
FRESH = 128  # added to a lane's cell until somebody has left in its stage
OBSTRUCTED_S = 4.0  # a longer headway is not that of a queue with the way free
LONG_WAIT_MS = 7500  # a head that found no gap for so long tells of its lane
LONGEST_WAIT_S = 60.0
START_UP_VEH = 4.0
BRAKING_S = 2  # lost in braking, so that a vehicle stands later than it would pass at free flow
LONGEST_LEAD_S = 8
RUN_VEH = 2.0  # so many leave before a green that ends on the next counts as too short
UNSEEN_VEH = 4.0  # who stand behind that one, where only the stop bar is seen
MOST_AHEAD_VEH = 2.0
LEAST_VEH = 1e-4  # less is a rounding error
START_WAVE_MPS = 5.0
BEHIND_WAVE_MPS = 8.0

COUNT_SPREAD = 0.05
HIDDEN_SPREAD = 0.3
MODEL_SPREAD = 0.5
EMPTY_VAR = 0.05
PRESENT_VAR = 0.15
AT_LOOP_VAR = 1.5
PASSED_VAR = 1.0


@kernel
def update_queues(
    group_ptr: npt.NDArray[np.int32],
    detection: Detection,
    detectors: Detectors,
    lamps: Lamps,
    stage: npt.NDArray[np.int32],
    level: npt.NDArray[np.uint8],
    traffic: Traffic,
    step_ms: int,
    now_ms: int,
) -> None:
    """Move every lane on by ``step_ms`` to ``now_ms``. ``traffic`` is modified in place.

    ``group_ptr`` (J + 1,) is that of ``Signals``, ``stage`` (J,) local, ``level`` (D,) 0 where a loop is sound.
    """
    for j in range(len(stage)):
        for lane in range(detection.lane_ptr[j], detection.lane_ptr[j + 1]):
            green_ms, is_blocked, gives_way = NEVER_MS, True, False
            for i in range(detection.lane_group_ptr[lane], detection.lane_group_ptr[lane + 1]):
                group = group_ptr[j] + detection.lane_group[i]
                if lamps.aspect[group] == GREEN or lamps.aspect[group] == PERMISSIVE:
                    green_ms = max(green_ms, lamps.green_ms[group])
                    is_blocked = is_blocked and traffic.exit_full[group] == 1
                    gives_way = gives_way or lamps.aspect[group] == PERMISSIVE
            is_open = green_ms != NEVER_MS
            stop = detection.stop_bar[lane]
            if stop >= 0 and level[stop]:
                traffic.passed[lane] = detectors.actuations[stop] - detectors.on[stop]
                stop = -1
            advance = detection.advance[lane]
            if advance >= 0 and level[advance]:
                advance = -1
            traffic.lane_blocked[lane] = is_open and is_blocked
            if is_open and not traffic.was_open[lane]:
                traffic.gone_veh[lane] = 0.0
                traffic.run_veh[lane] = 0.0
            _wait(traffic, lane, step_ms)
            _arrive(detection, traffic, lane, is_open, step_ms, now_ms)
            if stop >= 0:
                _count_departures(
                    detectors, traffic, lane, stop, stage[j], is_open, gives_way, green_ms, now_ms
                )
            else:
                _model_departures(traffic, lane, stage[j], is_open, green_ms, step_ms, now_ms)
            if advance >= 0:
                _read_advance(detection, detectors, traffic, lane, advance, is_open, green_ms, now_ms)
            elif traffic.covered[lane]:
                traffic.covered[lane] = 0
                traffic.arrivals.owed_veh[lane] = 0.0
            if stop >= 0:
                _read_stop_bar(detectors, traffic, lane, stop, is_open, green_ms, now_ms)
                is_blind = detection.advance[lane] >= 0 and advance < 0
                if is_blind and traffic.was_open[lane] and not is_open and detectors.on[stop]:
                    _suppose_more(traffic, lane)
            _keep_bounds(detection, traffic, lane)
            traffic.was_open[lane] = is_open


@inlined
def _wait(traffic: Traffic, lane: int, step_ms: int) -> None:
    """Everybody in the queue is older by a step."""
    traffic.waited_veh_s[lane] += traffic.queue_veh[lane] * step_ms / 1000.0
    traffic.oldest_s[lane] = (
        traffic.oldest_s[lane] + step_ms / 1000.0 if traffic.queue_veh[lane] > 0.0 else 0.0
    )


@inlined
def _join(traffic: Traffic, lane: int, vehicles: float) -> None:
    """``vehicles`` come to the end of the queue."""
    traffic.queue_veh[lane] += vehicles


@inlined
def _leave(traffic: Traffic, lane: int, vehicles: float) -> None:
    """Up to ``vehicles`` leave at the head.

    Waiting times are taken as linear from head to tail, so the first ``f`` of the queue waited
    ``oldest * f + (mean - oldest) * f ** 2`` times its length.
    """
    queue = traffic.queue_veh[lane]
    if vehicles >= queue - LEAST_VEH:
        traffic.queue_veh[lane] = 0.0
        traffic.waited_veh_s[lane] = 0.0
        traffic.oldest_s[lane] = 0.0
    elif vehicles > 0.0:
        share = vehicles / queue
        oldest = traffic.oldest_s[lane]
        slope = min(max(traffic.waited_veh_s[lane] / queue - oldest, -0.5 * oldest), 0.0)
        taken = queue * share * (oldest + slope * share)
        traffic.waited_veh_s[lane] = max(traffic.waited_veh_s[lane] - taken, 0.0)
        traffic.oldest_s[lane] = oldest + 2.0 * slope * share
        traffic.queue_veh[lane] = queue - vehicles


@inlined
def _arrive(
    detection: Detection,
    traffic: Traffic,
    lane: int,
    is_open: bool,
    step_ms: int,
    now_ms: int,
) -> None:
    """Take the seconds that passed out of the ring; whoever is due in them or in the present one joins the queue.

    At red so do those who come to its end before the stop line, though no farther ahead than somebody sees them: what
    is only expected there may yet be exchanged for what is seen.
    """
    queue, ring = traffic.queue_veh[lane], traffic.arrivals.arrival_veh
    kind, most_s = 2, LONGEST_LEAD_S
    if traffic.arrivals.sight_s[lane, 0] > 0:
        kind, most_s = 0, traffic.arrivals.sight_s[lane, 0] - 1
    elif traffic.arrivals.sight_s[lane, 1] > 0:
        kind, most_s = 1, traffic.arrivals.sight_s[lane, 1] - 1
    lead_s = 0
    if not is_open and queue > 0.5:
        speed_mps = max(detection.speed_mps[lane], 1.0)
        lead_s = min(max(int(queue * JAM_M / speed_mps) - BRAKING_S, 0), LONGEST_LEAD_S, most_s)
    passed, near, told = 0.0, 0.0, traffic.early_veh[lane]
    second = now_ms // 1000
    for s in range(second - min((step_ms + 999) // 1000, RING - 1), second):
        passed += ring[s & MASK, lane]
        ring[s & MASK, lane] = 0.0
    for s in range(second, second + lead_s + 1):
        near += ring[s & MASK, lane]
    came = max(passed + near - told, 0.0)
    traffic.early_veh[lane] = max(near, told - passed)
    if came > LEAST_VEH:
        gone = min(came, traffic.ahead_veh[lane])
        traffic.ahead_veh[lane] -= gone
        came -= gone
        _join(traffic, lane, came)
        traffic.queue_var[lane] += came * traffic.arrivals.noise[kind, lane]
        if traffic.covered[lane]:
            traffic.queue_var[lane] += came


@inlined
def _count_departures(
    detectors: Detectors,
    traffic: Traffic,
    lane: int,
    stop: int,
    stage: int,
    is_open: bool,
    gives_way: bool,
    green_ms: int,
    now_ms: int,
) -> None:
    """A vehicle has left whenever the stop-bar loop is free again; a pair when one alone would have freed it sooner.

    Two who start together leave no gap on a presence loop. No more are taken to have left: one who yields, or finds
    no room behind the junction, covers it for as long.
    """
    completed = detectors.actuations[stop] - detectors.on[stop]
    freed = float(gained(completed, traffic.passed[lane], U16_MASK))
    traffic.passed[lane] = completed & U16_MASK
    on_ms, off_ms = detectors.on_ms[stop], detectors.off_ms[stop]
    since_ms = max(on_ms, green_ms)
    queued = traffic.queue_veh[lane]
    left = freed
    most = min(1.0, queued)
    if detectors.on[stop]:
        if freed > 0.0:
            traffic.run_veh[lane] = 0.0
        if is_open and not traffic.lane_blocked[lane]:
            hidden = most if now_ms - since_ms > PAIR_MS else 0.0
            left += max(hidden - traffic.run_veh[lane], 0.0)
            traffic.run_veh[lane] = max(hidden, traffic.run_veh[lane])
    elif freed > 0.0:
        if is_open and freed == 1.0 and not traffic.lane_blocked[lane]:
            hidden = most if off_ms - since_ms > PAIR_MS else 0.0
            left += max(hidden - traffic.run_veh[lane], 0.0)
        traffic.run_veh[lane] = 0.0
    at_ms = off_ms if freed > 0.0 else now_ms
    if is_open or traffic.was_open[lane]:
        on = detectors.on[stop] == 1
        _learn_discharge(traffic, lane, stage, is_open, gives_way, left, on_ms, at_ms, green_ms, on, now_ms)
    if left > 0.0:
        traffic.left_ms[lane] = at_ms
    traffic.gone_veh[lane] += left
    traffic.left_veh[lane] = left
    traffic.ahead_veh[lane] = min(traffic.ahead_veh[lane] + max(left - queued, 0.0), MOST_AHEAD_VEH)
    _leave(traffic, lane, left)
    traffic.queue_var[lane] += COUNT_SPREAD * freed + HIDDEN_SPREAD * (left - freed)


@inlined
def _learn_discharge(
    traffic: Traffic,
    lane: int,
    stage: int,
    is_open: bool,
    gives_way: bool,
    left: float,
    on_ms: int,
    at_ms: int,
    green_ms: int,
    is_on: bool,
    now_ms: int,
) -> None:
    """Headways of those who ``left`` a standing queue at ``at_ms``, two of whom have gone before in this green.

    What holds up a protected lane lies behind the junction and says nothing of its headways. A head that has found no
    gap until the stage or the green ends teaches the lane's time in that stage; the next one starts anew.
    """
    discharge = traffic.discharge
    first, last = int(discharge.cell_ptr[lane]), int(traffic.cell[lane])
    cell, last_cell = discharge_cell(discharge, lane, stage), first + last % FRESH
    settled = is_open and gives_way == discharge.gives_way[cell]
    is_new = traffic.was_open[lane] and (not settled or cell != last_cell)
    is_fresh = is_new or (last >= FRESH and left <= 0.0)
    traffic.cell[lane] = cell - first + (FRESH if is_fresh else 0)
    if not is_new and left <= 0.0:
        return
    before, left_ms = traffic.gone_veh[lane], traffic.left_ms[lane]
    since_ms = max(left_ms, green_ms)
    if is_new and left <= 0.0:
        waited = discharge.gives_way[last_cell] == 1 and before >= 2.0 and is_on
        if waited and not traffic.lane_blocked[lane] and now_ms - since_ms > LONG_WAIT_MS:
            learn_headway(discharge, last_cell, 0.0, min((now_ms - since_ms) / 1000.0, LONGEST_WAIT_S))
        traffic.left_ms[lane] = now_ms
    elif settled and before >= 2.0 and traffic.queue_veh[lane] > 0.5:
        took_s = (at_ms - since_ms) / 1000.0
        follows = (is_on or on_ms - left_ms <= FOLLOWING_MS) and since_ms == left_ms
        if follows and not is_new and last < FRESH and (gives_way or took_s < OBSTRUCTED_S * left):
            learn_headway(discharge, cell, left, min(took_s, LONGEST_WAIT_S))
        if before < START_UP_VEH and before + left >= START_UP_VEH:
            learn_start_up(discharge, lane, cell, before + left, (at_ms - green_ms) / 1000.0)


@inlined
def _model_departures(
    traffic: Traffic, lane: int, stage: int, is_open: bool, green_ms: int, step_ms: int, now_ms: int
) -> None:
    """Without a sound stop-bar loop the queue leaves at its learned headway after the start-up."""
    left = 0.0
    if is_open and now_ms - green_ms > 1000.0 * traffic.discharge.start_up_s[lane]:
        cell = discharge_cell(traffic.discharge, lane, stage)
        headway = headway_s(traffic.discharge.served_veh[cell], traffic.discharge.served_s[cell])
        left = min(traffic.queue_veh[lane], step_ms / 1000.0 / headway)
    traffic.gone_veh[lane] += left
    traffic.left_veh[lane] = left
    _leave(traffic, lane, left)
    traffic.queue_var[lane] += MODEL_SPREAD * left
    if left > 0.0 and traffic.queue_veh[lane] <= 0.0:
        traffic.queue_var[lane] *= 0.5


@inlined
def _read_advance(
    detection: Detection,
    detectors: Detectors,
    traffic: Traffic,
    lane: int,
    advance: int,
    is_open: bool,
    green_ms: int,
    now_ms: int,
) -> None:
    """What the advance loop says about the end of the queue."""
    has_seen = gained(detectors.actuations[advance], traffic.arrivals.taken[lane], U16_MASK) > 0
    is_on = detectors.on[advance] == 1
    off_ms, on_ms = detectors.off_ms[advance], detectors.on_ms[advance]
    stands = is_on and now_ms - on_ms > COVERED_MS
    if traffic.covered[lane]:
        if traffic.start_ms[lane] == NEVER_MS and not is_on:
            traffic.start_ms[lane] = off_ms
        quiet = not is_on and now_ms - off_ms > CLEAR_MS
        free = not is_on and has_seen and off_ms - on_ms < FREE_PASSAGE_MS
        if quiet or free:
            b_s, c_s = traffic.start_ms[lane] / 1000.0, off_ms / 1000.0
            traffic.longest_m[lane] = longest_queue_m(
                detection.advance_m[lane], b_s, max(c_s, b_s), START_WAVE_MPS, BEHIND_WAVE_MPS
            )
            _leave(traffic, lane, _take_back(traffic, lane, now_ms // 1000))
            traffic.covered[lane] = 0
            traffic.queue_var[lane] = min(traffic.queue_var[lane], PASSED_VAR + 0.1 * traffic.queue_veh[lane])
    if stands and (not traffic.covered[lane] or traffic.start_ms[lane] != NEVER_MS):
        traffic.covered[lane] = 1
        traffic.start_ms[lane] = NEVER_MS
        loop_m = float(detection.advance_m[lane])
        is_before_wave = not is_open or now_ms - green_ms < 1000.0 * loop_m / START_WAVE_MPS
        if detection.advance_share[lane] >= 1.0 and is_before_wave:
            gone = traffic.gone_veh[lane] if is_open else 0.0
            missing = loop_m / JAM_M + 1.0 - gone - traffic.queue_veh[lane]
            for s in range(now_ms // 1000, now_ms // 1000 + traffic.arrivals.sight_s[lane, 0]):
                traffic.arrivals.arrival_veh[s & MASK, lane] = 0.0
            traffic.arrivals.owed_veh[lane] = 0.0
            traffic.early_veh[lane] = 0.0
            traffic.ahead_veh[lane] = 0.0
            if missing > 0.0:
                _join(traffic, lane, missing)
            else:
                _leave(traffic, lane, -missing)
            traffic.queue_var[lane] = AT_LOOP_VAR
    if (
        not traffic.covered[lane]
        and not is_on
        and has_seen
        and off_ms - on_ms < FREE_PASSAGE_MS
        and not is_open
    ):
        beyond = traffic.queue_veh[lane] - max(detection.advance_m[lane] / JAM_M - 1.0, 1.0)
        if beyond > LEAST_VEH:
            _leave(traffic, lane, beyond)
            traffic.queue_var[lane] = min(traffic.queue_var[lane], PASSED_VAR)


@inlined
def _take_back(traffic: Traffic, lane: int, second: int) -> float:
    """The advance loop is free: whoever was expected behind it and has not passed is not there.

    The last of them leave the ring, as far as they are not in the queue; how many must leave that.
    """
    ring, wrong = traffic.arrivals.arrival_veh, traffic.arrivals.owed_veh[lane]
    end_s = second + traffic.arrivals.sight_s[lane, 0]
    traffic.arrivals.owed_veh[lane] = 0.0
    coming = -traffic.early_veh[lane]
    for s in range(second, end_s):
        coming += ring[s & MASK, lane]
    rest = min(wrong, max(coming, 0.0))
    wrong -= rest
    for ago in range(1, end_s - second + 1):
        at = (end_s - ago) & MASK
        taken = min(rest, ring[at, lane])
        ring[at, lane] -= taken
        rest -= taken
    return float(wrong)


@inlined
def _read_stop_bar(
    detectors: Detectors, traffic: Traffic, lane: int, stop: int, is_open: bool, green_ms: int, now_ms: int
) -> None:
    """What the stop-bar loop says about the head of the queue."""
    queue = traffic.queue_veh[lane]
    if detectors.on[stop]:
        stood_s = (now_ms - detectors.on_ms[stop]) / 1000.0
        missing = 1.0 - queue
        if missing > LEAST_VEH and (is_open or stood_s >= PRESENT_S):
            if is_open:
                traffic.ahead_veh[lane] = min(traffic.ahead_veh[lane] + missing, MOST_AHEAD_VEH)
            traffic.waited_veh_s[lane] += missing * stood_s
            traffic.oldest_s[lane] = max(traffic.oldest_s[lane], stood_s)
            _join(traffic, lane, missing)
            traffic.queue_var[lane] = max(min(traffic.queue_var[lane], 1.0), PRESENT_VAR)
        return
    free_ms = now_ms - max(detectors.off_ms[stop], green_ms)
    is_gap = is_open and free_ms >= (LONG_GAP_MS if traffic.covered[lane] else GAP_MS)
    is_empty = not is_open and now_ms - detectors.off_ms[stop] >= EMPTY_MS
    if is_gap:
        traffic.ahead_veh[lane] = 0.0
        traffic.arrivals.owed_veh[lane] = 0.0
    late_s = GONE_S if is_gap else BRAKED_S
    if (is_gap or is_empty) and traffic.oldest_s[lane] >= late_s:
        _leave(traffic, lane, queue)
        traffic.ahead_veh[lane] = 0.0
        traffic.queue_var[lane] = EMPTY_VAR


@inlined
def _suppose_more(traffic: Traffic, lane: int) -> None:
    """Green ends on a queue whose advance loop is lost: more stand there than were expected.

    Else a lane that is never emptied would be taken to need no more than it was given.
    """
    if traffic.gone_veh[lane] >= RUN_VEH:
        _join(traffic, lane, UNSEEN_VEH)
        traffic.queue_var[lane] += UNSEEN_VEH
        traffic.arrivals.came_veh[lane] += UNSEEN_VEH
        traffic.arrivals.owed_veh[lane] += UNSEEN_VEH


@inlined
def _keep_bounds(detection: Detection, traffic: Traffic, lane: int) -> None:
    """A queue has room on its way only, and nobody knows less than that it is somewhere on it."""
    room = max(detection.storage_m[lane] / JAM_M, 1.0)
    if traffic.queue_veh[lane] > room:
        _leave(traffic, lane, traffic.queue_veh[lane] - room)
    traffic.queue_var[lane] = min(traffic.queue_var[lane], room * room / 12.0)

"""Every reachable state of small junctions, under every controller and under every lamp that could be proposed.

*Machine and interlock*: any request, anything withheld, urgent or not, in every tick. No refusal, nothing unsafe, and
from every state every stage, all red and flash are reached when asked for steadily. *Interlock alone*: all 8^n
aspects proposed in every tick. It refuses exactly what the judge objects to, what it shows is safe, and after a
refusal it lets go, safe all the way. Times are a few ticks, so that there are not too many states.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt
import pytest

from greensplit.benchmarks.safety.judge import (
    OBJECTIONS,
    judge_lamps,
    judge_release,
    keep_notes,
    new_notes,
    open_book,
    starts_despite,
)
from greensplit.engine.kernels.interlock import check_lamps
from greensplit.engine.kernels.machine import ALL_RED, FLASH, KEEP, advance_machine
from greensplit.engine.kernels.state import new_faults, new_lamps, new_machine
from greensplit.engine.model import aspects
from greensplit.engine.model.compiled import compile_rules, compile_signals
from greensplit.engine.model.site import GroupKind, Meeting, SignalGroup, Site, Stage, Step

from .explore import NOW_MS, Layout, Reached, copies, steps_to
from .sites import CONFLICT, PERMISSIVE, SHARED, group, junction, site

S: Final = 1000
TICK_MS: Final = S
BATCH: Final = 8192
EVERYBODY: Final = -1
LONGEST_CHANGE: Final = 40
LONGEST_RETREAT: Final = 20
LEAST_DRIVEN: Final = 5000
LEAST_OFFERED: Final = 1500

Numbers = npt.NDArray[np.int64]


def quick(
    number: int, *, green_s: int = 1, start_s: int = 0, flash_s: int = 0, countdown_s: int = 0
) -> SignalGroup:
    """A vehicle group with times of a few ticks; yellow of 1 s."""
    stop = (Step("yellow", S),)
    made = group(
        number,
        stop=(Step("green_flash", flash_s * S), *stop) if flash_s else stop,
        start=(Step("red_amber", start_s * S),) if start_s else (),
        min_green_ms=green_s * S,
    )
    return replace(made, commit_ms=countdown_s * S)


def people(number: int) -> SignalGroup:
    """Walk 1 s, clearance 2 s."""
    return group(number, kind=GroupKind.PEDESTRIAN, stop=(Step("clearance", 2 * S),), min_green_ms=S)


def crossing_streets() -> Site:
    """Two groups that conflict, intergreens of 2 s and 3 s, minimum greens of 2 s and 1 s."""
    return site(
        junction(
            (quick(1, green_s=2), quick(2)),
            (Meeting(1, 2, CONFLICT, 2 * S, 3 * S),),
            (Stage("one", (1,)), Stage("two", (2,))),
            with_loops=False,
        )
    )


def rising_streets() -> Site:
    """Red-amber of 1 s on the first, green flash of 1 s on the second; they conflict; 3 s of red after flash."""
    made = junction(
        (quick(1, start_s=1), quick(2, flash_s=1)),
        (Meeting(1, 2, CONFLICT, 2 * S, 2 * S),),
        (Stage("one", (1,)), Stage("two", (2,))),
        with_loops=False,
    )
    return site(replace(made, start_red_ms=3 * S))


def rising_turn() -> Site:
    """A left turn with red-amber that yields to a street, and a stage for each of them."""
    return site(
        junction(
            (quick(1, green_s=2), quick(2, start_s=1)),
            (Meeting(2, 1, PERMISSIVE, 2 * S, 2 * S, left_turn=True),),
            (Stage("both", (1, 2), (2,)), Stage("turn", (2,)), Stage("street", (1,))),
            with_loops=False,
        )
    )


def walking_people() -> Site:
    """A turn that yields to people while they walk, and has a countdown."""
    return site(
        junction(
            (quick(1, countdown_s=2), people(2)),
            (Meeting(1, 2, PERMISSIVE, S, 3 * S),),
            (Stage("turn", (1,)), Stage("both", (1, 2), (1,))),
            with_loops=False,
        )
    )


def shared_pair() -> Site:
    """Shown together by the program, but 2 s apart when one follows the other."""
    return site(
        junction(
            (quick(1), quick(2, green_s=2)),
            (Meeting(1, 2, SHARED, 2 * S, S),),
            (Stage("one", (1,)), Stage("two", (2,)), Stage("both", (1, 2))),
            with_loops=False,
        )
    )


def left_turn() -> Site:
    """A street, its opposing left turn (trap) and a side street that conflicts with both."""
    return site(
        junction(
            (quick(1), quick(2), quick(3)),
            (
                Meeting(2, 1, PERMISSIVE, S, 2 * S, left_turn=True),
                Meeting(1, 3, CONFLICT, S, S),
                Meeting(2, 3, CONFLICT, 2 * S, S),
            ),
            (Stage("A", (1, 2), (2,)), Stage("B", (2,)), Stage("C", (3,)), Stage("D", (1,))),
            with_loops=False,
        )
    )


def oldest(made: Site) -> int:
    """Age in ticks from which on no rule looks back: longer than every time of the site."""
    (one,) = made.junctions
    times = [made.red_revert_ms, one.start_red_ms]
    times += [ms for met in one.meetings for ms in (met.intergreen_ms, met.reverse_ms)]
    times += [g.min_green_ms + g.commit_ms for g in one.groups]
    times += [step.ms for g in one.groups for step in (*g.sequence.start, *g.sequence.stop)]
    assert not any(ms % TICK_MS for ms in times)
    return max(times) // TICK_MS + 1


class Driven:
    """Machine, interlock and judge of many copies of a junction."""

    def __init__(self, made: Site) -> None:
        (one,) = made.junctions
        city = copies(made, BATCH)
        self.signals, self.guard, self.book = compile_signals(city), compile_rules(city), open_book(city)
        self.machine = new_machine(self.signals)
        self.lamps, self.notes = new_lamps(BATCH * len(one.groups)), new_notes(self.book)
        self.faults, self.released = new_faults(BATCH), np.zeros(BATCH, np.uint8)
        requests = (KEEP, ALL_RED, FLASH, *range(len(one.stages)))
        actions = list(product(requests, range(1 << len(one.groups)), (0, 1)))
        self.request, self.withheld, self.urgent = np.array(actions, np.int64).T
        self.steady = {request: actions.index((request, 0, 0)) for request in requests[1:]}
        machine = self.machine._asdict()
        del machine["since_ms"]  # tells when a stage was reached; the machine never reads it
        parts = [*machine.pop("lamps")._asdict().items(), *machine.items()]
        parts += [*self.lamps._asdict().items(), *self.notes._asdict().items()]
        self.layout = Layout(parts, BATCH, TICK_MS, oldest(made))

    def explore(self) -> tuple[Reached, dict[int, Numbers]]:
        """All states, and for each steady request the state that follows each state."""
        reached = Reached(self.layout.words)
        reached.add(self.layout.save(1))
        following: dict[int, list[Numbers]] = {request: [] for request in self.steady}
        actions = len(self.request)
        for rows in reached.sweep(BATCH // actions):
            after = reached.add(self._successors(rows)).reshape(-1, actions)
            for request, at in self.steady.items():
                following[request].append(after[:, at])
        return reached, {request: np.concatenate(parts) for request, parts in following.items()}

    def _successors(self, rows: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """Every state one tick later, under every action; each step is judged."""
        pairs = len(rows) * len(self.request)
        self.layout.load(np.repeat(rows, len(self.request), axis=0))
        request, withheld, urgent = (
            np.resize(np.tile(column, len(rows)), BATCH)
            for column in (self.request, self.withheld, self.urgent)
        )
        before = self.machine.lamps.aspect.copy()
        advance_machine(
            self.signals, self.machine, request.astype(np.int32), withheld, urgent.astype(np.uint8), NOW_MS
        )
        shown = self.machine.lamps.aspect
        tally = np.zeros((BATCH, len(OBJECTIONS)), np.int64)
        judge_lamps(self.book, self.notes, shown, np.zeros(BATCH, np.uint8), NOW_MS, tally)
        check_lamps(self.guard, self.lamps, self.faults, shown, self.released, NOW_MS, False)
        assert not tally[:pairs].any(), [OBJECTIONS[i] for i in np.flatnonzero(tally[:pairs].any(axis=0))]
        assert not self.faults.code[:pairs].any(), set(self.faults.code[:pairs].tolist())
        withheld[pairs:] = 0
        assert starts_despite(self.book, before, shown, withheld) == 0
        keep_notes(self.notes, shown, NOW_MS)
        self.faults.code.fill(0)
        return self.layout.save(pairs)

    def shown(self, reached: Reached) -> npt.NDArray[np.uint8]:
        """(states, groups) what the interlock shows in each state."""
        found = []
        for rows in reached.sweep(BATCH):
            self.layout.load(rows)
            found.append(self.lamps.aspect.reshape(BATCH, -1)[: len(rows)].copy())
        return np.concatenate(found)


def target(made: Site, request: int) -> list[int]:
    """What is shown in the end when this is asked for."""
    (one,) = made.junctions
    if request == ALL_RED or request == FLASH:
        return [aspects.RED if request == ALL_RED else aspects.DARK] * len(one.groups)
    stage = one.stages[request]
    green = [aspects.PERMISSIVE if g.number in stage.permissive else aspects.GREEN for g in one.groups]
    return [a if g.number in stage.green else aspects.RED for a, g in zip(green, one.groups, strict=True)]


SMALL: Final = {
    "crossing streets": crossing_streets,
    "rising streets": rising_streets,
    "rising turn": rising_turn,
    "walking people": walking_people,
    "shared pair": shared_pair,
}


def check_driven(made: Site) -> int:
    """All states under all actions; and from each, every target, in a bounded time. The number of states."""
    driven = Driven(made)
    reached, following = driven.explore()
    shown = driven.shown(reached)
    for request, after in following.items():
        steps = steps_to((shown == target(made, request)).all(axis=1), after)
        assert steps.min() >= 0, (request, shown[steps.argmin()])
        assert steps.max() <= LONGEST_CHANGE
    return reached.count


@pytest.mark.parametrize("name", SMALL)
def test_no_controller_gets_a_junction_into_an_unsafe_or_a_dead_state(name: str) -> None:
    """Two groups: every state, every request, urgent or not, and everything that may be withheld."""
    assert check_driven(SMALL[name]()) > LEAST_DRIVEN


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_controller_gets_a_left_turn_with_a_side_street_into_an_unsafe_or_a_dead_state() -> None:
    """Three groups and four stages."""
    assert check_driven(left_turn()) > 10 * LEAST_DRIVEN


def test_a_machine_that_is_a_tick_too_quick_is_found() -> None:
    """The exploration of a machine whose minimum greens are one tick short ends in an objection."""
    driven = Driven(crossing_streets())
    driven.signals.min_green_ms[:] -= TICK_MS
    with pytest.raises(AssertionError, match="short green"):
        driven.explore()


class Offered:
    """The interlock and judge of many copies of a junction, offered every lamp there is."""

    def __init__(self, made: Site) -> None:
        groups = len(made.junctions[0].groups)
        city = copies(made, BATCH)
        self.guard, self.book = compile_rules(city), open_book(city)
        self.lamps, self.notes = new_lamps(BATCH * groups), new_notes(self.book)
        self.faults, self.released = new_faults(BATCH), np.zeros(BATCH, np.uint8)
        self.proposals = np.array(list(product(range(8), repeat=groups)), np.uint8)
        self.layout = Layout(
            [
                *self.lamps._asdict().items(),
                ("code", self.faults.code),
                ("released", self.released),
                *self.notes._asdict().items(),
            ],
            BATCH,
            TICK_MS,
            oldest(made),
        )

    def explore(self) -> tuple[Reached, Numbers]:
        """All states, and the state that follows each when all red is proposed."""
        reached = Reached(self.layout.words)
        reached.add(self.layout.save(1))
        following = []
        for rows in reached.sweep(max(BATCH // len(self.proposals), 1)):
            after = reached.add(self._successors(rows)).reshape(-1, len(self.proposals))
            following.append(after[:, 0])
        return reached, np.concatenate(following)

    def _successors(self, rows: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        pairs = len(rows) * len(self.proposals)
        self.layout.load(np.repeat(rows, len(self.proposals), axis=0))
        proposed = np.resize(
            np.tile(self.proposals, (len(rows), 1)), (BATCH, self.proposals.shape[1])
        ).ravel()
        self.faults.code[self.released != 0] = 0
        self.released.fill(0)
        latched = self.faults.code != 0
        wrong, shown_wrong = (np.zeros((BATCH, len(OBJECTIONS)), np.int64) for _ in range(2))
        judge_lamps(self.book, self.notes, proposed, np.zeros(BATCH, np.uint8), NOW_MS, wrong)
        check_lamps(self.guard, self.lamps, self.faults, proposed, self.released, NOW_MS, False)
        refused = self.faults.code != 0
        agree = latched | (wrong.any(axis=1) == refused)
        assert agree[:pairs].all(), self._told(~agree, proposed)
        assert (refused | ~latched)[:pairs].all()
        judge_lamps(self.book, self.notes, self.lamps.aspect, self.faults.code, NOW_MS, shown_wrong)
        assert not shown_wrong[:pairs].any(), self._told(shown_wrong.any(axis=1), proposed)
        barred = np.where(refused & (np.arange(BATCH) < pairs), EVERYBODY, 0)
        assert starts_despite(self.book, self.notes.shown, self.lamps.aspect, barred) == 0
        keep_notes(self.notes, self.lamps.aspect, NOW_MS)
        judge_release(self.book, self.notes, self.released, NOW_MS, shown_wrong)
        assert not shown_wrong[:pairs].any(), self._told(shown_wrong.any(axis=1), proposed)
        self.faults.code[refused] = 1
        return self.layout.save(pairs)

    def _told(self, found: npt.NDArray[np.bool_], proposed: npt.NDArray[np.uint8]) -> str:
        """The first of the copies that were found."""
        copy = int(np.flatnonzero(found)[0])
        was, offered = (array.reshape(BATCH, -1)[copy].tolist() for array in (self.notes.shown, proposed))
        return f"{was} then {offered}: fault {self.faults.code[copy]}"

    def standing(self, reached: Reached) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """(states,) after a refusal; (states,) released."""
        latched, released = [], []
        for rows in reached.sweep(BATCH):
            self.layout.load(rows)
            latched.append(self.faults.code[: len(rows)] != 0)
            released.append(self.released[: len(rows)] != 0)
        return np.concatenate(latched), np.concatenate(released)


def check_offered(made: Site) -> int:
    """All states under all proposals; after each refusal a release in a bounded time. The number of states."""
    offered = Offered(made)
    reached, following = offered.explore()
    latched, released = offered.standing(reached)
    steps = steps_to(released, following)[latched]
    assert steps.min() >= 0
    assert steps.max() <= LONGEST_RETREAT
    return reached.count


@pytest.mark.parametrize("name", SMALL)
def test_only_what_is_unsafe_is_refused_and_what_is_shown_is_safe(name: str) -> None:
    """Two groups: every state, all 64 pairs of aspects."""
    assert check_offered(SMALL[name]()) > LEAST_OFFERED


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_only_what_is_unsafe_is_refused_at_a_left_turn_with_a_side_street() -> None:
    """Three groups: every state, all 512 triples of aspects."""
    assert check_offered(left_turn()) > 5 * LEAST_OFFERED


def test_an_interlock_that_forgives_a_tick_is_found() -> None:
    """The exploration of an interlock whose intergreens are one tick short ends in a disagreement."""
    offered = Offered(crossing_streets())
    offered.guard.intergreen_ms[offered.guard.intergreen_ms > 0] -= TICK_MS
    with pytest.raises(AssertionError, match="fault 0"):
        offered.explore()

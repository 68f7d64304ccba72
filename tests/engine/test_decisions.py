"""The log of decisions: what is recorded of each, for whom, and what is handed over."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from greensplit.engine.decisions import (
    DECISION_DTYPE,
    FORCED,
    HOLD,
    ROWS_PER_BLOCK,
    SWITCH,
    VALUES_PER_BLOCK,
    DecisionLog,
    Weighing,
)
from greensplit.engine.kernels.detectors import new_detectors
from greensplit.engine.kernels.machine import KEEP
from greensplit.engine.kernels.state import new_machine
from greensplit.engine.loop import Loop, View
from greensplit.engine.model.site import Site

from .kernels.sites import crossroads, random_site
from .test_loop import Street

REASONS = ("least delay", "red for too long")


def a_view(where: Site, now_ms: int = 0, running: list[int] | None = None) -> View:
    """What a controller would see of a site whose junctions show ``running``."""
    loop = Loop(where, Street(), None)
    machine = new_machine(loop.signals)
    machine.stage[:] = running or 0
    detectors = new_detectors(loop.signals, loop.detection)
    return View(
        loop.signals, loop.detection, detectors, loop.health, machine, loop.traffic, loop.links, now_ms
    )


def three_junctions() -> Site:
    return random_site(np.random.default_rng(3), 3)


def note(
    log: DecisionLog, view: View, request: list[int], value: npt.NDArray[np.float64], **more: Any
) -> None:
    """Notes plain lists; all junctions decide unless told otherwise."""
    count = len(request)
    rule = np.array(more.get("rule", [0] * count), np.uint8)
    weighed = np.array(more.get("weighed", [True] * count), np.bool_)
    mode = np.array(more["mode"], np.uint8) if "mode" in more else None
    log.note(view, np.array(request, np.int32), value, more.get("reasons", REASONS), rule, weighed, mode)


def values_of(view: View) -> npt.NDArray[np.float64]:
    """Every stage of the site has its own index as its value."""
    return np.arange(view.signals.stage_ptr[-1], dtype=np.float64)


def test_a_hold_a_switch_and_a_forced_switch_are_told_apart() -> None:
    """Keeping and asking for the running stage are holds; another stage is a switch, by another rule forced."""
    view = a_view(three_junctions(), 7000, [1, 0, 1])
    log = DecisionLog()
    note(log, view, [KEEP, 1, 0], values_of(view), rule=[1, 0, 1], mode=[2, 1, 0])
    note(log, view, [1, 0, 1], values_of(view))
    rows = log.gathered().rows
    names = ["t_ms", "junction", "from_stage", "to_stage", "kind", "mode", "reason"]
    assert rows[names].tolist() == [
        (7000, 0, 1, 1, HOLD, 2, 1),
        (7000, 1, 0, 1, SWITCH, 1, 0),
        (7000, 2, 1, 0, FORCED, 0, 1),
        (7000, 0, 1, 1, HOLD, 0, 0),
        (7000, 1, 0, 0, HOLD, 0, 0),
        (7000, 2, 1, 1, HOLD, 0, 0),
    ]
    assert log.switches == 2


def test_only_those_who_decided_are_recorded_with_the_values_of_their_own_stages() -> None:
    """The middle junction did not weigh; the values of the others follow each other."""
    view = a_view(three_junctions())
    ptr = view.signals.stage_ptr.tolist()
    log = DecisionLog()
    note(log, view, [KEEP, 1, KEEP], values_of(view), weighed=[True, False, True])
    found = log.gathered()
    assert found.rows["junction"].tolist() == [0, 2]
    assert found.rows["stages"].tolist() == [ptr[1], ptr[3] - ptr[2]]
    assert found.value.tolist() == [*range(ptr[1]), *range(ptr[2], ptr[3])]
    assert log.switches == 0


def test_reasons_of_several_controllers_keep_their_texts() -> None:
    """The rule counts within the reasons that were given with it, whatever the log knows from before."""
    view = a_view(crossroads())
    log = DecisionLog()
    for reasons, rule in ((REASONS, 1), (("spite",), 0), (REASONS, 0)):
        note(log, view, [0], values_of(view), reasons=reasons, rule=[rule])
    found = log.gathered()
    assert [found.reasons[row] for row in found.rows["reason"]] == [
        "red for too long",
        "spite",
        "least delay",
    ]


def test_without_a_rule_the_values_decided_and_without_a_mode_it_is_the_first() -> None:
    """None for both is zero for all."""
    view = a_view(crossroads())
    log = DecisionLog()
    log.note(view, np.array([1], np.int32), values_of(view), REASONS, None, np.array([True]))
    (row,) = log.gathered().rows
    assert (row["kind"], row["reason"], row["mode"]) == (SWITCH, 0, 0)


def test_what_is_taken_is_gone_from_the_log_and_stays_with_the_taker() -> None:
    """Two decisions taken, a third noted: the first two as they were, the log has the third alone."""
    view = a_view(crossroads())
    log = DecisionLog()
    note(log, view, [1], values_of(view))
    note(log, view, [0], values_of(view) + 10)
    taken = log.take()
    note(log, view, [1], values_of(view) + 20)
    assert taken.rows["to_stage"].tolist() == [1, 0]
    assert taken.value.tolist() == [0, 1, 10, 11]
    assert log.gathered().value.tolist() == [20, 21]
    assert log.switches == 2


def test_nothing_is_lost_where_a_block_is_full() -> None:
    """Against a plain list of all that was noted, over more than two blocks of each kind."""
    view = a_view(random_site(np.random.default_rng(5), 40))
    ptr = view.signals.stage_ptr
    rng = np.random.default_rng(6)
    log = DecisionLog()
    rows: list[int] = []
    values: list[float] = []
    while len(rows) <= 2 * ROWS_PER_BLOCK or len(values) <= VALUES_PER_BLOCK:
        value = rng.integers(0, 1000, ptr[-1]).astype(np.float64)
        weighed = rng.random(40) < 0.9
        note(log, view, [KEEP] * 40, value, weighed=weighed.tolist())
        rows += np.flatnonzero(weighed).tolist()
        for j in np.flatnonzero(weighed):
            values += value[ptr[j] : ptr[j + 1]].tolist()
    found = log.gathered()
    assert found.rows["junction"].tolist() == rows
    assert found.value.tolist() == values


def test_an_empty_log_hands_over_empty_arrays() -> None:
    """Of the right kinds."""
    found = DecisionLog().take()
    assert (found.rows.dtype, len(found.rows)) == (DECISION_DTYPE, 0)
    assert (found.value.dtype, len(found.value)) == (np.dtype(np.float32), 0)


def test_a_controller_may_declare_the_same_again_but_not_another_measure_in_between() -> None:
    """Values of two measures in one table could not be told apart; after a take the log is free."""
    view = a_view(crossroads())
    log = DecisionLog()
    for _ in range(2):
        log.declare("delay, vehicle seconds", lower_is_better=True, modes=("both loops", "dead loops"))
        note(log, view, [0], values_of(view))
    with pytest.raises(ValueError, match="vehicle seconds"):
        log.declare("pressure", lower_is_better=False)
    assert log.take().weighing == Weighing("delay, vehicle seconds", True, ("both loops", "dead loops"))
    log.declare("pressure", lower_is_better=False)
    assert log.weighing == Weighing("pressure", False)

"""The last check before an order leaves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.bridges.field import Masks, Order, StageRequest
from greensplit.bridges.guard import Guard
from greensplit.engine.model.aspects import DARK, GREEN, RED
from greensplit.engine.model.site import Site, Stage

from .street import two_crossroads

CLASH = "conflicting greens"


def guard() -> Guard:
    """Group 1 of each crossroads has been green since 1000; its stage 2 has both groups, which conflict."""
    site = two_crossroads()
    wrong = Stage("wrong", (1, 2))
    site = Site(site.name, tuple(replace(j, stages=(*j.stages, wrong)) for j in site.junctions))
    made = Guard(site)
    made.see(np.array([GREEN, RED, GREEN, RED], np.uint8), 1000)
    return made


@pytest.mark.parametrize(
    ("order", "now_ms", "found"),
    [
        (StageRequest(0), 2000, None),
        (StageRequest(1), 2000, None),
        (StageRequest(2), 2000, (CLASH, (1, 2))),
        (StageRequest(3), 2000, ("unknown stage", ())),
        (Masks(hold=1, omit=2, call=1), 2000, None),
        (Masks(force_off=1, omit=1, call=2), 5999, ("short minimum green", (1,))),
        (Masks(force_off=1, omit=1, call=2), 6000, None),
        (Masks(hold=1, omit=1, call=2), 6000, (CLASH, (1, 2))),
        (Masks(call=3), 6000, (CLASH, (1, 2))),
        (Masks(omit=1, call=3), 6000, None),
    ],
)
def test_what_leaves_and_what_does_not(
    order: Order, now_ms: int, found: tuple[str, tuple[int, ...]] | None
) -> None:
    """Minimum green 5 s: from 6 s on. A refusal names the groups."""
    made = guard()
    assert made.allows(1, order, now_ms) is (found is None)
    assert [(o.junction, o.fault, o.groups) for o in made.objections] == ([("B", *found)] if found else [])


@pytest.mark.parametrize(
    ("waits", "order", "now_ms", "is_allowed"),
    [
        ([0, 1, 0, 1], StageRequest(0), 301_000, True),
        ([0, 1, 0, 1], StageRequest(0), 301_001, False),
        ([0, 1, 0, 1], StageRequest(1), 301_001, True),
        ([0, 1, 0, 0], StageRequest(0), 301_001, True),
        ([0, 1, 0, 1], Masks(hold=1, omit=2, call=1), 301_001, False),
        ([0, 1, 0, 1], Masks(force_off=1, omit=1, call=2), 301_001, True),
    ],
)
def test_who_calls_is_not_left_red_without_end(
    waits: list[int], order: Order, now_ms: int, is_allowed: bool
) -> None:
    """Group 2 of B calls, and is red since 1 s: until 301 s anything may be asked for, then only itself."""
    made = guard()
    for t_ms in range(1000, 302_000, 1000):
        made.see(np.array([GREEN, RED, GREEN, RED], np.uint8), t_ms, np.array(waits, np.uint8))
    assert made.allows(1, order, now_ms) is is_allowed
    assert [(o.fault, o.groups) for o in made.objections] == (
        [] if is_allowed else [("red for too long", (2,))]
    )


@pytest.mark.parametrize("shown", [(GREEN, 1), (DARK, 1), (RED, 0)])
def test_the_red_begins_anew_where_it_was_not_ours(shown: tuple[int, int]) -> None:
    """Green, dark, or without a call for a moment at 200 s: allowed up to 500 s."""
    made = guard()
    for t_ms in range(1000, 501_000, 1000):
        aspect, waits = shown if t_ms == 200_000 else (RED, 1)
        made.see(np.array([GREEN, RED, GREEN, aspect], np.uint8), t_ms, np.array([0, 0, 0, waits], np.uint8))
    assert made.allows(1, StageRequest(0), 500_000)
    assert not made.allows(1, StageRequest(0), 500_001)


def test_a_refusal_latches_for_its_junction_only() -> None:
    """After it nothing is asked for at B any more; A goes on."""
    made = guard()
    assert not made.allows(1, StageRequest(2), 2000)
    assert not made.allows(1, StageRequest(0), 3000)
    assert made.allows(0, StageRequest(0), 3000)
    assert len(made.objections) == 1

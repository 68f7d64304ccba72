"""What a switch costs: by hand on a crossroads and a left turn, and against a slow account in words."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.controllers.switching import stage_earnings
from greensplit.engine.kernels.state import new_machine
from greensplit.engine.model.aspects import GREEN, PERMISSIVE
from greensplit.engine.model.compiled import compile_signals
from greensplit.engine.model.site import Site

from ..engine.kernels.sites import crossroads, left_turn, random_site


def earnings(where: Site, stages: list[int], weight: list[float], use_ms: int) -> list[float]:
    """What the stages earn while local stage ``stages[j]`` shows at each junction."""
    signals = compile_signals(where)
    machine = new_machine(signals)
    first = 0
    for junction, stage in zip(where.junctions, stages, strict=True):
        shown = junction.stages[stage]
        for number in shown.green:
            machine.lamps.aspect[first + number - 1] = PERMISSIVE if number in shown.permissive else GREEN
        first += len(junction.groups)
    out = np.zeros(len(signals.stage_deployed))
    stage_earnings(signals, machine, np.array(weight), use_ms, out)
    return list(out)


def test_the_other_street_loses_its_intergreen_and_start_up() -> None:
    """5 s of intergreen and 1 s of start-up before 24 s of use: 24 of 30 s are left for ten vehicles."""
    assert earnings(crossroads(), [0], [6.0, 10.0], 24_000) == pytest.approx([6.0, 8.0])


def test_a_long_change_earns_little_but_never_nothing() -> None:
    """Back from the second street: 7 s and 1 s before 2 s of use."""
    assert earnings(crossroads(), [1], [50.0, 1.0], 2000) == pytest.approx([10.0, 1.0])


def test_a_group_that_stays_green_loses_nothing() -> None:
    """From A (through and left) to B (left alone) the left turn goes on, to D (through alone) the through."""
    assert earnings(left_turn(), [0], [3.0, 2.0, 10.0], 6000) == pytest.approx([5.0, 2.0, 5.0, 3.0])


@pytest.mark.parametrize("seed", range(5))
def test_random_junctions_earn_what_the_words_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    where = random_site(rng, 10)
    stages = [int(rng.integers(len(junction.stages))) for junction in where.junctions]
    weight = list(rng.uniform(0, 20, sum(len(junction.groups) for junction in where.junctions)))
    expected = told(where, stages, weight, 15.0)
    assert earnings(where, stages, weight, 15_000) == pytest.approx(expected)
    assert len(set(expected)) > 10


def told(where: Site, stages: list[int], weight: list[float], use_s: float) -> list[float]:
    """In sets of group numbers: who is green keeps its weight; who must wait loses what the wait is of the use."""
    found, first = [], 0
    for junction, stage in zip(where.junctions, stages, strict=True):
        now = set(junction.stages[stage].green)
        gaps = {}
        for meeting in junction.meetings:
            gaps[meeting.first, meeting.second] = meeting.intergreen_ms / 1000
            gaps[meeting.second, meeting.first] = meeting.reverse_ms / 1000
        for wanted in junction.stages:
            total = 0.0
            for number in wanted.green:
                lost_s = 0.0
                if number not in now:
                    ending = now - set(wanted.green)
                    lost_s = 1.0 + max([gaps.get((other, number), 0.0) for other in ending], default=0.0)
                total += weight[first + number - 1] * use_s / (use_s + lost_s)
            found.append(total)
        first += len(junction.groups)
    return found

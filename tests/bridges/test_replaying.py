"""A controller in front of a recording decides upon what the log tells, at any speed the same."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pytest

from greensplit.bridges.replaying import Recording, Replay, Wish
from greensplit.engine.decisions import DecisionLog
from greensplit.engine.events import BEGIN_GREEN, BEGIN_YELLOW, DETECTOR_OFF, DETECTOR_ON, EVENT_DTYPE
from greensplit.engine.loop import View
from greensplit.engine.model.aspects import GREEN, RED

from .street import two_crossroads

BEGIN = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


class Follower:
    """Wants the second stage of a junction while its third detector (the stop line of group 2) is on, else the first.

    ``seen`` are the time and the lamps of A that it was shown.
    """

    def __init__(self) -> None:
        self.seen: list[tuple[int, list[int]]] = []

    def decide(
        self, view: View, request: npt.NDArray[np.int32], _cause: npt.NDArray[np.uint8], log: DecisionLog
    ) -> int:
        self.seen.append((view.now_ms, view.machine.lamps.aspect[:2].tolist()))
        request[:] = [int(view.detectors.on[2]), int(view.detectors.on[6])]
        log.note(view, request, np.zeros(4), ("as the loop says",), None, np.ones(2, np.bool_))
        return view.now_ms


def recording(*more: tuple[int, int, int, int]) -> Recording:
    """A car stands at group 2 of A from 10.2 s to 40.7 s; the log ends at 60 s."""
    rows = [(10_200, 1, DETECTOR_ON, 2), (40_700, 1, DETECTOR_OFF, 2), (60_000, 2, DETECTOR_OFF, 1), *more]
    return Recording(np.array(sorted(rows), EVENT_DTYPE), BEGIN)


@pytest.mark.parametrize("is_paced", [False, True])
def test_without_lamps_its_own_machine_shows_what_it_wants(is_paced: bool) -> None:
    """Stage 2 is wanted at 11 s and stage 1 at 41 s; in between, after its 5 s intergreen, group 2 is green."""
    follower, paced = Follower(), []
    replay = Replay(two_crossroads(), recording(), follower)
    wishes = list(replay.run(paced.append if is_paced else None))
    reason = "as the loop says"
    assert wishes == [Wish(11_000, 0, 0, 1, reason), Wish(41_000, 0, 1, 0, reason)]
    assert not replay.has_lamps
    shown = dict(follower.seen)
    assert shown[10_000] == [GREEN, RED]
    assert shown[30_000] == [RED, GREEN]
    assert paced == (list(range(1000, 62_000, 1000)) if is_paced else [])
    assert sum(len(told.rows) for told in replay.told) == 2 * len(follower.seen) == 2 * 61


def test_with_lamps_each_decision_starts_from_what_showed() -> None:
    """The street kept group 1 green until 50 s, whatever was wanted: the change is told once, not every second."""
    follower = Follower()
    lamps = ((100, 1, BEGIN_GREEN, 1), (100, 2, BEGIN_GREEN, 1), (50_000, 1, BEGIN_YELLOW, 1))
    replay = Replay(two_crossroads(), recording(*lamps), follower)
    wishes = list(replay.run())
    assert replay.has_lamps
    assert [(wish.t_ms, wish.junction, wish.to_stage) for wish in wishes] == [(11_000, 0, 1)]
    shown = dict(follower.seen)
    assert shown[30_000] == [GREEN, RED]
    assert shown[51_000][0] != GREEN

"""Names and rules: finding a controller, and the clearances that a profile imposes; the bound on red by hand."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.controllers.catalogue import DEFAULT, catalogue, find
from greensplit.controllers.profile import R1, R1_ARTERIAL, R2, apply_profile, profile_for
from greensplit.controllers.urgency import due_stages
from greensplit.engine.errors import InputError
from greensplit.engine.kernels.local.state import ADAPTIVE
from greensplit.engine.kernels.state import NEVER_MS
from greensplit.engine.model.compiled import compile_signals
from greensplit.engine.model.site import Meeting, Stage
from greensplit.engine.model.validate import validate

from ..engine.kernels.sites import CONFLICT, crossing, group, junction, left_turn, site


def test_the_default_controller_is_in_the_catalogue_and_names_are_distinct() -> None:
    """Every entry is a policy of ours, a mode of local control or a program of the simulator: exactly one of them."""
    names = [entry.name for entry in catalogue()]
    assert DEFAULT in names
    assert len(set(names)) == len(names)
    for entry in catalogue():
        assert [entry.make is not None, bool(entry.program), entry.mode != ADAPTIVE].count(True) == 1


def test_a_misspelt_controller_is_answered_with_the_near_name() -> None:
    """The message lists all and proposes one."""
    assert find("lookahead").name == "lookahead"
    with pytest.raises(
        InputError, match=r"expected one of fixed, .*, found lookahed; did you mean lookahead\?"
    ):
        find("lookahed")


def test_profiles_go_by_name_and_scenario() -> None:
    """RESCO decides faster on arterial4x4."""
    assert profile_for("R1", "cologne3") is R1
    assert profile_for("R1", "arterial4x4") is R1_ARTERIAL
    assert profile_for("R2", "arterial4x4") is R2
    with pytest.raises(InputError, match="expected R1 or R2, found R3"):
        profile_for("R3", "cologne3")


def test_engineering_practice_leaves_the_site_alone() -> None:
    """R2 keeps every junction's own clearances."""
    assert apply_profile(left_turn(), R2) == left_turn()


def test_the_published_protocol_has_yellow_alone_and_no_guard_against_traps() -> None:
    """R1: 3 s of yellow between all vehicles, minimum green 7 s; people keep their clearance; said aloud."""
    under = apply_profile(left_turn(), R1)
    assert validate(under) == []
    (j,) = under.junctions
    assert {g.sequence.stop_ms for g in j.groups} == {3000}
    assert {g.min_green_ms for g in j.groups} == {7000}
    assert {(m.intergreen_ms, m.reverse_ms, m.left_turn) for m in j.meetings} == {(3000, 3000, False)}
    assert "yellow traps are not guarded against" in under.assumptions[-1]
    walk = apply_profile(crossing(), R1).junctions[0]
    assert walk.groups[1].sequence.stop_ms == 8000
    assert (walk.meetings[0].intergreen_ms, walk.meetings[0].reverse_ms) == (8000, 3000)


@pytest.mark.parametrize(
    ("calls_s", "now_s", "due"),
    [
        # One stage takes 6 s of change, 1 s of rounding and 5 s of green: 12 s. With one stage put before it, group
        # 2's green is sure within 12 + 7 = 19 s, so it is due once its call is older than 60 - 19 = 41 s.
        ([None, 0.0, None], 41.0, -1),
        ([None, 0.0, None], 41.1, 1),
        # Group 3, called 5 s later, has to wait for group 2 as well: 12 + 12 + 7 = 31 s, due at 5 + 60 - 31 = 34 s,
        # and what comes then is group 2, which called first.
        ([None, 0.0, 5.0], 34.0, -1),
        ([None, 0.0, 5.0], 34.1, 1),
        ([None, 5.0, 0.0], 34.1, 2),
        ([None, None, None], 999.0, -1),
    ],
)
def test_a_stage_is_due_while_the_last_in_the_queue_can_still_be_in_time(
    calls_s: list[float | None], now_s: float, due: int
) -> None:
    """Three groups, each alone in its stage; a bound of 60 s."""
    meetings = tuple(Meeting(a, b, CONFLICT, 6000, 6000) for a, b in ((1, 2), (1, 3), (2, 3)))
    stages = tuple(Stage(f"S{n}", (n,)) for n in (1, 2, 3))
    signals = compile_signals(site(junction((group(1), group(2), group(3)), meetings, stages)))
    call_ms = np.array([NEVER_MS if c is None else round(c * 1000) for c in calls_s], np.int64)
    found = np.zeros(1, np.int32)
    due_stages(signals, call_ms, 60_000, 5000, round(now_s * 1000), np.zeros(3, np.bool_), found)
    assert found[0] == due

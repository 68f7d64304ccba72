"""The safety benchmark counts what its cities find, and says why there is no real one where there is none."""

from __future__ import annotations

from collections import Counter

import pytest

from greensplit.benchmarks.safety import real, stress
from greensplit.engine.errors import ScenarioError


def test_without_the_networks_there_is_a_note_and_no_city(monkeypatch: pytest.MonkeyPatch) -> None:
    """The note carries the reason."""

    def none(*_: object, **__: object) -> None:
        raise ScenarioError("no networks here")

    monkeypatch.setattr(real, "load", none)
    assert real.real_city(1) == (None, "skipped: no networks here")


def test_findings_are_counted_by_what_they_are() -> None:
    """Two cities under hostile controllers, one of spoilt machines, each with something wrong."""
    found = [
        ("obedient", Counter({"conflicting greens": 2, "safe proposal refused": 1, "never shown": 5}), 1),
        ("obedient", Counter({"short green": 3, "short intergreen": 4, "yellow trap": 6}), 0),
        ("sabotaged", Counter({"unsafe proposal accepted": 7, "never released": 8}), 900),
    ]
    results = [
        stress.Result(stress.Job(kind, "drawn", 0, 100), counter, 100, refused)
        for kind, counter, refused in found
    ]
    assert stress._figures(results) == {
        "junction_ticks": 300,
        "conflicts": 2,
        "short_intervals": 7,
        "yellow_traps": 6,
        "out_of_order": 0,
        "refusals": 1,
        "promises_broken": 5,
        "bad_proposals_refused": 900,
        "bad_proposals_passed": 7,
        "good_proposals_refused": 0,
        "sabotaged_ticks": 100,
        "other_findings": 8,
    }

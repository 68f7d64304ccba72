"""The table of decisions against numbers worked out by hand, and against a plain reading of what it means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from greensplit.engine.decisions import DECISION_DTYPE, FORCED, HOLD, KINDS, SWITCH, Decisions, Weighing
from greensplit.engine.store.decisions import DECISION_SCHEMA, decision_frame

EPOCH = datetime(2024, 1, 1, 7, tzinfo=UTC)
CHOOSERS = [(5, ["A", "B"]), (9, ["S1", "S2", "S3"])]
NAN = math.nan


def decisions(
    rows: Sequence[tuple[int, ...]],
    value: Sequence[float],
    *,
    lower_is_better: bool,
    modes: tuple[str, ...] = ("",),
) -> Decisions:
    """Rows as in DECISION_DTYPE."""
    weighing = Weighing("delay", lower_is_better, modes)
    reasons = ("least delay", "red for too long")
    return Decisions(np.array(rows, DECISION_DTYPE), np.array(value, np.float32), reasons, weighing)


def test_decisions_are_told_by_name_with_the_best_of_the_others() -> None:
    """A hold, a switch and a forced switch, where less is better; S3 was not weighed in the last."""
    rows = [
        (1500, 1, 0, 0, HOLD, 0, 0, 3),
        (2000, 0, 0, 1, SWITCH, 1, 0, 2),
        (3000, 1, 0, 1, FORCED, 1, 1, 3),
    ]
    value = [3.0, 7.0, 5.0, 9.0, 4.0, 1.0, 8.0, NAN]
    modes = ("both loops", "dead loops")
    found = decision_frame(decisions(rows, value, lower_is_better=True, modes=modes), CHOOSERS, EPOCH)
    assert found.schema == DECISION_SCHEMA
    assert found["timestamp"][0] == datetime(2024, 1, 1, 7, 0, 1, 500_000, tzinfo=UTC)
    assert found.drop("timestamp").rows() == [
        (
            9,
            "S1",
            "S1",
            "hold",
            "least delay",
            "both loops",
            3.0,
            "S3",
            5.0,
            ["S1", "S2", "S3"],
            [3.0, 7.0, 5.0],
        ),
        (5, "A", "B", "switch", "least delay", "dead loops", 4.0, "A", 9.0, ["A", "B"], [9.0, 4.0]),
        (9, "S1", "S2", "forced", "red for too long", "dead loops", 8.0, "S1", 1.0, ["S1", "S2"], [1.0, 8.0]),
    ]


def test_where_more_is_better_the_runner_up_is_the_largest_of_the_others() -> None:
    """7 beside 9, not 3; of equals the first."""
    rows = [(0, 1, 0, 1, SWITCH, 0, 0, 3), (0, 1, 1, 1, HOLD, 0, 0, 3)]
    found = decision_frame(
        decisions(rows, [3.0, 9.0, 7.0, 4.0, 9.0, 4.0], lower_is_better=False), CHOOSERS, EPOCH
    )
    assert found.select("value", "runner_up", "runner_up_value").rows() == [
        (9.0, "S3", 7.0),
        (9.0, "S1", 4.0),
    ]


def test_what_was_not_weighed_and_not_declared_is_null() -> None:
    """Nothing weighed; the wanted alone; all but the wanted; and a controller without modes."""
    rows = [(0, 0, 0, stage, FORCED, 0, 1, 2) for stage in (1, 1, 1)]
    found = decision_frame(
        decisions(rows, [NAN, NAN, NAN, 2.0, 2.0, NAN], lower_is_better=True), CHOOSERS, EPOCH
    )
    assert found.select("value", "runner_up", "runner_up_value", "stages", "mode").rows() == [
        (None, None, None, [], None),
        (2.0, None, None, ["B"], None),
        (None, "A", 2.0, ["A"], None),
    ]


def test_a_run_without_decisions_has_an_empty_table() -> None:
    """With all columns."""
    found = decision_frame(decisions([], [], lower_is_better=True), CHOOSERS, EPOCH)
    assert found.schema == DECISION_SCHEMA
    assert found.height == 0


def plainly(row: np.void, values: list[float], lower_is_better: bool) -> dict[str, Any]:
    """What a row says, worked out one by one."""
    device, names = CHOOSERS[int(row["junction"])]
    known = {name: value for name, value in zip(names, values, strict=True) if not math.isnan(value)}
    wanted = names[int(row["to_stage"])]
    others = {name: value for name, value in known.items() if name != wanted}
    best = min if lower_is_better else max
    runner_up = best(others, key=lambda name: others[name]) if others else None
    return {
        "device_id": device,
        "from_stage": names[int(row["from_stage"])],
        "to_stage": wanted,
        "kind": KINDS[int(row["kind"])],
        "value": known.get(wanted),
        "runner_up": runner_up,
        "runner_up_value": others.get(runner_up or ""),
        "stages": list(known),
        "values": list(known.values()),
    }


@pytest.mark.parametrize("lower_is_better", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_the_table_agrees_with_a_plain_reading(seed: int, lower_is_better: bool) -> None:
    """Two hundred random decisions with ties and gaps."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, ...]] = []
    values: list[float] = []
    expected: list[dict[str, Any]] = []
    for t_ms in range(200):
        j = int(rng.integers(2))
        count = len(CHOOSERS[j][1])
        stages = rng.integers(0, count, 2).tolist()
        row = (t_ms, j, *stages, int(rng.integers(3)), 0, 0, count)
        own = [NAN if rng.random() < 0.3 else float(rng.integers(0, 4)) for _ in range(count)]
        rows.append(row)
        values += own
        expected.append(plainly(np.array([row], DECISION_DTYPE)[0], own, lower_is_better))
    found = decision_frame(decisions(rows, values, lower_is_better=lower_is_better), CHOOSERS, EPOCH)
    assert found.select(list(expected[0])).to_dicts() == expected

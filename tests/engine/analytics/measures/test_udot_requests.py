"""Preemption, priority, pedestrians and waits of three cycles worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest

from greensplit.engine.analytics import measures

from .hand import at, log_of, one_row

PRESENCE = pl.DataFrame({"device_id": [1], "channel": [21], "phase": [2], "function": ["presence"]})


def udot(
    name: str, *events: tuple[float, int, int], detectors: pl.DataFrame | None = None, **parameters: float
) -> pl.DataFrame:
    """The measure in the dialect."""
    tables = measures.compute(
        log_of(*events), detectors, [name], dialect="udot", parameters={name: parameters}
    )
    return tables[name]


def test_a_preemption_with_tracks() -> None:
    """Call at 0, entry at 3, tracks at 8, dwell at 20, input off at 50, exit at 55 s."""
    row = one_row(
        udot(
            "preempt_details",
            *((0.0, 102, 1), (3.0, 105, 1), (8.0, 106, 1), (20.0, 107, 1), (50.0, 104, 1), (55.0, 111, 1)),
        )
    )
    assert (row["timestamp"], row["end_time"], row["preempt"]) == (at(0), at(55), 1)
    assert (row["input_s"], row["delay_s"], row["time_to_service_s"]) == (50, 3, 5)
    assert (row["track_clear_s"], row["dwell_s"], row["duration_s"], row["is_complete"]) == (12, 35, 55, True)


def test_preemptions_without_tracks_without_entry_and_without_end() -> None:
    """Of two numbers at once; a second call in a preemption is of the same one."""
    rows = udot(
        "preempt_details",
        *((0.0, 102, 3), (1.0, 102, 4), (4.0, 104, 4)),
        *((2.0, 105, 3), (9.0, 107, 3), (15.0, 104, 3), (16.0, 102, 3), (20.0, 104, 3), (22.0, 111, 3)),
        *((30.0, 102, 4), (31.0, 105, 4), (60.0, 105, 4), (70.0, 107, 4), (80.0, 111, 4), (90.0, 104, 9)),
    )
    assert rows["preempt"].to_list() == [3, 4, 4, 4]
    assert rows["calls"].to_list() == [2, 1, 1, 0]
    assert rows["input_s"].to_list() == [20, 3, None, None]
    assert rows["time_to_service_s"].to_list() == [7, None, None, 10]
    assert rows["track_clear_s"].to_list() == [None] * 4
    assert rows["is_complete"].to_list() == [True, True, False, True]


def test_priority() -> None:
    """An early green after 4 s; an extension of the second request after 6 s; a third that never checks out."""
    rows = udot(
        "priority_details",
        *((0.0, 112, 1), (4.0, 113, 1), (5.0, 118, 1), (9.0, 119, 1), (20.0, 115, 1)),
        *((60.0, 112, 1), (66.0, 114, 1), (70.0, 114, 1), (80.0, 115, 1), (85.0, 115, 1)),
        (120.0, 112, 1),
    )
    assert rows["duration_s"].to_list() == [20, 20, None]
    assert rows["early_greens"].to_list() == [1, 0, 0]
    assert rows["extensions"].to_list() == [0, 2, 0]
    assert rows["adjusted_after_s"].to_list() == [4, 6, None]
    assert rows["service_s"].to_list() == [4, None, None]
    assert rows["is_complete"].to_list() == [True, True, False]


def test_pedestrian_delay() -> None:
    """Press in don't walk: 30 s (a second press changes nothing); in the walk: 0 s; walk, press, walk: 25 s."""
    events = [
        *((0.0, 22, 2), (10.0, 90, 2), (20.0, 90, 2), (40.0, 21, 2), (42.0, 90, 2), (47.0, 22, 2)),
        *((100.0, 21, 2), (105.0, 90, 2), (130.0, 21, 2), (137.0, 22, 2)),
    ]
    row = one_row(udot("ped_delay", *events))
    assert (row["samples"], row["avg_ped_delay"]) == (3, pytest.approx((30 + 0 + 25) / 3))


def test_a_press_of_another_phase_is_no_press_of_this_one() -> None:
    """The last clearance of phase 2 and the first press of phase 4 are neighbours in the log only."""
    assert udot("ped_delay", (0.0, 22, 2), (1.0, 90, 4), (2.0, 21, 4)).is_empty()


def test_different_pedestrians() -> None:
    """Presses at 0, 10, 15, 25 and 40 s: 0, 15 and 40 count. The other dialect wants more than 15 s since any press."""
    presses = [(t, 90, 2) for t in (0.0, 10.0, 15.0, 25.0, 40.0)]
    assert one_row(udot("unique_ped", *presses))["unique_actuations"] == 3
    assert measures.unique_ped(log_of(*presses)).is_empty()


CALLS = [
    *((0.0, 11, 2), (10.0, 43, 2), (15.0, 44, 2), (20.0, 43, 2), (22.0, 43, 2), (50.0, 1, 2)),
    *((80.0, 11, 2), (90.0, 43, 2), (130.0, 1, 2)),
    *((200.0, 11, 2), (201.0, 43, 2), (562.0, 1, 2), (600.0, 11, 2), (700.0, 1, 2)),
]


def test_wait_time() -> None:
    """40 s and 40 s; with a detector at the stop line a dropped call starts anew: 30 s. 361 s are too long."""
    row = one_row(udot("wait_time", *CALLS))
    assert (row["samples"], row["mean_wait_s"], row["max_wait_s"]) == (2, 40, 40)
    row = one_row(udot("wait_time", *CALLS, detectors=PRESENCE))
    assert (row["samples"], row["mean_wait_s"], row["max_wait_s"]) == (2, 35, 40)
    assert one_row(udot("wait_time", *CALLS, longest_s=361.0))["samples"] == 3

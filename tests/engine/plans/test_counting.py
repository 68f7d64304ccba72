"""Demand from logs: loops counted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from greensplit.engine.errors import InputError
from greensplit.engine.model.site import Detector, DetectorKind, Junction, Site
from greensplit.engine.plans.counting import count_log
from greensplit.engine.store.logfile import LOG_SCHEMA

from .streets import arterial, crossing

START = datetime(2024, 3, 5, 7, 0, tzinfo=UTC)


def log(actuations: dict[tuple[int, int], int], minutes: int = 30) -> pl.DataFrame:
    """That many actuations of each (device, channel), evenly through the time; offs in between."""
    rows = [(START, 1, 1, 1), (START + timedelta(minutes=minutes, seconds=-1), 1, 7, 1)]
    for (device, channel), number in actuations.items():
        for k in range(number):
            at = START + timedelta(seconds=(k + 0.5) * 60.0 * minutes / number)
            rows += [(at, device, 82, channel), (at + timedelta(milliseconds=300), device, 81, channel)]
    return pl.DataFrame(rows, schema=LOG_SCHEMA, orient="row").sort("device_id", "timestamp")


def exit_loop(channel: int, groups: tuple[int, ...]) -> Detector:
    """A loop behind the junction."""
    return Detector(
        f"exit{channel}", channel, DetectorKind.EXIT, f"out{channel}_0", 8.0, 2.0, 8.0, groups, ()
    )


def test_each_group_has_the_vehicles_of_its_lane() -> None:
    """60, 30 and 10 in half an hour from 7:00 are half of that in each quarter."""
    demand = count_log(arterial(1), log({(1, 1): 60, (1, 2): 30, (1, 3): 10}))
    assert (demand.start_s, demand.period_s, demand.periods) == (25_200, 900, 2)
    assert demand.groups["J1"].tolist() == [[30, 15, 5], [30, 15, 5]]


def test_a_run_that_starts_later_in_the_day_is_moved_there() -> None:
    """The clock of a run starts at its epoch."""
    assert count_log(arterial(1), log({(1, 1): 4}), epoch_s=3600).start_s == 28_800


def shared(*exits: Detector) -> Junction:
    """Groups 1 and 2 share the first lane; the second is gone."""
    base = crossing(1)
    lanes = (replace(base.lanes[0], groups=(1, 2)), base.lanes[2])
    return replace(base, lanes=lanes, detectors=(base.detectors[0], base.detectors[2], *exits))


def test_groups_on_one_lane_get_equal_parts() -> None:
    """Where nothing tells them apart."""
    demand = count_log(Site("one", (shared(),)), log({(1, 1): 80, (1, 3): 20}))
    assert demand.groups["J1"].sum(axis=0) == pytest.approx([40.0, 40.0, 20.0])


def test_exits_tell_groups_on_one_lane_apart() -> None:
    """Of 80 on the lane 20 leave by the exit of group 1, and 80 by the one that groups 2 and 3 share: 20 and 60."""
    junction = shared(exit_loop(8, (1,)), exit_loop(9, (2, 3)))
    demand = count_log(Site("one", (junction,)), log({(1, 1): 80, (1, 3): 20, (1, 8): 20, (1, 9): 80}))
    assert demand.groups["J1"].sum(axis=0) == pytest.approx([20.0, 60.0, 20.0], abs=0.5)


def test_a_group_with_two_exits_is_the_sum_of_both() -> None:
    """Group 2 leaves half by an exit of its own, half beside the 20 of group 3: together 80, so 60 are its own."""
    junction = shared(exit_loop(7, (1,)), exit_loop(8, (2,)), exit_loop(9, (2, 3)))
    seen = {(1, 1): 80, (1, 3): 20, (1, 7): 20, (1, 8): 30, (1, 9): 50}
    demand = count_log(Site("one", (junction,)), log(seen))
    assert demand.groups["J1"].sum(axis=0) == pytest.approx([20.0, 60.0, 20.0], abs=0.5)


def test_a_short_advance_loop_counts_better_than_the_stop_bar() -> None:
    """The long loop at the stop bar merges vehicles of a queue: 40 there, 60 upstream."""
    base = crossing(1)
    advance = Detector("far", 9, DetectorKind.ADVANCE, "J1in1_0", 200.0, 2.0, 80.0, (1,), ("J1in1_0",))
    junction = replace(base, detectors=(*base.detectors, advance))
    demand = count_log(Site("one", (junction,)), log({(1, 1): 40, (1, 9): 60}))
    assert demand.groups["J1"].sum(axis=0) == pytest.approx([60.0, 0.0, 0.0])


def test_a_log_of_other_devices_is_refused() -> None:
    """Device 7 is not on the site."""
    with pytest.raises(InputError, match="expected detector events"):
        count_log(arterial(1), log({(7, 1): 5}))

"""Where the atspm package is wrong or leaves something to chance, we differ: each difference shown and explained."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from greensplit.engine.analytics import measures

from .logs import made_detectors, made_log, sample_detectors, sample_log
from .oracle import differences, oracle_tables

BEGIN = datetime(2024, 1, 1, 8)


def log_of(*events: tuple[float, int, int]) -> pl.DataFrame:
    """Seconds after eight, code, parameter: of device 1."""
    return pl.DataFrame(
        [(BEGIN + timedelta(seconds=t), 1, event, parameter) for t, event, parameter in events],
        schema=["TimeStamp", "DeviceId", "EventId", "Parameter"],
        orient="row",
    )


def test_split_failures_of_single_lanes_have_rows() -> None:
    """The package joins phase rows of detector 0 with detectors by name, so nothing matches and no row comes."""
    lanes = {"split_failures": {"by_approach": False}}
    log, detectors = sample_log(), sample_detectors()
    assert oracle_tables(log, detectors, ["split_failures"], lanes)["split_failures"].is_empty()
    ours = measures.split_failures(log, detectors, by_approach=False)
    presence = detectors.filter(pl.col("Function") == "Presence")["Parameter"].to_list()
    assert set(ours["detector"].to_list()) == set(presence)


def test_a_detector_that_serves_two_phases_counts_once_for_each() -> None:
    """The package orders its events by detector only, so each is there twice in a row and takes itself for a repeat.

    On from 0 to 20 s, green from 10 to 30 s: ten of twenty seconds for either phase.
    """
    events = [(0.0, 82, 5), (20.0, 81, 5), (100.0, 82, 5)]
    events += [
        (t, code, phase) for phase in (2, 3) for t, code in ((10.0, 1), (30.0, 8), (33.0, 10), (60.0, 1))
    ]
    log = log_of(*events)
    shared = pl.DataFrame(
        {"DeviceId": [1, 1], "Phase": [2, 3], "Parameter": [5, 5], "Function": ["Presence", "Presence"]}
    )
    assert measures.split_failures(log, shared)["green_occupancy"].to_list() == [0.5, 0.5]
    theirs = oracle_tables(log, shared, ["split_failures"])["split_failures"]
    assert theirs["green_occupancy"].to_list() != [0.5, 0.5]


def test_yellow_and_red_hits_come_in_the_bins_that_were_asked_for() -> None:
    """The package keeps a quarter of an hour whatever the bin."""
    log, detectors = made_log(), made_detectors()
    theirs = oracle_tables(log, detectors, ["yellow_red"], bin_minutes=60)["yellow_red"]
    ours = measures.yellow_red(log, detectors, bin_minutes=60)
    assert theirs["timestamp"].dt.minute().unique().len() == 4
    assert ours["timestamp"].dt.minute().unique().to_list() == [0]
    keys = ["timestamp", "device_id", "phase", "signal_state", "red_offset"]
    by_hour = (
        theirs.with_columns(pl.col("timestamp").dt.truncate("1h")).group_by(keys).agg(pl.col("count").sum())
    )
    assert differences(ours, by_hour, keys).is_empty()


def test_a_red_clearance_of_no_length_is_no_long_red() -> None:
    """Begin and end at one time: the package leaves their order to chance, and may pair an end with the next end.

    Here the begin comes first, always: two clearances of zero seconds, shorter than ``min_duration``, and no row.
    """
    log = log_of(
        (0, 1, 2), (20, 7, 2), (20, 8, 2), (23, 9, 2), (23, 10, 2), (23, 11, 2), (90, 1, 2), (110, 7, 2)
    )
    log = pl.concat([log, log_of((110, 8, 2), (113, 9, 2), (113, 10, 2), (113, 11, 2))])
    assert "Red" not in measures.timeline(log)["event_class"].to_list()
    whole = measures.timeline(log, min_duration=0.0).filter(pl.col("event_class") == "Red")
    assert whole["duration"].to_list() == [0.0, 0.0]


def test_a_bin_of_arrivals_without_green_is_absent_as_in_the_package() -> None:
    """Not imitated by chance: rows of the dialect atspm are those of the package. One hit on red, none on green."""
    log = log_of((0, 1, 2), (20, 8, 2), (23, 10, 2), (60, 82, 4), (80, 81, 4))
    detectors = pl.DataFrame({"DeviceId": [1], "Phase": [2], "Parameter": [4], "Function": ["Advance"]})
    assert oracle_tables(log, detectors, ["arrival_on_green"])["arrival_on_green"].is_empty()
    assert measures.arrival_on_green(log, detectors).is_empty()


def test_a_green_of_no_length_does_not_spoil_the_mean_of_its_bin() -> None:
    """The package divides 0 by 0 and the mean of the bin is no number; here that cycle has no green occupancy.

    Occupied from 0 to 15 s. Green from 10 to 30 s is occupied for 5 of 20 seconds; green at 60 s ends as it begins.
    """
    log = log_of((0, 82, 5), (15, 81, 5), (200, 82, 5))
    signals = log_of((10, 1, 2), (30, 8, 2), (33, 10, 2), (60, 1, 2), (60, 8, 2), (63, 10, 2), (90, 1, 2))
    detectors = pl.DataFrame({"DeviceId": [1], "Phase": [2], "Parameter": [5], "Function": ["Presence"]})
    whole = pl.concat([log, signals])
    assert measures.split_failures(whole, detectors)["green_occupancy"].to_list() == [0.25]
    assert (
        oracle_tables(whole, detectors, ["split_failures"])["split_failures"]["green_occupancy"]
        .is_nan()
        .all()
    )

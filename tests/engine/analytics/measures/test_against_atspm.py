"""Every measure that the atspm package computes: the same rows, the same integers, floats within 1e-5."""

from __future__ import annotations

import polars as pl
import pytest

from greensplit.engine.analytics import measures

from .logs import DAMAGES, damaged, made_detectors, made_log, sample_detectors, sample_log
from .oracle import differences, oracle_tables

KEYS = {
    "has_data": ["timestamp", "device_id"],
    "actuations": ["timestamp", "device_id", "detector"],
    "arrival_on_green": ["timestamp", "device_id", "phase"],
    "split_failures": ["timestamp", "device_id", "phase"],
    "platoon_ratio": ["timestamp", "device_id", "phase"],
    "yellow_red": ["timestamp", "device_id", "phase", "signal_state", "red_offset"],
    "terminations": ["timestamp", "device_id", "phase", "performance_measure"],
    "splits": ["timestamp", "device_id", "event_id"],
    "coordination": ["raw_timestamp", "device_id", "event_id", "parameter"],
    "timeline": ["start_time", "end_time", "device_id", "event_class", "event_value"],
    "coordination_agg": ["timestamp", "device_id"],
    "ped": ["timestamp", "device_id", "phase"],
    "unique_ped": ["timestamp", "device_id", "phase"],
    "full_ped": ["timestamp", "device_id", "phase"],
    "ped_delay": ["timestamp", "device_id", "phase"],
    "phase_wait": ["timestamp", "device_id", "phase"],
    "communications": ["timestamp", "device_id", "event_id"],
}
LOGS = {"sample": (sample_log, sample_detectors), "made": (made_log, made_detectors)}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", LOGS)
def test_same_rows_as_the_package(name: str, how: str) -> None:
    """On a real and a made log, whole and damaged."""
    read, detectors = LOGS[name]
    log = damaged(read(), how)
    names = list(KEYS)
    theirs = oracle_tables(log, detectors(), names)
    ours = measures.compute(log, detectors(), names)
    for measure, keys in KEYS.items():
        assert theirs[measure].height, f"{measure}: the oracle has no rows"
        unequal = differences(ours[measure], theirs[measure], keys)
        with pl.Config(tbl_cols=20, tbl_width_chars=200):
            assert unequal.is_empty(), f"{measure}: {unequal}"

"""Any log with the four columns is read the same; a bad one gives one clear line, never a silent number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from greensplit.engine.analytics import measures
from greensplit.engine.analytics.log import source
from greensplit.engine.errors import InputError, StorageError

from .logs import made_detectors, made_log

NAMES = ["has_data", "actuations", "arrival_on_green", "split_failures", "timeline"]


def same(ours: dict[str, pl.DataFrame], others: dict[str, pl.DataFrame]) -> bool:
    """Are the tables equal, row by row?"""
    return all(ours[name].equals(others[name]) for name in ours)


@pytest.fixture(scope="module")
def log() -> pl.DataFrame:
    return made_log(devices=3, minutes=60)


@pytest.fixture(scope="module")
def expected(log: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return measures.compute(log, made_detectors(), NAMES)


def test_parquet_csv_and_a_folder_of_device_days_are_read_alike(
    log: pl.DataFrame, expected: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    """Whatever the file and however the log is cut."""
    log.write_parquet(tmp_path / "log.parquet")
    log.write_csv(tmp_path / "log.csv")
    days = tmp_path / "days"
    days.mkdir()
    for device in (3, 1, 2):
        log.filter(pl.col("DeviceId") == device).write_parquet(days / f"{9 - device}.parquet")
    for place in (tmp_path / "log.parquet", tmp_path / "log.csv", days):
        assert same(measures.compute(place, made_detectors(), NAMES), expected), place


def test_column_names_of_other_systems_are_understood(
    log: pl.DataFrame, expected: dict[str, pl.DataFrame]
) -> None:
    """SignalId, EventCode and EventParam are the same three columns."""
    other = log.rename({"DeviceId": "Signal_Id", "EventId": "EventCode", "Parameter": "Event Param"})
    assert same(measures.compute(other, made_detectors(), NAMES), expected)


def test_times_with_a_zone_count_as_the_instants_they_are(
    log: pl.DataFrame, expected: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    """Written as Shanghai time with its offset, in a frame and as text."""
    zoned = log.with_columns(
        pl.col("TimeStamp").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Shanghai")
    )
    assert same(measures.compute(zoned, made_detectors(), NAMES), expected)
    text = zoned.with_columns(pl.col("TimeStamp").dt.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z"))
    text.write_csv(tmp_path / "log.csv")
    assert same(measures.compute(tmp_path / "log.csv", made_detectors(), NAMES), expected)


def test_a_log_larger_than_a_group_is_read_device_by_device(
    log: pl.DataFrame, expected: dict[str, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small slices and room for one device at a time change nothing."""
    monkeypatch.setattr(source, "SLICE_EVENTS", 777)
    monkeypatch.setattr(source, "GROUP_EVENTS", log.height // 3 + 1)
    opened = measures.open_log(log)
    assert opened.groups is not None
    assert len(opened.groups) >= 2
    assert same(measures.compute(opened, made_detectors(), NAMES), expected)


def small(**changes: object) -> pl.DataFrame:
    columns = {
        "timestamp": [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=one) for one in range(3)],
        "device_id": [1, 1, 1],
        "event_id": [1, 8, 10],
        "parameter": [2, 2, 2],
    }
    return pl.DataFrame(columns | changes)


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (small().drop("parameter"), "found no parameter"),
        (small().clear(), "empty log"),
        (small(parameter=[1, None, 2]), "1 empty"),
        (small(event_id=["a", "b", "c"]), "expected numbers in event_id"),
        (small(timestamp=[1, 2, 3]), "expected times in timestamp"),
        (
            small(timestamp=["2024-01-01 00:00:00Z", "2024-01-01 00:00:01", "2024-01-01 00:00:02"]),
            "one time zone",
        ),
        (small(timestamp=["noon", "2024-01-01 00:00:01", "2024-01-01 00:00:02"]), "expected times like"),
    ],
)
def test_a_bad_log_is_told_in_one_line(log: pl.DataFrame, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        measures.compute(log, None, ["has_data"])
    assert "\n" not in str(caught.value)


def test_files_of_different_zones_are_refused(tmp_path: Path) -> None:
    small().write_parquet(tmp_path / "a.parquet")
    small().with_columns(pl.col("timestamp").dt.replace_time_zone(None)).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(InputError, match="expected one time zone"):
        measures.open_log(tmp_path)


def test_a_truncated_file_is_damaged_storage(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    small().write_parquet(whole)
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(StorageError, match=r"cut\.parquet: expected a whole log file") as caught:
        measures.compute(cut, None, ["has_data"])
    assert "\n" not in str(caught.value)


def test_notes_say_what_was_odd_and_nothing_fails() -> None:
    """Twice the same event, a code that nobody knows, one out of range, a clock that was set, silent detectors."""
    odd = pl.concat(
        [
            small(),
            small(),
            small(event_id=[900, 181, 82], parameter=[0, 0, 7]),
            small(event_id=[1, 2, 3], parameter=[-1, 40000, 5]),
        ]
    )
    opened = measures.open_log(odd)
    detectors = measures.read_detectors(
        pl.DataFrame(
            {"device": [1, 1, 9], "detector": [7, 8, 1], "phase": [2, 2, 2], "function": ["Advance"] * 3}
        )
    )
    measures.compute(opened, detectors, ["has_data"])
    assert opened.notes(detectors) == [
        "3 events are there twice: each counts once",
        "2 rows have an event or parameter outside 0 to 32767: left out",
        "event codes that the enumeration does not have: 900",
        "clocks were set 1 times: events are in order of their stamps",
        "device 1: no event of detector channel 8",
        "device 9: its detectors are configured, and it is not in the log",
    ]


def test_unknown_names_are_told() -> None:
    with pytest.raises(InputError, match="expected a measure"):
        measures.compute(small(), None, ["speed_of_light"])
    with pytest.raises(InputError, match="expected a parameter of"):
        measures.compute(small(), None, ["has_data"], parameters={"has_data": {"colour": 1}})
    with pytest.raises(InputError, match="expected a time zone"):
        measures.compute(small(), None, ["has_data"], timezone="Mars/Olympus")
    with pytest.raises(InputError, match="divides a day"):
        measures.compute(small(), None, ["has_data"], bin_minutes=7)

"""What is too old or too much goes, oldest first, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from greensplit.engine.store.retention import kept_within, used_bytes

from .rows import DAY_MS, NOON_MS, Clock, appended, numbers, opened, some

LAST_MIDNIGHT_MS = NOON_MS + DAY_MS // 2
"""The end of the first day."""


def three_days(folder: Path) -> None:
    """Events 0 and 1 on the first day, 10 and 11 on the second, 20 and 21 on the third, of segments 1 to 3."""
    store = opened(folder)
    for day in range(3):
        appended(store, some(10 * day, 2, NOON_MS + day * DAY_MS))
        store.roll()
    store.close()


@pytest.mark.parametrize(
    ("after_last_midnight_ms", "left"), [(-1, [0, 1, 10, 11, 20, 21]), (0, [10, 11, 20, 21])]
)
def test_a_date_goes_when_its_end_is_past_the_days_to_keep(
    tmp_path: Path, after_last_midnight_ms: int, left: list[int]
) -> None:
    """Five days after the midnight that ended it, and not a millisecond earlier."""
    three_days(tmp_path)
    shed = kept_within(tmp_path, LAST_MIDNIGHT_MS + 5 * DAY_MS + after_last_midnight_ms, 5, 10**9)
    assert numbers(tmp_path) == left
    assert shed.rows == 6 - len(left)


def test_a_clock_that_jumps_years_ahead_costs_a_date_a_roll_and_never_the_newest(tmp_path: Path) -> None:
    """Ten years ahead: one date each time, the last one stays."""
    three_days(tmp_path)
    for left in ([10, 11, 20, 21], [20, 21], [20, 21]):
        kept_within(tmp_path, NOON_MS + 3650 * DAY_MS, 5, 10**9)
        assert numbers(tmp_path) == left
    assert [path.name for path in tmp_path.glob("date=*")] == ["date=2023-11-16"]


def test_the_bytes_allowed_are_kept_by_taking_the_oldest(tmp_path: Path) -> None:
    """One byte too much costs the oldest segment of the oldest date, none costs nothing."""
    three_days(tmp_path)
    used = used_bytes(tmp_path)
    assert used == sum(file.stat().st_size for file in tmp_path.rglob("*.parquet"))
    assert kept_within(tmp_path, NOON_MS, 5, used) == (0, 0)
    shed = kept_within(tmp_path, NOON_MS, 5, used - 1)
    assert shed == (2, used - used_bytes(tmp_path))
    assert numbers(tmp_path) == [10, 11, 20, 21]


def test_a_late_row_is_as_old_as_its_time(tmp_path: Path) -> None:
    """A row of the first day that came on the third goes before those of the second day."""
    three_days(tmp_path)
    store = opened(tmp_path)
    appended(store, some(5, 1))
    store.roll()
    store.close()
    used = used_bytes(tmp_path)
    kept_within(tmp_path, NOON_MS, 5, used - 1)
    assert numbers(tmp_path) == [5, 10, 11, 20, 21]
    kept_within(tmp_path, NOON_MS, 5, used_bytes(tmp_path) - 1)
    assert numbers(tmp_path) == [10, 11, 20, 21]


def test_files_of_others_in_the_folder_stay(tmp_path: Path) -> None:
    """Somebody's own export beside ours is not deleted, read or counted."""
    three_days(tmp_path)
    own = tmp_path / "date=2023-11-14" / "block=0" / "export.parquet"
    own.write_bytes(b"not ours")
    kept_within(tmp_path, NOON_MS + 3650 * DAY_MS, 5, 10**9)
    assert own.read_bytes() == b"not ours"
    assert numbers(tmp_path) == [10, 11, 20, 21]


def test_the_writer_keeps_its_store_within_its_days(tmp_path: Path) -> None:
    """With the clock that it was handed: on the eighth day the first goes, counted."""
    three_days(tmp_path)
    clock = Clock(LAST_MIDNIGHT_MS + 7 * DAY_MS)
    store = opened(tmp_path, clock, retention_days=7)
    appended(store, some(30, 1, clock.now_ms))
    store.roll()
    assert store.dropped.stored == 2
    store.close()
    assert numbers(tmp_path) == [10, 11, 20, 21, 30]

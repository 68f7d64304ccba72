"""What is appended is read back, as often as it was appended, whatever its order; one writer, one version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greensplit.engine.errors import InputError, OutputError
from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.store.eventstore import read_events
from greensplit.engine.store.logfile import LOG_SCHEMA, event_frame, write_log
from greensplit.engine.store.rolling import roll_all

from .rows import DAY_MS, NOON_MS, Clock, Row, appended, array, found, numbers, opened, some, told

EVENTS = st.tuples(
    st.sampled_from([NOON_MS - DAY_MS, NOON_MS, NOON_MS + 1, NOON_MS + DAY_MS]),
    st.sampled_from([1, 2, 99, 100, 2**32 - 1]),
    st.sampled_from([0, 81, 82, 2**16 - 1]),
    st.integers(0, 3),
)
STEPS = st.lists(
    st.one_of(st.lists(EVENTS, min_size=1, max_size=5), st.sampled_from(["sync", "reopen", "roll"])),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_what_was_appended_is_read_back_as_often(steps: list[list[Row] | str]) -> None:
    """Any order of times and devices, any doubles, over syncs, reopenings and rolls."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "store"
        store = opened(folder)
        given_rows: list[Row] = []
        for step in steps:
            if step == "sync":
                store.sync()
            elif step == "reopen":
                store.close()
                store = opened(folder)
            elif step == "roll":
                store.close()
                roll_all(folder, 10**6, 0)
                store = opened(folder)
            else:
                assert isinstance(step, list)
                given_rows += step
                store.append(array(*step))
        store.close()
        assert Counter(found(folder)) == Counter(given_rows)
        roll_all(folder, 10**6, 0)
        assert Counter(found(folder)) == Counter(given_rows)


def test_events_come_back_in_order_of_arrival_from_a_segment(tmp_path: Path) -> None:
    """Late and doubled rows stay where they came."""
    rows = [(NOON_MS + 5, 9, 82, 1), (NOON_MS, 3, 82, 2), (NOON_MS, 3, 82, 2), (NOON_MS + 1, 9, 81, 1)]
    store = opened(tmp_path / "s")
    appended(store, array(*rows[:2]))
    appended(store, array(*rows[2:]))
    assert found(tmp_path / "s") == rows
    store.close()


def test_a_roll_writes_the_layout_of_a_run_log(tmp_path: Path) -> None:
    """The same folders as write_log, each file with the same rows in the same order."""
    rows = array(
        (NOON_MS + 9, 100, 82, 1),
        (NOON_MS, 99, 82, 5),
        (NOON_MS, 99, 81, 4),
        (NOON_MS - DAY_MS, 99, 82, 3),
        (NOON_MS - 9, 99, 82, 3),
    )
    store = opened(tmp_path / "s")
    appended(store, rows)
    store.roll()
    assert store.trouble is None
    store.close()
    write_log(event_frame(rows, datetime(1970, 1, 1, tzinfo=UTC)), tmp_path / "log")
    expected = {
        str(file.parent.relative_to(tmp_path / "log")): pl.read_parquet(file, hive_partitioning=False)
        for file in (tmp_path / "log").rglob("*.parquet")
    }
    rolled = {
        str(file.parent.relative_to(tmp_path / "s")): pl.read_parquet(file, hive_partitioning=False)
        for file in (tmp_path / "s").rglob("*.parquet")
    }
    assert set(rolled) == {"date=2023-11-13/block=0", "date=2023-11-14/block=0", "date=2023-11-14/block=1"}
    assert {place: told(frame) for place, frame in rolled.items()} == {
        place: told(frame) for place, frame in expected.items()
    }
    assert all(dict(frame.schema) == LOG_SCHEMA for frame in rolled.values())
    assert not list((tmp_path / "s" / "journal").iterdir())


@pytest.mark.parametrize(("passed_ms", "ends"), [(899_999, False), (900_000, True), (-3_600_000, True)])
def test_a_segment_ends_by_age_and_when_the_clock_is_set_back(
    tmp_path: Path, passed_ms: int, ends: bool
) -> None:
    """900 s; a clock set back by an hour ends it too, or it would grow for an hour."""
    clock = Clock()
    store = opened(tmp_path / "s", clock, segment_s=900)
    appended(store, some(0, 1))
    clock.now_ms += passed_ms
    store.sync()
    appended(store, some(1, 1))
    store.close()
    segments_and_rolled = {file.stem for file in (tmp_path / "s").rglob("0*")}
    assert segments_and_rolled == ({"00000001", "00000002"} if ends else {"00000001"})
    assert numbers(tmp_path / "s") == [0, 1]


def test_a_segment_ends_at_its_rows(tmp_path: Path) -> None:
    """Ten rows at most but for the batch that passes them."""
    store = opened(tmp_path / "s", segment_rows=10)
    for first in range(0, 24, 6):
        appended(store, some(first, 6))
    store.close()
    assert {file.stem for file in (tmp_path / "s").rglob("0*")} == {"00000001", "00000002"}
    assert numbers(tmp_path / "s") == list(range(24))


def test_lag_counts_what_a_crash_would_lose(tmp_path: Path) -> None:
    """Three rows wait; after a sync none, and the clock goes on from there."""
    clock = Clock()
    store = opened(tmp_path / "s", clock)
    store.append(some(0, 3))
    clock.now_ms += 700
    assert store.lag() == (3, 700)
    store.sync()
    assert store.lag() == (0, 0)
    clock.now_ms += 20
    assert store.lag() == (0, 20)
    store.close()


def test_rows_are_copied(tmp_path: Path) -> None:
    """The daemon uses its buffer again before the sync."""
    store = opened(tmp_path / "s")
    rows = some(0, 3)
    store.append(rows)
    rows["parameter"] = 99
    store.close()
    assert numbers(tmp_path / "s") == [0, 1, 2]


def test_times_of_a_broken_clock_are_counted_and_left_out(tmp_path: Path) -> None:
    """1969 and 2100: they would make partitions without end."""
    store = opened(tmp_path / "s")
    appended(
        store,
        array((-1, 7, 82, 1), (0, 7, 82, 2), (4_102_444_799_999, 7, 82, 3), (4_102_444_800_000, 7, 82, 4)),
    )
    assert store.dropped.implausible == 2
    store.close()
    assert numbers(tmp_path / "s") == [2, 3]


def test_a_second_writer_gets_one_line_with_the_process(tmp_path: Path) -> None:
    """From another process; the first goes on, and when it closes another may write."""
    store = opened(tmp_path / "s")
    code = (
        "import sys; from pathlib import Path\n"
        "from greensplit.engine.errors import OutputError\n"
        "from greensplit.engine.store.eventstore import EventStore, StoreSettings\n"
        "try: EventStore.open(Path(sys.argv[1]), StoreSettings(), lambda: 0)\n"
        "except OutputError as err: print(err)\n"
    )
    told_lines = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s")], capture_output=True, text=True, check=True
    ).stdout
    assert (
        told_lines
        == f"{tmp_path / 's'}: expected to be the only writer, found process {os.getpid()} writing\n"
    )
    store.close()
    opened(tmp_path / "s").close()


def test_a_store_from_a_newer_version_is_refused_in_one_line(tmp_path: Path) -> None:
    """By writer and reader, both versions named; nothing is changed, and no lock stays."""
    opened(tmp_path / "s").close()
    stamp = tmp_path / "s" / "store.json"
    newer = {**json.loads(stamp.read_text()), "version": 2}
    stamp.write_text(json.dumps(newer))
    for use in (lambda: opened(tmp_path / "s"), lambda: read_events(tmp_path / "s")):
        with pytest.raises(
            InputError, match=r"^.*/s: expected an event store of version 1 or older, found .* 2: .*$"
        ):
            use()
    stamp.write_text(json.dumps({**newer, "version": 1}))
    opened(tmp_path / "s").close()


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    """Retention must never meet somebody's own files."""
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(OutputError, match=r"expected an event store or an empty folder, found thesis\.txt"):
        opened(tmp_path)


def test_a_folder_that_is_no_store_cannot_be_read(tmp_path: Path) -> None:
    """One line, with the stamp that was looked for."""
    with pytest.raises(InputError, match=r"store\.json: expected the stamp of an event store"):
        read_events(tmp_path)


def test_a_crash_while_the_store_is_created_does_not_hinder_the_next(tmp_path: Path) -> None:
    """The stamp half written."""
    (tmp_path / ".store.json.partial").write_text("{")
    (tmp_path / "lock").touch()
    opened(tmp_path).close()
    assert found(tmp_path) == []


def test_an_empty_batch_is_no_event(tmp_path: Path) -> None:
    """Quiet seconds write nothing."""
    store = opened(tmp_path / "s")
    appended(store, array().astype(EVENT_DTYPE))
    store.close()
    assert found(tmp_path / "s") == []
    assert not list((tmp_path / "s" / "journal").glob("*"))

"""Analytics reads a store while another process writes it."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from greensplit.benchmarks.store.victim import DEVICES_PER_LIFE, PARAMETERS
from greensplit.engine.analytics.measures import open_log
from greensplit.engine.store import reading
from greensplit.engine.store.eventstore import read_events
from greensplit.engine.store.logfile import LOG_SCHEMA, event_frame, write_log
from greensplit.engine.store.places import segments
from greensplit.engine.store.rolling import roll

from ...cli.command import greensplit
from .rows import NOON_MS, appended, array, numbers, opened, some


def test_a_reader_sees_whole_growing_logs_while_another_process_writes_and_rolls(tmp_path: Path) -> None:
    """Each reading is a gapless beginning of what was written, never shorter than the one before."""
    command = [sys.executable, "-m", "greensplit.benchmarks.store.victim", str(tmp_path / "s"), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        lengths = []
        until = time.monotonic() + 4.0
        while time.monotonic() < until:
            frame = read_events(tmp_path / "s").collect()
            number = (frame["device_id"] % DEVICES_PER_LIFE).cast(pl.Int64) * PARAMETERS + frame["parameter"]
            assert number.sort().to_list() == list(range(frame.height))
            lengths.append(frame.height)
            time.sleep(0.05)
        writer.kill()
    assert lengths == sorted(lengths)
    assert lengths[-1] > lengths[0] > 0
    assert list((tmp_path / "s").rglob("*.parquet")), "a roll was to happen meanwhile"


def test_a_segment_that_becomes_parquet_between_listing_and_reading_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The roll ends right after the reader listed the segments: it looks again."""
    store = opened(tmp_path / "s")
    appended(store, some(0, 3))
    store.close()
    listed: list[list[Path]] = []

    def listing(folder: Path) -> list[Path]:
        found = segments(folder)
        if not listed:
            roll(folder, found[0])
        listed.append(found)
        return found

    monkeypatch.setattr(reading, "segments", listing)
    assert numbers(tmp_path / "s") == [0, 1, 2]
    assert [len(found) for found in listed] == [1, 0]


def test_a_new_store_is_an_empty_log(tmp_path: Path) -> None:
    """The four columns and no row."""
    opened(tmp_path / "s").close()
    frame = read_events(tmp_path / "s").collect()
    assert (dict(frame.schema), frame.height) == (LOG_SCHEMA, 0)


def test_the_measures_read_parquet_and_segments_of_a_store(tmp_path: Path) -> None:
    """Two detector pulses were rolled, one was not: the log has six events of one device, in order of time."""
    store = opened(tmp_path / "s")
    pulses = [(NOON_MS + 1000 * i, 7, 82 - i % 2, 3) for i in range(6)]
    appended(store, array(*pulses[2:4], *pulses[:2]))
    store.roll()
    appended(store, array(*pulses[4:]))
    log = open_log(tmp_path / "s")
    [(device, pieces)] = list(log.pieces())
    assert device == 7
    assert sorted(int(t) for times, _ in pieces for t in times) == [pulse[0] for pulse in pulses]
    store.close()


def test_the_measures_command_takes_the_folder_of_a_store(tmp_path: Path) -> None:
    """The same tables as of the same events in the log of a run, while the writer has the store open."""
    rows = array(*((NOON_MS + 2000 * i + 500 * off, 7, 82 - off, 3) for i in range(30) for off in (0, 1)))
    store = opened(tmp_path / "s")
    appended(store, rows[:40])
    store.roll()
    appended(store, rows[40:])
    write_log(event_frame(rows, datetime(1970, 1, 1, tzinfo=UTC)), tmp_path / "log")
    detectors = tmp_path / "detectors.csv"
    detectors.write_text("device_id,channel,phase,function\n7,3,2,presence\n")
    for log in ("s", "log"):
        done = greensplit(
            "measures",
            log,
            "--config",
            detectors.name,
            "--measures",
            "actuations",
            "-o",
            f"{log}-tables",
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
    store.close()
    table = (tmp_path / "s-tables" / "actuations.csv").read_text()
    assert table == (tmp_path / "log-tables" / "actuations.csv").read_text()
    assert pl.read_csv(table.encode())["total"].sum() == 30

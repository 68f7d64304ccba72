"""Whatever dies, and wherever: what was synced is there, once, and a torn tail is cut."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from greensplit.benchmarks.store.kills import kill_repeatedly
from greensplit.engine.store import journal
from greensplit.engine.store.places import segments

from .rows import NOON_MS, appended, array, found, numbers, opened, some

ROLLS = """
import os, signal, sys
from pathlib import Path
from greensplit.engine.store.rolling import roll_all
left = int(sys.argv[2])
def dying(call):
    def step(*given, **named):
        global left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return call(*given, **named)
    return step
os.pwrite, os.fsync, os.mkdir, os.unlink, os.replace = map(
    dying, (os.pwrite, os.fsync, os.mkdir, os.unlink, os.replace))
roll_all(Path(sys.argv[1]), 99, 0)
"""


def test_a_killed_writer_costs_less_than_a_second_and_nothing_before_it(tmp_path: Path) -> None:
    """Three real writers, killed with SIGKILL at drawn moments while they write and roll, each on the last one's store.

    They sync every 0.8 s; what a flush takes comes on top.
    """
    kills = kill_repeatedly(tmp_path / "s", kills=3, seed=5)
    assert kills.wrong == 0
    assert 0 < kills.lost_s < 1.0
    assert all(death.events > 10_000 for death in kills.deaths)


def test_a_roll_killed_at_any_step_neither_loses_nor_doubles(tmp_path: Path) -> None:
    """Each write, flush, rename, folder and deletion of a roll into two partitions is the last in its turn."""
    folder = tmp_path / "s"
    expected = [(NOON_MS, 1, 82, number) for number in range(3)] + [(NOON_MS, 500, 82, 9)]
    codes = []
    store = opened(folder)
    appended(store, array(*expected))
    store.close()
    for step in range(60):
        codes.append(
            subprocess.run([sys.executable, "-c", ROLLS, str(folder), str(step)], check=False).returncode
        )
        assert sorted(found(folder)) == expected, f"step {step}"
        if not codes[-1]:
            break
    assert codes[-1] == 0
    assert set(codes[:-1]) == {-signal.SIGKILL}
    assert len(codes) > 10
    assert not segments(folder)
    assert not list(folder.rglob("*.partial"))


@pytest.mark.parametrize("seed", range(5))
def test_a_crashed_roll_is_done_again_by_the_next_writer(tmp_path: Path, seed: int) -> None:
    """Killed at a drawn step; the next writer rolls the segment, and its own after it."""
    folder = tmp_path / "s"
    store = opened(folder)
    appended(store, some(0, 5))
    store.close()
    step = random.Random(seed).randrange(8)
    subprocess.run([sys.executable, "-c", ROLLS, str(folder), str(step)], check=False)
    store = opened(folder)
    appended(store, some(5, 5))
    store.roll()
    store.close()
    assert numbers(folder) == list(range(10))
    assert not segments(folder)
    assert {path.stem for path in folder.rglob("*.parquet")} == {"00000001", "00000002"}


def test_a_torn_tail_is_cut_when_the_store_is_opened(tmp_path: Path) -> None:
    """At each byte of the last record: the records before it stay, the file ends where they end."""
    folder = tmp_path / "s"
    store = opened(folder)
    appended(store, some(0, 2))
    [segment] = segments(folder)
    kept = segment.stat().st_size
    appended(store, some(2, 1))
    whole = segment.read_bytes()
    store.close()
    for length in range(kept, len(whole)):
        segment.write_bytes(whole[:length])
        assert journal.mend(folder) == length - kept
        assert segment.read_bytes() == whole[:kept]
    segment.write_bytes(whole)
    assert journal.mend(folder) == 0
    assert numbers(folder) == [0, 1, 2]


def test_opening_tells_what_was_torn_and_writes_behind_it(tmp_path: Path) -> None:
    """Seven bytes of garbage, as of a write that a power cut stopped."""
    folder = tmp_path / "s"
    store = opened(folder)
    appended(store, some(0, 2))
    store.close()
    [segment] = segments(folder)
    with segment.open("ab") as file:
        file.write(b"garbage")
    store = opened(folder)
    assert store.dropped.torn_bytes == 7
    appended(store, some(2, 2))
    store.close()
    assert numbers(folder) == [0, 1, 2, 3]


def test_synced_rows_survive_a_process_that_dies_without_closing(tmp_path: Path) -> None:
    """What was appended after the last sync, and only that, is lost."""
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "import numpy as np\n"
        "from greensplit.engine.events import EVENT_DTYPE\n"
        "from greensplit.engine.store.eventstore import EventStore, StoreSettings\n"
        "store = EventStore.open(Path(sys.argv[1]), StoreSettings(), lambda: 0)\n"
        "store.append(np.array([(1, 7, 82, 1)], EVENT_DTYPE)); store.sync()\n"
        "store.append(np.array([(2, 7, 82, 2)], EVENT_DTYPE))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    died = subprocess.run([sys.executable, "-c", code, str(tmp_path / "s")], check=False)
    assert died.returncode == -signal.SIGKILL
    assert numbers(tmp_path / "s") == [1]


def test_every_sync_flushes_the_segment_and_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power loss: before a sync returns, the bytes and the name are flushed, the bytes after they were written."""
    calls: list[str] = []
    write, flush = os.pwrite, os.fsync

    def written(fd: int, data: bytes, at: int) -> int:
        calls.append("write")
        return write(fd, data, at)

    def flushed(fd: int) -> None:
        calls.append(f"flush {Path(f'/proc/self/fd/{fd}').readlink().name}")
        flush(fd)

    store = opened(tmp_path / "s")
    monkeypatch.setattr(os, "pwrite", written)
    monkeypatch.setattr(os, "fsync", flushed)
    for first in range(2):
        appended(store, some(first, 1))
    assert calls == ["write", "flush 00000001.arrows", "flush journal"] * 2
    monkeypatch.undo()
    store.close()

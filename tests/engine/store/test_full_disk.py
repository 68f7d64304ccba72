"""A full or failing disk never stops the daemon: the oldest goes, it is counted, and all is well again with room."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.store import writer
from greensplit.engine.store.places import segments
from greensplit.engine.store.waiting import Waiting

from .rows import DAY_MS, NOON_MS, appended, numbers, opened, some

Failing = Callable[..., None]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Makes a call of ``os`` fail with an error, the given number of times."""

    def fail(name: str, code: int, times: int = 10**9) -> None:
        call = getattr(os, name)
        left = [times]

        def failed(*given: object) -> object:
            if left[0]:
                left[0] -= 1
                raise OSError(code, os.strerror(code))
            return call(*given)

        monkeypatch.setattr(os, name, failed)

    return fail


def test_rows_wait_while_the_disk_is_full_and_are_written_when_it_is_not(
    tmp_path: Path, failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing to take away: two syncs fail in words, the third writes all, in order."""
    store = opened(tmp_path / "s")
    failing("pwrite", errno.ENOSPC)
    for first in (0, 3):
        appended(store, some(first, 3))
        assert store.trouble == f"{tmp_path / 's'}: expected to write events, found: No space left on device"
    assert store.lag().rows == 6
    monkeypatch.undo()
    appended(store, some(6, 1))
    assert (store.trouble, store.lag().rows, any(store.dropped)) == (None, 0, False)
    store.close()
    assert numbers(tmp_path / "s") == list(range(7))


def test_the_oldest_data_makes_room(tmp_path: Path, failing: Failing) -> None:
    """One failed write costs the oldest date's segment, three rows, and not one more; the new rows are there."""
    store = opened(tmp_path / "s")
    for day in range(3):
        appended(store, some(10 * day, 3, NOON_MS + day * DAY_MS))
        store.roll()
    failing("pwrite", errno.ENOSPC, 1)
    appended(store, some(90, 2))
    assert store.trouble is None
    assert (store.dropped.stored, store.dropped.waiting) == (3, 0)
    assert store.dropped.stored_bytes > 0
    store.close()
    assert numbers(tmp_path / "s") == [10, 11, 12, 20, 21, 22, 90, 91]
    assert not (tmp_path / "s" / "date=2023-11-14").exists()


def test_ended_segments_go_when_there_is_no_parquet_and_the_open_one_stays(
    tmp_path: Path, failing: Failing
) -> None:
    """Segments 1 and 2 are left of earlier lives, 3 is being written: 1 goes."""
    for first in (0, 10):
        store = opened(tmp_path / "s")
        appended(store, some(first, 2))
        store.close()
    store = opened(tmp_path / "s")
    store._pause = 10**6  # no roll before the disk is full
    appended(store, some(20, 2))
    failing("pwrite", errno.ENOSPC, 1)
    appended(store, some(30, 2))
    assert store.dropped.stored == 2
    store.close()
    assert numbers(tmp_path / "s") == [10, 11, 20, 21, 30, 31]


def test_a_flush_that_fails_begins_a_new_segment_without_doubles(tmp_path: Path, failing: Failing) -> None:
    """After a failed flush nobody knows what is on the disk: the message is cut off and written elsewhere."""
    store = opened(tmp_path / "s")
    appended(store, some(0, 2))
    failing("fsync", errno.EIO, 1)
    appended(store, some(2, 2))
    assert store.trouble is None
    assert len(segments(tmp_path / "s")) == 2
    store.close()
    assert numbers(tmp_path / "s") == [0, 1, 2, 3]


def test_a_disk_that_fails_for_good_is_told_and_costs_no_stored_data(
    tmp_path: Path, failing: Failing
) -> None:
    """An input/output error is no reason to take anything away."""
    store = opened(tmp_path / "s")
    appended(store, some(0, 2))
    store.roll()
    failing("pwrite", errno.EIO)
    appended(store, some(2, 2))
    assert store.trouble is not None
    assert store.trouble.endswith("found: Input/output error")
    assert store.dropped.stored == 0
    assert store.lag().rows == 2
    store.close()
    assert numbers(tmp_path / "s") == [0, 1]


def test_rows_that_wait_are_bounded_and_the_oldest_go() -> None:
    """Five at most: of 3 + 3 + 1 rows the first two go; given back, they are again the oldest."""
    waiting = Waiting(most=5)
    for first, count in ((0, 3), (3, 3), (6, 1)):
        waiting.put(some(first, count))
    assert (len(waiting), waiting.dropped) == (5, 2)
    taken = waiting.take()
    assert taken["parameter"].tolist() == [2, 3, 4, 5, 6]
    waiting.put(some(7, 1))
    waiting.give_back(taken)
    assert waiting.take()["parameter"].tolist() == [3, 4, 5, 6, 7]
    assert waiting.dropped == 3


def test_room_is_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below ``min_free_bytes`` the oldest goes until enough is free, before anything fails."""
    store = opened(tmp_path / "s", min_free_bytes=1000)
    free = {"bytes": 10**12}
    monkeypatch.setattr(writer, "free_bytes", lambda _: free["bytes"])
    for day in range(3):
        appended(store, some(10 * day, 3, NOON_MS + day * DAY_MS))
        store.roll()
    answers = iter([999, 999, 999])
    monkeypatch.setattr(writer, "free_bytes", lambda _: next(answers, 1000))
    store.sync()
    assert store.dropped.stored == 6
    store.close()
    assert numbers(tmp_path / "s") == [20, 21, 22]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system can only be mounted by root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_small_disk_keeps_the_newest(small_disk: Path) -> None:
    """32 MB of events through 2 MB: no error, no gap in what is left but the rolls in between, the newest there."""
    store = opened(small_disk / "s", segment_rows=20_000)
    batch = 10_000
    for number in range(200):
        rows = np.zeros(batch, EVENT_DTYPE)
        rows["t_ms"] = NOON_MS + number * 1000 + np.random.default_rng(number).integers(1000, size=batch)
        rows["device"], rows["parameter"] = np.random.default_rng(number).integers(2**32, size=batch), number
        appended(store, rows)
    store.close()
    kept = numbers(small_disk / "s")
    assert kept[-1] == 199
    assert all(kept.count(number) == batch for number in set(kept))
    lost = store.dropped.stored + store.dropped.waiting + store.lag().rows
    assert store.dropped.stored > 0
    assert len(kept) + lost == 200 * batch


def test_a_limit_of_file_size_begins_new_segments(tmp_path: Path) -> None:
    """RLIMIT_FSIZE of 64 kB: each segment ends below it, and nothing is lost."""
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "import numpy as np\n"
        "from greensplit.engine.events import EVENT_DTYPE\n"
        "from greensplit.engine.store.eventstore import EventStore, StoreSettings\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "store = EventStore.open(Path(sys.argv[1]), StoreSettings(min_free_bytes=0), lambda: 0)\n"
        "store._pause = 10**6\n"
        "for number in range(12):\n"
        "    rows = np.zeros(1000, EVENT_DTYPE); rows['parameter'] = number\n"
        "    store.append(rows); store.sync(); assert store.trouble is None\n"
        "store.close()\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s")], check=True)
    assert numbers(tmp_path / "s") == sorted(list(range(12)) * 1000)
    assert len(segments(tmp_path / "s")) > 2

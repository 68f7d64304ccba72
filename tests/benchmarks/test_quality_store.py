"""Runs are done once: rows are kept whole, found again by what was run, and resumed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from greensplit.benchmarks.quality import measure as measuring
from greensplit.benchmarks.quality.measure import CONFLICT_FREE, measure
from greensplit.benchmarks.quality.store import Store, default_root, open_store
from greensplit.benchmarks.quality.sweep import remaining_text, sweep
from greensplit.engine.errors import OutputError, WorkError
from greensplit.sim.experiments.worker import Job
from greensplit.sim.spec import RunSpec

SPEC = RunSpec("town", "fixed", seed=3)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "rows", {"fixed": "0123", "greedy": "4567"})


def test_a_row_is_found_again_only_by_the_same_run(store: Store) -> None:
    """Seed, demand, scale, profile, dead loops, controller and code are all part of the key."""
    store.save(SPEC, {"delay": 1.5})
    assert store.load(RunSpec("town", "fixed", seed=3)) == {"delay": 1.5}
    others = (
        {"scenario": "city"},
        {"controller": "greedy"},
        {"vision": "perfect"},
        {"seed": 4},
        {"demand_seed": 0},
        {"scale": 1.2},
        {"profile": "R1"},
        {"dead_share": 0.2},
        {"dead_loops": ("gs1.1",)},
        {"end_s": 60},
    )
    for change in others:
        assert store.load(replace(SPEC, **change)) is None, change  # type: ignore[arg-type]
    assert Store(store.root, {"fixed": "89ab"}).load(SPEC) is None


def test_a_damaged_or_foreign_file_is_no_row(store: Store) -> None:
    """Half a file, and a whole one with another key in the same place, are done again."""
    store.save(SPEC, {"delay": 1.5})
    path = store.path(SPEC)
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    assert store.load(SPEC) is None
    path.write_text(json.dumps({**json.loads(whole), "key": {"seed": 3}}))
    assert store.load(SPEC) is None


def test_a_row_that_cannot_be_written_leaves_nothing_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails in the middle: the old row stays, no partial file is left."""
    store.save(SPEC, {"delay": 1.5})

    def fail(path: Path, data: bytes) -> int:
        with path.open("wb") as stream:
            stream.write(data[:10])
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OutputError):
        store.save(SPEC, {"delay": 2.5})
    monkeypatch.undo()
    assert store.load(SPEC) == {"delay": 1.5}
    assert [path.name for path in store.path(SPEC).parent.iterdir()] == [store.path(SPEC).name]


def test_rows_lie_in_the_projects_cache(tmp_path: Path) -> None:
    """Outside the repository, where GREENSPLIT_CACHE says."""
    assert default_root({"GREENSPLIT_CACHE": str(tmp_path)}) == tmp_path / "quality"


def test_only_what_is_missing_is_run(tmp_path: Path) -> None:
    """Two runs in a worker process; then one more, and the two are only read."""
    window = {"begin_s": 25200, "end_s": 25260}
    first = [RunSpec("cologne1", name, **window) for name in ("fixed", CONFLICT_FREE)]  # type: ignore[arg-type]
    store = open_store(tmp_path, ["fixed", CONFLICT_FREE])
    said: list[str] = []
    rows = sweep(first, store, 1, said.append)
    assert [line.partition(",")[0] for line in said] == ["2 runs", "1 of 2", "2 of 2"]
    assert [row["controller"] for row in rows.values()] == ["fixed", CONFLICT_FREE]
    said.clear()
    assert sweep(first, store, 1, said.append) == rows
    assert said == []
    store.path(first[1]).unlink()
    again = sweep(first, store, 1, said.append)
    assert said[0] == "2 runs, 1 of them stored"
    assert len(said) == 2
    assert again[first[1]]["corrected_delay_s"] == rows[first[1]]["corrected_delay_s"]


def test_a_failed_run_is_told_and_the_others_are_kept(tmp_path: Path) -> None:
    """An unknown loop is an error of that run alone."""
    good = RunSpec("cologne1", "fixed", begin_s=25200, end_s=25230)
    bad = replace(good, dead_loops=("nowhere",))
    store = open_store(tmp_path, ["fixed"])
    with pytest.raises(WorkError, match=r"1 of 2 runs failed, the first \(cologne1, fixed.*found nowhere"):
        sweep([bad, good], store, 1, lambda _: None)
    assert store.load(good) is not None


def test_rows_of_changed_sources_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash was taken before somebody edited: the run is refused."""
    monkeypatch.setattr(measuring, "_unchanged", set())
    with pytest.raises(WorkError, match="found them changed"):
        measure(Store(tmp_path, {"fixed": "of yesterday"}), Job(RunSpec("cologne1", "fixed")))
    assert list(tmp_path.iterdir()) == []


def test_the_time_that_remains_is_told_from_the_speed_so_far() -> None:
    """10 of 40 runs in 50 s: 30 more at 5 s each; then 5 s."""
    assert remaining_text(50.0, 10, 40) == "2 min left"
    assert remaining_text(5.0, 1, 2) == "5 s left"

"""A corridor from a file to its tables, worked out by hand, and as a user types it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from greensplit.cli.__main__ import app
from greensplit.engine.analytics import measures
from greensplit.engine.analytics.measures import corridor_tables, read_corridor
from greensplit.engine.errors import InputError

from .hand import at, log_of
from .test_udot_corridor import ADVANCE, corridor, cycles

TEXT = """
speed_kmh = 60
cycle_s = 60

[[junction]]
device_id = 1
phase = 2
opposite_phase = 2
distance_m = 100

[[junction]]
device_id = "2"
phase = 6
opposite_phase = 6
distance_m = 600
"""


def written(folder: Path, text: str = TEXT) -> Path:
    """The corridor as a file."""
    path = folder / "corridor.toml"
    path.write_text(text)
    return path


def test_bands_both_ways(tmp_path: Path) -> None:
    """500 m are 30 s. Greens from 30 and 70 s: along 15 s from 40 s; against, 70-95 s arrive 100-125 at 90-115."""
    log = pl.concat(
        [log_of(*cycles(2), (5.0, 82, 21)), log_of(*cycles(6, first=40.0), (15.0, 82, 61), device=2)]
    )
    tables = measures.compute(
        log,
        ADVANCE,
        measures.NEEDED_BY_CORRIDORS,
        dialect="udot",
        parameters={"arrivals_by_shift": {"cycle_s": 60}},
    )
    rows = corridor_tables(read_corridor(written(tmp_path)), tables)["time_space_bands"]
    along, against = (rows.filter(pl.col("direction") == one) for one in ("along", "against"))
    assert along["start_time"].to_list() == [at(40), at(100), at(160)]
    assert along.select("device_id", "from_m", "to_m").unique().rows() == [(1, 100.0, 600.0)]
    assert against["start_time"].to_list() == [at(70), at(130)]
    assert against["end_time"].to_list() == [at(85), at(145)]
    assert against.select("device_id", "from_m", "to_m").unique().rows() == [(2, 600.0, 100.0)]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("cycle_s = 60", "", "found no cycle_s"),
        ("cycle_s = 60", "cycle_s = 0", "found 0"),
        ("speed_kmh = 60", "speed_kmh = -1", "found -1"),
        ("phase = 6\n", "fase = 6\n", "found no phase"),
        ("speed_kmh = 60", "speed_kmh = 60\nsped = 1", "found sped"),
        ("distance_m = 600", "distance_m = 100", "distance_m above 100"),
        ("distance_m = 600", "distance_m = 'far'", "found 'far'"),
        ('device_id = "2"', "device_id = true", "found True"),
        ("[[junction]]", "[[junction", "in TOML"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as told:
        read_corridor(written(tmp_path, TEXT.replace(old, new)))
    assert "corridor.toml" in str(told.value)


def run(folder: Path, *options: str) -> str:
    """What the command says, or the error that it ends with."""
    corridor().write_parquet(folder / "log.parquet")
    ADVANCE.write_csv(folder / "detectors.csv")
    arguments = ("measures", str(folder / "log.parquet"), "--config", str(folder / "detectors.csv"))
    done = CliRunner().invoke(app, [*arguments, "--out", str(folder / "out"), *options])
    return done.output if done.exit_code == 0 else str(done.exception)


def test_the_command_writes_both(tmp_path: Path) -> None:
    """Only what was asked for and the corridor's tables; the offset is that of the worked example: 15 s."""
    path = str(written(tmp_path))
    run(tmp_path, "--dialect", "udot", "--corridor", path, "--measures", "watchdog")
    assert sorted(one.stem for one in (tmp_path / "out").glob("*.csv")) == [
        "link_pivot",
        "time_space_bands",
        "watchdog",
    ]
    assert pl.read_parquet(tmp_path / "out" / "link_pivot.parquet")["delta_s"].to_list() == [15]


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    path = str(written(tmp_path))
    assert run(tmp_path, "--corridor", path) == "--corridor: expected --dialect udot, found atspm"
    other = str(written(tmp_path, TEXT.replace('"2"', "3")))
    assert "device 3 in the log, found none" in run(tmp_path, "--dialect", "udot", "--corridor", other)
    assert not (tmp_path / "out").exists()

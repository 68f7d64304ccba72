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
phase = 4
opposite_phase = 2
distance_m = 100

[[junction]]
device_id = "2"
phase = 6
opposite_phase = 8
distance_m = 600
"""


def written(folder: Path, text: str = TEXT) -> Path:
    """The corridor as a file."""
    path = folder / "corridor.toml"
    path.write_text(text)
    return path


def junctions() -> pl.DataFrame:
    """Along: phases 4 and 6, greens from 30 and 70 s. Against: phases 8 and 2, greens from 30 and 50 s."""
    first = [*cycles(2, first=20.0), *cycles(4), (5.0, 82, 21)]
    second = [*cycles(6, first=40.0), *cycles(8), (15.0, 82, 61)]
    return pl.concat([log_of(*first), log_of(*second, device=2)])


def test_bands_both_ways(tmp_path: Path) -> None:
    """500 m are 30 s: of 30-55 s along, 40-55 meet green at 70-95; of 30-55 against, 30-45 do at 50-75."""
    tables = measures.compute(
        junctions(),
        ADVANCE,
        measures.NEEDED_BY_CORRIDORS,
        dialect="udot",
        parameters={"arrivals_by_shift": {"cycle_s": 60}},
    )
    found = corridor_tables(read_corridor(written(tmp_path)), tables)
    link = found["link_pivot"].select("upstream", "upstream_phase", "downstream", "downstream_phase")
    assert link.rows() == [(1, 2, 2, 6)]
    rows = found["time_space_bands"]
    along, against = (rows.filter(pl.col("direction") == one) for one in ("along", "against"))
    assert along["start_time"].to_list() == [at(40), at(100), at(160)]
    assert along.select("device_id", "from_m", "to_m").unique().rows() == [(1, 100.0, 600.0)]
    assert against["start_time"].to_list() == [at(30), at(90), at(150)]
    assert against["end_time"].to_list() == [at(45), at(105), at(165)]
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
    opposite = [log_of(*cycles(4)), log_of(*cycles(8), device=2)]
    pl.concat([corridor(), *opposite]).write_parquet(folder / "log.parquet")
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
    assert "device 3, phase 6, in the log" in run(tmp_path, "--dialect", "udot", "--corridor", other)
    other = str(written(tmp_path, TEXT.replace("phase = 4", "phase = 7")))
    assert "device 1, phase 7, in the log" in run(tmp_path, "--dialect", "udot", "--corridor", other)
    assert not (tmp_path / "out").exists()

"""``greensplit measures`` as people use it, on a run of our own simulator, against the atspm package."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest

from greensplit.engine.analytics.measures import site_detectors
from greensplit.engine.events import BEGIN_RED_CLEARANCE, END_RED_CLEARANCE
from greensplit.engine.model.toml import read_site
from greensplit.engine.store.logfile import read_log

from ..engine.analytics.measures.oracle import differences, oracle_tables
from ..engine.analytics.measures.test_against_atspm import KEYS
from ..sim.experiments.cluster import dask_cluster
from .command import greensplit


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half an hour of three junctions with a quarter of the loops dead."""
    folder = tmp_path_factory.mktemp("ran")
    window = ("--begin", "25200", "--end", "27000")
    done = greensplit(
        "run", "cologne3", "-c", "lookahead", *window, "-o", "run", "--dead", "0.25", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_measures_of_a_run_are_those_of_the_package(ran: Path, tmp_path: Path) -> None:
    """Shared loops serve one phase each and ends of clearances of no length are left out: see test_defects."""
    detectors = site_detectors(read_site(ran / "model.toml")).unique(
        ["device_id", "channel", "function"], keep="first", maintain_order=True
    )
    detectors.write_csv(tmp_path / "detectors.csv")
    log = read_log(ran).collect()
    begins = log.filter(pl.col("event_id") == BEGIN_RED_CLEARANCE)
    ends_at_once = begins.with_columns(pl.lit(END_RED_CLEARANCE, pl.UInt16).alias("event_id"))
    kept = log.join(ends_at_once, on=log.columns, how="anti", maintain_order="left")
    kept.write_parquet(tmp_path / "log.parquet")
    done = greensplit(
        "measures", "log.parquet", "--config", "detectors.csv", "--out", "tables", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["devices"] == 3
    assert any("no event of detector channel" in note for note in summary["notes"])
    names = {"advance": "Advance", "presence": "Presence", "yellow_red": "Yellow_Red"}
    config = detectors.select(
        pl.col("device_id").alias("DeviceId"),
        pl.col("phase").alias("Phase"),
        pl.col("channel").alias("Parameter"),
        pl.col("function").replace(names).alias("Function"),
    )
    raw = kept.with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    theirs = oracle_tables(raw, config, list(KEYS))
    for name, keys in KEYS.items():
        ours = pl.read_parquet(tmp_path / "tables" / f"{name}.parquet")
        spoilt = theirs[name].filter(pl.any_horizontal(cs.float().is_nan()))  # see test_defects
        assert spoilt.height < 0.2 * theirs[name].height or spoilt.is_empty(), name
        fair = [
            table.join(spoilt, on=keys, how="anti")
            for table in (_typed(ours, theirs[name], keys), theirs[name])
        ]
        assert differences(fair[0], fair[1], keys).is_empty(), name
        assert pl.read_csv(tmp_path / "tables" / f"{name}.csv").height == ours.height
    assert theirs["split_failures"].height > 0
    assert theirs["arrival_on_green"].height > 0


def _typed(ours: pl.DataFrame, theirs: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Keys of the types that the package has, so that they can be joined."""
    return ours.with_columns(pl.col(name).cast(theirs.schema[name]) for name in keys)


def test_a_run_directory_brings_its_own_detectors(ran: Path, tmp_path: Path) -> None:
    """Without --config its model says what stands where; --measures chooses."""
    done = greensplit(
        "measures", str(ran), "--out", "tables", "--measures", "actuations,split_failures", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "actuations.csv",
        "actuations.parquet",
        "split_failures.csv",
        "split_failures.parquet",
    ]
    assert pl.read_parquet(tmp_path / "tables" / "split_failures.parquet").height > 0


def test_charts_stand_beside_the_tables(ran: Path, tmp_path: Path) -> None:
    """A page that names what was not asked for."""
    names = "pcd_points,pcd_cycles,approach_volume"
    options = ("--measures", names, "--dialect", "udot", "--charts", "--json")
    done = greensplit("measures", str(ran), "--out", "tables", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["charts"] == "tables/charts.html"
    page = (tmp_path / "tables" / "charts.html").read_text(encoding="utf-8")
    assert "Coordination diagram: s since red began, device 1, phase" in page
    assert "Approach volume, veh/h, device 3, phase" in page
    assert "split failures (split_failures)" in page


def test_wrong_input_is_one_line_and_exit_code_two(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("when,where\n1,2\n")
    done = greensplit("measures", "log.csv", "--out", "tables", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("greensplit: log.csv: expected columns timestamp")
    assert not (tmp_path / "tables").exists()


def test_a_cluster_gives_the_tables_of_one_machine(ran: Path, tmp_path: Path) -> None:
    """Two Dask workers, one share of devices each time."""
    options = ("--measures", "actuations,split_failures,timeline", "--json")
    alone = greensplit("measures", str(ran), "--out", "alone", *options, cwd=tmp_path)
    (tmp_path / "dask").mkdir()
    with dask_cluster(tmp_path / "dask", workers=2) as cluster:
        spread = greensplit(
            "measures", str(ran), "--out", "spread", *options, "--cluster", cluster.address, cwd=tmp_path
        )
    assert spread.returncode == 0, spread.stderr
    one, other = json.loads(alone.stdout), json.loads(spread.stdout)
    assert (one["measures"], one["notes"]) == (other["measures"], other["notes"])
    for name in one["measures"]:
        file = f"{name}.parquet"
        assert pl.read_parquet(tmp_path / "alone" / file).equals(pl.read_parquet(tmp_path / "spread" / file))

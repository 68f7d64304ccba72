"""What holds of the UDOT dialect over any log: chunks, shares, devices, totals, colours that add up."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from greensplit.cli.__main__ import app
from greensplit.engine.analytics import measures
from greensplit.engine.analytics.measures import GrowingLog, calculation
from greensplit.engine.analytics.measures.shares import do_share, gathered, shares

from .logs import damaged, made_detectors, made_log
from .test_log import same

ALL = [one.name for one in measures.MEASURES if one.udot is not None]
OWN = [one.name for one in measures.MEASURES if one.udot is not None and one.udot is not one.atspm]
TOTALS = {
    "arrivals_by_colour": "hits",
    "approach_delay": "delay_s",
    "approach_volume": "volume",
    "turning_counts": "total",
    "split_failures": "split_failure",
    "yellow_red_actuations": "violations",
    "ped_delay": "samples",
    "unique_ped": "unique_actuations",
    "wait_time": "samples",
    "green_time_utilisation": "hits",
    "left_turn_gap": "gaps_turnable",
    "queue_spillback": "cycles",
}
LOOSE: dict[str, dict[str, Any]] = {
    "split_failures": {"red_occupancy_threshold": 0.3, "green_occupancy_threshold": 0.3},
    "arrivals_by_shift": {"cycle_s": 20},
    "watchdog": {"least_records": 1_000_000},
}


@pytest.fixture(scope="module")
def log() -> pl.DataFrame:
    """With events lost; cut at full hours, so that hours, quarters and five minutes end together."""
    whole = damaged(made_log(devices=2, minutes=180, seed=11), "lost")
    full = whole["TimeStamp"].dt.truncate("1h")
    return whole.filter((full >= full.min().replace(hour=7)) & (full < full.max()))  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def detectors() -> pl.DataFrame:
    """Those of the made log; the advance detectors count too."""
    counting = (
        made_detectors(2).filter(pl.col("Function") == "Advance").with_columns(Function=pl.lit("Count"))
    )
    return pl.concat([made_detectors(2), counting]).with_columns(
        distance_m=pl.lit(60.0), speed_kmh=pl.lit(50.0)
    )


@pytest.fixture(scope="module")
def tables(log: pl.DataFrame, detectors: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """All that the dialect defines."""
    return measures.compute(log, detectors, ALL, dialect="udot", parameters=LOOSE)


def test_every_measure_of_the_dialect_has_rows_here(tables: dict[str, pl.DataFrame]) -> None:
    """So that the properties are not those of nothing."""
    assert [name for name in OWN if tables[name].is_empty()] == []


def test_each_measure_can_be_called_by_its_name() -> None:
    """No module of the package hides one."""
    for one in measures.MEASURES:
        assert getattr(measures, one.name) is one


def test_colours_add_up(tables: dict[str, pl.DataFrame]) -> None:
    """Green, yellow and red are all hits; so say the delay, the dots, the lines and the plans."""
    rows = tables["arrivals_by_colour"]
    assert (rows["on_green"] + rows["on_yellow"] + rows["on_red"]).equals(rows["hits"])
    total = rows["hits"].sum()
    assert total == tables["pcd_points"].height
    for name in ("approach_delay", "pcd_cycles", "pcd_plans"):
        assert tables[name]["hits"].sum() == total, name
    unshifted = tables["arrivals_by_shift"].filter(pl.col("shift_s") == 0)
    assert unshifted["on_green"].sum() == rows["on_green"].sum()


def test_red_green_and_yellow_are_the_span(log: pl.DataFrame, tables: dict[str, pl.DataFrame]) -> None:
    """Of each phase, from red to red as a plain search of the log finds them; no two bars overlap."""
    expected: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for (device, phase), rows in log.unique().group_by("DeviceId", "Parameter"):
        lamps = rows.filter(pl.col("EventId").is_in([1, 8, 9])).sort("TimeStamp", "EventId")
        seen = list(zip(lamps["TimeStamp"].dt.epoch("ms"), lamps["EventId"], strict=True))
        for four in zip(seen, seen[1:], seen[2:], seen[3:], strict=False):
            if [event for _, event in four] == [9, 1, 8, 9]:
                bars = [(a, b, event) for (a, event), (b, _) in itertools.pairwise(four)]
                expected.setdefault((device, phase), []).extend(bars)
    found = tables["phase_intervals"].with_columns(pl.col("start_time", "end_time").dt.epoch("ms"))
    assert set(found.select("device_id", "phase").unique().rows()) == expected.keys()
    for (device, phase), bars in expected.items():
        own = found.filter((pl.col("device_id") == device) & (pl.col("phase") == phase))
        assert own.select("start_time", "end_time", "signal_state").rows() == bars
        assert all(end <= begin for (_, end, _), (begin, _, _) in itertools.pairwise(bars))


@pytest.mark.parametrize("minutes", [5, 60])
def test_totals_do_not_depend_on_the_bin(
    log: pl.DataFrame, detectors: pl.DataFrame, tables: dict[str, pl.DataFrame], minutes: int
) -> None:
    """A cycle across an edge belongs to one bin."""
    others = measures.compute(
        log,
        detectors,
        TOTALS,
        bin_minutes=minutes,
        dialect="udot",
        parameters={"split_failures": LOOSE["split_failures"]},
    )
    for name, column in TOTALS.items():
        assert tables[name][column].sum() > 0, name
        assert others[name][column].sum() == pytest.approx(tables[name][column].sum()), name


def test_a_log_in_chunks_is_the_log_in_one(
    log: pl.DataFrame, detectors: pl.DataFrame, tables: dict[str, pl.DataFrame]
) -> None:
    """In any order of arrival, with overlaps."""
    by_time = log.sort("TimeStamp", maintain_order=True)
    growing = GrowingLog()
    parts = [by_time[max(0, i - 20) : i + 5001] for i in range(0, log.height, 5001)]
    for part in [*parts[1::2], *parts[::2]]:
        growing.add(part)
    what = calculation(ALL, dialect="udot", parameters=LOOSE)
    assert same(growing.tables(detectors, what), tables)


def test_shares_of_devices_are_the_whole(
    log: pl.DataFrame, detectors: pl.DataFrame, tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    """Devices do not know of each other."""
    place = tmp_path / "log.parquet"
    log.write_parquet(place)
    what = calculation(ALL, dialect="udot", parameters=LOOSE)
    jobs = shares([place], measures.read_detectors(detectors), what, devices_each=1)
    assert len(jobs) == 2
    assert same(gathered([do_share(job) for job in jobs]), tables)


def test_a_log_without_detectors_or_signals_has_tables_all_the_same() -> None:
    """Of the right columns, and without rows but for what the watchdog finds."""
    log = made_log(devices=1, minutes=5).filter(pl.col("EventId") == 400)
    empty = measures.compute(log, None, OWN, dialect="udot")
    for name, table in empty.items():
        assert [one for one in table.columns if one != "device_id"] == list(measures.measure(name).schema)
        assert name == "watchdog" or table.is_empty(), name
    configured = measures.compute(log, made_detectors(1), OWN, dialect="udot")
    assert [name for name in OWN if configured[name].height] == ["detector_health", "watchdog"]
    assert configured["detector_health"]["no_data"].all()


def test_colours_are_those_of_a_plain_search(log: pl.DataFrame, tables: dict[str, pl.DataFrame]) -> None:
    """A hit moved by 60 m at 50 km/h, sought in lists of one device's events."""
    first = log.filter(pl.col("DeviceId") == 1).unique().sort("TimeStamp", "EventId")
    times = (first["TimeStamp"].dt.epoch("ms")).to_list()
    rows = list(zip(times, first["EventId"].to_list(), first["Parameter"].to_list(), strict=True))
    way_ms = round(60 / (50 / 3.6) * 1000)
    counts = np.zeros(3, np.int64)
    for phase in (1, 2, 3, 4):
        signal = [(t, event) for t, event, number in rows if number == phase and event in (1, 8, 9)]
        for t in [t + way_ms for t, event, number in rows if (event, number) == (82, 10 * phase + 1)]:
            before = max((i for i, (at, _) in enumerate(signal) if at <= t), default=None)
            if before is None:
                continue
            start = before - {9: 0, 1: 1, 8: 2}[signal[before][1]]
            if start >= 0 and [event for _, event in signal[start : start + 4]] == [9, 1, 8, 9]:
                counts[before - start] += 1
    ours = tables["arrivals_by_colour"].filter(pl.col("device_id") == 1)
    assert [ours[name].sum() for name in ("on_red", "on_green", "on_yellow")] == counts.tolist()


def test_the_command_writes_them(log: pl.DataFrame, detectors: pl.DataFrame, tmp_path: Path) -> None:
    """``--dialect udot --measures`` as a user types it."""
    log.write_parquet(tmp_path / "log.parquet")
    detectors.write_csv(tmp_path / "detectors.csv")
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app,
        [
            *("measures", str(tmp_path / "log.parquet"), "--config", str(tmp_path / "detectors.csv")),
            *("--out", str(out), "--dialect", "udot", "--measures", "arrivals_by_colour,watchdog"),
        ],
    )
    assert result.exit_code == 0, result.output
    ours = measures.arrivals_by_colour(log, detectors, dialect="udot")
    assert pl.read_parquet(out / "arrivals_by_colour.parquet").equals(ours)
    assert (out / "watchdog.parquet").exists()

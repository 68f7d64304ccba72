"""What holds of any log: totals, independence of devices, chunks, and time that adds up."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from greensplit.engine.analytics import measures
from greensplit.engine.analytics.measures import GrowingLog, calculation
from greensplit.engine.analytics.measures.shares import do_share, gathered, shares

from .logs import made_detectors, made_log
from .test_log import same

ALL = [one.name for one in measures.MEASURES if one.atspm is not None]
ONLY_WITH_DATA = ("coordination_agg", "ped_delay", "phase_wait")
TOTALS = {
    "actuations": "total",
    "terminations": "total",
    "split_failures": "split_failure",
    "ped": "ped_actuation",
    "unique_ped": "unique_actuations",
    "yellow_red": "count",
    "ped_delay": "samples",
    "splits": "services",
}


@pytest.fixture(scope="module")
def log() -> pl.DataFrame:
    """Cut at a full hour, so that hours, quarters and five minutes end together."""
    whole = made_log(devices=3, minutes=180, seed=11)
    full = whole["TimeStamp"].dt.truncate("1h")
    return whole.filter((full >= full.min().replace(hour=7)) & (full < full.max()))  # type: ignore[union-attr]


@pytest.mark.parametrize("minutes", [5, 30, 60])
def test_totals_do_not_depend_on_the_bin(log: pl.DataFrame, minutes: int) -> None:
    """Cycles across the edges of bins are lost at no width."""
    quarters = measures.compute(log, made_detectors(), TOTALS)
    others = measures.compute(log, made_detectors(), TOTALS, bin_minutes=minutes)
    for name, column in TOTALS.items():
        if name == "ped_delay":
            continue  # counts only what bins with data hold, and those depend on the width
        assert quarters[name][column].sum() > 0, name
        assert quarters[name][column].sum() == others[name][column].sum(), name


def test_devices_do_not_know_of_each_other(log: pl.DataFrame) -> None:
    """A device alone has the rows that it has among others, where the log ends at the same time."""
    together = measures.compute(log, made_detectors(), ALL)
    ends = (log["TimeStamp"].min(), log["TimeStamp"].max())
    mark = pl.DataFrame(
        {"TimeStamp": ends, "DeviceId": [99, 99], "EventId": [2, 2], "Parameter": [1, 1]}
    ).cast(
        dict(log.schema)  # type: ignore[arg-type]
    )
    for device in (1, 2, 3):
        alone = measures.compute(
            pl.concat([log.filter(pl.col("DeviceId") == device), mark]), made_detectors(), ALL
        )
        for name in ALL:
            mine = pl.col("device_id") == device
            assert alone[name].filter(mine).equals(together[name].filter(mine)), name


@pytest.mark.parametrize("chunk", [500, 7001])
def test_a_log_in_chunks_is_the_log_in_one(log: pl.DataFrame, chunk: int) -> None:
    """In any order of arrival, with overlaps, and asked in between."""
    by_time = log.sort("TimeStamp", maintain_order=True)
    what = calculation(ALL)
    growing = GrowingLog()
    parts = [by_time[max(0, i - 20) : i + chunk] for i in range(0, log.height, chunk)]
    for number, part in enumerate([*parts[1::2], *parts[::2]]):
        growing.add(part)
        if number == 1:
            growing.tables(made_detectors(), what)
    assert same(growing.tables(made_detectors(), what), measures.compute(log, made_detectors(), ALL))


def test_shares_of_devices_are_the_whole(log: pl.DataFrame, tmp_path: Path) -> None:
    """What workers of a cluster compute is what one process does."""
    place = tmp_path / "log.parquet"
    log.write_parquet(place)
    jobs = shares([place], measures.read_detectors(made_detectors()), calculation(ALL), devices_each=1)
    assert [job.devices for job in jobs] == [(1,), (2,), (3,)]
    assert same(gathered([do_share(job) for job in jobs]), measures.compute(place, made_detectors(), ALL))


def test_green_yellow_and_red_fill_the_span(log: pl.DataFrame) -> None:
    """Of each phase from its first green to its last: greens to 8, yellows to 10, reds to 1."""
    for (_, _), signals in log.filter(pl.col("EventId").is_in([1, 8, 10])).group_by("DeviceId", "Parameter"):
        times = signals.sort("TimeStamp", "EventId")
        greens = times.filter(pl.col("EventId") == 1)
        part = times.filter(
            pl.col("TimeStamp").is_between(greens["TimeStamp"].min(), greens["TimeStamp"].max())
        )
        spans = part.with_columns((pl.col("TimeStamp").shift(-1) - pl.col("TimeStamp")).alias("span"))
        total = spans["span"].sum()
        assert total == greens["TimeStamp"].max() - greens["TimeStamp"].min()  # type: ignore[operator]


def test_only_complete_bins_remain_where_that_is_asked(log: pl.DataFrame) -> None:
    """Rows of bins that has_data does not name are gone, and no other."""
    fourth = log["TimeStamp"].dt.truncate("10m").unique().sort()[4]
    silent = log.filter(pl.col("TimeStamp").dt.truncate("10m") != fourth)
    rows = measures.compute(silent, made_detectors(), ALL)
    kept = measures.compute(silent, made_detectors(), ALL, remove_incomplete=True)
    for name in ALL:
        if measures.measure(name).complete:
            expected = rows[name].join(rows["has_data"], on=["timestamp", "device_id"], how="semi")
            assert kept[name].height < rows[name].height or name in ONLY_WITH_DATA
            assert kept[name].equals(expected), name
        else:
            assert kept[name].equals(rows[name]), name

"""The event log of a run: complete, in order, and read by an analyst's tool that knows nothing of us."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import defusedxml.ElementTree
import polars as pl
import pytest

from greensplit.engine.model.site import DetectorKind, GroupKind, Junction, Site
from greensplit.engine.store.logfile import read_log
from greensplit.sim.closed_loop import close_the_loop
from greensplit.sim.evaluate import read_tables, summarise_run, write_run
from greensplit.sim.prepare import prepare
from greensplit.sim.recording import record_run
from greensplit.sim.spec import RunSpec
from greensplit.sim.sumo import Simulator

SCHEMA = {
    "timestamp": pl.Datetime("ms", "UTC"),
    "device_id": pl.UInt32,
    "event_id": pl.UInt16,
    "parameter": pl.UInt16,
}
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
BEGIN_S, END_S = 57_600, 59_400
SERVICE = re.compile("(0 1 (4 |5 |6 )7 8 9 10 11 12 )*(0 1 )?((4 |5 |6 )7 8 )?(9 10 )?")
# one deployed program goes from yellow back to green, and walks again before the clearance is over
WATCHED = re.compile("((0 1 7 8 )+9 10 11 12 )*(0 1 7 8 )*(0 1 )?(9 10 )?")
WALKS = re.compile("((21 22 )+23 )*(21 22 )*(21 )?")


@dataclass(frozen=True)
class Logged:
    """A run directory, its model, and what was seen beside it: lamp strings per second and counts of loops."""

    site: Site
    folder: Path
    shown: dict[str, list[str]]
    entered: dict[str, int]

    @property
    def events(self) -> pl.DataFrame:
        """The log in its own order."""
        return read_log(self.folder).collect()


def count_vehicles(prepared: Any, path: Path) -> None:
    """Let SUMO write the counts of our loops, instead of nothing."""
    loops = prepared.folder / "loops.add.xml"
    loops.write_text(loops.read_text().replace('file="NUL"', f'file="{path}"'))


def logged(spec: RunSpec, folder: Path) -> Logged:
    """Runs with SUMO's own output of loops, and reads the lamps after every step."""
    (folder / "run").mkdir()
    prepared = prepare(spec, folder)
    count_vehicles(prepared, folder / "counts.xml")
    shown: dict[str, list[str]] = {junction.id: [] for junction in prepared.site.junctions}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulator, "step", watched_step(Simulator.step, shown))
        outcome = close_the_loop(prepared, lambda _: None)
    record = record_run(prepared, outcome)
    tables = read_tables(folder, record)
    summary = summarise_run(folder, record, tables) | {"wall_s": 0.0}
    write_run(folder, record, tables, summary, folder / "run")
    root = defusedxml.ElementTree.parse(folder / "counts.xml").getroot()
    entered = {e.attrib["id"]: int(e.attrib["nVehEntered"]) for e in root.iter("interval")}
    return Logged(prepared.site, folder / "run", shown, entered)


def watched_step(
    step: Callable[[Simulator], None], shown: dict[str, list[str]]
) -> Callable[[Simulator], None]:
    """SUMO's step, after which the lamps that it showed are noted."""

    def stepped(simulator: Simulator) -> None:
        step(simulator)
        for light, states in shown.items():
            states.append(simulator.api.trafficlight.getRedYellowGreenState(light))

    return stepped


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Logged:
    """Half an hour of Ingolstadt's seven junctions with crossings, under our controller."""
    spec = RunSpec("ingolstadt7-crossings", "lookahead", seed=1, begin_s=BEGIN_S, end_s=END_S)
    return logged(spec, tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Logged:
    """The same under the deployed programs, ten minutes."""
    spec = RunSpec("ingolstadt7-crossings", "fixed", seed=1, begin_s=BEGIN_S, end_s=BEGIN_S + 600)
    return logged(spec, tmp_path_factory.mktemp("watched"))


def kinds(site: Site, *, people: bool) -> Iterator[tuple[Junction, int, int]]:
    """Junction, group number and first lamp of all groups of that kind."""
    for junction in site.junctions:
        for group in junction.groups:
            if (group.kind is GroupKind.PEDESTRIAN) == people:
                yield junction, group.number, group.lamps[0]


def sequence(events: pl.DataFrame, device: int, parameter: int, codes: list[int]) -> str:
    """The events of one group in the log's order, as text."""
    rows = events.filter(
        (pl.col("device_id") == device) & (pl.col("parameter") == parameter) & pl.col("event_id").is_in(codes)
    )
    return "".join(f"{code} " for code in rows["event_id"])


def test_the_log_has_four_columns_in_files_by_date_and_block_sorted(ours: Logged) -> None:
    """Timestamps in ms of UTC from the epoch on, small unsigned integers, sorted by device and time."""
    files = list((ours.folder / "events").rglob("*.parquet"))
    assert [str(file.relative_to(ours.folder)) for file in files] == [
        "events/date=2024-01-01/block=0/events.parquet"
    ]
    frame = pl.read_parquet(files[0], hive_partitioning=False)
    assert dict(frame.schema) == SCHEMA
    assert frame.equals(frame.sort("device_id", "timestamp", maintain_order=True))
    assert frame["timestamp"].min() == EPOCH
    last_ms = (frame["timestamp"].max() - EPOCH).total_seconds() * 1000  # type: ignore[operator,union-attr]
    assert (END_S - BEGIN_S - 60) * 1000 < last_ms < (END_S - BEGIN_S) * 1000
    assert set(frame["device_id"]) == {junction.device_id for junction in ours.site.junctions}


def test_every_vehicle_group_passes_through_its_codes_in_order(ours: Logged) -> None:
    """On, green, why it ends, its end, yellow, its end, red clearance, its end, inactive; and again."""
    for junction, number, _ in kinds(ours.site, people=False):
        found = sequence(ours.events, junction.device_id, number, [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        assert SERVICE.fullmatch(found), (junction.id, number, found)


def test_watched_programs_give_the_same_codes_without_a_cause(watched: Logged) -> None:
    """Nobody knows why SUMO's own program ends a green."""
    for junction, number, _ in kinds(watched.site, people=False):
        found = sequence(watched.events, junction.device_id, number, [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        assert WATCHED.fullmatch(found), (junction.id, number, found)


@pytest.mark.parametrize("which", ["ours", "watched"])
def test_every_crossing_passes_from_walk_over_clearance_to_dont_walk(
    which: str, request: pytest.FixtureRequest
) -> None:
    """21, 22, 23; and each of them is somewhere in the log."""
    run: Logged = request.getfixturevalue(which)
    everything = ""
    for junction, number, _ in kinds(run.site, people=True):
        found = sequence(run.events, junction.device_id, number, [21, 22, 23])
        assert WALKS.fullmatch(found), (junction.id, number, found)
        everything += found
    assert everything.count("21 22 23") > 10


@pytest.mark.parametrize("which", ["ours", "watched"])
def test_the_log_tells_what_the_lamps_showed(which: str, request: pytest.FixtureRequest) -> None:
    """Begin of green and begin of yellow: the seconds at which SUMO's lamp strings first have them."""
    run: Logged = request.getfixturevalue(which)
    for junction, number, lamp in kinds(run.site, people=False):
        column = [state[lamp] for state in run.shown[junction.id]]
        for letters, code in (("Gg", 1), ("y", 8)):
            seen = [
                s for s, c in enumerate(column) if c in letters and (s == 0 or column[s - 1] not in letters)
            ]
            told = run.events.filter(
                (pl.col("device_id") == junction.device_id)
                & (pl.col("parameter") == number)
                & (pl.col("event_id") == code)
            )
            told_s = [(t - EPOCH).total_seconds() for t in told["timestamp"]]
            # the last second that SUMO showed is not in a watched log: it is seen one step late
            assert told_s == [float(s) for s in seen if s < len(column) - (which == "watched")]


def test_actuations_are_the_vehicles_that_sumo_counted(ours: Logged) -> None:
    """Advance loops, shorter than the gap between standing vehicles: on events are SUMO's entries."""
    told, counted = 0, 0
    for junction in ours.site.junctions:
        for detector in junction.detectors:
            if detector.kind is DetectorKind.ADVANCE:
                rows = ours.events.filter(
                    (pl.col("device_id") == junction.device_id) & (pl.col("parameter") == detector.channel)
                )
                on = rows.filter(pl.col("event_id") == 82).height
                off = rows.filter(pl.col("event_id") == 81).height
                assert 0 <= on - off <= 1
                # a vehicle that changes lane may enter while another is there; the last second is not read
                assert 0 <= ours.entered[detector.id] - on <= 1 + 0.05 * on
                told += on
                counted += ours.entered[detector.id]
    assert counted > 1000
    assert told == pytest.approx(counted, rel=0.005)


ATSPM = """
import sys, warnings
warnings.simplefilter("ignore")
from atspm import SignalDataProcessor
events, detectors, out = sys.argv[1:]
names = ["has_data", "actuations", "arrival_on_green", "split_failures", "terminations", "timeline"]
params = {
    "has_data": {"no_data_min": 5, "min_data_points": 3},
    "actuations": {"fill_in_missing": False},
    "arrival_on_green": {"latency_offset_seconds": 0},
    "split_failures": {
        "red_time": 5, "red_occupancy_threshold": 0.8, "green_occupancy_threshold": 0.8, "by_approach": True
    },
    "terminations": {},
    "timeline": {"maxtime": False, "min_duration": 0, "cushion_time": 0},
}
with SignalDataProcessor(
    raw_data=events, detector_config=detectors, bin_size=15, output_dir=out, output_format="parquet", verbose=0,
    output_to_separate_folders=False, aggregations=[{"name": name, "params": params[name]} for name in names],
) as processor:
    processor.load()
    processor.aggregate()
    processor.save()
"""


@pytest.fixture(scope="module")
def measures(ours: Logged, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """What the package atspm makes of our log and our list of detectors, without any change to them."""
    out = tmp_path_factory.mktemp("atspm")
    events = str(ours.folder / "events" / "**" / "*.parquet")
    command = [sys.executable, "-c", ATSPM, events, str(ours.folder / "detectors.csv"), str(out)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=dict(os.environ) | {"TZ": "UTC"},
    )
    assert done.returncode == 0, done.stderr
    return {path.stem: pl.read_parquet(path) for path in out.rglob("*.parquet")}


def test_atspm_counts_the_same_actuations(ours: Logged, measures: dict[str, pl.DataFrame]) -> None:
    """Per quarter of an hour, device and detector, against a count of the log in plain Python."""
    expected: dict[tuple[datetime, int, int], int] = {}
    for timestamp, device, code, channel in ours.events.iter_rows():
        if code == 82:
            bin_start = timestamp.replace(minute=timestamp.minute // 15 * 15, second=0, microsecond=0)
            key = (bin_start.replace(tzinfo=None), device, channel)
            expected[key] = expected.get(key, 0) + 1
    rows = measures["actuations"].select("TimeStamp", "DeviceId", "Detector", "Total").iter_rows()
    assert {(t, device, detector): total for t, device, detector, total in rows} == expected


def test_atspm_finds_the_greens_that_the_lamps_showed(
    ours: Logged, measures: dict[str, pl.DataFrame]
) -> None:
    """Number and total seconds of complete greens per group, from SUMO's lamp strings."""
    timeline = measures["timeline"].filter((pl.col("EventClass") == "Green") & pl.col("IsValid"))
    for junction, number, lamp in kinds(ours.site, people=False):
        column = "".join("G" if state[lamp] in "Gg" else "-" for state in ours.shown[junction.id])
        greens = [len(found) for found in re.findall("G+(?=-)", column)]
        rows = timeline.filter((pl.col("DeviceId") == junction.device_id) & (pl.col("EventValue") == number))
        assert rows.height == len(greens)
        assert rows["Duration"].sum() == pytest.approx(sum(greens))


def test_atspm_counts_one_cause_for_every_green_that_ended(
    ours: Logged, measures: dict[str, pl.DataFrame]
) -> None:
    """Gap-outs, max-outs and force-offs of a group together are its terminations."""
    totals = measures["terminations"].group_by("DeviceId", "Phase").agg(pl.col("Total").sum())
    found = {(device, phase): total for device, phase, total in totals.iter_rows()}
    ended = ours.events.filter(pl.col("event_id") == 7).group_by("device_id", "parameter").len()
    assert found == {(device, group): count for device, group, count in ended.iter_rows()}


def test_atspm_finds_arrivals_on_green_where_the_lamps_were_green(
    ours: Logged, measures: dict[str, pl.DataFrame]
) -> None:
    """Share of advance actuations in green, from on events and lamp strings, of groups with over 100 of them."""
    table = measures["arrival_on_green"].with_columns(
        on_green=pl.col("Total_Actuations") * pl.col("Percent_AOG")
    )
    totals = table.group_by("DeviceId", "Phase").agg(
        pl.col("Total_Actuations").sum(), pl.col("on_green").sum()
    )
    found = {(d, p): (total, green / total) for d, p, total, green in totals.iter_rows() if total > 100}
    assert len(found) > 10
    phases = {
        (device, channel): phase
        for device, phase, channel, function in pl.read_csv(ours.folder / "detectors.csv")
        .select("DeviceId", "Phase", "Parameter", "Function")
        .iter_rows()
        if function == "Advance"
    }
    arrivals: dict[tuple[int, int], list[bool]] = {}
    junctions = {junction.device_id: junction for junction in ours.site.junctions}
    for timestamp, device, code, channel in ours.events.iter_rows():
        if code == 82 and (device, channel) in phases:
            phase = phases[device, channel]
            second = int((timestamp - EPOCH).total_seconds())
            lamp = junctions[device].groups[phase - 1].lamps[0]
            arrivals.setdefault((device, phase), []).append(
                ours.shown[junctions[device].id][second][lamp] in "Gg"
            )
    for key, (_, share) in found.items():
        # atspm leaves out what came before the first green and after the last
        assert share == pytest.approx(sum(arrivals[key]) / len(arrivals[key]), abs=0.03)


def test_every_detector_has_one_phase_in_the_list_for_analysts(
    ours: Logged, measures: dict[str, pl.DataFrame]
) -> None:
    """Tools pair on and off per detector: a second phase would double both; split failures come out as shares."""
    table = pl.read_csv(ours.folder / "detectors.csv")
    assert table.select("DeviceId", "Parameter").is_unique().all()
    failures = measures["split_failures"]
    assert failures.height > 10
    for column in ("Green_Occupancy", "Red_Occupancy"):
        # not a number where a detector had told nothing yet; 1 where somebody stood there all the time
        shares = failures[column].drop_nans()
        assert shares.is_between(0.0, 1.0).all()
        assert shares.is_between(0.0, 1.0, closed="none").mean() > 0.25
    assert failures["Green_Occupancy"].is_not_nan().sum() > 0.85 * failures.height

"""The page as a whole: what it says, that it is self-contained and safe, and what it does without files."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from greensplit.engine.analytics.report import render_report
from greensplit.engine.errors import InputError, OutputError
from greensplit.engine.store.decisions import DECISION_SCHEMA

MakeRun = Callable[..., Path]
HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"'&"


class Outline(HTMLParser):
    """Tags with their attributes, the text of scripts, and the text that people read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.words += data + " "

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page(tmp_path: Path, bundle_cache: Path) -> Callable[..., Outline]:
    """Renders run directories and reads the page back."""

    def render(*runs: Path, **options: Any) -> Outline:
        out = tmp_path / "report.html"
        render_report(runs, out, bundle_cache=bundle_cache, **options)
        return Outline(out.read_text(encoding="utf-8"))

    return render


def data_of(outline: Outline) -> dict[str, Any]:
    """The data block that the charts draw."""
    value: dict[str, Any] = json.loads(outline.scripts[0])
    return value


def test_two_controllers_are_told_apart_in_one_sentence(
    make_run: MakeRun, page: Callable[..., Outline]
) -> None:
    """60 s under fixed and 45 s under another controller is a cut by a quarter."""
    words = page(make_run("a", "fixed", delay_s=60.0), make_run("b", "greensplit", delay_s=45.0)).words
    assert (
        "greensplit cut the corrected delay by 25 % against fixed: 45.0 s instead of 60.0 s per vehicle"
        in words
    )
    assert "−25 % (better) vs fixed" in words


def test_a_worse_controller_is_not_praised(make_run: MakeRun, page: Callable[..., Outline]) -> None:
    """60 s under fixed and 90 s under another controller is half as much again."""
    words = page(make_run("a", "fixed", delay_s=60.0), make_run("b", "rival", delay_s=90.0)).words
    assert "nothing did better than fixed; rival, the next, lost 50 % more" in words
    assert "+50 % (worse) vs fixed" in words


def test_seeds_are_averaged_and_counted(make_run: MakeRun, page: Callable[..., Outline]) -> None:
    """Delays 40 and 50 s have a mean of 45.0 s and a sample standard deviation of 7.1 s."""
    runs = [make_run("a1", "fixed", seed=1, delay_s=45.0), make_run("a2", "fixed", seed=2, delay_s=49.0)]
    runs += [
        make_run("b1", "greensplit", seed=1, delay_s=40.0),
        make_run("b2", "greensplit", seed=2, delay_s=50.0),
    ]
    words = page(*runs).words
    assert "45.0 ±\u00a07.1" in words
    assert "better in 1 of 2 seeds" in words


def test_one_run_is_told_alone(make_run: MakeRun, page: Callable[..., Outline]) -> None:
    """A single run has numbers and no comparison."""
    words = page(make_run("a", "actuated", delay_s=40.0)).words
    assert "280 of 300 vehicles arrived under actuated; a vehicle lost 40.0 s and stopped 1.00 times" in words
    assert "vs fixed" not in words


def test_the_page_needs_no_network(make_run: MakeRun, page: Callable[..., Outline]) -> None:
    """No element names another file, and the policy forbids loading any."""
    outline = page(make_run("a"))
    assert [a for _, a in outline.tags if "src" in a or str(a.get("href", "#"))[0] != "#"] == []
    assert outline.of("link") == []
    assert "default-src 'none'" in str(outline.of("meta")[1]["content"])


def test_the_policy_allows_exactly_the_scripts_of_the_page(
    make_run: MakeRun, page: Callable[..., Outline]
) -> None:
    """The two running scripts are named by their digest, so that no injected one would run."""
    outline = page(make_run("a"))
    policy = str(outline.of("meta")[1]["content"])
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in outline.scripts[1:]]
    assert len(digests) == 2
    assert re.findall(r"'sha256-([^']+)'", policy) == digests
    assert "unsafe" not in policy.split("script-src")[1]


def test_hostile_names_stay_text_everywhere(make_run: MakeRun, page: Callable[..., Outline]) -> None:
    """Markup in scenario, controller, junction, reason and version names makes no element and no script."""
    meta = {"vision": HOSTILE, "assumptions": [HOSTILE], "versions": {HOSTILE: HOSTILE}}
    run = make_run("a", HOSTILE, scenario=HOSTILE, street=HOSTILE, reason=HOSTILE, meta=meta)
    outline = page(run, title=HOSTILE)
    assert outline.of("img") == []
    assert len(outline.of("script")) == 3
    assert not [a for _, a in outline.tags if any(key.startswith("on") for key in a)]
    assert HOSTILE in outline.words
    assert f"{HOSTILE} 1 · side street" in data_of(outline)["data"]["approaches"]["levels"]["approach"]


def test_every_chart_has_a_place_and_words_for_those_who_cannot_see_it(
    make_run: MakeRun, page: Callable[..., Outline]
) -> None:
    """Each chart of the data block has one element with its id, role img and a label."""
    outline = page(make_run("a", "fixed"), make_run("b", "greensplit"))
    places = {a["id"]: a for a in outline.of("div") if a.get("role") == "img"}
    charts = data_of(outline)["charts"]
    assert [chart["id"] for chart in charts] == list(places)
    assert len(charts) == 2 + 1 + 4 * 2
    assert all(
        place["aria-label"] == chart["spec"]["description"]
        for place, chart in zip(places.values(), charts, strict=True)
    )


def test_every_dataset_a_chart_names_is_there_once(make_run: MakeRun, page: Callable[..., Outline]) -> None:
    """Charts refer to named data; none carries values of its own."""
    block = data_of(page(make_run("a", "fixed"), make_run("b", "greensplit")))
    text = json.dumps(block["charts"])
    assert set(re.findall(r'"data": \{"name": "(\w+)"\}', text)) == set(block["data"])
    assert '"values": [{' not in text


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("trips.parquet", ""),
        ("links.parquet", "the runs have no links.parquet, or network.json names no approaches."),
        ("network.json", "the runs have no network.json with edge shapes"),
        ("events/date=2024-01-01/block.parquet", "the runs have no event log"),
        ("corridor.parquet", "no trajectories recorded"),
        ("decisions.parquet", "no run recorded decisions"),
    ],
)
def test_a_missing_file_is_said_and_the_rest_is_shown(
    make_run: MakeRun, page: Callable[..., Outline], file: str, reason: str
) -> None:
    """Without one of its optional files the page still has all seven sections."""
    outline = page(make_run("a", without=(file,)))
    assert reason in outline.words
    assert len(outline.of("section")) == 7


def test_a_run_with_nothing_but_its_summary_is_still_reported(
    make_run: MakeRun, page: Callable[..., Outline]
) -> None:
    """Numbers need run.json and summary.json only."""
    files = ("trips.parquet", "links.parquet", "network.json", "corridor.parquet", "decisions.parquet")
    outline = page(make_run("a", without=(*files, "events/date=2024-01-01/block.parquet")))
    assert "60.0" in outline.words
    assert data_of(outline)["charts"] == []


def test_a_run_without_vehicles_or_numbers_is_still_reported(
    make_run: MakeRun, page: Callable[..., Outline]
) -> None:
    """A summary of nulls shows dashes."""
    nothing = dict.fromkeys(("corrected_delay_s", "speed_kmh", "stops", "arrived", "never_departed"))
    assert "– s per vehicle" in re.sub(r"\s+", " ", page(make_run("a", summary=nothing)).words)


def test_trouble_is_put_on_top(make_run: MakeRun, page: Callable[..., Outline]) -> None:
    """Gridlock, collisions and a cut-short run are warnings."""
    words = page(make_run("a", meta={"partial": True}, summary={"gridlock": True, "collisions": 3})).words
    assert "Cut short before the end: fixed (1 of 1 run)." in words
    assert "Gridlock: fixed (1 of 1 run)." in words
    assert "Collisions: fixed 3 in 1 run." in words


def test_runs_that_differ_in_vision_are_not_averaged(make_run: MakeRun, page: Callable[..., Outline]) -> None:
    """The same controller with other sensors is another line of the comparison."""
    words = page(
        make_run("a", "max", meta={"vision": "loops"}), make_run("b", "max", meta={"vision": "full"})
    ).words
    assert "max (vision loops)" in words
    assert "max (vision full)" in words


def test_the_footer_repeats_the_run(make_run: MakeRun, page: Callable[..., Outline]) -> None:
    """The command line names scenario, controller, seed, vision, scale and times."""
    words = page(make_run("a", "actuated", seed=5)).words
    assert "greensplit run arterial3 --controller actuated --seed 5 --vision loops --scale 1.0" in words
    assert "--begin 25200 --end 26400" in words


def test_runs_of_several_scenarios_are_refused(make_run: MakeRun, page: Callable[..., Outline]) -> None:
    """Their delays are not comparable."""
    with pytest.raises(InputError, match="runs of one scenario, found arterial3, grid"):
        page(make_run("a"), make_run("b", scenario="grid"))


def test_what_is_no_run_directory_is_refused_by_name(tmp_path: Path, page: Callable[..., Outline]) -> None:
    """The message names the file that was looked for."""
    with pytest.raises(InputError, match=r"expected a run directory with run\.json.*nowhere"):
        page(tmp_path / "nowhere")


def test_a_broken_summary_is_refused_by_name(make_run: MakeRun, page: Callable[..., Outline]) -> None:
    """Half-written JSON is bad input, not a stack trace."""
    run = make_run("a")
    (run / "summary.json").write_text('{"arrived":', encoding="utf-8")
    with pytest.raises(InputError, match=r"expected JSON.*summary\.json"):
        page(run)


def test_a_failed_write_leaves_the_old_report(make_run: MakeRun, tmp_path: Path, bundle_cache: Path) -> None:
    """A folder in the way is an OutputError, and no partial file stays behind."""
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError):
        render_report([make_run("a")], tmp_path / "report.html", bundle_cache=bundle_cache)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "runs"]


def test_an_hour_at_21_junctions_stays_small(make_run: MakeRun, tmp_path: Path, bundle_cache: Path) -> None:
    """The page of a large run is under 4 MB, most of it the chart library."""
    out = tmp_path / "report.html"
    render_report([make_run("a", junctions=21, end_s=25200 + 3600)], out, bundle_cache=bundle_cache)
    assert out.stat().st_size < 4_000_000


def test_the_same_runs_give_the_same_bytes(make_run: MakeRun, tmp_path: Path, bundle_cache: Path) -> None:
    """Nothing in the page depends on the clock or on the order of a hash."""
    run, files = make_run("a"), [tmp_path / "1.html", tmp_path / "2.html"]
    for out in files:
        render_report([run], out, bundle_cache=bundle_cache)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_rendering_loads_no_chart_library_into_the_process(
    make_run: MakeRun, tmp_path: Path, bundle_cache: Path
) -> None:
    """The converter (150 MB) works in a process of its own, and drawing a junction does without polars."""
    script = """
import sys
from pathlib import Path
from greensplit.engine.analytics.report import drawing, render_report
assert "polars" not in sys.modules
run, out, cache = map(Path, sys.argv[1:])
render_report([run], out, bundle_cache=cache)
assert not {"vl_convert", "altair"} & set(sys.modules)
"""
    places = [make_run("a"), tmp_path / "r.html", bundle_cache]
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, places)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0


def test_reasons_are_counted_with_what_the_runner_up_would_have_cost(
    make_run: MakeRun, page: Callable[..., Outline]
) -> None:
    """Thirty decisions in 1200 s: of each three a switch and a hold by value, then one that overrode it.

    By value: from 100 and 140 at 0 s to 1220 and 1260 at 1120 s, so 660 in the mean and 40 worse for the runner-up.
    Overridden: 40 better. Half the time both loops worked.
    """
    words = re.sub(r"\s+", " ", page(make_run("a", "best", reason="least delay")).words)
    assert (
        "30 decisions of 3 junctions. Each weighed the stages by delay, vehicle seconds, where less" in words
    )
    assert "reason holds changes mean value runner-up worse by least delay 10 10 660 700 40.0" in words
    assert "red for too long 0 10 720 680 −40.0" in words
    assert "both loops 15 50 %" in words
    assert "Market Street 1: 4 holds, 8 changes" in words


def replaced_decisions(run: Path, rows: list[tuple[object, ...]]) -> Path:
    """A run whose decisions are these: device, from, to, kind, and the values of A and B; one a second, by value."""
    table = [
        (
            datetime(2024, 1, 1, 7, 0, second, tzinfo=UTC),
            *(device, start, end, kind, "least delay", None),
            *((a, "B", b) if end == "A" else (b, "A", a)),
            ["A", "B"],
            [a, b],
        )
        for second, (device, start, end, kind, a, b) in enumerate(rows)
    ]
    frame = pl.DataFrame(table, schema=DECISION_SCHEMA, orient="row")
    frame.write_parquet(run / "decisions.parquet")
    return run


def test_the_stages_of_a_junction_are_told_with_their_worth(
    make_run: MakeRun, page: Callable[..., Outline]
) -> None:
    """A held at 10 against 14, left at 40 for B at 20, B held at 4 against 6.

    The runner-up is worse by 4, 20 and 2, in the mean 26 / 3; A was worth 10 when chosen and 23 when turned down.
    """
    rows = [
        (1, "A", "A", "hold", 10.0, 14.0),
        (1, "A", "B", "switch", 40.0, 20.0),
        (1, "B", "B", "hold", 6.0, 4.0),
    ]
    words = re.sub(r"\s+", " ", page(replaced_decisions(make_run("a", junctions=1), rows)).words)
    assert "least delay 2 1 11.3 20.0 8.67" in words
    assert "B 3 side street 3 2 12.0 14.0" in words
    assert "A 1 (2) arterial through, (left) 3 1 10.0 23.0" in words
    assert "07:00:01 A → B least delay 20.0 A: 40.0 20.0 A 40.0, B 20.0" in words
    assert "Modes that it worked in" not in words


def test_junctions_that_only_held_are_the_last_to_be_told(
    make_run: MakeRun, page: Callable[..., Outline]
) -> None:
    """Twenty-five junctions: the first held three times, all others changed once."""
    rows: list[tuple[object, ...]] = [(1, "A", "A", "hold", 1.0, 2.0)] * 3
    rows += [(device, "A", "B", "switch", 2.0, 1.0) for device in range(2, 26)]
    words = page(replaced_decisions(make_run("a", junctions=25), rows)).words
    assert "Market Street 1: 3 holds" not in words
    assert "Market Street 25: 0 holds, 1 change" in words


def test_a_controller_that_never_changed_a_stage_has_reasons_but_no_picture(
    make_run: MakeRun, page: Callable[..., Outline]
) -> None:
    """Nothing to draw is no error."""
    run = make_run("a")
    table = pl.read_parquet(run / "decisions.parquet")
    table.filter(pl.col("kind") == "hold").write_parquet(run / "decisions.parquet")
    outline = page(run)
    assert "Market Street 1: 4 holds, 0 changes" in outline.words
    assert "reasons" not in data_of(outline)["data"]


def test_of_many_junctions_those_with_most_changes_are_told_one_by_one(
    make_run: MakeRun, page: Callable[..., Outline]
) -> None:
    """Thirty junctions, twenty-four told; the page says how to read the others."""
    outline = page(make_run("a", junctions=30, end_s=25200 + 3600))
    assert outline.words.count("what its stages were worth") == 24
    assert "Not told one by one: 6 junctions" in outline.words

"""The command line as people use it: in a process of its own, judged by output, exit code and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import greensplit

KEYS = {
    "scenario", "controller", "vision", "profile", "seed", "demand_seed", "scale", "scheduled", "departed", "arrived",
    "never_departed", "corrected_delay_s", "trip_time_s", "waiting_s", "stops", "speed_kmh", "collisions", "gridlock",
    "interlock_refusals", "would_refuse", "fuel_l", "co2_kg", "wall_s", "simulator_s", "peak_mb", "versions",
}  # fmt: skip
WINDOW = ("--begin", "25200", "--end", "25500")


def test_run_prints_a_summary_with_every_key_and_leaves_a_whole_directory(tmp_path: Path) -> None:
    """``run --json`` prints one object; the directory has all its parts and no leftovers beside it."""
    done = greensplit("run", "cologne1", *WINDOW, "--json", "--out", "made/one", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert set(summary) >= KEYS
    assert summary["controller"] == "lookahead"
    out = tmp_path / "made" / "one"
    assert json.loads((out / "summary.json").read_text()) == summary
    names = {path.name for path in out.iterdir()}
    assert names >= {"run.json", "events", "trips.parquet", "decisions.parquet", "report.html", "model.toml"}
    assert [path.name for path in out.parent.iterdir()] == ["one"]


def test_run_tells_a_person_the_figures(tmp_path: Path) -> None:
    """Without --json the summary is words, and --out is not needed."""
    done = greensplit("run", "cologne1", "-c", "fixed", *WINDOW, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "corrected delay" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "nowhere"), ("nowhere", "cologne1")),
        (("run",), ("expected a scenario",)),
        (("run", "cologne1", "-c", "gredy"), ("greedy", "gredy")),
        (("run", "cologne1", "--vision", "perfekt"), ("perfekt",)),
        (("run", "cologne1", "-c", "greedy", "--vision", "detectors"), ("perfect",)),
        (("run", "cologne1", "--begin", "9", "--end", "3"), ("begin before end",)),
        (("run", "cologne1", "--scale", "-1"), ("scale",)),
        (("run", "cologne1", "--profile", "R9"), ("R9",)),
        (("run", "arterial", "-p", "junctions"), ("NAME=VALUE",)),
        (("run", "missing.sumocfg"), ("missing.sumocfg",)),
        (("run", "cologne1", "--model", "none.toml"), ("none.toml",)),
        (("scenarios", "show", "cologne1", "-j", "elsewhere"), ("elsewhere",)),
        (("run", "cologne3", "--explain", "36008"), ("360082", "360086", "found 36008")),
        (("run", "cologne1", "--explain", "1", "--explain-from", "noon"), ("--explain-from", "noon")),
        (("run", "cologne1", "--explain-last", "3"), ("--explain JUNCTION",)),
        (("explain", "empty", "1"), ("empty",)),
        (("explain", "empty", "1", "--from", "9", "--to", "8"), ("--from", "--to", "9")),
        (("explain", "empty", "1", "--last", "-2"), ("--last", "-2")),
        (("report", "empty"), ("empty",)),
        (("compare", "cologne1", "--seeds", "9-x"), ("9-x",)),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
) -> None:
    """The line names what was found; nothing is written."""
    done = greensplit(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("greensplit: ")
    assert all(word in lines[0] for word in words), lines[0]
    assert list(tmp_path.iterdir()) == []


def test_a_run_explains_a_junction_and_its_directory_does_so_again(tmp_path: Path) -> None:
    """The account follows the figures; ``explain`` tells the same words of the directory, and any part of them."""
    done = greensplit("run", "cologne1", *WINDOW, "--explain", "1", "-o", "one", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    figures, account = done.stdout.split("\n\n", 1)
    assert "corrected delay" in figures
    assert "stages are weighed by" in account
    assert " held for " in account
    assert " -> " in account
    again = greensplit("explain", "one", "GS_cluster_357187_359543", cwd=tmp_path)
    assert again.stdout == account
    part = greensplit("explain", "one", "1", "--from", "7:02:00", "--to", "25380", cwd=tmp_path)
    told = [line for line in part.stdout.splitlines() if line.startswith("07:")]
    assert told
    assert all("07:02:00" <= line[:8] <= "07:03:00" for line in told)


def test_an_explanation_needs_no_run_directory_and_goes_into_the_json(tmp_path: Path) -> None:
    """Nothing is left behind; a program that decides nothing has nothing to explain, and says so."""
    arguments = ("cologne1", "-c", "fixed", *WINDOW, "--explain", "1", "--json")
    done = greensplit("run", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no decisions" in json.loads(done.stdout)["explanation"][1]
    assert list(tmp_path.iterdir()) == []


def test_a_run_directory_that_exists_is_left_alone(tmp_path: Path) -> None:
    """Exit code 2, and the file in it stays as it was."""
    out = tmp_path / "kept"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    done = greensplit("run", "cologne1", "--out", "kept", cwd=tmp_path)
    assert done.returncode == 2
    assert "kept" in done.stderr
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


def test_scenarios_lists_size_source_and_licence(tmp_path: Path) -> None:
    """All eight RESCO networks, their crossings, and the two generated ones."""
    done = greensplit("scenarios", "--json", cwd=tmp_path)
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert {"cologne1", "ingolstadt21", "grid4x4", "cologne1-crossings", "arterial", "grid"} <= set(rows)
    assert rows["cologne1"]["junctions"] == 1
    assert rows["cologne1"]["scheduled_veh"] == 2015
    assert rows["ingolstadt21"]["junctions"] == 21
    assert all(row["licence"] and row["source"] for row in rows.values())


def test_scenarios_show_says_what_it_found_and_draws_it(tmp_path: Path) -> None:
    """Groups, stages and conflicts of cologne1 in words; drawings and the model in the folder."""
    done = greensplit("scenarios", "show", "cologne1", "--out", "drawn", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "from east: left" in done.stdout
    assert "16 conflicts" in done.stdout
    assert "assumed" in done.stdout
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == {
        "network.svg",
        "junction-1.svg",
        "model.toml",
    }
    assert (tmp_path / "drawn" / "junction-1.svg").read_text().startswith("<svg")


def test_report_joins_two_runs(tmp_path: Path) -> None:
    """One HTML file from two run directories names both controllers."""
    for controller in ("fixed", "lookahead"):
        done = greensplit("run", "cologne1", "-c", controller, *WINDOW, "-o", controller, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    done = greensplit("report", "fixed", "lookahead", "-o", "both.html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "both.html").read_text(encoding="utf-8")
    assert "lookahead" in page
    assert "fixed" in page

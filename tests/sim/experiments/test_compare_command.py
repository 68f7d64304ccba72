"""``greensplit compare`` as people type it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from greensplit.cli.__main__ import main

COMMAND = [sys.executable, "-m", "greensplit.cli", "compare"]
SHORT = ["--begin", "25200", "--end", "25260"]


@dataclass(frozen=True)
class Done:
    """What the command left: exit code and both streams."""

    returncode: int
    stdout: str
    stderr: str


Compare = Callable[..., Done]


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Compare:
    """Runs the command in an empty folder; its workers are processes of their own."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["greensplit", "compare", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        streams = capfd.readouterr()
        return Done(int(ended.value.code or 0), streams.out, streams.err)

    return call


def test_json_has_rows_and_aggregates_and_nothing_else_on_standard_output(compare: Compare) -> None:
    """Two controllers, two seeds, a minute: four rows in order, two lines, the second against the first."""
    done = compare("cologne1", "-c", "fixed,actuated", "--seeds", "3,5", "--json", *SHORT)
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert [(row["controller"], row["seed"]) for row in told["rows"]] == [
        ("fixed", 3),
        ("fixed", 5),
        ("actuated", 3),
        ("actuated", 5),
    ]
    assert [line["controller"] for line in told["aggregates"]] == ["fixed", "actuated"]
    mean_s = (told["rows"][2]["corrected_delay_s"] + told["rows"][3]["corrected_delay_s"]) / 2
    assert told["aggregates"][1]["delay_mean_s"] == pytest.approx(mean_s)
    assert (told["errors"], told["partial"]) == ([], False)


def test_progress_goes_to_the_error_stream_line_by_line(compare: Compare) -> None:
    """Without a terminal there is a line for each finished run, and the table is on standard output."""
    done = compare("cologne1", "-c", "fixed", "--seeds", "0-1", "--jobs", "1", *SHORT)
    assert done.stderr == "1 of 2: cologne1, fixed, seed 0\n2 of 2: cologne1, fixed, seed 1\n"
    assert "cologne1: corrected delay" in done.stdout


def test_reports_of_several_scenarios_carry_their_names(compare: Compare, tmp_path: Path) -> None:
    """a.html becomes a-cologne1.html and a-cologne3.html; run directories appear only with --out."""
    done = compare("cologne1", "cologne3", "-c", "fixed,actuated", "--seeds", "0", "--html", "a.html", *SHORT)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-cologne1.html", "a-cologne3.html"]
    for scenario, other in (("cologne1", "cologne3"), ("cologne3", "cologne1")):
        text = (tmp_path / f"a-{scenario}.html").read_text()
        assert scenario in text
        assert f">{other}<" not in text


def test_run_directories_lie_by_scenario_controller_and_seeds(compare: Compare, tmp_path: Path) -> None:
    """Demand seeds are in the name, the report is one file under the name that was asked for."""
    options = ["--seeds", "4", "--demand-seeds", "7,8", "--out", "runs", "--html", "report/a.html"]
    done = compare("cologne1", "-c", "fixed", *options, *SHORT)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs/cologne1/fixed"
    assert sorted(path.name for path in folder.iterdir()) == ["seed-4-demand7", "seed-4-demand8"]
    assert json.loads((folder / "seed-4-demand8/run.json").read_text())["demand_seed"] == 8
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["cologne1"]
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["a.html"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cologne1", "-c", "fixed,nothing"], "greensplit: controller: expected one of"),
        (["cologne9"], "greensplit: cologne9: expected the name of a scenario"),
        (["cologne1", "--seeds", "5-2"], "greensplit: --seeds: expected a range that goes up, found 5-2"),
        (["cologne1", "--jobs", "-1"], "greensplit: --jobs: expected 0 or more, found -1"),
        (
            ["cologne1", "--jobs", "2", "--cluster", "tcp://x:1"],
            "greensplit: --jobs: expected without --cluster",
        ),
        (["cologne1", "--html", "."], "greensplit: --html: expected a file, found a folder"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    compare: Compare, arguments: list[str], message: str
) -> None:
    """Nothing runs and standard output stays empty."""
    done = compare(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


def test_runs_that_fail_leave_the_others_on_the_table(compare: Compare) -> None:
    """Parameters fit arterial, not cologne1: its run is an error in words, the other's figures are there."""
    options = ["-p", "junctions=1", "-p", "duration_s=60", "-c", "fixed", "--seeds", "0", "--json"]
    done = compare("arterial", "cologne1", *options)
    told = json.loads(done.stdout)
    assert done.returncode == 2
    assert [row["scenario"] for row in told["rows"]] == ["arterial"]
    assert told["partial"] is True
    assert told["errors"][0]["run"] == "cologne1, fixed, seed 0"
    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        "greensplit: 1 of 2 runs failed, the first (cologne1, fixed, seed 0): cologne1: expected no"
    )


def _started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A long comparison that has finished its first run."""
    process = subprocess.Popen(
        [*COMMAND, "cologne1", "-c", "fixed", "--seeds", "0-999", "--jobs", "2", "--out", "runs", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=dict(os.environ),
        start_new_session=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("1 of 1000: cologne1, fixed")
    return process


def _session_is_empty(session: int) -> bool:
    """Whether every process of it ends within five seconds."""
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("whole_group", [True, False], ids=["as a terminal does", "to the command alone"])
def test_ctrl_c_reports_what_is_finished(tmp_path: Path, whole_group: bool) -> None:
    """Within seconds: the finished runs as JSON, marked as partial, one line, exit code 1, no process left."""
    process = _started(tmp_path, "--json", *SHORT)
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    told = json.loads(output)
    assert process.returncode == 1
    assert told["partial"] is True
    assert 1 <= len(told["rows"]) < 1000
    assert not any(row["partial"] for row in told["rows"])
    assert errors.splitlines()[-1] == (
        f"greensplit: interrupted: expected 1000 runs, finished {len(told['rows'])}"
    )
    assert "Traceback" not in errors
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["cologne1"]
    assert _session_is_empty(process.pid)


def test_workers_end_with_a_command_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL to the command leaves no process behind."""
    process = _started(tmp_path, *SHORT)
    process.kill()
    process.communicate(timeout=30)
    assert _session_is_empty(process.pid)

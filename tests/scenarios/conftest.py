"""What the scenario tests share: a cache for what netconvert builds, a small network, a way to run SUMO."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import pytest

from greensplit.scenarios.base import Scenario
from greensplit.scenarios.generated import ArterialConfig, load_arterial
from greensplit.scenarios.tools import sumo_binary, sumo_environment
from greensplit.scenarios.user import from_files

RunSumo = Callable[..., Element]
MakeScenario = Callable[..., Scenario]


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for the whole session, so that every network is built once."""
    return tmp_path_factory.mktemp("scenario-cache")


@pytest.fixture(scope="session")
def crossroads(cache_dir: Path) -> Scenario:
    """One generated junction, ten minutes: west0, east0, south0 and north0 around r0c0."""
    return load_arterial(ArterialConfig(junctions=1, duration_s=600), cache_dir=cache_dir)


@pytest.fixture
def make_scenario(crossroads: Scenario, tmp_path: Path) -> MakeScenario:
    """Makes a scenario on the crossroads from the text inside <routes> and that inside <additional>."""

    def make(routes: str, additional: str = "", *, begin_s: int = 0, end_s: int | None = 3600) -> Scenario:
        route_file = tmp_path / "some.rou.xml"
        route_file.write_text(f"<routes>{routes}</routes>")
        additional_file = tmp_path / "some.add.xml"
        additional_file.write_text(f"<additional>{additional}</additional>")
        return from_files(crossroads.net_file, [route_file], [additional_file], begin_s, end_s)

    return make


@pytest.fixture
def run_sumo(tmp_path: Path) -> RunSumo:
    """Runs SUMO on a scenario; the root of its statistics, of which no warning may be part."""

    def run(scenario: Scenario, *options: str, seconds: int | None = None) -> Element:
        statistics = tmp_path / "statistics.xml"
        end_s = scenario.end_s if seconds is None else scenario.begin_s + seconds
        command = [
            str(sumo_binary("sumo")),
            f"--net-file={scenario.net_file}",
            f"--route-files={','.join(map(str, scenario.route_files))}",
            f"--begin={scenario.begin_s}",
            f"--end={end_s}",
            "--time-to-teleport=-1",
            "--no-step-log",
            "--duration-log.statistics",
            f"--statistic-output={statistics}",
            *options,
        ]
        if scenario.additional_files:
            command.append(f"--additional-files={','.join(map(str, scenario.additional_files))}")
        env = sumo_environment()
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        root: Element = defusedxml.ElementTree.parse(statistics).getroot()
        return root

    return run


@pytest.fixture(scope="session")
def crossing_faults() -> Callable[[Path], tuple[int, list[str]]]:
    """The independent checker of pedestrian greens."""
    spec = importlib.util.spec_from_file_location("signal_check", Path(__file__).with_name("signal_check.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    checker: Callable[[Path], tuple[int, list[str]]] = module.crossing_faults
    return checker

"""What the tests of the simulation share: the closed loop in a folder that stays, and small networks of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from greensplit.scenarios.tools import run_netconvert
from greensplit.sim.closed_loop import Outcome, close_the_loop
from greensplit.sim.evaluate import measured_trips, read_scheduled
from greensplit.sim.prepare import Prepared, prepare
from greensplit.sim.recording import record_run
from greensplit.sim.spec import RunSpec

CloseLoop = Callable[..., "Closed"]
BuildNet = Callable[..., Path]
NODES = (
    '<node id="a" x="-300" y="0"/><node id="b" x="600" y="0"/><node id="d" x="300" y="300"/>'
    '<node id="m" x="0" y="0" type="traffic_light"/><node id="c" x="300" y="0" type="traffic_light"/>'
)
EDGES = "".join(
    f'<edge id="{pair}" from="{pair[0]}" to="{pair[1]}" numLanes="1" speed="13.9" sidewalkWidth="2"/>'
    for pair in ("am", "ma", "mc", "cm", "cb", "bc", "dc", "cd")
)
CONNECTIONS = (
    '<crossing node="m" edges="am ma" priority="true"/><crossing node="c" edges="dc cd" priority="true"/>'
)
CARS_AT_M = re.compile(r'(<connection from="(?:am|cm)"[^>]*?) tl="m" linkIndex="\d"')
WAYS = [("am", "cb"), ("am", "cd"), ("bc", "ma"), ("bc", "cd"), ("dc", "ma"), ("dc", "cb")]
CARS = "".join(f'<flow id="{a}-{b}" from="{a}" to="{b}" begin="0" end="200" number="10"/>' for a, b in WAYS)
PEOPLE = '<personFlow id="p" begin="0" end="200" number="8"><walk from="{}" to="{}"/></personFlow>'


@dataclass(frozen=True)
class Closed:
    """A run whose working folder was kept."""

    prepared: Prepared
    outcome: Outcome
    folder: Path

    def trips(self) -> pl.DataFrame:
        """One row per measured vehicle."""
        return measured_trips(self.folder, record_run(self.prepared, self.outcome))

    def scheduled(self) -> pl.DataFrame:
        """One row per scheduled vehicle."""
        return read_scheduled(self.folder)


def _close(spec: RunSpec, folder: Path) -> Closed:
    folder.mkdir(parents=True, exist_ok=True)
    prepared = prepare(spec, folder)
    return Closed(prepared, close_the_loop(prepared, lambda _: None), folder)


def _net(folder: Path, nodes: str, edges: str, connections: str = "", options: Sequence[str] = ()) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["--no-turnarounds", "true", *options]
    for kind, root, text in (("node", "nodes", nodes), ("edge", "edges", edges)):
        (folder / f"plain.{kind}.xml").write_text(f"<{root}>{text}</{root}>")
        arguments.append(f"--{kind}-files={folder / f'plain.{kind}.xml'}")
    if connections:
        (folder / "plain.con.xml").write_text(f"<connections>{connections}</connections>")
        arguments.append(f"--connection-files={folder / 'plain.con.xml'}")
    run_netconvert(arguments, folder / "net.xml")
    return folder / "net.xml"


@pytest.fixture(scope="session")
def close_loop() -> CloseLoop:
    """Runs a specification in a folder and keeps what SUMO wrote there."""
    return _close


@pytest.fixture(scope="session")
def build_net() -> BuildNet:
    """Builds a network from the text of its nodes, edges and connections with netconvert; the file's path."""
    return _net


@pytest.fixture(scope="session")
def town(build_net: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A light at a crossing only (m), and 300 m on a T junction with a light and a crossing (c)."""
    net = build_net(tmp_path_factory.mktemp("town"), NODES, EDGES, CONNECTIONS)
    text, freed = CARS_AT_M.subn(r"\1", net.read_text())
    assert freed == 2
    net.write_text(text)
    return net


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    """Sixty cars in 200 s on all ways, people over both crossings."""
    path = tmp_path / "routes.xml"
    people = PEOPLE.format("am", "ma") + PEOPLE.replace('"p"', '"q"').format("dc", "cd")
    path.write_text(f"<routes>{CARS}{people}</routes>")
    return path

"""What the tests of the simulation share: the closed loop in a folder that stays, and small networks of their own."""

from __future__ import annotations

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

"""``greensplit approve``: what it writes lets the controllers be driven, and nothing that differs is ever approved."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from greensplit.bridges.approval import Approval, read_approvals, write_approvals
from greensplit.bridges.base import BridgeSettings, LinkState
from greensplit.bridges.registry import find_bridge
from greensplit.engine.model.site import Site
from greensplit.engine.model.toml import write_site

from ..engine.kernels.sites import crossroads
from .command import greensplit

FIRST = crossroads().junctions[0]
SITE = Site("two", (FIRST, replace(FIRST, id="K", device_id=2)))
OTHER = Site("two", (FIRST, replace(FIRST, id="K", device_id=2, detectors=FIRST.detectors[:-1])))


@contextmanager
def _stand_ins(model: Path) -> Iterator[dict[str, str]]:
    """Controllers over UDP in a process of their own; where they are."""
    command = ["standin", "gbt20999", "--model", str(model), "--json", "--for", "120"]
    with subprocess.Popen(
        [sys.executable, "-m", "greensplit.cli", *command], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        try:
            yield json.loads(child.stdout.readline())
        finally:
            child.kill()


def test_an_engineer_approves_what_is_as_the_model_says(tmp_path: Path) -> None:
    """Shown first, then approved by name: J may be driven afterwards; K, which has another detector, is refused."""
    model, street = tmp_path / "model.toml", tmp_path / "street.toml"
    write_site(OTHER, model)
    write_site(SITE, street)
    write_approvals(tmp_path / "approvals.toml", {"elsewhere": Approval("a" * 64, "Eve")})
    with _stand_ins(street) as addresses:
        words = [word for name in addresses for word in ("--address", f"{name}={addresses[name]}")]
        command = ("approve", "--model", str(model), "--bridge", "gbt20999", *words)
        shown = greensplit(*command, cwd=tmp_path)
        assert sorted(read_approvals(tmp_path / "approvals.toml")) == ["elsewhere"]
        done = greensplit(*command, "--by", " Ada ", cwd=tmp_path)
        approved = read_approvals(tmp_path / "approvals.toml")
        with closing(
            find_bridge("gbt20999")(OTHER.junctions, addresses, {}, BridgeSettings(approved=approved))
        ) as bridge:
            bridge.read(1000)
            states = [bridge.health(d).state for d in range(2)]
    assert "--by NAME approves it" in shown.stdout
    assert done.returncode == shown.returncode == 1, done.stderr
    assert "detectors: expected" in done.stdout
    assert approved.keys() == {"J", "elsewhere"}
    assert approved["J"].by == "Ada"
    assert states == [LinkState.UP, LinkState.MONITOR_ONLY]


def test_nobody_there_is_one_line(tmp_path: Path) -> None:
    """Within the patience that was stated, and nothing is written."""
    write_site(SITE, tmp_path / "model.toml")
    command = ("approve", "--model", "model.toml", "--bridge", "gbt20999", "--address", "J=udp:127.0.0.1:9")
    done = greensplit(*command, "--by", "Ada", "--patience", "0.5", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["J  not approved: nobody listens there"]
    assert not (tmp_path / "approvals.toml").exists()

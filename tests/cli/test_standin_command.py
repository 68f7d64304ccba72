"""``greensplit standin``: it starts, says where its controllers are, and ends; what is wrong is one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from greensplit.engine.model.site import Site
from greensplit.engine.model.toml import write_site

from ..engine.kernels.sites import crossroads
from .command import greensplit


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A site of two junctions."""
    first = crossroads().junctions[0]
    write_site(Site("two", (first, replace(first, id="K", device_id=2))), tmp_path / "site.toml")
    return tmp_path / "site.toml"


def test_it_tells_where_the_junctions_are_and_ends(model: Path) -> None:
    """One address per junction."""
    done = greensplit("standin", "virtual", "--model", str(model), "--for", "0.3", "--json", cwd=model.parent)
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stdout)) == ["J", "K"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("morse",), "stand-in: expected one of"),
        (("virtual", "--backup", "-1"), "--backup: expected 0 to 65535 s, found -1"),
        (("virtual", "--junction", "X"), "found X"),
        (("virtual", "--set", "port=1"), "virtual: expected no options, found port"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(model: Path, arguments: tuple[str, ...], message: str) -> None:
    """Exit code 2, and no stack trace."""
    done = greensplit("standin", *arguments, "--model", str(model), cwd=model.parent)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1

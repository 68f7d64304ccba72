"""Damaged networks: an error of ours in one line, never a stack trace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from greensplit.engine.errors import GreensplitError
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec

BROKEN = [
    (r'<junction id="c".*?</junction>', ""),
    (r'<edge id="mc".*?</edge>', ""),
    (r'fromLane="1"', 'fromLane="7"'),
    (r'fromLane="1"', 'fromLane="x"'),
    (r'linkIndex="1"', 'linkIndex="one"'),
    (r'linkIndex="1"', 'linkIndex="-5"'),
    (r'<request index="0"[^>]*>', ""),
    (r'foes="[01]+"', 'foes="2"'),
    (r'length="[\d.]+"', 'length="long"'),
    (r'shape="[^"]*"', 'shape="1,2 three"'),
    (r'(<phase duration=")\d+', r"\1soon"),
    (r'(<phase [^>]*)state="\w+"', r"\1"),
    (r"</net>", ""),
    (r"<net ", "<nett "),
    (r"<tlLogic ", '<tlLogic id="d" '),
    (r'<edge id="am"', "<edge"),
    (r'(<lane id="am_0" index=")0', r"\g<1>5"),
]


@pytest.mark.parametrize(("pattern", "replacement"), BROKEN)
def test_a_damaged_network_gives_one_line_and_not_a_stack_trace(
    town: Path, routes: Path, tmp_path: Path, pattern: str, replacement: str
) -> None:
    """Whatever is missing or nonsense: an error of ours in one line, or a run where it does no harm."""
    text, count = re.subn(pattern, replacement, town.read_text(), count=1, flags=re.DOTALL)
    assert count == 1
    (tmp_path / "net.xml").write_text(text)
    message = ""
    try:
        run(RunSpec("mine", net=tmp_path / "net.xml", routes=(routes,), begin_s=0, end_s=30, traci=True))
    except GreensplitError as err:
        message = str(err)
    assert message == "" or "net.xml" in message or "SUMO" in message
    assert "\n" not in message

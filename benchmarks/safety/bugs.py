"""The bugs to be planted, read from ``bugs.toml`` beside this file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["BUGS", "Bug", "read_bugs"]


class Bug(NamedTuple):
    """An edit of a file below ``engine``: ``old`` occurs there once and becomes ``new``."""

    file: str
    name: str
    old: str
    new: str


def read_bugs(path: Path) -> tuple[Bug, ...]:
    """All bugs of a file, in its order."""
    return tuple(Bug(**entry) for entry in tomllib.loads(path.read_text())["bug"])


BUGS: Final = read_bugs(Path(__file__).with_name("bugs.toml"))

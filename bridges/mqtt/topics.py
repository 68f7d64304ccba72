"""Topics after the layout of the RSMP 4 draft: ``<node>/<type>/<code>[/<channel>]``.

A node is a junction or a supervisor and may have levels (``city/tlc-7``); a code has a dot (``tlc.status``), a node
has none, so that every topic reads in one way only. Taken over are presence, status, channel, throttle, command,
result, alarm, fetch and history. Left out are replay (a controller that was cut off says nothing of that time
unasked), aggregated channels (counts and occupancy are in the status) and components (a node is one junction).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from greensplit.engine.errors import BridgeError

__all__ = [
    "ALARM",
    "DETECTOR",
    "LIVE",
    "STATUS",
    "TABLES",
    "Kind",
    "Topic",
    "node_of",
    "parse_topic",
]

MOST_CHARACTERS: Final = 512
LIVE: Final = "live"
STATUS: Final = "tlc.status"
DETECTOR: Final = "tlc.detector"
TABLES: Final = "tlc.tables"
ALARM: Final = "tlc.alarm"

_NODE: Final = r"[A-Za-z0-9_%:~-]{1,64}"
_CODE: Final = r"[a-z0-9_]{1,32}(?:\.[a-z0-9_]{1,32}){1,3}"
_CHANNEL: Final = r"[a-z0-9_-]{1,32}"
_TOPIC: Final = re.compile(
    rf"(?P<node>{_NODE}(?:/{_NODE}){{0,7}})/(?:"
    rf"(?P<alone>presence)"
    rf"|(?P<streamed>status|channel|throttle|fetch|history)/(?P<stream>{_CODE})/(?P<channel>{_CHANNEL})"
    rf"|(?P<plain>command|result|alarm)/(?P<code>{_CODE}))",
    re.ASCII,
)
_NODES: Final = re.compile(rf"{_NODE}(?:/{_NODE}){{0,7}}", re.ASCII)


class Kind(StrEnum):
    """The type level of a topic."""

    PRESENCE = "presence"
    STATUS = "status"
    CHANNEL = "channel"
    THROTTLE = "throttle"
    FETCH = "fetch"
    HISTORY = "history"
    COMMAND = "command"
    RESULT = "result"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. ``code`` is empty for presence, ``channel`` for what has no channels."""

    node: str
    kind: Kind
    code: str = ""
    channel: str = ""

    def __str__(self) -> str:
        return "/".join(level for level in (self.node, self.kind, self.code, self.channel) if level)


@lru_cache(maxsize=8192)
def parse_topic(text: str) -> Topic:
    """The topic that was written so. Raises BridgeError."""
    found = _TOPIC.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
    if found is None:
        raise BridgeError(f"mqtt: topic: expected NODE/TYPE/CODE[/CHANNEL], found {text[:80]!r}")
    kind = found["alone"] or found["streamed"] or found["plain"]
    return Topic(found["node"], Kind(kind), found["stream"] or found["code"] or "", found["channel"] or "")


def node_of(name: str, prefix: str) -> str:
    """The node of a junction below a prefix; what a topic may not hold is written ``%XX``. Raises BridgeError."""
    level = quote(name, safe="").replace(".", "%2E")
    node = f"{prefix}/{level}" if prefix else level
    if _NODES.fullmatch(node) is None:
        raise BridgeError(
            f"mqtt: node: expected at most eight levels of at most 64 characters, found {node[:80]!r}"
        )
    return node

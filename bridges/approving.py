"""Ask controllers what they are, so that an engineer can approve them. Nothing is written to any of them."""

from __future__ import annotations

from time import monotonic
from typing import Final, NamedTuple

from greensplit.engine.errors import BridgeError

from .approval import model_hash
from .base import Bridge
from .field import FieldTables
from .model_check import differences

__all__ = ["Finding", "look"]

ROUND_MS: Final = 1000


class Finding(NamedTuple):
    """One junction: the hash that may be approved, or in one line why there is nothing to approve."""

    junction: str
    hash: str = ""
    why: str = ""


def look(bridge: Bridge, patience_s: float) -> list[Finding]:
    """What every controller of the bridge says of itself, compared with its model; waits at most ``patience_s``."""
    waiting = dict.fromkeys(range(len(bridge.junctions)), "expected an answer, found none")
    told: dict[int, FieldTables] = {}
    deadline_s = monotonic() + patience_s
    while waiting and monotonic() < deadline_s:
        for d, answer in bridge.open_devices(list(waiting), ROUND_MS):
            if isinstance(answer, BridgeError):
                waiting[d] = str(answer)
            else:
                told[d] = answer
        for d in told:
            if waiting.pop(d, None) is not None:
                bridge.close_device(d)
    return [_finding(bridge, d, told.get(d), waiting.get(d, "")) for d in range(len(bridge.junctions))]


def _finding(bridge: Bridge, device: int, told: FieldTables | None, why: str) -> Finding:
    junction = bridge.junctions[device]
    if told is None:
        return Finding(junction.id, why=why)
    found = next(differences(told, junction, bridge.settings.longest_backup_ms), "")
    return Finding(junction.id, why=found) if found else Finding(junction.id, model_hash(junction, told))
